# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: D102  (what `decode` and `json_schema` do is said once, in `Shape`)
"""The shapes that files are declared with: all of them, by one import.

Defined here: lists, mappings, alternatives, and shapes made from other shapes.
"""

from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

from msgspec import Struct, field

from lao.workflow.nodes import Node, Problems
from lao.workflow.record_shapes import (
    Field,
    OneKeyOf,
    OneOfByKind,
    Record,
    Refusal,
)
from lao.workflow.scalar_shapes import (
    FAILED,
    Choice,
    Duration,
    Failed,
    Flag,
    Integer,
    Number,
    Schema,
    Shape,
    Sort,
    T_co,
    Text,
    ValueTypeShape,
    bad_value,
    sort_of,
    wrong_type,
)
from lao.workflow.values import JsonValue

__all__ = [
    "FAILED",
    "Choice",
    "Duration",
    "Either",
    "Failed",
    "Field",
    "Flag",
    "Integer",
    "Into",
    "Json",
    "ListOf",
    "MapOf",
    "Number",
    "OneKeyOf",
    "OneOfByKind",
    "Record",
    "Reference",
    "Refined",
    "Refusal",
    "Schema",
    "Shape",
    "Text",
    "ValueTypeShape",
    "bad_value",
    "plain_data",
    "wrong_type",
]
S = TypeVar("S")


def plain_data(node: Node) -> JsonValue:
    """Return what a node holds, without places."""
    value = node.value
    if isinstance(value, tuple):
        return [plain_data(item) for item in value]
    if isinstance(value, Mapping):
        return {name: plain_data(item) for name, item in value.items()}
    return value


class Json(Struct, frozen=True):
    """Any value."""

    expects: str = "a value"

    def decode(self, node: Node, problems: Problems) -> JsonValue:  # noqa: ARG002
        return plain_data(node)

    def json_schema(self) -> Schema:
        return {}


class ListOf(Struct, Generic[T_co], frozen=True):
    """A list, each item of one shape."""

    item: Shape[T_co]
    min_items: int = 0
    max_items: int | None = None
    expects: str = "a list"

    def decode(self, node: Node, problems: Problems) -> tuple[T_co, ...] | Failed:
        if not isinstance(node.value, tuple):
            return wrong_type(node, problems, self.expects)
        count = len(node.value)
        if count < self.min_items or count > (self.max_items or count):
            what = f"expected {self.expects}; found a list of {count}"
            return bad_value(node, problems, what)
        items = [self.item.decode(item, problems) for item in node.value]
        made = tuple(item for item in items if item is not FAILED)
        return made if len(made) == len(items) else FAILED

    def json_schema(self) -> Schema:
        schema: Schema = {"type": "array", "items": self.item.json_schema()}
        if self.min_items:
            schema["minItems"] = self.min_items
        if self.max_items is not None:
            schema["maxItems"] = self.max_items
        return schema


class MapOf(Struct, Generic[T_co], frozen=True):
    """A mapping from names of one shape to values of one shape."""

    value: Shape[T_co]
    key: Shape[str] | None = None
    expects: str = "a mapping"

    def decode(self, node: Node, problems: Problems) -> dict[str, T_co] | Failed:
        if not isinstance(node.value, Mapping):
            return wrong_type(node, problems, self.expects)
        made: dict[str, T_co] = {}
        for name, item in node.value.items():
            right = self.key is None or _is_right(self.key, name, item, problems)
            value = self.value.decode(item, problems)
            if right and value is not FAILED:
                made[name] = value
        return made if len(made) == len(node.value) else FAILED

    def json_schema(self) -> Schema:
        schema: Schema = {"type": "object"}
        if self.key is not None:
            schema["propertyNames"] = self.key.json_schema()
        return {**schema, "additionalProperties": self.value.json_schema()}


def _is_right(key: Shape[str], name: str, item: Node, problems: Problems) -> bool:
    place = item.key_place
    node = Node(name, place.source, place.line, place.column)
    return key.decode(node, problems) is not FAILED


class Either(Struct, Generic[T_co], frozen=True):
    """One shape for each sort of node; no sort is tried twice."""

    cases: Mapping[Sort, Shape[T_co]]

    @property
    def expects(self) -> str:
        """Each alternative, in order."""
        return " or ".join(dict.fromkeys(case.expects for case in self.cases.values()))

    def decode(self, node: Node, problems: Problems) -> T_co | Failed:
        case = self.cases.get(sort_of(node))
        if case is None:
            return wrong_type(node, problems, self.expects)
        return case.decode(node, problems)

    def json_schema(self) -> Schema:
        return {"anyOf": [case.json_schema() for case in self.cases.values()]}


class Into(Struct, Generic[S, T_co], frozen=True):
    """A shape whose value is made into something else; making cannot fail."""

    shape: Shape[S]
    make: Callable[[S], T_co]

    @property
    def expects(self) -> str:
        """What the shape expects."""
        return self.shape.expects

    def decode(self, node: Node, problems: Problems) -> T_co | Failed:
        value = self.shape.decode(node, problems)
        return FAILED if value is FAILED else self.make(value)

    def json_schema(self) -> Schema:
        return self.shape.json_schema()


class Refined(Struct, Generic[S, T_co], frozen=True):
    """A shape whose value is looked at again; `refine` notes what is wrong with it.

    `schema` is added to the JSON Schema, where that can say some of the same.
    """

    shape: Shape[S]
    refine: Callable[[S, Node, Problems], T_co | Failed]
    schema: Mapping[str, JsonValue] = field(default_factory=dict)

    @property
    def expects(self) -> str:
        """What the shape expects."""
        return self.shape.expects

    def decode(self, node: Node, problems: Problems) -> T_co | Failed:
        value = self.shape.decode(node, problems)
        return FAILED if value is FAILED else self.refine(value, node, problems)

    def json_schema(self) -> Schema:
        return {**self.shape.json_schema(), **self.schema}


class Reference(Struct, Generic[T_co], frozen=True):
    """A shape that JSON Schema names once, under `$defs`."""

    name: str
    shape: Shape[T_co]

    @property
    def expects(self) -> str:
        """What the shape expects."""
        return self.shape.expects

    def decode(self, node: Node, problems: Problems) -> T_co | Failed:
        return self.shape.decode(node, problems)

    def json_schema(self) -> Schema:
        return {"$ref": f"#/$defs/{self.name}"}
