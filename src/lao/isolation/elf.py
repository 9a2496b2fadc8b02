# SPDX-License-Identifier: Apache-2.0
"""What an ELF file asks for: its dynamic linker, its libraries, where to look for them.

Only 64-bit little-endian files, which is what runs on the machines that can be locked.
Whatever is malformed asks for nothing: the kernel or the linker says so when it is run.
"""

import struct
from collections.abc import Iterator
from io import FileIO
from typing import Final

from msgspec import Struct

_MAGIC: Final = b"\x7fELF\x02\x01"
_HEADER: Final = 64
_SEGMENT: Final = struct.Struct("<IIQQQQQQ")
_ENTRY: Final = struct.Struct("<qQ")
_MOST_SEGMENTS: Final = 256
_MOST_BYTES: Final = 1 << 20  # of the table of names, and of the dynamic section

_LOAD: Final = 1
_DYNAMIC: Final = 2
_LINKER: Final = 3
_NEEDED: Final = 1
_NAMES: Final = 5
_SEARCH: Final = (15, 29)  # DT_RPATH, DT_RUNPATH


class Elf(Struct, frozen=True):
    """What a file asks for; `search` holds folders, in which `$ORIGIN` may stand."""

    linker: str = ""
    needed: tuple[str, ...] = ()
    search: tuple[str, ...] = ()


def read_elf(file: FileIO) -> Elf:
    """Return what a file asks for, which is nothing if it is no such file."""
    try:
        return _read(file)
    except (struct.error, ValueError, OverflowError):
        return Elf()


class _Segment(Struct, frozen=True):
    kind: int
    offset: int
    address: int
    size: int


def _read(file: FileIO) -> Elf:
    segments = list(_segments(file))
    linker = next((each for each in segments if each.kind == _LINKER), None)
    dynamic = next((each for each in segments if each.kind == _DYNAMIC), None)
    entries = [] if dynamic is None else list(_entries(_content(file, dynamic)))
    tables = [value for tag, value in entries if tag == _NAMES]
    names = _names(file, segments, tables[0]) if tables else b""
    searched = [_text(names, at) for tag, at in entries if tag in _SEARCH]
    return Elf(
        linker="" if linker is None else _text(_content(file, linker), 0),
        needed=tuple(_text(names, at) for tag, at in entries if tag == _NEEDED),
        search=tuple(each for text in searched for each in text.split(":") if each),
    )


def _segments(file: FileIO) -> Iterator[_Segment]:
    header = _bytes(file, 0, _HEADER)
    if not header.startswith(_MAGIC):
        return
    (table,) = struct.unpack_from("<Q", header, 32)
    size, count = struct.unpack_from("<HH", header, 54)
    for number in range(min(count, _MOST_SEGMENTS)):
        found = _SEGMENT.unpack(_bytes(file, table + number * size, _SEGMENT.size))
        kind, _, offset, address, _, length, _, _ = found
        yield _Segment(kind, offset, address, length)


def _entries(content: bytes) -> Iterator[tuple[int, int]]:
    whole = len(content) - len(content) % _ENTRY.size
    for tag, value in _ENTRY.iter_unpack(content[:whole]):
        if tag == 0:
            return
        yield tag, value


def _names(file: FileIO, segments: list[_Segment], address: int) -> bytes:
    """Return the table of names, which is known by where it is once it is loaded."""
    for each in segments:
        if each.kind == _LOAD and 0 <= address - each.address < each.size:
            within = address - each.address
            size = min(each.size - within, _MOST_BYTES)
            return _bytes(file, each.offset + within, size)
    return b""


def _content(file: FileIO, segment: _Segment) -> bytes:
    return _bytes(file, segment.offset, min(segment.size, _MOST_BYTES))


def _bytes(file: FileIO, offset: int, size: int) -> bytes:
    file.seek(offset)
    return file.read(size)


def _text(names: bytes, start: int) -> str:
    end = names.index(b"\0", start)
    return names[start:end].decode("utf-8", "surrogateescape")
