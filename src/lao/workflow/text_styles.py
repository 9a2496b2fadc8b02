# SPDX-License-Identifier: Apache-2.0
"""A value as YAML text for a place that holds another: in the style of the old one.

A style that does not say the new text exactly is left: what is written is read back
in a place of the same sort before it is used.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from textwrap import wrap
from typing import Literal, TypeAlias

from msgspec import Struct

from lao.errors import InvalidWorkflow
from lao.workflow.nodes import walk
from lao.workflow.source import read_yaml
from lao.workflow.values import JsonValue
from lao.workflow.yaml_text import entry, in_line, item, text_in_line

TextStyle: TypeAlias = Literal["plain", "single", "double", "literal", "folded"]

_WIDTH = 88
_FOLD = 80
_NO_PLAIN = re.compile(r": |:$| #|[^\x20-\x7e\xa1-\u2027\u2030-\ud7ff\ue000-\ufdff]")
_PLAIN_START = re.compile(r"[^\W\d]")
_PLAIN_WORDS = frozenset(
    ["true", "false", "null", "yes", "no", "on", "off", "y", "n", "none"]
)
_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


class OldText(Struct, frozen=True, kw_only=True):
    """The text that a place holds: its value, its style, and how it is written.

    `raw` is how it is written; of a block text, that is its header, and `lines` are its
    lines without their indentation of `margin`.
    """

    value: str
    style: TextStyle
    raw: str = ""
    lines: Sequence[str] = ()
    margin: int = 0


class Slot(Struct, frozen=True, kw_only=True):
    """A place for a value.

    `column` is that of the block around it, from 0; -1 stands for the file itself.
    `spread` keeps a list or mapping off one line; `apart` puts a blank line between it
    and others that have one. `careful` puts
    every value on one line. `room` is how much of the line is taken, and `below` how far
    the comments below are indented. `rewrite` is a change that may be made
    to the old text as it is written.
    """

    column: int = 0
    flow: bool = False
    as_json: bool = False
    spread: bool = False
    apart: bool = False
    careful: bool = False
    room: int = 0
    below: int = -1
    old: OldText | None = None
    rewrite: Callable[[str], str] | None = None


class Written(Struct, frozen=True):
    """What stands in the line of the key, and the lines below."""

    head: str
    body: tuple[str, ...] = ()


def written(value: JsonValue, slot: Slot) -> Written:
    """Return a value as it is written in a place."""
    if slot.flow:
        old = slot.old
        if isinstance(value, str) and old is not None and not slot.as_json:
            return _text(value, old, slot)
        return Written(flow_text(value, as_json=slot.as_json))
    if isinstance(value, str):
        old = slot.old or OldText(value="", style="plain")
        return _text(value, old, slot)
    if slot.careful and isinstance(value, list | dict):
        return Written(flow_text(value, as_json=False))
    line = in_line(value)
    fits = line is not None and slot.room + len(line) < _WIDTH
    collection = isinstance(value, list | dict) and bool(value)
    if line is not None and not collection:
        return Written(line)
    if line is not None and fits and not slot.spread:
        return Written(line)
    return Written("", tuple(_lines(value, slot.column + 2, spread=slot.spread)))


def member_text(
    name: str | None, value: JsonValue, indent: int, *, spread: bool
) -> str:
    """Return `name: value` or `- value` as lines, the last one without its break."""
    if not spread or not isinstance(value, dict | list) or not value:
        made = item(value, indent) if name is None else entry(name, value, indent)
        return made.removesuffix("\n")
    lines = _lines(value, indent + 2, spread=name is not None)
    if name is None:
        first = f"{' ' * indent}- {lines[0][indent + 2 :]}"
        return "\n".join([first, *lines[1:]])
    return "\n".join([f"{' ' * indent}{text_in_line(name)}:", *lines])


def careful_text(name: str | None, value: JsonValue, indent: int) -> str:
    """Return `name: value` or `- value` on one line."""
    head = "-" if name is None else f"{text_in_line(name)}:"
    return f"{' ' * indent}{head} {flow_text(value, as_json=False)}"


def flow_text(value: JsonValue, *, as_json: bool) -> str:
    """Return a value for a place in brackets; as JSON where the file is JSON."""
    if isinstance(value, str) and not as_json:
        return text_in_line(value)
    if isinstance(value, str | int | float | None) or as_json:
        return _escaped(json.dumps(value, ensure_ascii=False, allow_nan=False))
    if isinstance(value, Mapping):
        pairs = (
            f"{text_in_line(name)}: {flow_text(held, as_json=False)}"
            for name, held in value.items()
        )
        return f"{{ {', '.join(pairs)} }}" if value else "{}"
    return f"[{', '.join(flow_text(held, as_json=False) for held in value)}]"


def _escaped(text: str) -> str:
    return _ESCAPED.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _lines(value: JsonValue, indent: int, *, spread: bool) -> list[str]:
    made: list[str] = []
    if isinstance(value, dict):
        for name, held in value.items():
            if spread and isinstance(held, list):  # in `ui`: a line for each
                made.append(careful_text(name, held, indent))
            else:
                made += member_text(name, held, indent, spread=False).split("\n")
    elif isinstance(value, list):
        for held in value:
            made += member_text(None, held, indent, spread=spread).split("\n")
    return made


def _text(text: str, old: OldText, slot: Slot) -> Written:
    for candidate in _candidates(text, old, slot):
        if _reads_back(candidate, text, slot):
            return candidate
    return Written(_double(text))


def _candidates(text: str, old: OldText, slot: Slot) -> Iterator[Written]:
    if slot.rewrite is not None and old.raw:
        yield _rewritten(old, slot.rewrite)
    if old.style == "folded":
        yield _folded(text, old, slot, width=_FOLD)
        yield _folded(text, old, slot, width=len(text) + 1)
    escapes_breaks = old.style in ("double", "single") and "\n" in old.value
    is_block = old.style in ("folded", "literal")
    breaks = "\n" in text and not (slot.flow or slot.careful or escapes_breaks)
    if is_block or breaks:
        yield _literal(text, old, slot)
    if "\n" in text:
        return
    if old.style == "single" and not _ESCAPED.search(text):
        yield Written("'" + text.replace("'", "''") + "'")
    if old.style == "plain":
        if not _NO_PLAIN.search(text) and _is_plain_start(text):
            yield Written(text)
        yield Written(text_in_line(text))


def _rewritten(old: OldText, rewrite: Callable[[str], str]) -> Written:
    if old.style not in ("literal", "folded"):
        return Written(rewrite(old.raw))
    text = "\n".join(old.lines)
    if "+" not in old.raw:
        text = text.rstrip("\n")
    margin = " " * old.margin
    lines = rewrite(text).split("\n")
    return Written(old.raw, tuple(margin + line if line else "" for line in lines))


def _is_plain_start(text: str) -> bool:
    started = _PLAIN_START.match(text) is not None
    return started and text.lower() not in _PLAIN_WORDS


def _double(text: str) -> str:
    return _escaped(json.dumps(text, ensure_ascii=False))


def _literal(text: str, old: OldText, slot: Slot) -> Written:
    lines = text.rstrip("\n").split("\n")
    return _block("|", lines, text, old, slot)


def _folded(text: str, old: OldText, slot: Slot, *, width: int) -> Written:
    """Return folded lines; those of a paragraph that stays are left as they are."""
    kept = _paragraphs(old.lines)
    lines: list[str] = []
    for piece in re.split(r"(\n+)", text.rstrip("\n")):
        if piece.startswith("\n"):
            lines += [""] * len(piece)
        else:
            lines += kept.get(piece) or wrap(
                piece, width, break_long_words=False, break_on_hyphens=False
            )
    return _block(">", lines, text, old, slot)


def _paragraphs(lines: Sequence[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    paragraph: list[str] = []
    for line in [*lines, ""]:
        if line.strip():
            paragraph.append(line)
        elif paragraph:
            found[" ".join(paragraph)] = paragraph
            paragraph = []
    return found


def _block(sign: str, lines: list[str], text: str, old: OldText, slot: Slot) -> Written:
    margin = old.margin or max(slot.column + 2, slot.below + 1)
    ending = len(text) - len(text.rstrip("\n"))
    chomping = "-" if ending == 0 else "" if ending == 1 else "+"
    step = str(margin - slot.column) if text[:1] in (" ", "\n") else ""
    blanks = [""] * max(0, ending - 1)
    shown = [f"{' ' * margin}{line}" if line else "" for line in lines]
    return Written(f"{sign}{step}{chomping}", (*shown, *blanks))


def _reads_back(candidate: Written, text: str, slot: Slot) -> bool:
    """Whether a text is read as meant, in a mapping at the column of its place."""
    margin = " " * max(0, slot.column)
    if slot.flow:
        document = f"[{{ k: {candidate.head} }}]"
    else:
        lines = [f"{margin}k: {candidate.head}", *candidate.body]
        document = "\n".join([*lines, f"{margin}after: 1", ""])
    try:
        root = read_yaml(document, "")
    except InvalidWorkflow:
        return False
    size = 1 if slot.flow else 2
    holder = walk(root, (0,)) if slot.flow else root
    if not isinstance(holder.value, Mapping) or len(holder.value) != size:
        return False
    found = walk(holder, ("k",)).value
    return isinstance(found, str) and found == text
