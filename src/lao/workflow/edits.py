# SPDX-License-Identifier: Apache-2.0
"""What an editor can do to a workflow file, as a closed set of edits.

A path names a spot by the file's own keys; steps go by their id, and by their number
where they have none: `("steps", "summary", "options", "temperature")`.
"""

import math
from collections.abc import Mapping
from typing import ClassVar, Final, Literal, TypeAlias

from msgspec import Struct

from lao.errors import LaoError
from lao.workflow.values import JsonValue

_DEEPEST: Final = 60
_LARGEST: Final = 10**39

EditPath: TypeAlias = tuple[str | int, ...]


class SpliceError(LaoError):
    """An edit cannot be made; the text stays as it is (codes `splice.…`)."""

    exit_code: ClassVar[int] = 2


class SetValue(Struct, frozen=True, kw_only=True):
    """Put a value in a place; a place that is not there is added.

    Inside a mapping that is there already, only what differs is touched.
    """

    path: EditPath
    value: JsonValue
    kind: Literal["set-value"] = "set-value"


class RemoveValue(Struct, frozen=True, kw_only=True):
    """Take a key, or an element of a list, away."""

    path: EditPath
    kind: Literal["remove-value"] = "remove-value"


class AddStep(Struct, frozen=True, kw_only=True):
    """Add a step, as the file would write it, behind another, or as the first."""

    step: Mapping[str, JsonValue]
    after: str | None = None
    kind: Literal["add-step"] = "add-step"


class RemoveStep(Struct, frozen=True, kw_only=True):
    """Take a step away, with its own comments, its position and listed connections.

    Its own are the comments directly above it, at its line ends and inside it, and
    those at the ends of the lines of its position and connections.

    Templates that read it stay as they are: only a person knows what they should
    read instead.
    """

    id: str
    kind: Literal["remove-step"] = "remove-step"


class MoveStep(Struct, frozen=True, kw_only=True):
    """Put a step, with its own comments, behind another, or first."""

    id: str
    after: str | None = None
    kind: Literal["move-step"] = "move-step"


class RenameStep(Struct, frozen=True, kw_only=True):
    """Give a step another id, in its templates, connections and position too."""

    old: str
    new: str
    kind: Literal["rename-step"] = "rename-step"


class SetPosition(Struct, frozen=True, kw_only=True):
    """Say where the editor draws a step, under `ui`."""

    step: str
    x: int
    y: int
    kind: Literal["set-position"] = "set-position"


class AddConnection(Struct, frozen=True, kw_only=True):
    """List that one step waits for another."""

    first: str
    second: str
    kind: Literal["add-connection"] = "add-connection"


class RemoveConnection(Struct, frozen=True, kw_only=True):
    """Take a listed connection away."""

    first: str
    second: str
    kind: Literal["remove-connection"] = "remove-connection"


Edit: TypeAlias = (
    SetValue
    | RemoveValue
    | AddStep
    | RemoveStep
    | MoveStep
    | RenameStep
    | SetPosition
    | AddConnection
    | RemoveConnection
)


def refuse_unwritable(value: JsonValue, depth: int = 0) -> None:
    """Refuse a value that no workflow file can hold.

    Raises:
        SpliceError: it is too deep, too large a number, or no JSON at all.
    """
    if depth > _DEEPEST:
        raise _unwritable(f"this value is nested over {_DEEPEST} levels deep")
    match value:
        case str():
            if not value.isascii() and any(
                "\ud800" <= sign <= "\udfff" for sign in value
            ):
                raise _unwritable("this text holds half a character")
        case bool() | None:
            return
        case int() | float():
            if not math.isfinite(value) or (
                type(value) is int and abs(value) >= _LARGEST
            ):
                raise _unwritable("this number cannot be kept")
        case list():
            for item in value:
                refuse_unwritable(item, depth + 1)
        case dict():
            for name, item in value.items():
                if not isinstance(name, str):
                    raise _unwritable(f"the key {name!r} is no text")
                refuse_unwritable(name, depth + 1)
                refuse_unwritable(item, depth + 1)
        case _:
            raise _unwritable(f"a {type(value).__name__} is no JSON value")


def _unwritable(what: str) -> SpliceError:
    mend = "give texts, numbers, true, false, null, lists and mappings of them"
    return SpliceError("splice.bad-value", what, mend=mend)
