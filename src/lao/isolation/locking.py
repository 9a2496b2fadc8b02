# SPDX-License-Identifier: Apache-2.0
"""Locks a fresh worker process, proves the locks, and only then runs the worker.

The configuration is a 4-byte length and a JSON object: `parent` (its pid, as seen
here), `rlimits` (names and numbers), `lock` (what `lock_config` makes), `required` (the
layers without which nothing runs), `sys_path`, and `run`, the module whose
`main(requests_fd, replies_fd, layers)` is the worker. Nothing but the standard library
and this package is imported before every layer is on: nothing foreign has run by then.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from types import SimpleNamespace

from lao.isolation import kernel

TYPE_CHECKING = False  # of our own: every worker would wait for `typing` to load
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import ModuleType
    from typing import Any, Final, NoReturn, TypeAlias

    Config: TypeAlias = Mapping[str, Any]  # decoded JSON of our own parent

_PARENT_IS_GONE: Final = 111
_LAYER_FAILED: Final = 112
_SELF_CHECK_FAILED: Final = 113
_ROOT: Final = b"/"  # no ruleset of ours ever allows to list it


def main(config_fd: int, requests_fd: int, replies_fd: int) -> None:
    """Lock this process, then be the worker."""
    config = _read_config(config_fd)
    _die_with_the_parent(config)
    _be_first_for_the_oom_killer()
    _set_rlimits(config)
    if kernel.ON_LINUX:
        _lock(config["lock"])
    layers = self_check(config)
    missing = [name for name in config["required"] if not layers[name]]
    if missing:
        names = ", ".join(missing)
        _give_up(_SELF_CHECK_FAILED, f"the self-check misses {names}")
    sys.path.extend(path for path in config["sys_path"] if path not in sys.path)
    importlib.import_module(config["run"]).main(requests_fd, replies_fd, layers)


def self_check(config: Config) -> dict[str, Any]:
    """Read back from the kernel what is really on. False means absent here."""
    lock = config["lock"]
    layers = {
        "pdeathsig": _holds(kernel.dies_with_parent),
        "no_new_privs": _holds(kernel.gains_no_privileges),
        "undumpable": _holds(kernel.is_undumpable),
        "no_capabilities": _holds(kernel.has_no_capabilities),
        "rlimits": _rlimits(config),
        "landlock": lock["landlock"]["abi"] if _files_are_refused(lock) else 0,
        "seccomp": _holds(lambda: _calls_are_refused(lock)),
        "namespaces": _is_in_other_namespaces(lock),
    }
    return {**layers, "gpu": True} if lock["gpu"] else layers


def _lock(lock: Config) -> None:
    """Put on every layer that there is; the self-check finds the one that failed.

    Seccomp is the last: it takes away what the others need.
    """
    _try(kernel.drop_capabilities)
    _try(kernel.gain_no_privileges)
    _try(kernel.become_undumpable)
    if lock["landlock"] is not None:
        ruleset = _decoded(lock["landlock"], "attributes")
        _try(lambda: kernel.restrict(ruleset))
    if lock["seccomp"] is not None:
        filtered = _decoded(lock["seccomp"], "code")
        _try(lambda: kernel.install(filtered))


def _decoded(told: Config, name: str) -> Any:  # noqa: ANN401  (one or the other)
    """Return a ruleset or a filter; their own classes would cost time to import."""
    return SimpleNamespace(**{**told, name: bytes.fromhex(told[name])})


def _try(layer: Callable[[], None]) -> None:
    try:
        layer()
    except OSError as error:
        _say(str(error))


def _die_with_the_parent(config: Config) -> None:
    """Ask for SIGKILL at the parent's end, then see whether it ended before that."""
    if kernel.ON_LINUX:
        _try(kernel.die_with_parent)
    if os.getppid() != config["parent"]:
        os._exit(_PARENT_IS_GONE)


def _be_first_for_the_oom_killer() -> None:
    """Write it while this process is dumpable: later its /proc belongs to root."""
    try:
        score = os.open("/proc/self/oom_score_adj", os.O_WRONLY)
    except OSError:
        return  # not Linux, or a container without a writable /proc
    try:
        os.write(score, b"1000")
    finally:
        os.close(score)


def _set_rlimits(config: Config) -> None:
    resource = _resource()
    for name, wanted in config["rlimits"]:
        which = getattr(resource, f"RLIMIT_{name}", None)
        if resource is None or which is None:
            continue
        hard = resource.getrlimit(which)[1]
        value = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        # One second between the two, so that SIGXCPU tells what SIGKILL would not.
        spare = 1 if name == "CPU" and value < hard else 0
        try:
            resource.setrlimit(which, (value, value + spare))
        except (OSError, ValueError) as error:
            _give_up(_LAYER_FAILED, f"the limit {name} failed: {error}")


def _rlimits(config: Config) -> dict[str, int]:
    resource = _resource()
    limits = {}
    for name, _ in config["rlimits"]:
        which = getattr(resource, f"RLIMIT_{name}", None)
        if resource is not None and which is not None:
            limits[name] = resource.getrlimit(which)[1]
    return limits


def _resource() -> ModuleType | None:
    try:
        return importlib.import_module("resource")
    except ImportError:
        return None  # Windows


def _holds(check: Callable[[], bool]) -> bool:
    try:
        return kernel.ON_LINUX and check()
    except OSError:
        return False


def _files_are_refused(lock: Config) -> bool:
    if lock["landlock"] is None:
        return False
    try:
        os.close(os.open(_ROOT, os.O_RDONLY))
    except PermissionError:
        return True
    return False


def _calls_are_refused(lock: Config) -> bool:
    return lock["seccomp"] is not None and kernel.refuses(lock["seccomp"]["checks"])


def _is_in_other_namespaces(lock: Config) -> bool:
    """Whether not one namespace is still the one of the parent."""
    outside: Mapping[str, int] = lock["outside"] or {}
    inside = kernel.namespaces() if outside else {}
    return bool(inside) and all(outside[name] != inside[name] for name in inside)


def _read_config(fd: int) -> Config:
    try:
        size = int.from_bytes(_read_exactly(fd, 4), "big")
        config: Config = json.loads(_read_exactly(fd, size))
    finally:
        os.close(fd)
    return config


def _read_exactly(fd: int, count: int) -> bytes:
    data = b""
    while len(data) < count:
        part = os.read(fd, count - len(data))
        if not part:
            os._exit(_PARENT_IS_GONE)
        data += part
    return data


def _give_up(code: int, what: str) -> NoReturn:
    _say(what)
    os._exit(code)


def _say(what: str) -> None:
    os.write(2, f"lao-boot: {what}\n".encode(errors="replace"))
