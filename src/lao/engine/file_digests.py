# SPDX-License-Identifier: Apache-2.0
"""Names the files that steps read by their content; state: the latest names, by mark."""

import asyncio
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from lao.errors import StepError
from lao.files import is_settled, mark_of, open_regular

_CHUNK = 1 << 20
_AT_ONCE = 1 << 20  # bytes hashed on the spot; more goes to a thread
_KEPT = 4096

Stopped = Callable[[], bool]


class FileDigests:
    """Digests of files, each read once for as long as its mark stays.

    `now` tells the time of the machine's clock, which stamps files.
    """

    def __init__(self, *, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._kept: OrderedDict[tuple[str, str], str] = OrderedDict()
        self._turn = asyncio.Lock()

    async def digest(self, path: str) -> str:
        """Return "sha256:…" of a file's content.

        Raises:
            StepError: `step.file-unreadable`, or `step.file-changing` while it is read.
        """
        found = _look_at(path)
        key = path, mark_of(found)
        if key in self._kept:
            return self._kept[key]
        now = self._now()
        if found.st_size <= _AT_ONCE:
            return self._keep(path, now, *_read(path, lambda: False))
        async with self._turn:  # one large file at a time; another may have read it
            if key not in self._kept:
                return self._keep(path, now, *await _read_in_thread(path))
        return self._kept[key]

    def _keep(self, path: str, now: float, digest: str, found: os.stat_result) -> str:
        if is_settled(found, now):
            self._kept[path, mark_of(found)] = digest
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return digest


async def _read_in_thread(path: str) -> tuple[str, os.stat_result]:
    cancelled = threading.Event()
    try:
        return await asyncio.to_thread(_read, path, cancelled.is_set)
    finally:
        cancelled.set()


def _look_at(path: str) -> os.stat_result:
    try:
        return Path(path).stat()
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error


def _read(path: str, is_cancelled: Stopped) -> tuple[str, os.stat_result]:
    """Return a file's digest, and what the system knew of it before it was read."""
    hasher = sha256()
    try:
        with open_regular(path) as file:
            before = os.fstat(file.fileno())
            while not is_cancelled() and (chunk := file.read(_CHUNK)):
                hasher.update(chunk)
            after = os.fstat(file.fileno())
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    if mark_of(before) != mark_of(after):
        raise StepError(
            "step.file-changing",
            f"the file {path!r} changes while it is read",
            mend="wait until it is written, then run again",
            retryable=True,
        )
    return f"sha256:{hasher.hexdigest()}", before


def _unreadable(path: str, error: OSError | ValueError) -> StepError:
    why = getattr(error, "strerror", None) or error
    return StepError(
        "step.file-unreadable",
        f"the file {path!r} that the step is given cannot be read: {why}",
        mend="check that it is still there, and its rights",
    )
