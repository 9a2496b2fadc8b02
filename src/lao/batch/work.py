# SPDX-License-Identifier: Apache-2.0
"""A batch at work: items in, reports out, in the same order and through a window.

One task takes items from the source, each item runs in a task of its own, and one
tells the reports in the order of the input. `slots` bounds how many items run, `room`
how many are held: a slow first item lets the others run ahead only that far.
"""

import asyncio
from dataclasses import dataclass, field

from lao.batch.items import ItemRunner, Turn
from lao.batch.job import BatchResult, BatchStatus, ItemReport, Tally, Watcher
from lao.batch.sources import Item, Source, no_paths

_HELD_PER_JOB = 4


@dataclass(slots=True, kw_only=True)
class BatchRunner:
    """Carries out one batch once.

    `only_failed` leaves out the items that an earlier part did, or did not begin.
    """

    source: Source
    items: ItemRunner
    watcher: Watcher
    only_failed: bool = False
    tally: Tally = field(init=False, default_factory=Tally)
    _turns: asyncio.Queue[asyncio.Task[ItemReport] | None] = field(
        init=False, default_factory=asyncio.Queue
    )
    _slots: asyncio.Semaphore = field(init=False)
    _room: asyncio.Semaphore = field(init=False)
    _taking: asyncio.Task[None] | None = field(init=False, default=None)
    _has_left_out: bool = field(init=False, default=False)
    _is_empty: bool = field(init=False, default=True)

    def __post_init__(self) -> None:
        """Make room for as many items as the batch may hold."""
        jobs = self.items.batch.jobs
        self._slots = asyncio.Semaphore(jobs)
        self._room = asyncio.Semaphore(_HELD_PER_JOB * jobs)

    async def run(self) -> BatchResult:
        """Carry out every item; failed ones are reports, not errors.

        Raises:
            UsageError: there was no item.
            StoreError: the store failed; what it acknowledged is kept.
            OSError: an item's file, or a report, could not be written.
            asyncio.CancelledError: the batch was cancelled.
        """
        ledger, clock = self.items.ledger, self.items.session.clock
        begun = clock.monotonic()
        run = "" if ledger is None else ledger.record.name
        self.watcher.began(run, self.source.total)
        status: BatchStatus = "cancelled"
        try:
            await self._carry_out_all()
            if self._is_empty:
                raise no_paths()
            if not self._has_left_out:
                status = "failed" if self.tally.failed else "done"
        finally:
            if ledger is not None:
                ledger.finish(status, is_empty=self._is_empty)
        seconds = clock.monotonic() - begun
        return BatchResult(run=run, status=status, tally=self.tally, seconds=seconds)

    async def _carry_out_all(self) -> None:
        failure: Exception | None = None
        try:
            async with asyncio.TaskGroup() as group:
                self._taking = group.create_task(self._take(group))
                group.create_task(self._tell())
        except* Exception as failures:  # noqa: BLE001  (unwrapped, not swallowed)
            failure = _first(failures)
        if failure is not None:
            raise failure

    async def _take(self, group: asyncio.TaskGroup) -> None:
        """Start items while there is room."""
        try:
            async for item in self.source.items():
                self._is_empty = False
                turn = self._turn(item)
                if turn is None:
                    continue
                await self._room.acquire()
                await self._slots.acquire()
                self._turns.put_nowait(group.create_task(self._carry_out(turn)))
        finally:
            self._turns.put_nowait(None)

    def _turn(self, item: Item) -> Turn | None:
        """Look an item up, and promise it a file; None if it is left out."""
        ledger = self.items.ledger
        before = None if ledger is None else ledger.known(item)
        if before is not None:
            if self.only_failed and before.status == "done":
                return None
            return Turn(item=item, before=before, output=before.output)
        if ledger is not None and ledger.has_made(item, self.items.batch.folder):
            return None
        if self.only_failed:
            self._has_left_out = True
            return None
        return Turn(item=item, output=self.items.files.reserve(item.stem))

    async def _carry_out(self, turn: Turn) -> ItemReport:
        try:
            self.watcher.started(turn.item.position, turn.item.label)
            report = await self.items.carry_out(turn)
        finally:
            self.items.files.release(turn.output)
            self._slots.release()
        self.watcher.ended(report)
        if report.status == "failed" and self.items.batch.stop_on_failure:
            self._stop()
        return report

    def _stop(self) -> None:
        """Take no more items; those that run go on to their end."""
        self._has_left_out = True
        if self._taking is not None:
            self._taking.cancel()

    async def _tell(self) -> None:
        """Tell reports in the order in which their items came."""
        while (turn := await self._turns.get()) is not None:
            report = await turn
            self.tally.count(report)
            self.watcher.told(report)
            self._room.release()


def _first(failures: ExceptionGroup[Exception]) -> Exception:
    """Return one of the errors of a group: the others followed from it."""
    first = failures.exceptions[0]
    return _first(first) if isinstance(first, ExceptionGroup) else first
