# SPDX-License-Identifier: Apache-2.0
r"""The short form of output schemas: `name, age int, tags [str]: what it is about`.

    fields := field (',' field)* | field ('\n' field)*
    field  := name type? (':' description)?
    type   := word | '[' word ']'
    word   := 'str' | 'int' | 'float' | 'bool' | 'date'

Fields on lines of their own may hold commas in their descriptions. Every field is
required and no other is allowed, which is what small models follow best.
"""

import re
from collections.abc import Iterator, Mapping

from lao.errors import did_you_mean
from lao.workflow.values import JsonValue

_TYPES: Mapping[str, Mapping[str, JsonValue]] = {
    "str": {"type": "string"},
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "bool": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
}
_FIELD = re.compile(
    r"\s*(?P<name>[^\W\d]\w*)"
    r"(?:[ \t]+(?P<type>\w+|\[[ \t]*(?P<item>\w+)[ \t]*\]))?"
    r"[ \t]*(?::(?P<about>.*))?\s*",
    re.DOTALL,
)


class ShorthandError(Exception):
    """The short form is wrong at `position`, a character offset in its text."""

    def __init__(self, what: str, position: int, mend: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.position = position
        self.mend = mend


def schema_from_shorthand(text: str) -> dict[str, JsonValue]:
    """Return the JSON Schema that the short form stands for.

    Raises:
        ShorthandError: a field cannot be read.
    """
    if not text.strip():
        mend = "write fields, such as `name, age int, tags [str]`"
        raise ShorthandError("the schema has no field", 0, mend)
    properties: dict[str, JsonValue] = {}
    for field, start in _fields(text):
        match = _FIELD.fullmatch(field)
        first = start + len(field) - len(field.lstrip())
        if match is None:
            mend = "write `name type`, such as `age int` or `tags [str]`"
            raise ShorthandError(f"{field.strip()!r} is not a field", first, mend)
        name = match["name"]
        if name in properties:
            raise ShorthandError(f"the field {name!r} is here twice", first)
        properties[name] = _described(_schema(match, start), match["about"])
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _fields(text: str) -> Iterator[tuple[str, int]]:
    start = 0
    for field in re.split("[\n]" if "\n" in text.strip() else ",", text):
        if field.strip() or "\n" not in text:
            yield field, start
        start += len(field) + 1


def _schema(match: re.Match[str], start: int) -> Mapping[str, JsonValue]:
    word = match["item"] or match["type"] or "str"
    if word not in _TYPES:
        position = start + match.start("item" if match["item"] else "type")
        mend = did_you_mean(word, _TYPES)
        raise ShorthandError(f"there is no type {word!r}", position, mend)
    if match["item"]:
        return {"type": "array", "items": dict(_TYPES[word])}
    return _TYPES[word]


def _described(
    schema: Mapping[str, JsonValue], about: str | None
) -> dict[str, JsonValue]:
    if not about or not about.strip():
        return dict(schema)
    return {**schema, "description": about.strip()}
