# SPDX-License-Identifier: Apache-2.0
"""What `lao ui` and its helpers take: memory and CPU time, as the kernel counts them."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

_PROC = Path("/proc")
_TICKS = os.sysconf("SC_CLK_TCK")
_MEGABYTE = 1024  # of the kilobytes that the kernel tells


def family(pid: int) -> list[int]:
    """Return a process and all that it has started, itself first."""
    tasks = (_PROC / str(pid) / "task").glob("*/children")
    children = [int(each) for task in tasks for each in task.read_text().split()]
    return [pid, *(one for child in children for one in family(child))]


def megabytes(pid: int, kind: str = "Rss") -> float:
    """Return the memory of a process: "Rss", or "Pss", where shared pages are shared out."""
    rollup = (_PROC / str(pid) / "smaps_rollup").read_text()
    lines = (line.split() for line in rollup.splitlines())
    return next(int(each[1]) for each in lines if each[0] == f"{kind}:") / _MEGABYTE


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process and its helpers until now."""
    return sum(_spent(each) for each in family(pid))


def _spent(pid: int) -> float:
    after_name = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / _TICKS


def load() -> str:
    """Return how busy the machine is: its load averages of 1 and 5 minutes, its cores."""
    one, five, _ = os.getloadavg()
    return (
        f"load {one:.1f}, {five:.1f}; {os.cpu_count()} cores; {time.strftime('%F %R')}"
    )


def helpers(pid: int) -> Iterator[str]:
    """Yield the name and the memory of each helper."""
    for each in family(pid)[1:]:
        name = (_PROC / str(each) / "comm").read_text().strip()
        yield f"{name} {megabytes(each):.1f} (PSS {megabytes(each, 'Pss'):.1f})"
