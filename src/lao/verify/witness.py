# SPDX-License-Identifier: Apache-2.0
"""An unlocked process of the user, for attempts to reach, read, signal and change.

    python -I -S -B witness.py FOLDER CANARY

It listens on loopback and on unix sockets in FOLDER, answers whoever reaches it with
the canary, holds the canary in its memory, environment, arguments and an open file, and
lets anybody debug it. Its first line says where all of this is; for each line on its
standard input it says, in a line, what has happened to it since. It ends with its input.
"""

import contextlib
import ctypes
import json
import os
import selectors
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

_SIGNAL = 35
_PR_SET_PDEATHSIG = 1
_PR_SET_PTRACER = 0x59616D61
_ANYBODY = -1
_IPPROTO_UDPLITE = 136
_PATIENCE = 0.2
_LOOPBACK, _LOOPBACK6 = "127.0.0.1", "::1"

Listener = tuple[str, socket.socket]


def _listeners(folder: str, abstract: str) -> Iterator[Listener]:
    """Yield every listener that this machine can have, by name."""
    stream, datagram = socket.SOCK_STREAM, socket.SOCK_DGRAM
    wanted = (
        ("tcp4", socket.AF_INET, stream, 0, (_LOOPBACK, 0)),
        ("tcp6", socket.AF_INET6, stream, 0, (_LOOPBACK6, 0)),
        ("udp4", socket.AF_INET, datagram, 0, (_LOOPBACK, 0)),
        ("udp6", socket.AF_INET6, datagram, 0, (_LOOPBACK6, 0)),
        ("udplite", socket.AF_INET, datagram, _IPPROTO_UDPLITE, (_LOOPBACK, 0)),
        ("stream", socket.AF_UNIX, stream, 0, f"{folder}/stream"),
        ("datagram", socket.AF_UNIX, datagram, 0, f"{folder}/datagram"),
        ("abstract", socket.AF_UNIX, stream, 0, f"\0{abstract}"),
    )
    for name, family, kind, protocol, address in wanted:
        with contextlib.suppress(OSError):
            made = socket.socket(family, kind, protocol)
            made.bind(address)
            if kind == stream:
                made.listen(64)
            yield name, made


class Witness:
    """The listeners, and what came to them. State: what was seen since the last line."""

    def __init__(self, listeners: list[Listener], canary: bytes) -> None:
        self._canary = canary
        self._seen: list[str] = []
        self._signals = 0
        self._selector = selectors.DefaultSelector()
        for _, listener in listeners:
            listener.setblocking(False)
            self._selector.register(listener, selectors.EVENT_READ)
        self._selector.register(0, selectors.EVENT_READ)

    def count_signal(self, *_: object) -> None:
        """Take a signal."""
        self._signals += 1

    def serve(self) -> None:
        """Answer whoever comes, until the end of the input."""
        while True:
            asked = False
            for key, _ in self._selector.select():
                if isinstance(key.fileobj, socket.socket):
                    self._hear(key.fileobj)
                else:
                    asked = True
            if asked and not self._answer():
                return

    def _answer(self) -> bool:
        if not os.read(0, 4096):
            return False
        while waiting := [key.fileobj for key, _ in self._selector.select(0)]:
            for each in waiting:
                if isinstance(each, socket.socket):
                    self._hear(each)
        found = {
            "seen": self._seen,
            "signals": self._signals,
            "priority": os.getpriority(os.PRIO_PROCESS, 0),
            "policy": os.sched_getscheduler(0),
        }
        self._seen, self._signals = [], 0
        sys.stdout.write(json.dumps(found) + "\n")
        sys.stdout.flush()
        return True

    def _hear(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            if listener.type == socket.SOCK_DGRAM:
                said, sender = listener.recvfrom(4096)
                self._note(said)
                if sender:
                    listener.sendto(self._canary, sender)
                return
            link, _ = listener.accept()
            with link:
                link.settimeout(_PATIENCE)
                self._note(_said(link))
                link.sendall(self._canary)

    def _note(self, said: bytes) -> None:
        """Note which attempt it was; whoever says nothing is noted too."""
        word, _, rest = said.decode(errors="replace").partition(" ")
        known = word == "lao-verify"
        self._seen.append(rest.strip() if known else "somebody")


def _said(link: socket.socket) -> bytes:
    try:
        return link.recv(4096)
    except OSError:
        return b""


def main() -> None:
    """Listen, say where, serve."""
    folder, canary = sys.argv[1:3]
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(_PR_SET_PTRACER, ctypes.c_ulong(_ANYBODY), 0, 0, 0)
    abstract = f"lao-verify-{os.getpid()}-{canary[:8]}"
    listeners = list(_listeners(folder, abstract))
    witness = Witness(listeners, canary.encode())
    signal.signal(_SIGNAL, witness.count_signal)
    secret = ctypes.create_string_buffer(canary.encode())
    with Path(folder, "secret").open("rb") as file:
        ports = {
            name: listener.getsockname()[1]
            for name, listener in listeners
            if listener.family != socket.AF_UNIX
        }
        found = {
            **dict.fromkeys(("tcp4", "tcp6", "udp4", "udp6", "udplite"), 0),
            **ports,
            "abstract": abstract,
            "witness": os.getpid(),
            "secret_fd": file.fileno(),
            "secret_address": ctypes.addressof(secret),
        }
        sys.stdout.write(json.dumps(found) + "\n")
        sys.stdout.flush()
        witness.serve()


if __name__ == "__main__":
    main()
