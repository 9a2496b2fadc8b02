# SPDX-License-Identifier: Apache-2.0
"""Hands over each frame of a worker's pipe the moment it is there; never in a frenzy.

A worker may write without end, or byte by byte: each read and each frame costs this
process more than the worker. So both have a price, and credit comes with time and with
every request: the answer to one is never late. Without credit nothing is read; the pipe
fills, and the worker waits.
"""

import asyncio
import os
from collections.abc import Callable
from io import FileIO
from time import monotonic
from typing import Final

from lao.workers.frames import BOUNDS, PIECE, Frame, FrameBounds, FrameSplitter

_MOST: Final = 256.0  # frames or short reads at once
_PER_SECOND: Final = 4000.0  # an honest worker: 120 for each request under way
_PER_REQUEST: Final = 4.0
_PAUSE: Final = 0.01  # seconds
_SHORT: Final = PIECE // 16

Take = Callable[[Frame], bool]


class FrameReader:
    """The reading end of a worker's pipe of frames.

    State: what was read and is no whole frame yet, the credit and since when it has
    not grown; and while somebody takes frames, who, and how that ends.
    """

    def __init__(self, pipe: FileIO) -> None:
        self._descriptor = pipe.fileno()
        self._splitter = FrameSplitter()
        self._credit = _MOST
        self._credited = monotonic()
        self._pause: asyncio.TimerHandle | None = None
        self._over: asyncio.Future[None]
        self._take: Take
        os.set_blocking(self._descriptor, False)

    def expect(self) -> None:
        """Hear that a request was sent: frames that were asked for are welcome."""
        self._credit = min(_MOST, self._credit + _PER_REQUEST)

    async def next(self) -> Frame | None:
        """Return the next frame; None where the pipe ends before it. See `each`."""
        found: list[Frame] = []

        def take(frame: Frame) -> bool:
            found.append(frame)
            return False

        await self.each(take)
        return found[0] if found else None

    async def each(self, take: Take, bounds: FrameBounds = BOUNDS) -> None:
        """Give every frame to `take`, until that returns False or the pipe ends.

        The event loop calls it as soon as a frame is there.

        Raises:
            FrameError: what came is no frame, or the pipe ends inside of one.
            Exception: whatever `take` raises.
        """
        self._splitter.bounds = bounds
        self._take = take
        self._over = asyncio.get_running_loop().create_future()
        try:
            self._go_on()
            await self._over
        finally:
            self._rest()

    def _go_on(self) -> None:
        self._pause = None
        asyncio.get_running_loop().add_reader(self._descriptor, self._act)
        self._act(reads=False)

    def _rest(self) -> None:
        asyncio.get_running_loop().remove_reader(self._descriptor)
        if self._pause is not None:
            self._pause.cancel()
            self._pause = None

    def _act(self, *, reads: bool = True) -> None:
        try:
            if reads:
                self._read()
            self._hand_over()
        except BlockingIOError:
            return  # woken for nothing
        except Exception as error:  # noqa: BLE001  (it is the caller's of `each`)
            self._rest()
            if not self._over.done():
                self._over.set_exception(error)

    def _read(self) -> None:
        data = os.read(self._descriptor, PIECE)
        if not data:
            self._splitter.end()
            self._finish()
        self._credit -= len(data) < _SHORT
        self._splitter.add(data)

    def _hand_over(self) -> None:
        """Give away the frames that are whole, as far as the credit goes."""
        while not self._over.done():
            if self._credit < 1 and not self._earned():
                self._rest()
                loop = asyncio.get_running_loop()
                self._pause = loop.call_later(_PAUSE, self._go_on)
                return
            frame = self._splitter.next()
            if frame is None:
                return
            self._credit -= 1
            if not self._take(frame):
                self._finish()

    def _finish(self) -> None:
        self._rest()
        if not self._over.done():
            self._over.set_result(None)

    def _earned(self) -> bool:
        """Whether the time since the credit last grew is worth some more."""
        now = monotonic()
        self._credit = min(_MOST, (now - self._credited) * _PER_SECOND)
        self._credited = now
        return self._credit >= 1
