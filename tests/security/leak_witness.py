# SPDX-License-Identifier: Apache-2.0
"""The outside of the leak rig: it sees every frame that leaves, and answers names.

Run by `leak_rig.py` in a network namespace of its own. It holds the far end of the only
way out: an AF_PACKET socket that takes every frame, a name server that knows every name
(so that a leak that begins with a name goes on), and listeners on the ports of the web
(so that it goes on further). On stdin, `take` asks for what came since the last time.
"""

import base64
import json
import os
import re
import select
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

INSIDE_MAC, OUTSIDE_MAC = "02:00:00:00:00:02", "02:00:00:00:00:01"
SOMEWHERE_V4, SOMEWHERE_V6 = "203.0.113.7", "2001:db8::7"
KEPT = 200  # packets that are described; all are counted
HAS_V6 = Path("/proc/sys/net/ipv6/conf").exists()
SET_UP = f"""\
link set lo up
link set vout addrgenmode none
addr add 10.99.0.1/24 dev vout
link set vout up
neigh add 10.99.0.2 lladdr {INSIDE_MAC} nud permanent dev vout
route add local 203.0.113.0/24 dev lo
"""
SET_UP_V6 = f"""\
addr add fd99::1/64 dev vout nodad
neigh add fd99::2 lladdr {INSIDE_MAC} nud permanent dev vout
route add local 2001:db8::/32 dev lo
"""
_ETH_P_ALL, _OUTGOING = 3, 4
_IPV4, _IPV6, _ARP = 0x0800, 0x86DD, 0x0806
_TCP, _UDP, _ICMPV6 = 6, 17, 58
_NAMES = {1: "icmp", _TCP: "tcp", _UDP: "udp", _ICMPV6: "icmpv6"}
_NEIGHBOURS = {131, 132, 133, 134, 135, 136, 143}  # kernel's own talk: ND, MLD


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """One frame that left."""

    to: str
    size: int
    canary: tuple[str, ...] = ()
    asks_for: str = ""
    is_noise: bool = False


@dataclass(slots=True, kw_only=True)
class Seen:
    """What came since the last time; `count` is of all that is no noise."""

    count: int = 0
    noise: int = 0
    hits: int = 0
    packets: list[Packet] = field(default_factory=list)

    def add(self, packet: Packet) -> None:
        """Count a frame, and keep what there is room for."""
        if packet.is_noise:
            self.noise += 1
            return
        self.count += 1
        self.hits += bool(packet.canary)
        if len(self.packets) < KEPT:
            self.packets.append(packet)


def forms(canary: str) -> Mapping[str, tuple[bytes, ...]]:
    """Return what a canary may look like on the wire, in lower case.

    Of base64 and base32 the part that does not depend on where the canary begins.
    """
    raw = canary.encode()
    found = {
        "plain": (raw,),
        "reversed": (raw[::-1],),
        "hex": (raw.hex().encode(),),
        "base64": tuple(_inner64(raw, shift) for shift in range(3)),
        "base32": tuple(_inner32(raw, shift) for shift in range(5)),
    }
    return {name: tuple(f.lower() for f in every) for name, every in found.items()}


def _inner64(raw: bytes, shift: int) -> bytes:
    whole = (shift + len(raw)) // 3 * 4
    return base64.b64encode(b"x" * shift + raw)[4 * bool(shift) : whole]


def _inner32(raw: bytes, shift: int) -> bytes:
    whole = (shift + len(raw)) // 5 * 8
    return base64.b32encode(b"x" * shift + raw)[8 * bool(shift) : whole]


def describe(frame: bytes, looked_for: Mapping[str, tuple[bytes, ...]]) -> Packet:
    """Say where a frame goes and whether the canary is in it."""
    low = frame.lower()
    canary = tuple(n for n, every in looked_for.items() if any(f in low for f in every))
    kind = int.from_bytes(frame[12:14], "big")
    to, payload, is_talk = f"ethertype {kind:#06x}", b"", kind == _ARP
    if kind == _IPV4 and len(frame) >= 34:
        start = 14 + (frame[14] & 15) * 4
        to, payload = _target(socket.AF_INET, frame[30:34], frame[23], frame[start:])
    elif kind == _IPV6 and len(frame) >= 54:
        protocol, rest = frame[20], frame[54:]
        if protocol == 0 and len(rest) >= 8:  # hop-by-hop options come first
            protocol, rest = rest[0], rest[(rest[1] + 1) * 8 :]
        to, payload = _target(socket.AF_INET6, frame[38:54], protocol, rest)
        is_talk = protocol == _ICMPV6 and bool(rest) and rest[0] in _NEIGHBOURS
    return Packet(
        to=to,
        size=len(frame),
        canary=canary,
        asks_for=_name_in(payload) if to.endswith(":53/udp") else "",
        is_noise=is_talk and not canary,
    )


