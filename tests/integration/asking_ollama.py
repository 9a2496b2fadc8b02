# SPDX-License-Identifier: Apache-2.0
"""Ways to ask a scripted Ollama server one thing."""

from contextlib import asynccontextmanager

import pytest
from tests.fake_ollama import MODEL, FakeOllama
from tests.integration.backend_contract import Heard

from lao.backends.loopback import LoopbackClient
from lao.backends.ollama import OllamaBackend
from lao.errors import LaoError
from lao.workflow.inference import ModelRequest
from lao.workflow.local_models import Ollama

CANARY = "the launch code is 7741-ALPHA-ZEBRA"
ASK = ModelRequest(prompt=CANARY, system=f"{CANARY} {CANARY}")


@asynccontextmanager
async def backend_for(server, *, model=MODEL, no_cloud=False, limits=None, **how):
    pauses = []

    async def sleep(seconds):
        pauses.append(seconds)

    client = LoopbackClient(server.endpoint, limits=limits)
    kind = Ollama(model=model, endpoint=server.endpoint, **how)
    backend = OllamaBackend(kind, client, require_no_cloud=no_cloud, sleep=sleep)
    backend.pauses = pauses
    try:
        yield backend
    finally:
        await backend.close()


async def infer(routes=None, request=ASK, heard=None, **how):
    """Ask a server with these routes once; return the reply and the server."""
    async with FakeOllama(routes) as server, backend_for(server, **how) as backend:
        return await backend.infer(request, heard or Heard()), server


async def complaint(routes=None, request=ASK, **how):
    """Ask a server with these routes once; return the error and the server."""
    async with FakeOllama(routes) as server, backend_for(server, **how) as backend:
        with pytest.raises(LaoError) as caught:
            await backend.infer(request, Heard())
        return caught.value, server
