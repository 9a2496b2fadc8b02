# SPDX-License-Identifier: Apache-2.0
"""Forks the processes that stay outside of the orchestrator's lock.

Such a process lives in a session of its own (so that Ctrl-C does not reach it), ends
with the thread that forked it, holds one descriptor, and never runs the code that its
parent would run at exit.
"""

import gc
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Final, NoReturn

from lao.isolation import kernel

_ENDINGS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def fork_apart(live: Callable[[], object], *, keep: int) -> int:
    """Fork a process that runs `live` and ends; return its id.

    It keeps the descriptor `keep` and no other; its standard streams are empty. Call
    this from the only thread of the process: a fork copies no other, and its death
    signal comes when the thread that forked it ends.
    """
    parent = os.getpid()
    # A Ctrl-C that hits both of them is the parent's alone to handle.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDINGS)
    try:
        pid = os.fork()
        if pid == 0:
            _live_apart(live, keep=keep, parent=parent)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return pid


def try_to_fork() -> None:
    """Fork, if that is possible, a process that ends at once."""
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)


def _live_apart(live: Callable[[], object], *, keep: int, parent: int) -> NoReturn:
    code = 1
    try:
        # The parent's objects are not ours to collect: they would close descriptors
        # by numbers that mean something else here.
        gc.disable()
        kernel.die_with_parent()
        if os.getppid() != parent:  # it ended before the line above
            os._exit(code)
        os.setsid()
        _keep_only(keep)
        for each in _ENDINGS:
            signal.signal(each, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDINGS)
        live()
        code = 0
    finally:
        os._exit(code)


def _keep_only(keep: int) -> None:
    """Close every descriptor but one; put nothing in place of the standard streams."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        if stream != keep:
            os.dup2(nothing, stream, inheritable=True)
    for found in Path("/proc/self/fd").iterdir():
        if int(found.name) not in {0, 1, 2, keep}:
            _close(int(found.name))


def _close(descriptor: int) -> None:
    try:
        os.close(descriptor)
    except OSError:
        return  # the one that listed them