def _target(
    family: int, address: bytes, protocol: int, rest: bytes
) -> tuple[str, bytes]:
    """Return `address:port/protocol` and what a UDP datagram carries."""
    host = socket.inet_ntop(family, address)
    name = _NAMES.get(protocol, str(protocol))
    if protocol not in {_TCP, _UDP} or len(rest) < 8:
        return f"{host}/{name}", b""
    host = f"[{host}]" if family == socket.AF_INET6 else host
    port = int.from_bytes(rest[2:4], "big")
    return f"{host}:{port}/{name}", rest[8:] if protocol == _UDP else b""


def _name_in(query: bytes) -> str:
    found = re.sub(rb"[^a-zA-Z0-9_-]+", b".", query[12:-4])
    return found.decode().strip(".")[:100]


def dns_answer(query: bytes) -> bytes:
    """Answer any question for one name: A and AAAA with an address, others empty."""
    end = query.index(0, 12) + 5  # after the name's last byte: type and class
    question, kind = query[12:end], query[end - 4 : end - 2]
    known = {
        b"\0\1": socket.inet_aton(SOMEWHERE_V4),
        b"\0\x1c": socket.inet_pton(socket.AF_INET6, SOMEWHERE_V6),
    }
    data = known.get(kind)
    head = query[:2] + struct.pack(">HHHHH", 0x8180, 1, int(data is not None), 0, 0)
    if data is None:
        return head + question
    record = struct.pack(">H2sHIH", 0xC00C, kind, 1, 60, len(data)) + data
    return head + question + record


def received_packets(device: str = "vout") -> int:
    """Return how many frames the kernel counted on the way out."""
    for line in Path("/proc/self/net/dev").read_text().splitlines():
        name, _, numbers = line.partition(":")
        if name.strip() == device:
            return int(numbers.split()[1])
    raise OSError(f"no device {device}")


def _listeners() -> Iterator[socket.socket]:
    for kind, ports in ((socket.SOCK_DGRAM, (53,)), (socket.SOCK_STREAM, (80, 443))):
        for port in ports:
            family = socket.AF_INET6 if HAS_V6 else socket.AF_INET
            listener = socket.socket(family, kind)
            if HAS_V6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            listener.bind(("", port))
            listener.setblocking(False)
            if kind == socket.SOCK_STREAM:
                listener.listen(64)
            yield listener


class Witness:
    """The sockets of the outside, and what they saw."""

    def __init__(self, canary: str) -> None:
        self._looked_for = forms(canary)
        self._sniffer = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        self._sniffer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self._sniffer.bind(("vout", _ETH_P_ALL))
        self._sniffer.setblocking(False)
        self._names, *self._webs = _listeners()
        self._guests: list[socket.socket] = []
        self._counted = received_packets()
        self.seen = Seen()

    def serve(self) -> None:
        """Look and answer until stdin ends."""
        while True:
            sockets = [self._sniffer, self._names, *self._webs, *self._guests]
            ready, _, _ = select.select([0, *sockets], [], [])
            for each in ready:
                if each != 0:
                    self._attend(each)
            if 0 in ready:
                if not os.read(0, 100):
                    return
                self._look()
                self._tell()

    def _attend(self, each: socket.socket) -> None:
        try:
            if each is self._sniffer:
                self._look()
            elif each is self._names:
                query, sender = each.recvfrom(4096)
                each.sendto(dns_answer(query), sender)
            elif each in self._webs:
                self._guests.append(each.accept()[0])
            else:  # somebody said something: that is enough
                self._guests.remove(each)
                each.close()
        except (OSError, ValueError):
            return  # the other side is gone, or asked for nothing

    def _look(self) -> None:
        while True:
            try:
                frame, sender = self._sniffer.recvfrom(1 << 16)
            except BlockingIOError:
                return
            if sender[2] != _OUTGOING:  # our own answers
                self.seen.add(describe(frame, self._looked_for))

    def _tell(self) -> None:
        before, self._counted = self._counted, received_packets()
        told = asdict(self.seen) | {"kernel": self._counted - before}
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()
        self.seen = Seen()


def main() -> None:
    """Say that the namespace is there, wait for the device, then serve."""
    sys.stdout.write("here\n")
    sys.stdout.flush()
    sys.stdin.buffer.raw.readline()  # the rig has made the device
    set_up = SET_UP + SET_UP_V6 * HAS_V6
    command = ["ip", "-batch", "-"]
    subprocess.run(command, input=set_up, text=True, check=True)
    witness = Witness(sys.argv[1])
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    witness.serve()


if __name__ == "__main__":
    main()
