# SPDX-License-Identifier: Apache-2.0
"""`--dry-run` and `--explain`: what a run would do, from what is kept of earlier ones."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from msgspec.structs import replace

from lao.cli.confined import confined
from lao.cli.given import Given
from lao.cli.scratch import Scratch
from lao.cli.terminal import write_note
from lao.config import Settings
from lao.durable import Prepared
from lao.engine.forecast import StepForecast, known_inputs
from lao.history.earlier import Ingredients, earlier_ingredients
from lao.runtime import Session, new_run_id, open_store, store_exists
from lao.workflow.steps import StepId
from lao.workflow.values import Value


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
        earlier = {} if store is None else earlier_ingredients(store, prepared)
        confinement = stack.enter_context(confined(settings, plan.models))
        session = Session(settings, store, confinement=confinement)
        return asyncio.run(_foretold(prepared, values, earlier, session))


async def _foretold(
    prepared: Prepared,
    values: Mapping[str, Value],
    earlier: Ingredients,
    session: Session,
) -> Mapping[StepId, StepForecast]:
    async with session:
        return await session.forecast(prepared.plan, values, earlier)
