# SPDX-License-Identifier: Apache-2.0
"""Reads what a worker prints only as fast as somebody wants it, and never in a frenzy.

A worker may write without end, or byte by byte: each read costs this process more than
the write costs the worker. So there is a pause after some short pieces, and meanwhile the
pipe fills and the worker waits.
"""

import asyncio
import os
from io import FileIO
from typing import Final

PIECE: Final = 1 << 16  # what a pipe holds
_AT_ONCE: Final = 16  # pieces without a pause
_PAUSE: Final = 0.003  # seconds: nobody sees it, and there are a few hundred a second


class PipeReader:
    """The reading end of a pipe.

    After some pieces of less than `hasty` bytes it waits a moment before the next.
    State: how many there were.
    """

    def __init__(self, pipe: FileIO, *, hasty: int) -> None:
        self._descriptor = pipe.fileno()
        self._hasty = hasty
        self._short = 0
        os.set_blocking(self._descriptor, False)

    async def read(self) -> bytes:
        """Return the next piece; nothing at the end."""
        if self._short >= _AT_ONCE:
            self._short = 0
            await asyncio.sleep(_PAUSE)
        while True:
            try:
                data = os.read(self._descriptor, PIECE)
            except BlockingIOError:
                await self._until_readable()
                continue
            self._short += len(data) < self._hasty
            return data

    async def _until_readable(self) -> None:
        loop = asyncio.get_running_loop()
        ready: asyncio.Future[None] = loop.create_future()
        loop.add_reader(self._descriptor, _end_once, ready)
        try:
            await ready
        finally:
            loop.remove_reader(self._descriptor)


def _end_once(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)
