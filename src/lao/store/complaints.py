# SPDX-License-Identifier: Apache-2.0
"""What the system says about the store's files, in LAO's words."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lao.errors import StoreError

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_REFUSED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT})
_NO_FILE = frozenset({errno.EISDIR, errno.ENXIO, errno.ENODEV})
_NO_LOCKS = frozenset({errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP})
_NO_FOLDER = frozenset({errno.EEXIST, errno.ENOTDIR})


def full(path: Path, detail: object) -> StoreError:
    """Return the complaint that nothing more fits on the disk."""
    return StoreError(
        "store.full",
        f"{str(path)!r} cannot grow: the disk is full ({detail})",
        mend="free some space (`lao cache prune`, `lao runs prune`)",
    )


def unwritable(path: Path, detail: object) -> StoreError:
    """Return the complaint that the system lets nobody write there."""
    return StoreError(
        "store.unwritable",
        f"{str(path)!r} cannot be written: {detail}",
        mend="check the folder and its rights, or run with --ephemeral",
    )


def failing(path: Path, detail: object) -> StoreError:
    """Return the complaint that the disk, or what stands for one, fails."""
    return StoreError(
        "store.io",
        f"{str(path)!r} cannot be read or written: {detail}",
        mend="look at the disk; what was acknowledged before is kept",
    )


def not_a_file(path: Path) -> StoreError:
    """Return the complaint that a folder or a device is where a file is to be."""
    return StoreError(
        "store.not-a-file",
        f"{str(path)!r} is to be a file of LAO's, and is something else",
        mend="move it away; LAO leaves it as it is",
    )


def not_a_folder(path: Path) -> StoreError:
    """Return the complaint that a file is where a folder is to be."""
    return StoreError(
        "store.not-a-folder",
        f"{str(path)!r} is to be a folder of LAO's, and is, or lies under, a file",
        mend="move it away, or name another data folder with XDG_DATA_HOME",
    )


def no_locks(path: Path, detail: object) -> StoreError:
    """Return the complaint that the file system cannot lock files."""
    return StoreError(
        "store.no-locks",
        f"{str(path)!r} cannot be locked: {detail}",
        mend="name a data folder on a local disk with XDG_DATA_HOME, "
        "or run with --ephemeral",
    )


def of_system(path: Path, error: OSError) -> StoreError:
    """Return what the operating system says, in LAO's words."""
    detail = error.strerror or error
    if error.errno in _FULL:
        return full(path, detail)
    if error.errno in _REFUSED:
        return unwritable(path, detail)
    if error.errno in _NO_FILE:
        return not_a_file(path)
    if error.errno in _NO_FOLDER:
        return not_a_folder(path)
    if error.errno in _NO_LOCKS:
        return no_locks(path, detail)
    return failing(path, detail)


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn an `OSError` of the block into a `StoreError`."""
    try:
        yield
    except OSError as error:
        raise of_system(path, error) from error
