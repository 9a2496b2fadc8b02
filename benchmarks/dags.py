# SPDX-License-Identifier: Apache-2.0
"""The graphs that LAO, the floors and the peers all run, and the step that costs nothing.

Needs the standard library alone: peers import it in environments of their own.
"""

import random
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

SEED = "seed"
"""What a step without needs is given."""


def work(node: str, given: Sequence[str]) -> str:
    """Return a short text that depends on the node and on all that it was given.

    About 1 µs. The digest makes a step that was skipped, doubled or misrouted show in
    the answer of the whole graph.
    """
    joined = "|".join(sorted(given))
    return f"{joined[:24]}+{node}+{zlib.crc32((joined + node).encode()):08x}"


@dataclass(frozen=True)
class Dag:
    """Nodes with their needs, in an order that respects them; the last is the sink.

    What is measured is `times` runs of it, one after the other.
    """

    name: str
    needs: Mapping[str, Sequence[str]]
    times: int = 1

    @property
    def sink(self) -> str:
        """The node whose value is the answer."""
        return list(self.needs)[-1]

    @property
    def is_chain(self) -> bool:
        """Whether no node has more than one need, nor more than one user."""
        return all(
            len(each) < 2 for each in (*self.needs.values(), *self.users.values())
        )

    @cached_property
    def users(self) -> dict[str, list[str]]:
        """Who needs whom."""
        found: dict[str, list[str]] = {node: [] for node in self.needs}
        for node, needs in self.needs.items():
            for need in needs:
                found[need].append(node)
        return found

    @cached_property
    def answer(self) -> str:
        """What a run must give."""
        values: dict[str, str] = {}
        for node, needs in self.needs.items():
            values[node] = work(node, [values[need] for need in needs] or [SEED])
        return values[self.sink]


def chain(length: int, *, times: int = 1) -> Dag:
    """Return one node after the other."""
    nodes = [f"n{number:05d}" for number in range(length)]
    needs = {node: nodes[max(0, at - 1) : at] for at, node in enumerate(nodes)}
    return Dag(
        f"chain{length}" if times == 1 else f"chain{length}x{times}", needs, times
    )


def fan(width: int) -> Dag:
    """Return a source, `width` nodes that need it, and a sink that needs them all."""
    middle = [f"n{number:05d}" for number in range(width)]
    needs: dict[str, Sequence[str]] = {"source": ()}
    needs |= dict.fromkeys(middle, ("source",))
    return Dag(f"fan{width}", {**needs, "sink": middle})


def layered(depth: int, width: int, *, each_needs: int = 3) -> Dag:
    """Return layers of nodes that each need some of the layer above, always the same."""
    chance = random.Random(20)  # noqa: S311  (the same graph each time)
    needs: dict[str, list[str]] = {"source": []}
    above = ["source"]
    for layer in range(depth):
        row = [f"n{layer:02d}_{place:03d}" for place in range(width)]
        for node in row:
            needs[node] = sorted(chance.sample(above, min(each_needs, len(above))))
        above = row
    used = {need for each in needs.values() for need in each}
    return Dag(
        f"layered{depth}x{width}",
        {**needs, "sink": [node for node in needs if node not in used]},
    )


def called(name: str) -> Dag:
    """Return the graph of that name: chain1000, chain10x200, fan1000, layered20x50.

    chain10x200 is a chain of 10 that is run 200 times.
    """
    if name.startswith("chain"):
        length, _, times = name.removeprefix("chain").partition("x")
        return chain(int(length), times=int(times or 1))
    if name.startswith("fan"):
        return fan(int(name.removeprefix("fan")))
    depth, _, width = name.removeprefix("layered").partition("x")
    return layered(int(depth), int(width))
