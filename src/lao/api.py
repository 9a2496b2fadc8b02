# SPDX-License-Identifier: Apache-2.0
"""LAO from Python: run a workflow, wait for it or watch it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from lao.config import Settings, load_settings
from lao.durable import Prepared, Selection, carry_out, prepare, settled_base
from lao.engine.inputs import bind_inputs
from lao.engine.runner import RunResult
from lao.errors import LaoError, Problem
from lao.events import Event
from lao.runtime import RunOptions, Session, make_plan, open_store
from lao.workflow.document import read_workflow_file
from lao.workflow.steps import Workflow


class RunFailed(LaoError):
    """A run ended without being done. `result` holds what it made all the same."""

    def __init__(self, result: RunResult) -> None:
        first = result.failures[0]
        super().__init__(first.code, f"step {first.step!r}: {first.what}")
        self.problems = tuple(
            Problem(
                code=each.code, what=f"step {each.step!r}: {each.what}", mend=each.mend
            )
            for each in result.failures
        )
        self.result = result
        self.exit_code = result.exit_code  # type: ignore[misc]  # each run's own


def load(path: str | Path) -> Workflow:
    """Read a workflow file.

    Raises:
        LaoError: there is no such file, or it is not a workflow.
    """
    return read_workflow_file(Path(path)).workflow


def run(
    workflow: Workflow,
    *,
    inputs: Mapping[str, object] | None = None,
    settings: Settings | None = None,
    ephemeral: bool = False,
) -> RunResult:
    """Run a workflow and return its result; not to be called in an event loop.

    Inputs are text, JSON data or paths, as the workflow declares them. The run is
    kept in LAO's data folder, as those of the command line are, unless `ephemeral`.

    Raises:
        InvalidWorkflow: the workflow is wrong; every problem is listed.
        UsageError: an input is missing or cannot be used.
        StoreError: the run could not be kept.
        RunFailed: a step failed; `error.result` holds what was made.
    """
    return asyncio.run(
        run_async(workflow, inputs=inputs, settings=settings, ephemeral=ephemeral)
    )


async def run_async(
    workflow: Workflow,
    *,
    inputs: Mapping[str, object] | None = None,
    settings: Settings | None = None,
    ephemeral: bool = False,
) -> RunResult:
    """Run a workflow and return its result. Raises as `run` does."""
    job = _Job.of(workflow, inputs, settings, ephemeral=ephemeral)
    result = await job.carry_out(RunOptions())
    if result.failures:
        raise RunFailed(result)
    if result.unrecorded is not None:
        raise result.unrecorded
    return result


async def stream_events(
    workflow: Workflow,
    *,
    inputs: Mapping[str, object] | None = None,
    settings: Settings | None = None,
    ephemeral: bool = False,
) -> AsyncIterator[Event]:
    """Run a workflow and yield its events as they happen.

    A failed step is an event here, not an error. Leaving the loop cancels the run.
    """
    job = _Job.of(workflow, inputs, settings, ephemeral=ephemeral)
    events: asyncio.Queue[Event | None] = asyncio.Queue()

    async def tell_all() -> None:
        try:
            result = await job.carry_out(RunOptions(sinks=[events.put_nowait]))
            if result.unrecorded is not None:
                raise result.unrecorded
        finally:
            events.put_nowait(None)

    running = asyncio.create_task(tell_all())
    try:
        while (event := await events.get()) is not None:
            yield event
        await running
    finally:
        running.cancel()
        await asyncio.wait([running])


class _Job(Struct, frozen=True):
    """A plan with its inputs and the settings to run it with."""

    prepared: Prepared
    settings: Settings

    @classmethod
    def of(
        cls,
        workflow: Workflow,
        inputs: Mapping[str, object] | None,
        settings: Settings | None,
        *,
        ephemeral: bool,
    ) -> "_Job":
        used = settings or load_settings()
        if ephemeral:
            used = replace(used, ephemeral=True)
        workflow = settled_base(workflow)
        plan = make_plan(workflow, used)
        values = bind_inputs(plan.inputs, inputs or {}, Path(plan.base))
        ready = prepare(workflow, plan, Selection())
        return cls(replace(ready, inputs=values), used)

    async def carry_out(self, options: RunOptions) -> RunResult:
        if self.settings.ephemeral:
            async with Session(self.settings) as session:
                return await session.run(
                    self.prepared.plan, self.prepared.inputs, options
                )
        with open_store(self.settings) as store:
            async with Session(self.settings, store) as session:
                return await carry_out(session, store, self.prepared, options)
