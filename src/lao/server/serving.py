# SPDX-License-Identifier: Apache-2.0
"""Serves an app on a listener, behind the guard, until it is cancelled."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final

import uvicorn

from lao.server.app import App
from lao.server.guard import Address, Guard
from lao.server.listening import Listener
from lao.server.protocol import BoundedProtocol
from lao.server.tokens import Tokens

_GRACE: Final = 2  # seconds that requests under way have at the end
_LARGEST_HEAD: Final = 16 << 10


class _Server(uvicorn.Server):
    """Leaves signals to the command, which ends the server by cancelling it."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def answering(
    app: App, listener: Listener, tokens: Tokens
) -> AsyncIterator[asyncio.Task[None]]:
    """Answer requests within the block; yield the task that does, should it fail.

    At the end no request is taken any more, streams end, and what is under way has a
    moment to become an answer.
    """
    guard = Guard(app, address=Address(host=listener.host), tokens=tokens)
    config = uvicorn.Config(
        guard,
        loop="asyncio",
        http=BoundedProtocol,
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        log_level="critical",  # a request's failures are answers, not lines here
        access_log=False,
        proxy_headers=False,
        server_header=False,
        h11_max_incomplete_event_size=_LARGEST_HEAD,
        timeout_graceful_shutdown=_GRACE,
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener.socket]))
    try:
        yield serving
    finally:
        app.close()
        server.should_exit = True
        await serving
