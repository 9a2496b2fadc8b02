# SPDX-License-Identifier: Apache-2.0
"""Reading JSON that a person or a model wrote: bounded, and without what JSON lacks."""

import json
import math
import re
from typing import Final

from lao.workflow.values import JsonValue

DEPTH: Final = 64
LONGEST_INTEGER: Final = 40  # signs: enough for 128 bits; as in YAML and in frames
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


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
    try:
        value: JsonValue = json.loads(
            text,
            strict=not bare_controls,
            parse_constant=_no_constant,
            parse_float=_finite,
            parse_int=_bounded,
            object_pairs_hook=_distinct if unique_names else None,
        )
    except RecursionError as error:
        raise _too_deep() from error
    if text.count("[") + text.count("{") > DEPTH:
        _check_depth(value)
    if _SURROGATE.search(text):
        _check_characters(value)
    return value


def _check_depth(value: JsonValue) -> None:
    level = [value]
    for _ in range(DEPTH + 1):
        level = [inner for each in level for inner in _inside(each)]
        if not level:
            return
    raise _too_deep()


def _inside(value: JsonValue) -> list[JsonValue]:
    match value:
        case list():
            return value
        case dict():
            return list(value.values())
        case _:
            return []


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
