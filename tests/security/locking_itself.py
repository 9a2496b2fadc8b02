# SPDX-License-Identifier: Apache-2.0
"""A process that tries what a lock must refuse, locks itself, and tries it again.

    python -m tests.security.locking_itself BAIT [WITHOUT]

BAIT is a unix socket where somebody listens. WITHOUT is what to do without:
"landlock", "root", or "x32", a second table of system calls, which it then tries. Prints
JSON: what was tried `before` and `after`, what still `works`, and the `proofs`. The lock cannot be undone, so it is never the test's own process.
"""

import asyncio
import concurrent.futures.thread  # noqa: F401  (later it may be out of reach)
import ctypes
import encodings.idna  # noqa: F401  (the same)
import errno
import json
import os
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass

from rich.console import Console
from rich.progress import track

from lao.isolation import kernel
from lao.isolation.broker import fork_broker
from lao.isolation.broker_client import BrokerClient
from lao.isolation.orchestrator import lock_this_process
from lao.isolation.seccomp import deny_filter
from lao.policy import LoopbackEndpoint

FAST_OPEN = 0x20000000
AF_UNSPEC = bytes(16)
DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Had:
    """What the process had before the lock."""

    bait: str
    listener: socket.socket
    stream: socket.socket
    unconnected: socket.socket
    unbound: socket.socket
    passed: socket.socket

    @property
    def near(self) -> tuple[str, int]:
        """A loopback address where somebody listens."""
        host, port = self.listener.getsockname()
        return host, port


def libc(name: str, *arguments: object) -> int:
    """Call libc without Python's modules in between."""
    result: int = getattr(ctypes.CDLL(None, use_errno=True), name)(*arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), name)
    return result


def ran_a_child(pid: int) -> None:
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)


def tcp(had: Had) -> None:
    socket.create_connection(had.near, 1).close()


def tcp_v6(had: Had) -> None:
    with socket.socket(socket.AF_INET6) as opened:
        opened.bind(("::1", 0))


def udp(had: Had) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        out.sendto(b"x", had.near)


def udp_v6(had: Had) -> None:
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as out:
        out.sendto(b"x", ("::1", 9))


def unix(had: Had) -> None:
    with socket.socket(socket.AF_UNIX) as out:
        out.connect(had.bait)


def abstract(had: Had) -> None:
    with socket.socket(socket.AF_UNIX) as out:
        out.bind(f"\0lao-test-{os.getpid()}")


def netlink(had: Had) -> None:
    socket.socket(socket.AF_NETLINK, socket.SOCK_RAW).close()


def packet(had: Had) -> None:
    socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close()


def datagram_pair(had: Had) -> None:
    for each in socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM):
        each.close()


def fast_open(had: Had) -> None:
    had.stream.sendto(b"x", FAST_OPEN, had.near)


def connect_what_was_there(had: Had) -> None:
    had.unconnected.connect(had.near)


def bind_what_was_there(had: Had) -> None:
    had.unbound.bind(("127.0.0.1", 0))


def disconnect_what_was_passed(had: Had) -> None:
    libc("connect", had.passed.fileno(), AF_UNSPEC, 16)


def socket_by_libc(had: Had) -> None:
    os.close(libc("socket", 2, 1, 0))


def socket_by_number(had: Had) -> None:
    os.close(
        libc("syscall", {"x86_64": 41, "aarch64": 198}[os.uname().machine], 2, 1, 0)
    )


def ring(had: Had) -> None:
    os.close(libc("syscall", 425, 4, ctypes.create_string_buffer(120)))


def from_a_thread(had: Had) -> None:
    failed: list[OSError] = []

    def attempt() -> None:
        try:
            tcp(had)
        except OSError as error:
            failed.append(error)

    thread = threading.Thread(target=attempt)
    thread.start()
    thread.join()
    for each in failed:
        raise each


def program(had: Had) -> None:
    subprocess.run(["/bin/true"], check=True)


def forked(had: Had) -> None:
    ran_a_child(os.fork())


