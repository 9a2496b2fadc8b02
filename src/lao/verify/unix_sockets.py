# SPDX-License-Identifier: Apache-2.0
"""Attempts to reach other programs of this machine through unix sockets."""

import os
import socket
from errno import ENOENT

from lao.verify.attempt import EVERYWHERE, Attempt, Bait, Kind, Layer, attempt

_SECONDS = 2.0
_ANSWER = "the listener got the message and answered"
_BOTH: tuple[Layer, ...] = ("seccomp", "namespaces")
_SERVICES = (
    "/var/run/docker.sock",
    "/run/dbus/system_bus_socket",
    "/run/systemd/resolve/io.systemd.Resolve",
    "/run/systemd/journal/socket",
    "/tmp/.X11-unix/X0",  # noqa: S108  (where the display is)
    "/var/run/nscd/socket",
)
_NO_SOCKETS: tuple[Kind, ...] = ("worker", "program")


def _hear(link: socket.socket, bait: Bait) -> None:
    if bait.canary.encode() not in link.recv(4096):
        raise OSError("something else answered")


def _stream(address: str, bait: Bait) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
        link.settimeout(_SECONDS)
        link.connect(address)
        link.sendall(bait.token)
        _hear(link, bait)


@attempt("unix sockets", _ANSWER, by=_BOTH, kinds=EVERYWHERE)
def unix_stream(bait: Bait) -> None:
    """Connect to a unix socket of the user."""
    _stream(f"{bait.sockets}/stream", bait)


@attempt(
    "unix sockets", _ANSWER, by=("seccomp", "landlock", "namespaces"), kinds=EVERYWHERE
)
def unix_abstract(bait: Bait) -> None:
    """Connect to an abstract unix socket."""
    _stream("\0" + bait.abstract, bait)


@attempt("unix sockets", "the listener got the message", by=_BOTH, kinds=EVERYWHERE)
def unix_datagram(bait: Bait) -> None:
    """Send a datagram to a socket of the user."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as link:
        link.sendto(bait.token, f"{bait.sockets}/datagram")


@attempt("unix sockets", "the listener got the message", by=_BOTH, kinds=EVERYWHERE)
def datagram_out_of_a_pair(bait: Bait) -> None:
    """Send a datagram out of a pair of sockets."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with ours, theirs:
        ours.sendto(bait.token, f"{bait.sockets}/datagram")


@attempt("unix sockets", "the listener got the message", by=_BOTH, kinds=EVERYWHERE)
def message_out_of_a_pair(bait: Bait) -> None:
    """Send a message out of a pair of sockets."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with ours, theirs:
        ours.sendmsg([bait.token], [], 0, f"{bait.sockets}/datagram")


@attempt("unix sockets", "the service took the connection", by=_BOTH, kinds=EVERYWHERE)
def services_of_this_machine(_bait: Bait) -> None:
    """Connect to docker, D-Bus, resolver, display."""
    refusal = OSError(ENOENT, "none of them is here")
    for path in _SERVICES:
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            try:
                with socket.socket(socket.AF_UNIX, kind) as link:
                    link.connect(path)
                    return
            except FileNotFoundError:
                continue
            except OSError as error:
                refusal = error
    raise refusal


@attempt("unix sockets", "the socket listens", by=_BOTH, kinds=_NO_SOCKETS)
def unix_listener(_bait: Bait) -> None:
    """Listen on a unix socket in its own folder."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
        link.bind("listener.sock")
        link.listen()
    os.unlink("listener.sock")  # noqa: PTH108  (as the kernel sees it)


ATTEMPTS: tuple[Attempt, ...] = (
    unix_stream,
    unix_abstract,
    unix_datagram,
    datagram_out_of_a_pair,
    message_out_of_a_pair,
    services_of_this_machine,
    unix_listener,
)
