# SPDX-License-Identifier: Apache-2.0
"""One HTTP/1.1 connection to a model server: bytes, bounds and faults, no meaning."""

import asyncio
import contextlib
from asyncio import StreamReader, StreamWriter
from typing import Final, Literal

import h11
from msgspec import Struct

Method = Literal["GET", "POST"]
Fault = Literal["unreachable", "cut", "stalled", "malformed", "too-large"]

_CHUNK: Final = 1 << 16


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


class Connection:
    """A connection and the answer that is being read from it."""

    def __init__(
        self, reader: StreamReader, writer: StreamWriter, limits: HttpLimits
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._limits = limits
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=limits.head)
        self._is_reused = False
        self._is_heard = False
        self._is_ended = False
        self.status = 0

    @property
    def was_stale(self) -> bool:
        """Whether it had served before and now gave not one byte of an answer."""
        return self._is_reused and not self._is_heard

    async def ask(self, request: h11.Request, content: bytes) -> None:
        """Send a request and read the head of its answer into `status`."""
        self._is_heard = False
        for event in (request, h11.Data(data=content), h11.EndOfMessage()):
            self._writer.write(self._http.send(event) or b"")
        # A server may answer and close before it has read everything.
        with contextlib.suppress(ConnectionError):
            await self._writer.drain()
        head = await self._next_event()
        if not isinstance(head, h11.Response):
            raise TransportError("malformed", "an answer that was not asked for")
        self.status = head.status_code

    async def read(self) -> bytes | None:
        """Return the next part of the answer's body, or None at its end."""
        event = await self._next_event()
        if isinstance(event, h11.Data):
            return bytes(event.data)
        if isinstance(event, h11.EndOfMessage):
            return None
        raise TransportError("malformed", "an answer within an answer")

    async def read_all(self) -> bytes:
        """Return the whole body."""
        content = bytearray()
        while (part := await self.read()) is not None:
            content += part
            if len(content) > self._limits.json:
                what = f"an answer of over {self._limits.json} bytes"
                raise TransportError("too-large", what)
        return bytes(content)

    def make_ready(self) -> bool:
        """Prepare for another request; False if the connection cannot serve one."""
        done = self._http.our_state is h11.DONE and self._http.their_state is h11.DONE
        if not done or self._http.trailing_data[0] or self._reader.at_eof():
            return False
        self._http.start_next_cycle()
        self._is_reused = True
        return True

    def close(self) -> None:
        """Drop the connection at once, with whatever is unsent or unread."""
        self._writer.transport.abort()

    async def _next_event(self) -> h11.Event:
        while True:
            try:
                event = self._http.next_event()
            except h11.RemoteProtocolError as problem:
                if self._is_ended:
                    what = "the server closed the connection"
                    raise TransportError("cut", what) from problem
                raise TransportError("malformed", str(problem)) from problem
            if isinstance(event, h11.Event):
                return event
            self._http.receive_data(await self._receive())

    async def _receive(self) -> bytes:
        silence = self._limits.silence if self._is_heard else None
        try:
            async with asyncio.timeout(silence):
                data = await self._reader.read(_CHUNK)
        except TimeoutError:
            what = f"the server has sent nothing for {silence} s"
            raise TransportError("stalled", what) from None
        except OSError as problem:
            what = "the server dropped the connection"
            raise TransportError("cut", what) from problem
        self._is_heard = self._is_heard or bool(data)
        self._is_ended = not data
        return data
