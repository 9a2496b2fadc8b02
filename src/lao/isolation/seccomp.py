# SPDX-License-Identifier: Apache-2.0
"""Which system calls each kind of process may make: the filters, as data.

A list of refusals under a ceiling: what is newer than the newest reviewed call does not
exist, so that a new kernel cannot open a hole. A refused call fails with EPERM (ENOSYS
where libraries know another way); Landlock's refusals are EACCES, so that a test sees
which layer it was. A foreign table of calls (32-bit, x32) ends the process.
"""

import errno
from collections.abc import Iterable
from typing import Final, Literal

from lao.isolation import refusals
from lao.isolation.bpf import Filter, Refuse, Rule, assemble
from lao.isolation.syscalls import Arch, number

Profile = Literal["default", "serves-unix", "program"]
"""In-process code; the same with a unix listener; an executed native program."""

Check = tuple[int, tuple[int, ...], int]
"""A call's number, its arguments, and the error number that a filter makes of it.

Without the filter the call does nothing lasting.
"""

NEWEST_REVIEWED: Final = 450
_NO_CEILING: Final = 0x3FFFFFFF


def worker_filter(profile: Profile, *, arch: Arch, gpu: bool = False) -> Filter:
    """Return the filter of a worker: no network, no other process, no way out.

    With `gpu` it may ask devices for whatever their drivers understand.
    """
    rules = {**refusals.TO_ALL, **refusals.NAMESPACES, **refusals.FINAL_LOCK}
    rules |= {**refusals.OTHER_PROCESSES, **refusals.SHARED_MEMORY}
    rules |= {**refusals.WATCHING, **refusals.METADATA}
    match profile:
        case "default":
            rules |= {**refusals.NETWORK, **refusals.NO_CHILDREN}
        case "serves-unix":
            rules |= {**refusals.UNIX_SERVER, **refusals.NO_CHILDREN}
        case "program":
            rules |= {**refusals.NETWORK, **refusals.PLAIN_CHILDREN}
    if not gpu:
        rules |= refusals.FEW_IOCTLS
    return _filter(rules, arch)


def orchestrator_filter(*, arch: Arch) -> Filter:
    """Return the filter of the orchestrator: no new socket, no new process.

    It accepts on the listener that it had before, and has threads and files.
    """
    rules = {**refusals.TO_ALL, **refusals.NAMESPACES, **refusals.FINAL_LOCK}
    rules |= {**refusals.NO_NEW_SOCKETS, **refusals.NO_CHILDREN}
    rules["pidfd_send_signal"] = Refuse()
    return _filter(rules, arch)


def broker_filter(*, arch: Arch, unix: bool) -> Filter:
    """Return the filter of the broker: TCP (and unix) streams, and nothing besides."""
    rules = {**refusals.TO_ALL, **refusals.NAMESPACES, **refusals.FINAL_LOCK}
    rules |= {**refusals.OTHER_PROCESSES, **refusals.SHARED_MEMORY}
    rules |= {**refusals.WATCHING, **refusals.METADATA, **refusals.NO_FILES}
    rules |= {**refusals.ALONE, **refusals.FEW_IOCTLS}
    rules |= refusals.UNIX_CLIENT if unix else refusals.LOOPBACK_CLIENT
    return _filter(rules, arch)


def spawner_filter(*, arch: Arch) -> Filter:
    """Return the filter of the spawner: what bubblewrap and all workers need together.

    It may make namespaces and unix listeners, for it hands them on; it may not make
    an internet socket, nor connect one.
    """
    return _filter({**refusals.TO_ALL, **refusals.NO_INTERNET}, arch)


def deny_filter(
    names: Iterable[str], *, error: int = errno.EPERM, arch: Arch
) -> Filter:
    """Return a filter that takes a few calls away, as an older kernel would.

    `clone` loses its namespaces alone: without it there would be no process.
    """
    rules: dict[str, Rule] = {name: Refuse(error) for name in names}
    if "clone" in rules:
        rules |= refusals.NO_NAMESPACES
    return assemble(rules, arch=arch, newest=_NO_CEILING)


def worker_checks(profile: Profile, *, arch: Arch) -> tuple[Check, ...]:
    """Return calls that a locked worker must fail to make."""
    checks = [
        ("socket", (2, 1, 0), errno.EPERM),
        ("connect", (-1, 0, 0), errno.EPERM),
        ("io_uring_setup", (0, 0), errno.ENOSYS),
        ("unshare", (0,), errno.EPERM),
        ("ptrace", (-1, 0, 0, 0), errno.EPERM),
    ]
    if profile != "program":
        checks.append(("execve", (0, 0, 0), errno.EPERM))
    return _numbered(checks, arch)


def orchestrator_checks(*, arch: Arch) -> tuple[Check, ...]:
    """Return calls that a locked orchestrator must fail to make."""
    return worker_checks("default", arch=arch)


def _filter(rules: dict[str, Rule], arch: Arch) -> Filter:
    return assemble(rules, arch=arch, newest=NEWEST_REVIEWED)


def _numbered(
    checks: Iterable[tuple[str, tuple[int, ...], int]], arch: Arch
) -> tuple[Check, ...]:
    return tuple(
        (call, arguments, error)
        for name, arguments, error in checks
        if (call := number(name, arch)) is not None
    )
