# SPDX-License-Identifier: Apache-2.0
"""Unpacks a wheel: a zip archive of plain files. Nothing of it is run or installed.

What the archive says of its members is checked before any of them is read; that it
is small enough to be listed, before it is listed.
"""

import os
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from typing import Final

from lao.errors import RefusedByPolicy
from lao.files import open_regular
from lao.plugins.folder import MOST_BYTES, too_large, unreadable
from lao.plugins.unpacking import Unpacker, broken

_END_SIZE: Final = 22
_END = b"PK\x05\x06"
_END_OF_LARGE = b"PK\x06\x07"
_LARGEST_LIST = 4 << 20  # bytes of names and numbers: 20,000 members need 2 MiB
_PART = 1 << 18
_ENCRYPTED = 0x1
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_DATA = re.compile(r"[^/]+\.data/([^/]+)/(.+)")
# What the library raises for damaged archives, and for places outside of the file.
_FAILURES = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    OSError,
    OverflowError,
    RuntimeError,
    ValueError,
)


def unpack_wheel(path: Path, unpacker: Unpacker, *, below: str = "") -> None:
    """Write the files of a wheel, below a folder if one is named.

    Raises:
        UsageError: it cannot be read, or is no wheel (`plugin.bad-wheel`).
        RefusedByPolicy: it holds what no plugin may hold, or too much.
    """
    with _opened(path) as file:
        _require_listable(file)
        archive = _listed(file)
        for member in archive.infolist():
            _unpack(archive, member, unpacker, below)


def _opened(path: Path) -> BufferedReader:
    try:
        return BufferedReader(open_regular(path))
    except (OSError, ValueError) as error:
        raise unreadable(str(path), error) from error


def _require_listable(file: BufferedReader) -> None:
    """Look at the end of the archive, which says how large its list of members is."""
    size = file.seek(0, os.SEEK_END)
    if size > MOST_BYTES:
        raise too_large()
    file.seek(max(0, size - _END_SIZE - 20))
    tail = file.read()
    end = tail[-_END_SIZE:]
    if len(end) < _END_SIZE or end[:4] != _END or end[-2:] != b"\0\0":
        raise broken("it does not end as a zip archive without a comment does")
    is_large = tail[:4] == _END_OF_LARGE and len(tail) > _END_SIZE
    if is_large or int.from_bytes(end[12:16], "little") > _LARGEST_LIST:
        raise too_large()
    file.seek(0)


def _listed(file: BufferedReader) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(file)
    except _FAILURES as error:
        raise broken(str(error)) from error


def _unpack(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, unpacker: Unpacker, below: str
) -> None:
    _require_plain(member)
    name = _place_of(member.filename)
    if member.is_dir() or name is None:
        return
    target = f"{below}/{name}" if below else name
    unpacker.write(target, _content(archive, member))


def _content(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[bytes]:
    try:
        with archive.open(member) as source:
            while part := source.read(_PART):
                yield part
    except _FAILURES as error:
        raise broken(str(error)) from error


def _require_plain(member: zipfile.ZipInfo) -> None:
    """Refuse links, devices and what else an archive can hold besides files."""
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise RefusedByPolicy(
            "plugin.odd-file",
            f"{member.filename[:200]!r} is a link or a device; a plugin consists of "
            "plain files and folders",
            mend="build the wheel from plain files",
        )
    if member.orig_filename != member.filename:  # a NUL, which would cut the name
        raise broken(f"a member is called {member.orig_filename[:200]!r}")
    if member.flag_bits & _ENCRYPTED or member.compress_type not in _METHODS:
        raise broken(f"{member.filename[:200]!r} is encrypted or packed unusually")


def _place_of(name: str) -> str | None:
    """Return where a member goes: scripts, headers and the like go nowhere.

    Neither does what Python would run instead of the source that a person looks at.
    """
    if "__pycache__" in name.split("/"):
        return None
    match = _DATA.fullmatch(name)
    if match is None:
        return name
    return match[2] if match[1] in ("purelib", "platlib") else None
