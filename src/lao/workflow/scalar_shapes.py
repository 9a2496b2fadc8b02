# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: D102  (what `decode` and `json_schema` do is said once, in `Shape`)
"""Shapes of single values: text, numbers, durations, sizes, choices, types.

A shape says once what a value may be; it decodes nodes strictly (nothing is
converted silently) and tells editors the same as JSON Schema.
"""

import re
from collections.abc import Mapping
from enum import Enum
from typing import Final, Generic, Literal, Protocol, TypeAlias, TypeVar

from msgspec import Struct

from lao.errors import did_you_mean
from lao.units import DURATION, parse_duration
from lao.workflow.nodes import Node, Problems
from lao.workflow.values import JsonValue, ValueType, parse_type

Schema: TypeAlias = dict[str, JsonValue]
T_co = TypeVar("T_co", covariant=True)
Word = TypeVar("Word", bound=str)


class Failed(Enum):
    """What decoding gives when it has noted a problem instead of making a value."""

    FAILED = "failed"


FAILED: Final = Failed.FAILED


class Shape(Protocol[T_co]):
    """What a value may be. `expects` completes "expected …" in messages."""

    @property
    def expects(self) -> str:
        """A noun with its article, such as "a number"."""

    def decode(self, node: Node, problems: Problems) -> T_co | Failed:
        """Return the value, or note at least one problem and return FAILED."""

    def json_schema(self) -> Schema:
        """Return the same rule as JSON Schema, as far as that can say it."""


Sort = Literal["text", "number", "flag", "nothing", "list", "mapping"]


def sort_of(node: Node) -> Sort:
    """Return what sort of value a node holds."""
    match node.value:
        case str():
            return "text"
        case bool():
            return "flag"
        case int() | float():
            return "number"
        case None:
            return "nothing"
        case tuple():
            return "list"
        case Mapping():
            return "mapping"


def wrong_type(node: Node, problems: Problems, expects: str, mend: str = "") -> Failed:
    """Note that a value is of another type, and say which."""
    what = f"expected {expects}; found {_found(node)}"
    problems.add("workflow.wrong-type", what, node.place, mend)
    return FAILED


def bad_value(node: Node, problems: Problems, what: str, mend: str = "") -> Failed:
    """Note that a value of the right type is not one that can be."""
    problems.add("workflow.bad-value", what, node.place, mend)
    return FAILED


def _found(node: Node) -> str:
    match node.value:
        case str() as text:
            return repr(text if len(text) <= 40 else text[:39] + "…")
        case bool() as flag:
            return "true" if flag else "false"
        case int() | float() as number:
            return str(number)
        case _:
            sort = sort_of(node)
            return sort if sort == "nothing" else f"a {sort}"


class Text(Struct, frozen=True, kw_only=True):
    """Text, whole-matched by `pattern` if there is one (Python and ECMA alike)."""

    expects: str = "text"
    pattern: str | None = None
    min_length: int = 0
    max_length: int | None = None

    def decode(self, node: Node, problems: Problems) -> str | Failed:
        text = node.value
        if not isinstance(text, str):
            quotable = sort_of(node) in ("number", "flag")
            mend = "put it in quotes if text is meant" if quotable else ""
            return wrong_type(node, problems, self.expects, mend)
        if len(text) < self.min_length:
            return bad_value(node, problems, f"{self.expects} must not be empty")
        if self.max_length is not None and len(text) > self.max_length:
            limit = f"is longer than {self.max_length} characters"
            return bad_value(node, problems, f"{_found(node)} {limit}")
        if self.pattern is not None and not re.fullmatch(self.pattern, text):
            return bad_value(node, problems, f"{_found(node)} is not {self.expects}")
        return text

    def json_schema(self) -> Schema:
        schema: Schema = {"type": "string"}
        if self.pattern is not None:
            schema["pattern"] = f"^(?:{self.pattern})$"
        if self.min_length:
            schema["minLength"] = self.min_length
        if self.max_length is not None:
            schema["maxLength"] = self.max_length
        return schema


class Integer(Struct, frozen=True, kw_only=True):
    """A whole number; bounds are included."""

    least: int | None = None
    most: int | None = None
    expects: str = "a whole number"

    def decode(self, node: Node, problems: Problems) -> int | Failed:
        number = node.value
        if not isinstance(number, int) or isinstance(number, bool):
            return wrong_type(node, problems, self.expects)
        return number if _in_bounds(self, node, problems) else FAILED

    def json_schema(self) -> Schema:
        return {"type": "integer", **_bounds(self)}


