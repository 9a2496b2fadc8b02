# SPDX-License-Identifier: Apache-2.0
"""A model server on loopback that keeps every byte it gets and answers by script."""

import asyncio
import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Self, TypeAlias

from lao.policy import LoopbackEndpoint

MODEL = "llama3.2"
DIGEST = "ab" * 32


class Act(Enum):
    """What a server may do instead of sending bytes."""

    CLOSE = auto()
    RESET = auto()
    HANG = auto()  # says nothing more until the client goes away


@dataclass(frozen=True)
class Flood:
    """Sends the same bytes until the client goes away."""

    part: bytes


Reply: TypeAlias = Sequence[bytes | Act | Flood]


def answer(value: object, status: int = 200) -> Reply:
    """Return a JSON answer."""
    return text_answer(json.dumps(value), status)


def text_answer(text: str, status: int = 200, kind: str = "application/json") -> Reply:
    """Return an answer with a length."""
    body = text.encode()
    head = f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\n"
    return [f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body]


STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)
STREAM_END = b"0\r\n\r\n"


def chunk(content: bytes) -> bytes:
    """Return one HTTP chunk."""
    return b"%x\r\n%s\r\n" % (len(content), content)


def lines(*values: object) -> list[bytes]:
    """Return JSON lines, each in an HTTP chunk of its own."""
    texts = (json.dumps(value, ensure_ascii=False) for value in values)
    return [chunk(f"{text}\n".encode()) for text in texts]


def stream(*values: object) -> Reply:
    """Return a whole streamed answer."""
    return [STREAM_HEAD, *lines(*values), STREAM_END]


def said(text: str, **more: object) -> dict[str, object]:
    """Return a line of `/api/chat`."""
    message = {"role": "assistant", "content": text}
    return {"model": MODEL, "message": message, "done": False, **more}


def done(**more: object) -> dict[str, object]:
    """Return the last line of `/api/chat`."""
    counts = {"prompt_eval_count": 11, "eval_count": 3, "eval_duration": 2_000_000_000}
    return {**said(""), "done": True, "done_reason": "stop", **counts, **more}


def shown(**more: object) -> Reply:
    """Return an answer of `/api/show`."""
    info = {"general.architecture": "llama", "llama.context_length": 2048}
    return answer({"model_info": info, "capabilities": ["completion"], **more})


def listed(name: str = MODEL, **more: object) -> dict[str, object]:
    """Return a line of `/api/tags`."""
    details = {"parameter_size": "3.2B", "quantization_level": "Q4_K_M"}
    return {"name": name, "size": 7, "digest": DIGEST, "details": details, **more}


def healthy() -> dict[str, Reply]:
    """Return the answers of a server on which everything works."""
    return {
        "/api/version": answer({"version": "0.18.2"}),
        "/api/status": answer({"cloud": {"disabled": True, "source": "env"}}),
        "/api/tags": answer({"models": [listed(f"{MODEL}:latest")]}),
        "/api/ps": answer({"models": []}),
        "/api/show": shown(),
        "/api/chat": stream(said("Hel"), said("lo"), done()),
        "/api/embed": answer({"embeddings": [[0.5, 1.0]], "prompt_eval_count": 2}),
    }


class FakeOllama:
    """Answers each path by script; unknown paths get 404.

    `scripts` holds the answers of a path, one for each request; the last stays.
    """

    def __init__(
        self, routes: Mapping[str, Reply] | None = None, *, host: str = "127.0.0.1"
    ) -> None:
        self.scripts = {k: [v] for k, v in {**healthy(), **(routes or {})}.items()}
        self.received = bytearray()
        self.requests: list[tuple[str, object]] = []
        self.connections = 0
        self.client_left = asyncio.Event()
        self._host = host
        self._serving: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def __aenter__(self) -> Self:
        if self._host.startswith("/"):
            self._server = await asyncio.start_unix_server(self._serve, self._host)
            return self
        self._server = await asyncio.start_server(self._serve, self._host, 0)
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self

    async def __aexit__(self, *exception: object) -> None:
        self._server.close()
        for writer in self._serving.values():
            writer.transport.abort()
        await asyncio.gather(*self._serving)
        await self._server.wait_closed()

    @property
    def endpoint(self) -> LoopbackEndpoint:
        """Where it is."""
        if self._host.startswith("/"):
            return LoopbackEndpoint(f"unix:{self._host}")
        host = f"[{self._host}]" if ":" in self._host else self._host
        return LoopbackEndpoint(f"http://{host}:{self.port}")

    @property
    def paths(self) -> list[str]:
        """The paths that were asked for, in order."""
        return [path for path, _ in self.requests]

    def bodies(self, path: str) -> list[dict[str, object]]:
        """Return what was posted to a path."""
        return [body for asked, body in self.requests if asked == path]

    def has_seen(self, secret: str) -> bool:
        """Whether `secret` arrived, plain or encoded in a usual way."""
        raw = secret.encode()
        # Base64 of a longer text: look for the part that does not depend on its place.
        spread = {base64.b64encode(b"x" * i + raw)[4:-4] for i in range(3)}
        forms = {
            raw,
            raw.hex().encode(),
            raw[::-1],
            base64.b32encode(raw)[:-8],
            *spread,
        }
        lowered = bytes(self.received).lower()
        return any(form.lower() in lowered for form in forms)

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.connections += 1
        self._serving[asyncio.current_task()] = writer
        try:
            while not writer.is_closing():
                path = await self._read_request(reader)
                await self._perform(self._script(path), reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            self.client_left.set()
        finally:
            writer.close()

    async def _read_request(self, reader: asyncio.StreamReader) -> str:
        head = await reader.readuntil(b"\r\n\r\n")
        self.received += head
        first, *fields = head.decode().split("\r\n")
        named = dict(field.lower().split(": ", 1) for field in fields if field)
        body = await reader.readexactly(int(named.get("content-length", 0)))
        self.received += body
        path = first.split()[1]
        self.requests.append((path, json.loads(body) if body else None))
        return path

    def _script(self, path: str) -> Reply:
        scripts = self.scripts.get(path)
        if not scripts:
            return text_answer("404 page not found", 404, "text/plain")
        return scripts.pop(0) if len(scripts) > 1 else scripts[0]

    async def _perform(
        self, reply: Reply, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        for part in reply:
            match part:
                case bytes():
                    writer.write(part)
                    await writer.drain()
                case Flood():
                    while True:
                        writer.write(part.part)
                        await writer.drain()
                case Act.CLOSE:
                    writer.close()
                case Act.RESET:
                    writer.transport.abort()
                case Act.HANG:
                    self.received += await reader.read()
                    self.client_left.set()
