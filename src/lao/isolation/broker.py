# SPDX-License-Identifier: Apache-2.0
"""The broker: the only process that may connect, to a table of addresses frozen at its start.

A request is one byte, an index into that table; the answer is one byte, an errno, and
for 0 the connecting socket. There is no name to resolve and no address to parse. State
of the broker: none. State of its client: who waits, in the order of asking.
"""

import errno
import os
import socket
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Final

from lao.errors import LaoError, UsageError
from lao.isolation.broker_client import BrokerClient
from lao.isolation.forking import fork_apart, try_to_fork
from lao.isolation.landlock import network_ruleset
from lao.isolation.levels import Machine, look
from lao.isolation.seccomp import broker_filter
from lao.isolation.self_lock import Attempt, SelfLock, lock_self, told
from lao.policy import LoopbackEndpoint

_Address = tuple[str, int] | str
_MOST_ENDPOINTS: Final = 255
_IP_BIND_ADDRESS_NO_PORT: Final = 24  # <linux/in.h>; Python 3.11 has no name for it


def fork_broker(
    endpoints: Sequence[LoopbackEndpoint], machine: Machine | None = None
) -> BrokerClient:
    """Fork a broker for these endpoints; call this from the only thread.

    Raises:
        UsageError: there are more endpoints than one byte can tell apart.
    """
    table = tuple(dict.fromkeys(endpoints))
    if len(table) > _MOST_ENDPOINTS:
        raise UsageError(
            "isolation.too-many-endpoints",
            f"the workflow names {len(table)} endpoints, of at most {_MOST_ENDPOINTS}",
            mend="split it into several workflows",
        )
    lock = _lock([endpoint.address for endpoint in table], machine or look())
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        live = partial(_live, theirs, [endpoint.address for endpoint in table], lock)
        pid = fork_apart(live, keep=theirs.fileno())
    return BrokerClient(ours, table, pid=pid)


def _live(
    control: socket.socket, addresses: Sequence[_Address], lock: SelfLock
) -> None:
    os.chdir("/")
    try:
        control.send(told(lock_self(lock)))
    except LaoError as failure:
        control.send(told(failure))
    else:
        serve(control, addresses)


def _lock(addresses: Sequence[_Address], machine: Machine) -> SelfLock:
    """Return a lock that leaves TCP to the ports of the table, and no file at all."""
    ports = {address[1] for address in addresses if not isinstance(address, str)}
    is_unix = any(isinstance(address, str) for address in addresses)
    other = next(port for port in range(1, 1 << 16) if port not in ports)
    ruleset = network_ruleset(
        abi=machine.landlock_abi, connect_ports=ports, bind_ports=(0,), no_files=True
    )
    tried: list[Attempt] = [partial(os.listdir, "/")]
    if machine.landlock_abi >= 4:
        tried.append(partial(_connecting, ("127.0.0.1", other)))
    arch = machine.arch if machine.seccomp else None
    return SelfLock(
        process="broker",
        ruleset=ruleset,
        filter=None if arch is None else broker_filter(arch=arch, unix=is_unix),
        refused_by_ruleset=tuple(tried),
        refused_by_filter=(
            try_to_fork,
            partial(socket.socket, socket.AF_INET, socket.SOCK_DGRAM),
            partial(socket.socket, socket.AF_NETLINK, socket.SOCK_RAW),
        ),
    )


def serve(control: socket.socket, addresses: Sequence[_Address]) -> None:
    """Answer requests until the other end of `control` is closed.

    Nothing here waits for a server: a socket is passed on while it connects.
    """
    while request := control.recv(2):
        try:
            if len(request) != 1 or request[0] >= len(addresses):
                raise PermissionError(errno.EPERM, "no such endpoint")
            with _connecting(addresses[request[0]]) as passed:
                socket.send_fds(control, [b"\0"], [passed.fileno()])
        except OSError as problem:
            control.send(bytes([problem.errno or errno.EIO]))


def _connecting(address: _Address) -> socket.socket:
    """Return a non-blocking socket on its way to `address`.

    Bound to a loopback address, and to the loopback device, it stays there, even if
    its holder could disconnect it and connect it anew. Either would be enough.
    """
    if isinstance(address, str):
        found, near = socket.socket(socket.AF_UNIX), None
    else:
        near = address[0]
        found = socket.socket(socket.AF_INET6 if ":" in near else socket.AF_INET)
    try:
        if near is not None:
            with suppress(PermissionError):  # a privilege before Linux 5.7
                found.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo\0")
            found.setsockopt(socket.IPPROTO_IP, _IP_BIND_ADDRESS_NO_PORT, 1)
            found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            found.bind((near, 0))
        found.setblocking(False)
        found.connect(address)
    except OSError as problem:
        if problem.errno != errno.EINPROGRESS:  # EAGAIN: a unix server is full
            found.close()
            raise
    return found
