# SPDX-License-Identifier: Apache-2.0
"""Runs: beginning and ending them, their journal, finding and listing them.

A run is carried out by whoever holds the lock of its row. One that is said to run and
that nobody holds was interrupted: nothing else says so, and nothing else needs to.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import cast

from lao.errors import StoreError
from lao.events import Event, RunFinished, RunStarted, StepStarted
from lao.store.blobs import Blobs
from lao.store.codec import Text, column, decode, encode
from lao.store.database import Column, Database
from lao.store.facts import decode_fact, encode_fact
from lao.store.group_commit import GroupCommit
from lao.store.listing import Listing, unknown
from lao.store.locks import Locks
from lao.store.pending import keep_for_run
from lao.store.records import (
    NewRun,
    Removed,
    RunKind,
    RunOrder,
    RunRecord,
    Status,
    begun,
)
from lao.store.removal import Removal, still_running
from lao.workflow.values import Value

__all__ = ["NewRun", "Removed", "RunKind", "RunOrder", "RunRecord", "Runs", "Status"]

_BEGIN = (
    "INSERT INTO run (number, id, kind, batch, position, key, output, workflow,"
    " source, started) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_DETAIL = "INSERT INTO run_detail (run, plan, inputs, files) VALUES (?, ?, ?, ?)"
_TAKE_OVER = (
    "UPDATE run SET status = 'running', ended = NULL, done = NULL WHERE row = ?"
)
_EVENTS = (
    "SELECT sequence, time, kind, result, body FROM event"
    " WHERE run = ? AND sequence > ? ORDER BY sequence LIMIT 200"
)


class Runs(Listing):
    """All runs; a `lao.roles.RunStore` for those that this store began."""

    def __init__(
        self,
        database: Database,
        blobs: Blobs,
        locks: Locks,
        group: GroupCommit,
        *,
        spool: Path,
    ) -> None:
        super().__init__(database, locks)
        self._blobs = blobs
        self._group = group
        self._spool = spool
        self._failed: dict[str, StoreError] = {}

    # --- carrying out

    def begin(self, new: NewRun) -> RunRecord:
        """Enter a run, and hold its lock."""
        documents = [
            encode({"plan": None if new.order is None else _fields_of(new.order)}),
            encode({"inputs": new.inputs}),
            encode({"files": new.files}),
        ]
        database, row = self._database, 0
        try:
            with database.transaction():
                number = None if new.kind == "item" else self._next_number()
                row = self._insert(new, number)
                self._locks.acquire(row)  # before anybody else can see the row
                database.execute(_DETAIL, (row, *(body for body, _ in documents)))
                for _, held in documents:
                    keep_for_run(row, held, database, self._blobs)
        except BaseException:
            self._locks.release(row)
            raise
        self._held[new.id] = row
        return self._record(row) if new.kind == "item" else begun(new, row, number)

    def take_over(self, record: RunRecord) -> None:
        """Go on with a run that nobody carries out, and hold its lock.

        Raises:
            UsageError: it is being carried out (`run.still-running`), or was removed
                (`run.unknown`).
        """
        if record.id in self._held or not self._locks.acquire(record.row):
            raise still_running(record)
        is_there = 0
        try:
            is_there = self._database.execute(_TAKE_OVER, (record.row,))
        finally:
            if not is_there:
                self._locks.release(record.row)
        if not is_there:
            raise unknown(record.name)
        self._held[record.id] = record.row

    def release(self, run_id: str) -> None:
        """Let go of a run: if it has not ended, it is interrupted. Idempotent."""
        row = self._held.pop(run_id, None)
        if row is None:
            return
        pending = self._group.pending
        if any(each[0] == row for each in pending.events):
            try:
                self._group.now()
            except StoreError:  # somebody else may write into this run from now on
                pending.drop_run(row)
        self._failed.pop(run_id, None)
        self._locks.release(row)

    def finish(self, record: RunRecord, status: Status, ended: float) -> None:
        """Say how a batch ended; other runs end by their own last fact."""
        self._database.execute(
            "UPDATE run SET status = ?, ended = ? WHERE row = ?",
            (status, ended, record.row),
        )

    def set_output(self, record: RunRecord, output: str) -> None:
        """Keep that an item makes another output file than it was to."""
        self._database.execute(
            "UPDATE run SET output = ? WHERE row = ?", (column(output), record.row)
        )

    # --- the journal

    async def append(self, event: Event) -> None:
        """Keep one fact; return once it is durable.

        The start of a step or of a run is kept with whatever comes next: a step that
        was never started and one that had just begun resume alike.

        Raises:
            StoreError: it cannot be kept, and neither can what follows in this run.
            UsageError: the run was not begun here (`run.unknown`).
        """
        row = self._held.get(event.run)
        if row is None:
            raise unknown(event.run)
        if event.run in self._failed:
            raise self._failed[event.run]
        fact = event.fact
        key, (body, held) = encode_fact(fact)
        pending = self._group.pending
        pending.events.append((row, event.sequence, event.time, fact.kind, key, body))
        if held:
            pending.held.append((row, held))
        if isinstance(fact, StepStarted):
            self._group.later()
            return
        if isinstance(fact, RunStarted):
            pending.planned.append((len(fact.steps), row))
            self._group.later()
            self._group.afterwards(partial(self._note, event.run))
            return
        if isinstance(fact, RunFinished):
            pending.ended.append((fact.status, event.time, fact.seconds, row))
        try:
            await self._group.committed()
        except StoreError as error:
            self._failed[event.run] = error
            raise

    def _note(self, run: str, error: StoreError | None) -> None:
        """Let nothing follow in a journal whose beginning could not be kept."""
        if error is not None:
            self._failed[run] = error

    async def events(self, run: str) -> tuple[Event, ...]:
        """Return the facts of one run, in order; none if the run is unknown."""
        row = self._row_of(run)
        return () if row is None else tuple(self.each_event(self._record(row)))

    def each_event(self, record: RunRecord, *, after: int = 0) -> Iterator[Event]:
        """Yield the facts of one run behind a number, in order, if they are durable."""
        last: Column = after
        while rows := self._database.rows(_EVENTS, (record.row, last)):
            for sequence, time, kind, key, body in rows:
                fact = decode_fact(
                    cast("str", kind),
                    cast("str", key),
                    cast("Text", body),
                    self._blobs.get,
                )
                if fact is not None:
                    yield Event(
                        record.id, cast("int", sequence), cast("float", time), fact
                    )
                last = sequence

    # --- what it was asked to do

    def order(self, record: RunRecord) -> RunOrder | None:
        """Return what a resume needs; None if it was not kept."""
        found = self._detail(record, "plan")
        if not isinstance(found, dict):
            return None
        known = set(RunOrder.__struct_fields__)
        given = {name: each for name, each in found.items() if name in known}
        return RunOrder(**given)  # type: ignore[arg-type]  # as `begin` wrote it

    def inputs(self, record: RunRecord) -> dict[str, Value]:
        """Return the values that the run was given."""
        return cast("dict[str, Value]", self._detail(record, "inputs"))

    def files(self, record: RunRecord) -> dict[str, str]:
        """Return the input files and the SHA-256 of their content."""
        return cast("dict[str, str]", self._detail(record, "files"))

    def set_files(self, record: RunRecord, files: Mapping[str, str]) -> None:
        """Keep which input files there are, with the SHA-256 of their content."""
        body, held = encode({"files": files})
        with self._database.transaction():
            keep_for_run(record.row, held, self._database, self._blobs)
            self._database.execute(
                "UPDATE run_detail SET files = ? WHERE run = ?", (body, record.row)
            )

    # --- removing

    def remove(self, records: Iterable[RunRecord]) -> Removed:
        """Remove runs, batches with their items, and every result they made or used.

        `Store.forget` is to follow: until then, traces and blobs remain.

        Raises:
            UsageError: one is being carried out (`run.still-running`); those before
                it are gone.
        """
        removal = Removal(
            database=self._database,
            locks=self._locks,
            held=self._held,
            spool=self._spool,
        )
        return removal.remove(records)

    def _detail(self, record: RunRecord, part: str) -> Value:
        sql = f"SELECT {part} FROM run_detail WHERE run = ?"  # noqa: S608  (a fixed word)
        found = self._database.row(sql, (record.row,))
        if found is None:
            raise unknown(record.name)
        return decode(cast("Text", found[0]), self._blobs.get)[part]

    def _next_number(self) -> int:
        number = self._database.number("SELECT value FROM next_number")
        self._database.execute("UPDATE next_number SET value = value + 1")
        return number

    def _insert(self, new: NewRun, number: int | None) -> int:
        texts = map(column, (new.key, new.output, new.workflow, new.source))
        place = (new.batch, new.position)
        return self._database.insert(
            _BEGIN, (number, new.id, new.kind, *place, *texts, new.started)
        )


def _fields_of(order: RunOrder) -> dict[str, object]:
    return {name: getattr(order, name) for name in order.__struct_fields__}
