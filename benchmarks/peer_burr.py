# SPDX-License-Identifier: Apache-2.0
"""Burr, a state machine: an action for each step, so chains only.

Runs in an environment that holds `burr`.
"""

# mypy: disable-error-code="no-untyped-call, type-arg, var-annotated"
# Burr is typed in parts only.

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from uuid import uuid4

from benchmarks.dags import SEED, Dag, work
from burr.core import ApplicationBuilder, State, action
from burr.core.graph import GraphBuilder
from burr.core.persistence import SQLitePersister

_Step = Callable[[State], State]


def _action(node: str) -> _Step:
    @action(reads=["value"], writes=["value"])
    def step(state: State) -> State:
        return state.update(value=work(node, [state["value"]]))

    return step


class Burr:
    """Without a persister or a tracker."""

    def __init__(self, dag: Dag, folder: Path) -> None:
        self.dag = dag
        actions = {node: _action(node) for node in dag.needs}
        graph = GraphBuilder().with_actions(**actions)
        self.graph = graph.with_transitions(*pairwise(dag.needs)).build()
        self.persister = self.opened(folder)

    def opened(self, _: Path) -> SQLitePersister | None:
        """Return what keeps the state after each action."""
        return None

    def run(self) -> str:
        """Run the machine once, as an application of its own."""
        application = (
            ApplicationBuilder()
            .with_graph(self.graph)
            .with_state(value=SEED)
            .with_entrypoint(next(iter(self.dag.needs)))
            .with_identifiers(app_id=uuid4().hex)
        )
        if self.persister is not None:
            application = application.with_state_persister(self.persister)
        _, _, state = application.build().run(halt_after=[self.dag.sink])
        answer: str = state["value"]
        return answer

    def close(self) -> None:
        """Leave it to the end of the process."""


class BurrSqlite(Burr):
    """As it comes: a rollback journal, an fsync for each action."""

    def opened(self, folder: Path) -> SQLitePersister:
        """Return what keeps the state after each action: a database."""
        persister = SQLitePersister(db_path=str(folder / "burr.db"))
        persister.initialize()
        return persister


SUBJECTS = {"Burr, in memory": Burr, "Burr, SQLite FULL": BurrSqlite}
