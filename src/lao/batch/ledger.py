# SPDX-License-Identifier: Apache-2.0
"""The store's side of a batch: a run for the batch itself, and one for each item."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from lao.batch.continuation import batch_flags
from lao.batch.job import Batch, BatchStatus
from lao.batch.material import Material
from lao.batch.sources import Item
from lao.errors import Problem, StoreError
from lao.events import Event, Fact, RunFinished, RunStarted, StepFailed, fold
from lao.planning.plan import Plan
from lao.roles import Clock
from lao.runtime import new_run_id
from lao.store.opening import Store
from lao.store.runs import NewRun, RunRecord
from lao.workflow.values import Value


class Ledger(Struct, kw_only=True):
    """One batch in the store, held until it is finished.

    State: `last`, the last place that an item has, once a batch goes on. A new item's
    place is that in the source, or in a batch that goes on the next one.
    """

    store: Store
    clock: Clock
    record: RunRecord
    last: int | None = None

    def known(self, item: Item) -> RunRecord | None:
        """Return the run of an item, if an earlier part of the batch entered it."""
        if self.last is None:
            return None
        return self.store.runs.item(self.record.row, item.key)

    def is_promised(self, output: str) -> bool:
        """Whether an item of this batch has that output file."""
        return self.store.runs.is_output_taken(self.record.row, output)

    def has_made(self, item: Item, folder: Path | None) -> bool:
        """Whether an item is a file that an earlier part of this batch wrote."""
        if self.last is None or folder is None:
            return False
        return any(
            isinstance(path, Path)
            and self.is_promised(path.name)
            and path.parent.resolve() == folder.resolve()
            for path in item.given.values()
        )

    def enter(
        self,
        item: Item,
        material: Material,
        *,
        output: str,
        position: int | None = None,
    ) -> RunRecord:
        """Enter an item's run; with a `position`, in the place of a removed one."""
        return self.store.runs.begin(
            NewRun(
                id=new_run_id(),
                kind="item",
                workflow=self.record.workflow,
                source=item.label,
                started=self.clock.now(),
                inputs=material.own,
                files=material.files,
                batch=self.record.row,
                position=position or self._next(item),
                key=item.key,
                output=output,
            )
        )

    def _next(self, item: Item) -> int:
        if self.last is None:
            return item.position
        self.last += 1
        return self.last

    def remove(self, record: RunRecord) -> None:
        """Forget an item's run, since its input is another one now."""
        self.store.runs.remove([record])

    async def fail(self, record: RunRecord, plan: Plan, problem: Problem) -> None:
        """Record that an item's input cannot be used: no step of it ran."""
        facts: tuple[Fact, ...] = (
            RunStarted(workflow=plan.name, steps=tuple(plan.steps)),
            StepFailed(
                step="inputs",
                code=problem.code,
                what=problem.what,
                mend=problem.mend,
                exit_code=2,
            ),
            RunFinished(status="failed"),
        )
        for sequence, fact in enumerate(facts, start=1):
            event = Event(record.id, sequence, self.clock.now(), fact)
            await self.store.runs.append(event)

    def outputs(self, record: RunRecord) -> Mapping[str, Value]:
        """Return what a run that is done has made."""
        return fold(self.store.runs.each_event(record)).outputs

    def files(self, record: RunRecord) -> Mapping[str, str]:
        """Return the files that an item was given, and their digests then."""
        return self.store.runs.files(record)

    def inputs(self, record: RunRecord) -> Mapping[str, Value]:
        """Return what an item was given."""
        return self.store.runs.inputs(record)

    def take_over(self, record: RunRecord) -> Iterator[Event]:
        """Go on with an item's run; return the events of its earlier part."""
        self.store.runs.take_over(record)
        return self.store.runs.each_event(record)

    def rename(self, record: RunRecord, output: str) -> None:
        """Promise an item another file, before it is written."""
        self.store.runs.set_output(record, output)

    def release(self, run: str) -> None:
        """Let go of an item's run."""
        self.store.runs.release(run)

    def finish(self, status: BatchStatus, *, is_empty: bool) -> None:
        """Record how the batch ended, and let go of it; forget a new one without items.

        A store that fails now has said so before; the batch counts as interrupted.
        """
        runs = self.store.runs
        with suppress(StoreError):
            runs.finish(self.record, status, self.clock.now())
            runs.release(self.record.id)
            if is_empty and self.last is None:
                runs.remove([self.record])
        runs.release(self.record.id)


def begin_batch(
    store: Store, batch: Batch, clock: Clock, *, run: str, files: Mapping[str, str]
) -> Ledger:
    """Enter a new batch. `files` are the digests of the files that all items share."""
    prepared = batch.prepared
    order = prepared.order
    record = store.runs.begin(
        NewRun(
            id=run,
            kind="batch",
            workflow=prepared.plan.name,
            source=prepared.source,
            started=clock.now(),
            order=replace(order, flags={**order.flags, **batch_flags(batch)}),
            inputs=prepared.inputs,
            files=files,
        )
    )
    return Ledger(store=store, clock=clock, record=record)


def continue_batch(store: Store, record: RunRecord, clock: Clock) -> Ledger:
    """Go on with a batch.

    Raises:
        UsageError: it is being carried out (`run.still-running`).
    """
    store.runs.take_over(record)
    last = max((item.position for item in store.runs.items(record.row)), default=0)
    return Ledger(store=store, clock=clock, record=record, last=last)
