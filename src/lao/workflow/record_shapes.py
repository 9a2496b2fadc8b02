# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: D102  (what `decode` and `json_schema` do is said once, in `Shape`)
"""Shapes of mappings with known keys, chosen by nothing, by `kind`, or by one key.

A record is declared once; decoding it, reporting every problem in it and describing
it as JSON Schema follow from that. Left-out fields are left out of the call, so a
default stands in one place: the class that is made.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Generic

from msgspec import Struct
from msgspec.structs import replace

from lao.errors import did_you_mean
from lao.workflow.nodes import Node, Problems
from lao.workflow.scalar_shapes import (
    FAILED,
    Choice,
    Failed,
    Schema,
    Shape,
    T_co,
    wrong_type,
)


class Field(Struct, frozen=True):
    """A key of a record. `to` is the argument it becomes; the key's name if left out."""

    name: str
    shape: Shape[object]
    about: str = ""
    required: bool = False
    to: str = ""


class Record(Struct, Generic[T_co], frozen=True):
    """A mapping with known keys; `make` is called with them, by keyword."""

    make: Callable[..., T_co]
    fields: Sequence[Field]
    about: str = ""
    expects: str = "a mapping"

    def decode(self, node: Node, problems: Problems) -> T_co | Failed:
        return self.decode_fields(node, problems)

    def decode_fields(
        self, node: Node, problems: Problems, beside: Collection[str] = ()
    ) -> T_co | Failed:
        """Decode as `decode` does; the keys in `beside` are somebody else's."""
        entries = node.value
        if not isinstance(entries, Mapping):
            return wrong_type(node, problems, self.expects)
        right = self._knows(entries, problems, beside)
        made: dict[str, object] = {}
        for field in self.fields:
            if field.name in entries:
                value = field.shape.decode(entries[field.name], problems)
                made[field.to or field.name] = value
                right = right and value is not FAILED
            elif field.required:
                what = f"the key `{field.name}` is missing"
                mend = f"add `{field.name}:`"
                problems.add("workflow.missing-key", what, node.place, mend)
                right = False
        return self.make(**made) if right else FAILED

    def _knows(
        self, entries: Mapping[str, Node], problems: Problems, beside: Collection[str]
    ) -> bool:
        known = [*(field.name for field in self.fields), *beside]
        unknown = [name for name in entries if name not in known]
        for name in unknown:
            what, place = f"there is no key `{name}` here", entries[name].key_place
            mend = partial(did_you_mean, name, known)
            problems.add("workflow.unknown-key", what, place, mend)
        return not unknown

    def json_schema(self) -> Schema:
        schema: Schema = {
            "type": "object",
            "properties": {item.name: _described(item) for item in self.fields},
            "additionalProperties": False,
        }
        if any(item.required for item in self.fields):
            schema["required"] = [item.name for item in self.fields if item.required]
        if self.about:
            schema["description"] = self.about
        return schema


def _described(item: Field) -> Schema:
    schema = item.shape.json_schema()
    return {**schema, "description": item.about} if item.about else schema


class Refusal(Struct, frozen=True):
    """A problem with a word, before it has a place."""

    code: str
    what: str
    mend: str


class OneOfByKind(Struct, Generic[T_co], frozen=True):
    """A mapping whose `kind` says which record it is.

    `refuse` may give an unknown kind words of its own.
    """

    kinds: Mapping[str, Record[T_co]]
    refuse: Callable[[str], Refusal | None] = lambda _: None
    expects: str = "a mapping with a `kind`"

    def decode(self, node: Node, problems: Problems) -> T_co | Failed:
        if not isinstance(node.value, Mapping):
            return wrong_type(node, problems, self.expects)
        kind = node.value.get("kind")
        if kind is None:
            what, mend = "the key `kind` is missing", "one of: " + ", ".join(self.kinds)
            problems.add("workflow.missing-key", what, node.place, mend)
            return FAILED
        if not isinstance(kind.value, str):
            return wrong_type(kind, problems, "the name of a kind")
        if kind.value not in self.kinds:
            self._refuse_kind(kind, kind.value, problems)
            return FAILED
        return self.kinds[kind.value].decode_fields(node, problems, ("kind",))

    def _refuse_kind(self, node: Node, kind: str, problems: Problems) -> None:
        refusal = self.refuse(kind) or Refusal(
            "workflow.unknown-kind",
            f"there is no kind {kind!r}",
            did_you_mean(kind, self.kinds),
        )
        problems.add(refusal.code, refusal.what, node.place, refusal.mend)

    def json_schema(self) -> Schema:
        return {
            "type": "object",
            "required": ["kind"],
            "properties": {"kind": {"enum": list(self.kinds)}},
            "oneOf": [self._variant(kind) for kind in self.kinds],
        }

    def _variant(self, kind: str) -> Schema:
        tag = Field("kind", Choice((kind,)), required=True)
        record = self.kinds[kind]
        tagged = replace(record, fields=[tag, *record.fields])
        return {"title": kind, **tagged.json_schema()}


class OneKeyOf(Struct, Generic[T_co], frozen=True):
    """A mapping with exactly one key, which says what the value is."""

    cases: Mapping[str, Shape[T_co]]
    expects: str = "a mapping with one key"

    def decode(self, node: Node, problems: Problems) -> T_co | Failed:
        if not isinstance(node.value, Mapping) or len(node.value) != 1:
            mend = "one of: " + ", ".join(self.cases)
            return wrong_type(node, problems, self.expects, mend)
        [(name, value)] = node.value.items()
        if name in self.cases:
            return self.cases[name].decode(value, problems)
        what, mend = f"there is no {name!r} here", did_you_mean(name, self.cases)
        problems.add("workflow.unknown-key", what, value.key_place, mend)
        return FAILED

    def json_schema(self) -> Schema:
        return {
            "type": "object",
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": False,
            "properties": {
                name: case.json_schema() for name, case in self.cases.items()
            },
        }
