# SPDX-License-Identifier: Apache-2.0
"""`--dry-run` and `--explain`: what a run would do, from what is kept of earlier ones."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from lao.cli.confined import confined
from lao.cli.given import Given
from lao.cli.scratch import Scratch
from lao.cli.terminal import write_note
from lao.config import Settings
from lao.durable import Prepared
from lao.engine.forecast import StepForecast, known_inputs
from lao.events import StepFinished
from lao.runtime import Session, new_run_id, open_store, store_exists
from lao.workflow.steps import StepId
from lao.workflow.values import Value

if TYPE_CHECKING:
    from lao.store.opening import Store

_RUNS = 20  # to look through for the latest result of each step
Earlier = Mapping[str, Mapping[str, str]]


def foretell(
    prepared: Prepared, inputs: Sequence[str], settings: Settings
) -> Mapping[StepId, StepForecast]:
    """Return what would become of each step; runs nothing and keeps nothing.

    Raises:
        LaoError: an input cannot be used, or what is kept cannot be read.
    """
    plan = prepared.plan
    with ExitStack() as stack:
        store = None
        if not settings.ephemeral and store_exists(settings):
            store = stack.enter_context(open_store(settings))
        passing = replace(settings, ephemeral=True)
        scratch = stack.enter_context(Scratch(passing, new_run_id()))
        given = Given(plan.inputs, scratch.folder)
        given.take(inputs)
        values, problems = known_inputs(plan.inputs, given.values, Path(plan.base))
        for problem in problems:
            write_note(f"note[{problem.code}]: {problem.what}")
        earlier = {} if store is None else _earlier(store, prepared)
        confinement = stack.enter_context(confined(settings, plan.models))
        session = Session(settings, store, confinement=confinement)
        return asyncio.run(_foretold(prepared, values, earlier, session))


async def _foretold(
    prepared: Prepared,
    values: Mapping[str, Value],
    earlier: Earlier,
    session: Session,
) -> Mapping[StepId, StepForecast]:
    async with session:
        return await session.forecast(prepared.plan, values, earlier)


def _earlier(store: "Store", prepared: Prepared) -> Earlier:
    """Return what each step's latest result was made of, where a run still tells.

    Any other chain tells something of one: its steps are named after what they do.
    """
    found: dict[str, Mapping[str, str]] = {}
    for record in store.runs.listed(workflow=prepared.plan.name, limit=_RUNS):
        if prepared.source_digest and record.source != prepared.source:
            continue
        for event in store.runs.each_event(record):
            fact = event.fact
            if isinstance(fact, StepFinished) and fact.ingredients:
                found.setdefault(fact.step, fact.ingredients)
        if found.keys() >= prepared.plan.steps.keys():
            break
    return found
