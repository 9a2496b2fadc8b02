# SPDX-License-Identifier: Apache-2.0
"""Reading JSON that a person or a model wrote: bounded, and without what JSON lacks."""

import json
import math
import re
from contextlib import suppress
from functools import cache
from typing import Final

import msgspec

from lao.workflow.values import JsonValue

DEPTH: Final = 64
LONGEST_INTEGER: Final = 40  # signs: enough for 128 bits; as in YAML and in frames
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_LONG_NUMBER = re.compile(rf"[0-9]{{{LONGEST_INTEGER}}}")
_ROUND = bytes.maketrans(b"[{]}", b"(())")
_NOT_NESTING = bytes(set(range(256)) - set(b'[{]}"'))
_decode = msgspec.json.Decoder().decode


def read_json(
    text: str, *, unique_names: bool = False, bare_controls: bool = False
) -> JsonValue:
    """Return the value that a text writes.

    A name that occurs twice in an object counts as it does the last time, which people
    and models may mean; with `unique_names` it is refused. `bare_controls` lets control
    characters stand in a string, where JSON wants escapes.

    Raises:
        ValueError: it is not JSON, holds NaN, an infinity, a number of more than 40
            digits or half a character, or nests more than 64 levels deep, which code
            that walks it could not bear.
    """
    if not (unique_names or bare_controls or _LONG_NUMBER.search(text)):
        with suppress(msgspec.DecodeError, UnicodeEncodeError):
            return _read_quickly(text.encode())  # what is wrong, the other one says
    try:
        value: JsonValue = _decoder(unique_names, bare_controls).decode(text)
    except RecursionError as error:
        raise _too_deep() from error
    if nests_deeper(text.encode("utf-8", "surrogatepass"), DEPTH):
        raise _too_deep()
    if _SURROGATE.search(text):
        _check_characters(value)
    return value


@cache
def _decoder(unique_names: bool, bare_controls: bool) -> json.JSONDecoder:
    # Kept, for to make one takes longer than to read a line that a model streams.
    return json.JSONDecoder(
        strict=not bare_controls,
        parse_constant=_no_constant,
        parse_float=_finite,
        parse_int=_bounded,
        object_pairs_hook=_distinct if unique_names else None,
    )


def _read_quickly(data: bytes) -> JsonValue:
    """Return the value of a text without long numbers."""
    try:
        value: JsonValue = _decode(data)
    except RecursionError as error:
        raise _too_deep() from error
    if nests_deeper(data, DEPTH):
        raise _too_deep()
    return value


def nests_deeper(data: bytes, levels: int) -> bool:
    """Whether JSON has more levels than that; told without a walk, as it may be long."""
    if len(data) < 2 * levels or data.count(b"[") + data.count(b"{") <= levels:
        return False
    nesting = without_escapes(data).translate(_ROUND, _NOT_NESTING)
    nesting = nesting.replace(b'""', b"")  # what is between two others still is
    if b'"' in nesting:  # there are brackets in texts
        nesting = b"".join(nesting.split(b'"')[::2])
    for _ in range(levels):
        if not nesting:
            break
        nesting = nesting.replace(b"()", b"")  # the innermost level
    return bool(nesting)


def without_escapes(data: bytes) -> bytes:
    """Return JSON of the same length in which every quote begins or ends a text."""
    if b"\\" not in data:
        return data
    return data.replace(rb"\\", b"__").replace(rb"\"", b"__")


def _check_characters(value: JsonValue) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise ValueError("it holds one half of a surrogate pair") from error


def _too_deep() -> ValueError:
    return ValueError(f"it is nested deeper than {DEPTH} levels")


def _no_constant(name: str) -> JsonValue:
    raise ValueError(f"{name} is not a JSON number")


def _bounded(digits: str) -> int:
    if len(digits) > LONGEST_INTEGER:
        raise ValueError(f"{digits[:20]}… has {len(digits)} digits")
    return int(digits)


def _distinct(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name occurs twice in one object")
    return found


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError(f"{digits[:20]} is too large a number")
    return number
