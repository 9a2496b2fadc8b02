# SPDX-License-Identifier: Apache-2.0
"""How much a worker may use: what the kernel counts, and what the parent watches.

RLIMIT_AS is not used: a model file that is mapped into memory counts in full there.
The parent reads the resident size instead, the number of threads (RLIMIT_NPROC counts
all processes of the user, unless the worker has a user namespace of its own), and the
size of the scratch directory, because RLIMIT_FSIZE bounds each file and not their
number; and the room on its disk, because a file that is open has a size when it has no
name any more.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from msgspec import Struct

from lao.policy import WorkerLimits

SCRATCH_FILES: Final = 10_000
_LAST_ROOM: Final = 256 << 20  # bytes of a disk that is about to be full
_DEEPEST: Final = (
    100  # folders in folders: far fewer than the longest path has room for
)
_SPARE_PROCESSES: Final = 2  # those of bubblewrap, in the same user namespace
_THREADS_FIELD: Final = 17  # of /proc/PID/stat, counted after the name
_RESIDENT_FIELD: Final = 21


class Usage(Struct, frozen=True):
    """What a process has: bytes of memory that are resident, and threads."""

    memory: int
    threads: int


def rlimits(
    limits: WorkerLimits, *, counts_own_threads: bool = False
) -> tuple[tuple[str, int], ...]:
    """Return what the worker sets on itself: names without `RLIMIT_`, and values."""
    found = [
        # One byte, where nothing keeps the process from 0: for the kernel only 1 means
        # that no program which collects memory of the dead is called either.
        ("CORE", 1),
        ("MSGQUEUE", 0),
        ("NOFILE", limits.open_files),
        ("FSIZE", limits.file_size),
    ]
    if limits.cpu_seconds is not None:
        found.append(("CPU", limits.cpu_seconds))
    if counts_own_threads:
        found.append(("NPROC", limits.threads + _SPARE_PROCESSES))
    return tuple(found)


def usage_of(pid: int) -> Usage | None:
    """Return what a process uses; None if it is gone or this is not Linux."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
        found = text.rpartition(")")[2].split()  # the name may hold anything
        pages, threads = int(found[_RESIDENT_FIELD]), int(found[_THREADS_FIELD])
    except (OSError, ValueError, IndexError):
        return None
    return Usage(pages * os.sysconf("SC_PAGE_SIZE"), threads)


def scratch_is_too_large(scratch: Path, limits: WorkerLimits) -> bool:
    """Whether a scratch directory holds more bytes or files than it may.

    The walk ends at the bound, so that its cost is bounded too.
    """
    size = 0
    for count, file_size in enumerate(_file_sizes(scratch), start=1):
        size += file_size
        if size > limits.file_size or count > SCRATCH_FILES:
            return True
    return False


def room_on_disk(scratch: Path) -> int:
    """Return how many bytes may still be written where a scratch directory lies."""
    found = os.statvfs(scratch)
    return found.f_bavail * found.f_frsize


def fills_the_disk(before: int, now: int, limits: WorkerLimits) -> bool:
    """Whether a disk is about to be full, and lost more room than a worker may use.

    Others write to it too: so it is only asked when nearly nothing is left.
    """
    return now < _LAST_ROOM and before - now > min(limits.file_size, before // 2)


def _file_sizes(root: Path) -> Iterator[int]:
    """Give the size of each entry; what nobody can look into counts as too much."""
    folders = [(root, 0)]
    while folders:
        folder, depth = folders.pop()
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        folders.append((Path(entry.path), depth + 1))
                    yield sys.maxsize if depth > _DEEPEST else _size_of(entry)
        except (FileNotFoundError, NotADirectoryError):
            continue  # removed while we looked
        except OSError:  # a folder made unreadable
            yield sys.maxsize


def _size_of(entry: "os.DirEntry[str]") -> int:
    try:
        return entry.stat(follow_symlinks=False).st_blocks * 512
    except FileNotFoundError:  # removed while we looked; its neighbours still count
        return 0
