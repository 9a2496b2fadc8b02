# SPDX-License-Identifier: Apache-2.0
"""LAO's only HTTP client: JSON to and from a model server on this machine.

It knows no host names, proxies, redirects, cookies or TLS. Whatever it reads is
bounded. A request that is cancelled closes its connection at once: that is what
stops the model behind it. State: one idle connection, kept for the next request.
"""

import asyncio
import json
import re
import socket
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final, Self

from lao.backends.http1 import Connection, HttpLimits, Method, TransportError
from lao.errors import RefusedByPolicy
from lao.policy import LoopbackEndpoint
from lao.workflow.json_text import read_json

Connect = Callable[[LoopbackEndpoint], Awaitable[socket.socket]]

_ENCODER: Final = json.JSONEncoder(allow_nan=False)
_TARGET = re.compile(r"[!-~]+")


class HttpStatusError(Exception):
    """A stream was answered with a status other than 200; `answer` is its body."""

    def __init__(self, status: int, answer: object) -> None:
        super().__init__(f"HTTP status {status}")
        self.status: Final = status
        self.answer: Final = answer


async def connect_directly(endpoint: LoopbackEndpoint) -> socket.socket:
    """Return a connection to a numeric loopback address or a unix socket."""
    address = endpoint.address
    if isinstance(address, str):
        family = socket.AF_UNIX
    else:
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    connecting = socket.socket(family, socket.SOCK_STREAM)
    try:
        connecting.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connecting, address)
    except BaseException:
        connecting.close()
        raise
    return connecting


class LoopbackClient:
    """Speaks HTTP to one endpoint. `connect` is its only way to a socket.

    It returns connected, non-blocking sockets, which are the client's then.

    Every method raises `TransportError` when the connection fails and
    `RefusedByPolicy` (`http.redirect-refused`) when the server sends it elsewhere.
    """

    def __init__(
        self,
        endpoint: LoopbackEndpoint,
        *,
        connect: Connect = connect_directly,
        limits: HttpLimits | None = None,
    ) -> None:
        self.endpoint: Final = endpoint
        self._connect = connect
        self._limits = limits or HttpLimits()
        self._head = _head_for(endpoint)
        self._idle: Connection | None = None

    async def request_json(
        self, method: Method, path: str, body: object = None, *, within: float | None
    ) -> tuple[int, object]:
        """Return status and body; `within` (seconds) bounds the whole exchange.

        The body of a failure (status 400 and up) is its text if it is not JSON.
        """
        try:
            async with asyncio.timeout(within):
                async with self._exchange(method, path, body) as connection:
                    content = await connection.read_all()
        except TimeoutError:
            raise TransportError("stalled", f"no answer within {within} s") from None
        return connection.status, _decode_body(connection.status, content)

    @asynccontextmanager
    async def stream_lines(
        self, method: Method, path: str, body: object
    ) -> AsyncIterator["JsonLines"]:
        """Open an answer of one JSON value a line; leaving the block closes it.

        Raises:
            HttpStatusError: the status is not 200.
        """
        async with self._exchange(method, path, body) as connection:
            if connection.status != 200:
                answer = _decode_body(connection.status, await connection.read_all())
                raise HttpStatusError(connection.status, answer)
            yield JsonLines(connection, self._limits)

    async def close(self) -> None:
        """Close the idle connection. Safe to call twice, and to go on after."""
        idle, self._idle = self._idle, None
        if idle is not None:
            idle.close()

    @asynccontextmanager
    async def _exchange(
        self, method: Method, path: str, body: object
    ) -> AsyncIterator[Connection]:
        """Send a request; yield the connection once the answer's head has arrived."""
        request = self._encode(method, path, body)
        connection = await self._take_idle_or_dial()
        try:
            try:
                await connection.ask(request)
            except TransportError as problem:
                # The server may close an idle connection just as we use it.
                if problem.fault != "cut" or not connection.was_stale:
                    raise
                connection.close()
                connection = await self._dial()
                await connection.ask(request)
            self._refuse_redirect(connection.status)
            yield connection
        finally:
            self._keep_or_close(connection)

    def _encode(self, method: Method, path: str, body: object) -> bytes:
        if not _TARGET.fullmatch(path):
            raise ValueError(f"{path!r} is no request target")
        content = "" if body is None else _ENCODER.encode(body)  # ASCII
        return f"{method} {path}{self._head}{len(content)}\r\n\r\n{content}".encode()

    def _refuse_redirect(self, status: int) -> None:
        if 300 <= status < 400:
            raise RefusedByPolicy(
                "http.redirect-refused",
                f"{self.endpoint} answered with a redirect (status {status})",
                mend="LAO follows none: give the endpoint of the model server itself",
            )

    async def _take_idle_or_dial(self) -> Connection:
        idle, self._idle = self._idle, None
        return idle if idle and idle.is_ready else await self._dial()

    async def _dial(self) -> Connection:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._limits.connect):
                connected = await self._connect(self.endpoint)
                _, connection = await loop.create_connection(
                    lambda: Connection(self._limits), sock=connected
                )
        except OSError as problem:  # TimeoutError is one of them
            what = problem.strerror or "no connection in time"
            raise TransportError("unreachable", what) from problem
        return connection

    def _keep_or_close(self, connection: Connection) -> None:
        if self._idle is None and connection.is_ready:
            self._idle = connection
        else:
            connection.close()


class JsonLines:
    """The JSON values of a streamed answer, one a line, as they arrive."""

    def __init__(self, connection: Connection, limits: HttpLimits) -> None:
        self._connection = connection
        self._limits = limits
        self._lines: deque[bytes] = deque()
        self._rest = bytearray()
        self._read = 0
        self._is_over = False

    def __aiter__(self) -> Self:
        """Return the iterator, which is this object."""
        return self

    async def __anext__(self) -> object:
        """Return the next value."""
        while True:
            while self._lines:
                if (line := self._lines.popleft()).strip():
                    return _decode(line)
            if self._is_over:
                raise StopAsyncIteration
            await self._read_on()

    async def _read_on(self) -> None:
        part = await self._connection.read()
        if part is None:
            self._is_over = True
            part = b"\n"  # the last line may lack its end
        self._read += len(part)
        first, *others = part.split(b"\n")
        self._rest += first  # in place: a long line arrives in many parts
        for other in others:
            self._lines.append(bytes(self._rest))
            self._rest = bytearray(other)
        if len(self._rest) > self._limits.line or self._read > self._limits.stream:
            raise TransportError("too-large", "an endless line or stream")


def _head_for(endpoint: LoopbackEndpoint) -> str:
    """Return what each request has between its path and the length of its body."""
    is_socket = isinstance(endpoint.address, str)
    host = "localhost" if is_socket else endpoint.url.removeprefix("http://")
    return (
        f" HTTP/1.1\r\nHost: {host}\r\nUser-Agent: lao\r\nAccept-Encoding: identity\r\n"
        "Content-Type: application/json\r\nContent-Length: "
    )


def _decode_body(status: int, content: bytes) -> object:
    """Return a body as JSON; a failure's body may be any text."""
    try:
        return _decode(content)
    except TransportError:
        if status < 400:
            raise
        return content[:1000].decode(errors="replace")


def _decode(content: bytes) -> object:
    """Return JSON, read strictly: nothing twice, too deep or too large."""
    try:
        return read_json(content.decode(), unique_names=True)
    except ValueError as problem:  # also what is not UTF-8
        start = content[:60].decode(errors="replace")
        raise TransportError("malformed", f"{start!r} is not JSON") from problem
