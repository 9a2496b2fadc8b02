# SPDX-License-Identifier: Apache-2.0
"""The digest of an installed plugin, worked out again only if one of its files changed."""

import time
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from lao.files import is_settled, mark_of
from lao.plugins.folder import walk_folder
from lao.plugins.trust import digest_of_folder


class FolderIdentity(Struct, kw_only=True):
    """What a folder holds. State: the digest, and the marks that it belongs to.

    `now` tells the time of the machine's clock, which stamps files.
    """

    folder: Path
    now: Callable[[], float] = time.time
    _known: tuple[tuple[str, ...], str] = ((), "")

    def digest(self) -> str:
        """Return the digest. Looks at every file: blocks.

        Raises:
            RefusedByPolicy: the folder holds what no plugin may hold.
            UsageError: it cannot be read.
        """
        now = self.now()
        entries = [(each.path, each.found) for each in walk_folder(self.folder)]
        marks = tuple(
            f"{path} {found.st_mode} {mark_of(found)}" for path, found in entries
        )
        if marks and self._known[0] == marks:
            return self._known[1]
        digest = digest_of_folder(self.folder)
        if all(is_settled(found, now) for _, found in entries):
            self._known = marks, digest
        return digest
