# SPDX-License-Identifier: Apache-2.0
"""Attempts to speak to a network. All go to listeners on this machine's loopback."""

import os
import socket

from lao.verify.attempt import (
    EVERYWHERE,
    Attempt,
    Bait,
    CannotTry,
    Kind,
    Layer,
    attempt,
)
from lao.verify.calls import reach

_SECONDS = 2.0
_MSG_FASTOPEN = 0x20000000
_IPPROTO_UDPLITE = 136
_IPPROTO_MPTCP = 262
_ECHO_REQUEST = b"\x08\x00\xf7\xff\x00\x00\x00\x00"
_BOTH: tuple[Layer, ...] = ("seccomp", "namespaces")
_ALL_THREE: tuple[Layer, ...] = ("seccomp", "landlock", "namespaces")
_ANSWER = "the listener got the message and answered"
_NOT_A_DESCRIPTOR = -1


def _ask(link: socket.socket, bait: Bait) -> None:
    """Send the token over a connected socket and wait for the canary."""
    link.sendall(bait.token)
    _hear(link, bait)


def _hear(link: socket.socket, bait: Bait) -> None:
    if bait.canary.encode() not in link.recv(4096):
        raise OSError("something else answered")


def _socket(family: int, kind: int, protocol: int = 0) -> socket.socket:
    made = socket.socket(family, kind, protocol)
    made.settimeout(_SECONDS)
    return made


def _port(port: int, what: str) -> int:
    if not port:
        raise CannotTry(f"this machine has no {what}")
    return port


@attempt("network", _ANSWER, by=_ALL_THREE, kinds=EVERYWHERE)
def tcp_over_ipv4(bait: Bait) -> None:
    """Connect by TCP over IPv4."""
    with _socket(socket.AF_INET, socket.SOCK_STREAM) as link:
        link.connect(("127.0.0.1", bait.tcp4))
        _ask(link, bait)


@attempt("network", _ANSWER, by=_ALL_THREE, kinds=EVERYWHERE)
def tcp_over_ipv6(bait: Bait) -> None:
    """Connect by TCP over IPv6."""
    with _socket(socket.AF_INET6, socket.SOCK_STREAM) as link:
        link.connect(("::1", _port(bait.tcp6, "IPv6 on loopback")))
        _ask(link, bait)


@attempt("network", _ANSWER, by=_ALL_THREE, kinds=EVERYWHERE)
def tcp_over_mapped_ipv4(bait: Bait) -> None:
    """Connect by TCP to IPv4 written as IPv6."""
    _port(bait.tcp6, "IPv6 on loopback")
    with _socket(socket.AF_INET6, socket.SOCK_STREAM) as link:
        link.connect(("::ffff:127.0.0.1", bait.tcp4))
        _ask(link, bait)


@attempt("network", _ANSWER, by=_ALL_THREE, kinds=EVERYWHERE)
def tcp_without_blocking(bait: Bait) -> None:
    """Begin a TCP connection without waiting."""
    with _socket(socket.AF_INET, socket.SOCK_STREAM) as link:
        link.setblocking(False)
        link.connect_ex(("127.0.0.1", bait.tcp4))
        link.settimeout(_SECONDS)
        _ask(link, bait)


@attempt("network", _ANSWER, by=_BOTH, kinds=EVERYWHERE)
def tcp_fast_open(bait: Bait) -> None:
    """Hide a TCP connection in a send (fast open)."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as link:
        link.sendto(bait.token, _MSG_FASTOPEN, ("127.0.0.1", bait.tcp4))
        link.settimeout(_SECONDS)
        _hear(link, bait)


@attempt("network", _ANSWER, by=_BOTH, kinds=EVERYWHERE)
def tcp_fast_open_in_a_message(bait: Bait) -> None:
    """Hide a TCP connection in a sendmsg."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as link:
        link.sendmsg([bait.token], [], _MSG_FASTOPEN, ("127.0.0.1", bait.tcp4))
        link.settimeout(_SECONDS)
        _hear(link, bait)


@attempt("network", _ANSWER, by=_BOTH, kinds=EVERYWHERE)
def multipath_tcp(bait: Bait) -> None:
    """Connect by multipath TCP."""
    with _socket(socket.AF_INET, socket.SOCK_STREAM, _IPPROTO_MPTCP) as link:
        link.connect(("127.0.0.1", bait.tcp4))
        _ask(link, bait)


@attempt("network", _ANSWER, by=_BOTH, kinds=EVERYWHERE)
def udp_over_ipv4(bait: Bait) -> None:
    """Send a datagram by UDP over IPv4."""
    with _socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.sendto(bait.token, ("127.0.0.1", bait.udp4))
        _hear(link, bait)


@attempt("network", _ANSWER, by=_BOTH, kinds=EVERYWHERE)
def udp_over_ipv6(bait: Bait) -> None:
    """Send a datagram by UDP over IPv6."""
    with _socket(socket.AF_INET6, socket.SOCK_DGRAM) as link:
        link.sendto(bait.token, ("::1", _port(bait.udp6, "IPv6 on loopback")))
        _hear(link, bait)


@attempt("network", _ANSWER, by=_BOTH, kinds=EVERYWHERE)
def udp_lite(bait: Bait) -> None:
    """Send a datagram by UDP-Lite."""
    port = _port(bait.udplite, "UDP-Lite")
    with _socket(socket.AF_INET, socket.SOCK_DGRAM, _IPPROTO_UDPLITE) as link:
        link.sendto(bait.token, ("127.0.0.1", port))
        _hear(link, bait)


