# SPDX-License-Identifier: Apache-2.0
"""What a step costs: LAO beside its floors and its peers, CPU time per step.

    python -m benchmarks.engine [--quick] [--rounds N]

Each cell is a fresh process that runs one graph again and again; rounds go over all
cells in turn, so that a busy moment meets everybody. A no-op step passes a text on; a
model step asks a model that answers in this process, which adds the prompt, the
request and the naming of the result. Somebody listens to the events of each run. The
peers take part in `python -m benchmarks.suite`, which makes their environments.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import median

from benchmarks.cells import Cell, Cells
from benchmarks.engine_table import (
    AGAIN,
    CHAIN,
    DURABLE,
    FLOORS,
    GRAPHS,
    GROWTH,
    GROWTH_MOST,
    GROWTH_PACE,
    IN_MEMORY,
    OURS,
    PEERS,
    QUICK,
    QUICK_GRAPHS,
    QUICK_GROWTH,
    TWICE,
    Row,
)
from benchmarks.figures import Effort, Figure, run_alone
from benchmarks.growth import sizes
from benchmarks.peer_environments import Environment, NoEnvironment

Environments = Mapping[str, Environment | NoEnvironment]
PEER_ROUNDS = 3
"""The rounds over which the peers are spread: one of them takes as long as ten rows."""


def measure(effort: Effort, peers: Environments | None = None) -> Iterator[Figure]:
    """Measure all rows in turns, then yield their figures, graph by graph."""
    rows = QUICK if effort.quick else (*FLOORS, *OURS)
    graphs = QUICK_GRAPHS if effort.quick else GRAPHS
    growth = QUICK_GROWTH if effort.quick else GROWTH
    others = () if effort.quick else tuple(_rows_of_peers(peers or {}))
    spread = min(effort.rounds, PEER_ROUNDS)
    cells = Cells()
    for number in effort.turns("engine"):
        taking_part = others[number::spread] if number < spread else ()
        _one_round(cells, (*rows, *taking_part), graphs)
        _one_round_of_growth(cells, growth)
    for missing in _not_measured((*rows, *others), graphs, cells):
        effort.tell(missing)
    for graph in graphs:
        yield from _figures_of(graph, (*rows, *others), cells)
    yield from _growth(cells, growth)
    if not effort.quick:
        yield from _ten_steps((*rows, *others), cells)
        yield from _peaks((*rows, *others), cells)
        yield from sizes()


def _rows_of_peers(environments: Environments) -> Iterator[Row]:
    for peer in PEERS:
        found = environments.get(peer.family)
        if isinstance(found, Environment):
            yield peer.row(str(found.python), found.versions)


def _not_measured(
    rows: Iterable[Row], graphs: Sequence[str], cells: Cells
) -> Iterator[str]:
    """Yield what has no figures, and why."""
    for row in rows:
        for graph, drawn in row.graphs.items():
            if graph in graphs and _cell(cells, row, graph) is None:
                reason = cells.failures.get((row.subject.name, drawn), "no time")
                yield f"not measured: {row.subject.name} on {drawn}: {reason}"


def _one_round(cells: Cells, rows: Iterable[Row], graphs: Sequence[str]) -> None:
    for graph in graphs:
        for row in rows:
            if graph in row.graphs:
                cells.measure(row.subject, row.graphs[graph], row.pace)


def _one_round_of_growth(cells: Cells, growth: Mapping[str, str]) -> None:
    for row in OURS:
        if row.subject.name in (IN_MEMORY, DURABLE):
            for pair in growth.items():
                for graph in pair:
                    cells.measure(row.subject, graph, GROWTH_PACE)


def _figures_of(graph: str, rows: Sequence[Row], cells: Cells) -> Iterator[Figure]:
    """Yield the figures of one graph: CPU µs per step."""
    for row in rows:
        cell = _cell(cells, row, graph)
        if cell is None:
            continue
        yield Figure(
            group=f"engine, {graph}",
            name=row.subject.name,
            unit="CPU µs/step",
            samples=cell.cpu_us,
            floor=row.floor,
            target=row.most.get(graph),
            versions=row.subject.versions,
            note="; ".join(_remarks(row, graph, cell, cells)),
        )


def _cell(cells: Cells, row: Row, graph: str) -> Cell | None:
    return cells.cells.get((row.subject.name, row.graphs.get(graph, "")))


def _remarks(row: Row, graph: str, cell: Cell, cells: Cells) -> Iterator[str]:
    yield f"wall {cell.wall_us:,.0f} µs"
    if row.graphs[graph] != graph:
        yield f"as {row.graphs[graph]}"
    ours = cells.cells.get((row.beside, graph))
    if ours is not None:
        times = median(cell.cpu_us) / median(ours.cpu_us)
        yield f"{times:,.1f} × {row.beside}"


def _growth(cells: Cells, growth: Mapping[str, str]) -> Iterator[Figure]:
    """Yield a step of a large graph over a step of a small one, and the memory."""
    for subject in (IN_MEMORY, DURABLE):
        for large, small in growth.items():
            for graph in (small, large):
                cell = cells.cells.get((subject, graph))
                if cell is None:
                    break
                is_large = graph == large
                yield Figure(
                    group="engine, growth",
                    name=f"{subject} · {graph}",
                    unit="CPU µs/step",
                    samples=cell.cpu_us,
                    floor=f"{subject} · {small}" if is_large else "",
                    target=GROWTH_MOST if is_large else None,
                    note=f"peak {max(cell.peaks_mb):.0f} MB",
                )


def _ten_steps(rows: Sequence[Row], cells: Cells) -> Iterator[Figure]:
    """Yield what a whole run of ten steps takes, its graph built once."""
    for row in rows:
        cell = _cell(cells, row, AGAIN)
        if cell is None or row.floor == "":
            continue
        yield Figure(
            group="engine, a run of 10 steps",
            name=row.subject.name,
            unit="CPU ms/run",
            samples=tuple(each * 10 / 1000 for each in cell.cpu_us),
            floor="" if row.subject.name == TWICE else TWICE,
            absolute=1.5 if row.subject.name == DURABLE else None,
            versions=row.subject.versions,
        )


def _peaks(rows: Sequence[Row], cells: Cells) -> Iterator[Figure]:
    """Yield the memory of the process that ran a thousand steps several times."""
    for row in rows:
        cell = _cell(cells, row, CHAIN)
        if cell is not None:
            yield Figure(
                group="engine, peak memory, chain1000",
                name=row.subject.name,
                unit="MB",
                samples=tuple(cell.peaks_mb),
                versions=row.subject.versions,
            )


if __name__ == "__main__":
    run_alone(measure)
