# SPDX-License-Identifier: Apache-2.0
"""The rows of the engine's tables: who runs which graph, on which floor, how high.

The targets are LAO's own. A peer stands on the floor of the promise that it keeps:
nothing survives, a kill is survived, the loss of power is survived, results are known.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from benchmarks.cells import Pace, Subject

CHAIN, FAN, LAYERED, AGAIN = "chain1000", "fan1000", "layered20x50", "chain10x200"
GRAPHS = (CHAIN, FAN, LAYERED, AGAIN)
QUICK_GRAPHS = (CHAIN, FAN)

FEWER = {AGAIN: "chain10x20"}
"""What a slow peer runs instead: the same graph, fewer runs of it."""

PACE = Pace(repeats=5, seconds=1.5)
PEER_PACE = Pace(repeats=3, seconds=2.5)

ASYNCIO = "floor asyncio"
TWICE = "floor sqlite start+done"
FULL = "floor sqlite full"
HIT = "floor cache hit+journal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A subject, its floor, and the most that the ratio to it may be, by graph."""

    subject: Subject
    floor: str = ""
    most: Mapping[str, float] = field(default_factory=dict)
    graphs: Mapping[str, str] = field(
        default_factory=lambda: {each: each for each in GRAPHS}
    )
    """The graphs of the tables that it is in, and what it runs there."""
    pace: Pace = PACE
    beside: str = ""
    """Of a peer: the row of LAO that makes the same promise, or a greater one."""


IN_MEMORY, DURABLE, POWER_SAFE, CACHED = (
    "LAO no-op, in memory",
    "LAO no-op, durable",
    "LAO no-op, durable full",
    "LAO model step, cached",
)


def _most(*, chain: float, wide: float) -> Mapping[str, float]:
    """Return the bounds by graph. Entering a run costs too: that has one of its own."""
    return {CHAIN: chain, FAN: wide, LAYERED: wide}


def _floor(name: str, floor: str = ASYNCIO) -> Row:
    subject = Subject(module="floors", name=name)
    return Row(subject=subject, floor="" if name == floor else floor)


def _lao(name: str, floor: str, most: Mapping[str, float] | None = None) -> Row:
    subject = Subject(module="engine_rows", name=name)
    return Row(subject=subject, floor=floor, most=most or {})


FLOORS = (
    _floor(ASYNCIO),
    _floor("floor sqlite batched"),
    _floor(TWICE),
    _floor(FULL),
    _floor(HIT),
)
OURS = (
    _lao(IN_MEMORY, ASYNCIO, dict.fromkeys(GRAPHS, 3.0)),
    _lao(DURABLE, TWICE, _most(chain=1.5, wide=1.0)),
    _lao(POWER_SAFE, FULL, _most(chain=1.3, wide=0.5)),
    _lao(CACHED, HIT, _most(chain=1.5, wide=1.0)),
    _lao("LAO model step, in memory", ASYNCIO),
    _lao("LAO model step, durable", TWICE),
)
QUICK = tuple(
    row
    for row in (*FLOORS, *OURS[:4])
    if row.subject.name in {ASYNCIO, TWICE, HIT, IN_MEMORY, DURABLE, CACHED}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A peer's row: its floor, the row of LAO beside it, what it can draw and bear."""

    family: str
    name: str
    floor: str
    beside: str
    chains_only: bool = False
    is_slow: bool = False

    def row(self, python: str, versions: str) -> Row:
        """Return the row, in the environment of the family."""
        drawn = (CHAIN, AGAIN) if self.chains_only else GRAPHS
        fewer = FEWER if self.is_slow else {}
        return Row(
            subject=Subject(
                module=f"peer_{self.family}",
                name=self.name,
                python=python,
                versions=versions,
            ),
            floor=self.floor,
            graphs={graph: fewer.get(graph, graph) for graph in drawn},
            pace=PEER_PACE,
            beside=self.beside,
        )


def _in_memory(family: str, name: str, *, chains_only: bool = False) -> Peer:
    return Peer(
        family=family,
        name=f"{name}, in memory",
        floor=ASYNCIO,
        beside=IN_MEMORY,
        chains_only=chains_only,
    )


PEERS = (
    _in_memory("hamilton", "Hamilton"),
    _in_memory("hamilton", "Hamilton async"),
    _in_memory("burr", "Burr", chains_only=True),
    _in_memory("haystack", "Haystack"),
    _in_memory("haystack", "Haystack async"),
    _in_memory("langgraph", "LangGraph"),
    _in_memory("langgraph", "LangGraph async"),
    Peer(
        family="hamilton",
        name="Hamilton, cached",
        floor=HIT,
        beside=CACHED,
        is_slow=True,
    ),
    Peer(
        family="burr",
        name="Burr, SQLite FULL",
        floor=FULL,
        beside=POWER_SAFE,
        chains_only=True,
        is_slow=True,
    ),
    Peer(
        family="langgraph",
        name="LangGraph, SQLite FULL",
        floor=FULL,
        beside=POWER_SAFE,
        is_slow=True,
    ),
    Peer(
        family="langgraph",
        name="LangGraph, SQLite NORMAL",
        floor=TWICE,
        beside=DURABLE,
        is_slow=True,
    ),
    Peer(
        family="dbos",
        name="DBOS, SQLite NORMAL",
        floor=TWICE,
        beside=DURABLE,
        is_slow=True,
    ),
)

GROWTH_PACE = Pace(repeats=3, seconds=1.5)
GROWTH = {"chain10000": "chain100x10", "fan10000": "fan100"}
QUICK_GROWTH = {"chain4000": "chain100x10"}
"""Large graphs, and the small ones that a step of them is compared with."""
GROWTH_MOST = 1.2
