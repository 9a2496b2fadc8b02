# SPDX-License-Identifier: Apache-2.0
"""Ollama's protocol without a model: pieces of text at a steady pace, each with its time.

    python -m benchmarks.token_server

The first line of stdout is the port; it ends with its stdin. A prompt says what is
wanted: "1000 pieces, 100 a second, 40 characters". Piece 7 is "7@MILLISECONDS", the
time at which it was sent by this machine's clock, filled up to its characters.
"""

import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from typing import Any

from benchmarks.editor_graphs import MODEL
from tests.ollama_double import Handler

_WANTED = re.compile(r"(\d+) pieces, (\d+) a second, (\d+) characters")


class Talker:
    """What stands in for the model: it counts and looks at the clock."""

    name = MODEL
    size = 1
    digest = "ab" * 32
    entry: Mapping[str, Any] = {
        "name": f"{MODEL}:latest",
        "model": f"{MODEL}:latest",
        "modified_at": "2026-01-01T00:00:00Z",
        "size": size,
        "digest": digest,
        "details": {"format": "gguf", "family": "llama", "families": ["llama"]},
    }

    def matches(self, asked: str) -> bool:
        """Whether it is meant: always."""
        return bool(asked)

    def complete(
        self, body: Mapping[str, Any], take: Callable[[dict[str, Any]], bool | None]
    ) -> None:
        """Give the pieces that the prompt asks for, each at its time."""
        found = _WANTED.search(body["messages"][-1]["content"])
        pieces, per_second, characters = (
            map(int, found.groups()) if found else (1, 1, 0)
        )
        began = time.monotonic()
        for number in range(pieces):
            time.sleep(max(0.0, began + number / per_second - time.monotonic()))
            said = f" {number}@{time.time() * 1e3:.1f}".ljust(characters, ".")
            if take({"choices": [{"delta": {"content": said}}]}):
                return


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Say nothing of clients that went away."""


@contextmanager
def running_talker() -> Iterator[str]:
    """Run it in a process of its own; yield its address."""
    command = [sys.executable, "-m", "benchmarks.token_server"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        try:
            yield f"http://127.0.0.1:{int(next(iter(process.stdout or ())))}"
        finally:
            process.kill()


def main() -> None:
    """Serve until stdin ends."""
    handler = type("Talking", (Handler,), {"llama": Talker()})
    with _Quiet(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(server.server_port, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
