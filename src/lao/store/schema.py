# SPDX-License-Identifier: Apache-2.0
"""Whose database a file is, and bringing LAO's up to date: numbered migrations.

What is not LAO's is told from its first bytes, and SQLite never opens it: opening
alone may change a file.
"""

import os
import stat
from pathlib import Path

from lao.errors import StoreError
from lao.store.complaints import not_a_file, translated
from lao.store.database import Database, Durability
from lao.store.locks import CREATION, Locks

APPLICATION_ID = 0x4C414F31  # "LAO1"
VERSION = 1
"""The number of the last migration. Published ones are never edited."""

_MIGRATIONS = Path(__file__).parent / "migrations"
_MAGIC = b"SQLite format 3\0"
_HEADER = 108  # bytes: the file's header and that of its first page
_LEAF = 0x0D
_MAKE = os.O_RDWR | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC  # waits for no FIFO


def prepare_folder(folder: Path) -> None:
    """Make the data folder, for its owner only.

    Raises:
        StoreError: `store.not-a-folder`, or the system refuses.
    """
    with translated(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def check_file(path: Path) -> None:
    """Make the database file if there is none; refuse what is not LAO's.

    Raises:
        StoreError: `store.not-a-file`, `.not-a-database`, `.foreign`, `.newer`, or
            the system refuses.
    """
    with translated(path):
        descriptor = os.open(path, _MAKE, 0o600)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise not_a_file(path)
            header = os.read(descriptor, _HEADER)
        finally:
            os.close(descriptor)
    if not header:
        return
    if not header.startswith(_MAGIC) or len(header) < _HEADER:
        raise StoreError(
            "store.not-a-database",
            f"{str(path)!r} is not LAO's database",
            mend="move it away; LAO leaves it as it is",
        )
    version = int.from_bytes(header[60:64], "big")
    application = int.from_bytes(header[68:72], "big")
    is_empty = header[100] == _LEAF and header[103:105] == b"\0\0" and not version
    if application != APPLICATION_ID and (application or not is_empty):
        raise _foreign(path)
    _check_version(path, version)


def bring_up_to_date(database: Database, locks: Locks, durability: Durability) -> None:
    """Set the connection up; make or migrate the schema where that is due.

    Raises:
        StoreError: it is not LAO's, newer, damaged, or cannot be written.
    """
    if not _is_up_to_date(database):
        locks.wait_for(CREATION)  # also for WAL: SQLite waits for nobody there
        try:
            if not _is_up_to_date(database):
                _migrate(database)
                database.execute("PRAGMA journal_mode=WAL")
        finally:
            locks.release(CREATION)
    synchronous = "FULL" if durability == "full" else "NORMAL"
    database.execute(f"PRAGMA synchronous={synchronous}")
    database.execute("PRAGMA foreign_keys=ON")
    database.execute("PRAGMA secure_delete=ON")
    database.execute("PRAGMA trusted_schema=OFF")


def _is_up_to_date(database: Database) -> bool:
    return (
        database.number("PRAGMA application_id") == APPLICATION_ID
        and _checked_version(database) == VERSION
        and database.row("PRAGMA journal_mode") == ("wal",)
    )


def _migrate(database: Database) -> None:
    """Run the migrations that are missing, all or none."""
    with database.transaction():
        version = _checked_version(database)
        tables = database.number("SELECT count(*) FROM sqlite_master")
        application = database.number("PRAGMA application_id")
        if application != APPLICATION_ID and (application or tables or version):
            raise _foreign(database.path)
        for path in sorted(_MIGRATIONS.glob("*.sql"))[version:]:
            for statement in _statements(path.read_text("utf-8")):
                database.execute(statement)
        database.execute(f"PRAGMA user_version={VERSION}")
        database.execute(f"PRAGMA application_id={APPLICATION_ID}")


def _checked_version(database: Database) -> int:
    version = database.number("PRAGMA user_version")
    _check_version(database.path, version)
    return version


def _check_version(path: Path, version: int) -> None:
    if version > VERSION:
        raise StoreError(
            "store.newer",
            f"{str(path)!r} was written by a newer LAO",
            mend="update LAO, or name another data folder with XDG_DATA_HOME",
        )


def _foreign(path: Path) -> StoreError:
    return StoreError(
        "store.foreign",
        f"{str(path)!r} is a database of another program",
        mend="move it away; LAO leaves it as it is",
    )


def _statements(script: str) -> list[str]:
    lines = [line.split("--")[0] for line in script.splitlines()]
    return [each for each in "\n".join(lines).split(";") if each.strip()]
