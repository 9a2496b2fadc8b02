# SPDX-License-Identifier: Apache-2.0
"""The few questions LAO asks an Ollama server, decoded once and strictly.

Nothing here can change what the server holds: `ApiPath` is closed, and it has no pull,
push, create, copy or delete.
"""

import asyncio
import json
import math
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from hashlib import sha256
from typing import Final, Literal, TypeVar

from msgspec import Struct

from lao.backends.http1 import Method, TransportError
from lao.backends.loopback import HttpStatusError, JsonLines, LoopbackClient
from lao.policy import LoopbackEndpoint
from lao.workflow.values import JsonValue

ApiPath = Literal[
    "/api/chat",
    "/api/embed",
    "/api/generate",
    "/api/ps",
    "/api/show",
    "/api/status",
    "/api/tags",
    "/api/version",
]
StreamPath = Literal["/api/chat", "/api/generate"]
Fields = Mapping[str, object]
Sleep = Callable[[float], Awaitable[None]]
T = TypeVar("T")

_QUICK: Final = 30.0  # seconds; for questions that load no model
_BUSY_PAUSES: Final = (0.5, 1.0, 2.0, 4.0)  # seconds, before jitter


class ListedModel(Struct, frozen=True, kw_only=True):
    """One line of `/api/tags`. `remote` says where it runs if that is not here."""

    name: str
    digest: str
    size: int | None
    parameter_size: str
    quantization: str
    remote: str | None


class ShownModel(Struct, frozen=True, kw_only=True):
    """What `/api/show` tells. `remote` as in `ListedModel`, `told` is all of it."""

    context_length: int | None
    capabilities: tuple[str, ...]
    remote: str | None
    told: Fields

    @property
    def digest(self) -> str:
        """A digest of all that the server tells, for want of the model's own."""
        text = json.dumps(self.told, sort_keys=True)
        return f"sha256:{sha256(text.encode()).hexdigest()}"


class Piece(Struct, frozen=True, kw_only=True):
    """One line of a streamed answer; the counts come with the last. Seconds."""

    text: str
    is_last: bool
    reason: str
    tokens_in: int | None
    tokens_out: int | None
    seconds: float | None
    remote: str | None
    error: str | None


class Embeddings(Struct, frozen=True, kw_only=True):
    """One vector for each text, in order."""

    vectors: tuple[list[JsonValue], ...]
    tokens_in: int | None
    remote: str | None


class OllamaApi:
    """Asks one server. Raises what `LoopbackClient` raises, and `HttpStatusError`.

    A busy server (status 503) is asked again, a few times, after pauses that grow.
    """

    def __init__(self, client: LoopbackClient, *, sleep: Sleep = asyncio.sleep) -> None:
        self._client = client
        self._sleep = sleep

    @property
    def endpoint(self) -> LoopbackEndpoint:
        """Where the server is."""
        return self._client.endpoint

    async def version(self) -> str:
        """Return the server's version; empty if it does not tell."""
        try:
            fields = await self._ask("GET", "/api/version", within=_QUICK)
        except HttpStatusError:
            return ""
        return text_in(fields, "version")

    async def cloud_disabled(self) -> bool | None:
        """Whether the server has its cloud switched off; None if it does not tell."""
        try:
            fields = await self._ask("GET", "/api/status", within=_QUICK)
        except HttpStatusError:
            return None
        disabled = fields_in(fields, "cloud").get("disabled")
        return disabled if isinstance(disabled, bool) else None

    async def models(self) -> tuple[ListedModel, ...]:
        """Return what the server has."""
        fields = await self._ask("GET", "/api/tags", within=_QUICK)
        return tuple(map(_listed, list_in(fields, "models")))

    async def show(self, model: str) -> ShownModel:
        """Return what the server knows of a model. Sends the name and nothing else."""
        body = {"model": model}
        fields = await self._ask("POST", "/api/show", body, within=_QUICK)
        info = fields_in(fields, "model_info")
        architecture = text_in(info, "general.architecture")
        return ShownModel(
            context_length=count_in(info, f"{architecture}.context_length"),
            capabilities=tuple(map(str, list_in(fields, "capabilities"))),
            remote=remote_in(fields),
            told=fields,
        )

    async def loaded_context(self, model: str) -> int | None:
        """Return how many tokens a loaded model's context has; None if unknown."""
        try:
            fields = await self._ask("GET", "/api/ps", within=_QUICK)
        except HttpStatusError:
            return None
        for loaded in map(as_fields, list_in(fields, "models")):
            if full_name(text_in(loaded, "name")) == full_name(model):
                return count_in(loaded, "context_length")
        return None

    async def embed(self, body: Mapping[str, JsonValue]) -> Embeddings:
        """Return the embeddings of `body["input"]`."""
        fields = await self._ask("POST", "/api/embed", body, within=None)
        return Embeddings(
            vectors=tuple(map(_vector, list_in(fields, "embeddings"))),
            tokens_in=count_in(fields, "prompt_eval_count"),
            remote=remote_in(fields),
        )

    @asynccontextmanager
    async def stream(
        self,
        path: StreamPath,
        body: Mapping[str, JsonValue],
    ) -> AsyncIterator[JsonLines]:
        """Open a streamed answer; leaving the block stops the model."""
        async with AsyncExitStack() as stack:

            async def open_stream() -> JsonLines:
                lines = self._client.stream_lines("POST", path, body)
                return await stack.enter_async_context(lines)

            yield await self._when_not_busy(open_stream)

    async def close(self) -> None:
        """Close the idle connection."""
        await self._client.close()

    async def _ask(
        self,
        method: Method,
        path: ApiPath,
        body: Mapping[str, JsonValue] | None = None,
        *,
        within: float | None,
    ) -> Fields:
        async def once() -> Fields:
            status, answer = await self._client.request_json(
                method, path, body, within=within
            )
            if status != 200:
                raise HttpStatusError(status, answer)
            return as_fields(answer)

        return await self._when_not_busy(once)

    async def _when_not_busy(self, ask: Callable[[], Awaitable[T]]) -> T:
        for pause in _BUSY_PAUSES:
            try:
                return await ask()
            except HttpStatusError as problem:
                if problem.status != 503:
                    raise
            await self._sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311  (jitter)
        return await ask()


