# SPDX-License-Identifier: Apache-2.0
"""What a worker's boot is told to lock: all computed here, so that it starts fast."""

import os
import sys
from functools import cache
from pathlib import Path
from typing import Final

import msgspec

from lao.isolation import kernel
from lao.isolation.landlock import Access, worker_ruleset
from lao.isolation.levels import Machine
from lao.isolation.seccomp import Profile, worker_checks, worker_filter
from lao.workflow.values import JsonValue

_PACKAGE: Final = Path(__file__).resolve().parents[1]
_RECORDS: Final = Path(msgspec.__file__).resolve().parent  # what records are made of
_PACKAGE_FOLDERS: Final = ("site-packages", "dist-packages")
_SYSTEM: Final = (
    *("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib"),
    *("/etc/ld.so.cache", "/etc/alternatives", "/etc/localtime"),
    "/usr/share/zoneinfo",
    *("/dev/null", "/dev/zero", "/dev/urandom", "/dev/random"),
    *("/proc/cpuinfo", "/proc/meminfo", "/proc/stat"),
    *("/sys/devices/system/cpu", "/sys/devices/system/node"),
)
# Of a process only what tells of itself: `net`, in it and in each of its threads, tells
# of the whole machine's connections, and `mountinfo` of every disk and share.
_OWN: Final = tuple(
    f"/proc/self/{name}"
    for name in (
        *("auxv", "cgroup", "cmdline", "comm", "environ", "fd", "fdinfo", "io"),
        *("limits", "maps", "smaps", "smaps_rollup", "stat", "statm", "status"),
    )
)
_GPU_DEVICES: Final = (
    *("nvidia[0-9]*", "nvidiactl", "nvidia-uvm", "nvidia-uvm-tools", "nvidia-caps/*"),
    *("kfd", "dri/renderD*"),
)
_GPU_READABLE: Final = (
    *("/proc/driver/nvidia", "/usr/share/nvidia", "/usr/local/cuda", "/opt/rocm"),
    *("/usr/share/vulkan", "/etc/vulkan"),
    *("/sys/bus/pci", "/sys/devices", "/sys/class/drm", "/sys/class/kfd"),
)


def lock_config(
    machine: Machine, *, profile: Profile, access: Access, gpu: bool = False
) -> dict[str, JsonValue]:
    """Return the `lock` of a boot's configuration, as JSON.

    Call it in the process that starts the worker: the worker proves that it is in
    other namespaces than this one.
    """
    if gpu:
        access = _with_gpu(access)
    has_filters = machine.arch is not None and machine.seccomp
    return {
        "landlock": _landlock(machine, profile, access),
        "seccomp": _seccomp(machine, profile, gpu=gpu) if has_filters else None,
        "outside": dict(kernel.namespaces()) if machine.bwrap else None,
        "gpu": gpu,
    }


@cache
def interpreter_paths() -> tuple[str, ...]:
    """Return what an isolated interpreter must be able to read; all of it exists."""
    prefixes = (sys.base_prefix, sys.base_exec_prefix)
    ours = [f"{os.path.realpath(prefix)}/lib" for prefix in prefixes]
    wanted = (*ours, *_SYSTEM, *_OWN, str(_PACKAGE), str(_RECORDS), *_packages())
    return tuple(path for path in dict.fromkeys(wanted) if Path(path).exists())


def import_path() -> tuple[str, ...]:
    """Return what a worker may import from, besides the standard library.

    The folder that holds the `lao` package, and where packages are installed (so
    that extras work without `site`); not the current folder, nor anything else.
    """
    ours = (str(_PACKAGE.parent), str(_RECORDS.parent))
    return tuple(dict.fromkeys([*ours, *_packages()]))


def gpu_access() -> Access:
    """Return what the `gpu` profile adds: untested, and visibly weaker.

    The drivers behind these devices take ioctls that no filter understands.
    """
    devices = Path("/dev")
    found = [path for pattern in _GPU_DEVICES for path in devices.glob(pattern)]
    return Access(readable=_GPU_READABLE, devices=tuple(map(str, sorted(found))))


def _packages() -> list[str]:
    return [path for path in sys.path if Path(path).name in _PACKAGE_FOLDERS]


def _with_gpu(access: Access) -> Access:
    more = gpu_access()
    return Access(
        readable=(*access.readable, *more.readable),
        writable=access.writable,
        executable=access.executable,
        devices=(*access.devices, *more.devices),
    )


def _landlock(machine: Machine, profile: Profile, access: Access) -> JsonValue:
    if not machine.landlock_abi:
        return None
    ruleset = worker_ruleset(access, abi=machine.landlock_abi, profile=profile)
    return {
        "abi": ruleset.abi,
        "attributes": ruleset.attributes.hex(),
        "paths": [list(rule) for rule in ruleset.paths],
        "ports": [list(rule) for rule in ruleset.ports],
    }


def _seccomp(machine: Machine, profile: Profile, *, gpu: bool) -> JsonValue:
    if machine.arch is None:
        return None
    filtered = worker_filter(profile, arch=machine.arch, gpu=gpu)
    checks = worker_checks(profile, arch=machine.arch)
    return {
        "code": filtered.code.hex(),
        "own_pid_at": list(filtered.own_pid_at),
        "checks": [[call, list(given), error] for call, given, error in checks],
    }
