# SPDX-License-Identifier: Apache-2.0
"""The words of one call: positional ones, keys, and the values they spell."""

import json
import re
from collections.abc import Container
from typing import Final, NoReturn

from msgspec import Struct

from lao.chain.tokens import Faults, Token
from lao.workflow.nodes import Node, Problems
from lao.workflow.scalar_shapes import FAILED, Duration
from lao.workflow.values import JsonValue

SETTINGS: Final = ("model", "timeout", "retry")
_KEY = r"[A-Za-z]\w*(?:-\w+)*"
_OPTION = re.compile(rf"--({_KEY})(=?)", re.ASCII)
_PAIR = re.compile(rf"({_KEY})=", re.ASCII)
_DEEPEST_JSON = 32


class Keyed(Struct, frozen=True, kw_only=True):
    """`--key value` or `key=value`; without a value it is a flag."""

    key: str
    value: Token | None
    start: int
    end: int

    @property
    def span(self) -> tuple[int, int]:
        """Where it stands."""
        return self.start, self.end


def split_words(
    words: list[Token], flags: Container[str] | None, faults: Faults
) -> tuple[list[Token], dict[str, Keyed]]:
    """Part words from keys. `flags` may stand without a value; None means all."""
    positional: list[Token] = []
    keyed: dict[str, Keyed] = {}
    left = list(reversed(words))
    while left:
        word = left.pop()
        each = _keyed(word, left, flags)
        if each is None:
            positional.append(word)
            continue
        if each.key in keyed:
            what = f"{each.key!r} is given twice"
            faults.add("duplicate-key", what, each.span, mend="drop one")
        elif _lacks_value(each, flags):
            what = f"{each.key!r} has no value"
            mend = f"write --{each.key} VALUE"
            faults.add("missing-value", what, each.span, mend=mend)
        keyed.setdefault(each.key, each)
    return positional, keyed


def literal(text: str) -> str:
    """Return a template that gives exactly `text`: words are data, never templates.

    A brace at the end is written out too, for what is put after it.
    """
    return re.sub(r"\{(?=[{%#]|\Z)", '{{ "{" }}', text)


def decoded(text: str) -> JsonValue:
    """Read a word as JSON where it is JSON (a number, true, a list); else as text."""
    if text.count("[") + text.count("{") > _DEEPEST_JSON:
        return literal(text)
    try:
        return _as_data(json.loads(text, parse_constant=_refuse_constant))
    except ValueError:
        return literal(text)


def _as_data(value: JsonValue) -> JsonValue:
    match value:
        case str():
            return literal(value)
        case list():
            return [_as_data(item) for item in value]
        case dict():
            return {key: _as_data(item) for key, item in value.items()}
        case int() | float() if not -(2**63) < value < 2**63:
            raise ValueError(value)
        case _:
            return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _keyed(
    word: Token, left: list[Token], flags: Container[str] | None
) -> Keyed | None:
    """Read a word as a key; its value may be taken from the words that are left."""
    plain = word.value[: word.plain]
    match = _OPTION.match(plain) or _PAIR.match(plain)
    if match is None or not (plain[match.end() - 1] == "=" or _ends(match, word)):
        return None
    key = match[1].replace("-", "_")
    if plain[match.end() - 1] == "=":
        value = _after(word, match.end())
        return Keyed(key=key, value=value, start=word.start, end=word.end)
    if not left or not _may_be_value(
        left[-1], is_flag=flags is not None and key in flags
    ):
        return Keyed(key=key, value=None, start=word.start, end=word.end)
    value = left.pop()
    return Keyed(key=key, value=value, start=word.start, end=value.end)


def _ends(match: re.Match[str], word: Token) -> bool:
    return match.end() == len(word.value)


def _after(word: Token, offset: int) -> Token:
    """Return what follows the equals sign as a word of its own."""
    value, plain = word.value[offset:], word.plain - offset
    return Token("word", word.end - len(value), word.end, value, plain)


def _may_be_value(word: Token, *, is_flag: bool) -> bool:
    if is_flag:
        return word.value in ("true", "false")
    return _OPTION.match(word.value[: word.plain]) is None


def _lacks_value(each: Keyed, flags: Container[str] | None) -> bool:
    if each.key in SETTINGS:
        return each.value is None or not each.value.value
    return each.value is None and flags is not None and each.key not in flags


def read_seconds(text: str) -> float | None:
    """Read a duration as a workflow file writes it; None if it is none."""
    seconds = Duration(positive=True).decode(Node(text), Problems())
    return None if seconds is FAILED else seconds
