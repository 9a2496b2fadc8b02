# SPDX-License-Identifier: Apache-2.0
"""LangGraph with its SQLite checkpoints: a graph node for each step.

Runs in an environment that holds `langgraph` and `langgraph-checkpoint-sqlite`.
"""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypedDict
from uuid import uuid4

from dags import SEED, Dag, work
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph

_Update = Mapping[str, str]


class LangGraph:
    """As it comes: write-ahead log, an fsync for each checkpoint.

    A checkpoint is saved per superstep (a layer of the graph) while the next one runs.
    """

    synchronous = "FULL"

    def __init__(self, dag: Dag, folder: Path) -> None:
        self.is_chain = dag.is_chain
        self.sink = self._channel(dag.sink)
        channels = {self._channel(node): str for node in ("seed", *dag.needs)}
        graph = StateGraph(TypedDict("State", channels))  # type: ignore[operator]  # made for this graph
        for node, needs in dag.needs.items():
            graph.add_node(node, self._step(node, needs))
            start = needs[0] if len(needs) == 1 else list(needs)
            graph.add_edge(start if needs else START, node)
        graph.add_edge(dag.sink, END)
        database = sqlite3.connect(folder / "checkpoints.db", check_same_thread=False)
        saver = SqliteSaver(database)
        saver.setup()
        database.execute(f"PRAGMA synchronous={self.synchronous}")
        self.graph = graph.compile(checkpointer=saver)

    def _channel(self, node: str) -> str:
        """Name where a node's value is kept: all in one place in a chain."""
        return "value" if self.is_chain else f"of_{node}"

    def _step(self, node: str, needs: Sequence[str]) -> Callable[[_Update], _Update]:
        given = [self._channel(need) for need in needs or ("seed",)]
        channel = self._channel(node)
        return lambda state: {channel: work(node, [state[each] for each in given])}

    def run(self) -> str:
        """Run the graph once, in a thread of checkpoints of its own."""
        config = {"recursion_limit": 20_000, "configurable": {"thread_id": uuid4().hex}}
        answer: str = self.graph.invoke({self._channel("seed"): SEED}, config)[
            self.sink
        ]
        return answer

    def close(self) -> None:
        """Leave it to the end of the process."""


class LangGraphNormal(LangGraph):
    """Tuned as LAO is by default: survives a kill, not a power failure."""

    synchronous = "NORMAL"


SUBJECTS = {"LangGraph, SQLite": LangGraph, "LangGraph, SQLite NORMAL": LangGraphNormal}
