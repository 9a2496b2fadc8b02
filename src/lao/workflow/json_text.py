# SPDX-License-Identifier: Apache-2.0
"""Reading JSON that a person or a model wrote: bounded, and without what JSON lacks."""

import json
import math
import re
from typing import Final

from lao.workflow.values import JsonValue

DEPTH: Final = 64
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def read_json(text: str) -> JsonValue:
    """Return the value that a text writes.

    Raises:
        ValueError: it is not JSON, holds NaN, an infinity or half a character, or
            nests more than 64 levels deep, which code that walks it could not bear.
    """
    try:
        value: JsonValue = json.loads(
            text, parse_constant=_no_constant, parse_float=_finite
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


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError(f"{digits[:20]} is too large a number")
    return number
