# SPDX-License-Identifier: Apache-2.0
"""Writes the files of somebody else's archive into a new folder, within bounds.

Sizes are counted as bytes come, never believed. Names are plain relative paths that
differ by more than their case. Only folders and plain files are ever made, so there
is no link that a later name could lead through.
"""

import os
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct, field

from lao.errors import RefusedByPolicy, UsageError
from lao.plugins.folder import DEEPEST, MOST_BYTES, MOST_FILES, too_large

_LONGEST_PART = 200
_LONGEST_PATH = 1000
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def checked_path(name: str) -> tuple[str, ...]:
    """Return the parts of a member's name.

    Raises:
        RefusedByPolicy: it is not a plain relative path (`plugin.bad-path`).
    """
    parts = tuple(name.split("/"))
    is_plain = (
        name.isprintable()
        and "\\" not in name
        and ":" not in name
        and len(name) <= _LONGEST_PATH
        and all(
            part not in ("", ".", "..") and len(os.fsencode(part)) <= _LONGEST_PART
            for part in parts
        )
    )
    if not is_plain:
        raise RefusedByPolicy(
            "plugin.bad-path",
            f"the archive holds {name[:200]!r}, which is no plain relative path",
            mend="do not use it: whoever made it meant to write elsewhere, "
            "or used a broken tool",
        )
    return parts


class Unpacker(Struct):
    """Fills a new folder. State: how much was written, and under which names.

    `_spelled` maps each path, folded, to its spelling; a folder's ends in a slash.
    """

    folder: Path
    size: int = 0
    _spelled: dict[str, str] = field(default_factory=dict)

    def write(self, name: str, content: Iterable[bytes]) -> None:
        """Write one file.

        Raises:
            RefusedByPolicy: `plugin.bad-path`, `.clashing-names`, `.too-large`.
            OSError: the system refuses.
        """
        parts = checked_path(name)
        if len(parts) > DEEPEST:
            raise too_large()
        for depth in range(1, len(parts)):
            if self._enter("/".join(parts[:depth]) + "/"):
                self.folder.joinpath(*parts[:depth]).mkdir(mode=0o700)
        if not self._enter(name):
            raise clashing(name, name)
        target = self.folder.joinpath(*parts)
        with os.fdopen(os.open(target, _NEW, 0o600), "wb") as file:
            for part in content:
                self.size += len(part)
                if self.size > MOST_BYTES:
                    raise too_large()
                file.write(part)

    def _enter(self, path: str) -> bool:
        """Note a path, and say whether it is new; one that clashes is refused."""
        folded = unicodedata.normalize("NFKC", path.rstrip("/")).casefold()
        before = len(self._spelled)
        known = self._spelled.setdefault(folded, path)
        if known != path:
            raise clashing(path, known)
        if len(self._spelled) > MOST_FILES:
            raise too_large()
        return len(self._spelled) > before


def clashing(name: str, other: str) -> RefusedByPolicy:
    """Return the refusal of two names that some file system takes for one."""
    return RefusedByPolicy(
        "plugin.clashing-names",
        f"the plugin holds both {other[:200]!r} and {name[:200]!r}",
        mend="leave one of them out",
    )


def broken(what: str) -> UsageError:
    """Return the complaint about an archive that is no wheel."""
    return UsageError(
        "plugin.bad-wheel",
        f"this is not a wheel that can be read: {what}",
        mend="build it again, for example with `python -m build --wheel`",
    )
