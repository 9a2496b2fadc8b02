# SPDX-License-Identifier: Apache-2.0
"""Single flight: one holder of a result's key at a time, among all processes.

In this process a lock of asyncio tells who is next; the byte of the lock file, held
for as long as anybody here wants the key, keeps other processes out. They look again
and again, ever more slowly: the kernel has no way to await a lock that also a signal
or another task could end.
"""

import asyncio
from types import TracebackType

from msgspec import Struct, field

from lao.store.group_commit import GroupCommit
from lao.store.locks import Locks, byte_of

_WAITS = (0.005, 0.25)  # seconds between two looks: the first, the longest


class _Queue(Struct):
    """Who wants a key: one holder, the rest in line."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    users: int = 0


class Claims:
    """The keys that tasks of this process hold or wait for."""

    def __init__(self, locks: Locks, group: GroupCommit) -> None:
        self._locks = locks
        self._group = group
        self._queues: dict[str, _Queue] = {}

    def claim(self, key: str) -> "Claim":
        """Return what holds the key for the length of an `async with` block."""
        return Claim(self, key)

    async def acquire(self, key: str, byte: int) -> None:
        """Wait until nobody else holds the key."""
        queue = self._queues.get(key)
        if queue is None:
            queue = self._queues[key] = _Queue()
        queue.users += 1
        try:
            await queue.lock.acquire()
            try:
                await self._keep_others_out(byte)
            except BaseException:
                queue.lock.release()
                raise
        except BaseException:
            self._leave(key, byte, queue)
            raise

    def release(self, key: str, byte: int) -> None:
        """Let the next one have the key."""
        queue = self._queues[key]
        queue.lock.release()
        self._leave(key, byte, queue)

    async def _keep_others_out(self, byte: int) -> None:
        wait, longest = _WAITS
        while not self._locks.acquire(byte):
            await asyncio.sleep(wait)
            wait = min(2 * wait, longest)

    def _leave(self, key: str, byte: int, queue: _Queue) -> None:
        queue.users -= 1
        if queue.users:
            return
        del self._queues[key]
        if key in self._group.pending.results:
            # Another process is to find what was put there.
            self._group.afterwards(lambda _: self._let_others_in(key, byte))
        else:
            self._locks.release(byte)

    def _let_others_in(self, key: str, byte: int) -> None:
        if key not in self._queues:
            self._locks.release(byte)


class Claim:
    """Holds a key for the length of an `async with` block."""

    __slots__ = ("_byte", "_claims", "_key")

    def __init__(self, claims: Claims, key: str) -> None:
        self._claims = claims
        self._key = key
        self._byte = byte_of(key)

    async def __aenter__(self) -> None:
        """Wait for the key."""
        await self._claims.acquire(self._key, self._byte)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let go of the key."""
        self._claims.release(self._key, self._byte)
