# SPDX-License-Identifier: Apache-2.0
"""Telling the facts of one run, in order, to the store and to whoever listens."""

from collections import deque
from collections.abc import Sequence

from msgspec import Struct, field

from lao.events import Event, Fact
from lao.roles import Clock, EventSink, RunStore


class Journal(Struct, kw_only=True):
    """Numbers facts, and tells them in order. What counts is stored first.

    `sequence` is the number of the last one: not 0 for a run that goes on. State:
    what waits to be told, because it or one before it is not stored yet, and the
    numbers of those that only wait for others.
    """

    run: str
    store: RunStore
    sinks: Sequence[EventSink]
    clock: Clock
    sequence: int = 0
    waiting: deque[Event] = field(default_factory=deque)
    due: set[int] = field(default_factory=set)

    async def record(self, fact: Fact) -> None:
        """Keep a fact, then tell it.

        Raises:
            StoreError: it could not be kept; it is not told.
        """
        event = self._enter(fact)
        try:
            await self.store.append(event)
        except BaseException:
            self.waiting.remove(event)
            self._tell_due()
            raise
        self._tell(event)

    def mention(self, fact: Fact) -> None:
        """Tell a fact that is not worth keeping: a piece of text, some progress."""
        self._tell(self._enter(fact))

    def _enter(self, fact: Fact) -> Event:
        self.sequence += 1
        event = Event(self.run, self.sequence, self.clock.now(), fact)
        self.waiting.append(event)
        return event

    def _tell(self, event: Event) -> None:
        if self.waiting[0] is not event:  # one before it is not stored yet
            self.due.add(event.sequence)
            return
        self.waiting.popleft()
        for sink in self.sinks:
            sink(event)
        if self.due:
            self._tell_due()

    def _tell_due(self) -> None:
        while self.waiting and self.waiting[0].sequence in self.due:
            event = self.waiting.popleft()
            self.due.remove(event.sequence)
            for sink in self.sinks:
                sink(event)
