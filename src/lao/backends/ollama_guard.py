# SPDX-License-Identifier: Apache-2.0
"""Loopback is not local: refuses Ollama models that run elsewhere, failing closed.

An Ollama server on this machine may forward a prompt to its vendor's cloud, because
of a model's name or of what a harmless name stands for. Everything here happens
before the first byte of a prompt is sent. State: what the server said of itself.
"""

import re
from typing import Final

from msgspec import Struct

from lao.backends.loopback import HttpStatusError
from lao.backends.ollama_api import OllamaApi, ShownModel, full_name, plain_name
from lao.backends.ollama_errors import model_not_found, remote_model, words_of
from lao.errors import RefusedByPolicy

_RELEASE: Final = re.compile(r"v?(\d{1,6})\.(\d{1,6})\.(\d{1,6})", re.ASCII)
_FIRST_WITH_LOCAL: Final = (0, 18, 0)


def is_cloud_name(model: str) -> bool:
    """Whether Ollama itself would read this name as one of its cloud's.

    The rule is that of `parseSourceSuffix` in Ollama's `internal/modelref`
    (0.18.0): trim, take what follows the last colon, trim, ignore case.
    """
    _, colon, suffix = model.strip().rpartition(":")
    suffix = suffix.strip().lower()
    if not colon:
        return False
    return suffix == "cloud" or (suffix.endswith("-cloud") and "/" not in suffix)


def understands_local(version: str) -> bool:
    """Whether a server of that version knows `NAME:local`; when in doubt, no.

    With it the server itself refuses a model that is not local, even if the model
    was exchanged since we looked.
    """
    match = _RELEASE.fullmatch(version)
    return match is not None and tuple(map(int, match.groups())) >= _FIRST_WITH_LOCAL


class Server(Struct, frozen=True, kw_only=True):
    """What a server says of itself. `cloud_disabled` is None where it is silent."""

    version: str
    cloud_disabled: bool | None


class Admitted(Struct, frozen=True, kw_only=True):
    """A model that runs here. `name` is how to ask the server for it."""

    name: str
    shown: ShownModel
    server: Server


class Guard:
    """Admits one model of one server, or refuses it."""

    def __init__(self, api: OllamaApi, model: str, *, require_no_cloud: bool) -> None:
        self._api = api
        self._model = model.strip()
        self._require_no_cloud = require_no_cloud
        self._server: Server | None = None

    async def admit(self) -> Admitted:
        """Return how to ask for the model; called before every request.

        The model is looked at anew each time, since any program may put another
        under its name; the server is asked about itself once.

        Raises:
            RefusedByPolicy: the model is remote (`policy.remote-model`), might be
                (`policy.locality-unproven`), or the server's cloud is not off
                although that is required (`policy.cloud-not-disabled`).
            ModelUnavailable: the server has no such model.
        """
        if is_cloud_name(self._model):
            raise remote_model(self._model, "its name is one of Ollama's cloud")
        shown = await self._show()
        if shown.remote is not None:
            raise remote_model(self._model, shown.remote)
        server = await self._ask_server()
        name = self._model
        if understands_local(server.version) and not name.lower().endswith(":local"):
            name = f"{name}:local"
        return Admitted(name=name, shown=shown, server=server)

    async def identify(self) -> str:
        """Return the digest of the model, which one request tells. Sends no prompt.

        Raises:
            RefusedByPolicy: as `admit`.
            ModelUnavailable: as `admit`.
        """
        if is_cloud_name(self._model):
            raise remote_model(self._model, "its name is one of Ollama's cloud")
        if self._require_no_cloud:
            await self._ask_server()
        listed = {full_name(one.name): one for one in await self._api.models()}
        found = listed.get(full_name(self._model))
        found = found or listed.get(plain_name(self._model))
        if found is not None and found.remote is not None:
            raise remote_model(self._model, found.remote)
        if found is not None and found.digest:
            return found.digest
        shown = await self._show()  # it knows names that it does not list
        if shown.remote is not None:
            raise remote_model(self._model, shown.remote)
        return shown.digest

    async def _show(self) -> ShownModel:
        try:
            return await self._api.show(self._model)
        except HttpStatusError as problem:
            if problem.status == 404:
                known = [model.name for model in await self._api.models()]
                raise model_not_found(self._model, known) from problem
            if problem.status in {401, 403, 503}:
                raise
            raise RefusedByPolicy(
                "policy.locality-unproven",
                f"cannot tell whether {self._model!r} runs on this machine: Ollama "
                f"answered {problem.status} {words_of(problem.answer)!r}",
                mend="check the name with `ollama list`, and the server's log",
            ) from problem

    async def _ask_server(self) -> Server:
        if self._server is None:
            disabled = await self._api.cloud_disabled()
            if self._require_no_cloud and disabled is not True:
                raise RefusedByPolicy(
                    "policy.cloud-not-disabled",
                    f"the Ollama server at {self._api.endpoint} has not switched its "
                    f"cloud off{' or is too old to tell' if disabled is None else ''}",
                    mend="set OLLAMA_NO_CLOUD=1 for the server itself (Ollama 0.16.2 "
                    "or newer) and restart it",
                )
            version = await self._api.version()
            self._server = Server(version=version, cloud_disabled=disabled)
        return self._server
