# SPDX-License-Identifier: Apache-2.0
"""One step, once: reshape, save, or ask its models until one answers."""

import asyncio
import random
from collections.abc import Awaitable, Mapping
from pathlib import Path
from typing import TypeVar, assert_never

from msgspec import Struct, field
from msgspec.structs import replace

from lao.engine.answers import read_answer
from lao.engine.journal import Journal
from lao.engine.naming import Namer, ResultName
from lao.engine.requests import RequestWriter
from lao.engine.saving import save, target_path
from lao.engine.scope import rendered, step_scope
from lao.errors import AttemptError, LaoError, SchemaMismatch, StepError
from lao.events import (
    FallbackChosen,
    ProgressMade,
    StepRetried,
    TextProduced,
    WorkerLocked,
    layers_of,
)
from lao.planning.plan import Engine, Infer, PlannedStep, Reshape, Save
from lao.policy import Proof, RunLimits
from lao.roles import Backend, BackendFactory, Clock, KnownResult, ResultCache
from lao.workflow.inference import ModelReply, ModelRequest
from lao.workflow.local_models import Ollama, label
from lao.workflow.steps import Retry
from lao.workflow.values import Value

T = TypeVar("T")


class Result(Struct, frozen=True, kw_only=True):
    """What a step gave, and how. `reply` is None where no model was asked.

    `name` says what the result is made of; a cached one's `reply` only who made it.
    """

    value: Value
    reply: ModelReply | None = None
    name: ResultName | None = None
    attempts: int = 1
    cached: bool = False
    notes: tuple[str, ...] = ()


class ModelSlots(Struct):
    """How many requests each model may have in flight."""

    per_model: int
    taken: dict[str, asyncio.Semaphore] = field(default_factory=dict)

    def slot(self, engine: Engine) -> asyncio.Semaphore:
        """Return the slots of the engine's model: `async with` waits for one."""
        model = engine.model
        key = label(model)
        if isinstance(model, Ollama):
            key += f" at {model.endpoint}"
        if key not in self.taken:
            self.taken[key] = asyncio.Semaphore(self.per_model)
        return self.taken[key]


class _Telling(Struct, frozen=True):
    """A `Report` that turns what a model tells into events."""

    journal: Journal
    step: str
    item: int | None
    cancelled: bool = False

    def text(self, piece: str) -> None:
        self.journal.mention(TextProduced(step=self.step, text=piece, item=self.item))

    def progress(self, done: float, total: float, unit: str) -> None:
        self.journal.mention(
            ProgressMade(
                step=self.step, done=done, total=total, unit=unit, item=self.item
            )
        )


