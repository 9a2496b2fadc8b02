# SPDX-License-Identifier: Apache-2.0
"""Results by the key that names everything that can change them: the cache."""

import time
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, cast

from msgspec import Struct

from lao.errors import StoreError
from lao.store.blobs import Blobs
from lao.store.codec import decode, encode
from lao.store.database import Database
from lao.store.group_commit import GroupCommit
from lao.store.locks import Locks
from lao.workflow.values import Value

if TYPE_CHECKING:
    from lao.roles import KnownResult
    from lao.store.claims import Claim, Claims

_TOUCH_SECONDS = 3600.0  # a use is noted at most that often: it costs a write
_CHUNK = 1000  # rows a transaction, so that other processes get their turn
_FIND = "SELECT body, used FROM result WHERE key = ?"
_REMOVE = "DELETE FROM result WHERE key = ?"


class ResultsInfo(Struct, frozen=True, kw_only=True):
    """How much is kept, and when the results were used last (seconds since 1970)."""

    count: int
    bytes: int
    oldest: float | None
    newest: float | None


class Results:
    """A `lao.roles.ResultCache` that all `lao` processes of a user share."""

    def __init__(
        self, database: Database, blobs: Blobs, locks: Locks, group: GroupCommit
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._locks = locks
        self._claims: Claims | None = None
        self._make: type[KnownResult] | None = None
        self._group = group
        self.has_put = False

    async def get(self, key: str) -> "KnownResult | None":
        """Return the result with that key; None if there is none that is whole."""
        if key in self._group.pending.results:
            await self._group.committed()
        found = self._database.row(_FIND, (key,))
        if found is None:
            return None
        body, used = found
        try:
            document = decode(body, self._blobs.get)  # type: ignore[arg-type]  # as `put` wrote it
        except StoreError:
            with suppress(StoreError):  # then the next one to ask finds it out
                self._remove([key])
            return None
        self._touch(key, used)  # type: ignore[arg-type]  # REAL NOT NULL
        return self._known(document)

    async def put(self, key: str, result: "KnownResult") -> None:
        """Keep a result; it is durable with the next fact that is."""
        document = encode({"value": result.value, "made_by": result.made_by})
        self._group.pending.results[key] = (time.time(), document)
        self._group.later()
        self.has_put = True

    def claim(self, key: str) -> "Claim":
        """Hold a key, which nobody else then does: in no process of this user."""
        if self._claims is None:
            from lao.store.claims import Claims  # noqa: PLC0415  (`lao runs` needs no loop)

            self._claims = Claims(self._locks, self._group)
        return self._claims.claim(key)

    def info(self) -> ResultsInfo:
        """Return how much is kept."""
        count, size, oldest, newest = self._database.rows(
            "SELECT count(*), total(size), min(used), max(used) FROM result"
        )[0]
        return ResultsInfo(
            count=cast("int", count),
            bytes=int(cast("float", size)),
            oldest=cast("float | None", oldest),
            newest=cast("float | None", newest),
        )

    def trim(self, limit: int) -> int:
        """Remove the least recently used results over `limit` bytes; return how many."""
        left = self.info().bytes
        if left <= limit:
            return 0
        rows = self._database.rows("SELECT key, size FROM result ORDER BY used")
        keys: list[str] = []
        for key, size in rows:
            if left <= limit:
                break
            keys.append(cast("str", key))
            left -= cast("int", size)
        return self._remove(keys)

    def prune(self, *, unused_since: float | None = None) -> int:
        """Remove results not used since a time (all, without one); return how many."""
        rows = self._database.rows(
            "SELECT key FROM result WHERE ?1 IS NULL OR used < ?1", (unused_since,)
        )
        return self._remove([cast("str", key) for (key,) in rows])

    def _known(self, document: dict[str, Value]) -> "KnownResult":
        if self._make is None:
            from lao.roles import KnownResult  # noqa: PLC0415  (`lao runs` needs no roles)

            self._make = KnownResult
        made_by = document.get("made_by", "")
        return self._make(value=document["value"], made_by=made_by)  # type: ignore[arg-type]  # as `put` wrote it

    def _touch(self, key: str, used: float) -> None:
        now = time.time()
        if abs(now - used) > _TOUCH_SECONDS:
            self._group.pending.used[key] = now
            self._group.later()

    def _remove(self, keys: Sequence[str]) -> int:
        removed = 0
        for start in range(0, len(keys), _CHUNK):
            with self._database.transaction():
                for key in keys[start : start + _CHUNK]:
                    removed += self._database.execute(_REMOVE, (key,))
        return removed
