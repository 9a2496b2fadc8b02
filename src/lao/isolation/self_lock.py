# SPDX-License-Identifier: Apache-2.0
"""Locks the process that runs it, for good, and proves each layer by trying it.

Boot locks workers, from outside; this is for the processes that LAO is made of.
"""

import errno
import json
from collections.abc import Callable
from functools import partial
from typing import Final

from msgspec import Struct

from lao.errors import LaoError, RefusedByPolicy
from lao.isolation import kernel
from lao.isolation.bpf import Filter
from lao.isolation.landlock import Ruleset
from lao.isolation.levels import level_of
from lao.isolation.seccomp import Check
from lao.policy import Proof

Attempt = Callable[[], object]

_LIMIT: Final = 100  # characters of another process's words


class SelfLock(Struct, frozen=True, kw_only=True):
    """What locks one process; `process` is what it is called in complaints.

    An empty ruleset or no filter stands for a layer that the machine does not have.
    `refused_by_ruleset` are attempts that must fail once the ruleset is in force,
    `checks` and `refused_by_filter` once the filter is there too. `keeps` are the few
    capabilities that it cannot do without.
    """

    process: str
    ruleset: Ruleset
    filter: Filter | None
    checks: tuple[Check, ...] = ()
    refused_by_ruleset: tuple[Attempt, ...] = ()
    refused_by_filter: tuple[Attempt, ...] = ()
    keeps: tuple[int, ...] = ()


def lock_self(lock: SelfLock) -> Proof:
    """Lock this process; return what it read back, and what it tried in vain.

    Raises:
        RefusedByPolicy: a layer that the machine has did not hold
            (`isolation.lock-failed`). What was locked by then stays so: this process
            should end.
    """
    _apply(lock, "undumpable", kernel.become_undumpable)
    drop = partial(kernel.drop_capabilities, keep=lock.keeps)
    _apply(lock, "no_capabilities", drop)
    _apply(lock, "no_new_privs", kernel.gain_no_privileges)
    _apply(lock, "landlock", lambda: kernel.restrict(lock.ruleset))
    if lock.ruleset.abi:  # tried before the filter, which would refuse the same
        _prove(lock, "landlock", _fail(lock.refused_by_ruleset, errno.EACCES))
    if lock.filter is not None:
        whole = lock.filter
        _apply(lock, "seccomp", lambda: kernel.install(whole))
        _prove(lock, "seccomp", kernel.refuses(lock.checks))
        _prove(lock, "seccomp", _fail(lock.refused_by_filter, errno.EPERM))
    _prove(lock, "undumpable", kernel.is_undumpable())
    has_none = kernel.has_no_capabilities()
    _prove(lock, "no_capabilities", has_none or bool(lock.keeps))
    _prove(lock, "no_new_privs", kernel.gains_no_privileges())
    layers = {
        "no_new_privs": True,
        "undumpable": True,
        "no_capabilities": has_none,
        "landlock": lock.ruleset.abi,
        "seccomp": lock.filter is not None,
    }
    return Proof(level=level_of(layers), layers=layers)


def told(proof: Proof | LaoError) -> bytes:
    """Return what a process says of its lock to the one that forked it."""
    if isinstance(proof, Proof):
        return json.dumps({"layers": dict(proof.layers)}).encode()
    return json.dumps({"failed": proof.problem.what}).encode()


def read_proof(process: str, words: bytes) -> Proof:
    """Return what `told` made; strict, whatever came.

    Raises:
        RefusedByPolicy: the process is not locked (`isolation.lock-failed`).
    """
    try:
        match json.loads(words):
            case {"layers": {"seccomp": bool(), "landlock": int()} as layers}:
                return Proof(level=level_of(layers), layers=layers)
            case {"failed": str(what)}:
                raise lock_failed(what[:_LIMIT])
            case _:
                pass
    except ValueError:
        pass
    raise lock_failed(f"the {process} did not say that it is locked")


def _apply(lock: SelfLock, layer: str, act: Attempt) -> None:
    try:
        act()
    except OSError as problem:
        what = f"the layer {layer!r} of the {lock.process} failed: {problem}"
        raise lock_failed(what) from problem


def _prove(lock: SelfLock, layer: str, holds: bool) -> None:
    if not holds:
        what = f"the layer {layer!r} of the {lock.process} does not hold"
        raise lock_failed(what)


def _fail(attempts: tuple[Attempt, ...], error: int) -> bool:
    """Whether each attempt fails, and with that error number."""
    for attempt in attempts:
        try:
            attempt()
        except OSError as refusal:
            if refusal.errno == error:
                continue
        return False
    return True


def lock_failed(what: str) -> RefusedByPolicy:
    """Return the refusal to go on with a lock that does not hold."""
    return RefusedByPolicy(
        "isolation.lock-failed",
        what,
        mend="`lao doctor` tells what this kernel can enforce; please report this",
    )
