# SPDX-License-Identifier: Apache-2.0
"""Routes that tell of the server itself: its lock, what changed, its own description."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence

import msgspec

from lao.editor.palette_messages import ExampleView
from lao.examples import describe_examples
from lao.isolation.confinement import Confinement
from lao.isolation.levels import NAMES
from lao.runtime import locality_of
from lao.server.description import describe
from lao.server.messages import LocalityView, ServerView, WorkspaceMessage
from lao.server.routes import Call, Parameter, Route
from lao.server.streams import Feed
from lao.workflow.values import JsonValue


def about_routes(
    view: Callable[[], ServerView],
    examples: asyncio.Future[list[ExampleView]],
    feed: Feed[WorkspaceMessage],
) -> list[Route]:
    """Return the routes; the first tells what `view` does, and the examples there are.

    To read those takes its time, so that it is begun before a page asks.
    """

    async def server(_: Call) -> ServerView:
        # Shielded: a page that leaves must not take the examples from the others.
        found = await asyncio.shield(examples)
        return msgspec.structs.replace(view(), examples=found)

    async def events(call: Call) -> AsyncIterator[WorkspaceMessage]:
        return _with_gap(feed, call.number("after"))

    return [
        Route(
            method="GET",
            path="/api/server",
            handler=server,
            about="Tell what this server is, and what the kernel enforces of it.",
            reply=ServerView,
        ),
        Route(
            method="GET",
            path="/api/events",
            handler=events,
            about="Follow what changes: files, the folder, runs.",
            kind="events",
            query=(
                Parameter(
                    name="after",
                    about="The number of the last one seen.",
                    type="number",
                    is_required=False,
                ),
            ),
            reply=WorkspaceMessage,
        ),
    ]


def described(routes: Sequence[Route]) -> list[Route]:
    """Return routes, and one that describes all of them."""
    found: list[Route] = [*routes]

    async def description(_: Call) -> dict[str, JsonValue]:
        return describe(found)

    found.append(
        Route(
            method="GET",
            path="/api/openapi.json",
            handler=description,
            about="Describe all of this.",
            reply=dict,
        )
    )
    return found


def view_locality(confinement: Confinement, attempts: int) -> LocalityView:
    """Return what the kernel enforces, as far as its processes proved it."""
    locality = locality_of(confinement)
    level = confinement.launcher.machine.level
    layers = {} if confinement.proof is None else dict(confinement.proof.layers)
    return LocalityView(
        level=level,
        name=NAMES[level],
        words=locality.words,
        is_enforced=level != "L0" and confinement.proof is not None,
        layers={name: _json(value) for name, value in layers.items()},
        endpoints=[each.url for each in confinement.endpoints],
        attempts=attempts,
    )


def view_examples() -> list[ExampleView]:
    """Return the workflows that come with LAO."""
    return [
        ExampleView(name=name, description=about)
        for name, about in describe_examples().items()
    ]


def _json(value: object) -> JsonValue:
    return value if isinstance(value, bool | int | str) else str(value)


async def _with_gap(
    feed: Feed[WorkspaceMessage], after: int
) -> AsyncIterator[WorkspaceMessage]:
    """Yield what came after; where some of it is lost, first that anything may differ."""
    if after and feed.misses(after):
        after = feed.latest
        yield WorkspaceMessage(sequence=after, kind="folder")
    async for message in feed.follow(after):
        yield message
