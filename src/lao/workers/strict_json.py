# SPDX-License-Identifier: Apache-2.0
"""JSON between processes: what is written can be read, and what is read is bounded.

`msgspec` reads what RFC 8259 allows and no more: no NaN, no invalid UTF-8, no half of a
surrogate pair. The rest is refused here, by a look at the value: duplicate keys (there
are fewer members than colons), integers past 128 bits or so, too many levels or parts.
"""

import json
import re
from collections.abc import Iterable
from math import isfinite

from msgspec.json import decode, encode

from lao.workflow.values import JsonValue

DEPTH = 64
CONTAINERS = (
    1 << 20
)  # lists and objects: an empty one takes 3 bytes, and then 64 or more
_POSITIVE = 10**40  # 40 characters, enough for every 128-bit integer and its sign
_NEGATIVE = -(10**39)
_SHORT = 40  # bytes: no room for an integer that is too long, or for too many levels

# Possessive, and the closing quote is optional: linear in any garbage.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.?)*+"?', re.DOTALL)
_NOT_OPENING = bytes(set(range(256)) - set(b"[{"))
_MAYBE_COLON = b"\\u003"  # with an "a" after it, a colon in a string

_TEXT = {str}
_LEAVES = {str, bool, type(None)}
_CONTAINERS = {list, dict, tuple}
_KINDS = {*_LEAVES, *_CONTAINERS, int, float}


class FrameError(Exception):
    """The bytes are not a frame that this side accepts; the text says why."""


def encode_json(value: JsonValue) -> bytes:
    """Return compact JSON, which `decode_json` accepts.

    Raises:
        FrameError: JSON, UTF-8 or `decode_json` cannot hold it.
    """
    try:
        _members(value)
        return encode(value)
    except (FrameError, ValueError):
        return _encode_unusual(value)


def decode_json(data: bytes) -> JsonValue:
    """Read JSON strictly.

    Refused: invalid UTF-8, lone surrogates, NaN and infinities, duplicate keys,
    integers past 128 bits or so, more than `DEPTH` levels or `CONTAINERS` parts.
    """
    _check_parts(data)
    try:
        value: JsonValue = decode(data)
    except (ValueError, RecursionError) as error:
        raise FrameError(f"not the JSON we accept: {error}") from None
    if len(data) <= _SHORT and type(value) is dict and len(value) == data.count(b":"):
        return value
    members = _members(value)
    if members and members != data.count(b":") and members != _colons(data, value):
        raise FrameError("not the JSON we accept: a key occurs twice in one object")
    return value


def _members(value: JsonValue) -> int:
    """Return how many members all objects have; FrameError for what is not plain."""
    members = containers = 0
    level: list[Iterable[JsonValue]] = [(value,)]
    if type(value) is dict:  # nearly always
        members, level = _keys(value), [value.values()]
    for depth in range(type(value) is dict, DEPTH + 1):
        below: list[Iterable[JsonValue]] = []
        for part in level:
            kinds = {*map(type, part)}
            if kinds <= _LEAVES:
                continue
            if not kinds <= _CONTAINERS:
                _check_leaves(part, kinds)
                if kinds.isdisjoint(_CONTAINERS):
                    continue
            inner = [each for each in part if type(each) in _CONTAINERS]
            containers += len(inner)
            if inner and depth == DEPTH:
                raise FrameError(f"JSON nested deeper than {DEPTH} levels")
            for each in filter(None, inner):
                if type(each) is dict:
                    members += _keys(each)
                    below.append(each.values())
                else:
                    below.append(each)  # type: ignore[arg-type]  # a list or a tuple
        if containers > CONTAINERS:
            raise FrameError(f"JSON of more than {CONTAINERS} lists and objects")
        if not below:
            break
        level = below
    return members


def _check_leaves(part: Iterable[JsonValue], kinds: set[type]) -> None:
    """Refuse what has no form in JSON, and integers that are too long."""
    if not kinds <= _KINDS:
        raise FrameError("a value of a kind that is not plain")
    if float in kinds and not all(isfinite(n) for n in part if type(n) is float):
        raise FrameError("a number that is not finite")
    if int in kinds:
        integers = [n for n in part if type(n) is int]
        if not _NEGATIVE < min(integers) <= max(integers) < _POSITIVE:
            raise FrameError("an integer of more than 128 bits")


def _keys(found: dict[str, JsonValue]) -> int:
    if not {*map(type, found)} <= _TEXT:
        raise FrameError("a key that is not text")
    return len(found)


def _colons(data: bytes, value: JsonValue) -> int:
    """Return how many colons stand outside of strings, or more if a key is repeated.

    What a repeated key replaced is in the text and not in the value: so its colons
    are among those that are counted.
    """
    if _MAYBE_COLON in data:
        return _STRING.sub(b"", data).count(b":")
    return data.count(b":") - _colons_in_strings(value)


def _colons_in_strings(value: JsonValue) -> int:
    """Return how many colons the strings hold; the value has at most `DEPTH` levels."""
    match value:
        case str():
            return value.count(":")
        case dict():
            keys = sum(key.count(":") for key in value)
            return keys + sum(map(_colons_in_strings, value.values()))
        case list():
            return sum(map(_colons_in_strings, value))
        case _:
            return 0


def _check_parts(data: bytes) -> None:
    """Refuse what would take much memory, before it does."""
    if len(data) > 2 * CONTAINERS:  # a container has two brackets
        if data.count(b"[") + data.count(b"{") <= CONTAINERS:
            return
        if len(_STRING.sub(b"", data).translate(None, _NOT_OPENING)) > CONTAINERS:
            raise FrameError(f"JSON of more than {CONTAINERS} lists and objects")


def _encode_unusual(value: JsonValue) -> bytes:
    """Encode what the standard library makes of subclasses and of keys like 1.

    What it makes may still be no JSON that the other side reads.
    """
    try:
        data = _ENCODER.encode(value).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise FrameError(f"not JSON: {error}") from None
    decode_json(data)
    return data


_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