@attempt("network", "loopback answered the ping", by=_BOTH, kinds=EVERYWHERE)
def ping(_bait: Bait) -> None:
    """Send a ping."""
    with _socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP) as link:
        link.sendto(_ECHO_REQUEST, ("127.0.0.1", 0))
        link.recv(64)


@attempt("network", "the kernel made the socket", by=_BOTH, kinds=EVERYWHERE)
def raw_packets(_bait: Bait) -> None:
    """Open a raw socket."""
    _socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP).close()


@attempt("network", "the kernel told the interfaces", by=("seccomp",), kinds=EVERYWHERE)
def netlink(_bait: Bait) -> None:
    """Ask for the network's interfaces (netlink)."""
    with _socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as link:
        link.bind((0, 0))
        wanted = b"\x14\0\0\0\x12\0\x01\x03\x01\0\0\0\0\0\0\0\0\0\0\0"  # RTM_GETLINK
        link.send(wanted)
        link.recv(65536)


def _family(name: str, number: int, kind: int, what: str) -> Attempt:
    """Return the attempt to make a socket of a family that few machines use."""

    def act(_bait: Bait) -> None:
        _socket(number, kind).close()

    return Attempt(
        name=name,
        area="network",
        phrase=f"Open a socket for {what}",
        success="the kernel made the socket",
        stopped_by=("seccomp",),
        kinds=EVERYWHERE,
        act=act,
    )


_FAMILIES = (
    _family("packet-socket", 17, socket.SOCK_RAW, "whole packets"),
    _family("vsock-socket", 40, socket.SOCK_STREAM, "a virtual machine's host"),
    _family("alg-socket", 38, socket.SOCK_SEQPACKET, "the kernel's cryptography"),
    _family("xdp-socket", 44, socket.SOCK_RAW, "a network card (XDP)"),
    _family("smc-socket", 43, socket.SOCK_STREAM, "remote memory (SMC)"),
    _family("qrtr-socket", 42, socket.SOCK_DGRAM, "a modem (QIPCRTR)"),
    _family("tipc-socket", 30, socket.SOCK_STREAM, "a cluster (TIPC)"),
    _family("bluetooth-socket", 31, socket.SOCK_RAW, "Bluetooth"),
)


@attempt("network", "the port listens", by=_ALL_THREE, kinds=EVERYWHERE)
def listen_on_tcp(_bait: Bait) -> None:
    """Listen on a TCP port."""
    with _socket(socket.AF_INET, socket.SOCK_STREAM) as link:
        link.bind(("127.0.0.1", 0))
        link.listen()


@attempt("network", _ANSWER, by=("seccomp", "landlock"), kinds=("orchestrator",))
def connect_a_held_socket(bait: Bait) -> None:
    """Connect a TCP socket made before the lock."""
    with socket.socket(fileno=os.dup(bait.held_sockets[0])) as link:
        link.settimeout(_SECONDS)
        link.connect(("127.0.0.1", bait.tcp4))
        _ask(link, bait)


@attempt("network", _ANSWER, by=("seccomp",), kinds=("orchestrator",))
def fast_open_on_a_held_socket(bait: Bait) -> None:
    """The same, hidden in a send (fast open)."""
    with socket.socket(fileno=os.dup(bait.held_sockets[1])) as link:
        link.sendto(bait.token, _MSG_FASTOPEN, ("127.0.0.1", bait.tcp4))
        link.settimeout(_SECONDS)
        _hear(link, bait)


def _bare(name: str, kinds: tuple[Kind, ...], *arguments: int) -> Attempt:
    """Return the attempt to make one call of the socket family with no socket at all."""
    call, _, rest = name.partition(" ")

    def act(_bait: Bait) -> None:
        reach(call, _NOT_A_DESCRIPTOR, *arguments)

    return Attempt(
        name=f"{call}-call" + (f"-{rest.replace(' ', '-')}" if rest else ""),
        area="network",
        phrase=f"Make the bare call {name}",
        success="the kernel considered the call",
        stopped_by=("seccomp",),
        kinds=kinds,
        act=act,
    )


_SANDBOX_BUT_SERVERS: tuple[Kind, ...] = ("worker", "program")
_CALLS = (
    _bare("connect", EVERYWHERE, 0, 0),
    _bare("bind", (*_SANDBOX_BUT_SERVERS, "orchestrator"), 0, 0),
    _bare("listen", _SANDBOX_BUT_SERVERS, 1),
    _bare("accept4", _SANDBOX_BUT_SERVERS, 0, 0, 0),
    _bare("sendto with fast open", EVERYWHERE, 0, 0, _MSG_FASTOPEN, 0, 0),
    _bare("sendmsg with fast open", EVERYWHERE, 0, _MSG_FASTOPEN),
    _bare("sendmmsg with fast open", EVERYWHERE, 0, 0, _MSG_FASTOPEN),
)

ATTEMPTS: tuple[Attempt, ...] = (
    tcp_over_ipv4,
    tcp_over_ipv6,
    tcp_over_mapped_ipv4,
    tcp_without_blocking,
    tcp_fast_open,
    tcp_fast_open_in_a_message,
    multipath_tcp,
    udp_over_ipv4,
    udp_over_ipv6,
    udp_lite,
    ping,
    raw_packets,
    netlink,
    *_FAMILIES,
    listen_on_tcp,
    connect_a_held_socket,
    fast_open_on_a_held_socket,
    *_CALLS,
)
