# SPDX-License-Identifier: Apache-2.0
"""Confines a command: forks what stays outside, locks this process, tells how to go on."""

import os
import resource
import stat
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

from msgspec import Struct

from lao.errors import LaoError
from lao.isolation.broker import fork_broker
from lao.isolation.broker_client import Passed, pass_nothing
from lao.isolation.launching import ChildLauncher, Launcher, refuse_none
from lao.isolation.levels import Machine, foresee
from lao.isolation.orchestrator import lock_this_process
from lao.isolation.spawner import fork_spawner
from lao.policy import LoopbackEndpoint, Proof

_STREAMS: Final = 2  # the last of the standard ones


class Confinement(Struct, frozen=True, kw_only=True):
    """How a process starts workers and connects to model servers.

    `connect` is None where it connects by itself; `proof` is that of this process, and
    None where it is not locked. `endpoints` are all that a locked process can reach.
    """

    launcher: Launcher
    connect: Passed | None
    proof: Proof | None
    endpoints: tuple[LoopbackEndpoint, ...] = ()


def unconfined(*, accept_none: bool = False) -> Confinement:
    """Return the confinement of a process that is not LAO's: only workers are locked."""
    launcher = ChildLauncher(accept_none=accept_none)
    return Confinement(launcher=launcher, connect=None, proof=None)


@contextmanager
def confine(
    *,
    endpoints: Sequence[LoopbackEndpoint],
    programs: Sequence[str],
    accept_none: bool = False,
) -> Iterator[Confinement]:
    """Lock this process for good; the helpers that it needs end with the block.

    Once per process, from its only thread: neither a fork nor a lock takes hold of
    the other threads. Where the system can lock nothing and that is accepted, this
    process stays as it is.

    Raises:
        RefusedByPolicy: the system can lock nothing (`isolation.none`), or a lock did
            not hold (`isolation.lock-failed`).
        UsageError: there are too many endpoints (`isolation.too-many-endpoints`).
        LaoError: a helper did not start, or there are other threads.
    """
    _refuse_threads()
    machine = foresee()  # the spawner tries bubblewrap, under its own lock
    refuse_none(machine, accept_none=accept_none)
    if machine.level == "L0":
        launcher = ChildLauncher(machine, accept_none=True)
        nothing = Proof(level="L0", layers={})
        yield Confinement(launcher=launcher, connect=None, proof=nothing)
        return
    with ExitStack() as helpers:
        yield _confine(helpers, machine, tuple(endpoints), tuple(programs))


def _confine(
    helpers: ExitStack,
    machine: Machine,
    endpoints: tuple[LoopbackEndpoint, ...],
    programs: tuple[str, ...],
) -> Confinement:
    """Fork everybody first, so that all of them lock themselves at the same time."""
    _dump_no_core()
    _close_sockets()
    broker = None
    try:
        if endpoints:
            broker = fork_broker(endpoints, machine)
            helpers.callback(broker.close)
        spawner = fork_spawner(machine, programs)
        helpers.callback(spawner.close)
    except OSError as problem:
        raise LaoError(
            "isolation.start-failed",
            f"the processes beside this one did not start: {problem.strerror}",
            mend="`lao doctor` tells what this system can enforce",
        ) from problem
    proof = lock_this_process(machine)
    if broker is not None:
        broker.confirm()
    spawner.confirm()
    return Confinement(
        launcher=spawner,
        connect=pass_nothing if broker is None else broker.connect,
        proof=proof,
        endpoints=endpoints,
    )


def _dump_no_core() -> None:
    """Bound it for all: a program that a helper executes is dumpable again.

    With 1 the kernel writes no file, as with 0, and calls no program either.
    """
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    bound = 0 if hard == 0 else 1
    resource.setrlimit(resource.RLIMIT_CORE, (bound, bound))


def _close_sockets() -> None:
    """Close the sockets that this process was started with, but for standard streams.

    Nobody has to leave one open for a command; it could send, lock or no lock. What
    came through an exec can be told: it is inheritable, unlike all that Python makes.
    """
    for found in Path("/proc/self/fd").iterdir():
        descriptor = int(found.name)
        with suppress(OSError):  # the one that listed them
            is_left = descriptor > _STREAMS and os.get_inheritable(descriptor)
            if is_left and stat.S_ISSOCK(os.fstat(descriptor).st_mode):
                os.close(descriptor)


def _refuse_threads() -> None:
    try:
        threads = sum(1 for _ in Path("/proc/self/task").iterdir())
    except OSError:
        threads = threading.active_count()
    if threads > 1:
        raise LaoError(
            "isolation.threads",
            f"a process of {threads} threads cannot be locked as a whole",
            mend="call `confine` before anything else starts a thread",
        )
