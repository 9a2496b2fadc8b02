# SPDX-License-Identifier: Apache-2.0
"""What works on this machine and what does not: looked at or tried, never assumed."""

import importlib.metadata
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from lao import __version__
from lao.backend_factory import Backends, client_of
from lao.backends.loopback import LoopbackClient
from lao.backends.ollama import cloud_status
from lao.backends.recordings import find_ffmpeg
from lao.cli.findings import Finding, finding
from lao.cli.isolation_findings import isolation_findings
from lao.cli.tables import size_words
from lao.config import Settings
from lao.errors import LaoError
from lao.model_list import Server, ask_ollama
from lao.preflight import look_at
from lao.runtime import model_called
from lao.workflow.local_models import ModelBackend

if TYPE_CHECKING:
    from lao.isolation.confinement import Confinement

_CORE = (
    "click",
    "h11",
    "httptools",
    "jsonschema-rs",
    "minijinja",
    "pyyaml",
    "regex",
    "rich",
)
_EXTRAS = {
    "pocketsphinx": "speech-lite",
    "soundfile": "speech-lite",
    "pywhispercpp": "whisper",
    "xllamacpp": "llama",
}
_LITTLE_SPACE = 1 << 30
_NO_CLOUD = (
    "set OLLAMA_NO_CLOUD=1 for the server itself and restart it: `systemctl edit "
    'ollama`, add [Service] and Environment="OLLAMA_NO_CLOUD=1", `systemctl restart '
    "ollama`; in LAO's environment it does nothing"
)


async def diagnose(settings: Settings, confinement: "Confinement") -> list[Finding]:
    """Look at everything; starts one embedded worker and asks the Ollama server."""
    client = client_of(settings.endpoint, confinement)
    server = await ask_ollama(client)
    return [
        *_program(),
        *_packages(),
        *await isolation_findings(confinement),
        *await _ollama(client, server),
        *_ffmpeg(),
        *_folders(settings),
        *_settings(settings),
        *await _models(settings, Backends(settings, confinement)),
    ]


def _program() -> Iterator[Finding]:
    python = f"{platform.python_implementation()} {platform.python_version()}"
    where = f"{python} on {platform.system()} {platform.release()} ({sys.executable})"
    yield Finding(area="lao", name="version", status="ok", what=__version__)
    yield Finding(area="lao", name="python", status="ok", what=where)


def _packages() -> Iterator[Finding]:
    for name in _CORE:
        version = _version(name)
        if not version:
            mend = "install LAO again"
            yield finding("packages", name, "broken", "is missing", mend)
    for name, extra in _EXTRAS.items():
        if find_spec(name) is not None:
            what = f"{_version(name)} (extra {extra})"
            yield finding("packages", name, "ok", what)
        else:
            mend = f"pip install 'lao-orchestrator[{extra}]'"
            yield finding("packages", name, "gap", "is not installed", mend)


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


async def _ollama(client: LoopbackClient, server: Server) -> list[Finding]:
    where = server.endpoint
    if server.problem is not None:
        problem = server.problem
        return [finding("ollama", "server", "gap", problem.what, problem.mend)]
    models = f"{len(server.models)} models (`lao models`)"
    what = f"{server.version or 'of unknown version'} at {where}, {models}"
    found = [finding("ollama", "server", "ok", what)]
    try:
        disabled = await cloud_status(client)
    except LaoError as error:
        found.append(finding("ollama", "cloud", "gap", error.problem.what))
    else:
        found.append(_cloud(disabled=disabled))
    finally:
        await client.close()
    what = (
        "whether OLLAMA_DEBUG_LOG_REQUESTS is set cannot be seen from here; if it is, "
        "the server writes every prompt into a temporary folder"
    )
    return [*found, finding("ollama", "request log", "note", what)]


def _cloud(*, disabled: bool | None) -> Finding:
    if disabled:
        return finding("ollama", "cloud", "ok", "switched off in the server")
    does = "does not tell" if disabled is None else "may use it"
    what = f"the server {does}; LAO refuses cloud models by itself"
    return finding("ollama", "cloud", "gap", what, _NO_CLOUD)


def _ffmpeg() -> Iterator[Finding]:
    path = find_ffmpeg()
    if path is not None:
        yield finding("recordings", "ffmpeg", "ok", str(path))
        return
    what = (
        "not found: wav, flac, mp3 and ogg are read without it; m4a and video are not"
    )
    yield finding("recordings", "ffmpeg", "gap", what, "install the package ffmpeg")


def _folders(settings: Settings) -> Iterator[Finding]:
    for name in ("config", "data", "cache"):
        folder: Path = getattr(settings.folders, name)
        yield _folder(name, folder)


def _folder(name: str, folder: Path) -> Finding:
    """Look at a folder, or at where it would be made."""
    there = folder
    while not os.path.lexists(there) and there != there.parent:
        there = there.parent
    try:
        mode = there.stat().st_mode & 0o777
        free = shutil.disk_usage(there).free
    except OSError as error:
        reason = error.strerror or str(error)
        return finding(
            "folders", name, "gap", f"{folder}: {reason}", "check its rights"
        )
    told = f"rights {mode:03o}" if there == folder else "not made yet"
    what = f"{folder} ({told}, {size_words(free)} free)"
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        return finding(
            "folders", name, "gap", f"{what}: cannot be written to", "check its rights"
        )
    if free < _LITTLE_SPACE:
        return finding("folders", name, "gap", what, "make room on its disk")
    if name == "data" and there == folder and mode & 0o077:
        return finding(
            "folders", name, "note", f"{what}: others may look into it", "chmod 700 it"
        )
    return finding("folders", name, "ok", what)


def _settings(settings: Settings) -> Iterator[Finding]:
    for name in Settings.__struct_fields__:
        if name not in ("folders", "origins"):
            value = getattr(settings, name)
            origin = settings.origins.get(name, "default")
            what = f"{_setting_words(value)} ({origin})"
            yield finding("settings", name, "ok", what)


def _setting_words(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    return "not set" if value is None else str(value)


def configured_models(settings: Settings) -> tuple[ModelBackend, ...]:
    """Return the models that the settings name; those that name none are left out."""
    found = []
    for text in (settings.model, settings.speech_model):
        with suppress(LaoError):
            if text is not None:
                found.append(model_called(text))
    return tuple(found)


async def _models(settings: Settings, opened: Backends) -> list[Finding]:
    """Look whether the configured models could be used; loads none."""
    found: list[Finding] = []
    async with opened as backends:
        for name in ("model", "speech_model"):
            text = getattr(settings, name)
            if text is None:
                continue
            try:
                await look_at(model_called(text), backends)
            except LaoError as error:
                problem = error.problem
                what = f"{text}: {problem.what}"
                found.append(finding("models", name, "gap", what, problem.mend))
            else:
                found.append(finding("models", name, "ok", f"{text} can be used"))
    return found
