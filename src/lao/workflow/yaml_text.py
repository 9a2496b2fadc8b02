# SPDX-License-Identifier: Apache-2.0
"""Plain data as YAML text that `source.read_yaml` reads back to the same data.

Short values stand in braces on one line, long ones on lines of their own, and texts
of several lines as blocks. A text stands bare only if no YAML reader, old or new,
could take it for anything else.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias

Plain: TypeAlias = (
    "str | int | float | bool | None | Sequence[Plain] | Mapping[str, Plain]"
)

_WIDTH = 88
_LONGEST_SIMPLE_KEY = 500
_BARE = re.compile(
    r"(?:[^\W\d]|[/~][\w/])(?:[\w ./+()'-]*[\w./+()'-])?|[0-9]+(?:ms|[smh])"
)
_WORDS = frozenset(
    ["true", "false", "null", "yes", "no", "on", "off", "y", "n", "none"]
)
_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_NO_BLOCK = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]"
)


def entry(name: str, value: Plain, indent: int) -> str:
    """Return `name: value` as lines, each ended, starting at column `indent`."""
    margin = " " * indent
    key = text_in_line(name)
    head = f"{margin}{key}:"
    if len(key) > _LONGEST_SIMPLE_KEY:  # a simple key must end within 1024 characters
        head = f"{margin}? {key}\n{margin}:"
    elif (line := in_line(value)) is not None and len(head) + len(line) < _WIDTH:
        return f"{head} {line}\n"
    return f"{head}{_rest(value, indent)}"


def item(value: Plain, indent: int) -> str:
    """Return `- value` as lines, each ended, starting at column `indent`."""
    margin = " " * indent
    line = in_line(value)
    if line is not None and len(margin) + len(line) < _WIDTH:
        return f"{margin}- {line}\n"
    if isinstance(value, Mapping) and value:
        lines = "".join(entry(name, held, indent + 2) for name, held in value.items())
        return f"{margin}- {lines[indent + 2 :]}"
    return f"{margin}-{_rest(value, indent)}"


def in_line(value: Plain) -> str | None:
    """Return a value as one line, or None if it holds a text of several lines."""
    if isinstance(value, str):
        return None if "\n" in value and _fits_block(value) else text_in_line(value)
    if isinstance(value, Mapping):
        if any(len(name) > _LONGEST_SIMPLE_KEY for name in value):
            return None
        pairs = [(text_in_line(name), in_line(held)) for name, held in value.items()]
        shown = [f"{name}: {held}" for name, held in pairs if held is not None]
        if len(shown) < len(value):
            return None
        return f"{{ {', '.join(shown)} }}" if shown else "{}"
    if isinstance(value, Sequence):
        items = [in_line(held) for held in value]
        shown = [held for held in items if held is not None]
        return f"[{', '.join(shown)}]" if len(shown) == len(items) else None
    return json.dumps(value, allow_nan=False)


def text_in_line(text: str) -> str:
    """Return a text as one line, bare or in double quotes."""
    if _BARE.fullmatch(text) and text.lower() not in _WORDS:
        return text
    quoted = json.dumps(text, ensure_ascii=False)
    return _ESCAPED.sub(lambda match: f"\\u{ord(match[0]):04x}", quoted)


def _rest(value: Plain, indent: int) -> str:
    if isinstance(value, str) and "\n" in value and _fits_block(value):
        return _block(value, indent + 2)
    if isinstance(value, Mapping) and value:
        lines = [entry(name, held, indent + 2) for name, held in value.items()]
        return "\n" + "".join(lines)
    if isinstance(value, Sequence) and not isinstance(value, str) and value:
        return "\n" + "".join(item(held, indent + 2) for held in value)
    return f" {in_line(value)}\n"


def _fits_block(text: str) -> bool:
    """Whether a block says the text exactly, whatever blank lines follow it."""
    return not (text[0] in " \n" or text.endswith("\n\n") or _NO_BLOCK.search(text))


def _block(text: str, indent: int) -> str:
    margin = " " * indent
    lines = text.removesuffix("\n").split("\n")
    shown = [f"{margin}{line}\n" if line else "\n" for line in lines]
    return (" |\n" if text.endswith("\n") else " |-\n") + "".join(shown)
