# SPDX-License-Identifier: Apache-2.0
"""One HTTP/1.1 connection to a model server: bytes, bounds and faults, no meaning."""

import asyncio
from typing import Final, Literal, cast

from msgspec import Struct

from lao.backends.http_answer import Answer, MalformedAnswer

Method = Literal["GET", "POST"]
Fault = Literal["unreachable", "cut", "stalled", "malformed", "too-large"]

_READ: Final = 1 << 16  # bytes at once
_HELD: Final = 1 << 16  # bytes of body that wait for being read, before reading pauses


class HttpLimits(Struct, frozen=True, kw_only=True):
    """How much an answer may be (bytes) and how long it may keep silent (seconds).

    `silence` counts only once an answer has begun: before that a server may be
    loading a model, which takes minutes, and the step's own timeout is the bound.
    """

    head: int = 64 << 10
    json: int = 64 << 20
    line: int = 8 << 20
    stream: int = 512 << 20
    connect: float = 10.0
    silence: float = 300.0


class TransportError(Exception):
    """The connection, not the server's answer, went wrong. Callers translate it."""

    def __init__(self, fault: Fault, what: str) -> None:
        super().__init__(what)
        self.fault: Final = fault


class Connection(asyncio.BufferedProtocol):
    """A connection and the answer that is being read from it.

    A protocol and not a stream, because it must notice what comes unasked: that, and
    whatever else goes wrong, drops the connection at once. At most one task waits.
    """

    def __init__(self, limits: HttpLimits) -> None:
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._buffer = memoryview(bytearray(_READ))
        self._transport: asyncio.Transport
        self._answer: Answer | None = None
        self._fault: TransportError | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._waits_since = 0.0
        self._silence: asyncio.TimerHandle | None = None
        self._is_heard = False
        self._is_reused = False

    @property
    def status(self) -> int:
        """The status of the answer."""
        return self._answer.status if self._answer else 0

    @property
    def was_stale(self) -> bool:
        """Whether it had served before and now gave not one byte of an answer."""
        return self._is_reused and not self._is_heard

    @property
    def is_ready(self) -> bool:
        """Whether it can serve another request."""
        has_served = self._answer is not None and self._answer.can_be_followed
        return has_served and not self._transport.is_closing()

    async def ask(self, request: bytes) -> None:
        """Send a request and read the head of its answer into `status`."""
        self._is_reused = self._answer is not None
        self._is_heard = False
        self._answer = answer = Answer(self._limits.head)
        self._transport.write(request)
        while not answer.status:
            await self._wait()

    async def read(self) -> bytes | None:
        """Return the next part of the answer's body, or None at its end."""
        if (answer := self._answer) is None:
            return None
        while not answer.held:
            if answer.is_complete:
                return None
            await self._wait()
        part = answer.take()
        self._transport.resume_reading()
        return part

    async def read_all(self) -> bytes:
        """Return the whole body."""
        content = bytearray()
        while (part := await self.read()) is not None:
            content += part
            if len(content) > self._limits.json:
                what = f"an answer of over {self._limits.json} bytes"
                raise TransportError("too-large", what)
        return bytes(content)

    def close(self) -> None:
        """Drop the connection at once, with whatever is unsent or unread."""
        self._fail("cut", "the connection was closed")

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002  (asyncio's)
        """Return where to put what comes."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Read what has come."""
        answer = self._answer
        if answer is None or answer.is_complete:
            self._fail("malformed", "an answer that was not asked for")
            return
        self._is_heard = True
        try:
            answer.feed(self._buffer[:nbytes])
        except MalformedAnswer as problem:
            self._fail("malformed", str(problem))
        if answer.held > _HELD:
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        """Note that nothing more comes; the loop then closes the connection."""
        if self._answer is None or not self._answer.end_with_connection():
            self._fail("cut", "the server closed the connection")
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  (asyncio's)
        """End."""
        self._fail("cut", "the server dropped the connection")

    # Waiting, and how it ends.

    async def _wait(self) -> None:
        """Wait until something happens.

        Raises:
            TransportError: nothing more will.
        """
        if self._fault:
            raise self._fault
        self._waiter = self._loop.create_future()
        self._waits_since = self._loop.time()
        if self._is_heard and not self._silence:
            self._await_sound(self._limits.silence)
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _await_sound(self, seconds: float) -> None:
        # Set once and moved on when it goes off: a timer for each read would cost more
        # than the read.
        self._silence = self._loop.call_later(seconds, self._end_silence)

    def _end_silence(self) -> None:
        self._silence = None
        if not self._waiter or not self._is_heard:
            return
        silence = self._limits.silence
        left = self._waits_since + silence - self._loop.time()
        if left > 0:
            self._await_sound(left)
        else:
            self._fail("stalled", f"the server has sent nothing for {silence} s")

    def _fail(self, fault: Fault, what: str) -> None:
        self._fault = self._fault or TransportError(fault, what)
        self._transport.abort()
        if self._silence:
            self._silence.cancel()
            self._silence = None
        self._wake()

    def _wake(self) -> None:
        if self._waiter and not self._waiter.done():
            self._waiter.set_result(None)
