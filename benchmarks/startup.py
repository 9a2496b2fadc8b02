# SPDX-License-Identifier: Apache-2.0
"""What it costs to start: CPU time of whole processes, and of the first step's start.

    python -m benchmarks.startup [--rounds N] [--quick]

Every round runs each command once, in turns, so that a busy moment meets all. A whole
process is what `wait4` says of it and of all that it reaped. The first step has
started when `lao chain --events -` says so, which is after the commit that records
it, in a process that has proved its lock by then; until that line is read, the CPU
time of the whole tree counts: the command, its helpers, the trial of bubblewrap. On a
busy machine the line is read late, and some of the worker's start counts too: then the
best sample is nearer to the truth than the median.
"""

import itertools
import json
import os
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figures import Effort, Figure, run_alone
from benchmarks.processes import ROOT, own_home, tree_cpu_seconds

GROUP = "start-up"
LAO = str(Path(sysconfig.get_path("scripts"), "lao"))
TURNS = 3
EXAMPLE = "examples/word-statistics.yaml"

FLOOR = """
import asyncio, json, sqlite3, sys
flow = json.loads('{"steps": [{"id": "a"}]}')
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("PRAGMA journal_mode=WAL")
database.execute("PRAGMA synchronous=NORMAL")
database.execute("CREATE TABLE IF NOT EXISTS step(run INTEGER, node TEXT, value TEXT)")
async def main():
    async def step():
        return "seed+" + flow["steps"][0]["id"]
    value = await asyncio.create_task(step())
    database.execute("INSERT INTO step VALUES(1, 'a', ?)", (value,))
    print(value)
asyncio.run(main())
"""

BARE = "python -c pass"
STEP = "asyncio + sqlite3, 1 committed step"
VERSION = "lao --version"
HELP = "lao --help"
CHECK = "lao check, an example"
WHOLE = "lao chain -q, a whole run"
FIRST = "lao chain, to the first step started, locked"
FIRST_WALL = f"{FIRST}: wall"
STEP_WALL = f"{STEP}: wall"
_WORDS = "word statistics matter in text number"


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command, and what its stdout must hold."""

    words: Sequence[str]
    says: str = ""


def chain(number: int) -> tuple[str, str]:
    """Return a chain of one step whose result is not known yet, and its answer."""
    text = f"{_WORDS} {number}"
    return f"'{text}' | summarize", text


def commands(folder: Path, number: int, *, quick: bool) -> Mapping[str, Command]:
    """Return what is run as a whole."""
    few = {
        BARE: Command(words=[sys.executable, "-c", "pass"]),
        STEP: Command(
            words=[sys.executable, "-c", FLOOR, str(folder / "floor.db")],
            says="seed+a",
        ),
        VERSION: Command(words=[LAO, "--version"], says="lao "),
        HELP: Command(words=[LAO, "--help"], says="Commands:"),
    }
    if quick:
        return few
    text, answer = chain(number)
    return few | {
        CHECK: Command(words=[LAO, "check", EXAMPLE], says=": ok"),
        WHOLE: Command(words=[LAO, "chain", text, "-q"], says=answer),
    }


def whole(command: Command, folder: Path) -> tuple[float, float]:
    """Run a command; return CPU and wall milliseconds of it.

    Raises:
        SystemExit: it failed, or said something else.
    """
    began = time.perf_counter()
    with subprocess.Popen(
        command.words,
        env=own_home(folder),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None  # noqa: S101  (it is a pipe)
        said = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - began
    if process.returncode or command.says not in said:
        sys.exit(f"{command.words}: exit code {process.returncode}, {said[:200]!r}")
    return (used.ru_utime + used.ru_stime) * 1e3, wall * 1e3


def to_first_step(folder: Path, number: int) -> tuple[float, float]:
    """Return CPU and wall milliseconds until a chain says that its step has started.

    Raises:
        SystemExit: it was not locked by then, or the run did not end well.
    """
    text, answer = chain(number)
    began = time.perf_counter()
    taken = None
    lines: list[dict[str, object]] = []
    with subprocess.Popen(
        [LAO, "chain", text, "-q", "--events", "-"],
        env=own_home(folder),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdout is not None  # noqa: S101  (it is a pipe)
        for line in process.stdout:
            if taken is None and b'"step-started"' in line:
                wall = time.perf_counter() - began
                taken = tree_cpu_seconds(process.pid) * 1e3, wall * 1e3
            lines.append(json.loads(line))
    if taken is None or not lines[0].get("layers") or lines[0].get("level") == "L0":
        sys.exit(f"the first step did not start, or not locked: {lines[:2]}")
    if process.returncode or answer not in str(lines[-1].get("outputs")):
        sys.exit(f"the run did not end well: {lines[-1]}")
    return taken


def figures(samples: Mapping[str, Sequence[float]]) -> Iterator[Figure]:
    """Yield a figure for everything that was measured."""
    targets = {VERSION: (BARE, 3.0), HELP: (BARE, 3.0), FIRST: (STEP, 2.0)}
    floors = {CHECK: STEP, WHOLE: STEP, STEP: BARE, FIRST_WALL: STEP_WALL}
    for name, found in samples.items():
        floor, target = targets.get(name, (floors.get(name, ""), None))
        yield Figure(
            group=GROUP,
            name=name,
            unit="wall ms" if name in (FIRST_WALL, STEP_WALL) else "CPU ms",
            samples=tuple(found),
            floor=floor,
            target=target,
        )


def one_turn(folder: Path, number: int, *, quick: bool) -> Iterator[tuple[str, float]]:
    """Run everything once; yield what each took."""
    for name, command in commands(folder, number, quick=quick).items():
        cpu, wall = whole(command, folder)
        yield name, cpu
        if name == STEP:
            yield STEP_WALL, wall
    cpu, wall = to_first_step(folder, number + 1)
    yield FIRST, cpu
    yield FIRST_WALL, wall


def measure(effort: Effort) -> Iterator[Figure]:
    """Measure in turns; the first turn, which warms the disk's cache, is dropped."""
    samples: dict[str, list[float]] = {}
    numbers = itertools.count(step=2)
    with tempfile.TemporaryDirectory(prefix="startup-") as name:
        folder = Path(name)
        list(one_turn(folder, next(numbers), quick=effort.quick))
        for _ in effort.turns(GROUP):
            for _ in range(TURNS):
                for what, taken in one_turn(folder, next(numbers), quick=effort.quick):
                    samples.setdefault(what, []).append(taken)
    yield from figures(samples)


if __name__ == "__main__":
    run_alone(measure)
