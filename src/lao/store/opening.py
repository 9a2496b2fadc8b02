# SPDX-License-Identifier: Apache-2.0
"""The store: one data folder, with its runs, its results and its large values.

lao.db   lao.lock   blobs/ab/abcdef…   spool/<run id>/
"""

from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from msgspec import Struct

from lao.errors import StoreError
from lao.store import forgetting, schema
from lao.store.blobs import Blobs
from lao.store.database import Database, Durability
from lao.store.group_commit import GroupCommit
from lao.store.locks import open_locks
from lao.store.pending import write
from lao.store.results import Results
from lao.store.runs import Runs

DATABASE = "lao.db"
"""The file without which a data folder holds no store."""


class Usage(Struct, frozen=True, kw_only=True):
    """What the store takes: bytes on disk, and how many of what."""

    database_bytes: int
    blob_bytes: int
    result_bytes: int
    runs: int
    results: int
    blobs: int


class Store:
    """An open data folder. Used from one thread, by one event loop at a time."""

    def __init__(
        self, folder: Path, *, durability: Durability, cache_bytes: int
    ) -> None:
        self.path = folder
        schema.prepare_folder(folder)
        schema.check_file(folder / DATABASE)
        self._locks = open_locks(folder / "lao.lock")
        try:
            self._database = Database(folder / DATABASE)
            try:
                schema.bring_up_to_date(self._database, self._locks, durability)
            except BaseException:
                self._database.close()
                raise
        except BaseException:
            self._locks.close()
            raise
        self._blobs = Blobs(folder / "blobs", sync=durability == "full")
        self._cache_bytes = cache_bytes
        self._group = GroupCommit(
            partial(write, database=self._database, blobs=self._blobs)
        )
        parts = (self._database, self._blobs, self._locks, self._group)
        self.runs = Runs(*parts, spool=folder / "spool")
        self.results = Results(*parts)
        self._is_open = True

    def spool(self, run_id: str) -> Path:
        """Return where a run's piped recordings lie; whoever has some makes it."""
        return self.path / "spool" / run_id

    def forget(self) -> bool:
        """Leave no byte of what was removed; False if another process still reads.

        Then the log keeps old pages until that process is done: ask again later.
        """
        return forgetting.forget(self._database, self._blobs)

    def usage(self) -> Usage:
        """Count and measure what is kept."""
        number = self._database.number
        results = self.results.info()
        sizes = [path.stat().st_size for path in self._blobs.files()]
        return Usage(
            database_bytes=self._database.size(),
            blob_bytes=sum(sizes),
            result_bytes=results.bytes,
            runs=number("SELECT count(*) FROM run WHERE number IS NOT NULL"),
            results=results.count,
            blobs=len(sizes),
        )

    def close(self) -> None:
        """Commit what is left, keep the cache in its limit, let go of everything."""
        if not self._is_open:
            return
        self._is_open = False
        try:
            self._group.now()
            if self.results.has_put:
                self._trim()
        except StoreError as error:  # who waited is told; the rest nobody asked for
            self._group.drop(error)
        finally:
            self._locks.close()
            self._database.close()

    def _trim(self) -> None:
        """Drop the least recently used results, if the cache may be over its limit.

        What there is in all is quickly told, and mostly less than that.
        """
        blobs = self._database.number("SELECT sum(size) FROM result_blob")
        is_over = self._database.size() + blobs > self._cache_bytes
        if is_over and self.results.trim(self._cache_bytes):
            forgetting.sweep(self._database, self._blobs)

    def __enter__(self) -> Self:
        """Return the store itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()


def open_store(
    folder: Path, *, durability: Durability = "process", cache_bytes: int = 4 << 30
) -> Store:
    """Open the data folder, or make it.

    `durability`: "process" survives the death of the process, "full" power loss too.
    `cache_bytes`: the results kept beyond that are dropped when the store is closed.

    Raises:
        StoreError: it is damaged, newer, not LAO's, or the system refuses; whatever
            is there stays as it is.
    """
    return Store(folder, durability=durability, cache_bytes=cache_bytes)
