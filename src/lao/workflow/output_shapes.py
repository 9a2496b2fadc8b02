# SPDX-License-Identifier: Apache-2.0
"""How a workflow file writes what a step's output must be, its schema included.

No schema may name another document: a validator would fetch it.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from lao.errors import Place
from lao.workflow.nodes import Node, Problems, walk
from lao.workflow.schema_shorthand import ShorthandError, schema_from_shorthand
from lao.workflow.schema_size import is_too_large
from lao.workflow.shapes import (
    FAILED,
    Either,
    Failed,
    Field,
    Into,
    Json,
    MapOf,
    Record,
    Reference,
    Refined,
    Shape,
    Text,
    ValueTypeShape,
    bad_value,
)
from lao.workflow.steps import Output
from lao.workflow.values import JSON, JsonValue, ValueType

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")

JsonSchema = Mapping[str, JsonValue]


def _from_shorthand(text: str, node: Node, problems: Problems) -> JsonSchema | Failed:
    try:
        return schema_from_shorthand(text)
    except ShorthandError as error:
        place = _place_in(node, text, error.position)
        problems.add("workflow.bad-schema", error.what, place, error.mend)
        return FAILED


def _place_in(node: Node, text: str, position: int) -> Place:
    line = text.count("\n", 0, position) + 1
    if node.style == "literal" or "\n" in text:
        return node.place_of_line(line)
    start = node.column + (node.style == "quoted")
    return Place(node.source, node.line, start + position)


def _checked(schema: JsonSchema, node: Node, problems: Problems) -> JsonSchema | Failed:
    outside = list(_outside_references(node))
    for reference in outside:
        what = f"the schema refers to {reference.value!r}, which is not in this file"
        mend = "move it here under `$defs` and write `#/$defs/name`"
        problems.add("workflow.schema-ref", what, reference.place, mend)
    dialect = schema.get("$schema", _DIALECT)
    if dialect != _DIALECT:
        return bad_value(
            node, problems, "the schema is of another dialect", f"use {_DIALECT}"
        )
    if outside:
        return FAILED
    if is_too_large(schema):
        what = "the schema is too large once its references are followed"
        mend = "refer to less, and less deeply; `unevaluated…` counts twice"
        return bad_value(node, problems, what, mend)
    return _accepted(schema, node, problems)


def _accepted(
    schema: JsonSchema, node: Node, problems: Problems
) -> JsonSchema | Failed:
    import jsonschema_rs  # noqa: PLC0415  (75 ms that files without a schema save)

    try:
        # `offline`: by default this library opens `http:` references by itself.
        jsonschema_rs.Draft202012Validator(dict(schema), offline=True)
    except (jsonschema_rs.ValidationError, ValueError) as error:
        path = getattr(error, "instance_path", ())
        what = f"this is not a JSON Schema: {str(error).splitlines()[0]}"
        place = walk(node, path).place
        problems.add("workflow.bad-schema", what, place)
        return FAILED
    return schema


def _outside_references(node: Node) -> Iterator[Node]:
    if isinstance(node.value, tuple):
        for item in node.value:
            yield from _outside_references(item)
    elif isinstance(node.value, Mapping):
        for name, item in node.value.items():
            if name in _REFERENCES and isinstance(item.value, str):
                if not item.value.startswith("#"):
                    yield item
            else:
                yield from _outside_references(item)


SCHEMA: Final[Shape[JsonSchema]] = Either(
    {
        "text": Refined(
            Text(expects="a schema, such as `name, age int`"), _from_shorthand
        ),
        "mapping": Refined(MapOf(Json()), _checked),
    }
)


def _make(type: ValueType | None = None, schema: JsonSchema | None = None) -> Output:  # noqa: A002  (the file's key)
    if type is None:
        type = Output().type if schema is None else JSON  # noqa: A001
    return Output(type=type, schema=schema)


def _consistent(output: Output, node: Node, problems: Problems) -> Output | Failed:
    if output.schema is None or output.type == JSON:
        return output
    what = f"a schema describes json, and this output is {output.type}"
    return bad_value(node, problems, what, "write `type: json`, or remove `schema`")


_TYPE = ValueTypeShape()
OUTPUT: Final[Reference[Output]] = Reference(
    "output",
    Either(
        {
            "text": Into(_TYPE, lambda found: Output(type=found)),
            "mapping": Refined(
                Record(
                    _make,
                    [
                        Field("type", _TYPE, "What the output is"),
                        Field("schema", SCHEMA, "JSON Schema, or `name, age int`"),
                    ],
                ),
                _consistent,
            ),
        }
    ),
)
