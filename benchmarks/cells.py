# SPDX-License-Identifier: Apache-2.0
"""One subject on one graph, measured in a process of its own, round by round."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict

from benchmarks.peer_environments import QUIET, ROOT

LIMIT = 120.0
"""Seconds after which a process is given up: it hangs, or the machine is far too slow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What runs graphs: its name among the `SUBJECTS` of a module, and its Python."""

    module: str
    name: str
    python: str = sys.executable
    versions: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How long one process measures: so many repeats, none begun after the seconds."""

    repeats: int
    seconds: float


class Found(TypedDict):
    """What one process measured: seconds of each repeat."""

    steps: int
    first_cpu: float
    cpu: list[float]
    wall: list[float]
    peak_mb: float


@dataclass(slots=True, kw_only=True)
class Cell:
    """What was measured of one subject on one graph, over all rounds."""

    steps: int = 0
    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)
    peaks_mb: list[float] = field(default_factory=list)

    def add(self, found: Found) -> None:
        """Take the figures of one process."""
        self.steps = found["steps"]
        self.cpu += found["cpu"]
        self.wall += found["wall"]
        self.peaks_mb.append(found["peak_mb"])

    @property
    def cpu_us(self) -> tuple[float, ...]:
        """CPU µs per step, of each repeat."""
        return tuple(each / self.steps * 1e6 for each in self.cpu)

    @property
    def wall_us(self) -> float:
        """Wall µs per step: the median."""
        return statistics.median(self.wall) / self.steps * 1e6


class Failed(Exception):
    """A process gave no figures; the text says why."""


def measure_once(subject: Subject, graph: str, pace: Pace) -> Found:
    """Measure one subject on one graph in a process of its own.

    Raises:
        Failed: it did not end well, or not in time.
    """
    command = [subject.python, "-m", "benchmarks.measuring", subject.module]
    rest = [subject.name, graph, str(pace.repeats), str(pace.seconds)]
    with tempfile.TemporaryDirectory(
        prefix="bench-", ignore_cleanup_errors=True
    ) as folder:
        try:
            done = subprocess.run(
                command + rest,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                check=False,
                timeout=LIMIT,
                cwd=folder,
                env=_environment(Path(folder)),
            )
        except subprocess.TimeoutExpired as error:
            raise Failed(f"no end after {LIMIT:.0f} s") from error
    if done.returncode:
        last = (done.stderr.strip() or "no message").splitlines()[-1]
        raise Failed(f"{last[-200:]} (exit {done.returncode})")
    found: Found = json.loads(done.stdout.splitlines()[-1])
    return found


def _environment(folder: Path) -> Mapping[str, str]:
    inherited = os.environ  # noqa: TID251  (an environment to inherit)
    path = os.pathsep.join(filter(None, (str(ROOT), inherited.get("PYTHONPATH"))))
    return {**inherited, **QUIET, "PYTHONPATH": path, "TMPDIR": str(folder)}


@dataclass(slots=True)
class Cells:
    """All cells of a table, by the names of subject and graph; and what failed, why."""

    cells: dict[tuple[str, str], Cell] = field(default_factory=dict)
    failures: dict[tuple[str, str], str] = field(default_factory=dict)

    def measure(self, subject: Subject, graph: str, pace: Pace) -> None:
        """Measure one cell once more; one that failed is not tried again."""
        key = subject.name, graph
        if key in self.failures:
            return
        try:
            found = measure_once(subject, graph, pace)
        except Failed as error:
            self.failures[key] = str(error)
            self.cells.pop(key, None)
            return
        self.cells.setdefault(key, Cell()).add(found)
