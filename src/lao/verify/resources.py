# SPDX-License-Identifier: Apache-2.0
"""Attempts to use more than a worker may. Each takes only a little more than the limit."""

import os
import threading
import time
from errno import EAGAIN
from pathlib import Path

from lao.verify.attempt import Attempt, Bait, Kind, attempt

_PAGE = 4096
_SMALL_STACK = 128 << 10
_IN_PROCESS: tuple[Kind, ...] = ("worker", "program")


@attempt("resources", "all of them are open", by=("limits",), kinds=_IN_PROCESS)
def many_open_files(bait: Bait) -> None:
    """Open more files than it may."""
    found: list[int] = []
    try:
        while len(found) < bait.open_files:
            found.append(os.open("/dev/null", os.O_RDONLY))
    finally:
        for descriptor in found:
            os.close(descriptor)


@attempt("resources", "the file is that large", by=("limits",), kinds=_IN_PROCESS)
def huge_file(bait: Bait) -> None:
    """Write a larger file than it may."""
    path = Path("huge")
    try:
        with path.open("wb") as file:
            file.seek(bait.file_size)  # a hole: it takes no space on the disk
            file.write(b"x")
    finally:
        path.unlink()


@attempt("resources", "all of them are there", by=("limits",), kinds=("worker",))
def many_files(bait: Bait) -> None:
    """Write more than it may, in many files."""
    paths = [Path(f"part-{number}") for number in range(4)]
    for path in paths:
        path.write_bytes(b"x" * (bait.file_size // 2))
    time.sleep(bait.patience)
    for path in paths:
        path.unlink()


@attempt("resources", "all of them run", by=("limits",), kinds=("worker",))
def many_threads(bait: Bait) -> None:
    """Start more threads than it may."""
    end = threading.Event()
    before = threading.stack_size(_SMALL_STACK)
    started = 0
    try:
        for _ in range(bait.threads * 2):
            threading.Thread(target=end.wait, daemon=True).start()
            started += 1
        time.sleep(bait.patience)
    except RuntimeError:
        raise OSError(EAGAIN, f"no more than {started} threads") from None
    finally:
        end.set()
        threading.stack_size(before)


@attempt("resources", "it held the memory", by=("limits",), kinds=("worker",))
def much_memory(bait: Bait) -> None:
    """Use more memory than it may."""
    held = bytearray(bait.memory + bait.memory // 4)
    for page in range(0, len(held), _PAGE):
        held[page] = 1
    time.sleep(bait.patience)
    del held


ATTEMPTS: tuple[Attempt, ...] = (
    many_open_files,
    huge_file,
    many_files,
    many_threads,
    much_memory,
)
