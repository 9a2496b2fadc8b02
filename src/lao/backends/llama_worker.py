# SPDX-License-Identifier: Apache-2.0
"""A llama.cpp model inside a worker process.

State: the header of the file, and up to two servers of it, one that chats and one
that embeds. They are two because an embedding server computes an output for every
token of a prompt, which would make every chat slow; both map the same file, so its
weights are in memory once.
"""

import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from lao.backends.gguf import GgufHeader, read_gguf_header
from lao.backends.llama_answer import Answer
from lao.backends.llama_options import integer, sampling
from lao.backends.llama_server import LlamaServer, ServerSettings
from lao.errors import ModelUnavailable
from lao.workflow.inference import (
    ModelDescription,
    ModelProblem,
    ModelReply,
    ModelRequest,
    Report,
)
from lao.workflow.values import JsonValue

# Holds a meeting of half an hour, and costs 1 GiB for a model of 8 billion weights.
# Many models claim a context of 131,072 tokens, which would cost 16 GiB.
_CHAT_CONTEXT = 8192
_EMBEDDING_CONTEXT = 2048  # it is one batch, and more of it costs memory

Use = Literal["chat", "embedding"]


class LlamaModel:
    """A `LocalModel`; `load` takes `model_path`, `parallel` and LOAD_OPTIONS."""

    def __init__(self) -> None:
        self._path = Path()
        self._options: Mapping[str, JsonValue] = {}
        self._servers: dict[Use, LlamaServer] = {}
        self._starting = threading.Lock()
        self._header: GgufHeader

    def load(self, options: Mapping[str, JsonValue]) -> None:
        """Read the file's header and start the server that will be needed."""
        self._path = Path(str(options["model_path"]))
        self._options = options
        try:
            self._header = read_gguf_header(self._path)
        except ModelUnavailable as error:
            found = error.problem
            raise ModelProblem(
                found.code, found.what, mend=found.mend, unavailable=True
            ) from error
        self._server("embedding" if self._header.embedding else "chat")

    def describe(self) -> ModelDescription:
        """Say what the model is."""
        return ModelDescription(
            name=self._header.name,
            made_by=self._made_by,
            context_length=self._header.context_length,
            size=self._header.size,
        )

    def infer(self, request: ModelRequest, report: Report) -> ModelReply:
        """Answer one request."""
        if request.wants == "embedding":
            return self._embed(request)
        return self._chat(request, report)

    @property
    def _made_by(self) -> str:
        return f"llama.cpp {self._header.name}"

    def _chat(self, request: ModelRequest, report: Report) -> ModelReply:
        self._refuse_what_cannot_be(request)
        answer = Answer(report)
        started = time.monotonic()
        self._server("chat").chat(_chat_body(request), answer)
        return ModelReply(
            value=answer.text(complete=request.wants == "json"),
            made_by=self._made_by,
            tokens_in=answer.tokens_in,
            tokens_out=answer.tokens_out,
            seconds=time.monotonic() - started,
            notes=self._notes + answer.notes,
        )

    def _refuse_what_cannot_be(self, request: ModelRequest) -> None:
        if self._header.embedding:
            raise ModelProblem(
                "llama.embedding-only",
                f"the model {self._header.name!r} makes embeddings and no text",
                mend="choose a language model for this step",
            )
        if request.files:
            raise ModelProblem(
                "llama.no-files",
                "llama.cpp models take text only, and the step gives them a file",
                mend="use a model of an Ollama server for images",
            )
        if not request.prompt.strip():
            raise ModelProblem(
                "llama.empty-prompt",
                f"the prompt for {self._header.name!r} is empty",
                mend="give the step a `prompt_template` that says something",
            )

    @property
    def _notes(self) -> tuple[str, ...]:
        if self._header.has_chat_template:
            return ()
        return ("the model has no chat template; ChatML was used",)

    def _embed(self, request: ModelRequest) -> ModelReply:
        texts = _texts(request)
        started = time.monotonic()
        found = self._server("embedding").embed(texts)
        vectors = [one["embedding"] for one in found["data"]]
        return ModelReply(
            value=vectors[0] if isinstance(texts, str) else vectors,
            made_by=self._made_by,
            tokens_in=found["usage"]["prompt_tokens"],
            seconds=time.monotonic() - started,
        )

    def _server(self, use: Use) -> LlamaServer:
        with self._starting:
            if use not in self._servers:
                self._servers[use] = LlamaServer(self._settings(use))
            return self._servers[use]

    def _settings(self, use: Use) -> ServerSettings:
        usual = _CHAT_CONTEXT if use == "chat" else _EMBEDDING_CONTEXT
        context = integer(self._options, "num_ctx", least=1) or usual
        return ServerSettings(
            model=self._path,
            use=use,
            context=min(context, self._header.context_length or context),
            parallel=integer(self._options, "parallel", least=1) or 1,
            threads=integer(self._options, "num_thread", least=1),
            gpu_layers=integer(self._options, "num_gpu", least=-1),
            pools_itself=self._header.embedding,
        )


def _chat_body(request: ModelRequest) -> dict[str, JsonValue]:
    system: list[JsonValue] = [{"role": "system", "content": request.system}]
    user: list[JsonValue] = [{"role": "user", "content": request.prompt}]
    body: dict[str, JsonValue] = {
        "messages": (system if request.system else []) + user,
        "stream": True,
        "stream_options": {"include_usage": True},
        "return_progress": True,  # also lets a request stop while it reads its prompt
        # What an earlier request left behind changes rounding, and so the answer.
        "cache_prompt": False,
    }
    if request.schema is not None:
        schema: dict[str, JsonValue] = {"name": "answer", "schema": {**request.schema}}
        body["response_format"] = {"type": "json_schema", "json_schema": schema}
    elif request.wants == "json":
        body["response_format"] = {"type": "json_object"}
    return body | sampling(request.options)


def _texts(request: ModelRequest) -> str | list[JsonValue]:
    given = request.prompt if request.input is None else request.input
    if isinstance(given, str) and given.strip():
        return given
    if isinstance(given, list) and given and all(map(_is_text, given)):
        return given
    raise ModelProblem(
        "llama.nothing-to-embed",
        "an embedding needs a text, or a list of texts, that is not empty",
        mend="give the step an `input` of type text or list[text]",
    )


def _is_text(value: JsonValue) -> bool:
    return isinstance(value, str) and bool(value.strip())
