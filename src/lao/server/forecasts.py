# SPDX-License-Identifier: Apache-2.0
"""What a run would do, and what stands in its way, as the page shows it on each step."""

from collections.abc import Iterable
from pathlib import Path

from msgspec.structs import replace

from lao.durable import Prepared
from lao.editor.messages import ProblemView
from lao.engine.forecast import StepForecast, known_inputs
from lao.errors import InvalidWorkflow, Problem, UsageError
from lao.history.earlier import Ingredients
from lao.runtime import Session
from lao.server.answers import error_reply
from lao.server.messages import ForecastView, StepForecastView
from lao.server.run_orders import Order
from lao.server.values import printable


async def view_forecast(
    order: Order, session: Session, earlier: Ingredients
) -> ForecastView:
    """Return what would become of each step; nothing runs and nothing is kept.

    Inputs that are missing or useless are notes: the steps that read them are blocked.
    """
    prepared = order.prepared
    plan = prepared.plan
    given, notes = order.known()
    values, others = known_inputs(plan.inputs, given, Path(plan.base))
    found = await session.forecast(plan, values, earlier)
    problems = views_of(order.problems)
    problems += [replace(v, severity="note") for v in views_of([*notes, *others])]
    steps = {str(name): _view(name, each, prepared) for name, each in found.items()}
    return ForecastView(steps=steps, problems=problems)


def refused(error: InvalidWorkflow | UsageError) -> ForecastView:
    """Return that there is nothing to run, and why."""
    return ForecastView(problems=views_of(error.problems))


def views_of(problems: Iterable[Problem]) -> list[ProblemView]:
    """Return problems as the page reads them."""
    return error_reply(problems).problems


def _view(name: str, found: StepForecast, prepared: Prepared) -> StepForecastView:
    if name in prepared.selection.pinned:
        return StepForecastView(status="pinned", reason="its output is pinned")
    return StepForecastView(
        status=found.status,
        reason=printable(found.reason),
        changed=list(found.changed),
    )
