# SPDX-License-Identifier: Apache-2.0
"""Opening files that somebody else named: regular files only, and without waiting."""

import os
import stat
from io import FileIO
from pathlib import Path

_AT_ONCE = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
ABSENT = (FileNotFoundError, NotADirectoryError)
"""What opening a path raises that leads nowhere."""


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
