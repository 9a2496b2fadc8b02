# SPDX-License-Identifier: Apache-2.0
"""Removes the private folders of workers: whatever is in them, and whoever left them.

A folder in use is held by a lock that ends with its process, so that what a killed LAO
left can be told from what another LAO needs.
"""

import fcntl
import os
import secrets
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

_PREFIX: Final = "lao-worker-"
_UNFINISHED: Final = "lao-new-"  # not held yet, so not to be swept away


@contextmanager
def held_folder(parent: Path | None) -> Iterator[Path]:
    """Make a folder that only this user can enter; remove it at the end."""
    new = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=parent)).resolve()
    descriptor = _held(new)
    root = new.with_name(new.name.replace(_UNFINISHED, _PREFIX, 1))
    try:
        new.rename(root)
        yield root
    finally:
        remove_tree(root)
        if descriptor is not None:
            os.close(descriptor)


def sweep(parent: Path | None) -> None:
    """Remove what processes of this user left that were killed."""
    with suppress(OSError), os.scandir(parent or tempfile.gettempdir()) as entries:
        for entry in entries:
            with suppress(OSError):
                if entry.name.startswith(_PREFIX) and _is_ours(entry):
                    _remove_unless_held(Path(entry.path))


def remove_tree(root: Path) -> None:
    """Remove a folder, however deep, wide or locked up; follow no link.

    A folder within is first moved to the top: so no path gets too long, and nothing
    recurses. What cannot be removed stays.
    """
    waiting, emptied = [root], list[Path]()
    while waiting:
        folder = waiting.pop()
        with suppress(OSError):
            _empty(folder, root, waiting)
        emptied.append(folder)
    for folder in reversed(emptied):
        with suppress(OSError):
            folder.rmdir()


def _empty(folder: Path, top: Path, waiting: list[Path]) -> None:
    folder.chmod(stat.S_IRWXU)
    with os.scandir(folder) as entries:
        for entry in list(entries):
            place = Path(entry.path)
            with suppress(OSError):
                if not entry.is_dir(follow_symlinks=False):
                    place.unlink()
                    continue
                if folder != top:
                    place.chmod(stat.S_IRWXU)  # else it cannot be moved
                    place = place.rename(top / secrets.token_hex(12))
                waiting.append(place)


def _held(root: Path) -> int | None:
    """Lock a folder; None where the file system has no locks."""
    descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def _is_ours(entry: "os.DirEntry[str]") -> bool:
    about = entry.stat(follow_symlinks=False)
    return stat.S_ISDIR(about.st_mode) and about.st_uid == os.geteuid()


def _remove_unless_held(root: Path) -> None:
    descriptor = _held(root)
    if descriptor is not None:
        remove_tree(root)
        os.close(descriptor)
