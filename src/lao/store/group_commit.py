# SPDX-License-Identifier: Apache-2.0
"""Group commit: records that arrive together share one transaction.

A record waits until the event loop has run what is ready; then all that came by then
are committed at once, on the loop's own thread: handing single commits to another
thread costs more than the commits (measured: 269 µs against 41). Where the last one
came alone, as in a chain of steps, the next is committed without that wait, and so are
a few more that the same task brings in the same turn of the loop.

A commit that fails is tried again, since disks are emptied and other processes
finish; then whoever waits for it is told. Loops may come and go: what none of them
committed, the next one does.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from lao.errors import StoreError
from lao.store.pending import Pending

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Future

RETRIES = (0.1, 0.4, 1.0)
"""Seconds to wait before a failed commit is tried again."""

_IN_A_ROW = 4  # more would keep the records of others from joining
_UNHURRIED = 0.25  # seconds that a record may wait which nobody waits for


class GroupCommit:
    """Records on their way to the disk.

    `pending` is filled by whoever has something to keep, who then calls `later` or
    awaits `committed`. `write` commits it, or raises StoreError.
    """

    def __init__(self, write: Callable[[Pending], None]) -> None:
        self.pending = Pending()
        self._write = write
        self._waiting: list[Future[None]] = []
        self._then: list[Callable[[StoreError | None], None]] = []
        self._running_loop: Callable[[], AbstractEventLoop] | None = None
        self._task: Callable[[], object] = object
        self._due_in: AbstractEventLoop | None = None  # it will call `_due`
        self._late_in: AbstractEventLoop | None = None  # it will call `_late`
        self._came_alone = True
        self._alone: object = None  # the task that commits without waiting, this turn
        self._turns = 0  # how often it may still
        self._failures = 0

    def later(self) -> None:
        """See to it that what is pending is committed, with whatever comes next."""
        loop = self._loop()
        if self._late_in is not loop:
            self._late_in = loop
            loop.call_later(_UNHURRIED, self._late, loop)

    async def committed(self) -> None:
        """Return once all that is pending is durable.

        Raises:
            StoreError: it could not be kept.
        """
        loop = self._loop()
        if self._due_in is not loop:
            self._due_in = loop
            self._failures = 0
            if self._came_alone and self._is_committed(loop):
                self._alone, self._turns = self._task(), _IN_A_ROW
                loop.call_soon(self._due, loop)
                return
            if not self._failures:
                loop.call_soon(self._due, loop)
        elif (
            self._turns
            and not self._waiting
            and not self._failures
            and self._alone is self._task()
        ):
            self._turns -= 1
            if self._is_committed(loop):
                return
        done = loop.create_future()
        self._waiting.append(done)
        await done

    def afterwards(self, act: Callable[[StoreError | None], None]) -> None:
        """Call `act` when what is pending is durable, or failed for good: with why."""
        self._then.append(act)

    def now(self) -> None:
        """Commit what is pending at once.

        Raises:
            StoreError: it could not be kept, and is still pending.
        """
        self._write(self.pending)
        self._settle(None)

    def drop(self, error: StoreError) -> None:
        """Give up on what is pending; tell whoever waits for it."""
        self._settle(error)

    def _due(self, loop: "AbstractEventLoop") -> None:
        """Commit what came since the loop's last turn."""
        if self._due_in is not loop:
            return
        self._came_alone = len(self._waiting) <= 1
        self._alone, self._turns = None, 0
        if self._is_committed(loop):
            self._due_in = None

    def _late(self, loop: "AbstractEventLoop") -> None:
        if self._late_in is loop:
            self._late_in = None
            if self._due_in is not loop:
                self._due_in = loop
                self._failures = 0
                self._due(loop)

    def _is_committed(self, loop: "AbstractEventLoop") -> bool:
        """Commit, or see to the next attempt; after the last one, tell who waits."""
        try:
            self._write(self.pending)
        except StoreError as error:
            if self._failures < len(RETRIES):
                loop.call_later(RETRIES[self._failures], self._due, loop)
                self._failures += 1
                return False
            self._settle(error)
            return True
        self._settle(None)
        return True

    def _settle(self, error: StoreError | None) -> None:
        if self.pending.holds_more():
            self.pending = Pending()
        else:
            self.pending.events.clear()
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            for each in waiting:
                if each.done() or each.get_loop().is_closed():
                    continue
                if error is None:
                    each.set_result(None)
                else:
                    each.set_exception(error)
        if self._then:
            then, self._then = self._then, []
            for act in then:
                act(error)

    def _loop(self) -> "AbstractEventLoop":
        if self._running_loop is None:
            # Not at the top: `lao runs` needs no loop.
            from asyncio import current_task, get_running_loop  # noqa: PLC0415

            self._running_loop, self._task = get_running_loop, current_task
        return self._running_loop()
