# SPDX-License-Identifier: Apache-2.0
"""What durability costs: LAO beside its floors (and peers), CPU time per step.

    python benchmarks/durability.py [--rounds N] [--repeats N] [--only TEXT] [--json FILE]
        [--peer-python langgraph=PATH] [--peer-python dbos=PATH] [--no-growth]

Each cell is a fresh process that runs one graph again and again; rounds go over all
cells in turn, so that a busy moment meets everybody. The figure is the median of all
repeats; the ratio is to the floor of the same graph in the same call. A no-op step
passes a text on; a model step asks a model that answers in this process, which adds
the prompt, the request and the naming of the result. The targets are LAO's own. Peers run where the Python of an environment that has them is given.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict

from growth import print_growth

HERE = Path(__file__).parent
GRAPHS = ("chain1000", "fan1000", "layered20x50")
SECONDS = "4"
LIMIT = 180.0
QUIET = {
    "LANGSMITH_TRACING": "false",
    "LANGCHAIN_TRACING_V2": "false",
    "DO_NOT_TRACK": "1",
}

_ASYNCIO = "floor asyncio"
_TWICE = "floor sqlite start+done"
_FULL = "floor sqlite full"
_HIT = "floor cache hit+journal"


@dataclass(frozen=True, slots=True)
class Row:
    """A subject: where it lives, which floor it stands on, how high it may be."""

    module: str
    subject: str
    floor: str
    most: Mapping[str, float] = field(default_factory=dict)
    python: str = sys.executable


_IN_MEMORY = dict.fromkeys(GRAPHS, 3.0)
_DURABLE = {"chain1000": 1.5, "fan1000": 1.2, "layered20x50": 1.2}
_CACHED = dict.fromkeys(GRAPHS, 1.5)

ROWS = (
    Row("floors", _ASYNCIO, _ASYNCIO),
    Row("floors", "floor sqlite batched", _ASYNCIO),
    Row("floors", _TWICE, _ASYNCIO),
    Row("floors", _FULL, _ASYNCIO),
    Row("floors", _HIT, _ASYNCIO),
    Row("engine_rows", "LAO no-op, in memory", _ASYNCIO, _IN_MEMORY),
    Row("engine_rows", "LAO no-op, durable", _TWICE, _DURABLE),
    Row("engine_rows", "LAO no-op, durable full", _FULL),
    Row("engine_rows", "LAO model step, in memory", _ASYNCIO),
    Row("engine_rows", "LAO model step, durable", _TWICE),
    Row("engine_rows", "LAO model step, durable full", _FULL),
    Row("engine_rows", "LAO model step, cached", _HIT, _CACHED),
)
PEERS = {
    "langgraph": ("LangGraph, SQLite", "LangGraph, SQLite NORMAL"),
    "dbos": ("DBOS, SQLite WAL",),
}


class Found(TypedDict):
    """What one process measured: seconds of each run."""

    steps: int
    cpu: list[float]
    wall: list[float]
    peak_mb: float


@dataclass
class Cell:
    """What was measured of one subject on one graph, over all rounds."""

    steps: int = 0
    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)
    peak_mb: float = 0.0

    def add(self, found: Found) -> None:
        """Take the figures of one process."""
        self.steps = found["steps"]
        self.cpu += found["cpu"]
        self.wall += found["wall"]
        self.peak_mb = max(self.peak_mb, found["peak_mb"])

    @property
    def cpu_us(self) -> float:
        """CPU µs per step: the median."""
        return statistics.median(self.cpu) / self.steps * 1e6

    @property
    def wall_us(self) -> float:
        """Wall µs per step: the median."""
        return statistics.median(self.wall) / self.steps * 1e6


Cells = dict[tuple[str, str], Cell]


def measure(row: Row, graph: str, repeats: int) -> Found | None:
    """Run one cell in a process of its own; None if it did not end well."""
    command = [row.python, str(HERE / "measuring.py"), row.module, row.subject, graph]
    done = subprocess.run(
        [*command, str(repeats), SECONDS],
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=LIMIT,
        env={**os.environ, **QUIET},  # noqa: TID251  (an environment to inherit)
    )
    if done.returncode:
        print(f"{row.subject} on {graph} failed: {done.stderr[-400:]}", file=sys.stderr)
        return None
    found: Found = json.loads(done.stdout.splitlines()[-1])
    return found


def measure_all(rows: tuple[Row, ...], *, rounds: int, repeats: int) -> Cells:
    """Measure every cell, round by round."""
    cells: Cells = {}
    for _ in range(rounds):
        for graph in GRAPHS:
            for row in rows:
                found = measure(row, graph, repeats)
                if found is not None:
                    cells.setdefault((row.subject, graph), Cell()).add(found)
    return cells


def lines(rows: tuple[Row, ...], cells: Cells, graph: str) -> Iterator[str]:
    """Yield the table of one graph."""
    yield f"\n### {graph}\n"
    yield (
        "| what | CPU µs/step | its floor | ratio | target | |"
        " wall µs/step | peak MB | n |"
    )
    yield "|---|---:|---|---:|---:|---|---:|---:|---:|"
    for row in rows:
        cell, floor = cells.get((row.subject, graph)), cells.get((row.floor, graph))
        if cell is None or floor is None:
            yield f"| {row.subject} | failed |" + " |" * 7
            continue
        ratio = cell.cpu_us / floor.cpu_us
        most = row.most.get(graph)
        target = f"≤ {most:g}" if most else ""
        verdict = "" if most is None else "met" if ratio <= most else "missed"
        floor_name = row.floor.removeprefix("floor ")
        yield (
            f"| {row.subject} | {cell.cpu_us:,.1f} | {floor_name} | {ratio:.2f} "
            f"| {target} | {verdict} | {cell.wall_us:,.0f} | {cell.peak_mb:.0f} "
            f"| {len(cell.cpu)} |"
        )


def rows_with_peers(given: list[str]) -> tuple[Row, ...]:
    """Return the rows to measure: ours, and those of the peers that are given."""
    rows: tuple[Row, ...] = ROWS
    for each in given:
        name, _, python = each.partition("=")
        if name not in PEERS or not Path(python).exists():
            sys.exit(f"--peer-python {each}: write {'|'.join(PEERS)}=PATH_TO_PYTHON")
        rows += tuple(
            Row(f"peer_{name}", subject, _TWICE, python=python)
            for subject in PEERS[name]
        )
    return rows


def main() -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description="what durability costs")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", default="", help="rows with that in their name")
    parser.add_argument("--peer-python", action="append", default=[])
    parser.add_argument("--no-growth", action="store_true")
    parser.add_argument("--json", type=Path, help="keep every figure in a file")
    chosen = parser.parse_args()
    rows = rows_with_peers(chosen.peer_python)
    if chosen.only:
        wanted = {row.floor for row in rows if chosen.only in row.subject}
        rows = tuple(
            row for row in rows if chosen.only in row.subject or row.subject in wanted
        )
    cells = measure_all(rows, rounds=chosen.rounds, repeats=chosen.repeats)
    for graph in GRAPHS:
        print("\n".join(lines(rows, cells, graph)), flush=True)
    if chosen.json:
        kept = {
            f"{name} / {graph}": vars(cell) for (name, graph), cell in cells.items()
        }
        chosen.json.write_text(json.dumps(kept, indent=1))
    if not chosen.no_growth:
        print_growth()


if __name__ == "__main__":
    main()
