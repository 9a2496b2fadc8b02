# SPDX-License-Identifier: Apache-2.0
"""HTTP as uvicorn speaks it, with bounds: on connections, on slow heads, on slow readers."""

import asyncio
from typing import Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from lao.server.answers import error_answer, with_safety
from lao.server.guard import SIGNED_IN
from lao.server.listening import is_of_this_user
from lao.server.routes import Refusal

MOST_CONNECTIONS: Final = 64
_HEAD_SECONDS: Final = 5.0
_READ_SECONDS: Final = 30.0


class BoundedProtocol(H11Protocol):
    """One connection. Behind a unix socket only this user's own.

    State: since when it is open; the moments by which the next head must be whole, and
    what was sent be read.
    """

    head_seconds = _HEAD_SECONDS
    read_seconds = _READ_SECONDS
    since = 0.0
    _head_due: asyncio.TimerHandle | None = None
    _read_due: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as the base has it
        """Take a connection, unless there are too many, or it is somebody else's."""
        if not is_of_this_user(transport) or not self._has_room():
            self.transport = transport
            transport.abort()
            return
        super().connection_made(transport)
        self.since = self.loop.time()
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget what was awaited."""
        self._head_came()
        self._was_read()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on; the time for a head counts from its first byte, or the connection's."""
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._head_came()
        elif self._head_due is None and not self.transport.is_closing():
            self._await_head()

    def pause_writing(self) -> None:
        """Wait for a reader, but not for ever."""
        super().pause_writing()
        self._read_due = self.loop.call_later(self.read_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on: it has read."""
        self._was_read()
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP in our own words, and with the headers of safety."""
        answer = error_answer(Refusal("server.bad-request", msg, status=400))
        length = (b"content-length", str(len(answer.content)).encode())
        headers = [*with_safety(answer.headers), length, (b"connection", b"close")]
        for event in (
            h11.Response(status_code=answer.status, headers=headers),
            h11.Data(data=answer.content),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _has_room(self) -> bool:
        """Whether one more fits in; of those without a token, the oldest makes way.

        Other users of this machine can connect too: they must not keep its owner out.
        """
        if len(self.connections) < MOST_CONNECTIONS:
            return True
        others = [
            each
            for each in self.connections
            if isinstance(each, BoundedProtocol) and not each.is_signed_in
        ]
        if not others:
            return False
        oldest = min(others, key=lambda each: each.since)
        self.connections.discard(oldest)  # its end is told later
        oldest.transport.abort()
        return True

    @property
    def is_signed_in(self) -> bool:
        """Whether the latest request carried a right token."""
        scope: object = self.scope  # None before the first one
        return isinstance(scope, dict) and SIGNED_IN in scope["state"]

    def _await_head(self) -> None:
        self._head_due = self.loop.call_later(self.head_seconds, self.transport.abort)

    def _head_came(self) -> None:
        if self._head_due is not None:
            self._head_due.cancel()
            self._head_due = None

    def _was_read(self) -> None:
        if self._read_due is not None:
            self._read_due.cancel()
            self._read_due = None
