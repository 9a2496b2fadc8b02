# SPDX-License-Identifier: Apache-2.0
"""Finds the models that can run here and now, each with the name to type for it."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from msgspec import Struct

from lao.backends.loopback import LoopbackClient
from lao.backends.model_files import (
    HashingStopped,
    ModelFile,
    default_model_folders,
    file_digest,
    find_model_files,
)
from lao.backends.ollama import OllamaModelInfo, list_models, server_version
from lao.backends.packages import PACKAGES
from lao.config import Settings
from lao.errors import LaoError, ModelUnavailable, Problem
from lao.plugins.installed import InstalledPlugin, Manifests, installed
from lao.plugins.trust import Trust
from lao.workflow.local_models import Ollama, parse_model

_PATIENCE = 10.0  # seconds for a server that accepts a question and says nothing

_EMBEDDED = {
    "speech": "English speech to text, basic",
    "summary": "picks sentences, by rules",
    "entities": "finds names, dates and sums, by rules",
    "redact": "hides names and numbers, by rules",
}
_TRUST_PROBLEMS: Mapping[Trust, str] = {
    "trusted": "",
    "untrusted": "not trusted yet: lao plugin trust {}",
    "changed": "its files have changed: lao plugin trust {} shows what differs",
}


class ListedModel(Struct, frozen=True, kw_only=True):
    """A model on this machine. `name` is what to type after `--model`.

    `problem` says why it cannot be used now; `size` in bytes.
    """

    name: str
    kind: str
    size: int | None = None
    quantization: str = ""
    parameters: str = ""
    context_length: int | None = None
    digest: str = ""
    path: str = ""
    about: str = ""
    problem: str = ""


class Server(Struct, frozen=True):
    """What an Ollama server tells; `problem` if it tells nothing."""

    endpoint: str
    version: str = ""
    models: tuple[ListedModel, ...] = ()
    problem: Problem | None = None


async def ask_ollama(client: LoopbackClient, *, within: float = _PATIENCE) -> Server:
    """Return the models of an Ollama server; a server that is not there is a problem."""
    endpoint = client.endpoint
    try:
        async with asyncio.timeout(within):
            version = await server_version(client)
            models = await list_models(client)
    except TimeoutError:
        problem = Problem(
            code="ollama.not-running",
            what=f"the server at {endpoint} does not answer within {within:g} s",
            mend="start it again",
        )
        return Server(str(endpoint), problem=problem)
    except LaoError as error:
        return Server(str(endpoint), problem=error.problem)
    finally:
        await client.close()
    return Server(str(endpoint), version, tuple(map(_from_ollama, models)))


def _from_ollama(found: OllamaModelInfo) -> ListedModel:
    plain = parse_model(found.name) == Ollama(model=found.name)
    return ListedModel(
        name=found.name if plain else f"ollama:{found.name}",
        kind="ollama",
        size=found.size,
        quantization=found.quantization,
        parameters=found.parameter_size,
        digest=found.digest,
        problem=f"refused: {found.refused}" if found.refused else "",
    )


def model_folders(settings: Settings, extra: Sequence[Path]) -> tuple[Path, ...]:
    """Return the folders that are looked through for model files."""
    own = (*extra, *settings.model_dirs)
    try:
        home = Path.home()
    except RuntimeError:
        return own
    return (*own, *default_model_folders(home, hf_hub_cache=settings.hub_cache))


def files_on_disk(
    folders: Sequence[Path], *, cache: Path, hashing: Callable[[ModelFile], bool]
) -> Iterator[ListedModel]:
    """Yield the model files below some folders.

    `hashing` decides for each whether to read it whole for its digest if that is not
    known from before.
    """
    for file in find_model_files(folders):
        plain = parse_model(str(file.path))
        typed = str(file.path)
        if plain is None or plain.kind != file.kind:
            typed = f"{file.kind}:{file.path}"
        yield ListedModel(
            name=typed,
            kind=file.kind,
            size=file.size or None,
            quantization=file.quantisation or "",
            context_length=file.context_length,
            digest="" if file.problem else _digest(file, cache, hashing),
            path=str(file.path),
            about=file.name,
            problem=file.problem or missing_package(file.kind),
        )


def _digest(file: ModelFile, cache: Path, hashing: Callable[[ModelFile], bool]) -> str:
    try:
        return file_digest(file.path, cache_folder=cache, is_cancelled=lambda: True)
    except HashingStopped:  # it is not known from before
        pass
    except ModelUnavailable:
        return ""
    if not hashing(file):
        return ""
    try:
        return file_digest(file.path, cache_folder=cache)
    except ModelUnavailable:
        return ""


def plugin_models(data: Path) -> Iterator[ListedModel]:
    """Yield the plugins that are models; nothing of them runs.

    One whose manifest is wrong may be anything: `lao plugins` tells of it.
    """
    plugins, manifests = installed(data), Manifests(data)
    for name in manifests:
        with suppress(LaoError):
            if manifests[name].kind == "model":
                yield _from_plugin(plugins[name])


def _from_plugin(plugin: InstalledPlugin) -> ListedModel:
    return ListedModel(
        name=f"plugin:{plugin.name}",
        kind="plugin",
        digest=plugin.digest,
        path=str(plugin.folder),
        about=plugin.manifest.description,
        problem=_TRUST_PROBLEMS[plugin.trust].format(plugin.name),
    )


def embedded_models() -> Iterator[ListedModel]:
    """Yield the models that come with LAO."""
    for name, about in _EMBEDDED.items():
        yield ListedModel(
            name=f"embedded:{name}",
            kind="embedded",
            about=about,
            problem=missing_package(name),
        )


def missing_package(kind: str) -> str:
    """Say which extra a kind of model lacks; empty if none. Imports nothing."""
    package, extra = PACKAGES.get(kind, ("", ""))
    if not package or find_spec(package) is not None:
        return ""
    return f"needs the extra {extra!r}: pip install 'lao-orchestrator[{extra}]'"
