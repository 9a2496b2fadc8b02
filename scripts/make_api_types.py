# SPDX-License-Identifier: Apache-2.0
"""Writes web/src/api/types.ts: what page and server tell each other, in TypeScript.

    python scripts/make_api_types.py [--check]

Needs LAO installed with its editor, and `npm ci` in web/. With --check nothing is
written, and it fails if the file is not what it would write.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec

from lao.editor import edit_messages, messages as editor_messages, palette_messages
from lao.server import messages as server_messages

MODULES = (editor_messages, edit_messages, palette_messages, server_messages)
WEB = Path(__file__).parents[1] / "web"
TARGET = WEB / "src" / "api" / "types.ts"
GENERATOR = (
    WEB / "node_modules" / "json-schema-to-typescript" / "dist" / "src" / "cli.js"
)
HEAD = """\
// SPDX-License-Identifier: Apache-2.0
/** What page and server tell each other. Written by scripts/make_api_types.py. */

export type JsonValue = string | number | boolean | null | JsonValue[] | JsonObject;
export type JsonObject = { [key: string]: JsonValue };
"""
TAIL = """
export type EditMessage = EditsRequest["edits"][number];
"""
TUPLE_TYPES = {"integer": "number", "number": "number", "string": "string"}
SCHEMA_WORDS_LEFT_OUT = {"title", "default", "discriminator"}


def messages() -> list[type[msgspec.Struct]]:
    """Return every message, in the order in which the files declare them."""
    kinds = {
        kind: None
        for module in MODULES
        for kind in vars(module).values()
        if isinstance(kind, type)
        and issubclass(kind, editor_messages.Message)
        and kind is not editor_messages.Message
    }
    return list(kinds)


def schema() -> dict[str, object]:
    """Return one JSON Schema with all messages under "definitions"."""
    _, parts = msgspec.json.schema_components(
        messages(), ref_template="#/definitions/{name}"
    )
    return {
        "title": "Everything",
        "type": "object",
        "additionalProperties": False,
        "properties": {name: {"$ref": f"#/definitions/{name}"} for name in parts},
        "definitions": {name: for_types(part, name) for name, part in parts.items()},
    }


def for_types(part: object, name: str = "") -> object:
    """Put a schema as the generator understands it.

    A server writes every field, also those that have a default; a page may leave
    such a field out. So only what a page sends (`…Request`, `…Edit`) has optional
    fields.
    """
    if isinstance(part, list):
        return [for_types(each) for each in part]
    if not isinstance(part, dict):
        return part
    if not part.keys() - SCHEMA_WORDS_LEFT_OUT:
        return {"tsType": "JsonValue"}
    if part.keys() - SCHEMA_WORDS_LEFT_OUT == {"type"} and part["type"] == "object":
        return {"tsType": "JsonObject"}
    if "prefixItems" in part:
        kinds = [TUPLE_TYPES[each["type"]] for each in part["prefixItems"]]
        return {"tsType": f"[{', '.join(kinds)}]"}
    kept = {
        key: (
            {field: for_types(each) for field, each in value.items()}
            if key == "properties"
            else plain(value)
            if key == "description"
            else for_types(value)
            if isinstance(value, dict | list) and key not in {"enum", "required"}
            else value
        )
        for key, value in part.items()
        if key not in SCHEMA_WORDS_LEFT_OUT
    }
    if "properties" in part and not name.endswith(("Request", "Edit")):
        kept["required"] = list(part["properties"])
    return kept


def plain(words: object) -> str:
    """Undo the indentation of a docstring."""
    return "\n".join(line.strip() for line in str(words).splitlines())


def typescript() -> str:
    """Return the text of types.ts."""
    words = [shutil.which("node") or "node", str(GENERATOR), "--bannerComment="]
    words += ["--unreachableDefinitions=false", "--style.printWidth=100"]
    made = subprocess.run(
        words, input=json.dumps(schema()), capture_output=True, check=True, text=True
    )
    body = made.stdout
    first = body.index("}\n", body.index("export interface Everything")) + 2
    return HEAD + body[first:].rstrip() + "\n" + TAIL


def main() -> int:
    """Write the file, or compare it."""
    text = typescript()
    if sys.argv[1:] == ["--check"]:
        if TARGET.read_text(encoding="utf-8") == text:
            return 0
        print(f"{TARGET.name} is not current; mend: python scripts/make_api_types.py")
        return 1
    TARGET.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
