# SPDX-License-Identifier: Apache-2.0
"""Telling the facts of one run, in order, to the store and to whoever listens."""

from collections.abc import Sequence
from dataclasses import dataclass

from lao.events import Event, Fact
from lao.roles import Clock, EventSink, RunStore


@dataclass(slots=True, kw_only=True)
class Journal:
    """Numbers facts. Facts that count are stored before anybody is told."""

    run: str
    store: RunStore
    sinks: Sequence[EventSink]
    clock: Clock
    sequence: int = 0

    async def record(self, fact: Fact) -> None:
        """Keep a fact, then tell it."""
        event = self._event(fact)
        await self.store.append(event)
        self._tell(event)

    def mention(self, fact: Fact) -> None:
        """Tell a fact that is not worth keeping: a piece of text, some progress."""
        self._tell(self._event(fact))

    def _event(self, fact: Fact) -> Event:
        self.sequence += 1
        return Event(self.run, self.sequence, self.clock.now(), fact)

    def _tell(self, event: Event) -> None:
        for sink in self.sinks:
            sink(event)
