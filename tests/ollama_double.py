# SPDX-License-Identifier: Apache-2.0
"""Ollama's protocol on a real llama.cpp, for tests on machines without Ollama.

By hand: `python tests/ollama_double.py MODEL.gguf NAME PORT` (port 0: any free one);
the first line of stdout is the port. In tests: `with running_double(path, name) as url:`,
which runs the same in a process of its own.
"""

import hashlib
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

CONTEXT = 2048  # tokens for one request
SLOTS = 2
VERSION = "0.18.0"  # the first release that knows `NAME:local`

DETAILS = {
    "parent_model": "",
    "format": "gguf",
    "family": "llama",
    "families": ["llama"],
    "parameter_size": "0.2M",
    "quantization_level": "F32",
}
SAME = ("min_p", "repeat_penalty", "seed", "stop", "temperature", "top_k", "top_p")
OPTIONS = {"num_predict": "max_tokens"} | {name: name for name in SAME}


@contextmanager
def running_double(model: Path, name: str) -> Iterator[str]:
    """Run a double in a process of its own; yield its address."""
    command = [sys.executable, __file__, str(model), name, "0", "--until-stdin-ends"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


class Refusal(Exception):
    """An answer that is an error, with its HTTP status."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


class Llama:
    """The model: one llama.cpp server for text and one for embeddings."""

    def __init__(self, path: Path, name: str) -> None:
        content = path.read_bytes()
        self.name = name
        self.size = len(content)
        self.digest = hashlib.sha256(content).hexdigest()
        self._sockets = tempfile.TemporaryDirectory()
        self._text = self._open(path, embedding=False)
        self._embedding = self._open(path, embedding=True)

    def _open(self, path: Path, *, embedding: bool) -> Any:
        import xllamacpp

        params = xllamacpp.CommonParams()
        params.model.path = str(path)
        params.n_ctx = CONTEXT * SLOTS
        params.n_parallel = SLOTS
        params.cpuparams.n_threads = 1
        params.warmup = False
        params.verbosity = -1
        # It always listens; a socket in a private folder keeps it off the network.
        params.hostnames = [f"{self._sockets.name}/{int(embedding)}.sock"]
        if embedding:
            params.embedding = True
            params.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
        return xllamacpp.Server(params)

    def complete(self, body: Mapping[str, Any], take: Any) -> None:
        try:
            self._text.handle_chat_completions(body, take)
        except ValueError as problem:
            raise Refusal(400, str(problem)) from problem

    def embed(self, texts: list[str]) -> dict[str, Any]:
        found = self._embedding.handle_embeddings({"input": texts, "model": "m"})
        if "error" in found:
            raise Refusal(found["error"].get("code", 500), found["error"]["message"])
        return found

    def matches(self, asked: str) -> bool:
        asked = asked.strip().removesuffix(":local").removesuffix(":latest")
        return asked == self.name.removesuffix(":latest")

    @property
    def entry(self) -> dict[str, Any]:
        """The model's line in lists."""
        names = {"name": self.name, "model": self.name, "modified_at": rfc3339()}
        return {**names, "size": self.size, "digest": self.digest, "details": DETAILS}


def rfc3339(minutes: int = 0) -> str:
    moment = datetime.now(UTC) + timedelta(minutes=minutes)
    return moment.isoformat().replace("+00:00", "Z")


class Handler(BaseHTTPRequestHandler):
    """Answers Ollama's paths. `llama` is set on a subclass by `serve`."""

    protocol_version = "HTTP/1.1"
    llama: Llama

    def log_message(self, format: str, *values: object) -> None:  # noqa: A002
        pass

    def do_GET(self) -> None:
        entry = self.llama.entry
        loaded = {"expires_at": rfc3339(5), "size_vram": 0, "context_length": CONTEXT}
        match self.path:
            case "/":
                self._send(200, b"Ollama is running", "text/plain")
            case "/api/version":
                self._send_json({"version": VERSION})
            case "/api/status":
                self._send_json({"cloud": {"disabled": True, "source": "env"}})
            case "/api/tags":
                self._send_json({"models": [entry]})
            case "/api/ps":
                self._send_json({"models": [{**entry, **loaded}]})
            case _:
                self._send(404, b"404 page not found", "text/plain")

    def do_POST(self) -> None:
        try:
            request = self._read()
            match self.path:
                case "/api/show":
                    self._send_json(self._shown())
                case "/api/embed":
                    self._send_json(self._embedded(request))
                case "/api/chat" | "/api/generate":
                    Answer(self, request).give()
                case _:
                    self._send(404, b"404 page not found", "text/plain")
        except Refusal as refusal:
            self._send_json({"error": str(refusal)}, refusal.status)

    def _read(self) -> dict[str, Any]:
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            request = json.loads(content or b"null")
        except ValueError as problem:
            raise Refusal(400, str(problem)) from problem
        if not isinstance(request, dict):
            raise Refusal(400, "missing request body")
        name = request.get("model") or request.get("name") or ""
        if not name:
            raise Refusal(400, "model is required")
        if not self.llama.matches(name):
            raise Refusal(404, f"model '{name}' not found")
        return request

    def _shown(self) -> dict[str, Any]:
        context = {"llama.context_length": CONTEXT}
        return {
            "modelfile": "",
            "template": "",
            "details": DETAILS,
            "model_info": {"general.architecture": "llama", **context},
            "capabilities": ["completion", "embedding"],
            "modified_at": rfc3339(),
        }

    def _embedded(self, request: dict[str, Any]) -> dict[str, Any]:
        started = time.time_ns()
        texts = request.get("input", [])
        texts = [texts] if isinstance(texts, str) else texts
        if not isinstance(texts, list):
            raise Refusal(400, "invalid input type")
        nothing = {"data": [], "usage": {"prompt_tokens": 0}}
        found = self.llama.embed(texts) if texts else nothing
        return {
            "model": request["model"],
            "embeddings": [one["embedding"] for one in found["data"]],
            "total_duration": time.time_ns() - started,
            "load_duration": 0,
            "prompt_eval_count": found["usage"]["prompt_tokens"],
        }

    def begin_stream(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/x-ndjson")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def send_line(self, value: object) -> None:
        line = json.dumps(value).encode() + b"\n"
        self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
        self.wfile.flush()

    def end_stream(self) -> None:
        self.wfile.write(b"0\r\n\r\n")

    def _send_json(self, value: object, status: int = 200) -> None:
        self._send(status, json.dumps(value).encode())

    def _send(
        self, status: int, body: bytes, kind: str = "application/json; charset=utf-8"
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Answer:
    """One answer of `/api/chat` or `/api/generate`, streamed or whole."""

    def __init__(self, handler: Handler, request: dict[str, Any]) -> None:
        self._handler = handler
        self._request = request
        self._is_chat = handler.path == "/api/chat"
        self._streams = request.get("stream", True)
        self._has_begun = False
        self._pieces: list[str] = []
        self._reason = "stop"
        self._error: dict[str, Any] | None = None
        self._usage: dict[str, int] = {}
        self._started = time.time_ns()

    def give(self) -> None:
        messages = self._messages()
        if messages:
            self._handler.llama.complete(self._body(messages), self._take)
        else:
            self._reason = "load"
        if self._error is not None and not self._has_begun:
            raise Refusal(self._error.get("code", 500), self._error["message"])
        self._finish()

    def _finish(self) -> None:
        if not self._streams:
            self._handler._send_json(self._last("".join(self._pieces)))
            return
        if not self._has_begun:
            self._handler.begin_stream()
        error = self._error and {"error": self._error["message"]}
        self._handler.send_line(error or self._last(""))
        self._handler.end_stream()

    def _messages(self) -> list[dict[str, Any]]:
        if self._is_chat:
            return self._request.get("messages") or []
        said = {"system": "system", "user": "prompt"}
        found = {role: self._request.get(key, "") for role, key in said.items()}
        return [{"role": r, "content": text} for r, text in found.items() if text]

    def _body(self, messages: list[dict[str, Any]]) -> dict[str, Any]:
        options = self._request.get("options") or {}
        body = {OPTIONS[key]: options[key] for key in OPTIONS.keys() & options.keys()}
        if body.get("max_tokens", 0) < 0:
            del body["max_tokens"]
        match self._request.get("format"):
            case "json":
                body["response_format"] = {"type": "json_object"}
            case dict() as schema:
                named = {"name": "answer", "schema": schema}
                body["response_format"] = {"type": "json_schema", "json_schema": named}
        body |= {"stream": True, "stream_options": {"include_usage": True}}
        return body | {"messages": messages}

    def _take(self, part: dict[str, Any]) -> bool | None:
        """Send a piece; True stops the model. (llama.cpp would hide an exception.)"""
        if "error" in part:
            self._error = part["error"]
            return True
        self._usage.update(part.get("usage") or {})
        for choice in part.get("choices", []):
            self._reason = choice.get("finish_reason") or self._reason
            text = choice.get("delta", {}).get("content") or ""
            try:
                self._say(text)
            except OSError:  # the client has gone
                return True
        return None

    def _say(self, text: str) -> None:
        self._pieces.append(text)
        if not text or not self._streams:
            return
        if not self._has_begun:
            self._handler.begin_stream()
            self._has_begun = True
        self._handler.send_line(self._line(text, done=False))

    def _line(self, text: str, **more: object) -> dict[str, Any]:
        message = {"message": {"role": "assistant", "content": text}}
        said = message if self._is_chat else {"response": text}
        model = self._request["model"]
        return {"model": model, "created_at": rfc3339(), **said, **more}

    def _last(self, text: str) -> dict[str, Any]:
        if self._reason == "load":
            return self._line(text, done=True, done_reason="load")
        spent = time.time_ns() - self._started
        return self._line(
            text,
            done=True,
            done_reason=self._reason,
            total_duration=spent,
            load_duration=0,
            prompt_eval_count=self._usage.get("prompt_tokens", 0),
            prompt_eval_duration=0,
            eval_count=self._usage.get("completion_tokens", len(self._pieces)),
            eval_duration=spent,
        )


def serve(model: Path, name: str, port: int) -> None:
    """Serve until killed; print the port first."""
    handler = type("Handler", (Handler,), {"llama": Llama(model, name)})
    with ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        server.daemon_threads = True
        sys.stdout.write(f"{server.server_port}\n")
        sys.stdout.flush()
        server.serve_forever()


def main() -> None:
    model, name, port, *flags = sys.argv[1:]
    arguments = (Path(model), name, int(port))
    if "--until-stdin-ends" not in flags:
        serve(*arguments)
    # Ends with its parent, however that ends.
    threading.Thread(target=serve, args=arguments, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
