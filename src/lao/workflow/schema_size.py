# SPDX-License-Identifier: Apache-2.0
"""How much work a JSON Schema is: a few lines of one can keep a validator busy for ever.

A validator puts the referred schema in the place of each `$ref`: thirty definitions that
each refer twice to the next are a thousand million schemas. What is `unevaluated`
costs each schema below it a second time.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from lao.workflow.values import JsonValue

MOST: Final = 50_000
_DEEPEST: Final = 300
_REFERENCES: Final = ("$ref", "$dynamicRef", "$recursiveRef")
_ANCHORS: Final = ("$anchor", "$dynamicAnchor")
_DATA: Final = ("const", "default", "enum", "examples")
_TWICE: Final = ("unevaluatedItems", "unevaluatedProperties")
_ESCAPE: Final = re.compile(rb"%([0-9A-Fa-f]{2})")
_INDEX: Final = re.compile("0|[1-9][0-9]{0,8}")

Schema = Mapping[str, JsonValue]


def is_too_large(schema: Schema) -> bool:
    """Whether a schema has too many schemas in it, once its references are followed."""
    return _Count(schema).of(schema, schema, 0) > MOST


class _Count:
    """Counts schemas. State: what is known by now; a schema in progress counts as one."""

    def __init__(self, root: Schema) -> None:
        self._known: dict[int, int] = {}
        self._anchors = dict(_anchors(root))

    def of(self, value: JsonValue | Schema, root: Schema, depth: int) -> int:
        """Return how many schemas a value of the document stands for.

        `root` is the nearest one around it with an `$id`, which references start from.
        """
        if depth > _DEEPEST:
            return MOST + 1
        if isinstance(value, list):
            return min(sum(self.of(e, root, depth + 1) for e in value), MOST + 1)
        if not isinstance(value, Mapping):
            return 0
        if id(value) not in self._known:
            self._known[id(value)] = 1
            self._known[id(value)] = self._counted(value, root, depth)
        return self._known[id(value)]

    def _counted(self, schema: Schema, root: Schema, depth: int) -> int:
        root = schema if isinstance(schema.get("$id"), str) else root
        count = 1
        for name, value in schema.items():
            if name in _REFERENCES and isinstance(value, str):
                target = self._target(value.removeprefix("#"), root)
                count += self.of(target, root, depth + 1)
            elif name not in _DATA or isinstance(value, Mapping):
                count += self.of(value, root, depth + 1)
        count *= 1 + any(name in schema for name in _TWICE)
        return min(count, MOST + 1)

    def _target(self, fragment: str, root: Schema) -> JsonValue | Schema:
        if not fragment:
            return root
        if not fragment.startswith("/"):
            return self._anchors.get(fragment)
        found: JsonValue | Schema = root
        for part in _unescaped(fragment[1:]).split("/"):
            name = part.replace("~1", "/").replace("~0", "~")
            if isinstance(found, Mapping):
                found = found.get(name)
            elif isinstance(found, list) and _INDEX.fullmatch(name):
                found = found[int(name)] if int(name) < len(found) else None
            else:
                return None
        return found


def _unescaped(fragment: str) -> str:
    data = fragment.encode("utf-8", "replace")
    found = _ESCAPE.sub(lambda match: bytes([int(match[1], 16)]), data)
    return found.decode("utf-8", "replace")


def _anchors(value: JsonValue | Schema) -> Iterator[tuple[str, Schema]]:
    if isinstance(value, list):
        for each in value:
            yield from _anchors(each)
    elif isinstance(value, Mapping):
        for name in _ANCHORS:
            anchor = value.get(name)
            if isinstance(anchor, str):
                yield anchor, value
        for each in value.values():
            yield from _anchors(each)
