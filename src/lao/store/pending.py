# SPDX-License-Identifier: Apache-2.0
"""What the next commit will hold, and how it is written."""

from collections.abc import Iterator, Mapping

from msgspec import Struct, field

from lao.store.blobs import Blobs
from lao.store.codec import Document, Text
from lao.store.database import Database

EventRow = tuple[int, int, float, str, str, Text]
"""Row of the run, sequence, time, kind, key of the result, body."""

_EVENT = (
    "INSERT INTO event (run, sequence, time, kind, result, body)"
    " VALUES (?, ?, ?, ?, ?, ?)"
)
_TWO_EVENTS = f"{_EVENT}, (?, ?, ?, ?, ?, ?)"  # the start of a step, and its end
_PLANNED = "UPDATE run SET steps = ? WHERE row = ?"
_ENDED = (
    "UPDATE run SET status = ?, ended = ?, seconds = seconds + ?, done ="
    " (SELECT count(*) FROM event WHERE event.run = run.row AND kind = 'step-finished')"
    " WHERE row = ?"
)
_RESULT = (
    "INSERT INTO result (key, size, used, body) VALUES (?, ?, ?, ?)"
    " ON CONFLICT (key) DO UPDATE"
    " SET size = excluded.size, used = excluded.used, body = excluded.body"
)
_USED = "UPDATE result SET used = ? WHERE key = ?"
RUN_BLOB = "INSERT OR IGNORE INTO run_blob (run, digest, size) VALUES (?, ?, ?)"
RESULT_BLOB = "INSERT INTO result_blob (result, digest, size) VALUES (?, ?, ?)"


class Pending(Struct):
    """Records that wait for their commit."""

    events: list[EventRow] = field(default_factory=list)
    held: list[tuple[int, Mapping[str, bytes]]] = field(default_factory=list)
    planned: list[tuple[int, int]] = field(default_factory=list)
    ended: list[tuple[str, float, float, int]] = field(default_factory=list)
    results: dict[str, tuple[float, Document]] = field(default_factory=dict)
    used: dict[str, float] = field(default_factory=dict)

    def holds_more(self) -> bool:
        """Whether there is anything but events."""
        return bool(
            self.results or self.used or self.held or self.planned or self.ended
        )

    def drop_run(self, row: int) -> None:
        """Drop the facts of one run."""
        self.events = [each for each in self.events if each[0] != row]
        self.held = [each for each in self.held if each[0] != row]
        self.planned = [each for each in self.planned if each[-1] != row]
        self.ended = [each for each in self.ended if each[-1] != row]


def write(pending: Pending, database: Database, blobs: Blobs) -> None:
    """Commit it all, or nothing.

    Raises:
        StoreError: it could not be written.
    """
    if len(pending.events) <= 2 and not pending.holds_more():
        match pending.events:  # one statement is a transaction of its own
            case [first, second]:
                database.execute(_TWO_EVENTS, (*first, *second))
            case [only]:
                database.execute(_EVENT, only)
            case _:
                pass
        return
    with database.transaction():
        for row, held in pending.held:
            keep_for_run(row, held, database, blobs)
        database.execute_all(_EVENT, pending.events)
        if pending.results:
            _write_results(pending.results, database, blobs)
        if pending.used:
            database.execute_all(_USED, ((t, key) for key, t in pending.used.items()))
        if pending.planned:
            database.execute_all(_PLANNED, pending.planned)
        if pending.ended:
            database.execute_all(_ENDED, pending.ended)


def keep_for_run(
    row: int, held: Mapping[str, bytes], database: Database, blobs: Blobs
) -> None:
    """Keep contents as long as the run is kept. Inside a transaction."""
    for digest, data in held.items():
        blobs.put(digest, data)
        database.execute(RUN_BLOB, (row, digest, len(data)))


def _write_results(
    results: Mapping[str, tuple[float, Document]], database: Database, blobs: Blobs
) -> None:
    database.execute_all(_RESULT, _result_rows(results))
    for key, (_, (_, held)) in results.items():
        if held:
            database.execute("DELETE FROM result_blob WHERE result = ?", (key,))
        for digest, data in held.items():
            blobs.put(digest, data)
            database.execute(RESULT_BLOB, (key, digest, len(data)))


def _result_rows(
    results: Mapping[str, tuple[float, Document]],
) -> Iterator[tuple[object, ...]]:
    for key, (used, (body, held)) in results.items():
        size = len(key) + len(body) + sum(map(len, held.values()))
        yield key, size, used, body
