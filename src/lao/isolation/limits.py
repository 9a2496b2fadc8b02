# SPDX-License-Identifier: Apache-2.0
"""How much a worker may use: what the kernel counts, and what the parent watches.

RLIMIT_AS is not used: a model file that is mapped into memory counts in full there.
The parent reads the resident size instead, and the size of the scratch directory,
because RLIMIT_FSIZE bounds each file and not their number.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from lao.policy import WorkerLimits

SCRATCH_FILES = 10_000


def rlimits(limits: WorkerLimits) -> tuple[tuple[str, int], ...]:
    """Return what the worker sets on itself: names without `RLIMIT_`, and values."""
    found = [
        ("CORE", 0),
        ("MSGQUEUE", 0),
        ("NOFILE", limits.open_files),
        ("FSIZE", limits.file_size),
    ]
    if limits.cpu_seconds is not None:
        found.append(("CPU", limits.cpu_seconds))
    return tuple(found)


def resident_bytes(pid: int) -> int | None:
    """Return how much memory a process holds; None if it is gone or not Linux."""
    try:
        fields = Path(f"/proc/{pid}/statm").read_text().split()
    except OSError:
        return None
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")


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


def _file_sizes(folder: Path) -> Iterator[int]:
    folders = [folder]
    while folders:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(Path(entry.path))
                    yield entry.stat(follow_symlinks=False).st_blocks * 512
        except OSError:
            continue  # removed, or made unreadable, while we looked
