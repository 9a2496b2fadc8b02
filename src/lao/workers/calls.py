# SPDX-License-Identifier: Apache-2.0
"""The requests under way at one worker: what comes for each, and how each ends.

State: those requests. What a worker tells goes to its listener at once, in the event
loop; the last frame of a request, or why there will be none, is its `answer`.
"""

import asyncio
from collections.abc import Iterator, Mapping

from lao.workers.answers import pass_on
from lao.workers.failures import Failure
from lao.workers.frames import Frame
from lao.workers.strict_json import FrameError
from lao.workflow.inference import Report

_FINAL = ("reply", "error")
_TOLD = ("text", "progress")


class FloodError(Exception):
    """One request got more of an answer than it may."""


class Call:
    """One request: who hears of it, the bytes that came, the copies of its files."""

    def __init__(self, number: int, report: Report | None) -> None:
        self.id = number
        self.report = report
        self.size = 0
        self.copies: Mapping[str, str] = {}
        self.answer: asyncio.Future[Frame | Failure]
        self.await_answer()

    def await_answer(self) -> None:
        """Begin to wait, or once more where waiting was given up."""
        self.answer = asyncio.get_running_loop().create_future()

    def settle(self, answer: Frame | Failure) -> None:
        """Say how the request ended, to whoever still waits."""
        if not self.answer.done():
            self.answer.set_result(answer)

    def tell(self, frame: Frame) -> None:
        """Pass on a piece or progress; what the listener raises is its caller's.

        Raises:
            FrameError: the frame cannot be that.
        """
        if self.report is None or self.answer.done():
            return
        try:
            pass_on(frame, self.report)
        except FrameError:
            raise
        except Exception as error:  # noqa: BLE001  (raised again where it is awaited)
            self.answer.set_exception(error)


class Calls:
    """The requests under way; each may get `limit` bytes of an answer."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._calls: dict[int, Call] = {}

    def __contains__(self, call: Call) -> bool:
        """Whether a request is under way."""
        return call.id in self._calls

    def __len__(self) -> int:
        """How many are under way."""
        return len(self._calls)

    def __iter__(self) -> Iterator[Call]:
        """Give each that is under way."""
        return iter(tuple(self._calls.values()))

    def add(self, call: Call) -> None:
        """Take up a request."""
        self._calls[call.id] = call

    def clear(self) -> None:
        """Forget all of them."""
        self._calls.clear()

    def of(self, frame: Frame) -> Call:
        """Return the request that a frame belongs to; FrameError if there is none."""
        request = frame.header.get("id")
        if isinstance(request, bool) or not isinstance(request, int):
            raise FrameError("a frame without an id")
        call = self._calls.get(request)
        if call is None:
            raise FrameError(f"a frame for request {request}, which is not under way")
        return call

    def deliver(self, frame: Frame, call: Call) -> None:
        """Hand a frame to its request.

        Raises:
            FrameError: it is of no kind that there is, or not what its kind must be.
            FloodError: it is more than the request may get.
        """
        kind = frame.header.get("kind")
        call.size += frame.size
        if kind not in _FINAL and kind not in _TOLD:
            raise FrameError("a frame of an unknown kind")
        if call.size > self._limit:
            raise FloodError
        if kind in _TOLD:
            call.tell(frame)
            return
        del self._calls[call.id]
        call.settle(frame)
