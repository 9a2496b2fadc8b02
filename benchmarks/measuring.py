# SPDX-License-Identifier: Apache-2.0
"""One subject on one graph in a process of its own: the last line of stdout is JSON.

    python -m benchmarks.measuring MODULE SUBJECT DAG REPEATS SECONDS

MODULE is one of this package, with its `SUBJECTS`; peers use it in environments of
their own, so it needs the standard library alone. The first repeat warms up and is
told apart. No other begins when SECONDS have passed, but one is always measured. CPU
time is user + system time of the process and of its children that ended.
"""

import importlib
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from benchmarks.dags import Dag, called
from benchmarks.processes import memory_mb


class Subject(Protocol):
    """Something that runs a graph again and again."""

    def run(self) -> str:
        """Run it once and return the answer."""
        ...

    def close(self) -> None:
        """Let go of everything."""
        ...


class Opens(Protocol):
    """Makes a subject: whatever happens here is not measured."""

    def __call__(self, dag: Dag, folder: Path, /) -> Subject:
        """Return a subject that runs `dag` and may write into `folder`."""
        ...


def cpu_seconds() -> float:
    """Return the CPU time that this process and its ended children took so far."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def one_repeat(subject: Subject, dag: Dag) -> tuple[float, float]:
    """Run as often as the graph asks; return CPU and wall seconds of all runs.

    Raises:
        SystemExit: an answer is wrong.
    """
    began, clock = cpu_seconds(), time.perf_counter()
    answers = {subject.run() for _ in range(dag.times)}
    took = cpu_seconds() - began, time.perf_counter() - clock
    if answers != {dag.answer}:
        sys.exit(f"wrong answers: {answers!r}, not {dag.answer!r}")
    return took


def measure(
    opens: Opens, dag: Dag, *, repeats: int, seconds: float
) -> Mapping[str, object]:
    """Return what a subject costs on a graph, in seconds for each run."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        subject = opens(dag, Path(folder))
        first, _ = one_repeat(subject, dag)
        runs: list[tuple[float, float]] = []
        until = time.monotonic() + seconds
        while len(runs) < repeats and (not runs or time.monotonic() < until):
            runs.append(one_repeat(subject, dag))
        peak = memory_mb("VmHWM")
        subject.close()
    return {
        "steps": len(dag.needs) * dag.times,
        "first_cpu": first,
        "cpu": [cpu for cpu, _ in runs],
        "wall": [wall for _, wall in runs],
        "peak_mb": peak,
    }


def main() -> None:
    """Measure what the arguments name."""
    module, subject, dag, repeats, seconds = sys.argv[1:]
    subjects: Mapping[str, Opens] = importlib.import_module(
        f"benchmarks.{module}"
    ).SUBJECTS
    found = measure(
        subjects[subject], called(dag), repeats=int(repeats), seconds=float(seconds)
    )
    print(json.dumps(found), flush=True)
    os._exit(0)  # some peers leave threads behind that never end


if __name__ == "__main__":
    main()
