# SPDX-License-Identifier: Apache-2.0
"""Which files and ports each kind of process may reach: Landlock's rulesets, as data.

What a ruleset handles, it refuses, unless a rule allows it. The rights on files hold
for everything below a folder. Each version ("ABI") of Landlock handles more.
"""

import struct
from collections.abc import Iterable
from enum import IntFlag
from typing import Final

from msgspec import Struct

from lao.isolation.seccomp import Profile

NEWEST_ABI: Final = 7  # the newest that was reviewed; later ones still know its rights


class Right(IntFlag):
    """What may be done with a file, from <linux/landlock.h>."""

    EXECUTE = 1 << 0
    WRITE_FILE = 1 << 1
    READ_FILE = 1 << 2
    READ_DIR = 1 << 3
    REMOVE_DIR = 1 << 4
    REMOVE_FILE = 1 << 5
    MAKE_CHAR = 1 << 6
    MAKE_DIR = 1 << 7
    MAKE_REG = 1 << 8
    MAKE_SOCK = 1 << 9
    MAKE_FIFO = 1 << 10
    MAKE_BLOCK = 1 << 11
    MAKE_SYM = 1 << 12
    REFER = 1 << 13  # ABI 2
    TRUNCATE = 1 << 14  # ABI 3
    IOCTL_DEV = 1 << 15  # ABI 5


READ: Final = Right.READ_FILE | Right.READ_DIR
EXECUTE: Final = READ | Right.EXECUTE
DEVICE: Final = Right.READ_FILE | Right.WRITE_FILE | Right.IOCTL_DEV
# Not among them: links, sockets, FIFOs, devices, programs, or moving between folders.
WRITE: Final = (
    READ
    | Right.WRITE_FILE
    | Right.TRUNCATE
    | Right.MAKE_REG
    | Right.MAKE_DIR
    | Right.REMOVE_FILE
    | Right.REMOVE_DIR
)
# A rule on a file may name no right of folders.
OF_A_FILE: Final = (
    Right.EXECUTE
    | Right.WRITE_FILE
    | Right.READ_FILE
    | Right.TRUNCATE
    | Right.IOCTL_DEV
)
_SINK: Final = "/dev/null"  # libraries write to it

_BIND: Final = 1  # LANDLOCK_ACCESS_NET_BIND_TCP, ABI 4
_CONNECT: Final = 2
_ABSTRACT_SOCKETS: Final = 1  # LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET, ABI 6
_SIGNALS: Final = 2


class Access(Struct, frozen=True, kw_only=True):
    """The paths that a worker may reach, each with all that lies below it.

    `writable` ones can be read, and files and folders made in them. `executable` ones
    can be read too. `devices` take ioctls.
    """

    readable: tuple[str, ...] = ()
    writable: tuple[str, ...] = ()
    executable: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()


class Ruleset(Struct, frozen=True, kw_only=True):
    """What the kernel is told: bytes and numbers, ready to pass on.

    `attributes` are a `struct landlock_ruleset_attr`. Each of `paths` has its rights
    as a folder and as a file; each of `ports` is a right and a port. `abi` is the
    version that is in force afterwards; 0 where there is nothing to say.
    """

    abi: int
    attributes: bytes
    paths: tuple[tuple[str, int, int], ...] = ()
    ports: tuple[tuple[int, int], ...] = ()


def worker_ruleset(access: Access, *, abi: int, profile: Profile) -> Ruleset:
    """Return the ruleset of a worker: the paths of `access`, no port, no signal.

    The profile `serves-unix` may make sockets where it may write; only `program`
    executes.
    """
    writing = WRITE | Right.MAKE_SOCK if profile == "serves-unix" else WRITE
    executing = EXECUTE if profile == "program" else READ
    granted = (
        *((path, READ) for path in access.readable),
        *((path, executing) for path in access.executable),
        *((path, DEVICE) for path in access.devices),
        (_SINK, Right.READ_FILE | Right.WRITE_FILE),
        *((path, writing) for path in access.writable),
    )
    handled = handled_files(abi)
    return Ruleset(
        abi=min(abi, NEWEST_ABI),
        attributes=_attributes(handled, abi=abi),
        paths=tuple(_rule(path, rights & handled) for path, rights in granted),
    )


def network_ruleset(
    *,
    abi: int,
    connect_ports: Iterable[int] = (),
    bind_ports: Iterable[int] = (),
    scope: bool = True,
    no_files: bool = False,
) -> Ruleset:
    """Return a ruleset about TCP ports, and, with `scope`, abstract sockets and signals.

    It says nothing about files, or, with `no_files`, refuses them all. Port 0 among
    `bind_ports` is whatever port the kernel chooses.
    """
    files = handled_files(abi) if no_files else Right(0)
    attributes = _attributes(files, abi=abi, scope=scope)
    if not any(attributes):
        return Ruleset(abi=0, attributes=b"")
    binding = [(_BIND, port) for port in bind_ports]
    connecting = [(_CONNECT, port) for port in connect_ports]
    return Ruleset(
        abi=min(abi, NEWEST_ABI),
        attributes=attributes,
        ports=(*binding, *connecting) if abi >= 4 else (),
    )


def handled_files(abi: int) -> Right:
    """Return every right on files that a version knows."""
    handled = Right(0)
    if abi >= 1:
        handled |= Right(Right.REFER - 1)
    if abi >= 2:
        handled |= Right.REFER
    if abi >= 3:
        handled |= Right.TRUNCATE
    if abi >= 5:
        handled |= Right.IOCTL_DEV
    return handled


def _attributes(files: Right, *, abi: int, scope: bool = True) -> bytes:
    network = _BIND | _CONNECT if abi >= 4 else 0
    scoped = _ABSTRACT_SOCKETS | _SIGNALS if scope and abi >= 6 else 0
    size = 8 if abi < 4 else 16 if abi < 6 else 24
    return struct.pack("<QQQ", files, network, scoped)[:size]


def _rule(path: str, rights: Right) -> tuple[str, int, int]:
    return path, int(rights), int(rights & OF_A_FILE)
