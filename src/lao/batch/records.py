# SPDX-License-Identifier: Apache-2.0
"""Bytes cut into records at a separator, read as they come, each of bounded length."""

import asyncio
import os
import stat
from collections.abc import AsyncIterator, Iterator

NUL = b"\0"
NEWLINE = b"\n"
_BLOCK = 1 << 16


class Splitter:
    """Cuts a stream into records. One that is too long comes out as None.

    State: the beginning of the record that is not whole yet.
    """

    def __init__(self, separator: bytes, limit: int) -> None:
        self._separator = separator
        self._limit = limit
        self._begun = bytearray()
        self._is_too_long = False

    def feed(self, block: bytes) -> Iterator[bytes | None]:
        """Yield the records that end in the next block."""
        start = 0
        while (end := block.find(self._separator, start)) >= 0:
            self._keep(block[start:end])
            yield self._taken()
            start = end + len(self._separator)
        self._keep(block[start:])

    def rest(self) -> Iterator[bytes | None]:
        """Yield the last record, if the stream does not end with a separator."""
        if self._begun or self._is_too_long:
            yield self._taken()

    def _keep(self, piece: bytes) -> None:
        if len(self._begun) + len(piece) > self._limit:
            self._is_too_long = True
            self._begun.clear()
        if not self._is_too_long:
            self._begun += piece

    def _taken(self) -> bytes | None:
        record = None if self._is_too_long else bytes(self._begun)
        self._begun.clear()
        self._is_too_long = False
        return record


async def read_records(
    descriptor: int, separator: bytes, limit: int
) -> AsyncIterator[bytes | None]:
    """Yield the records of an open file or pipe; waits without holding others up.

    The separator is one byte: longer ones could be cut by the end of a block.
    """
    splitter = Splitter(separator, limit)
    waits = not is_regular(descriptor)
    while block := await _next_block(descriptor, waits=waits):
        for record in splitter.feed(block):
            yield record
    for record in splitter.rest():
        yield record


def count_records(descriptor: int, separator: bytes, limit: int) -> int:
    """Return how many records of a regular file hold anything; rewinds it."""
    splitter = Splitter(separator, limit)
    begin = os.lseek(descriptor, 0, os.SEEK_CUR)
    count = 0
    while block := os.read(descriptor, _BLOCK):
        count += sum(not is_blank(record, separator) for record in splitter.feed(block))
    count += sum(not is_blank(record, separator) for record in splitter.rest())
    os.lseek(descriptor, begin, os.SEEK_SET)
    return count


def is_blank(record: bytes | None, separator: bytes) -> bool:
    """Whether a record says nothing; between NULs a space is a name like any other."""
    if record is None:
        return False
    return not (record if separator == NUL else record.strip())


def is_regular(descriptor: int) -> bool:
    """Whether a descriptor is of a regular file, which can be read twice."""
    return stat.S_ISREG(os.fstat(descriptor).st_mode)


async def _next_block(descriptor: int, *, waits: bool) -> bytes:
    if waits:
        await _until_readable(descriptor)
    return os.read(descriptor, _BLOCK)


async def _until_readable(descriptor: int) -> None:
    """Wait for a pipe, in the loop: a thread that reads could not be cancelled."""
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    try:
        loop.add_reader(descriptor, ready.set)
    except PermissionError:  # what cannot be waited for (/dev/null) never keeps waiting
        return
    try:
        await ready.wait()
    finally:
        loop.remove_reader(descriptor)
