# SPDX-License-Identifier: Apache-2.0
"""LAO itself, as `lao.run` carries runs out, with a model that costs nothing.

The model answers in this process: what is measured is the engine, the naming of
results, the journal, the cache. A step is a prompt and a list of what it needs.
"""

import asyncio
from pathlib import Path
from typing import Literal, cast

from benchmarks.dags import SEED, Dag, work

from lao.backend_factory import Backends
from lao.config import Folders, Settings
from lao.durable import Prepared, Selection, carry_out, prepare
from lao.events import Event
from lao.roles import Backend
from lao.runtime import RunOptions, Session, make_plan, open_store
from lao.workflow.inference import (
    ModelDescription,
    ModelReply,
    ModelRequest,
    Report,
)
from lao.workflow.local_models import Custom, ModelBackend
from lao.workflow.steps import StepId, Workflow, WorkflowStep


class Working:
    """A `Backend` that does `work` at once, in this process."""

    async def describe(self) -> ModelDescription:
        """Say what it is."""
        return ModelDescription(name="work")

    async def identify(self) -> str:
        """Name its content, which never changes."""
        return "sha256:work"

    async def infer(self, request: ModelRequest, _: Report) -> ModelReply:
        """Answer with the value of the node that the prompt names."""
        given = cast("list[str]", request.input)
        return ModelReply(value=work(request.prompt, given), made_by="work")

    def proof(self) -> None:
        """Return nothing: no worker answers."""

    async def close(self) -> None:
        """Let go of nothing."""


class InProcess(Backends):
    """The backends of a session in which every model is `Working`."""

    def _backend(self, _: ModelBackend) -> Backend:
        return Working()


def workflow_of(dag: Dag, *, cache: Literal["auto", "off"]) -> Workflow:
    """Return a graph as a workflow of model steps."""
    model = Custom(plugin="work.py")
    return Workflow(
        name=dag.name,
        inputs={},
        steps=[
            WorkflowStep(
                id=node,
                model=model,
                prompt_template=node,
                input=[f"{{{{ {need} }}}}" for need in needs] or [SEED],
                cache=cache,
            )
            for node, needs in dag.needs.items()
        ],
        outputs={"answer": f"{{{{ {dag.sink} }}}}"},
    )


def passing_on(dag: Dag) -> Workflow:
    """Return a graph as a workflow of steps without a model: LAO's own no-op.

    Each passes on what the first of its needs gave, and waits for all of them.
    """
    return Workflow(
        name=dag.name,
        inputs={},
        steps=[
            WorkflowStep(id=node, input=f"{{{{ {needs[0]} }}}}" if needs else SEED)
            for node, needs in dag.needs.items()
        ],
        connections=[
            (StepId(need), StepId(node))
            for node, needs in dag.needs.items()
            for need in needs[1:]
        ],
        outputs={"answer": f"{{{{ {dag.sink} }}}}"},
    )


def settings_in(
    folder: Path,
    data: Path | None = None,
    *,
    durability: Literal["process", "full"] = "process",
) -> Settings:
    """Return settings that keep everything below `folder`, or the runs in `data`."""
    folders = Folders(
        config=folder / "config", data=data or folder / "data", cache=folder / "cache"
    )
    return Settings(folders=folders, durability=durability)


class Listener:
    """Takes the events of runs and counts them: they are on, as for whoever watches."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, _: Event) -> None:
        """Take one."""
        self.count += 1


class InMemory:
    """A run that leaves nothing on disk, as with `--ephemeral`."""

    cache: Literal["auto", "off"] = "off"
    durability: Literal["process", "full"] | None = None

    def __init__(self, dag: Dag, folder: Path, data: Path | None = None) -> None:
        settings = settings_in(folder, data, durability=self.durability or "process")
        self.steps = len(dag.needs)
        self.store = open_store(settings) if self.durability else None
        self.loop = asyncio.new_event_loop()
        self.session = Session(settings, self.store, backends=InProcess(settings))
        self.loop.run_until_complete(self.session.__aenter__())
        self.prepared = self._prepared(dag, settings)

    def workflow(self, dag: Dag) -> Workflow:
        """Return what is run."""
        return workflow_of(dag, cache=self.cache)

    def _prepared(self, dag: Dag, settings: Settings) -> Prepared:
        workflow = self.workflow(dag)
        self.plan = make_plan(workflow, settings, recipes={})
        return prepare(workflow, self.plan, Selection())

    def run(self) -> str:
        """Run the plan once."""
        return self.loop.run_until_complete(self._run())

    async def _run(self) -> str:
        listener = Listener()
        options = RunOptions(sinks=(listener,))
        if self.store is None:
            result = await self.session.run(self.plan, {}, options)
        else:
            result = await carry_out(self.session, self.store, self.prepared, options)
        if listener.count < self.steps:
            return f"only {listener.count} events"
        return str(result.outputs.get("answer", result))

    def close(self) -> None:
        """Close session, store and loop."""
        self.loop.run_until_complete(self.session.__aexit__(None, None, None))
        if self.store is not None:
            self.store.close()
        self.loop.close()


class Durable(InMemory):
    """A run that survives `kill -9`, as by default; the cache is off."""

    durability = "process"


class Full(InMemory):
    """A run that survives power loss (`durability: full`); the cache is off."""

    durability = "full"


class Cached(Durable):
    """A durable run in which every result is known; the first run makes them."""

    cache = "auto"


class PassingOn(InMemory):
    """Steps without a model, in memory. What arrives at the end is the seed."""

    def __init__(self, dag: Dag, folder: Path, data: Path | None = None) -> None:
        super().__init__(dag, folder, data)
        self.answer = dag.answer

    def workflow(self, dag: Dag) -> Workflow:
        """Return what is run."""
        return passing_on(dag)

    def run(self) -> str:
        """Run the plan once; answer as the others do if the seed came through."""
        found = super().run()
        return self.answer if found == SEED else found


class PassingOnDurably(PassingOn):
    """The same, and it survives `kill -9`."""

    durability = "process"


class PassingOnFully(PassingOn):
    """The same, and it survives the loss of power."""

    durability = "full"


SUBJECTS = {
    "LAO no-op, in memory": PassingOn,
    "LAO no-op, durable": PassingOnDurably,
    "LAO no-op, durable full": PassingOnFully,
    "LAO model step, in memory": InMemory,
    "LAO model step, durable": Durable,
    "LAO model step, durable full": Full,
    "LAO model step, cached": Cached,
}
