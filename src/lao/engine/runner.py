# SPDX-License-Identifier: Apache-2.0
"""One run of a plan: start what may start, settle what ended, until all is settled.

Every step is a task in one task group; a step that ends starts its followers there.
State: the scheduler, and `values`, the output of each step that has one.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

from msgspec import Struct
from msgspec.structs import replace

from lao.engine.attempt import Result, StepWorker
from lao.engine.items import name_of_list, perform_each
from lao.engine.journal import Journal
from lao.engine.recall import Recalled
from lao.engine.scheduler import Outcome, Scheduler
from lao.engine.scope import elements, holds, workflow_scope
from lao.engine.telling import (
    as_value,
    evaluate_outputs,
    item_finished,
    step_finished,
    step_skipped,
    unexpected,
)
from lao.errors import LaoError, RefusedByPolicy, StoreError
from lao.events import (
    Fact,
    PolicyViolated,
    RunFinished,
    RunResumed,
    RunStarted,
    RunStatus,
    StepFailed,
    StepStarted,
    layers_of,
)
from lao.planning.plan import Infer, Plan, PlannedStep
from lao.policy import Locality, RunLimits
from lao.roles import Clock
from lao.workflow.local_models import label
from lao.workflow.steps import StepId
from lao.workflow.values import Value

_TURNS = 32  # steps that one task may run without a pause
_EXIT_ORDER = (5, 6, 7, 3)
_ENDINGS: Mapping[Outcome, str] = {
    Outcome.done: "is done",
    Outcome.failed: "failed",
    Outcome.skipped: "was skipped",
}


class RunResult(Struct, frozen=True, kw_only=True):
    """How a run ended. `failures` in the order in which they happened.

    `unrecorded` is set when the journal could not be written: `outputs` holds what
    was made all the same; what the journal lacks runs again when the run goes on.
    """

    run: str
    status: RunStatus
    outputs: Mapping[str, Value]
    failures: tuple[StepFailed, ...] = ()
    seconds: float = 0.0
    unrecorded: StoreError | None = None

    @property
    def exit_code(self) -> int:
        """What the command line ends with: a refusal outweighs the rest."""
        codes = {failure.exit_code for failure in self.failures}
        known = [code for code in _EXIT_ORDER if code in codes]
        if not codes and self.unrecorded is not None:
            return self.unrecorded.exit_code
        return known[0] if known else (3 if codes else 0)


@dataclass(slots=True, kw_only=True)
class Runner:
    """Runs one plan once."""

    plan: Plan
    worker: StepWorker
    journal: Journal
    clock: Clock
    limits: RunLimits
    locality: Locality = field(default_factory=Locality)
    recalled: Recalled | None = None
    values: dict[StepId, Value] = field(default_factory=dict)
    failures: list[StepFailed] = field(default_factory=list)
    scheduler: Scheduler = field(init=False)
    all_settled: asyncio.Event = field(init=False, default_factory=asyncio.Event)
    is_cancelled: bool = field(init=False, default=False)
    inputs: Mapping[str, Value] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Prepare the scheduler."""
        steps = self.plan.steps
        self.scheduler = Scheduler(
            needs={name: step.needs for name, step in steps.items()},
            after={name: step.after for name, step in steps.items() if step.after},
            defaults={name for name, step in steps.items() if step.default},
        )

    async def run(self, inputs: Mapping[str, Value]) -> RunResult:
        """Run every step and return how it went; failures are results, not errors.

        Raises:
            asyncio.CancelledError: the run was cancelled; it is recorded as such.
        """
        self.inputs = dict(inputs)
        begun = self.clock.monotonic()
        await self._begin()
        unrecorded = None
        try:
            unrecorded = await self._settle_all()
        except asyncio.CancelledError:
            await self._finish("cancelled", begun)
            raise
        return await self._finish("done", begun, unrecorded)

    async def _begin(self) -> None:
        if self.recalled is None:
            await self.journal.record(
                RunStarted(
                    workflow=self.plan.name,
                    steps=tuple(self.plan.steps),
                    locality=self.locality.words,
                    level=self.locality.level,
                    layers=layers_of(self.locality.proof),
                )
            )
            return
        before = self.recalled
        self.values.update(before.values)
        skipped = self.scheduler.recall(before.outcomes)
        await self.journal.record(
            RunResumed(
                recalled=tuple(before.outcomes),
                items={step: len(items) for step, items in before.items.items()},
                locality=self.locality.words,
                level=self.locality.level,
                layers=layers_of(self.locality.proof),
            )
        )
        for name in skipped:
            self._use_default(self.plan.steps[name])
            reason = "what it needs was skipped"
            await self.journal.record(step_skipped(self.plan.steps[name], reason))

    async def _settle_all(self) -> StoreError | None:
        """Run until every step is settled, or until the journal cannot be written."""
        unrecorded = None
        try:
            async with asyncio.TaskGroup() as group:
                self._start_ready(group)
                try:
                    await self.all_settled.wait()
                except asyncio.CancelledError:
                    self.is_cancelled = True  # before the steps hear of it
                    raise
        except* StoreError as failures:
            unrecorded = _first(failures)
        return unrecorded

    async def _finish(
        self, status: RunStatus, begun: float, unrecorded: StoreError | None = None
    ) -> RunResult:
        outputs, problems = evaluate_outputs(self.plan, self.inputs, self.values)
        self.failures += problems
        if status == "done" and (self.failures or not self.scheduler.finished):
            status = "failed"
        seconds = self._since(begun)
        ending = RunFinished(status=status, outputs=outputs, seconds=seconds)
        if unrecorded is None:
            unrecorded = await self._record_end([*problems, ending])
        return RunResult(
            run=self.journal.run,
            status=status,
            outputs=outputs,
            failures=tuple(self.failures),
            seconds=seconds,
            unrecorded=unrecorded,
        )

    async def _record_end(self, facts: Sequence[Fact]) -> StoreError | None:
        try:
            for fact in facts:
                await self.journal.record(fact)
        except StoreError as error:
            return error
        return None

    def _since(self, begun: float) -> float:
        return round(self.clock.monotonic() - begun, 6)

    def _start_ready(self, group: asyncio.TaskGroup) -> None:
        for step in self._startable():
            group.create_task(self._steps(step, group), name=step.id)

    def _startable(self) -> list[PlannedStep]:
        """Take the steps that may start now; with none left at all, end the run."""
        free = self.limits.parallel_steps - len(self.scheduler.running)
        started = self.scheduler.start(free)
        if self.scheduler.finished:
            self.all_settled.set()
        return [self.plan.steps[step] for step in started]

    def _stop_if_cancelled(self) -> None:
        """Go on with a cancellation that a model answered with a result or an error."""
        if self.is_cancelled:
            raise asyncio.CancelledError

    async def _steps(self, step: PlannedStep, group: asyncio.TaskGroup) -> None:
        """Run a step, start what it made ready, and go on with one of those.

        A task for each step would cost a chain a third more. Steps that wait for
        nothing must not keep the loop from everything else: hence the pause.
        """
        for turn in count(1):
            await self._settle(step)
            self._stop_if_cancelled()
            started = self._startable()
            for other in started[1:]:
                group.create_task(self._steps(other, group), name=other.id)
            if not started:
                return
            step = started[0]
            if turn % _TURNS == 0:
                await asyncio.sleep(0)

    async def _settle(self, step: PlannedStep) -> None:
        outcome = await self._outcome(step)
        skipped = self.scheduler.settle(step.id, outcome)
        if not skipped:
            return
        for name in skipped:  # before anything is awaited: followers may start then
            self._use_default(self.plan.steps[name])
        for name in skipped:
            reason = f"step {step.id!r} {_ENDINGS[outcome]}"
            await self.journal.record(step_skipped(self.plan.steps[name], reason))

    async def _outcome(self, step: PlannedStep) -> Outcome:
        begun = self.clock.monotonic()
        scope = workflow_scope(step, self.inputs, self.values)
        try:
            if step.when is not None and not holds(step, scope):
                return await self._skip(step, "its condition is false")
            result = await self._work(step, scope)
        except StoreError:  # the journal's, not the step's: it ends the run
            raise
        except LaoError as error:
            return await self._fail(step, error)
        except Exception as error:  # noqa: BLE001  (one of the three edges: see style)
            return await self._fail(step, unexpected(step, error))
        self.values[step.id] = result.value
        await self.journal.record(step_finished(step, result, self._since(begun)))
        return Outcome.done

    async def _work(self, step: PlannedStep, scope: dict[str, Value]) -> Result:
        model = _model_label(step)
        if step.for_each is None:
            await self.journal.record(StepStarted(step=step.id, model=model))
            return await self.worker.perform(step, scope)
        items = elements(step, scope, at_most=self.limits.list_length)
        await self.journal.record(
            StepStarted(step=step.id, model=model, items=len(items))
        )
        return await self._each(step, scope, items)

    async def _each(
        self, step: PlannedStep, scope: Mapping[str, Value], items: list[Value]
    ) -> Result:
        known = self.recalled.items.get(step.id, {}) if self.recalled else {}

        async def perform(index: int, item: Value) -> Result:
            if index in known:
                return known[index]
            inner = {**scope, "item": item, "index": index}
            result = await self.worker.perform(step, inner, index)
            await self.journal.record(item_finished(step, index, result))
            return result

        total = await perform_each(items, perform, at_once=self.limits.for_each_window)
        return replace(total, name=total.name and name_of_list(total.name, items))

    async def _skip(self, step: PlannedStep, reason: str) -> Outcome:
        await self.journal.record(step_skipped(step, reason))
        self._use_default(step)
        return Outcome.skipped if step.default is None else Outcome.done

    def _use_default(self, step: PlannedStep) -> None:
        if step.default is not None:
            self.values[step.id] = as_value(step.default.value)

    async def _fail(self, step: PlannedStep, error: LaoError) -> Outcome:
        self._stop_if_cancelled()
        problem = error.problem
        if isinstance(error, RefusedByPolicy):
            await self.journal.record(
                PolicyViolated(step=step.id, code=problem.code, what=problem.what)
            )
        elif step.on_error.action == "skip":
            return await self._skip(step, f"{problem.what} [{problem.code}]")
        failure = StepFailed(
            step=step.id,
            code=problem.code,
            what=problem.what,
            mend=problem.mend,
            exit_code=error.exit_code,
        )
        self.failures.append(failure)
        await self.journal.record(failure)
        return Outcome.failed


def _model_label(step: PlannedStep) -> str:
    if isinstance(step.work, Infer) and step.work.engines:
        return label(step.work.engines[0].model)
    return ""


def _first(failures: ExceptionGroup[StoreError]) -> StoreError:
    """Return one of the errors of a group; they have one cause."""
    first = failures.exceptions[0]
    return _first(first) if isinstance(first, ExceptionGroup) else first
