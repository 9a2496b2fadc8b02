# SPDX-License-Identifier: Apache-2.0
"""Whole processes as subjects: a home of their own, and what a tree of them costs.

Needs the standard library and Linux's /proc.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
LIMIT = 300.0
_TICKS = os.sysconf("SC_CLK_TCK")
_CPU_CLOCK = 2  # CPUCLOCK_SCHED of linux/posix-timers.h: of a process, all its threads

Found = Mapping[str, list[float]]


def own_home(folder: Path) -> dict[str, str]:
    """Return an environment in which LAO keeps everything below `folder`."""
    places = ("CONFIG", "DATA", "CACHE")
    homes = {f"XDG_{each}_HOME": str(folder / each.lower()) for each in places}
    return {**os.environ, **homes}  # noqa: TID251  (an environment to inherit)


def found_by(module: str, *arguments: str) -> Found:
    """Run a subject of a group in a process of its own; return its samples by name.

    The subject prints them as the last line of its stdout, in JSON.

    Raises:
        SystemExit: it failed, or its answer was wrong.
    """
    command = [sys.executable, "-m", f"benchmarks.{module}", "subject", *arguments]
    ended = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=LIMIT
    )
    if ended.returncode:
        sys.exit(f"{module} {' '.join(arguments)} failed: {ended.stderr[-2000:]}")
    found: Found = json.loads(ended.stdout.splitlines()[-1])
    return found


def subject_of(arguments: list[str]) -> list[str] | None:
    """Return which subject this process is to be; None where it measures a group."""
    return arguments[1:] if arguments[:1] == ["subject"] else None


class _Stat(NamedTuple):
    parent: int
    reaped: float  # CPU seconds of its children that ended, to a hundredth


def _stat(pid: int) -> _Stat | None:
    """Return what the kernel says of a process, unless it is gone."""
    with suppress(OSError):
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return _Stat(int(words[1]), (int(words[13]) + int(words[14])) / _TICKS)
    return None


def _tree(root: int) -> Iterator[tuple[int, _Stat]]:
    pids = (int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit())
    found = {pid: stat for pid in pids if (stat := _stat(pid)) is not None}
    waiting = [root]
    while waiting:
        pid = waiting.pop()
        if pid in found:
            yield pid, found[pid]
        waiting += [each for each, stat in found.items() if stat.parent == pid]


def tree_cpu_seconds(root: int) -> float:
    """Return the CPU time so far of a living process and all that it started.

    Exact for what lives; what ended and was reaped counts in hundredths of a second.
    """
    spent = 0.0
    for pid, stat in _tree(root):
        with suppress(OSError):  # it ended just now
            spent += time.clock_gettime(~pid << 3 | _CPU_CLOCK) + stat.reaped
    return spent


def memory_mb(name: str, pid: int | str = "self") -> float:
    """Return a size of a living process: `VmHWM` is the peak of it, `VmRSS` that now.

    Not `ru_maxrss`, which begins with what the parent had at the moment of the fork.
    """
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) / 1024
    raise LookupError(name)