def read_piece(value: object) -> Piece:
    """Decode one line of `/api/chat` or `/api/generate`."""
    fields = as_fields(value)
    error = fields.get("error")
    nanoseconds = count_in(fields, "eval_duration")
    return Piece(
        # Thinking arrives in a field of its own and is no part of the answer.
        text=text_in(fields, "response")
        + text_in(fields_in(fields, "message"), "content"),
        is_last=fields.get("done") is True,
        reason=text_in(fields, "done_reason"),
        tokens_in=count_in(fields, "prompt_eval_count"),
        tokens_out=count_in(fields, "eval_count"),
        seconds=None if nanoseconds is None else nanoseconds / 1e9,
        remote=remote_in(fields),
        error=None if error is None else str(error),
    )


def full_name(model: str) -> str:
    """Return a model's name with its tag: Ollama lets `:latest` go unsaid."""
    name = model.strip().lower()
    return name if ":" in name.rpartition("/")[2] else f"{name}:latest"


def plain_name(model: str) -> str:
    """Return a model's name as the server lists it, without what goes unsaid there."""
    name = model.strip().lower().removesuffix(":local")
    return full_name(name.removeprefix("registry.ollama.ai/").removeprefix("library/"))


def remote_in(fields: Fields) -> str | None:
    """Say where an answer was made, if not here. Anything odd counts as not here."""
    for key in ("remote_host", "remote_model"):
        value = fields.get(key)
        if value not in (None, ""):
            return f"{key} is {value!r}"
    return None


def as_fields(value: object) -> Fields:
    """Return a JSON object, or complain."""
    if isinstance(value, dict):
        return value
    raise TransportError("malformed", f"{str(value)[:60]!r} is not a JSON object")


def fields_in(fields: Fields, key: str) -> Fields:
    """Return the object under `key`; empty if there is none."""
    value = fields.get(key)
    return {} if value is None else as_fields(value)


def list_in(fields: Fields, key: str) -> list[object]:
    """Return the list under `key`; empty if there is none."""
    value = fields.get(key)
    if value is None:
        return []
    if isinstance(value, list):
        return value
    raise TransportError("malformed", f"{key!r} is not a list")


def text_in(fields: Fields, key: str) -> str:
    """Return the text under `key`; empty if there is none."""
    value = fields.get(key)
    if value is None or isinstance(value, str):
        return value or ""
    raise TransportError("malformed", f"{key!r} is not a text")


def count_in(fields: Fields, key: str) -> int | None:
    """Return the whole number under `key`, or None."""
    value = fields.get(key)
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise TransportError("malformed", f"{key!r} is not a whole number")


def _listed(value: object) -> ListedModel:
    fields = as_fields(value)
    details = fields_in(fields, "details")
    digest = text_in(fields, "digest")
    return ListedModel(
        name=text_in(fields, "name"),
        digest=f"sha256:{digest.removeprefix('sha256:')}" if digest else "",
        size=count_in(fields, "size"),
        parameter_size=text_in(details, "parameter_size"),
        quantization=text_in(details, "quantization_level"),
        remote=remote_in(fields),
    )


def _vector(value: object) -> list[JsonValue]:
    if isinstance(value, list) and all(map(_is_finite, value)):
        return [float(number) for number in value]
    raise TransportError("malformed", "an embedding is not a list of numbers")


def _is_finite(number: object) -> bool:
    if isinstance(number, bool) or not isinstance(number, int | float):
        return False
    return math.isfinite(number)
