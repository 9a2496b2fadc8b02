# SPDX-License-Identifier: Apache-2.0
"""LangGraph, in memory and with its SQLite checkpoints: a graph node for each step.

Runs in an environment that holds `langgraph` and `langgraph-checkpoint-sqlite`.
"""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import TypedDict
from uuid import uuid4

from benchmarks.dags import SEED, Dag, work
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph

_Update = Mapping[str, str]
_Step = Callable[[_Update], _Update]


class LangGraph:
    """Without checkpoints. A superstep (a layer of the graph) at a time."""

    def __init__(self, dag: Dag, folder: Path) -> None:
        self.is_chain = dag.is_chain
        self.folder = folder
        self.sink = self._channel(dag.sink)
        channels = {self._channel(node): str for node in ("seed", *dag.needs)}
        graph = StateGraph(TypedDict("State", channels))  # type: ignore[operator]  # made for this graph
        for node, needs in dag.needs.items():
            action = self.as_node(self._step(node, needs))
            graph.add_node(node, action)  # type: ignore[call-overload]  # it has no name for both kinds
            start = needs[0] if len(needs) == 1 else list(needs)
            graph.add_edge(start if needs else START, node)
        graph.add_edge(dag.sink, END)
        self.graph = graph.compile(checkpointer=self.saver())

    def saver(self) -> BaseCheckpointSaver[str] | None:
        """Return where checkpoints go."""
        return None

    def as_node(self, step: _Step) -> object:
        """Return what the graph calls."""
        return step

    def _channel(self, node: str) -> str:
        """Name where a node's value is kept: all in one place in a chain."""
        return "value" if self.is_chain else f"of_{node}"

    def _step(self, node: str, needs: Sequence[str]) -> _Step:
        given = [self._channel(need) for need in needs or ("seed",)]
        channel = self._channel(node)
        return lambda state: {channel: work(node, [state[each] for each in given])}

    def config(self) -> RunnableConfig:
        """Return a thread of checkpoints of its own."""
        return {"recursion_limit": 20_000, "configurable": {"thread_id": uuid4().hex}}

    def run(self) -> str:
        """Run the graph once."""
        given = {self._channel("seed"): SEED}
        answer: str = self.graph.invoke(given, self.config())[self.sink]
        return answer

    def close(self) -> None:
        """Leave it to the end of the process."""


class LangGraphAsync(LangGraph):
    """The same with asynchronous nodes on an event loop."""

    def __init__(self, dag: Dag, folder: Path) -> None:
        super().__init__(dag, folder)
        self.loop = asyncio.new_event_loop()

    def as_node(self, step: _Step) -> Callable[[_Update], Awaitable[_Update]]:
        """Return what the graph calls."""

        async def node(state: _Update) -> _Update:
            return step(state)

        return node

    def run(self) -> str:
        """Run the graph once."""
        running = self.graph.ainvoke({self._channel("seed"): SEED}, self.config())
        answer: str = self.loop.run_until_complete(running)[self.sink]
        return answer


class LangGraphSqlite(LangGraph):
    """As it comes: write-ahead log, an fsync for each checkpoint.

    A checkpoint is saved per superstep while the next one runs.
    """

    synchronous = "FULL"

    def saver(self) -> BaseCheckpointSaver[str]:
        """Return where checkpoints go: a database."""
        path = self.folder / "checkpoints.db"
        database = sqlite3.connect(path, check_same_thread=False)
        saver = SqliteSaver(database)
        saver.setup()
        database.execute(f"PRAGMA synchronous={self.synchronous}")
        return saver


class LangGraphNormal(LangGraphSqlite):
    """Tuned as LAO is by default: survives a kill, not a power failure."""

    synchronous = "NORMAL"


SUBJECTS = {
    "LangGraph, in memory": LangGraph,
    "LangGraph async, in memory": LangGraphAsync,
    "LangGraph, SQLite FULL": LangGraphSqlite,
    "LangGraph, SQLite NORMAL": LangGraphNormal,
}
