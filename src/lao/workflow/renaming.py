# SPDX-License-Identifier: Apache-2.0
"""Giving a step another name in the templates that read it.

Only the name itself is replaced, and only inside `{{ … }}` and `{% … %}`: not in
quotes, not after a dot, not as the name of an argument, not between `{% raw %}`. A
template in which the new or the old name means something else as well is refused.
"""

import re
from collections.abc import Mapping
from typing import Final

from lao.workflow.edits import SpliceError
from lao.workflow.template import TemplateError, parse_template
from lao.workflow.values import JsonValue

TEMPLATE_FREE: Final = frozenset(
    [
        "id", "model", "uses", "input_transforms", "output", "retry", "timeout",
        "on_error", "default", "cache",
    ]
)  # fmt: skip
"""The keys of a step whose texts are no templates."""

_PARTS = re.compile(
    r"(?P<raw>\{%-?\s*raw\s*-?%\}.*?\{%-?\s*endraw\s*-?%\})"
    r"|(?P<comment>\{#.*?#\})"
    r"|(?P<tag>\{\{.*?\}\}|\{%.*?%\})",
    re.DOTALL,
)
_WORDS = re.compile(
    r"""(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""
    r"|(?P<field>\.\s*\w+)"
    r"|(?P<argument>\b[^\W\d]\w*(?=\s*=(?!=)))"
    r"|(?P<name>\b[^\W\d]\w*)",
    re.DOTALL,
)


def rename_in_texts(value: JsonValue, old: str, new: str) -> JsonValue:
    """Return a value with the name replaced in every text in it.

    Raises:
        SpliceError: a text would mean something else then.
    """
    match value:
        case str():
            return _rename_checked(value, old, new)
        case list():
            return [rename_in_texts(item, old, new) for item in value]
        case dict():
            return {
                name: rename_in_texts(item, old, new) for name, item in value.items()
            }
        case _:
            return value


def rename_in_step(
    step: Mapping[str, JsonValue], old: str, new: str
) -> dict[str, JsonValue]:
    """Return a step whose templates read `new` where they read `old`."""
    return {
        key: held if key in TEMPLATE_FREE else rename_in_texts(held, old, new)
        for key, held in step.items()
    }


def rename_in_text(text: str, old: str, new: str) -> str:
    """Return a text with the name replaced inside its tags."""

    def word(match: re.Match[str]) -> str:
        return new if match["name"] == old else match[0]

    def part(match: re.Match[str]) -> str:
        return _WORDS.sub(word, match[0]) if match["tag"] else match[0]

    return _PARTS.sub(part, text) if old in text else text


def _rename_checked(text: str, old: str, new: str) -> str:
    renamed = rename_in_text(text, old, new)
    if renamed == text:
        return text
    try:
        before, after = parse_template(text).roots, parse_template(renamed).roots
    except TemplateError:
        return renamed
    if old not in before:
        return text
    renamed_roots = {new if name == old else name for name in before}
    if after != renamed_roots or new in _names(text) or _sets(text, old):
        what = (
            f"{old!r} or {new!r} is also a name of the template's own in {text[:60]!r}"
        )
        mend = "choose another name, or change the template first"
        raise SpliceError("splice.unclear-rename", what, mend=mend)
    return renamed


def _names(text: str) -> set[str]:
    """Return every name in a template's tags, whatever it stands for."""
    tags = [match["tag"] for match in _PARTS.finditer(text) if match["tag"]]
    return {match["name"] for tag in tags for match in _WORDS.finditer(tag)}


def _sets(text: str, name: str) -> bool:
    """Whether a template gives a value of its own to a name."""
    pattern = rf"\{{%[-+]?\s*(?:set|with)\b[^%]*\b{re.escape(name)}\s*=(?!=)"
    return re.search(pattern, text) is not None
