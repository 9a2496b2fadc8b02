# SPDX-License-Identifier: Apache-2.0
"""The store's roles, kept in memory: for runs that leave nothing on disk."""

from dataclasses import dataclass, field

from lao.events import Event
from lao.workflow.values import Value


@dataclass(slots=True)
class MemoryRunStore:
    """A `RunStore` that forgets when the process ends."""

    kept: dict[str, list[Event]] = field(default_factory=dict)

    async def append(self, event: Event) -> None:
        """Keep one fact."""
        self.kept.setdefault(event.run, []).append(event)

    async def events(self, run: str) -> tuple[Event, ...]:
        """Return the facts of one run."""
        return tuple(self.kept.get(run, ()))


@dataclass(slots=True)
class MemoryCache:
    """A `ResultCache` that forgets when the process ends."""

    kept: dict[str, Value] = field(default_factory=dict)

    async def get(self, key: str) -> Value | None:
        """Return the result with that key, or None."""
        return self.kept.get(key)

    async def put(self, key: str, value: Value) -> None:
        """Keep a result."""
        self.kept[key] = value
