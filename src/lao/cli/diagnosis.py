# SPDX-License-Identifier: Apache-2.0
"""What works on this machine and what does not: looked at or tried, never assumed."""

import importlib.metadata
import os
import platform
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from lao import __version__
from lao.backend_factory import Backends
from lao.backends.in_worker import embedded_spec
from lao.backends.loopback import LoopbackClient
from lao.backends.ollama import cloud_status
from lao.backends.recordings import find_ffmpeg
from lao.cli.model_list import Server, ask_ollama
from lao.cli.tables import size_words
from lao.config import Settings
from lao.errors import LaoError
from lao.policy import WorkerLimits
from lao.preflight import look_at
from lao.runtime import model_called
from lao.workers.pool import WorkerPool
from lao.workflow.local_models import Embedded
from lao.workflow.values import JsonValue

_CORE = ("click", "h11", "jsonschema-rs", "minijinja", "pyyaml", "regex", "rich")
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

Status = Literal["ok", "note", "gap", "broken"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at. "broken": LAO cannot work without it."""

    area: str
    name: str
    status: Status
    what: str
    mend: str = ""


async def diagnose(settings: Settings) -> list[Finding]:
    """Look at everything; starts one embedded worker and asks the Ollama server."""
    server = await ask_ollama(settings.endpoint)
    return [
        *_program(),
        *_packages(),
        *await _isolation(),
        *await _ollama(settings, server),
        *_ffmpeg(),
        *_folders(settings),
        *_settings(settings),
        *await _models(settings),
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
            yield _finding("packages", name, "broken", "is missing", mend)
    for name, extra in _EXTRAS.items():
        if find_spec(name) is not None:
            what = f"{_version(name)} (extra {extra})"
            yield _finding("packages", name, "ok", what)
        else:
            mend = f"pip install 'lao-orchestrator[{extra}]'"
            yield _finding("packages", name, "gap", "is not installed", mend)


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


async def _isolation() -> list[Finding]:
    """Start a worker and read what its self-check found to be in force."""
    spec = embedded_spec(Embedded(name="summary"), WorkerLimits())
    started = time.monotonic()
    try:
        async with WorkerPool() as pool:
            await pool.describe(spec)
            seconds = time.monotonic() - started
            layers = pool.live()[0].layers
    except LaoError as error:
        problem = error.problem
        return [_finding("isolation", "worker", "broken", problem.what, problem.mend)]
    found = [_finding("isolation", "worker", "ok", f"answers after {seconds:.2f} s")]
    return [*found, *layer_findings(layers)]


def layer_findings(layers: Mapping[str, JsonValue]) -> Iterator[Finding]:
    """Yield what a worker's self-check proved, and what nothing enforces."""
    proved = [name for name, value in layers.items() if value and name != "rlimits"]
    limits = layers.get("rlimits")
    if isinstance(limits, dict) and limits:
        proved.append(f"limits ({', '.join(limits)})")
    absent = [name for name, value in layers.items() if value is False]
    if proved:
        what = f"a worker's self-check found: {', '.join(proved)}"
        yield _finding("isolation", "proved", "ok", what)
    if absent:
        what = f"absent here: {', '.join(absent)}"
        yield _finding("isolation", "absent", "gap", what)
    for layer, what in (("seccomp", "network connections"), ("landlock", "files")):
        if not layers.get(layer):
            words = (
                f"the kernel does not limit a worker's {what} ({layer} is not in use)"
            )
            yield _finding("isolation", layer, "gap", words)


async def _ollama(settings: Settings, server: Server) -> list[Finding]:
    where = server.endpoint
    if server.problem is not None:
        problem = server.problem
        return [_finding("ollama", "server", "gap", problem.what, problem.mend)]
    models = f"{len(server.models)} models (`lao models`)"
    what = f"{server.version or 'of unknown version'} at {where}, {models}"
    found = [_finding("ollama", "server", "ok", what)]
    client = LoopbackClient(settings.endpoint)
    try:
        disabled = await cloud_status(client)
    except LaoError as error:
        found.append(_finding("ollama", "cloud", "gap", error.problem.what))
    else:
        found.append(_cloud(disabled=disabled))
    finally:
        await client.close()
    what = (
        "whether OLLAMA_DEBUG_LOG_REQUESTS is set cannot be seen from here; if it is, "
        "the server writes every prompt into a temporary folder"
    )
    return [*found, _finding("ollama", "request log", "note", what)]


def _cloud(*, disabled: bool | None) -> Finding:
    if disabled:
        return _finding("ollama", "cloud", "ok", "switched off in the server")
    does = "does not tell" if disabled is None else "may use it"
    what = f"the server {does}; LAO refuses cloud models by itself"
    return _finding("ollama", "cloud", "gap", what, _NO_CLOUD)


def _ffmpeg() -> Iterator[Finding]:
    path = find_ffmpeg()
    if path is not None:
        yield _finding("recordings", "ffmpeg", "ok", str(path))
        return
    what = (
        "not found: wav, flac, mp3 and ogg are read without it; m4a and video are not"
    )
    yield _finding("recordings", "ffmpeg", "gap", what, "install the package ffmpeg")


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
        return _finding(
            "folders", name, "gap", f"{folder}: {reason}", "check its rights"
        )
    told = f"rights {mode:03o}" if there == folder else "not made yet"
    what = f"{folder} ({told}, {size_words(free)} free)"
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        return _finding(
            "folders", name, "gap", f"{what}: cannot be written to", "check its rights"
        )
    if free < _LITTLE_SPACE:
        return _finding("folders", name, "gap", what, "make room on its disk")
    if name == "data" and there == folder and mode & 0o077:
        return _finding(
            "folders", name, "note", f"{what}: others may look into it", "chmod 700 it"
        )
    return _finding("folders", name, "ok", what)


def _settings(settings: Settings) -> Iterator[Finding]:
    for each in fields(Settings):
        if each.name not in ("folders", "origins"):
            value = getattr(settings, each.name)
            origin = settings.origins.get(each.name, "default")
            what = f"{_setting_words(value)} ({origin})"
            yield _finding("settings", each.name, "ok", what)


def _setting_words(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    return "not set" if value is None else str(value)


async def _models(settings: Settings) -> list[Finding]:
    """Look whether the configured models could be used; loads none."""
    found: list[Finding] = []
    async with Backends(settings) as backends:
        for name in ("model", "speech_model"):
            text = getattr(settings, name)
            if text is None:
                continue
            try:
                await look_at(model_called(text), backends)
            except LaoError as error:
                problem = error.problem
                what = f"{text}: {problem.what}"
                found.append(_finding("models", name, "gap", what, problem.mend))
            else:
                found.append(_finding("models", name, "ok", f"{text} can be used"))
    return found


def _finding(
    area: str, name: str, status: Status, what: str, mend: str = ""
) -> Finding:
    return Finding(area=area, name=name, status=status, what=what, mend=mend)
