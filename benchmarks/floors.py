# SPDX-License-Identifier: Apache-2.0
"""The least that the machine asks: asyncio, and asyncio with SQLite, without an engine.

Needs the standard library alone. Each floor is what a program written for this one
graph would do; nothing of an engine is there (no types, limits, retries, events).
"""

import asyncio
import hashlib
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.dags import SEED, Dag, work

_TABLES = """
CREATE TABLE step (run INTEGER, node TEXT, state TEXT, value TEXT, at REAL,
                   PRIMARY KEY (run, node, state)) WITHOUT ROWID;
CREATE TABLE result (key BLOB PRIMARY KEY, value TEXT) WITHOUT ROWID;
"""
_Row = tuple[int, str, str, str, float]


class Asyncio:
    """One task for each step, started when the last of its needs is there."""

    def __init__(self, dag: Dag, folder: Path) -> None:
        self.dag, self.folder = dag, folder
        self.loop = asyncio.new_event_loop()
        self.number = 0

    def run(self) -> str:
        """Run the graph once and return its answer."""
        self.number += 1
        return self.loop.run_until_complete(self._run())

    def close(self) -> None:
        """Let go of the loop."""
        self.loop.close()

    async def _run(self) -> str:
        self.values: dict[str, str] = {}
        self.missing = {node: len(needs) for node, needs in self.dag.needs.items()}
        self.tasks: set[asyncio.Task[None]] = set()
        self.is_done = asyncio.Event()
        for node, count in self.missing.items():
            if not count:
                self._start(node)
        await self.is_done.wait()
        self.finish()
        return self.values[self.dag.sink]

    def _start(self, node: str) -> None:
        task = self.loop.create_task(self._step(node))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _step(self, node: str) -> None:
        needs = self.dag.needs[node]
        given = [self.values[need] for need in needs] or [SEED]
        self.values[node] = self.perform(node, given)
        for user in self.dag.users[node]:
            self.missing[user] -= 1
            if not self.missing[user]:
                self._start(user)
        if len(self.values) == len(self.dag.needs):
            self.is_done.set()

    def perform(self, node: str, given: Sequence[str]) -> str:
        """Return the value of a node."""
        return work(node, given)

    def finish(self) -> None:
        """Do what is left when every node has its value."""


class Sqlite(Asyncio):
    """A row and a commit when a step begins, and again when it is done."""

    synchronous = "NORMAL"

    def __init__(self, dag: Dag, folder: Path) -> None:
        super().__init__(dag, folder)
        self.database = sqlite3.connect(folder / "floor.db", isolation_level=None)
        self.database.execute("PRAGMA journal_mode=WAL")
        self.database.execute(f"PRAGMA synchronous={self.synchronous}")
        self.database.executescript(_TABLES)

    def perform(self, node: str, given: Sequence[str]) -> str:
        """Return the value of a node; both rows are committed."""
        self.write((self.number, node, "begun", "", time.time()))
        value = work(node, given)
        self.write((self.number, node, "done", value, time.time()))
        return value

    def write(self, row: _Row) -> None:
        """Commit a row."""
        self.database.execute("INSERT INTO step VALUES (?, ?, ?, ?, ?)", row)

    def close(self) -> None:
        """Close the database."""
        self.database.close()
        super().close()


class SqliteFull(Sqlite):
    """One row for each step that is done, and an fsync for each: survives power loss."""

    synchronous = "FULL"

    def perform(self, node: str, given: Sequence[str]) -> str:
        """Return the value of a node; its row is on the disk."""
        value = work(node, given)
        self.write((self.number, node, "done", value, time.time()))
        return value


class SqliteBatched(Sqlite):
    """A hundred finished steps to a commit: a kill loses those that wait."""

    def __init__(self, dag: Dag, folder: Path) -> None:
        super().__init__(dag, folder)
        self.rows: list[_Row] = []

    def perform(self, node: str, given: Sequence[str]) -> str:
        """Return the value of a node; its row is committed some time later."""
        value = work(node, given)
        self.rows.append((self.number, node, "done", value, time.time()))
        if len(self.rows) == 100:
            self.finish()
        return value

    def finish(self) -> None:
        """Commit what waits."""
        self.database.execute("BEGIN")
        self.database.executemany("INSERT INTO step VALUES (?, ?, ?, ?, ?)", self.rows)
        self.database.execute("COMMIT")
        self.rows.clear()


class SqliteCached(Sqlite):
    """A result found by the digest of what made it, and a committed row that says so."""

    def perform(self, node: str, given: Sequence[str]) -> str:
        """Return the value of a node: made in the first run, found in the others."""
        digest = hashlib.blake2b(digest_size=16)
        for part in (node, *given):
            data = part.encode()
            digest.update(len(data).to_bytes(4, "little") + data)
        key = digest.digest()
        found = self.database.execute("SELECT value FROM result WHERE key = ?", (key,))
        row = found.fetchone()
        value: str = row[0] if row else work(node, given)
        if not row:
            self.database.execute("INSERT INTO result VALUES (?, ?)", (key, value))
        self.write((self.number, node, "hit", value, time.time()))
        return value


SUBJECTS = {
    "floor asyncio": Asyncio,
    "floor sqlite start+done": Sqlite,
    "floor sqlite batched": SqliteBatched,
    "floor sqlite full": SqliteFull,
    "floor cache hit+journal": SqliteCached,
}
