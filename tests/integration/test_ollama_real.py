# SPDX-License-Identifier: Apache-2.0
"""The backend keeps its contract on a real Ollama, where there is one.

The program is looked for at $LAO_OLLAMA, on PATH, and where people put it. It gets
a home and a model folder of its own, and the tiny model through its API.
"""

import hashlib
import http.client
import json
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest
from tests.integration.backend_contract import BackendContract, Heard

from lao.backends.loopback import LoopbackClient
from lao.backends.ollama import (
    OllamaBackend,
    cloud_status,
    list_models,
    server_version,
)
from lao.errors import StepError
from lao.policy import LoopbackEndpoint
from lao.workflow.inference import ModelRequest
from lao.workflow.local_models import Ollama

ROOT = Path(__file__).parents[2]
PLACES = (
    os.environ.get("LAO_OLLAMA", ""),  # noqa: TID251  (a test may read it)
    shutil.which("ollama") or "",
    str(Path.home() / "go/bin/ollama"),
    str(ROOT / ".ollama/bin/ollama"),
)
PROGRAM = next((place for place in PLACES if os.access(place, os.X_OK)), None)

pytestmark = pytest.mark.skipif(
    PROGRAM is None, reason="no Ollama here; name its program in $LAO_OLLAMA"
)


def call(port, method, path, body=b""):
    """Return the body of an answer, which must be a success."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, body)
        response = connection.getresponse()
        content = response.read()
        assert response.status in {200, 201}, content
        return content
    finally:
        connection.close()


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_until_ready(process, port):
    deadline = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < deadline:
        try:
            return call(port, "GET", "/api/version")
        except OSError:
            time.sleep(0.05)  # another process; it has no other way to tell
    pytest.fail("Ollama did not start")


def give_model(port, name, gguf):
    content = gguf.read_bytes()
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    call(port, "POST", f"/api/blobs/{digest}", content)
    recipe = {"model": name, "files": {gguf.name: digest}, "stream": False}
    call(port, "POST", "/api/create", json.dumps(recipe).encode())


@pytest.fixture(scope="module")
def port(tmp_path_factory, tiny_gguf):
    home = tmp_path_factory.mktemp("ollama")
    port = free_port()
    environment = {
        "HOME": str(home),
        "OLLAMA_HOST": f"127.0.0.1:{port}",
        "OLLAMA_MODELS": str(home / "models"),
        "OLLAMA_NO_CLOUD": "1",
        "PATH": "/usr/bin:/bin",
        "TMPDIR": str(home),
    }
    with (home / "log").open("wb") as log:
        command = [PROGRAM, "serve"]
        with subprocess.Popen(
            command, env=environment, stdout=log, stderr=log
        ) as process:
            try:
                wait_until_ready(process, port)
                give_model(port, "tiny", tiny_gguf)
                yield port
            finally:
                process.terminate()


class TestOllamaBackendOnOllama(BackendContract):
    @pytest.fixture
    async def client(self, port):
        client = LoopbackClient(LoopbackEndpoint(f"http://127.0.0.1:{port}"))
        yield client
        await client.close()

    @pytest.fixture(params=["chat", "generate"])
    def backend(self, client, request):
        options = {"num_thread": 1, "temperature": 0}
        model = Ollama(model="tiny", mode=request.param, options=options)
        return OllamaBackend(model, client)

    @pytest.fixture
    def missing(self, client):
        return OllamaBackend(Ollama(model="none"), client)

    async def test_a_prompt_that_is_too_long_is_refused(self, backend):
        long_prompt = ModelRequest(prompt="word " * 3000, options={"num_predict": 2})
        with pytest.raises(StepError, match=r"ollama\.prompt-too-long"):
            await backend.infer(long_prompt, Heard())

    async def test_several_texts_give_several_embeddings(self, backend):
        request = ModelRequest(input=["a", "b"], wants="embedding")
        assert len((await backend.infer(request, Heard())).value) == 2

    async def test_a_text_that_is_too_long_is_not_embedded(self, backend):
        request = ModelRequest(input="word " * 3000, wants="embedding")
        with pytest.raises(StepError, match=r"ollama\.prompt-too-long"):
            await backend.infer(request, Heard())

    async def test_a_short_bound_on_the_answer_is_noted(self, backend):
        request = ModelRequest(prompt="Hello", options={"num_predict": 2})
        reply = await backend.infer(request, Heard())
        assert reply.tokens_out == 2
        assert "num_predict" in reply.notes[0]

    async def test_the_server_tells_of_itself(self, client):
        (one,) = await list_models(client)
        assert (one.name, one.refused) == ("tiny:latest", None)
        assert await server_version(client)
        assert await cloud_status(client) in {None, True}