def spawned(had: Had) -> None:
    ran_a_child(os.posix_spawn("/bin/true", ["true"], {}))


def x32(had: Had) -> None:
    libc("syscall", 0x40000000 + 41, 2, 1, 0)


ATTEMPTS: tuple[Callable[[Had], None], ...] = (
    *(tcp, tcp_v6, udp, udp_v6, unix, abstract, netlink, packet, datagram_pair),
    *(fast_open, connect_what_was_there, bind_what_was_there),
    *(disconnect_what_was_passed, socket_by_libc, socket_by_number, ring),
    *(from_a_thread, program, forked, spawned),
)


def try_all(had: Had) -> dict[str, str]:
    return {attempt.__name__: outcome(attempt, had) for attempt in ATTEMPTS}


def outcome(attempt: Callable[[Had], None], had: Had) -> str:
    try:
        attempt(had)
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, repr(error))
    return DONE


async def talk(listener: socket.socket, broker: BrokerClient) -> str:
    """Serve with a listener from before the lock; ask it over what the broker passes."""

    async def answer(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writer.write((await reader.readline()).upper())
        writer.close()

    async with await asyncio.start_server(answer, sock=listener):
        passed = await broker.connect(endpoint_of(listener))
        reader, writer = await asyncio.open_connection(sock=passed)
        writer.write(b"hello\n")
        answered = await reader.readline()
        writer.close()
    return answered.decode().strip()


def what_works(listener: socket.socket, broker: BrokerClient) -> dict[str, object]:
    ours, theirs = os.openpty()
    with os.fdopen(theirs, "w") as file, sqlite3.connect(":memory:") as database:
        console = Console(file=file)
        for _ in track(range(2), console=console):
            pass
        counted = database.execute("select 1 + 1").fetchone()[0]
        is_terminal = console.is_terminal
    return {
        "answered": asyncio.run(talk(listener, broker)),
        "thread": asyncio.run(asyncio.to_thread(lambda: threading.active_count() > 1)),
        "sqlite": counted,
        "terminal": is_terminal and bool(os.read(ours, 4096)),
        "name": resolved("nowhere.example"),
        "files": bool(os.listdir("/")),  # noqa: PTH208
    }


def resolved(name: str) -> str:
    try:
        socket.getaddrinfo(name, 80)
    except socket.gaierror:
        return "gaierror"
    return "resolved"


def endpoint_of(listener: socket.socket) -> LoopbackEndpoint:
    return LoopbackEndpoint(f"http://127.0.0.1:{listener.getsockname()[1]}")


def be_without_landlock() -> None:
    arch = kernel.architecture()
    assert arch is not None
    kernel.gain_no_privileges()
    kernel.install(deny_filter(["landlock_create_ruleset"], arch=arch))


def be_an_ordinary_user() -> None:
    """Become one here: it could not start an interpreter in root's home."""
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
    kernel.prctl(4, 1)  # PR_SET_DUMPABLE, as a new process is


def main(bait: str, without: str = "") -> None:
    listener, later = (socket.create_server(("127.0.0.1", 0)) for _ in "12")
    if without == "landlock":
        be_without_landlock()
    if without == "root":
        be_an_ordinary_user()
    broker = fork_broker(list(map(endpoint_of, (listener, later))))

    def had() -> Had:
        return Had(
            bait=bait,
            listener=listener,
            stream=socket.socket(),
            unconnected=socket.socket(),
            unbound=socket.socket(),
            passed=asyncio.run(broker.connect(endpoint_of(listener))),
        )

    proofs = {"broker": broker.confirm()}
    first, second = had(), had()
    found: dict[str, object] = {"before": try_all(first)}
    proofs["orchestrator"] = lock_this_process()
    found |= {"after": try_all(second), "works": what_works(later, broker)}
    if without == "x32":
        x32(second)
    broker.close()
    found["proofs"] = {who: [p.level, dict(p.layers)] for who, p in proofs.items()}
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
