# SPDX-License-Identifier: Apache-2.0
"""Values of runs as the page sees them: beginnings of what is long, and pages of it."""

import json
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Final

from msgspec import Struct

from lao.editor.folder import Folder
from lao.events import value_to_json
from lao.server.media import view_media
from lao.server.messages import ValuePage, ValueView
from lao.workflow.values import FileValue, JsonValue, Value

SHOWN: Final = 64 << 10
"""Characters of a value in a view."""
PAGE: Final = 256 << 10
_MOST_FILES: Final = 100
_DEEPEST: Final = 64  # levels; LAO reads no value from outside with more
_LARGEST_INTEGER: Final = 1 << 53  # what JavaScript counts without a gap


class Values(Struct, frozen=True):
    """Shows values; their files relative to a folder."""

    folder: Folder

    def view(self, value: Value, most: int = SHOWN) -> ValueView:
        """Return a value, or its beginning of at most `most` characters."""
        match value:
            case None:
                return ValueView(kind="none")
            case str():
                return _text_view(value, most)
            case FileValue():
                return ValueView(kind="file", files=[view_media(self.folder, value)])
            case _:
                return self._json_view(value, most)

    def _json_view(self, value: Value, most: int) -> ValueView:
        files = islice(_files_in(value), _MOST_FILES)
        text = text_of(value)
        is_small = len(text) <= most and _is_flat(value, _DEEPEST)
        return ValueView(
            kind="json",
            size=len(text),
            is_whole=is_small,
            data=plain(value_to_json(value)) if is_small else None,
            text="" if is_small else printable(text[:most]),
            files=[view_media(self.folder, each) for each in files],
        )


def _text_view(text: str, most: int) -> ValueView:
    shown = printable(text[:most])
    is_whole = len(text) <= most
    return ValueView(kind="text", size=len(text), is_whole=is_whole, text=shown)


def page_of(text: str, offset: int) -> ValuePage:
    """Return the stretch of a long text that begins at a character."""
    end = offset + PAGE
    return ValuePage(
        text=printable(text[offset:end]),
        offset=offset,
        next=end if end < len(text) else None,
    )


def text_of(value: Value) -> str:
    """Return a value as text: a text itself, a file's path, all else as JSON."""
    match value:
        case str():
            return value
        case FileValue():
            return value.path
        case _:
            try:
                return _written(value_to_json(value))
            except RecursionError:
                return "(nested too deeply to be shown)"


_written = json.JSONEncoder(ensure_ascii=False).encode  # in C, unlike with `indent`


def printable(text: str) -> str:
    """Return a text without halves of surrogate pairs, which UTF-8 cannot say."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text


def plain(value: object, levels: int = _DEEPEST + 1) -> JsonValue:
    """Return JSON that can be sent: bounded, and with nothing that a page misreads."""
    if not levels:
        return "…"
    match value:
        case bool() | None:
            return value
        case str():
            return printable(value if len(value) <= SHOWN else f"{value[:SHOWN]}…")
        case int():
            return value if abs(value) <= _LARGEST_INTEGER else str(value)
        case float():
            return value
        case Mapping():
            return {printable(str(k)): plain(v, levels - 1) for k, v in value.items()}
        case list() | tuple():
            return [plain(each, levels - 1) for each in value]
        case _:
            raise TypeError(f"{type(value).__name__} is not JSON")


def _is_flat(value: Value, levels: int) -> bool:
    """Whether a value is nested no deeper than that."""
    match value:
        case list():
            return levels > 0 and all(_is_flat(each, levels - 1) for each in value)
        case dict():
            inner = value.values()
            return levels > 0 and all(_is_flat(each, levels - 1) for each in inner)
        case _:
            return True


def _files_in(value: Value, levels: int = _DEEPEST) -> Iterator[FileValue]:
    match value:
        case FileValue():
            yield value
        case list() if levels:
            for each in value:
                yield from _files_in(each, levels - 1)
        case dict() if levels:
            for each in value.values():
                yield from _files_in(each, levels - 1)
        case _:
            return
