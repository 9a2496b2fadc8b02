# SPDX-License-Identifier: Apache-2.0
"""The kinds of value that flow on connections, and what fits what."""

import re
from collections.abc import Sequence
from typing import Literal, TypeAlias, get_args

from msgspec import Struct

Kind = Literal[
    "text", "json", "audio", "image", "document", "file", "embedding", "list"
]
FileKind = Literal["audio", "image", "document", "file"]
JsonValue: TypeAlias = (
    str | int | float | bool | None | list["JsonValue"] | dict[str, "JsonValue"]
)


class FileValue(Struct, frozen=True):
    """A file on this machine, by absolute path. Its bytes never travel in a pipe."""

    path: str
    kind: FileKind = "file"


Value: TypeAlias = (
    str | int | float | bool | FileValue | list["Value"] | dict[str, "Value"] | None
)


class ValueType(Struct, frozen=True):
    """A kind of value. `item` is given for lists and only for them."""

    kind: Kind
    item: "ValueType | None" = None

    def __str__(self) -> str:
        """Return the type as a workflow file writes it."""
        return f"list[{self.item}]" if self.item is not None else self.kind

    @property
    def is_file(self) -> bool:
        """Whether values of this type are files."""
        return self.kind in _FILE_KINDS

    @property
    def is_plain(self) -> bool:
        """Whether no value of this type is, or holds, a file."""
        return not self.is_file and (self.item is None or self.item.is_plain)


TEXT = ValueType("text")
JSON = ValueType("json")
AUDIO = ValueType("audio")
IMAGE = ValueType("image")
FILE = ValueType("file")
EMBEDDING = ValueType("embedding")


def list_of(item: ValueType) -> ValueType:
    """Return the type of lists of `item`."""
    return ValueType("list", item)


def parse_type(text: str) -> ValueType | None:
    """Read a type as a workflow file writes it (`list[text]`); None if it is none."""
    text = text.strip()
    if text.startswith("list[") and text.endswith("]"):
        item = parse_type(text[5:-1])
        return None if item is None else list_of(item)
    for kind in get_args(Kind):
        if text == kind and kind != "list":
            return ValueType(kind)
    return None


def fits(source: ValueType, target: ValueType) -> bool:
    """Whether a value of type `source` may go where `target` is wanted."""
    if source == target:
        return True
    if source.item is not None and target.item is not None:
        return fits(source.item, target.item)
    return target.kind == "file" and source.is_file


def how_to_mend(source: ValueType, target: ValueType) -> str:
    """Say what turns a `source` into a `target`."""
    match source.kind, target.kind:
        case "audio", "text" | "json":
            return "insert a `transcribe` step"
        case "text", "json":
            return "declare the step's output as json, or add the transform `json`"
        case "json", "text":
            return 'put it in a template, such as "{{ step | tojson }}"'
        case "text", "audio" | "image" | "document" | "file":
            return f"give a path: declare the input with `type: {target}`"
        case "list", _:
            return "run the step once per element with `for_each`, or add `join`"
        case _, "list":
            return "add a transform that makes a list, such as `lines` or `split`"
        case _:
            return f"give it a value of type {target}"


def place_in(items: Sequence[object], name: str) -> int | None:
    """Return the place in a list that a name such as "0" or "12" means, or None."""
    if not _PLACE.fullmatch(name):
        return None
    place = int(name)
    return place if place < len(items) else None


_FILE_KINDS = frozenset(get_args(FileKind))
_PLACE = re.compile(r"0|[1-9][0-9]{0,8}")
