# SPDX-License-Identifier: Apache-2.0
"""Locks the orchestrator, the process of a command: no new socket, no new process.

It keeps its files, its threads, and the sockets that it is handed or had before. What
it needs done outside, the broker and the spawner do.
"""

import socket
from functools import partial

from lao.isolation.forking import try_to_fork
from lao.isolation.landlock import network_ruleset
from lao.isolation.levels import Machine, look
from lao.isolation.seccomp import orchestrator_checks, orchestrator_filter
from lao.isolation.self_lock import SelfLock, lock_failed, lock_self
from lao.policy import Proof

_FAMILIES = (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX, socket.AF_NETLINK)


def lock_this_process(machine: Machine | None = None) -> Proof:
    """Lock this process for good, from its only thread; return what it proved.

    Raises:
        RefusedByPolicy: the machine has no filters, or a layer that it has did not
            hold (`isolation.lock-failed`). This process should then end.
    """
    machine = machine or look()
    if machine.arch is None or not machine.seccomp:
        raise lock_failed("this system has no seccomp filters")
    return lock_self(
        SelfLock(
            process="orchestrator",
            ruleset=network_ruleset(abi=machine.landlock_abi),
            filter=orchestrator_filter(arch=machine.arch),
            checks=orchestrator_checks(arch=machine.arch),
            refused_by_ruleset=(_listen,) if machine.landlock_abi >= 4 else (),
            refused_by_filter=(
                try_to_fork,
                *(partial(socket.socket, family) for family in _FAMILIES),
            ),
        )
    )


def _listen() -> None:
    with socket.socket(socket.AF_INET) as listener:
        listener.bind(("127.0.0.1", 0))
