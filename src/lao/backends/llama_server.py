# SPDX-License-Identifier: Apache-2.0
"""One of xllamacpp's servers, called in process; it holds a loaded model."""

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Literal, Protocol

from msgspec import Struct

from lao.backends.llama_answer import Chunk, bad_request, problem_of
from lao.backends.stderr_capture import StderrCapture
from lao.workflow.inference import ModelProblem
from lao.workflow.values import JsonValue

_BATCH = 512  # tokens of a prompt between two looks at `cancelled`
_ERRORS_ONLY = 1


class ServerSettings(Struct, frozen=True, kw_only=True):
    """How a model is loaded; None leaves the choice to llama.cpp.

    `context` is the number of tokens that each of `parallel` requests may have.
    `pools_itself` says that the file tells how to make an embedding.
    """

    model: Path
    use: Literal["chat", "embedding"]
    context: int
    parallel: int = 1
    threads: int | None = None
    gpu_layers: int | None = None
    pools_itself: bool = False


class _Native(Protocol):
    """What is used of `xllamacpp.Server`, which has no types of its own."""

    def handle_chat_completions(
        self, body: Mapping[str, JsonValue], on_chunk: Callable[[Chunk], bool]
    ) -> object: ...

    def handle_embeddings(self, body: Mapping[str, JsonValue]) -> Chunk: ...


class LlamaServer:
    """A loaded model. Many threads may call it; `parallel` of them are served.

    Raises:
        ModelProblem: `llama.load-failed`, with the first complaint of llama.cpp.
    """

    def __init__(self, settings: ServerSettings) -> None:
        xllamacpp = import_module("xllamacpp")
        parameters = _parameters(xllamacpp, settings)
        with StderrCapture() as printed:
            try:
                self._native: _Native = xllamacpp.Server(parameters)
            except RuntimeError as error:
                why = _first_complaint(printed.text()) or str(error)
                raise _load_failed(settings.model, why) from error

    def chat(
        self, body: Mapping[str, JsonValue], on_chunk: Callable[[Chunk], bool]
    ) -> None:
        """Stream a chat completion to `on_chunk`, until it returns True."""
        with _translated():
            self._native.handle_chat_completions(body, on_chunk)

    def embed(self, texts: str | list[JsonValue]) -> Chunk:
        """Return llama.cpp's answer: `data`, in the order of `texts`, and `usage`."""
        with _translated():
            found = self._native.handle_embeddings({"input": texts})
        if "error" in found:
            raise problem_of(found["error"])
        return found


def _parameters(xllamacpp: ModuleType, settings: ServerSettings) -> object:
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(settings.model)
    chosen = _sizes(settings) | _listener(settings.use)
    if settings.gpu_layers is not None:
        chosen["n_gpu_layers"] = settings.gpu_layers
    if settings.use == "embedding" and not settings.pools_itself:
        pooling = xllamacpp.llama_pooling_type
        chosen["pooling_type"] = pooling.LLAMA_POOLING_TYPE_MEAN
    for name, value in chosen.items():
        setattr(parameters, name, value)
    for cpu in (parameters.cpuparams, parameters.cpuparams_batch):
        cpu.poll = 0  # threads that spin starve each other on a busy machine
        if settings.threads is not None:
            cpu.n_threads = settings.threads
    return parameters


def _sizes(settings: ServerSettings) -> dict[str, object]:
    # A text to embed must fit into one batch; a prompt is read in many.
    batch = settings.context if settings.use == "embedding" else _BATCH
    return {
        "n_parallel": settings.parallel,
        "n_ctx": settings.context * settings.parallel,  # llama.cpp divides it again
        "n_batch": batch,
        "n_ubatch": batch,
        "embedding": settings.use == "embedding",
        "cache_ram_mib": 0,  # would keep whole conversations: up to 8 GiB
        "warmup": False,
        "offline": True,
        "verbosity": _ERRORS_ONLY,
    }


def _listener(use: str) -> dict[str, object]:
    """Return settings that shut the listener, which xllamacpp always opens.

    Left alone it listens on a TCP port, without a key, and answers any web page. A
    relative path stays below the 107 bytes that the path of a socket may have.
    """
    socket = Path(f"{use}.sock")
    if socket.is_socket():  # of an earlier server of this process
        socket.unlink()
    return {
        "hostnames": [str(socket)],
        "api_keys": [secrets.token_hex(16)],
        "ui": False,
        "endpoint_slots": False,
        "n_threads_http": 1,
    }


@contextmanager
def _translated() -> Iterator[None]:
    """Turn xllamacpp's complaint about a malformed request into a ModelProblem."""
    try:
        yield
    except ValueError as error:
        raise bad_request(str(error)) from error


def _first_complaint(log: str) -> str:
    """Return llama.cpp's first error, which is the cause of those that follow."""
    for line in log.splitlines():
        _, mark, words = line.partition(" E ")
        if mark:
            return words.partition(": ")[2] or words
    return ""


def _load_failed(model: Path, why: str) -> ModelProblem:
    return ModelProblem(
        "llama.load-failed",
        f"llama.cpp cannot load {str(model)!r}: {why}",
        mend="check that the file is whole and that memory suffices; a new kind of "
        "model may need a newer xllamacpp",
        unavailable=True,
    )
