# SPDX-License-Identifier: Apache-2.0
"""Foretells a run without running it: what is known already, what would run, and why.

Walks the plan as a run would, with the same functions; nothing is written and no model
answers. A step whose result is kept, or that costs nothing, gives its value to those
behind it; of the others only what does not depend on their values can be told.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal

from msgspec import Struct, field
from msgspec.structs import replace

from lao.engine.file_digests import FileDigests
from lao.engine.inputs import bind_inputs
from lao.engine.items import name_of_list
from lao.engine.naming import AskedOnce, Namer, ResultName
from lao.engine.requests import RequestWriter
from lao.engine.scheduler import Outcome, Scheduler
from lao.engine.scope import Scope, elements, holds, step_scope, workflow_scope
from lao.engine.telling import as_value
from lao.errors import (
    AttemptError,
    LaoError,
    Problem,
    RefusedByPolicy,
    SchemaMismatch,
    UsageError,
)
from lao.planning.plan import Engine, Infer, Plan, PlannedStep
from lao.planning.reading import inputs_read
from lao.roles import BackendFactory, ResultCache
from lao.workflow.steps import Input, StepId
from lao.workflow.template import Template
from lao.workflow.values import Value

Status = Literal["cached", "will run", "blocked", "skipped"]
Ingredients = Mapping[str, str]

_ORDER = ("model", "prompt", "options", "schema", "input", "files", "version")


class StepForecast(Struct, frozen=True, kw_only=True):
    """What would become of a step, and why, in words.

    `changed` names the ingredients that differ from when the step last ended well.
    """

    status: Status
    reason: str = ""
    changed: tuple[str, ...] = ()
    model_digest: str = ""


class Sources(Struct, frozen=True, kw_only=True):
    """What a forecast asks: the models for their identity, the cache for results."""

    backends: BackendFactory
    cache: ResultCache
    writer: RequestWriter = field(default_factory=RequestWriter)
    files: FileDigests = field(default_factory=FileDigests)


async def forecast(
    plan: Plan,
    inputs: Mapping[str, Value],
    sources: Sources,
    earlier: Mapping[str, Ingredients] | None = None,
) -> dict[StepId, StepForecast]:
    """Return what would become of each step, in the order of the plan.

    `inputs` may lack some. `earlier` holds, by step, the ingredients of its last result.
    """
    walk = _Walk(plan, inputs, sources=sources, earlier=earlier or {})
    await walk.through()
    return {name: walk.found[name] for name in plan.steps}


def known_inputs(
    declared: Mapping[str, Input], given: Mapping[str, object], base: Path
) -> tuple[dict[str, Value], list[Problem]]:
    """Return the inputs that have a value: for a forecast, the others may be missing.

    A default that cannot be used (a file that is not there) is missing too; the
    problems say why.

    Raises:
        UsageError: what is given cannot be used, as in `bind_inputs`.
    """
    values = bind_inputs(
        {name: declared[name] for name in declared if name in given}, given, base
    )
    problems: list[Problem] = []
    for name, each in declared.items():
        if name not in given and (each.default is not None or each.optional):
            try:
                values |= bind_inputs({name: each}, {}, base)
            except UsageError as error:
                problems.append(error.problem)
    return values, problems


class _NotKnownError(Exception):
    """What a plugin makes of an input is not kept."""


class _Result(Struct, frozen=True):
    """What is known of one result; `name` is None where no model is asked."""

    name: ResultName | None = None
    value: Value = None
    is_known: bool = True


class _Walk:
    """One walk through a plan. State: what is found, and the values that are known."""

    def __init__(
        self,
        plan: Plan,
        inputs: Mapping[str, Value],
        *,
        sources: Sources,
        earlier: Mapping[str, Ingredients],
    ) -> None:
        self.plan = plan
        self.inputs = inputs
        self.sources = sources
        self.earlier = earlier
        self.found: dict[StepId, StepForecast] = {}
        self.values: dict[StepId, Value] = {}
        self.places = {name: place for place, name in enumerate(plan.steps)}
        self.namer = Namer(
            sources.backends, files=sources.files, identify=AskedOnce().identify
        )

    async def through(self) -> None:
        steps = self.plan.steps
        scheduler = Scheduler(
            needs={name: step.needs for name, step in steps.items()},
            after={name: step.after for name, step in steps.items() if step.after},
            defaults={name for name, step in steps.items() if self._flows_on(step)},
        )
        while ready := scheduler.start(len(steps)):
            for name in ready:
                outcome = await self._outcome(steps[name])
                for other in scheduler.settle(name, outcome):
                    self._pass_over(steps[other])

    async def _outcome(self, step: PlannedStep) -> Outcome:
        try:
            found = await self._foretell(step)
        except LaoError as error:
            is_refused = isinstance(error, RefusedByPolicy)
            if step.on_error.action == "skip" and not is_refused:
                return self._skip(step, error.problem.what)
            found = StepForecast(status="blocked", reason=error.problem.what)
        if found.status == "skipped":
            return self._skip(step, found.reason)
        self.found[step.id] = found
        return Outcome.failed if found.status == "blocked" else Outcome.done

    def _skip(self, step: PlannedStep, reason: str) -> Outcome:
        if step.default is None:
            self.found[step.id] = StepForecast(status="skipped", reason=reason)
            return Outcome.skipped
        reason = f"{reason}; its default is used"
        self.found[step.id] = StepForecast(status="skipped", reason=reason)
        self.values[step.id] = as_value(step.default.value)
        return Outcome.done

    def _pass_over(self, step: PlannedStep) -> None:
        """Say that a step does not run, because of one before it."""
        before = {name: self.found[name] for name in self._before(step)}
        blocked = [name for name in before if before[name].status == "blocked"]
        skipped = [name for name in before if before[name].status == "skipped"]
        if blocked and not self._flows_on(step):
            reason = _together(blocked, "is blocked", "are blocked")
            self.found[step.id] = StepForecast(status="blocked", reason=reason)
        else:
            self._skip(step, _together(blocked + skipped, "does not run", "do not run"))

    def _flows_on(self, step: PlannedStep) -> bool:
        """Whether a step that is passed over gives its default to those behind it.

        Not where an input is missing: no run would begin.
        """
        return (
            step.default is not None and self.plan.inputs.keys() <= self.inputs.keys()
        )

    def _before(self, step: PlannedStep) -> list[StepId]:
        """Return the steps before a step of which something is known, in order."""
        near = (name for name in step.needs | step.after if name in self.found)
        return sorted(near, key=self.places.__getitem__)

    async def _foretell(self, step: PlannedStep) -> StepForecast:
        scope = workflow_scope(step, self.inputs, self.values)
        if self._sees_all(step.when) and not holds(step, scope):
            return StepForecast(status="skipped", reason="its condition is false")
        digest = await self._model_digest(step)
        missing = sorted(inputs_read(step, self.plan.inputs) - self.inputs.keys())
        if missing:
            is_not = _together(missing, "is not given", "are not given")
            reason = f"the input{'s' if missing[1:] else ''} {is_not}"
            return StepForecast(status="blocked", reason=reason, model_digest=digest)
        before = self._before(step)
        unknown = [n for n in before if n in step.needs and n not in self.values]
        if unknown:
            reason = _together(unknown, "runs before it", "run before it")
            return StepForecast(status="will run", reason=reason, model_digest=digest)
        if step.for_each is None:
            (result,) = await self._results(step, [scope])
            return self._one(step, result)
        items = elements(step, scope, at_most=self.sources.writer.limits.list_length)
        scopes = ({**scope, "item": item, "index": n} for n, item in enumerate(items))
        return self._many(step, items, await self._results(step, scopes))

    def _sees_all(self, template: Template | None) -> bool:
        """Whether all that a template reads is known."""
        paths = [name.split(".") for name in template.names] if template else []
        return all(
            path[1:2] and path[1] in self.inputs
            if path[0] == "inputs"
            else path[0] in self.values
            for path in paths
        )

    async def _model_digest(self, step: PlannedStep) -> str:
        """Return the digest of the first of the step's models that can be used."""
        engines = step.work.engines if isinstance(step.work, Infer) else ()
        for engine in step.engines[: len(step.engines) - len(engines)]:
            await self.namer.identify(engine)  # each of the input's must be there
        for engine in engines:
            try:
                return await self.namer.identify(engine)
            except AttemptError:
                if engine is engines[-1]:
                    raise
        return ""

    async def _results(
        self, step: PlannedStep, scopes: Iterable[Scope]
    ) -> list[_Result]:
        """Return what is known of the step's results, one for each of its scopes."""

        async def preprocess(engine: Engine, given: Scope) -> Value:
            result = await self._look_up(step, engine, given)
            if not result.is_known:
                raise _NotKnownError
            return result.value

        found: list[_Result] = []
        for scope in scopes:
            try:
                inner = await step_scope(step, scope, preprocess)
            except _NotKnownError:
                found.append(_Result(is_known=False))
                continue
            if isinstance(step.work, Infer):
                found.append(await self._first_known(step, step.work, inner))
            else:
                found.append(_Result(value=inner.get("input")))
        return found

    async def _look_up(
        self, step: PlannedStep, engine: Engine, scope: Scope
    ) -> _Result:
        """Name what a model would be asked, and look for the answer."""
        request = self.sources.writer.write(engine, scope)
        name = await self.namer.name(engine, request)
        is_asked = step.cache == "auto"
        known = await self.sources.cache.get(name.key) if is_asked else None
        value = None if known is None else known.value
        return _Result(name=name, value=value, is_known=known is not None)

    async def _first_known(
        self, step: PlannedStep, work: Infer, scope: Scope
    ) -> _Result:
        """Look for the answer of the first of the step's models that can be used."""
        for engine in work.engines:
            try:
                return await self._look_up(step, engine, scope)
            except (AttemptError, SchemaMismatch):
                if engine is work.engines[-1]:
                    raise
        raise AssertionError("a plan gives each model step an engine")

    def _one(self, step: PlannedStep, result: _Result) -> StepForecast:
        if result.is_known:
            self.values[step.id] = result.value
        return self._told(step, result.name, is_known=result.is_known)

    def _many(
        self, step: PlannedStep, items: list[Value], results: list[_Result]
    ) -> StepForecast:
        known = sum(result.is_known for result in results)
        if known == len(items):
            self.values[step.id] = [result.value for result in results]
        name = results[0].name if results else None
        of_list = None if name is None else name_of_list(name, items)
        told = self._told(step, of_list, is_known=known == len(items))
        if told.status == "will run" and known and name is not None:
            return replace(told, reason=f"{known:,} of {len(items):,} cached")
        return told

    def _told(
        self, step: PlannedStep, name: ResultName | None, *, is_known: bool
    ) -> StepForecast:
        if name is None:  # no model is asked
            return StepForecast(status="will run")
        if is_known:
            return StepForecast(status="cached", model_digest=name.model_digest)
        changed = _changed(self.earlier.get(step.id, {}), name.ingredients)
        return StepForecast(
            status="will run",
            reason=_why(step, changed, is_first=not self.earlier.get(step.id)),
            changed=changed,
            model_digest=name.model_digest,
        )


def _changed(earlier: Ingredients, now: Ingredients) -> tuple[str, ...]:
    if not earlier:
        return ()
    return tuple(name for name in _ORDER if earlier.get(name) != now.get(name))


def _why(step: PlannedStep, changed: tuple[str, ...], *, is_first: bool) -> str:
    if step.cache == "off":
        return "its results are not kept"
    if step.cache == "refresh":
        return "it is to be made anew"
    if is_first:
        return "it has no result yet"
    if not changed:
        return "its result is no longer kept"
    *most, last = changed
    return f"its {', '.join(most)}{' and ' if most else ''}{last} changed"


def _together(names: Sequence[str], one: str, many: str) -> str:
    """Say something of one name, or of several: "`a` and `b` run before it"."""
    *most, last = [f"`{name}`" for name in names]
    return f"{', '.join(most)} and {last} {many}" if most else f"{last} {one}"
