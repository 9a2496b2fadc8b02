# SPDX-License-Identifier: Apache-2.0
"""The worker's end of the pipe of requests: read by whichever thread has time.

A thread that wants a request reads until there is one, and answers it itself: no other
thread has to wake up for it. A request that somebody no longer wants is mostly heard of
by another thread, which waits for the next one; where none does, by the model that asks
its report whether it was cancelled.
"""

import os
import select
import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import cast

from msgspec.json import decode

from lao.workers.frames import PIECE, Frame, FrameSplitter, read_frame
from lao.workers.reporting import RequestReport

Send = Callable[[Frame], None]
Request = tuple[Frame, RequestReport]


class Incoming:
    """The requests that come; and the reports of those under way.

    State: what was read and nobody has taken, whether the parent said close.
    """

    def __init__(self, fd: int, send: Send) -> None:
        self._read = partial(os.read, fd)
        self._send = send
        self._splitter = FrameSplitter(decode)  # the parent is trusted
        self._reading = threading.Lock()
        self._waiting: deque[Request] = deque()
        self._reports: dict[int, RequestReport] = {}
        self._closed = False
        self._pipe = select.poll()
        self._pipe.register(fd, select.POLLIN)

    def first(self) -> Frame | None:
        """Return the frame that comes before the requests; None at the end."""
        return read_frame(self._read, self._splitter)

    def next(self) -> Request | None:
        """Wait for a request; None once there will be no more."""
        with self._reading:
            while not self._waiting and not self._closed:
                frame = read_frame(self._read, self._splitter)
                self._take(frame)
            return self._waiting.popleft() if self._waiting else None

    def forget(self, report: RequestReport) -> None:
        """Hear that a request is answered."""
        self._reports.pop(report.request, None)

    def look(self) -> None:
        """Take in what has come, without waiting, unless somebody reads already."""
        if not self._reading.acquire(blocking=False):
            return
        try:
            while not self._closed and self._pipe.poll(0):
                data = self._read(PIECE)
                if not data:
                    os._exit(0)  # nobody is there for the answer
                self._splitter.add(data)
                while (frame := self._splitter.next()) is not None:
                    self._take(frame)
        finally:
            self._reading.release()

    def _take(self, frame: Frame | None) -> None:
        if frame is None or frame.header["op"] == "close":
            self._closed = True
        elif frame.header["op"] == "cancel":
            report = self._reports.get(id_of(frame))
            if report is not None:
                report.cancel()
        else:
            report = RequestReport(id_of(frame), self._send, self.look)
            self._reports[report.request] = report
            self._waiting.append((frame, report))


def id_of(frame: Frame) -> int:
    """Return the number of a request."""
    return cast("int", frame.header["id"])  # our own parent gave it


def leave_with_the_parent(fd: int) -> None:
    """End this process when nobody can write to the pipe any more. Blocks.

    A model may never look whether it is wanted; this needs no look, and nothing wakes
    it before. The kernel's death signal is not everywhere.
    """
    pipe = select.poll()
    pipe.register(fd, 0)  # POLLHUP is always told
    pipe.poll()
    os._exit(0)
