# SPDX-License-Identifier: Apache-2.0
"""Routes of runs: starting and stopping them, following them, looking back."""

from collections.abc import AsyncIterator
from typing import Final

from lao.server.messages import (
    CancelRequest,
    ComparisonView,
    ForecastView,
    PinRequest,
    PinsView,
    RunMessage,
    RunReply,
    RunRequest,
    RunSummary,
    RunView,
    ValuePage,
)
from lao.server.routes import Call, Parameter, Route
from lao.server.runs import Runs

_LISTED: Final = 50
_MOST_LISTED: Final = 500
_PATH: Final = Parameter(name="path", about="A file below the folder, with '/'.")
_RUN: Final = Parameter(name="id", about="A run's id, its number, or `latest`.")


def run_routes(runs: Runs) -> list[Route]:
    """Return the routes; all of them ask `runs`."""
    return [*_acting(runs), *_looking(runs), *_looking_back(runs), *_pinning(runs)]


def _acting(runs: Runs) -> list[Route]:
    async def forecast(call: Call) -> ForecastView:
        return await runs.forecast(call.asks(RunRequest))

    async def start(call: Call) -> RunReply:
        return await runs.start(call.asks(RunRequest))

    async def cancel(call: Call) -> dict[str, None]:
        runs.cancel(call.asks(CancelRequest).run)
        return {}

    return [
        Route(
            method="POST",
            path="/api/forecast",
            handler=forecast,
            about="Say what a run would do; nothing runs.",
            body=RunRequest,
            reply=ForecastView,
        ),
        Route(
            method="POST",
            path="/api/runs",
            handler=start,
            about="Run a version of an open file.",
            body=RunRequest,
            reply=RunReply,
        ),
        Route(
            method="POST",
            path="/api/runs/cancel",
            handler=cancel,
            about="Stop a run.",
            body=CancelRequest,
            reply=dict[str, None],
        ),
    ]


def _looking(runs: Runs) -> list[Route]:
    async def run(call: Call) -> RunView:
        return runs.view(call.text("id"))

    async def events(call: Call) -> AsyncIterator[RunMessage]:
        return runs.follow(call.text("id"), call.number("after"))

    async def value(call: Call) -> ValuePage:
        step = call.text("step")
        return runs.page(call.text("id"), step, call.number("offset"))

    step = Parameter(
        name="step", about="A step, `inputs.NAME`, `outputs.NAME`, or `STEP.7`."
    )
    return [
        Route(
            method="GET",
            path="/api/run",
            handler=run,
            about="Tell all that is known of a run.",
            query=(_RUN,),
            reply=RunView,
        ),
        Route(
            method="GET",
            path="/api/run/events",
            handler=events,
            about="Follow the facts of a run, to its end.",
            kind="events",
            query=(_RUN, _number("after", "The number of the last fact seen.")),
            reply=RunMessage,
        ),
        Route(
            method="GET",
            path="/api/run/value",
            handler=value,
            about="Read on in a long value.",
            query=(_RUN, step, _number("offset", "The first character.")),
            reply=ValuePage,
        ),
    ]


def _looking_back(runs: Runs) -> list[Route]:
    async def listed(call: Call) -> list[RunSummary]:
        limit = min(call.number("limit", _LISTED), _MOST_LISTED)
        return runs.listed(call.text("path"), limit)

    async def compare(call: Call) -> ComparisonView:
        return runs.compare(call.text("a"), call.text("b"))

    return [
        Route(
            method="GET",
            path="/api/runs",
            handler=listed,
            about="List the runs of a file, the latest first.",
            query=(_PATH, _number("limit", "How many at most.")),
            reply=list[RunSummary],
        ),
        Route(
            method="GET",
            path="/api/compare",
            handler=compare,
            about="Say what differs between two runs.",
            query=(
                Parameter(name="a", about="A run, as in `id`."),
                Parameter(name="b", about="Another."),
            ),
            reply=ComparisonView,
        ),
    ]


def _pinning(runs: Runs) -> list[Route]:
    async def pins(call: Call) -> PinsView:
        return runs.pins(call.text("path"))

    async def pin(call: Call) -> PinsView:
        return runs.pin(call.asks(PinRequest))

    return [
        Route(
            method="GET",
            path="/api/pins",
            handler=pins,
            about="List the pins of a file.",
            query=(_PATH,),
            reply=PinsView,
        ),
        Route(
            method="POST",
            path="/api/pins",
            handler=pin,
            about="Use the output of an earlier run for a step, or no longer.",
            body=PinRequest,
            reply=PinsView,
        ),
    ]


def _number(name: str, about: str) -> Parameter:
    return Parameter(name=name, about=about, type="number", is_required=False)
