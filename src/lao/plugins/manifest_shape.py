# SPDX-License-Identifier: Apache-2.0
"""How a manifest is written: its keys, and what each may hold."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final, get_args

from lao.plugins.reach import holds_too_much
from lao.workflow.nodes import Node, Problems
from lao.workflow.output_shapes import SCHEMA
from lao.workflow.plugins import NO_PARAMETERS, PluginKind, PluginManifest
from lao.workflow.shapes import (
    Choice,
    Failed,
    Field,
    Flag,
    Integer,
    ListOf,
    Record,
    Refined,
    Shape,
    Text,
    ValueTypeShape,
    bad_value,
)
from lao.workflow.values import JSON, TEXT, JsonValue, ValueType

FORMAT: Final = 1
PLUGIN_NAME: Final = "[a-z](?:-?[a-z0-9]){0,63}"
VERSION: Final = r"[0-9]{1,9}(?:\.[0-9]{1,9}){0,4}(?:\.?(?:dev|a|b|rc|post)[0-9]{1,9})?"
_MODULE = "[A-Za-z_][A-Za-z0-9_]*"
_LINE = "[^\\x00-\\x1f\\x7f-\\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]+"
_OPEN_WORDS = frozenset(["$ref", "allOf", "anyOf", "if", "oneOf", "patternProperties"])

JsonSchema = Mapping[str, JsonValue]
_Output = tuple[ValueType, JsonSchema | None]
_Permissions = tuple[bool, tuple[str, ...]]


def _format(number: int, node: Node, problems: Problems) -> int | Failed:
    if number == FORMAT:
        return number
    return bad_value(node, problems, "there is no such format", f"write {FORMAT}")


def _read_path(path: str, node: Node, problems: Problems) -> str | Failed:
    """Return an absolute path, in one spelling."""
    try:
        found = Path(path).expanduser()
    except RuntimeError:  # there is no home folder
        return bad_value(node, problems, f"{path!r} leads nowhere on this machine")
    if not found.is_absolute() or ".." in found.parts or "\0" in path:
        mend = "write an absolute path, or one that starts with ~/"
        return bad_value(node, problems, f"{path!r} is not absolute", mend)
    found = Path("/", *found.parts[1:])  # two slashes at its start are one
    if holds_too_much(found):
        mend = "name the file or the folder that it needs"
        return bad_value(node, problems, f"no plugin can read all of {path!r}", mend)
    return str(found)


def _closed(schema: JsonSchema, node: Node, problems: Problems) -> JsonSchema | Failed:
    """Return the parameters' schema; a name that it does not list is not taken."""
    if schema.get("type", "object") != "object":
        what, mend = "parameters are an object, by name", 'write `type = "object"`'
        return bad_value(node, problems, what, mend)
    properties = schema.get("properties", {})
    if isinstance(properties, dict) and "input" in properties:
        what = "no parameter can be called `input`, which is what the plugin works on"
        return bad_value(node, problems, what, "choose another name")
    closed: dict[str, JsonValue] = {"type": "object", **schema}
    if not _OPEN_WORDS.intersection(schema):
        closed.setdefault("additionalProperties", False)
    return closed


def _input(type: ValueType) -> ValueType:  # noqa: A002  (the file's key)
    return type


def _output(type: ValueType, schema: JsonSchema | None = None) -> _Output:  # noqa: A002  (the file's key)
    return type, schema


def _can_be_given(output: _Output, node: Node, problems: Problems) -> _Output | Failed:
    kind, schema = output
    if not kind.is_plain:
        what = f"a plugin cannot give {kind}: its worker leaves no file behind"
        return bad_value(node, problems, what, "give text or json")
    if schema is not None and kind != JSON:
        what = f"a schema describes json, and this output is {kind}"
        return bad_value(node, problems, what, 'write `type = "json"`')
    return output


def _permissions(*, gpu: bool = False, read: tuple[str, ...] = ()) -> _Permissions:
    return gpu, read


def _make(
    *,
    lao: int,
    output: _Output,
    permissions: _Permissions = (False, ()),
    parameters: JsonSchema = NO_PARAMETERS,
    **told: object,
) -> PluginManifest:
    del lao  # looked at already
    gpu, read = permissions
    kind, schema = output
    return PluginManifest(
        output=kind,
        schema=schema,
        gpu=gpu,
        read=read,
        parameters=parameters,
        **told,  # type: ignore[arg-type]  # decoded field by field
    )


def _consistent(
    made: PluginManifest, node: Node, problems: Problems
) -> PluginManifest | Failed:
    if made.kind != "formatter" or made.output == TEXT:
        return made
    what = f"a formatter gives text, and this output is {made.output}"
    return bad_value(node, problems, what, 'write `kind = "step"`, or give text')


_TYPE = ValueTypeShape()
_PATH = Refined(
    Text(expects="a path", min_length=1, max_length=4096, pattern=_LINE), _read_path
)
_KIND: Shape[PluginKind] = Choice(get_args(PluginKind))
MANIFEST_SHAPE: Final[Shape[PluginManifest]] = Refined(
    Record(
        _make,
        [
            Field("lao", Refined(Integer(), _format), "The format", required=True),
            Field(
                "name",
                Text(
                    expects="a name of a to z, digits and single dashes",
                    pattern=PLUGIN_NAME,
                ),
                "What workflows call it",
                required=True,
            ),
            Field(
                "version",
                Text(expects="a version, such as 1.2.0 or 1.0rc1", pattern=VERSION),
                required=True,
            ),
            Field("kind", _KIND, "The role of its class", required=True),
            Field(
                "entry",
                Text(
                    expects="a class, such as package.module:Class",
                    pattern=rf"{_MODULE}(?:\.{_MODULE})*:{_MODULE}",
                ),
                "The class",
                required=True,
            ),
            Field(
                "description",
                Text(expects="one line", pattern=_LINE, max_length=300),
                "What it does, for people",
                required=True,
            ),
            Field(
                "input",
                Record(_input, [Field("type", _TYPE, required=True)]),
                "What it works on",
                required=True,
            ),
            Field(
                "output",
                Refined(
                    Record(
                        _output,
                        [
                            Field("type", _TYPE, required=True),
                            Field("schema", SCHEMA, "JSON Schema, or `name, age int`"),
                        ],
                    ),
                    _can_be_given,
                ),
                "What it gives",
                required=True,
            ),
            Field("parameters", Refined(SCHEMA, _closed), "A JSON Schema"),
            Field(
                "permissions",
                Record(
                    _permissions,
                    [
                        Field("gpu", Flag(), "Whether it uses the graphics card"),
                        Field("read", ListOf(_PATH), "Files and folders it reads"),
                    ],
                ),
                "What it asks for beyond its own folder",
            ),
        ],
        "A plugin's manifest.",
    ),
    _consistent,
)
