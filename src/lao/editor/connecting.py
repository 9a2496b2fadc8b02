# SPDX-License-Identifier: Apache-2.0
"""What a connection does to the value of a port, and what taking it away leaves."""

import re
from typing import Final

from lao.workflow.edits import SpliceError
from lao.workflow.outline import sources_in
from lao.workflow.template import TemplateError, parse_template
from lao.workflow.values import JsonValue

APPENDED: Final = frozenset(["prompt", "system"])
"""The ports whose texts a connection is added to; others hold nothing else."""

_TAG = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_OWN: Final = frozenset(["item", "index", "input", "loop"])


class Gone:
    """Stands for a value of which nothing is left."""


GONE: Final = Gone()


def connected(held: JsonValue, source: str, *, appends: bool) -> JsonValue:
    """Return the value of a port that reads a source; `held` is what it has now."""
    tag = f"{{{{ {source} }}}}"
    if not appends or not isinstance(held, str) or not held.strip():
        return tag
    if source in sources_in(held):
        return held
    return f"{held}{tag}\n" if held.endswith("\n") else f"{held} {tag}"


def disconnected(held: JsonValue, source: str) -> JsonValue | Gone:
    """Return a value that no longer reads a source; GONE if it said nothing else.

    Raises:
        SpliceError: more than the source would go (`editor.cannot-disconnect`).
    """
    if source not in sources_in(held):
        return held
    match held:
        case str():
            return _text_without(held, source)
        case list():
            items = [disconnected(item, source) for item in held]
            return [item for item in items if not isinstance(item, Gone)] or GONE
        case dict():
            pairs = {name: disconnected(item, source) for name, item in held.items()}
            kept = {
                name: item for name, item in pairs.items() if not isinstance(item, Gone)
            }
            return kept or GONE
        case _:
            return held


def _text_without(text: str, source: str) -> str | Gone:
    if _is_whole(text):
        _refuse_shared(text, source)
        return GONE
    for tag in {match[0] for match in _TAG.finditer(text)}:
        if source in sources_in(tag):
            _refuse_shared(tag, source)
            text = _cut(text, tag)
    if source in sources_in(text):
        raise _refused(text, source)
    return text


def _is_whole(text: str) -> bool:
    """Whether a text is one `{{ … }}` and nothing else."""
    try:
        template = parse_template(text)
    except TemplateError:
        return False
    return template.reference is not None or template.expression is not None


def _refuse_shared(tag: str, source: str) -> None:
    if set(sources_in(tag)) - {source} - _OWN:
        raise _refused(tag, source)


def _refused(text: str, source: str) -> SpliceError:
    what = f"{text[:60]!r} reads {source!r} together with other things"
    mend = "change the template itself"
    return SpliceError("editor.cannot-disconnect", what, mend=mend)


def _cut(text: str, tag: str) -> str:
    """Take a tag away: with its line, if that holds nothing else; else with a space."""
    line = re.compile(rf"^[ \t]*{re.escape(tag)}[ \t]*(?:\n|\Z)", re.MULTILINE)
    text = line.sub("", text)
    return re.sub(rf" ?{re.escape(tag)}", "", text)
