# SPDX-License-Identifier: Apache-2.0
"""One item of a batch: from its input to its report, as a run of its own."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from lao.batch.job import Batch, ItemReport
from lao.batch.ledger import Ledger
from lao.batch.material import Material, is_unchanged, read_material
from lao.batch.output_files import OutputFiles
from lao.batch.sources import Item
from lao.engine.runner import RunResult
from lao.errors import Problem
from lao.events import Event
from lao.roles import EventSink
from lao.runtime import RunOptions, Session, new_run_id
from lao.store.runs import RunRecord
from lao.workflow.values import Value


class Turn(Struct, frozen=True, kw_only=True):
    """An item whose turn has come, with its run of an earlier part and its file."""

    item: Item
    before: RunRecord | None = None
    output: str = ""


class ItemRunner(Struct, frozen=True, kw_only=True):
    """Carries out the items of one batch, any number at once."""

    batch: Batch
    session: Session
    ledger: Ledger | None
    files: OutputFiles
    sinks: Sequence[EventSink] = ()

    async def carry_out(self, turn: Turn) -> ItemReport:
        """Return how the item ended; a failure is a report, not an error.

        Raises:
            StoreError: it cannot be recorded, so the batch must stop.
            OSError: its file cannot be written, so the batch must stop.
        """
        before, is_same = turn.before, True
        if self.ledger is not None and before is not None:
            files = self.ledger.files(before)
            is_same = await is_unchanged(files, before.started, self.session)
            if is_same and before.status == "done":
                return self._known(turn, before, self.ledger)
        material = await read_material(turn.item, self.batch, self.session)
        if material.problem is not None:
            is_same = False
        report = await self._run(self._entered(turn, material, is_same), material)
        if before is not None and before.status == "done":
            note = "its input changed since it was done, so it ran again"
            report = replace(report, note=note)
        return report

    def _known(self, turn: Turn, run: RunRecord, ledger: Ledger) -> ItemReport:
        """Report an item that is done; write its file if a kill came before that."""
        job = _Job(turn=turn, run=run.id, record=run, output=turn.output)
        path = self.files.path(turn.output)
        outputs = None
        if not self.files.is_there(turn.output):
            outputs = self.files.wanted(ledger.outputs(run))
            path = self._written(job, outputs)
        return ItemReport(
            position=turn.item.position,
            label=turn.item.label,
            status="done",
            run=run.name,
            path=path,
            outputs=outputs,
            was_known=True,
        )

    def _entered(self, turn: Turn, material: Material, is_same: bool) -> "_Job":
        """Enter the item's run, or go on with that of an earlier part."""
        ledger, before, output = self.ledger, turn.before, turn.output
        if ledger is None:
            return _Job(turn=turn, run=new_run_id(), output=output)
        if before is not None and is_same and ledger.inputs(before) == material.own:
            past = ledger.take_over(before)
            return _Job(
                turn=turn, run=before.id, record=before, output=output, past=past
            )
        position = None
        if before is not None:
            position = before.position
            if self.files.is_there(output):
                output = self.files.reserve(turn.item.stem)
            ledger.remove(before)
        record = ledger.enter(turn.item, material, output=output, position=position)
        return _Job(turn=turn, run=record.id, record=record, output=output)

    async def _run(self, job: "_Job", material: Material) -> ItemReport:
        begun = self.session.clock.monotonic()
        path, outputs = None, None
        try:
            if material.problem is not None:
                problem: Problem | None = material.problem.problem
                await self._record_problem(job, material.problem.problem)
            else:
                result, problem = await self._result(job, material.inputs)
                if result is not None and result.status == "done":
                    outputs = self.files.wanted(result.outputs)
                    path = self._written(job, outputs)
        finally:
            if self.ledger is not None:
                self.ledger.release(job.run)
        return ItemReport(
            position=job.turn.item.position,
            label=job.turn.item.label,
            status="done" if problem is None else "failed",
            run="" if job.record is None else job.record.name,
            path=path,
            outputs=outputs,
            seconds=self.session.clock.monotonic() - begun,
            problem=problem,
        )

    async def _record_problem(self, job: "_Job", problem: Problem) -> None:
        if self.ledger is not None and job.record is not None:
            await self.ledger.fail(job.record, self.batch.prepared.plan, problem)

    async def _result(
        self, job: "_Job", inputs: Mapping[str, Value]
    ) -> tuple[RunResult | None, Problem | None]:
        """Return how the run ended, and what its trouble was."""
        prepared, limit = self.batch.prepared, self.batch.timeout
        options = RunOptions(
            run=job.run,
            sinks=self.sinks,
            output_folder=prepared.output_folder,
            past=job.past,
        )
        try:
            async with asyncio.timeout(limit):
                result = await self.session.run(prepared.plan, inputs, options)
        except TimeoutError:
            return None, Problem(
                code="run.timeout",
                what=f"the run did not end within {limit:g} s",
                mend="raise --timeout",
            )
        if result.unrecorded is not None:
            raise result.unrecorded
        if result.status == "done":
            return result, None
        first = result.failures[0]
        what = f"step {first.step!r}: {first.what}"
        return result, Problem(code=first.code, what=what, mend=first.mend)

    def _written(self, job: "_Job", outputs: Mapping[str, Value]) -> Path | None:
        """Write an item's file; if its name is taken by now, under another."""
        output = job.output
        while outputs and output:
            try:
                self.files.write(output, outputs)
            except FileExistsError:
                output = self.files.reserve(job.turn.item.stem)
                if self.ledger is not None and job.record is not None:
                    self.ledger.rename(job.record, output)
            else:
                return self.files.path(output)
        return None


class _Job(Struct, frozen=True, kw_only=True):
    """An item that has been entered; `past` are the events of its earlier part."""

    turn: Turn
    run: str
    output: str
    record: RunRecord | None = None
    past: Iterable[Event] | None = None
