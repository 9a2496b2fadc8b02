# SPDX-License-Identifier: Apache-2.0
"""Language models of an Ollama server on this machine."""

import asyncio
import base64
from typing import Final, assert_never

from msgspec import Struct

from lao.backends.http1 import TransportError
from lao.backends.loopback import LoopbackClient
from lao.backends.ollama_api import (
    OllamaApi,
    Piece,
    Sleep,
    StreamPath,
    full_name,
    read_piece,
)
from lao.backends.ollama_errors import (
    prompt_too_long,
    remote_model,
    server_error,
    stream_cut,
    translated,
)
from lao.backends.ollama_guard import Admitted, Guard, is_cloud_name
from lao.errors import StepError
from lao.files import read_regular
from lao.workflow.inference import ModelDescription, ModelReply, ModelRequest, Report
from lao.workflow.local_models import Ollama
from lao.workflow.values import JsonValue

Body = dict[str, JsonValue]

_MAX_IMAGE: Final = 64 << 20


class OllamaModelInfo(Struct, frozen=True, kw_only=True):
    """A model that a server lists. `refused` says why LAO would not use it."""

    name: str
    digest: str
    size: int | None
    parameter_size: str
    quantization: str
    refused: str | None


class OllamaBackend:
    """One model of one Ollama server; a `lao.roles.Backend`.

    Every request starts with the guard, which refuses what is not local before a
    byte of the prompt is sent. The server bounds nothing: callers bound how many
    requests are under way.
    """

    def __init__(
        self,
        model: Ollama,
        client: LoopbackClient,
        *,
        require_no_cloud: bool = False,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._model = model
        self._api = OllamaApi(client, sleep=sleep)
        self._guard = Guard(self._api, model.model, require_no_cloud=require_no_cloud)

    async def describe(self) -> ModelDescription:
        """Say what the model is."""
        with translated(self._api.endpoint, self._model.model):
            admitted = await self._guard.admit()
            listed = {full_name(one.name): one for one in await self._api.models()}
        one = listed.get(full_name(self._model.model))
        return ModelDescription(
            name=self._model.model,
            digest=one.digest if one else "",
            made_by=self._made_by,
            context_length=admitted.shown.context_length,
            size=one.size if one else None,
            details={
                "capabilities": list(admitted.shown.capabilities),
                "cloud_disabled": admitted.server.cloud_disabled,
                "parameter_size": one.parameter_size if one else "",
                "quantization": one.quantization if one else "",
                "server_version": admitted.server.version,
            },
        )

    async def identify(self) -> str:
        """Name the model's content, as the server does now."""
        with translated(self._api.endpoint, self._model.model):
            return await self._guard.identify()

    async def infer(self, request: ModelRequest, report: Report) -> ModelReply:
        """Answer one request, telling pieces on the way."""
        with translated(self._api.endpoint, self._model.model):
            if request.wants == "embedding":
                return await self._embed(request)
            return await self._answer(request, report)

    def proof(self) -> None:
        """Return nothing: the server is the user's own process."""

    async def close(self) -> None:
        """Close the idle connection; the model stays for `keep_alive`."""
        await self._api.close()

    @property
    def _made_by(self) -> str:
        return f"ollama {self._model.model}"

    async def _answer(self, request: ModelRequest, report: Report) -> ModelReply:
        path, content = await self._content(request)
        admitted = await self._guard.admit()
        body = content | self._settings(admitted, request)
        # Cut nothing silently; `shift` stays the same, for a change reloads the model.
        body |= {"stream": True, "truncate": False, "shift": False}
        pieces: list[str] = []
        last: Piece | None = None
        async with self._api.stream(path, body) as lines:
            async for line in lines:
                if last is not None:
                    raise TransportError("malformed", "more after the last line")
                piece = self._checked(read_piece(line))
                if piece.text:
                    pieces.append(piece.text)
                    report.text(piece.text)
                last = piece if piece.is_last else None
        if last is None:
            raise stream_cut()
        await self._refuse_cut_prompt(last, admitted, request)
        return self._reply("".join(pieces), last)

    async def _content(self, request: ModelRequest) -> tuple[StreamPath, Body]:
        images: list[JsonValue] = [
            await asyncio.to_thread(_read_image, path) for path in request.files
        ]
        if not request.prompt.strip() and not images:
            # Ollama takes it as an order to load the model, and answers nothing.
            raise StepError(
                "ollama.empty-prompt",
                f"the prompt for {self._model.model!r} is empty",
                mend="give the step a `prompt_template` that says something",
            )
        match self._model.mode:
            case "chat":
                return "/api/chat", {"messages": _messages(request, images)}
            case "generate":
                system: Body = {"system": request.system} if request.system else {}
                pictures: Body = {"images": images} if images else {}
                return "/api/generate", {"prompt": request.prompt, **pictures, **system}
            case _:
                assert_never(self._model.mode)

    def _settings(self, admitted: Admitted, request: ModelRequest) -> Body:
        """Return what every request carries; what is not set is not sent."""
        model = self._model
        body: Body = {"model": admitted.name}
        if options := self._options(request):
            body["options"] = options
        if model.keep_alive is not None:
            body["keep_alive"] = model.keep_alive
        if request.wants == "embedding":
            return body
        if model.think is not None:
            body["think"] = model.think
        if request.schema is not None:
            body["format"] = dict(request.schema)
        elif request.wants == "json":
            body["format"] = "json"
        return body

    def _options(self, request: ModelRequest) -> Body:
        return {**self._model.options, **request.options}

    def _checked(self, piece: Piece) -> Piece:
        if piece.remote is not None:
            raise remote_model(self._model.model, piece.remote)
        if piece.error is not None:
            raise server_error(piece.error)
        return piece

    async def _refuse_cut_prompt(
        self, last: Piece, admitted: Admitted, request: ModelRequest
    ) -> None:
        """Fail if the prompt filled the context: an old server has then cut it."""
        if last.tokens_in is None:
            return
        context = self._options(request).get("num_ctx")
        if not isinstance(context, int):
            context = await self._api.loaded_context(self._model.model)
        bounds = [n for n in (context, admitted.shown.context_length) if n]
        if bounds and last.tokens_in >= min(bounds):
            raise prompt_too_long(f"it fills all of its {min(bounds)} tokens")

    def _reply(self, text: str, last: Piece) -> ModelReply:
        return ModelReply(
            value=text,
            made_by=self._made_by,
            tokens_in=last.tokens_in,
            tokens_out=last.tokens_out,
            seconds=last.seconds,
            notes=("stopped at num_predict, or the context was full",)
            if last.reason == "length"
            else (),
        )

    async def _embed(self, request: ModelRequest) -> ModelReply:
        texts = _texts(request)
        admitted = await self._guard.admit()
        body = self._settings(admitted, request)
        found = await self._api.embed(body | {"input": texts, "truncate": False})
        if found.remote is not None:
            raise remote_model(self._model.model, found.remote)
        if len(found.vectors) != (1 if isinstance(texts, str) else len(texts)):
            raise TransportError("malformed", "not one embedding for each text")
        return ModelReply(
            value=found.vectors[0] if isinstance(texts, str) else list(found.vectors),
            made_by=self._made_by,
            tokens_in=found.tokens_in,
        )


async def list_models(client: LoopbackClient) -> tuple[OllamaModelInfo, ...]:
    """Return what a server has, and which of it LAO refuses to use."""
    with translated(client.endpoint):
        listed = await OllamaApi(client).models()
    return tuple(
        OllamaModelInfo(
            name=one.name,
            digest=one.digest,
            size=one.size,
            parameter_size=one.parameter_size,
            quantization=one.quantization,
            refused="cloud" if one.remote or is_cloud_name(one.name) else None,
        )
        for one in listed
    )


async def server_version(client: LoopbackClient) -> str:
    """Return the server's version; empty if it does not tell."""
    with translated(client.endpoint):
        return await OllamaApi(client).version()


async def cloud_status(client: LoopbackClient) -> bool | None:
    """Whether the server has its cloud switched off; None if it does not tell."""
    with translated(client.endpoint):
        return await OllamaApi(client).cloud_disabled()


def _messages(request: ModelRequest, images: list[JsonValue]) -> list[JsonValue]:
    user: Body = {"role": "user", "content": request.prompt}
    if images:
        user["images"] = images
    system: Body = {"role": "system", "content": request.system}
    return [system, user] if request.system else [user]


def _texts(request: ModelRequest) -> str | list[JsonValue]:
    given = request.prompt if request.input is None else request.input
    if isinstance(given, str) and given.strip():
        return given
    if isinstance(given, list) and given and all(isinstance(t, str) for t in given):
        return given
    raise StepError(
        "ollama.nothing-to-embed",
        "an embedding needs a text, or a list of texts, that is not empty",
        mend="give the step an `input` of type text or list[text]",
    )


def _read_image(path: str) -> str:
    try:
        content = read_regular(path, limit=_MAX_IMAGE)
        return base64.b64encode(content).decode("ascii")
    except OSError as problem:
        raise StepError(
            "ollama.file-unreadable",
            f"cannot read {path!r}: {problem.strerror or problem}",
            mend="give the path of an image",
        ) from problem
