# SPDX-License-Identifier: Apache-2.0
"""The store's roles for runs that leave nothing on disk, bounded in memory."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from msgspec import Struct, field

from lao.events import Event
from lao.roles import KnownResult

_RESULTS = 1024


class NoRunStore:
    """A `RunStore` that keeps nothing: the facts go to whoever listens."""

    async def append(self, event: Event) -> None:
        """Let go of one fact."""

    async def events(self, run: str) -> tuple[Event, ...]:  # noqa: ARG002  (the role's)
        """Return nothing: no run is known."""
        return ()


class MemoryCache(Struct):
    """A `ResultCache` of the latest results, for as long as the process lives."""

    kept: OrderedDict[str, KnownResult] = field(default_factory=OrderedDict)
    claims: dict[str, asyncio.Lock] = field(default_factory=dict)

    async def get(self, key: str) -> KnownResult | None:
        """Return the result with that key, or None."""
        return self.kept.get(key)

    async def put(self, key: str, result: KnownResult) -> None:
        """Keep a result, and forget the oldest of too many."""
        self.kept[key] = result
        if len(self.kept) > _RESULTS:
            self.kept.popitem(last=False)

    @asynccontextmanager
    async def claim(self, key: str) -> AsyncIterator[None]:
        """Hold a key; others of this process wait."""
        lock = self.claims.setdefault(key, asyncio.Lock())
        async with lock:
            yield
        if not lock.locked():
            self.claims.pop(key, None)
