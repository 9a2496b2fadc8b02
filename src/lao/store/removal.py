# SPDX-License-Identifier: Apache-2.0
"""Removing runs with all that came of them."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from lao.errors import UsageError
from lao.store.codec import text_of
from lao.store.complaints import translated
from lao.store.database import Database
from lao.store.locks import Locks
from lao.store.records import Removed, RunRecord

_CHUNK = 200  # runs a transaction, so that other processes get their turn
_RESULTS = (
    "DELETE FROM result WHERE key IN"
    " (SELECT result FROM event WHERE run = ? AND result <> '')"
)
_ITEMS = "SELECT row, id FROM run WHERE batch = ? LIMIT ?"


class Removal(Struct, frozen=True, kw_only=True):
    """Removes runs that nobody carries out. `held`: those that this store does."""

    database: Database
    locks: Locks
    held: Mapping[str, int]
    spool: Path

    def remove(self, records: Iterable[RunRecord]) -> Removed:
        """Remove runs, batches with their items, and the results their facts name.

        Raises:
            UsageError: one is being carried out (`run.still-running`); those before
                it are gone.
        """
        runs = items = results = 0
        for record in records:
            if record.id in self.held or not self.locks.acquire(record.row):
                raise still_running(record)
            try:
                for some in self._items(record):
                    removed, of_them = self._remove(some, record)
                    items, results = items + removed, results + of_them
                removed, of_it = self._remove({record.id: record.row}, record)
            finally:
                self.locks.release(record.row)
            results += of_it
            if record.kind == "item":
                items += removed
            else:
                runs += removed
        return Removed(runs=runs, items=items, results=results)

    def _items(self, record: RunRecord) -> Iterator[dict[str, int]]:
        """Yield a batch's items, some at a time, for as long as there are any."""
        while rows := self.database.rows(_ITEMS, (record.row, _CHUNK)):
            yield {text_of(run_id): int(str(row)) for row, run_id in rows}

    def _remove(self, some: Mapping[str, int], asked: RunRecord) -> tuple[int, int]:
        """Remove some runs; return how many, and how many results with them."""
        runs = results = 0
        with self.database.transaction():
            for run_id, row in some.items():
                is_held = run_id in self.held or self.locks.is_held_elsewhere(row)
                if is_held and row != asked.row:
                    raise still_running(asked)
                results += self.database.execute(_RESULTS, (row,))
                runs += self.database.execute("DELETE FROM run WHERE row = ?", (row,))
        for run_id in some:
            self._remove_spool(run_id)
        return runs, results

    def _remove_spool(self, run_id: str) -> None:
        folder = self.spool / run_id
        if folder.parent == self.spool and folder.is_dir():
            from shutil import rmtree  # noqa: PLC0415  (start-up time)

            with translated(folder):
                rmtree(folder)


def still_running(record: RunRecord) -> UsageError:
    """Return the complaint that a run is being carried out."""
    return UsageError(
        "run.still-running",
        f"run {record.name} is being carried out",
        mend="wait for it to end, or stop it with Ctrl-C where it runs",
    )
