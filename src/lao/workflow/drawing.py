# SPDX-License-Identifier: Apache-2.0
"""What the editor keeps under `ui`: where it draws steps and inputs, notes and groups.

Nothing else reads it. A step goes by its id; what is no step has a slash in its name,
which no step can have: `inputs/NAME`, `note/1`, `group/1`.
"""

import re
from collections.abc import Mapping
from typing import Final, TypeAlias

from msgspec import Struct

from lao.workflow.nodes import Node, Problems
from lao.workflow.shapes import (
    FAILED,
    Failed,
    Field,
    Integer,
    ListOf,
    Schema,
    Shape,
    Text,
    bad_value,
    wrong_type,
)
from lao.workflow.step_shapes import NAME

_FARTHEST: Final = 1_000_000
_LONGEST: Final = 20_000
_AXIS = Integer(least=-_FARTHEST, most=_FARTHEST)
_SIDE = Integer(least=1, most=_FARTHEST, expects="a width or height")
_TEXT = Text(max_length=_LONGEST)
_PLACE = ListOf(_AXIS, 2, 2, "a place such as [120, 80]")
_INPUT: Final = "inputs/"
_BOX: Final = "(?:note|group)/[1-9][0-9]{0,8}"


class Box(Struct, frozen=True, kw_only=True):
    """A note with its text, or a group's frame with its title."""

    x: int
    y: int
    width: int
    height: int
    text: str


Drawn: TypeAlias = tuple[int, ...] | Box
"""A place (x and y), or a box."""


class _BoxShape:
    """A box on one line: `[x, y, width, height, "text"]`."""

    expects = 'a box such as [0, 0, 240, 120, "text"]'
    parts: Final = (
        Field("x", _AXIS),
        Field("y", _AXIS),
        Field("width", _SIDE),
        Field("height", _SIDE),
        Field("text", _TEXT),
    )

    def decode(self, node: Node, problems: Problems) -> Box | Failed:
        """Return the box."""
        held = node.value
        if not isinstance(held, tuple):
            return wrong_type(node, problems, self.expects)
        if len(held) != len(self.parts):
            what = f"expected {self.expects}; found a list of {len(held)}"
            return bad_value(node, problems, what)
        made = {
            part.name: part.shape.decode(each, problems)
            for part, each in zip(self.parts, held, strict=True)
        }
        if FAILED in made.values():
            return FAILED
        return Box(**made)  # type: ignore[arg-type]  # decoded part by part

    def json_schema(self) -> Schema:
        """Return the list of its parts."""
        count = len(self.parts)
        return {
            "type": "array",
            "prefixItems": [part.shape.json_schema() for part in self.parts],
            "items": False,
            "minItems": count,
            "maxItems": count,
        }


_BOX_SHAPE: Final = _BoxShape()


class _Drawing:
    """The mapping `ui`; a key says which shape its value has."""

    expects = "a mapping"

    def decode(self, node: Node, problems: Problems) -> dict[str, Drawn] | Failed:
        """Return what is drawn where."""
        if not isinstance(node.value, Mapping):
            return wrong_type(node, problems, self.expects)
        made: dict[str, Drawn] = {}
        for name, held in node.value.items():
            found = decode_drawn(name, held, problems)
            if found is not FAILED:
                made[name] = found
        return made if len(made) == len(node.value) else FAILED

    def json_schema(self) -> Schema:
        """Return the two sorts of keys."""
        return {
            "type": "object",
            "patternProperties": {
                f"^(?:{_INPUT})?{NAME.text.pattern}$": _PLACE.json_schema(),
                f"^(?:{_BOX})$": _BOX_SHAPE.json_schema(),
            },
            "additionalProperties": False,
        }


UI: Final[Shape[dict[str, Drawn]]] = _Drawing()


def decode_drawn(name: str, node: Node, problems: Problems) -> Drawn | Failed:
    """Return one member of `ui`, or note what is wrong with it."""
    if re.fullmatch(_BOX, name):
        return _BOX_SHAPE.decode(node, problems)
    place = node.key_place
    bare = name.removeprefix(_INPUT)
    key = Node(bare, place.source, place.line, place.column)
    if "/" in bare:
        what = f"{name!r} is neither a step nor `inputs/NAME`, `note/1` or `group/1`"
        return bad_value(key, problems, what)
    is_named = NAME.decode(key, problems) is not FAILED
    found = _PLACE.decode(node, problems)
    return found if is_named else FAILED
