# SPDX-License-Identifier: Apache-2.0
"""A fake Ollama in a thread of its own, for tests that wait for a process."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.fake_ollama import FakeOllama, Reply


@contextmanager
def serving(routes: dict[str, Reply] | None = None) -> Iterator[FakeOllama]:
    """Run a fake until the block ends; look at what it saw whenever you like."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    fake = FakeOllama(routes)
    try:
        asyncio.run_coroutine_threadsafe(fake.__aenter__(), loop).result(30)
        try:
            yield fake
        finally:
            asyncio.run_coroutine_threadsafe(fake.__aexit__(), loop).result(30)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def client_leaves(fake: FakeOllama) -> bool:
    """Wait until a client has closed its connection."""
    loop = fake._server.get_loop()
    left = asyncio.wait_for(fake.client_left.wait(), 30)
    return asyncio.run_coroutine_threadsafe(left, loop).result()
