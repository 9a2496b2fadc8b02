# SPDX-License-Identifier: Apache-2.0
"""Walks a folder that somebody else filled: plain files and folders, or a refusal."""

import os
import stat
from collections.abc import Callable, Iterator
from io import FileIO
from pathlib import Path
from typing import Final

from msgspec import Struct

from lao.errors import RefusedByPolicy, UsageError

DEEPEST: Final = 32
MOST_FILES: Final = 20_000
MOST_BYTES: Final = 1 << 30
_PART = 1 << 18
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Entry(Struct, frozen=True):
    """A file or a folder, by its path from the top; `content` works until the next one."""

    path: str
    found: os.stat_result
    parent: int

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder."""
        return stat.S_ISDIR(self.found.st_mode)

    def content(self) -> Iterator[bytes]:
        """Yield the bytes of the file that was looked at, a part at a time.

        Raises:
            UsageError: it cannot be read, or another stands in its place.
        """
        name = self.path.rpartition("/")[2]
        try:
            with FileIO(os.open(name, _READ, dir_fd=self.parent)) as file:
                self._require_same(os.fstat(file.fileno()))
                while part := file.read(_PART):
                    yield part
        except OSError as error:
            raise unreadable(self.path, error) from error

    def _require_same(self, opened: os.stat_result) -> None:
        if not os.path.samestat(opened, self.found):
            raise OSError("another file stands in its place")


def unreadable(path: str, error: OSError | ValueError) -> UsageError:
    """Return the complaint about something that cannot be read."""
    reason = getattr(error, "strerror", None) or error
    return UsageError(
        "plugin.unreadable",
        f"{path!r} cannot be read: {reason}",
        mend="check that it is there, and its rights",
    )


def _keep_all(_: str) -> bool:
    return False


def walk_folder(
    folder: Path, *, leave_out: Callable[[str], bool] = _keep_all
) -> Iterator[Entry]:
    """Yield what a folder holds, in order of path within each folder.

    `leave_out` says by a name what is passed over. Links are not followed.

    Raises:
        RefusedByPolicy: `plugin.odd-file`, `plugin.too-large`.
        UsageError: `plugin.unreadable`.
    """
    try:
        yield from _walk(folder, leave_out)
    except OSError as error:
        raise unreadable(str(folder), error) from error


def _walk(folder: Path, leave_out: Callable[[str], bool]) -> Iterator[Entry]:
    count, size = 0, 0
    top = str(folder)
    for place, folders, files, parent in os.fwalk(top, onerror=_raise):
        inside = place[len(top) :].strip("/")
        depth = inside.count("/") + 2 if inside else 1
        folders[:] = sorted(name for name in folders if not leave_out(name))
        kept = sorted(name for name in files if not leave_out(name))
        for name in (*folders, *kept):
            path = f"{inside}/{name}" if inside else name
            found = os.stat(name, dir_fd=parent, follow_symlinks=False)
            count, size = count + 1, size + found.st_size
            _require_plain(path, found)
            _require_bounds(count, size, depth)
            yield Entry(path, found, parent)


def _raise(error: OSError) -> None:
    raise error


def _require_plain(path: str, found: os.stat_result) -> None:
    if not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)):
        what = "a link" if stat.S_ISLNK(found.st_mode) else "no plain file"
        raise RefusedByPolicy(
            "plugin.odd-file",
            f"{path!r} is {what}; a plugin consists of plain files and folders",
            mend="replace it by a copy of the file, or leave it out",
        )


def _require_bounds(count: int, size: int, depth: int) -> None:
    if count > MOST_FILES or size > MOST_BYTES or depth > DEEPEST:
        raise too_large()


def too_large() -> RefusedByPolicy:
    """Return the refusal of a plugin that has more than one may have."""
    return RefusedByPolicy(
        "plugin.too-large",
        f"the plugin has more than {MOST_FILES:,} files, {MOST_BYTES >> 30} GiB "
        f"or {DEEPEST} levels of folders",
        mend="leave out what it does not need to run; models belong outside, "
        "named under `read` in its manifest",
    )
