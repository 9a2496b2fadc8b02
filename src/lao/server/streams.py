# SPDX-License-Identifier: Apache-2.0
"""Event streams: bounded, resumed by sequence number, cut where nobody reads."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from typing import Final, Generic, Protocol, TypeVar

import msgspec

from lao.errors import LaoError
from lao.server.answers import error_reply

_KEEP_ALIVE: Final = 15.0  # seconds
_MOST_KEPT: Final = 1000


class Numbered(Protocol):
    """A message with its place in a stream."""

    @property
    def sequence(self) -> int:
        """Grows with every message."""


N = TypeVar("N", bound=Numbered)


class Feed(Generic[N]):
    """Hands each message to all who follow; keeps the latest for who comes back.

    Who reads too slowly is cut, and may come back. State: what is kept, who follows.
    """

    def __init__(self, most: int = _MOST_KEPT) -> None:
        self._kept: deque[N] = deque(maxlen=most)
        self._most = most
        self._followers: set[asyncio.Queue[N | None]] = set()
        self._has_ended = False

    @property
    def latest(self) -> int:
        """The number of the latest message, 0 before the first."""
        return self._kept[-1].sequence if self._kept else 0

    def misses(self, after: int) -> bool:
        """Whether messages after that number are no longer kept, or never were here."""
        first = self._kept[0].sequence if self._kept else 1
        return after > self.latest or after < first - 1

    def publish(self, message: N) -> None:
        """Hand a message to everybody."""
        self._kept.append(message)
        for queue in tuple(self._followers):
            if queue.qsize() >= self._most:
                self._followers.discard(queue)
                queue.put_nowait(None)  # after all that it has
            else:
                queue.put_nowait(message)

    def end(self) -> None:
        """Let every stream end once it has given what there is."""
        self._has_ended = True
        for queue in self._followers:
            queue.put_nowait(None)

    async def follow(self, after: int) -> AsyncGenerator[N, None]:
        """Yield what is kept of the messages after a number, then those that come.

        The order is theirs, and none comes twice.
        """
        with self._following() as queue:
            for message in tuple(self._kept):
                if message.sequence > after:
                    yield message
                    after = message.sequence
            while not (self._has_ended and queue.empty()):
                found = await queue.get()
                if found is None:
                    return
                if found.sequence > after:
                    yield found

    @contextmanager
    def _following(self) -> Iterator[asyncio.Queue[N | None]]:
        queue: asyncio.Queue[N | None] = asyncio.Queue()
        self._followers.add(queue)
        try:
            yield queue
        finally:
            self._followers.discard(queue)


async def as_event_stream(
    messages: AsyncIterator[Numbered], *, keep_alive: float = _KEEP_ALIVE
) -> AsyncGenerator[bytes, None]:
    """Yield messages as `text/event-stream`; a comment whenever nothing came for long.

    What goes wrong on the way is the last event, called "error".
    """
    yield b":\n\n"  # the page learns at once that it is heard
    coming = asyncio.ensure_future(_next(messages))
    try:
        while True:
            if not (await asyncio.wait({coming}, timeout=keep_alive))[0]:
                yield b":\n\n"
                continue
            message = coming.result()
            if message is None:
                return
            data = msgspec.json.encode(message)
            yield b"id: %d\ndata: %s\n\n" % (message.sequence, data)
            coming = asyncio.ensure_future(_next(messages))
    except LaoError as error:
        data = msgspec.json.encode(error_reply(error.problems))
        yield b"event: error\ndata: %s\n\n" % data
    finally:
        coming.cancel()
        with suppress(asyncio.CancelledError, LaoError):
            await coming
        if isinstance(messages, AsyncGenerator):
            await messages.aclose()


async def _next(messages: AsyncIterator[Numbered]) -> Numbered | None:
    return await anext(messages, None)
