# SPDX-License-Identifier: Apache-2.0
"""One run of a plan: start what may start, settle what ended, until all is settled.

Every step is a task in one task group; a step that ends starts its followers there.
State: the scheduler, and `values`, the output of each step that has one.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from lao.engine.attempt import Result, StepWorker
from lao.engine.items import perform_each
from lao.engine.journal import Journal
from lao.engine.requests import template_failure
from lao.engine.scheduler import Outcome, Scheduler
from lao.errors import LaoError, RefusedByPolicy, StepError
from lao.events import (
    ItemFinished,
    PolicyViolated,
    RunFinished,
    RunStarted,
    RunStatus,
    StepFailed,
    StepFinished,
    StepSkipped,
    StepStarted,
)
from lao.planning.plan import Infer, Plan, PlannedStep
from lao.policy import RunLimits
from lao.roles import Clock
from lao.workflow.local_models import label
from lao.workflow.steps import StepId
from lao.workflow.template import TemplateError, evaluate_tree, templates_in
from lao.workflow.values import JsonValue, Value

_EXIT_ORDER = (5, 6, 7, 3)
_ENDINGS: Mapping[Outcome, str] = {
    Outcome.done: "is done",
    Outcome.failed: "failed",
    Outcome.skipped: "was skipped",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """How a run ended. `failures` in the order in which they happened."""

    run: str
    status: RunStatus
    outputs: Mapping[str, Value]
    failures: tuple[StepFailed, ...] = ()
    seconds: float = 0.0

    @property
    def exit_code(self) -> int:
        """What the command line ends with: a refusal outweighs the rest."""
        codes = {failure.exit_code for failure in self.failures}
        known = [code for code in _EXIT_ORDER if code in codes]
        return known[0] if known else (3 if codes else 0)


@dataclass(slots=True, kw_only=True)
class Runner:
    """Runs one plan once."""

    plan: Plan
    worker: StepWorker
    journal: Journal
    clock: Clock
    limits: RunLimits
    locality: str = ""
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
        await self.journal.record(
            RunStarted(
                workflow=self.plan.name,
                steps=tuple(self.plan.steps),
                locality=self.locality,
            )
        )
        try:
            await self._settle_all()
        except asyncio.CancelledError:
            await self._finish("cancelled", begun)
            raise
        return await self._finish("done", begun)

    async def _settle_all(self) -> None:
        async with asyncio.TaskGroup() as group:
            self._start_ready(group)
            try:
                await self.all_settled.wait()
            except asyncio.CancelledError:
                self.is_cancelled = True  # before the steps hear of it
                raise

    async def _finish(self, status: RunStatus, begun: float) -> RunResult:
        outputs = await self._outputs()
        if self.failures and status == "done":
            status = "failed"
        seconds = round(self.clock.monotonic() - begun, 6)
        await self.journal.record(
            RunFinished(status=status, outputs=outputs, seconds=seconds)
        )
        return RunResult(
            run=self.journal.run,
            status=status,
            outputs=outputs,
            failures=tuple(self.failures),
            seconds=seconds,
        )

    def _start_ready(self, group: asyncio.TaskGroup) -> None:
        free = self.limits.parallel_steps - len(self.scheduler.running)
        for step in self.scheduler.start(free):
            group.create_task(self._step(self.plan.steps[step], group), name=step)
        if self.scheduler.finished:
            self.all_settled.set()

    def _stop_if_cancelled(self) -> None:
        """Go on with a cancellation that a model answered with a result or an error."""
        if self.is_cancelled:
            raise asyncio.CancelledError

    async def _step(self, step: PlannedStep, group: asyncio.TaskGroup) -> None:
        outcome = await self._outcome(step)
        skipped = self.scheduler.settle(step.id, outcome)
        for name in skipped:  # before anything is awaited: followers may start then
            self._use_default(self.plan.steps[name])
        for name in skipped:
            reason = f"step {step.id!r} {_ENDINGS[outcome]}"
            await self.journal.record(_skipped(self.plan.steps[name], reason))
        self._stop_if_cancelled()
        self._start_ready(group)

    async def _outcome(self, step: PlannedStep) -> Outcome:
        begun = self.clock.monotonic()
        scope: dict[str, Value] = {"inputs": dict(self.inputs)}
        scope |= {need: self.values[need] for need in step.needs}
        try:
            if not _holds(step, scope):
                return await self._skip(step, "its condition is false")
            result = await self._work(step, scope)
        except LaoError as error:
            return await self._fail(step, error)
        except Exception as error:  # noqa: BLE001  (one of the three edges: see style)
            return await self._fail(step, _unexpected(step, error))
        self.values[step.id] = result.value
        await self.journal.record(_finished(step, result, self.clock, begun))
        return Outcome.done

    async def _work(self, step: PlannedStep, scope: dict[str, Value]) -> Result:
        model = _model_label(step)
        if step.for_each is None:
            await self.journal.record(StepStarted(step=step.id, model=model))
            return await self.worker.perform(step, scope)
        items = self._items(step, scope)
        await self.journal.record(
            StepStarted(step=step.id, model=model, items=len(items))
        )
        return await self._each(step, scope, items)

    def _items(self, step: PlannedStep, scope: Mapping[str, Value]) -> list[Value]:
        try:
            items = step.for_each.evaluate(scope) if step.for_each else None
        except TemplateError as error:
            raise template_failure(error) from error
        if not isinstance(items, list):
            raise StepError(
                "step.not-a-list",
                f"`for_each` of step {step.id!r} got something that is not a list",
                mend="make a list with the transform `lines`, `split` or `select`",
            )
        if len(items) > self.limits.list_length:
            raise StepError(
                "step.list-too-long",
                f"`for_each` of step {step.id!r} got {len(items):,} elements; "
                f"at most {self.limits.list_length:,} are run",
                mend="cut the list into several runs",
            )
        return items

    async def _each(
        self, step: PlannedStep, scope: Mapping[str, Value], items: list[Value]
    ) -> Result:
        async def perform(index: int, item: Value) -> Result:
            inner = {**scope, "item": item, "index": index}
            result = await self.worker.perform(step, inner, index)
            await self.journal.record(
                ItemFinished(step=step.id, item=index, value=result.value)
            )
            return result

        return await perform_each(items, perform, at_once=self.limits.for_each_window)

    async def _skip(self, step: PlannedStep, reason: str) -> Outcome:
        await self.journal.record(_skipped(step, reason))
        self._use_default(step)
        return Outcome.skipped if step.default is None else Outcome.done

    def _use_default(self, step: PlannedStep) -> None:
        if step.default is not None:
            self.values[step.id] = _as_value(step.default.value)

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

    async def _outputs(self) -> dict[str, Value]:
        """Return the outputs whose steps all have a value."""
        outputs: dict[str, Value] = {}
        for name, tree in self.plan.outputs.items():
            roots = {root for each in templates_in(tree) for root in each.roots}
            steps = {StepId(root) for root in roots - {"inputs"}}
            if not steps <= self.values.keys():
                continue
            scope: dict[str, Value] = {"inputs": dict(self.inputs)}
            scope |= {step: self.values[step] for step in steps}
            try:
                outputs[name] = evaluate_tree(tree, scope)
            except TemplateError as error:
                problem = template_failure(error).problem
                failure = StepFailed(
                    step=f"outputs.{name}", code=problem.code, what=problem.what
                )
                self.failures.append(failure)
                await self.journal.record(failure)
        return outputs


def _holds(step: PlannedStep, scope: Mapping[str, Value]) -> bool:
    """Whether the step's condition, if it has one, is true."""
    if step.when is None:
        return True
    try:
        return bool(step.when.evaluate(scope))
    except TemplateError as error:
        raise template_failure(error) from error


