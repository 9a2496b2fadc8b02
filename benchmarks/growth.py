# SPDX-License-Identifier: Apache-2.0
"""What must not grow: time per step with the size of the plan, opening, listing runs."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from dags import called
from engine_rows import Durable, InMemory, settings_in, workflow_of
from measuring import cpu_seconds, one_run

from lao.runtime import make_plan, open_store

SIZES = ("100", "1000", "10000")
RUNS = 10_000
ITEMS = (1_000, 100_000)
LAO = (sys.executable, "-m", "lao")


def median_ms(act: Callable[[], object], *, times: int = 5) -> float:
    """Return the CPU milliseconds of an act: the median."""
    found = []
    for _ in range(times):
        began = cpu_seconds()
        act()
        found.append(cpu_seconds() - began)
    return statistics.median(found) * 1000


def compiling(folder: Path) -> Iterator[str]:
    """Yield what compiling a plan of 10,000 steps costs."""
    settings = settings_in(folder)
    for name in ("chain10000", "fan10000", "layered200x50"):
        workflow = workflow_of(called(name), cache="auto")
        ms = median_ms(partial(make_plan, workflow, settings, recipes={}), times=3)
        yield f"| compile {name} | {ms:,.0f} ms | ≤ 1,000 ms |"


def per_step(folder: Path) -> Iterator[str]:
    """Yield the time per step of small and large plans."""
    for kind in ("chain", "fan"):
        for subject in (InMemory, Durable):
            words = []
            for size in SIZES:
                dag = called(f"{kind}{size}")
                place = folder / f"{kind}{size}{subject.__name__}"
                place.mkdir()
                opened = subject(dag, place)
                one_run(opened, dag)
                took = [one_run(opened, dag)[0] for _ in range(3)]
                opened.close()
                words.append(f"{statistics.median(took) / len(dag.needs) * 1e6:.0f}")
            yield (
                f"| {kind}, {subject.__name__}: µs/step at {', '.join(SIZES)} steps "
                f"| {' / '.join(words)} | flat |"
            )


def opening(folder: Path) -> Iterator[str]:
    """Yield what it costs to open a store, after everything is imported."""
    settings = settings_in(folder / "opened")
    began = time.perf_counter()
    open_store(settings).close()
    first = (time.perf_counter() - began) * 1000
    yield f"| make a store (wall) | {first:.1f} ms | |"

    wall = []
    for _ in range(20):
        began = time.perf_counter()
        store = open_store(settings)
        wall.append((time.perf_counter() - began) * 1000)
        store.close()
    yield f"| open a store (wall) | {statistics.median(wall):.2f} ms | ≤ 10 ms |"


def listing(folder: Path) -> Iterator[str]:
    """Yield what `lao runs` costs over 10,000 runs, beyond the same over none."""
    fill_with_runs(folder / "full")
    figures = {}
    for name in ("empty", "full"):
        environment = {**os.environ, "XDG_DATA_HOME": str(folder / name)}  # noqa: TID251
        list_runs = partial(
            subprocess.run,
            [*LAO, "runs", "-q"],
            env=environment,
            stdout=subprocess.DEVNULL,
            check=True,
        )
        figures[name] = median_ms(list_runs, times=9)
    beyond = figures["full"] - figures["empty"]
    yield (
        f"| `lao runs` over {RUNS:,} runs, beyond none ({figures['empty']:.0f} ms CPU) "
        f"| {beyond:.0f} ms | ≤ 150 ms |"
    )


def fill_with_runs(home: Path) -> None:
    """Carry out 10,000 runs of one step."""
    dag = called("chain1")
    runs = Durable(dag, home, data=home / "lao")
    for _ in range(RUNS):
        runs.run()
    runs.close()


def batches(folder: Path) -> Iterator[str]:
    """Yield the peak memory of a large batch, beside that of a small one."""
    workflow = folder / "w.yaml"
    workflow.write_text(
        "lao: 1\nname: trivial\ninputs: { text: { type: text } }\n"
        'steps: [{ id: same, input: "{{ inputs.text }}" }]\n'
    )
    peaks = []
    for count in ITEMS:
        rows = folder / f"{count}.jsonl"
        rows.write_text("".join(f'{{"text": "row {n}"}}\n' for n in range(count)))
        environment = {**os.environ, "XDG_DATA_HOME": str(folder / f"batch{count}")}  # noqa: TID251
        command = [*LAO, "run", str(workflow), "--each", str(rows), "-q"]
        process = subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, cwd=folder
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        peaks.append(used.ru_maxrss / 1024)
        yield (
            f"| batch of {count:,} rows: CPU per row "
            f"| {(used.ru_utime + used.ru_stime) / count * 1e6:,.0f} µs | |"
        )
    small, large = peaks
    yield (
        f"| … peak memory, {ITEMS[0]:,} and {ITEMS[1]:,} rows "
        f"| {small:.0f} and {large:.0f} MB | ≤ {small + 20:.0f} MB |"
    )


def print_growth() -> None:
    """Measure and print one table."""
    print("\n### Sizes\n\n| what | found | target |\n|---|---:|---:|")
    with tempfile.TemporaryDirectory(prefix="growth-") as name:
        for part in (compiling, per_step, opening, listing, batches):
            for line in part(Path(name)):
                print(line, flush=True)


if __name__ == "__main__":
    print_growth()
