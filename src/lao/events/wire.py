# SPDX-License-Identifier: Apache-2.0
"""Events and values as JSON."""

from collections.abc import Mapping

from lao.events.facts import Event
from lao.policy import Proof
from lao.workflow.values import FileValue, JsonValue


def event_to_json(event: Event) -> dict[str, JsonValue]:
    """Return the event as one JSON object."""
    line: dict[str, JsonValue] = {
        "run": event.run,
        "sequence": event.sequence,
        "time": round(event.time, 6),
        "kind": event.fact.kind,
    }
    for name in event.fact.__struct_fields__:
        if name != "kind":
            line[name] = value_to_json(getattr(event.fact, name))
    return line


def layers_of(proof: Proof | None) -> dict[str, JsonValue]:
    """Return the layers of a proof as events carry them; empty without one."""
    layers = {} if proof is None else proof.layers
    return {name: value_to_json(value) for name, value in layers.items()}


def value_to_json(value: object) -> JsonValue:
    """Return a value as JSON; a file becomes `{"file": path, "type": kind}`."""
    match value:
        case FileValue():
            return {"file": value.path, "type": value.kind}
        case Mapping():
            return {str(key): value_to_json(item) for key, item in value.items()}
        case list() | tuple():
            return [value_to_json(item) for item in value]
        case str() | int() | float() | bool() | None:
            return value
        case _:
            raise TypeError(f"{type(value).__name__} is not a value")