def _model_label(step: PlannedStep) -> str:
    if isinstance(step.work, Infer) and step.work.engines:
        return label(step.work.engines[0].model)
    return ""


def _finished(
    step: PlannedStep, result: Result, clock: Clock, begun: float
) -> StepFinished:
    reply = result.reply
    return StepFinished(
        step=step.id,
        value=result.value,
        made_by=reply.made_by if reply else "",
        seconds=round(clock.monotonic() - begun, 6),
        tokens_in=reply.tokens_in if reply else None,
        tokens_out=reply.tokens_out if reply else None,
        model_seconds=reply.seconds if reply else None,
        attempts=result.attempts,
        cached=result.cached,
        notes=result.notes,
    )


def _skipped(step: PlannedStep, reason: str) -> StepSkipped:
    default = step.default
    return StepSkipped(
        step=step.id,
        reason=reason,
        has_default=default is not None,
        value=_as_value(default.value) if default else None,
    )


def _unexpected(step: PlannedStep, error: Exception) -> LaoError:
    """Turn a defect of LAO's own into a step's error; the cause is kept for --debug."""
    problem = StepError(
        "step.internal-error",
        f"step {step.id!r} ran into a defect of LAO: {type(error).__name__}: {error}",
        mend="please report it; `--debug` shows where it happened",
    )
    problem.__cause__ = error
    return problem


def _as_value(value: JsonValue) -> Value:
    same: Value = value  # type: ignore[assignment]  # JSON values are values
    return same
