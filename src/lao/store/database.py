# SPDX-License-Identifier: Apache-2.0
"""The one connection to SQLite: transactions, queries, and its errors in LAO's words.

In WAL mode, shared by all `lao` processes of a user. A commit survives the death of
the process (`synchronous=NORMAL`); with `full` it survives power loss too, at the
price of an fsync for each.
"""

import re
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Literal, TypeAlias

from lao.errors import StoreError
from lao.store.complaints import failing, full, of_system, unwritable

Durability = Literal["process", "full"]
Column: TypeAlias = "str | int | float | bytes | None"
Row: TypeAlias = tuple[Column, ...]

_PATIENCE = 5.0  # seconds to wait for another process' transaction
_LARGEST_IN_MEMORY = 512 << 20  # bytes


class Database:
    """An open database. Used from the thread that opened it."""

    def __init__(self, path: Path) -> None:
        """Open the file; read and change nothing yet."""
        self.path = path
        try:
            self._connection = sqlite3.connect(
                path, timeout=_PATIENCE, isolation_level=None
            )
        except sqlite3.Error as error:
            raise translation(path, error) from error
        self._transaction = Transaction(self._connection, path)

    def transaction(self) -> "Transaction":
        """Make everything in the `with` block one commit; nothing of it on an error."""
        return self._transaction

    def execute(self, sql: str, values: Sequence[object] = ()) -> int:
        """Run a statement; return how many rows it changed."""
        return self._asked(sql, values).rowcount

    def insert(self, sql: str, values: Sequence[object]) -> int:
        """Insert a row; return its rowid."""
        return self._asked(sql, values).lastrowid or 0

    def execute_all(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        """Run a statement for each row."""
        try:
            self._connection.executemany(sql, rows)
        except sqlite3.Error as error:
            raise translation(self.path, error) from error

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        """Return all rows of a query."""
        try:
            found: list[Row] = self._connection.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise translation(self.path, error) from error
        return found

    def row(self, sql: str, values: Sequence[object] = ()) -> Row | None:
        """Return the first row of a query, or None."""
        try:
            found: Row | None = self._connection.execute(sql, values).fetchone()
        except sqlite3.Error as error:
            raise translation(self.path, error) from error
        return found

    def number(self, sql: str, values: Sequence[object] = ()) -> int:
        """Return the one number that a query gives; 0 for NULL."""
        match self.row(sql, values):
            case (int() | float() as found, *_):
                return int(found)
            case _:
                return 0

    def size(self) -> int:
        """Return how many bytes the database has."""
        return self.number("PRAGMA page_count") * self.number("PRAGMA page_size")

    def vacuum(self) -> None:
        """Write every page anew. In memory, unless that is too much: no copy outside."""
        is_small = self.size() <= _LARGEST_IN_MEMORY
        self.execute(f"PRAGMA temp_store={'MEMORY' if is_small else 'DEFAULT'}")
        self.execute("VACUUM")

    def truncate_log(self) -> bool:
        """Move what is in the log to the file; False if a reader keeps the log."""
        found = self.row("PRAGMA wal_checkpoint(TRUNCATE)")
        return found is not None and found[0] == 0

    def close(self) -> None:
        """Close the file. Safe to call twice."""
        self._connection.close()

    def _asked(self, sql: str, values: Sequence[object]) -> sqlite3.Cursor:
        try:
            return self._connection.execute(sql, values)
        except sqlite3.Error as error:
            raise translation(self.path, error) from error


class Transaction:
    """Begins, commits, or undoes. Written out: a generator would cost as much again."""

    __slots__ = ("_execute", "_is_open", "_path")

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._execute: Callable[[str], object] = connection.execute
        self._is_open: Callable[[], bool] = lambda: connection.in_transaction
        self._path = path

    def __enter__(self) -> None:
        """Begin, as the only writer among all processes."""
        try:
            self._execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            raise translation(self._path, error) from error

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Commit; after an error undo, and say the error in LAO's words."""
        if error is None:
            try:
                self._execute("COMMIT")
            except sqlite3.Error as failure:
                self._undo()
                raise translation(self._path, failure) from failure
            return
        self._undo()
        if isinstance(error, sqlite3.Error):
            raise translation(self._path, error) from error
        if isinstance(error, OSError):
            raise of_system(self._path, error) from error

    def _undo(self) -> None:
        if self._is_open():
            self._execute("ROLLBACK")


def translation(path: Path, error: sqlite3.Error) -> StoreError:
    """Return what SQLite says, in LAO's words."""
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith("SQLITE_FULL"):
        return full(path, error)
    if re.match("SQLITE_(READONLY|CANTOPEN|PERM|AUTH)", name):
        return unwritable(path, error)
    if name.startswith("SQLITE_IOERR"):
        return failing(path, error)
    if re.match("SQLITE_(BUSY|LOCKED)", name):
        return StoreError(
            "store.busy",
            f"{str(path)!r} is held by another process ({error})",
            mend="wait for it to end",
        )
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return StoreError(
            "store.damaged",
            f"{str(path)!r} is damaged ({error})",
            mend="move it away, or restore it from a backup; LAO leaves it as it is",
        )
    return StoreError(
        "store.failed",
        f"{str(path)!r} cannot be used: {error}",
        mend="this is a defect of LAO; please report it",
    )
