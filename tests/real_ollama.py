# SPDX-License-Identifier: Apache-2.0
"""Starts a real Ollama for tests, where there is one.

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
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PLACES = (
    os.environ.get("LAO_OLLAMA", ""),  # noqa: TID251  (a test may read it)
    shutil.which("ollama") or "",
    str(Path.home() / "go/bin/ollama"),
    str(ROOT / ".ollama/bin/ollama"),
)
PROGRAM = next((place for place in PLACES if os.access(place, os.X_OK)), None)

needs_ollama = pytest.mark.skipif(
    PROGRAM is None, reason="no Ollama here; name its program in $LAO_OLLAMA"
)


@contextmanager
def running_ollama(home: Path, model: Path) -> Iterator[int]:
    """Run Ollama with `model` under the name "tiny"; yield its port."""
    port = _free_port()
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
                _wait_until_ready(process, port)
                _give_model(port, "tiny", model)
                yield port
            finally:
                process.terminate()


def _call(port, method, path, body=b""):
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


def _free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def _wait_until_ready(process, port):
    deadline = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < deadline:
        try:
            return _call(port, "GET", "/api/version")
        except OSError:
            time.sleep(0.05)  # another process; it has no other way to tell
    pytest.fail("Ollama did not start")


def _give_model(port, name, gguf):
    content = gguf.read_bytes()
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    _call(port, "POST", f"/api/blobs/{digest}", content)
    recipe = {"model": name, "files": {gguf.name: digest}, "stream": False}
    _call(port, "POST", "/api/create", json.dumps(recipe).encode())
