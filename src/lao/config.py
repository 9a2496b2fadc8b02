# SPDX-License-Identifier: Apache-2.0
"""Settings, read once from flags, environment and file; each remembers its origin.

The only module that reads the environment. A flag beats the environment, the
environment beats the file, the file beats the default.
"""

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

from msgspec import Struct, field
from msgspec.structs import replace

from lao.errors import RefusedByPolicy, UsageError, did_you_mean
from lao.files import ABSENT, read_regular
from lao.policy import DEFAULT_ENDPOINT, LoopbackEndpoint
from lao.units import parse_size

_APP = "lao"
_LARGEST_FILE = 1 << 20


class Folders(Struct, frozen=True, kw_only=True):
    """Where LAO keeps things. None of them need exist."""

    config: Path
    data: Path
    cache: Path


class Settings(Struct, frozen=True, kw_only=True):
    """What a person can set. `origins` maps a field's name to where it was set.

    Where the kernel cannot lock a worker, nothing runs without `accept_no_isolation`.
    `worker_memory` (bytes) bounds each worker process; None is 90 % of the machine's.
    What is kept of runs survives the death of the process; with `durability` "full"
    the loss of power too. `cache_size` (bytes) bounds the results that are kept.
    """

    folders: Folders
    model: str | None = None
    speech_model: str | None = None
    endpoint: LoopbackEndpoint = DEFAULT_ENDPOINT
    require_no_cloud: bool = False
    accept_no_isolation: bool = False
    per_model: int = 1
    parallel_steps: int = 64
    worker_memory: int | None = None
    ephemeral: bool = False
    durability: Literal["process", "full"] = "process"
    cache_size: int = 4 << 30
    model_dirs: tuple[Path, ...] = ()
    hub_cache: Path | None = None
    color: bool | None = None
    debug: bool = False
    origins: Mapping[str, str] = field(default_factory=dict)


def load_settings(
    environment: Mapping[str, str] | None = None, **flags: object
) -> Settings:
    """Return the settings in force; flags that are None count as not given.

    Only values in force are looked at: what a flag overrides may be wrong.

    Raises:
        UsageError: a value cannot be used; says which one and where it was set.
        RefusedByPolicy: an endpoint is not on this machine; says where it was set.
    """
    env = os.environ if environment is None else environment
    folders = find_folders(env)
    given: dict[str, tuple[object, str]] = {}
    sources = (
        _from_file(folders.config / "config.toml"),
        _from_environment(env),
        [(name, value, f"--{name.replace('_', '-')}") for name, value in flags.items()],
    )
    for source in sources:
        for name, value, origin in source:
            if value is not None:
                given[name] = value, origin
    found = {name: _decoded(name, *each) for name, each in given.items()}
    origins = {name: origin for name, (_, origin) in given.items()}
    return replace(
        Settings(folders=folders, origins=origins), **found
    )  # decoded field by field


def find_folders(env: Mapping[str, str]) -> Folders:
    """Return LAO's folders by the XDG rules; without a home, below the temporary one."""
    home = _home(env)

    def folder(variable: str, *default: str) -> Path:
        given = env.get(variable, "")
        return (
            Path(given) if given.startswith("/") else home.joinpath(*default)
        ) / _APP

    return Folders(
        config=folder("XDG_CONFIG_HOME", ".config"),
        data=folder("XDG_DATA_HOME", ".local", "share"),
        cache=folder("XDG_CACHE_HOME", ".cache"),
    )


def shows_browser(environment: Mapping[str, str] | None = None) -> bool:
    """Whether a browser that is started here appears before the person who started it.

    Not without a display, and not over SSH: it would open somewhere else.
    """
    env = os.environ if environment is None else environment
    if env.get("SSH_CONNECTION") or env.get("SSH_TTY"):
        return False
    has_display = env.get("WAYLAND_DISPLAY") or env.get("DISPLAY")
    return bool(has_display) or sys.platform == "darwin"


def _home(env: Mapping[str, str]) -> Path:
    given = env.get("HOME", "")
    if given.startswith("/"):
        return Path(given)
    try:
        return Path.home()
    except RuntimeError:
        return Path(env.get("TMPDIR", "/tmp")) / f"lao-{os.getuid()}"  # noqa: S108


_Found = list[tuple[str, object, str]]

_VARIABLES = {
    "LAO_MODEL": "model",
    "LAO_SPEECH_MODEL": "speech_model",
    "LAO_ENDPOINT": "endpoint",
    "LAO_REQUIRE_NO_CLOUD": "require_no_cloud",
    "LAO_ACCEPT_NO_ISOLATION": "accept_no_isolation",
    "LAO_PER_MODEL": "per_model",
    "LAO_PARALLEL_STEPS": "parallel_steps",
    "LAO_WORKER_MEMORY": "worker_memory",
    "LAO_EPHEMERAL": "ephemeral",
    "LAO_DURABILITY": "durability",
    "LAO_CACHE_SIZE": "cache_size",
    "LAO_MODEL_DIRS": "model_dirs",
    "LAO_DEBUG": "debug",
}


