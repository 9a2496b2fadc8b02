# SPDX-License-Identifier: Apache-2.0
"""Locks of single bytes in one file: who carries out a run, who computes a result.

The kernel drops a lock when the process that holds it dies, however it dies, and
sees through PID namespaces; nothing is written down that could outlive it.
"""

import fcntl
import os
import struct
import sys
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path

from lao.store.complaints import translated

CREATION = 0
"""The byte for making or changing the schema. Rows of runs count from 1."""

_KEYS = 1 << 62  # rows of runs are below it, hashes of keys above
_FLOCK = struct.Struct("hhqqi0q")  # Linux: type, whence, start, length, pid


class Locks:
    """The open lock file. Closing it lets go of everything.

    Open file description locks (Linux) belong to the open file, not to the process:
    two stores in one process keep each other out too.

    Raises:
        StoreError: the file cannot be opened; later, it cannot be locked.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with translated(path):
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._is_open = True

    def acquire(self, byte: int) -> bool:
        """Take a byte's lock; False if somebody else has it. Taking it again is fine."""
        with translated(self._path):
            try:
                self._set(byte, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except (BlockingIOError, PermissionError):  # the same, says POSIX
                return False
        return True

    def wait_for(self, byte: int) -> None:
        """Take a byte's lock as soon as nobody else has it."""
        with translated(self._path):
            self._set(byte, fcntl.LOCK_EX)

    def release(self, byte: int) -> None:
        """Let go of a byte's lock. What fails here, closing the file mends."""
        if self._is_open:
            with suppress(OSError):
                self._set(byte, fcntl.LOCK_UN)

    def is_held_elsewhere(self, byte: int) -> bool:
        """Whether another store, of this process or another, holds a byte's lock."""
        asked = _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, byte, 1, 0)
        with translated(self._path):
            found = fcntl.fcntl(self._file, fcntl.F_OFD_GETLK, asked)
        return bool(_FLOCK.unpack(found)[0] != fcntl.F_UNLCK)

    def close(self) -> None:
        """Let go of every lock. Safe to call twice."""
        if self._is_open:
            self._is_open = False
            os.close(self._file)

    def _set(self, byte: int, how: int) -> None:
        kind = fcntl.F_UNLCK if how == fcntl.LOCK_UN else fcntl.F_WRLCK
        waits = how == fcntl.LOCK_EX
        command = fcntl.F_OFD_SETLKW if waits else fcntl.F_OFD_SETLK
        fcntl.fcntl(self._file, command, _FLOCK.pack(kind, os.SEEK_SET, byte, 1, 0))


class ProcessLocks(Locks):
    """The same where there are only locks of processes (not Linux).

    Two stores in one process don't keep each other out.
    """

    def is_held_elsewhere(self, byte: int) -> bool:
        """Whether another process holds a byte's lock; this one must not."""
        if not self.acquire(byte):
            return True
        self.release(byte)
        return False

    def _set(self, byte: int, how: int) -> None:
        fcntl.lockf(self._file, how, 1, byte)


def open_locks(path: Path) -> Locks:
    """Open, or make, the lock file.

    Raises:
        StoreError: it cannot be opened.
    """
    return Locks(path) if sys.platform == "linux" else ProcessLocks(path)


def byte_of(key: str) -> int:
    """Return the byte that stands for a result's key."""
    digest = blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return _KEYS | int.from_bytes(digest, "big") & (_KEYS - 1)
