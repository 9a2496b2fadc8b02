# SPDX-License-Identifier: Apache-2.0
"""The composition root: puts together what a run needs, from the settings."""

import asyncio
import time
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self
from uuid import uuid4

from msgspec import Struct, field
from msgspec.structs import replace

from lao import __version__
from lao.backend_factory import Backends
from lao.config import Settings
from lao.engine.attempt import ModelSlots, StepWorker
from lao.engine.file_digests import FileDigests
from lao.engine.journal import Journal
from lao.engine.memory import MemoryCache, NoRunStore
from lao.engine.naming import Namer
from lao.engine.recall import recall
from lao.engine.requests import RequestWriter
from lao.engine.runner import Runner, RunResult
from lao.errors import UsageError
from lao.events import Event
from lao.kept_files import KeptFiles
from lao.planning.compiler import compile_workflow
from lao.planning.engines import Catalog, at_base
from lao.planning.plan import Plan
from lao.planning.problems import Locate, nowhere
from lao.plugins.installed import Manifests
from lao.policy import Locality, LoopbackEndpoint, RunLimits
from lao.recipes import find_recipes
from lao.roles import Clock, EventSink, ResultCache, RunStore
from lao.workflow.kept_nodes import KeptNodes
from lao.workflow.local_models import (
    Installed,
    ModelBackend,
    parse_model,
)
from lao.workflow.steps import Recipe, StepId, Workflow
from lao.workflow.values import Value

if TYPE_CHECKING:
    from lao.engine.forecast import StepForecast
    from lao.isolation.confinement import Confinement
    from lao.store.opening import Store


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


def find_catalog(settings: Settings, *, base: Path) -> Catalog:
    """Return the recipes in reach of `base`, the plugins, and the configured models."""
    folders = (base / "recipes", settings.folders.config / "recipes")
    return Catalog(
        recipes=find_recipes(folders, kept_nodes(settings)),
        plugins=Manifests(settings.folders.data),
        chat=_configured(settings.model),
        speech=_configured(settings.speech_model),
    )