class Number(Struct, frozen=True, kw_only=True):
    """A number; bounds are included."""

    least: float | None = None
    most: float | None = None
    expects: str = "a number"

    def decode(self, node: Node, problems: Problems) -> float | Failed:
        number = node.value
        if not isinstance(number, int | float) or isinstance(number, bool):
            return wrong_type(node, problems, self.expects)
        return number if _in_bounds(self, node, problems) else FAILED

    def json_schema(self) -> Schema:
        return {"type": "number", **_bounds(self)}


def _in_bounds(shape: Integer | Number, node: Node, problems: Problems) -> bool:
    number = node.value
    assert isinstance(number, int | float)  # noqa: S101  (the callers have looked)
    if shape.least is not None and number < shape.least:
        bad_value(node, problems, f"{number} is too small; the least is {shape.least}")
        return False
    if shape.most is not None and number > shape.most:
        bad_value(node, problems, f"{number} is too large; the most is {shape.most}")
        return False
    return True


def _bounds(shape: Integer | Number) -> Schema:
    bounds = {"minimum": shape.least, "maximum": shape.most}
    return {name: bound for name, bound in bounds.items() if bound is not None}


class Flag(Struct, frozen=True, kw_only=True):
    """`true` or `false`; `yes` and `on` are texts and get a mend."""

    expects: str = "true or false"

    def decode(self, node: Node, problems: Problems) -> bool | Failed:
        if isinstance(node.value, bool):
            return node.value
        return wrong_type(node, problems, self.expects, "write true or false, bare")

    def json_schema(self) -> Schema:
        return {"type": "boolean"}


class Duration(Struct, frozen=True, kw_only=True):
    """A time with its unit, such as `500ms` or `5m`; decodes to seconds."""

    positive: bool = False
    expects: str = "a duration, such as 2s"

    def decode(self, node: Node, problems: Problems) -> float | Failed:
        text = node.value
        if isinstance(text, int | float) and not isinstance(text, bool):
            mend = f"write {text}s for seconds, or use ms, m or h"
            return wrong_type(node, problems, self.expects, mend)
        seconds = parse_duration(text) if isinstance(text, str) else None
        if seconds is None:
            mend = "the units are ms, s, m and h"
            return wrong_type(node, problems, self.expects, mend)
        if self.positive and not seconds:
            return bad_value(node, problems, "this time must be longer than zero")
        return seconds

    def json_schema(self) -> Schema:
        examples: list[JsonValue] = ["500ms", "2s", "5m", "1h"]
        return {"type": "string", "pattern": f"^{DURATION}$", "examples": examples}


class Choice(Struct, Generic[Word], frozen=True):
    """One of a few words."""

    words: tuple[Word, ...]

    @property
    def expects(self) -> str:
        *rest, last = self.words
        return f"{', '.join(rest)} or {last}" if rest else last

    def decode(self, node: Node, problems: Problems) -> Word | Failed:
        if not isinstance(node.value, str):
            return wrong_type(node, problems, self.expects)
        for word in self.words:
            if node.value == word:
                return word
        mend = did_you_mean(node.value, self.words)
        return wrong_type(node, problems, self.expects, mend)

    def json_schema(self) -> Schema:
        return {"enum": list(self.words)}


class ValueTypeShape(Struct, frozen=True, kw_only=True):
    """A kind of value on a connection, such as `text` or `list[text]`."""

    expects: str = "a type, such as text or list[text]"

    def decode(self, node: Node, problems: Problems) -> ValueType | Failed:
        found = parse_type(node.value) if isinstance(node.value, str) else None
        if found is None:
            mend = "the types are " + ", ".join(_TYPES) + " and list[…]"
            return wrong_type(node, problems, self.expects, mend)
        return found

    def json_schema(self) -> Schema:
        names = "|".join(_TYPES)
        pattern = rf"^(?:list\[)*(?:{names})\]*$"
        return {"type": "string", "pattern": pattern, "examples": [*_TYPES]}


_TYPES = ("text", "json", "audio", "image", "document", "file", "embedding")
