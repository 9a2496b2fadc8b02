# SPDX-License-Identifier: Apache-2.0
"""The worker's `Report`: many small pieces of text become few frames."""

import threading
import time
from collections.abc import Callable

from lao.workers.frames import Frame

_PIECE_BYTES = 4096
_TEXT_SECONDS = 0.01
_PROGRESS_SECONDS = 0.05
_SLICE = 1 << 18  # characters; at most 1 MiB of UTF-8

Send = Callable[[Frame], None]


class RequestReport:
    """What one request tells on the way.

    A piece that follows another within 10 ms waits for the next one, for 4 KiB, or
    for `close`. Progress goes out at most 20 times a second; the last is never lost.
    After `close` a model that still talks is not heard.
    """

    def __init__(self, request: int, send: Send, look: Callable[[], None]) -> None:
        self.request = request
        self._send = send
        self._look = look
        self._cancelled = False
        self._lock = threading.Lock()
        self._closed = False
        self._pieces: list[str] = []
        self._waiting = 0
        self._text_at = self._progress_at = float("-inf")
        self._progress: Frame | None = None

    @property
    def cancelled(self) -> bool:
        """Whether the caller no longer wants the answer; `look` may just hear of it."""
        if not self._cancelled:
            self._look()
        return self._cancelled

    def cancel(self) -> None:
        """Tell the model that nobody wants the answer."""
        self._cancelled = True

    def text(self, piece: str) -> None:
        """Tell the next piece of the answer."""
        with self._lock:
            if self._closed:
                return
            self._pieces.append(str(piece))
            self._waiting += len(self._pieces[-1])
            now = time.monotonic()
            if self._waiting >= _PIECE_BYTES or now - self._text_at >= _TEXT_SECONDS:
                self._text_at = now
                self._send_text()

    def progress(self, done: float, total: float, unit: str) -> None:
        """Tell how far it is."""
        with self._lock:
            if self._closed:
                return
            self._progress = Frame(
                header={
                    "id": self.request,
                    "kind": "progress",
                    "done": float(done),
                    "total": float(total),
                    "unit": str(unit),
                }
            )
            now = time.monotonic()
            if now - self._progress_at >= _PROGRESS_SECONDS:
                self._progress_at = now
                self._send_progress()

    def close(self) -> None:
        """Send what waits; hear nothing more."""
        with self._lock:
            self._closed = True
            if self._pieces:
                self._send_text()
            self._send_progress()

    def _send_text(self) -> None:
        text = "".join(self._pieces)
        self._pieces.clear()
        self._waiting = 0
        for start in range(0, len(text), _SLICE):
            body = text[start : start + _SLICE].encode(errors="replace")
            self._send(Frame(header={"id": self.request, "kind": "text"}, body=body))

    def _send_progress(self) -> None:
        frame, self._progress = self._progress, None
        if frame is not None:
            self._send(frame)
