# SPDX-License-Identifier: Apache-2.0
"""The composition root: the only place that knows which class plays which role."""

import asyncio
import os
import time
from collections.abc import Awaitable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Self, assert_never
from uuid import uuid4

from lao.config import Settings
from lao.engine.attempt import ModelSlots, StepWorker
from lao.engine.journal import Journal
from lao.engine.memory import MemoryCache, MemoryRunStore
from lao.engine.requests import RequestWriter
from lao.engine.runner import Runner, RunResult
from lao.errors import UsageError
from lao.planning.compiler import compile_workflow
from lao.planning.engines import Catalog, at_base
from lao.planning.plan import Plan
from lao.planning.problems import Locate, nowhere
from lao.policy import LoopbackEndpoint, RunLimits, WorkerLimits
from lao.recipes import find_recipes
from lao.roles import Backend, EventSink, ResultCache, RunStore
from lao.workflow.local_models import (
    Custom,
    Embedded,
    LlamaCpp,
    ModelBackend,
    Ollama,
    WhisperCpp,
    parse_model,
)
from lao.workflow.steps import Recipe, Workflow
from lao.workflow.values import Value

if TYPE_CHECKING:
    from lao.backends.loopback import LoopbackClient
    from lao.workers.pool import WorkerPool

LOCALITY = "loopback addresses only · not yet enforced by the kernel"


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        """Return seconds since 1970."""
        return time.time()

    def monotonic(self) -> float:
        """Return seconds since some fixed moment."""
        return time.monotonic()

    def sleep(self, seconds: float) -> Awaitable[None]:
        """Wait."""
        return asyncio.sleep(seconds)


def worker_limits(settings: Settings) -> WorkerLimits:
    """Return what each worker may use: without a setting, 90 % of the memory.

    A model may well need most of a machine; what runs away must not take all of it.
    """
    memory = settings.worker_memory
    if memory is None and hasattr(os, "sysconf"):
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * 9 // 10
    return WorkerLimits(memory=memory)


def find_catalog(settings: Settings, *, base: Path) -> Catalog:
    """Return the recipes in reach of `base`, and the configured models."""
    folders = (base / "recipes", settings.folders.config / "recipes")
    return Catalog(
        recipes=find_recipes(folders),
        chat=_configured(settings.model),
        speech=_configured(settings.speech_model),
    )


def _configured(name: str | None) -> ModelBackend | None:
    return None if name is None else at_base(model_called(name), ".")


def model_called(name: str) -> ModelBackend:
    """Return the model that a setting or a flag names.

    Raises:
        UsageError: it names none.
    """
    model = parse_model(name)
    if model is None:
        raise UsageError(
            "model.bad-name",
            f"{name!r} names no model",
            mend="write NAME for a model of Ollama, a path to a .gguf file, or "
            "kind:name (ollama, llama.cpp, whisper.cpp, embedded, custom)",
        )
    return model


def make_plan(
    workflow: Workflow,
    settings: Settings,
    *,
    locate: Locate = nowhere,
    recipes: Mapping[str, Recipe] | None = None,
) -> Plan:
    """Compile a workflow with the recipes and models of this machine.

    Raises:
        InvalidWorkflow: with every problem found.
    """
    catalog = find_catalog(settings, base=Path(workflow.base))
    if recipes is not None:
        catalog = replace(catalog, recipes=recipes)
    return compile_workflow(workflow, catalog, locate=locate)


class Backends:
    """Opens each model once, and closes them all. Used as `async with`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._limits = worker_limits(settings)
        self._open: dict[str, Backend] = {}
        self._clients: dict[LoopbackEndpoint, LoopbackClient] = {}
        self._pool: WorkerPool | None = None
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Open nothing yet: models load when they are asked."""
        from lao.workers.pool import WorkerPool

        self._pool = await self._stack.enter_async_context(WorkerPool())
        return self

    async def __aexit__(self, *failure: object) -> None:
        """Close every model, whatever happened."""
        self._open.clear()
        for client in self._clients.values():
            await client.close()
        await self._stack.aclose()

    def __call__(self, model: ModelBackend) -> Backend:
        """Return the backend of a model: the same one for the same model."""
        key = repr(model)
        if key not in self._open:
            self._open[key] = self._backend(model)
        return self._open[key]

    def client(self, endpoint: LoopbackEndpoint | None) -> "LoopbackClient":
        """Return the HTTP client of an endpoint."""
        from lao.backends.loopback import LoopbackClient

        where = endpoint or self._settings.endpoint
        return self._clients.setdefault(where, LoopbackClient(where))

    def _backend(self, model: ModelBackend) -> Backend:
        pool, settings, limits = self._pool, self._settings, self._limits
        assert pool is not None, "use `async with Backends(…)`"  # noqa: S101
        match model:
            case Ollama():
                from lao.backends.ollama import OllamaBackend

                return OllamaBackend(
                    model,
                    self.client(model.endpoint),
                    require_no_cloud=settings.require_no_cloud,
                )
            case LlamaCpp():
                from lao.backends.llama_cpp import LlamaCppBackend

                return LlamaCppBackend(
                    model,
                    pool,
                    parallel=settings.per_model,
                    limits=limits,
                    cache_folder=settings.folders.cache,
                )
            case WhisperCpp():
                from lao.backends.recordings import find_ffmpeg
                from lao.backends.whisper_cpp import WhisperCppBackend

                return WhisperCppBackend(
                    model,
                    pool,
                    ffmpeg=find_ffmpeg(),
                    limits=limits,
                    cache_folder=settings.folders.cache,
                )
            case Embedded():
                return _embedded(model, pool, limits)
            case Custom():
                from lao.backends.in_worker import (
                    InWorker,
                    custom_spec,
                )

                return InWorker(custom_spec(model, limits), pool)
            case _:
                assert_never(model)


def _embedded(model: Embedded, pool: "WorkerPool", limits: WorkerLimits) -> Backend:
    from lao.backends.in_worker import InWorker, embedded_spec

    backend = InWorker(embedded_spec(model, limits), pool)
    if model.name != "speech":
        return backend
    from lao.backends.recordings import WithRecordings, find_ffmpeg

    return WithRecordings(backend, ffmpeg=find_ffmpeg())


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """How to carry out one run."""

    sinks: Sequence[EventSink] = ()
    output_folder: Path = field(default_factory=Path)
    store: RunStore = field(default_factory=MemoryRunStore)
    cache: ResultCache = field(default_factory=MemoryCache)
    limits: RunLimits | None = None


async def execute(
    plan: Plan,
    inputs: Mapping[str, Value],
    settings: Settings,
    options: RunOptions | None = None,
) -> RunResult:
    """Run a plan once, in processes and connections of its own."""
    chosen = options or RunOptions()
    limits = chosen.limits or RunLimits(
        per_model=settings.per_model, parallel_steps=settings.parallel_steps
    )
    clock = SystemClock()
    journal = Journal(
        run=uuid4().hex[:12], store=chosen.store, sinks=chosen.sinks, clock=clock
    )
    async with Backends(settings) as backends:
        worker = StepWorker(
            backends=backends,
            cache=chosen.cache,
            journal=journal,
            clock=clock,
            slots=ModelSlots(limits.per_model),
            limits=limits,
            writer=RequestWriter(limits),
            output_folder=chosen.output_folder,
        )
        runner = Runner(
            plan=plan,
            worker=worker,
            journal=journal,
            clock=clock,
            limits=limits,
            locality=LOCALITY,
        )
        return await runner.run(inputs)
