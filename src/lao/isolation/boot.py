# SPDX-License-Identifier: Apache-2.0
"""The first code in a worker process: lock it, check the locks, only then run it.

    python -I -S -B boot.py REQUESTS_FD REPLIES_FD

The parent's first words on REQUESTS_FD are a 4-byte length and a JSON object:
`parent` (its pid), `rlimits` (names and numbers), `sys_path`, and `run`, the module
whose `main(requests_fd, replies_fd, layers)` is the worker. Only the standard library
is imported before every layer is on, so that nothing foreign has run by then.
"""

import ctypes
import importlib
import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, Final

_PARENT_IS_GONE = 111
_LAYER_FAILED = 112
_SELF_CHECK_FAILED = 113

_SIGKILL = 9
_PR_SET_PDEATHSIG = 1
_PR_GET_PDEATHSIG = 2
_PR_GET_DUMPABLE = 3
_PR_SET_DUMPABLE = 4
_PR_CAPBSET_DROP = 24
_PR_SET_NO_NEW_PRIVS = 38
_PR_GET_NO_NEW_PRIVS = 39
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_CLEAR_ALL = 4
_CAPABILITY_VERSION_3 = 0x20080522

ON_LINUX: Final[bool] = sys.platform == "linux"
Config = Mapping[str, Any]  # decoded JSON of our own parent


def _prctl(operation: int, *arguments: int) -> int:
    """Call prctl; OSError where it fails."""
    libc = ctypes.CDLL(None, use_errno=True)
    padded = (*arguments, 0, 0, 0, 0)[:4]
    result: int = libc.prctl(operation, *(ctypes.c_ulong(value) for value in padded))
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def _die_with_the_parent(config: Config) -> None:
    """Ask for SIGKILL at the parent's end, then see whether it ended before that."""
    if ON_LINUX:
        _prctl(_PR_SET_PDEATHSIG, _SIGKILL)
    if os.getppid() != config["parent"]:
        os._exit(_PARENT_IS_GONE)


def _be_first_for_the_oom_killer(_config: Config) -> None:
    try:
        Path("/proc/self/oom_score_adj").write_text("1000")
    except OSError:
        return  # not Linux, or a container without a writable /proc


def _set_rlimits(config: Config) -> None:
    resource = _resource()
    if resource is None:
        return
    for name, wanted in config["rlimits"]:
        which = getattr(resource, f"RLIMIT_{name}", None)
        if which is None:
            continue
        hard = resource.getrlimit(which)[1]
        value = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        # One second between the two, so that SIGXCPU tells what SIGKILL would not.
        spare = 1 if name == "CPU" and value < hard else 0
        resource.setrlimit(which, (value, value + spare))


def _drop_capabilities(_config: Config) -> None:
    """Leave root nothing but its name; other users have none to lose."""
    if not ON_LINUX or os.geteuid() != 0:
        return
    for capability in range(64):
        try:
            _prctl(_PR_CAPBSET_DROP, capability)
        except OSError:
            break  # past the last one of this kernel, or not ours to drop
    _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL)
    header = (_CAPABILITY_VERSION_3).to_bytes(4, sys.byteorder) + bytes(4)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.capset(header, bytes(24)) < 0:
        raise OSError(ctypes.get_errno(), "capset")


def _gain_no_privileges(_config: Config) -> None:
    """No set-user-ID program helps from here on; nobody attaches a debugger."""
    if ON_LINUX:
        _prctl(_PR_SET_NO_NEW_PRIVS, 1)
        _prctl(_PR_SET_DUMPABLE, 0)


# The order matters: dumpable 0 would take away the right to write oom_score_adj.
LAYERS: Final[tuple[Callable[[Config], None], ...]] = (
    _die_with_the_parent,
    _be_first_for_the_oom_killer,
    _set_rlimits,
    _drop_capabilities,
    _gain_no_privileges,
)


def self_check(config: Config) -> dict[str, Any]:
    """Read back from the kernel what is really on. False means absent here."""
    resource = _resource()
    limits = {}
    for name, _ in config["rlimits"]:
        which = getattr(resource, f"RLIMIT_{name}", None)
        if resource is not None and which is not None:
            limits[name] = resource.getrlimit(which)[1]
    return {
        "pdeathsig": ON_LINUX and _death_signal() == _SIGKILL,
        "no_new_privs": ON_LINUX and _prctl(_PR_GET_NO_NEW_PRIVS) == 1,
        "undumpable": ON_LINUX and _prctl(_PR_GET_DUMPABLE) == 0,
        "no_capabilities": ON_LINUX and _has_no_capabilities(),
        "rlimits": limits,
    }


def _death_signal() -> int:
    found = ctypes.c_int(0)
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_GET_PDEATHSIG, ctypes.byref(found))
    return found.value


def _has_no_capabilities() -> bool:
    """Whether the permitted, effective and inheritable sets are all empty."""
    header = (_CAPABILITY_VERSION_3).to_bytes(4, sys.byteorder) + bytes(4)
    sets = ctypes.create_string_buffer(b"\xff" * 24, 24)
    libc = ctypes.CDLL(None, use_errno=True)
    return libc.capget(header, sets) == 0 and sets.raw == bytes(24)


def _resource() -> ModuleType | None:
    try:
        return importlib.import_module("resource")
    except ImportError:
        return None  # Windows


def _read_config(fd: int) -> Config:
    """Read the parent's first words; what follows them is the worker's."""
    size = int.from_bytes(_read_exactly(fd, 4), "big")
    config: Config = json.loads(_read_exactly(fd, size))
    return config


def _read_exactly(fd: int, count: int) -> bytes:
    data = b""
    while len(data) < count:
        part = os.read(fd, count - len(data))
        if not part:
            os._exit(_PARENT_IS_GONE)
        data += part
    return data


def _give_up(code: int, what: str) -> None:
    os.write(2, f"lao-boot: {what}\n".encode(errors="replace"))
    os._exit(code)


def main() -> None:
    """Lock this process, then be the worker."""
    requests, replies = int(sys.argv[1]), int(sys.argv[2])
    config = _read_config(requests)
    for layer in LAYERS:
        try:
            layer(config)
        except (OSError, ValueError) as error:
            _give_up(_LAYER_FAILED, f"the layer {layer.__name__[1:]} failed: {error}")
    found = self_check(config)
    required = ("pdeathsig", "no_new_privs", "undumpable", "no_capabilities")
    missing = [name for name in required if ON_LINUX and not found[name]]
    if missing:
        _give_up(_SELF_CHECK_FAILED, f"the self-check misses {', '.join(missing)}")
    sys.path.extend(config["sys_path"])
    importlib.import_module(config["run"]).main(requests, replies, found)


if __name__ == "__main__":
    main()
