# SPDX-License-Identifier: Apache-2.0
"""What the figures were taken on, and how busy it was: as the kernel tells it."""

import os
import platform
import sqlite3
import tempfile
from collections.abc import Mapping
from pathlib import Path

from lao import __version__

_PROC = Path("/proc")
_MEGABYTE = 1024  # of the kilobytes that the kernel tells


def facts() -> Mapping[str, str]:
    """Return what does not change while it is measured."""
    return {
        "LAO": __version__,
        "CPU": _first("cpuinfo", "model name") or platform.processor() or "unknown",
        "cores": str(os.cpu_count()),
        "memory": _memory(),
        "kernel": f"{platform.system()} {platform.release()}",
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        "SQLite": sqlite3.sqlite_version,
        "filesystem": filesystem_of(Path(tempfile.gettempdir())),
    }


def busyness() -> str:
    """Return the load, and for how much of the last minute tasks waited for a CPU."""
    one, five, _ = os.getloadavg()
    return f"load {one:.1f}, {five:.1f}; CPU pressure {_pressure()}"


def _pressure() -> str:
    """Return the share of the last 10 and 60 seconds in which a task had to wait."""
    try:
        some = (_PROC / "pressure" / "cpu").read_text().splitlines()[0]
    except OSError:
        return "not told by this kernel"
    shares = dict(each.split("=") for each in some.split()[1:])
    return f"{shares['avg10']} % (10 s), {shares['avg60']} % (60 s)"


def filesystem_of(folder: Path, mounts: str | None = None) -> str:
    """Return the kind of filesystem that a folder is on, of those in /proc/mounts."""
    if mounts is None:
        try:
            mounts = (_PROC / "mounts").read_text()
        except OSError:
            return "unknown"
    within = [
        (len(point), kind)
        for _, point, kind, *_ in map(str.split, mounts.splitlines())
        if folder.resolve().is_relative_to(point)
    ]
    return max(within, default=(0, "unknown"))[1]


def _first(file: str, name: str) -> str:
    """Return the first value of that name in a file of "name: value" lines."""
    try:
        lines = (_PROC / file).read_text().splitlines()
    except OSError:
        return ""
    pairs = (line.partition(":") for line in lines)
    return next((value.strip() for key, _, value in pairs if key.strip() == name), "")


def _memory() -> str:
    kilobytes = _first("meminfo", "MemTotal").split()
    return f"{int(kilobytes[0]) // _MEGABYTE:,} MB" if kilobytes else "unknown"
