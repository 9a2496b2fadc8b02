# SPDX-License-Identifier: Apache-2.0
"""Files that somebody else named or wrote: opened if regular; known by marks.

A person may name any regular file that a disk holds. A worker or a program may only
have put one into a folder: `open_beneath` opens that one and nothing it leads to.
"""

import errno
import os
import stat
import sys
from collections.abc import Callable
from functools import cache
from io import FileIO
from pathlib import Path

ABSENT = (FileNotFoundError, NotADirectoryError)
"""What opening a path raises that leads nowhere."""
_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NONBLOCK", 0)  # a FIFO would wait for a writer
    | getattr(os, "O_NOCTTY", 0)  # a terminal would become the process's own
    | getattr(os, "O_CLOEXEC", 0)
)
_SETTLED = 2.0  # seconds; no file system keeps times more coarsely (FAT: 2 s)

# <linux/openat2.h> and <linux/fcntl.h>; the number is the same on every machine.
_OPENAT2 = 437
_HERE = -100
_NO_MAGICLINKS, _NO_SYMLINKS, _BENEATH = 0x02, 0x04, 0x08
_WITHOUT_OPENAT2 = (errno.ENOSYS, errno.EPERM)  # an old kernel; a container's filter
_RACES = 8  # EAGAIN: something was renamed while the path was followed


class NotRegularError(OSError):
    """The path leads to a folder, a FIFO, a socket, a device, or below `/proc`."""


class OutsideError(OSError):
    """The path leads, or could lead, out of its folder."""


class TooLargeError(OSError):
    """The file holds more than it may."""


def open_regular(path: str | Path) -> FileIO:
    """Open a regular file for reading, unbuffered, without waiting.

    What belongs to a process is no file: the links below `/proc` lead to whatever it
    has open, and its files hold its memory and its environment.

    Raises:
        NotRegularError: it is something else.
        OSError: the system refuses; one of `ABSENT` where there is nothing.
        ValueError: the path cannot be one (it holds a NUL).
    """
    _require_regular(os.stat(path), path)  # noqa: PTH116  # opening a device may do anything
    try:
        descriptor = _openat2(_HERE, path, _FLAGS, _NO_MAGICLINKS)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        raise NotRegularError(f"{str(path)!r} leads through a process") from error
    if descriptor is None:
        descriptor = os.open(path, _FLAGS)
    return _checked(descriptor, path)


def open_beneath(
    folder: str | Path, relative: str | Path, *, limit: int, sole_link: bool = False
) -> FileIO:
    """Open a regular file of at most `limit` bytes in a folder, and nowhere else.

    No part of `relative` may be a symbolic link or go upwards; `folder` itself is
    trusted. `sole_link` refuses a file that has a second name: whoever wrote it may
    have linked it to another, which is not its own.

    Raises:
        OutsideError: the path leads out, or is not relative.
        NotRegularError: it is no regular file, or has a second name.
        TooLargeError: it is larger now; it may still grow (see `read_beneath`).
        OSError: the system refuses; one of `ABSENT` where there is nothing.
        ValueError: the path cannot be one (it holds a NUL).
    """
    parts = _parts_of(relative)
    held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        descriptor = _openat2(held, "/".join(parts), _FLAGS, _BENEATH | _NO_SYMLINKS)
        if descriptor is None:
            descriptor = _open_part_by_part(held, parts)
    except OSError as error:
        if error.errno not in (errno.ELOOP, errno.EXDEV):
            raise
        raise OutsideError(f"{str(relative)!r} leads out of its folder") from error
    finally:
        os.close(held)
    file = _checked(descriptor, relative)
    try:
        _require_own(os.fstat(descriptor), relative, limit, sole_link=sole_link)
    except OSError:
        file.close()
        raise
    return file


def read_beneath(
    folder: str | Path, relative: str | Path, *, limit: int, sole_link: bool = False
) -> bytes:
    """Return the content of what `open_beneath` opens; raises what it does.

    Whatever the file grows to meanwhile, no more than `limit` bytes are kept.
    """
    with open_beneath(folder, relative, limit=limit, sole_link=sole_link) as file:
        return _read(file, relative, limit)


def read_regular(path: str | Path, *, limit: int) -> bytes:
    """Return the content of what `open_regular` opens; raises what it does.

    Raises:
        TooLargeError: it has more than `limit` bytes.
    """
    with open_regular(path) as file:
        return _read(file, path, limit)


