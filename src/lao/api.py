# SPDX-License-Identifier: Apache-2.0
"""LAO from Python: run a workflow, wait for it or watch it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from lao.config import Settings, load_settings
from lao.engine.inputs import bind_inputs
from lao.engine.runner import RunResult
from lao.errors import LaoError, Problem
from lao.events import Event
from lao.planning.plan import Plan
from lao.runtime import RunOptions, execute, make_plan
from lao.workflow.document import read_workflow_file
from lao.workflow.steps import Workflow
from lao.workflow.values import Value


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
) -> RunResult:
    """Run a workflow and return its result; not to be called in an event loop.

    Inputs are text, JSON data or paths, as the workflow declares them.

    Raises:
        InvalidWorkflow: the workflow is wrong; every problem is listed.
        UsageError: an input is missing or cannot be used.
        RunFailed: a step failed; `error.result` holds what was made.
    """
    return asyncio.run(run_async(workflow, inputs=inputs, settings=settings))


async def run_async(
    workflow: Workflow,
    *,
    inputs: Mapping[str, object] | None = None,
    settings: Settings | None = None,
) -> RunResult:
    """Run a workflow and return its result. Raises as `run` does."""
    plan, values, used = _prepared(workflow, inputs, settings)
    result = await execute(plan, values, used)
    if result.failures:
        raise RunFailed(result)
    return result


async def stream_events(
    workflow: Workflow,
    *,
    inputs: Mapping[str, object] | None = None,
    settings: Settings | None = None,
) -> AsyncIterator[Event]:
    """Run a workflow and yield its events as they happen.

    A failed step is an event here, not an error. Leaving the loop cancels the run.
    """
    plan, values, used = _prepared(workflow, inputs, settings)
    events: asyncio.Queue[Event | None] = asyncio.Queue()

    async def tell_all() -> None:
        try:
            await execute(plan, values, used, RunOptions(sinks=[events.put_nowait]))
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


def _prepared(
    workflow: Workflow, inputs: Mapping[str, object] | None, settings: Settings | None
) -> tuple[Plan, dict[str, Value], Settings]:
    used = settings or load_settings()
    plan = make_plan(workflow, used)
    return plan, bind_inputs(plan.inputs, inputs or {}, Path(plan.base)), used
