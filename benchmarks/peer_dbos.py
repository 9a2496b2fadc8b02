# SPDX-License-Identifier: Apache-2.0
"""DBOS on SQLite: a durable workflow for each run, a durable step for each node.

Runs in an environment that holds `dbos`. Steps run one after the other: gathering
each layer costs it more (measured), not less.
"""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

import sqlalchemy
from benchmarks.dags import SEED, Dag, work
from dbos import DBOS


def _tune(connection: sqlite3.Connection, _: object) -> None:
    """Set the journal as LAO does by default; DBOS itself leaves SQLite's default."""
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")


class Dbos:
    """With a write-ahead log and synchronous=NORMAL on each connection."""

    def __init__(self, dag: Dag, folder: Path) -> None:
        sqlalchemy.event.listen(sqlalchemy.Engine, "connect", _tune)
        url = f"sqlite:///{folder / 'dbos.sqlite'}"
        DBOS(config={"name": "bench", "system_database_url": url, "log_level": "ERROR"})

        @DBOS.step()
        def step(node: str, given: Sequence[str]) -> str:
            return work(node, given)

        @DBOS.workflow()
        def workflow() -> str:
            values: dict[str, str] = {}
            for node, needs in dag.needs.items():
                values[node] = step(node, [values[need] for need in needs] or [SEED])
            return values[dag.sink]

        self.workflow = workflow
        DBOS.launch()

    def run(self) -> str:
        """Run the workflow once."""
        return self.workflow()

    def close(self) -> None:
        """Stop its threads."""
        DBOS.destroy()


SUBJECTS = {"DBOS, SQLite NORMAL": Dbos}