class StepWorker(Struct, frozen=True, kw_only=True, dict=True):
    """Does the work of single steps, for one run.

    State: what was told of the workers that answer.
    """

    backends: BackendFactory
    namer: Namer
    cache: ResultCache
    journal: Journal
    clock: Clock
    slots: ModelSlots
    limits: RunLimits
    writer: RequestWriter
    output_folder: Path
    proofs: dict[str, Proof] = field(default_factory=dict)

    async def perform(
        self, step: PlannedStep, scope: Mapping[str, Value], item: int | None = None
    ) -> Result:
        """Return what the step gives for the values in `scope`.

        Raises:
            LaoError: the step failed, after its retries and fallbacks.
        """

        async def preprocess(engine: Engine, given: Mapping[str, Value]) -> Value:
            return (await self._persist(step, engine, given, item)).value

        inner = await step_scope(step, scope, preprocess)
        match step.work:
            case Reshape():
                return Result(value=inner.get("input"))
            case Save() as work:
                return await self._save(work, inner)
            case Infer() as work:
                return await self._infer(step, work, inner, item)
            case _ as never:
                assert_never(never)

    async def _save(self, work: Save, scope: Mapping[str, Value]) -> Result:
        words = rendered(work.path, scope)
        path = target_path(work.path, words, self.output_folder)
        value = scope.get("input")
        await asyncio.to_thread(save, value, path, overwrite=work.overwrite)
        return Result(value=value, notes=(f"saved to {path}",))

    async def _infer(
        self,
        step: PlannedStep,
        work: Infer,
        scope: Mapping[str, Value],
        item: int | None,
    ) -> Result:
        """Ask each engine in turn until one answers."""
        for number, engine in enumerate(work.engines):
            try:
                return await self._persist(step, engine, scope, item)
            except (AttemptError, SchemaMismatch) as error:
                if number + 1 == len(work.engines):
                    raise
                await self.journal.record(
                    FallbackChosen(
                        step=step.id,
                        model=label(work.engines[number + 1].model),
                        code=error.code,
                        what=error.problem.what,
                        item=item,
                    )
                )
        raise AssertionError("a plan gives each model step an engine")

    async def _persist(
        self,
        step: PlannedStep,
        engine: Engine,
        scope: Mapping[str, Value],
        item: int | None,
    ) -> Result:
        """Ask one engine, again and again as the step's `retry` allows."""
        request = self.writer.write(engine, scope)
        attempt = 1
        while True:
            try:
                result = await self._ask(step, engine, request, item)
            except LaoError as error:
                if attempt >= step.retry.attempts or not _may_pass(error):
                    raise
                delay = waiting_time(step.retry, attempt, random.random())  # noqa: S311
                await self.journal.record(
                    StepRetried(
                        step=step.id,
                        attempt=attempt,
                        code=error.code,
                        what=error.problem.what,
                        delay=round(delay, 3),
                        item=item,
                    )
                )
                await self.clock.sleep(delay)
                attempt += 1
            else:
                return replace(result, attempts=attempt) if attempt > 1 else result

    async def _ask(
        self, step: PlannedStep, engine: Engine, request: ModelRequest, item: int | None
    ) -> Result:
        name = await self.namer.name(engine, request)
        if step.cache != "auto":
            return await self._make(step, engine, request, name, item)
        known = await self.cache.get(name.key)
        if known is not None:
            return _of_known(engine, name, known)
        async with self.cache.claim(name.key):  # one asks, the others wait for it
            known = await self.cache.get(name.key)
            if known is not None:  # another made it meanwhile
                return _of_known(engine, name, known)
            return await self._make(step, engine, request, name, item)

    async def _make(
        self,
        step: PlannedStep,
        engine: Engine,
        request: ModelRequest,
        name: ResultName,
        item: int | None,
    ) -> Result:
        telling = _Telling(self.journal, step.id, item)
        backend = self.backends(engine.model)
        async with self.slots.slot(engine):
            answer = backend.infer(request, telling)
            reply = await _within(answer, step.timeout)
        await self._tell_lock(step, engine, backend)
        value = read_answer(engine, reply, self.limits)
        if step.cache != "off":
            made = KnownResult(value=value, made_by=reply.made_by)
            await self.cache.put(name.key, made)
        notes = _notes(engine) + reply.notes
        return Result(value=value, reply=reply, name=name, notes=notes)

    async def _tell_lock(
        self, step: PlannedStep, engine: Engine, backend: Backend
    ) -> None:
        """Tell what the worker that answered has proved, the first time."""
        proof = backend.proof()
        worker = label(engine.model)
        if proof is None or self.proofs.get(worker) == proof:
            return
        self.proofs[worker] = proof
        await self.journal.record(
            WorkerLocked(
                step=step.id,
                worker=worker,
                level=proof.level,
                layers=layers_of(proof),
            )
        )


def _of_known(engine: Engine, name: ResultName, known: KnownResult) -> Result:
    return Result(
        value=known.value,
        reply=ModelReply(value=None, made_by=known.made_by),
        name=name,
        cached=True,
        notes=_notes(engine),
    )


def _notes(engine: Engine) -> tuple[str, ...]:
    return (engine.note,) if engine.note else ()


def waiting_time(retry: Retry, attempt: int, chance: float) -> float:
    """Return the seconds to wait after `attempt` (from 1); `chance` is in [0, 1)."""
    return float(
        min(retry.longest, retry.backoff * 2.0 ** min(attempt - 1, 60)) * (0.5 + chance)
    )


async def _within(answer: Awaitable[T], seconds: float | None) -> T:
    if seconds is None:
        return await answer
    try:
        async with asyncio.timeout(seconds):
            return await answer
    except TimeoutError as error:
        raise StepError(
            "step.timeout",
            f"the model did not answer within {seconds:g} s",
            mend="raise the step's `timeout:`, or use a smaller model",
            retryable=True,
        ) from error


def _may_pass(error: LaoError) -> bool:
    """Whether another attempt may go better."""
    if isinstance(error, SchemaMismatch):
        return True
    return isinstance(error, AttemptError) and error.retryable
