# SPDX-License-Identifier: Apache-2.0
"""What a plugin says of itself, as plain data; no code of a plugin is behind it."""

import math
from collections.abc import Mapping
from typing import Literal

from msgspec import Struct, field

from lao.workflow.inference import Wanted, wanted_for
from lao.workflow.values import JSON, JsonValue, ValueType, fits

PluginKind = Literal["step", "model", "preprocessor", "formatter"]
NO_PARAMETERS: Mapping[str, JsonValue] = {
    "type": "object",
    "additionalProperties": False,
}


class PluginManifest(Struct, frozen=True, kw_only=True):
    """A plugin's manifest.

    `entry` is `package.module:Class`, `kind` says which role that class has.
    `schema` describes an output that is JSON, `parameters` (a JSON Schema of an
    object) what the plugin can be told. `gpu` and `read` (absolute paths) are what
    it asks for beyond its own folder.
    """

    name: str
    version: str
    kind: PluginKind
    entry: str
    description: str
    input: ValueType
    output: ValueType
    schema: Mapping[str, JsonValue] | None = None
    parameters: Mapping[str, JsonValue] = field(default_factory=lambda: NO_PARAMETERS)
    gpu: bool = False
    read: tuple[str, ...] = ()

    @property
    def properties(self) -> Mapping[str, Mapping[str, JsonValue]]:
        """The parameters by name, each with its JSON Schema."""
        found = self.parameters.get("properties")
        if not isinstance(found, dict):
            return {}
        return {
            name: each if isinstance(each, dict) else {} for name, each in found.items()
        }

    @property
    def required(self) -> tuple[str, ...]:
        """The names of the parameters that must be given."""
        found = self.parameters.get("required")
        return tuple(map(str, found)) if isinstance(found, list) else ()

    @property
    def defaults(self) -> dict[str, JsonValue]:
        """The parameters that have a value when none is given."""
        return {
            name: each["default"]
            for name, each in self.properties.items()
            if "default" in each
        }

    @property
    def wants(self) -> Wanted:
        """The sort of answer that its output is."""
        return wanted_for(self.output)

    def takes(self, given: ValueType) -> bool:
        """Whether the plugin works on a value of that type; lists without files are JSON."""
        if fits(given, self.input):
            return True
        return (
            self.input == JSON
            and given.kind in ("list", "embedding")
            and given.is_plain
        )


def is_of_type(value: JsonValue, wanted: ValueType) -> bool:
    """Whether a value, with files as their paths, is of a type."""
    match wanted.kind:
        case "json":
            return True
        case "embedding":
            return isinstance(value, list) and all(map(_is_number, value))
        case "list":
            item = wanted.item or JSON
            return isinstance(value, list) and all(
                is_of_type(each, item) for each in value
            )
        case _:
            return isinstance(value, str)


def _is_number(value: JsonValue) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value)


def why_unfit(value: JsonValue, schema: Mapping[str, JsonValue]) -> tuple[str, str]:
    """Say where a value does not fit a JSON Schema (a JSON pointer), and why.

    Both are empty if it fits.
    """
    import jsonschema_rs  # noqa: PLC0415  (75 ms that most commands save)

    try:
        validator = jsonschema_rs.validator_for(dict(schema), offline=True)
        error = next(iter(validator.iter_errors(value)), None)
    except (jsonschema_rs.ValidationError, ValueError) as problem:
        first = (str(problem).splitlines() or [""])[0]
        return "/", f"the schema cannot be used: {first[:300]}"
    if error is None:
        return "", ""
    place = "/" + "/".join(map(str, error.instance_path))
    return place, error.message.splitlines()[0][:300]
