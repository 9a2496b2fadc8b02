# SPDX-License-Identifier: Apache-2.0
"""The API described for machines: OpenAPI 3.1, made from the routes and their messages."""

from collections.abc import Sequence

import msgspec

from lao import __version__
from lao.server.messages import ErrorReply
from lao.server.routes import LONGEST_TEXT, Parameter, Route
from lao.workflow.values import JsonValue

_REFERENCE = "#/components/schemas/{name}"
_TYPES = {
    "json": "application/json",
    "events": "text/event-stream",
    "file": "application/octet-stream",
}
_NEEDS_NO_TOKEN = ("/api/session", "/api/proof")


def describe(routes: Sequence[Route]) -> dict[str, JsonValue]:
    """Return the description of these routes."""
    types = [ErrorReply, *(each.reply for each in routes)]
    types += [each.body for each in routes if each.body is not None]
    shapes, components = msgspec.json.schema_components(types, ref_template=_REFERENCE)
    schemas: dict[str, JsonValue] = {
        repr(each): shape for each, shape in zip(types, shapes, strict=True)
    }
    paths: dict[str, JsonValue] = {}
    for route in routes:
        path = paths.setdefault(route.path, {})
        assert isinstance(path, dict)  # noqa: S101  (made in the line above)
        path[route.method.lower()] = _operation(route, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "LAO's editor", "version": __version__},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"session": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"session": []}],
    }


def _operation(route: Route, schemas: dict[str, JsonValue]) -> dict[str, JsonValue]:
    error = _content("application/json", schemas[repr(ErrorReply)])
    found: dict[str, JsonValue] = {
        "operationId": f"{route.method.lower()}{route.path.replace('/', '-')}",
        "summary": route.about,
        "responses": {
            "200": {"description": "Done.", "content": _reply(route, schemas)},
            "default": {"description": "Refused, and why.", "content": error},
        },
    }
    if route.query:
        found["parameters"] = [_parameter(each) for each in route.query]
    if route.path in _NEEDS_NO_TOKEN:
        found["security"] = []
    if route.method == "POST":
        shape: JsonValue = {"type": "object", "maxProperties": 0}
        if route.body is not None:
            shape = schemas[repr(route.body)]
        body = _content("application/json", shape)
        found["requestBody"] = {"required": True, "content": body}
    return found


def _reply(route: Route, schemas: dict[str, JsonValue]) -> dict[str, JsonValue]:
    match route.kind:
        case "json":
            return _content(_TYPES["json"], schemas[repr(route.reply)])
        case "events":  # each event's data is one; a stream as a whole has no schema
            about = {"type": "string", "description": f"events of {route.reply!r}"}
            return _content(_TYPES["events"], {**about})
        case _:
            return {"*/*": {}}


def _parameter(each: Parameter) -> dict[str, JsonValue]:
    shape: JsonValue = {"type": "string", "maxLength": LONGEST_TEXT}
    if each.type == "number":
        shape = {"type": "integer", "minimum": 0, "maximum": 1 << 53}
    return {
        "name": each.name,
        "in": "query",
        "required": each.is_required,
        "description": each.about,
        "schema": shape,
    }


def _content(kind: str, schema: JsonValue) -> dict[str, JsonValue]:
    return {kind: {"schema": schema}}
