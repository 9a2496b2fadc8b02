# SPDX-License-Identifier: Apache-2.0
"""Files that somebody else named: opened if regular, without waiting; known by marks."""

import os
import stat
from io import FileIO
from pathlib import Path

_AT_ONCE = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
ABSENT = (FileNotFoundError, NotADirectoryError)
"""What opening a path raises that leads nowhere."""
_SETTLED = 2.0  # seconds; no file system keeps times more coarsely (FAT: 2 s)


class NotRegularError(OSError):
    """The path leads to a folder, a FIFO, a socket or a device."""


def open_regular(path: str | Path) -> FileIO:
    """Open a regular file for reading, unbuffered.

    Opening a FIFO would wait for a writer, a device might do anything: the type is
    asked for of what was opened, so that nothing can be put in its place meanwhile.

    Raises:
        NotRegularError: it is something else.
        OSError: the system refuses; one of `ABSENT` where there is nothing.
        ValueError: the path cannot be one (it holds a NUL).
    """
    descriptor = os.open(path, os.O_RDONLY | _AT_ONCE)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise NotRegularError(f"{str(path)!r} is not a regular file")
    return FileIO(descriptor, "r")


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
