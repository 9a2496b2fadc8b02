# SPDX-License-Identifier: Apache-2.0
"""Finding and listing runs."""

import re
from collections.abc import Iterator, Sequence
from itertools import islice

from lao.errors import UsageError
from lao.store.codec import column
from lao.store.database import Database, Row
from lao.store.locks import Locks
from lao.store.records import COLUMNS, RunRecord, Status, record_of

_NUMBER = re.compile(r"([0-9]{1,18})(?:\.([0-9]{1,18}))?")
_PAGE = 500  # rows a query: between two of them nobody waits for this reader
_FOREVER = float("inf")
_LAST = 1 << 62  # no number is as large


class Listing:
    """Questions about runs. `_held`: those that this store carries out, by id."""

    def __init__(self, database: Database, locks: Locks) -> None:
        self._database = database
        self._locks = locks
        self._held: dict[str, int] = {}

    def find(self, name: str) -> RunRecord:
        """Return a run by what people call it: `18`, `18.37`, `latest`, or its id.

        Raises:
            UsageError: there is none (`run.unknown`).
        """
        row = self._row_named(name)
        if row is None:
            row = self._row_of(name)
        if row is None:
            raise unknown(name)
        return self._record(row)

    def listed(
        self,
        *,
        workflow: str | None = None,
        status: Status | None = None,
        since: float | None = None,
        until: float | None = None,
        limit: int | None = None,
    ) -> Iterator[RunRecord]:
        """Yield runs and batches, the latest first, started in `since <= t < until`."""
        where, values = _chosen(workflow, since, until)
        return islice(self._each(where, values, status, "number"), limit)

    def of_source(self, source: str, *, limit: int) -> list[RunRecord]:
        """Return the latest runs, and batches, of a workflow file."""
        where, values = _chosen(None, None, None)
        values.append(column(source))
        found = self._each(f"{where} AND source = ?", values, None, "number")
        return list(islice(found, limit))

    def count(
        self,
        *,
        workflow: str | None = None,
        status: Status | None = None,
        since: float | None = None,
        until: float | None = None,
    ) -> int:
        """Return how many runs `listed` would yield without a limit."""
        where, values = _chosen(workflow, since, until)
        if status in ("running", "interrupted"):
            return sum(1 for _ in self._each(where, values, status, "number"))
        if status is not None:
            where += " AND status = ?"
            values.append(status)
        sql = f"SELECT count(*) FROM run WHERE {where}"  # noqa: S608  (fixed words)
        return self._database.number(sql, (_LAST, *values))

    def items(
        self, batch_row: int, *, status: Status | None = None
    ) -> Iterator[RunRecord]:
        """Yield the items of a batch by their position."""
        return self._each("position > ? AND batch = ?", [batch_row], status, "position")

    def item(self, batch_row: int, key: str) -> RunRecord | None:
        """Return the item of a batch that has that key, the first one if several."""
        # The plus keeps SQLite from walking the batch by the index of the positions.
        found = self._database.row(
            "SELECT row FROM run WHERE batch = ? AND key = ?"
            " ORDER BY +position LIMIT 1",
            (batch_row, column(key)),
        )
        return None if found is None else self._record(int(str(found[0])))

    def item_counts(self, batch_row: int) -> dict[Status, int]:
        """Return how many items of a batch there are of each status."""
        found: dict[Status, int] = {}
        rows = self._database.rows(
            "SELECT status, count(*) FROM run WHERE batch = ? GROUP BY status",
            (batch_row,),
        )
        for status, count in rows:
            found[status] = int(str(count))  # type: ignore[index]  # the schema's CHECK
        interrupted = sum(1 for _ in self.items(batch_row, status="interrupted"))
        if interrupted:
            found["interrupted"] = interrupted
            found["running"] -= interrupted
        return {status: count for status, count in found.items() if count}

    def is_output_taken(self, batch_row: int, output: str) -> bool:
        """Whether an item of a batch makes that output file."""
        return bool(
            self._database.row(
                "SELECT 1 FROM run WHERE batch = ? AND output = ? AND output <> ''",
                (batch_row, column(output)),
            )
        )

    def _each(
        self, where: str, values: Sequence[object], status: Status | None, by: str
    ) -> Iterator[RunRecord]:
        """Yield records page by page: the first `?` of `where` bounds the order."""
        if status is not None:
            where += " AND status = ?"
            values = [*values, "running" if status == "interrupted" else status]
        is_falling = by == "number"
        sql = (
            f"SELECT {COLUMNS} FROM run WHERE {where}"  # noqa: S608  (fixed words)
            f" ORDER BY {by} {'DESC' if is_falling else 'ASC'} LIMIT {_PAGE}"
        )
        at: object = _LAST if is_falling else -1
        while rows := self._database.rows(sql, (at, *values)):
            for row in rows:
                record = self._as_record(row)
                if status is None or record.status == status:
                    yield record
            at = rows[-1][1 if is_falling else 5]

    def _row_named(self, name: str) -> int | None:
        if name == "latest":
            found = self._database.row("SELECT row, max(number) FROM run")
            return None if found is None or found[0] is None else int(str(found[0]))
        parts = _NUMBER.fullmatch(name)
        if parts is None:
            return None
        sql = "SELECT row FROM run WHERE number = ?"
        if parts[2] is not None:
            sql = f"SELECT row FROM run WHERE batch = ({sql}) AND position = ?"  # noqa: S608  (fixed words)
        values = [int(each) for each in parts.groups() if each is not None]
        found = self._database.row(sql, values)
        return None if found is None else int(str(found[0]))

    def _row_of(self, run_id: str) -> int | None:
        found = self._database.row(
            "SELECT row FROM run WHERE id = ?", (column(run_id),)
        )
        return None if found is None else int(str(found[0]))

    def _record(self, row: int) -> RunRecord:
        sql = f"SELECT {COLUMNS} FROM run WHERE row = ?"  # noqa: S608  (fixed words)
        found = self._database.row(sql, (row,))
        if found is None:
            raise unknown(str(row))
        return self._as_record(found)

    def _as_record(self, row: Row) -> RunRecord:
        is_interrupted = (
            row[12] == "running"
            and row[2] not in self._held
            and not self._locks.is_held_elsewhere(int(str(row[0])))
        )
        return record_of(row, is_interrupted=is_interrupted)


def _chosen(
    workflow: str | None, since: float | None, until: float | None
) -> tuple[str, list[object]]:
    """Return the condition for runs, whose first `?` bounds the number, and its values."""
    where = "number < ? AND started >= ? AND started < ?"
    values: list[object] = [
        -_FOREVER if since is None else since,
        _FOREVER if until is None else until,
    ]
    if workflow is not None:
        where += " AND workflow = ?"
        values.append(column(workflow))
    return where, values


def unknown(name: str) -> UsageError:
    """Return the complaint that there is no such run."""
    return UsageError(
        "run.unknown", f"there is no run {name!r}", mend="`lao runs` lists them"
    )
