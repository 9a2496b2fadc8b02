# SPDX-License-Identifier: Apache-2.0
"""Telling the facts of one run, in order, to the store and to whoever listens."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from lao.events import Event, Fact
from lao.roles import Clock, EventSink, RunStore


@dataclass(slots=True)
class _Fact:
    """A numbered fact that is still to be told; `is_due` once it is kept, or lost."""

    event: Event
    is_due: bool = False
    is_lost: bool = False


@dataclass(slots=True, kw_only=True)
class Journal:
    """Numbers facts, and tells them in order. What counts is stored first.

    `sequence` is the number of the last one: not 0 for a run that goes on. State:
    what waits to be told, because it or one before it is not stored yet.
    """

    run: str
    store: RunStore
    sinks: Sequence[EventSink]
    clock: Clock
    sequence: int = 0
    waiting: deque[_Fact] = field(default_factory=deque)

    async def record(self, fact: Fact) -> None:
        """Keep a fact, then tell it.

        Raises:
            StoreError: it could not be kept; it is not told.
        """
        entry = self._enter(fact)
        try:
            await self.store.append(entry.event)
        except BaseException:
            entry.is_lost = True
            raise
        finally:
            entry.is_due = True
            self._tell()

    def mention(self, fact: Fact) -> None:
        """Tell a fact that is not worth keeping: a piece of text, some progress."""
        self._enter(fact).is_due = True
        self._tell()

    def _enter(self, fact: Fact) -> _Fact:
        self.sequence += 1
        event = Event(self.run, self.sequence, self.clock.now(), fact)
        entry = _Fact(event)
        self.waiting.append(entry)
        return entry

    def _tell(self) -> None:
        while self.waiting and self.waiting[0].is_due:
            entry = self.waiting.popleft()
            if not entry.is_lost:
                for sink in self.sinks:
                    sink(entry.event)