def _from_environment(env: Mapping[str, str]) -> _Found:
    found: _Found = []
    if env.get("OLLAMA_HOST"):
        found.append(("endpoint", as_endpoint(env["OLLAMA_HOST"]), "OLLAMA_HOST"))
    if env.get("HF_HOME"):
        found.append(("hub_cache", Path(env["HF_HOME"]) / "hub", "HF_HOME"))
    if env.get("HF_HUB_CACHE"):
        found.append(("hub_cache", Path(env["HF_HUB_CACHE"]), "HF_HUB_CACHE"))
    if env.get("NO_COLOR"):
        found.append(("color", False, "NO_COLOR"))
    for variable, name in _VARIABLES.items():
        if env.get(variable):
            value: object = env[variable]
            if name == "model_dirs":
                value = str(value).split(os.pathsep)
            found.append((name, value, variable))
    return found


_LOOPBACK = {
    "": "127.0.0.1",
    "0.0.0.0": "127.0.0.1",  # noqa: S104  (a name to compare with, not to bind)
    "localhost": "127.0.0.1",
    "::": "[::1]",
    "[::]": "[::1]",
    "::1": "[::1]",
}


def as_endpoint(host: str) -> str:
    """Return Ollama's own `OLLAMA_HOST` as an endpoint: it may leave parts out.

    Servers listen on `0.0.0.0` or `::`; for a client Ollama reads that as loopback.
    """
    text = host.strip().removeprefix("http://").rstrip("/")
    name, colon, port = text.rpartition(":")
    is_bare_v6 = ":" in name and not name.startswith("[")
    if not colon or is_bare_v6 or text.endswith("]"):
        name, port = text, "11434"
    return f"http://{_LOOPBACK.get(name, name)}:{port}"


def _from_file(path: Path) -> _Found:
    try:
        text = read_regular(path, limit=_LARGEST_FILE).decode()
    except ABSENT:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            "config.unreadable",
            f"cannot read {str(path)!r}: {error}",
            mend="correct the file or its rights",
        ) from error
    import tomllib  # noqa: PLC0415  (only people with a file pay for the parser)

    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(
            "config.syntax",
            f"{str(path)!r} is not TOML: {error}",
            mend='write one setting on each line, such as: model = "llama3.2"',
        ) from error
    for name in table:
        if name not in _KNOWN:
            raise UsageError(
                "config.unknown-key",
                f"{str(path)!r} sets {name!r}, which is no setting",
                mend=did_you_mean(name, _KNOWN),
            )
    return [(name, value, str(path)) for name, value in table.items()]


def _decoded(name: str, value: object, origin: str) -> object:
    try:
        return _DECODERS[name](value)
    except RefusedByPolicy as error:
        problem = error.problem
        raise RefusedByPolicy(
            problem.code, f"{problem.what} (from {origin})", mend=problem.mend
        ) from error
    except (TypeError, ValueError, RuntimeError) as error:  # the last: no such home
        raise UsageError(
            "config.bad-value",
            f"{name} cannot be {value!r} (from {origin}): {error}",
            mend=f"correct it in {origin}, or take it out",
        ) from error


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("it must be a text")
    return value


def _flag(value: object) -> bool:
    if isinstance(value, bool):
        return value
    words = {
        "1": True,
        "true": True,
        "yes": True,
        "0": False,
        "false": False,
        "no": False,
    }
    if isinstance(value, str) and value.lower() in words:
        return words[value.lower()]
    raise ValueError("it must be true or false")


def _count(value: object) -> int:
    number = int(value) if isinstance(value, int | str) else 0
    if not 1 <= number <= 10_000:
        raise ValueError("it must be a number from 1 to 10,000")
    return number


def _size(value: object) -> int:
    found = parse_size(_text(value))
    if not found:
        raise ValueError("it must be a size, such as 8GiB")
    return found


def _durability(value: object) -> str:
    if value in ("process", "full"):
        return str(value)
    raise ValueError("it must be process or full")


def _paths(value: object) -> tuple[Path, ...]:
    items = list(value) if isinstance(value, list | tuple) else [value]
    return tuple(Path(str(item)).expanduser() for item in items if str(item))


def _endpoint(value: object) -> LoopbackEndpoint:
    return LoopbackEndpoint(_text(value))


_DECODERS: Mapping[str, Callable[[object], object]] = {
    "model": _text,
    "speech_model": _text,
    "endpoint": _endpoint,
    "require_no_cloud": _flag,
    "accept_no_isolation": _flag,
    "per_model": _count,
    "parallel_steps": _count,
    "worker_memory": _size,
    "ephemeral": _flag,
    "durability": _durability,
    "cache_size": _size,
    "model_dirs": _paths,
    "hub_cache": lambda value: Path(str(value)).expanduser(),
    "color": _flag,
    "debug": _flag,
}
_KNOWN = frozenset(Settings.__struct_fields__) - {"folders", "origins"}
