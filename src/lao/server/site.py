# SPDX-License-Identifier: Apache-2.0
"""Puts the editor's server together: workspace, models, runs, routes; and serves it."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from lao import __version__
from lao.config import Settings
from lao.editor.folder import Folder
from lao.editor.workspace import Workspace
from lao.isolation.confinement import Confinement
from lao.runtime import Session
from lao.server.about import (
    about_routes,
    described,
    view_examples,
    view_locality,
)
from lao.server.answers import Answer
from lao.server.app import App
from lao.server.catalogue import catalogue_routes, steps_ahead
from lao.server.documents import document_routes
from lao.server.listening import Listener
from lao.server.media import media_routes
from lao.server.messages import ServerView, WorkspaceMessage
from lao.server.run_routes import run_routes
from lao.server.runs import Runs
from lao.server.serving import answering
from lao.server.sessions import Links, session_routes
from lao.server.streams import Feed

if TYPE_CHECKING:
    from lao.store.opening import Store

_POLL_SECONDS: Final = 1.0


class Site(Struct, frozen=True, kw_only=True):
    """What there is before the lock: the folder, the page, the listener, who may ask.

    `signed_in` hears of every page that used a link.
    """

    folder: Folder
    settings: Settings
    page: Mapping[str, Answer]
    listener: Listener
    links: Links
    signed_in: Callable[[], None]


async def serve(site: Site, *, confinement: Confinement, store: "Store | None") -> None:
    """Serve until this is cancelled; then end streams, cancel runs, close journals."""
    settings, feed = site.settings, Feed[WorkspaceMessage]()

    def tell(kind: str, what: Mapping[str, object]) -> None:
        message = {"sequence": feed.latest + 1, "kind": kind, **what}
        feed.publish(msgspec.convert(message, WorkspaceMessage))

    async with AsyncExitStack() as stack:
        workspace = Workspace(site.folder, settings, tell)
        stack.callback(workspace.close)
        session = Session(settings, store, confinement=confinement)
        await stack.enter_async_context(session)
        runs = await stack.enter_async_context(
            Runs(
                workspace=workspace,
                session=session,
                store=store,
                settings=settings,
                tell=tell,
            )
        )

        def view() -> ServerView:
            return ServerView(
                version=__version__,
                folder=str(site.folder.root),
                locality=view_locality(confinement, runs.attempts),
                is_kept=store is not None,
                model=settings.model or "",
                speech_model=settings.speech_model or "",
            )

        tasks = await stack.enter_async_context(asyncio.TaskGroup())
        steps = tasks.create_task(steps_ahead(settings, site.folder))
        examples = tasks.create_task(asyncio.to_thread(view_examples))
        routes = [
            *session_routes(site.links, site.signed_in),
            *about_routes(view, examples, feed),
            *document_routes(workspace),
            *catalogue_routes(site.folder, settings, confinement, steps),
            *run_routes(runs),
            *media_routes(site.folder),
        ]
        app = App(described(routes), site.page, shows_traces=settings.debug)
        polling = tasks.create_task(_poll(workspace))
        stack.callback(polling.cancel)
        async with answering(app, site.listener, site.links.tokens) as serving:
            await asyncio.shield(serving)


async def _poll(workspace: Workspace) -> None:
    """Look every second at what changed on the disk, and bring journals to it."""
    while True:
        await asyncio.sleep(_POLL_SECONDS)
        workspace.poll()
