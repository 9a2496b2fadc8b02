# SPDX-License-Identifier: Apache-2.0
"""What must not grow with all that was ever kept: opening a store, listing runs.

    python -m benchmarks.growth FOLDER

fills the home in a folder with `RUNS` runs of one step, which `sizes` needs.
"""

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.cells import Cells, Failed, Pace, Subject
from benchmarks.dags import Dag, called
from benchmarks.engine_rows import Durable, settings_in
from benchmarks.figures import Figure
from benchmarks.peer_environments import ROOT

from lao.runtime import open_store

GROUP = "engine, what is kept"
RUNS = 10_000
LISTINGS = 7
LIMIT = 120.0


class Opened:
    """Opens and closes a store that is there already, in place of running a graph."""

    def __init__(self, dag: Dag, folder: Path) -> None:
        self.answer = dag.answer
        self.settings = settings_in(folder)

    def run(self) -> str:
        """Open the store once."""
        open_store(self.settings).close()
        return self.answer

    def close(self) -> None:
        """Let go of nothing."""


SUBJECTS = {"open a store": Opened}


def sizes() -> Iterator[Figure]:
    """Yield what opening a store and listing runs costs.

    Raises:
        Failed: a process did not end well.
    """
    cells = Cells()
    subject = Subject(module="growth", name="open a store")
    cells.measure(subject, "chain1x10", Pace(repeats=5, seconds=2.0))
    cell = cells.cells.get(("open a store", "chain1x10"))
    if cell is not None:
        yield Figure(
            group=GROUP,
            name="open a store",
            unit="CPU ms",
            samples=tuple(each / 1000 for each in cell.cpu_us),
            absolute=10.0,
        )
    yield from _listing()


def _listing() -> Iterator[Figure]:
    """Yield what `lao runs` costs over many runs, and over none."""
    samples: dict[str, list[float]] = {"no": [], f"{RUNS:,}": []}
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        homes = {kept: Path(name, str(at)) for at, kept in enumerate(samples)}
        _fill(homes[f"{RUNS:,}"])
        for _ in range(LISTINGS):
            for kept, home in homes.items():
                samples[kept].append(_listed(home) * 1000)
    none, many = samples
    yield _figure(none, samples[none])
    yield _figure(many, samples[many])
    beyond = tuple(
        full - empty for full, empty in zip(samples[many], samples[none], strict=True)
    )
    yield Figure(
        group=GROUP,
        name=f"`lao runs` over {many} runs, beyond none",
        unit="CPU ms",
        samples=beyond,
        absolute=150.0,
    )


def _figure(kept: str, samples: list[float]) -> Figure:
    name = f"`lao runs` over {kept} runs"
    return Figure(group=GROUP, name=name, unit="CPU ms", samples=tuple(samples))


def _fill(home: Path) -> None:
    home.mkdir()
    command = (sys.executable, "-m", "benchmarks.growth", str(home))
    done = subprocess.run(
        command, cwd=ROOT, check=False, timeout=LIMIT, stdout=subprocess.DEVNULL
    )
    if done.returncode:
        raise Failed(f"could not fill a store with runs (exit {done.returncode})")


def _listed(home: Path) -> float:
    """Return the CPU seconds of `lao runs`."""
    environment = {**os.environ, "XDG_DATA_HOME": str(home)}  # noqa: TID251
    began = _ended_children()
    subprocess.run(
        (sys.executable, "-m", "lao", "runs", "-q"),
        env=environment,
        stdout=subprocess.DEVNULL,
        check=True,
        timeout=LIMIT,
    )
    return _ended_children() - began


def _ended_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Carry out many runs of one step in the home that is named."""
    home = Path(sys.argv[1])
    runs = Durable(called("chain1"), home, data=home / "lao")
    for _ in range(RUNS):
        runs.run()
    runs.close()


if __name__ == "__main__":
    main()
