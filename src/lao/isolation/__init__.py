# SPDX-License-Identifier: Apache-2.0
"""What surrounds a worker process: its command, environment, import path and limits."""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from lao.isolation.limits import rlimits
from lao.policy import WorkerLimits

_BOOT = Path(__file__).with_name("boot.py")
_PACKAGE_FOLDERS = ("site-packages", "dist-packages")


def worker_command(requests_fd: int, replies_fd: int) -> tuple[str, ...]:
    """Return the argument list of a worker; it reveals nothing about its work.

    `-I -S`: no variable, user folder or `.pth` file decides what is imported.
    """
    flags = ("-I", "-S", "-B")
    return (sys.executable, *flags, str(_BOOT), str(requests_fd), str(replies_fd))


def worker_environment(scratch: Path) -> Mapping[str, str]:
    """Return the whole environment of a worker: an allow-list, nothing inherited."""
    threads = str(_usable_processors())
    return {
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
        "OMP_NUM_THREADS": threads,
        "OPENBLAS_NUM_THREADS": threads,
        "DO_NOT_TRACK": "1",
        "HF_HUB_OFFLINE": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "ORT_DISABLE_TELEMETRY": "1",
    }


def import_path() -> tuple[str, ...]:
    """Return what a worker may import from, besides the standard library.

    The folder that holds the `lao` package, and where packages are installed (so
    that extras work without `site`); not the current folder, nor anything else.
    """
    ours = str(_BOOT.parents[2])
    packages = [path for path in sys.path if Path(path).name in _PACKAGE_FOLDERS]
    return tuple(dict.fromkeys([ours, *packages]))


def boot_message(limits: WorkerLimits, *, run: str) -> bytes:
    """Return the first words to a worker: what to lock, and the module to run."""
    config = {
        "parent": os.getpid(),
        "rlimits": rlimits(limits),
        "sys_path": import_path(),
        "run": run,
    }
    text = json.dumps(config).encode()
    return len(text).to_bytes(4, "big") + text


def _usable_processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
