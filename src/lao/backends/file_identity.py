# SPDX-License-Identifier: Apache-2.0
"""Names what a model file holds, asking the disk no more than whether it changed."""

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from lao.backends.model_files import digest_of, model_parts
from lao.files import is_settled, mark_of

Check = Callable[[Path], object]


class FileIdentity(Struct, kw_only=True):
    """The content of one model file, all its parts together.

    `check` raises if the file cannot be used; it is asked whenever the file changed.
    `now` tells the time of the machine's clock, which stamps files. State: the digest, and the mark of the file that it belongs to.
    """

    path: Path
    check: Check
    cache_folder: Path | None = None
    now: Callable[[], float] = time.time
    _known: tuple[str, str] = ("", "")

    async def digest(self) -> str:
        """Return "sha256:…"; reads the file only if it changed since the last time.

        Raises:
            LaoError: what `check` says, or `digest_of`.
        """
        mark = self.mark()
        if not mark or self._known[0] != mark:
            now = self.now()
            await asyncio.to_thread(self.check, self.path)
            digest = await digest_of(self.path, self.cache_folder)
            if not mark or not all(is_settled(one, now) for one in self._parts()):
                return digest
            self._known = mark, digest
        return self._known[1]

    def mark(self) -> str:
        """Return what changes when the content does; empty if there is no file."""
        return " + ".join(map(mark_of, self._parts()))

    def _parts(self) -> list[os.stat_result]:
        try:
            return [part.stat() for part in model_parts(self.path)]
        except (OSError, ValueError):  # whoever opens it says what is wrong
            return []
