# SPDX-License-Identifier: Apache-2.0
"""Leaving no trace of what was removed: in the database, its log, the blobs."""

from lao.store.blobs import Blobs
from lao.store.complaints import translated
from lao.store.database import Database

_HELD = (
    "SELECT EXISTS (SELECT 1 FROM run_blob WHERE digest = ?1)"
    " OR EXISTS (SELECT 1 FROM result_blob WHERE digest = ?1)"
)


def sweep(database: Database, blobs: Blobs) -> int:
    """Remove the files that nobody holds, a crash's leftovers too; return how many.

    The transaction is a mutex: whoever adds a blob does it inside one.
    """
    swept = 0
    with database.transaction(), translated(blobs.folder):
        for path in blobs.files():
            if not database.number(_HELD, (path.name,)):
                path.unlink(missing_ok=True)
                swept += 1
    return swept


def forget(database: Database, blobs: Blobs) -> bool:
    """Leave no byte of what was removed; False if another process still reads.

    `secure_delete` zeroes what is deleted where it lies, but a page that was split or
    merged keeps copies of rows that moved to its neighbour, in its unused middle (seen
    in 35 of 60 removals). Only VACUUM, which writes every page anew, leaves none.
    """
    sweep(database, blobs)
    database.vacuum()
    return database.truncate_log()