def mark_of(found: os.stat_result) -> str:
    """Return what changes when a file's content does.

    The time of the last change of the inode is among it, which no program can set:
    tools that copy keep the time of the content as it was.
    """
    return (
        f"{found.st_size} {found.st_mtime_ns} {found.st_ctime_ns} "
        f"{found.st_ino} {found.st_dev}"
    )


def is_settled(found: os.stat_result, now: float) -> bool:
    """Whether the mark would show a change that comes after `now`.

    Two changes within one tick of the file system's clock leave the same times, so a
    file that changed just now may change again unseen. `now` is in seconds since 1970.
    """
    return abs(now - max(found.st_ctime, found.st_mtime)) > _SETTLED


def _read(file: FileIO, path: str | Path, limit: int) -> bytes:
    data = bytearray()
    # In blocks: `read(limit)` would allocate the limit.
    while block := file.read(min(1 << 20, limit + 1 - len(data))):
        data += block
    if len(data) > limit:
        raise _too_large(path, limit)
    return bytes(data)


def _parts_of(relative: str | Path) -> list[str]:
    """Return the names that a path is made of; all of them go downwards."""
    text = os.fspath(relative)
    if "\0" in text:
        raise ValueError("embedded null byte")
    parts = [part for part in text.split("/") if part not in ("", ".")]
    if text.startswith("/") or ".." in parts or not parts:
        raise OutsideError(f"{text!r} is no path within a folder")
    return parts


def _checked(descriptor: int, path: str | Path) -> FileIO:
    """Return what was opened; its type is asked again, for it may have been replaced."""
    try:
        _require_regular(os.fstat(descriptor), path)
    except OSError:
        os.close(descriptor)
        raise
    return FileIO(descriptor, "r")


def _require_regular(found: os.stat_result, path: str | Path) -> None:
    if not stat.S_ISREG(found.st_mode) or found.st_dev == _device_of_processes():
        raise NotRegularError(f"{str(path)!r} is not a regular file")


def _require_own(
    found: os.stat_result, path: str | Path, limit: int, *, sole_link: bool
) -> None:
    if sole_link and found.st_nlink != 1:
        raise NotRegularError(f"{str(path)!r} has a second name")
    if found.st_size > limit:
        raise _too_large(path, limit)


def _too_large(path: str | Path, limit: int) -> TooLargeError:
    return TooLargeError(f"{str(path)!r} holds more than {limit} bytes")


@cache
def _device_of_processes() -> int | None:
    try:
        return os.stat("/proc/self").st_dev  # noqa: PTH116
    except OSError:
        return None


def _openat2(folder: int, path: str | Path, flags: int, resolve: int) -> int | None:
    """Open a path whose every part obeys `resolve`; None if the system has no such call."""
    name = os.fsencode(path)
    if b"\0" in name:
        raise ValueError("embedded null byte")
    system_call = _system_call()
    if system_call is None:
        return None
    import ctypes  # noqa: PLC0415  (2 ms that most commands save)

    how = (ctypes.c_uint64 * 3)(flags, 0, resolve)
    code = errno.EAGAIN
    for _ in range(_RACES):
        number = ctypes.c_long(_OPENAT2)
        found = system_call(number, folder, name, how, ctypes.sizeof(how))
        if found >= 0:
            return found
        code = ctypes.get_errno()
        if code in _WITHOUT_OPENAT2:
            return None
        if code not in (errno.EAGAIN, errno.EINTR):
            break
    raise OSError(code, os.strerror(code), str(path))


@cache
def _system_call() -> Callable[..., int] | None:
    if sys.platform != "linux":
        return None
    import ctypes  # noqa: PLC0415

    found = ctypes.CDLL(None, use_errno=True).syscall
    found.restype = ctypes.c_long
    return found


def _open_part_by_part(folder: int, parts: list[str]) -> int:
    """Do what `openat2` would, one folder after the other."""
    at = os.dup(folder)
    try:
        for part in parts[:-1]:
            below = _open_unless_link(part, os.O_RDONLY | os.O_DIRECTORY, at)
            os.close(at)
            at = below
        return _open_unless_link(parts[-1], _FLAGS, at)
    finally:
        os.close(at)


def _open_unless_link(name: str, flags: int, folder: int) -> int:
    try:
        return os.open(name, flags | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    except NotADirectoryError:  # what a link is called here, if a folder is wanted
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if stat.S_ISLNK(found.st_mode):
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), name) from None
        raise