def kept_nodes(settings: Settings) -> KeptNodes:
    """Return what is kept of files that were read; an ephemeral run adds nothing."""
    folder = settings.folders.cache / "documents"
    return KeptNodes(
        KeptFiles(folder=folder, writes=not settings.ephemeral), __version__
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
            "kind:name (ollama, llama.cpp, whisper.cpp, embedded, custom, plugin)",
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


def _unconfined(settings: Settings) -> "Confinement":
    from lao.isolation.confinement import unconfined

    return unconfined(accept_none=settings.accept_no_isolation)


def locality_of(confinement: "Confinement") -> Locality:
    """Say what the kernel enforces: of this process, and of every worker."""
    from lao.isolation.levels import NAMES

    level = confinement.launcher.machine.level
    held = f"{level} {NAMES[level]}"
    if level == "L0":
        words = f"{held} · not enforced by the kernel"
    elif confinement.proof is None:
        words = f"{held} workers · this process itself is not locked"
    else:
        words = f"{held} · {_reach(confinement.endpoints)}"
    return Locality(words=words, level=level, proof=confinement.proof)


def _reach(endpoints: Sequence[LoopbackEndpoint]) -> str:
    if not endpoints:
        return "the kernel refuses every connection"
    ours = ", ".join(each.url.removeprefix("http://") for each in endpoints)
    return f"the kernel refuses every connection but to {ours}"


def store_exists(settings: Settings) -> bool:
    """Whether anything was ever kept."""
    return (settings.folders.data / "lao.db").exists()


def open_store(settings: Settings) -> "Store":
    """Open what is kept of runs, in the data folder.

    Raises:
        StoreError: it cannot be used; it is left as it is.
    """
    from lao.store.opening import open_store

    return open_store(
        settings.folders.data,
        durability=settings.durability,
        cache_bytes=settings.cache_size,
    )


def new_run_id() -> str:
    """Return a name for a run that no other has."""
    return uuid4().hex[:12]


class RunOptions(Struct, frozen=True, kw_only=True, dict=True):
    """How to carry out one run.

    `past` are the events of its earlier part, for a run that goes on.
    """

    run: str = field(default_factory=new_run_id)
    sinks: Sequence[EventSink] = ()
    output_folder: Path = field(default_factory=Path)
    past: Iterable[Event] | None = None


class Session:
    """Carries out runs that share models, limits and store. Used as `async with`.

    `backends` opens the models, `clock` tells the time: those of this machine, if
    no others are given. `confinement` is what locks this process; without one only
    the workers are locked.

    Without a store nothing is kept. With one, the run has been entered there, and
    whoever entered it releases it.
    """

    def __init__(
        self,
        settings: Settings,
        store: "Store | None" = None,
        *,
        backends: Backends | None = None,
        clock: Clock | None = None,
        confinement: "Confinement | None" = None,
    ) -> None:
        self.settings = settings
        self._limits = RunLimits(
            per_model=settings.per_model, parallel_steps=settings.parallel_steps
        )
        self._runs: RunStore = NoRunStore() if store is None else store.runs
        self._cache: ResultCache = MemoryCache() if store is None else store.results
        self.clock = clock or SystemClock()
        self._confinement = confinement or _unconfined(settings)
        self._backends = backends or Backends(settings, self._confinement)
        self._files = FileDigests()
        self._namer = Namer(self._backends, files=self._files)
        self._slots = ModelSlots(self._limits.per_model)
        self._writer = RequestWriter(self._limits)

    async def __aenter__(self) -> Self:
        """Open nothing yet: models load when they are asked."""
        await self._backends.__aenter__()
        return self

    async def __aexit__(self, *failure: object) -> None:
        """Close every model."""
        await self._backends.__aexit__(*failure)

    @property
    def locality(self) -> Locality:
        """What holds the data of these runs on this machine."""
        return locality_of(self._confinement)

    async def require_plugins(self, plan: Plan) -> None:
        """Refuse a plan with a plugin that may not run, before anything does.

        Raises:
            LaoError: it is not there, not trusted, changed since, or not locked enough.
        """
        for model in plan.models:
            if isinstance(model, Installed):
                await self._backends(model).identify()

    async def file_digest(self, path: str) -> str:
        """Return "sha256:…" of a file's content; read once while it stays the same.

        Raises:
            StepError: it cannot be read.
        """
        return await self._files.digest(path)

    async def run(
        self, plan: Plan, inputs: Mapping[str, Value], options: RunOptions | None = None
    ) -> RunResult:
        """Run a plan, or go on with a run of it.

        Raises:
            LaoError: a plugin of the plan may not run; nothing ran.
        """
        await self.require_plugins(plan)
        chosen = options or RunOptions()
        recalled = None if chosen.past is None else recall(plan, chosen.past)
        journal = Journal(
            run=chosen.run,
            store=self._runs,
            sinks=chosen.sinks,
            clock=self.clock,
            sequence=recalled.sequence if recalled else 0,
        )
        worker = StepWorker(
            backends=self._backends,
            namer=self._namer,
            cache=self._cache,
            journal=journal,
            clock=self.clock,
            slots=self._slots,
            limits=self._limits,
            writer=self._writer,
            output_folder=chosen.output_folder,
        )
        runner = Runner(
            plan=plan,
            worker=worker,
            journal=journal,
            clock=self.clock,
            limits=self._limits,
            locality=self.locality,
            recalled=recalled,
        )
        return await runner.run(inputs)

    async def forecast(
        self,
        plan: Plan,
        inputs: Mapping[str, Value],
        earlier: Mapping[str, Mapping[str, str]],
    ) -> Mapping[StepId, "StepForecast"]:
        """Say what a run would do; no model answers, and nothing is kept.

        `inputs` may lack some. `earlier` holds what each step's latest result was
        made of.
        """
        from lao.engine.forecast import Sources, forecast

        sources = Sources(
            backends=self._backends,
            cache=self._cache,
            writer=self._writer,
            files=self._files,
        )
        return await forecast(plan, inputs, sources, earlier)
