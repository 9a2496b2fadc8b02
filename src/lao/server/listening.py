# SPDX-License-Identifier: Apache-2.0
"""The listener, made before the lock: loopback or a unix socket, this user's alone."""

import asyncio
import errno
import os
import socket
import stat
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from msgspec import Struct

from lao.errors import UsageError

_LOOPBACK: Final = "127.0.0.1"
_BACKLOG: Final = 64
_HTTP: Final = 80  # the port that browsers leave out
_LONGEST: Final = 107  # bytes: what the kernel's `sockaddr_un` holds
_CREDENTIALS: Final = struct.Struct("iII")  # pid, uid, gid


class Listener(Struct, frozen=True, kw_only=True):
    """Where the server listens. `host` is what a browser calls it; None behind a socket."""

    socket: socket.socket
    host: str | None

    @property
    def url(self) -> str:
        """The address of the page; of a socket's, with the port of a tunnel left open."""
        return f"http://{self.host or f'{_LOOPBACK}:PORT'}/"


@contextmanager
def listen(*, port: int = 0, path: Path | None = None) -> Iterator[Listener]:
    """Listen on a port of 127.0.0.1 (0: any), or on a unix socket, which goes at the end.

    Never on another address: a listener on 0.0.0.0 is open to the whole network.

    Raises:
        UsageError: it is taken, or may not be used (`ui.cannot-listen`).
    """
    if path is not None:
        with _on_socket(path) as listener:
            yield listener
        return
    # With the protocol said, asyncio knows it for TCP and sets TCP_NODELAY: without that
    # an answer, written in two pieces, takes 40 ms on a connection that is kept.
    with socket.socket(proto=socket.IPPROTO_TCP) as listener:
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((_LOOPBACK, port))
            listener.listen(_BACKLOG)
        except OSError as problem:
            raise _cannot_listen(f"port {port}", problem) from problem
        listener.setblocking(False)
        found = listener.getsockname()[1]
        host = _LOOPBACK if found == _HTTP else f"{_LOOPBACK}:{found}"
        yield Listener(socket=listener, host=host)


@contextmanager
def _on_socket(path: Path) -> Iterator[Listener]:
    path = Path(os.path.abspath(path))  # noqa: PTH100  (keeps symlinks)
    _require_private(path)
    with socket.socket(socket.AF_UNIX) as listener:
        _make_way(path)
        before = os.umask(0o177)
        try:
            listener.bind(str(path))
            listener.listen(_BACKLOG)
        except OSError as problem:
            raise _cannot_listen(f"{str(path)!r}", problem) from problem
        finally:
            os.umask(before)
        listener.setblocking(False)
        made = path.lstat().st_ino
        try:
            yield Listener(socket=listener, host=None)
        finally:
            with suppress(OSError):
                if path.lstat().st_ino == made:
                    path.unlink()


def _require_private(path: Path) -> None:
    """Refuse a folder that others can enter: they could connect, or put their own there."""
    if len(os.fsencode(path)) > _LONGEST:
        raise UsageError(
            "ui.cannot-listen",
            f"the path {str(path)!r} is too long for a socket",
            mend=f"choose one of at most {_LONGEST} bytes",
        )
    try:
        found = path.parent.stat()
    except OSError as problem:
        raise _cannot_listen(f"{str(path)!r}", problem) from problem
    is_own = found.st_uid == os.getuid()
    if not (stat.S_ISDIR(found.st_mode) and is_own) or found.st_mode & 0o077:
        raise UsageError(
            "ui.socket-not-private",
            f"others can enter the folder {str(path.parent)!r}",
            mend="use a folder of your own, with rights 0700 (`chmod 700`)",
        )


def _make_way(path: Path) -> None:
    """Remove the socket that a server left which was killed; nothing that lives."""
    with suppress(OSError):
        if not stat.S_ISSOCK(path.lstat().st_mode):
            return
        with socket.socket(socket.AF_UNIX) as caller:
            try:
                caller.connect(str(path))
            except ConnectionRefusedError:
                path.unlink()


def is_of_this_user(transport: asyncio.Transport) -> bool:
    """Whether a connection through a unix socket is this user's; others have no user."""
    found = transport.get_extra_info("socket")
    if found is None or found.family != socket.AF_UNIX:
        return True
    told = found.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    uid: int = _CREDENTIALS.unpack(told)[1]
    return uid == os.getuid()


def _cannot_listen(where: str, problem: OSError) -> UsageError:
    is_taken = problem.errno == errno.EADDRINUSE
    why = "another program has it" if is_taken else problem.strerror or str(problem)
    return UsageError(
        "ui.cannot-listen",
        f"cannot listen on {where}: {why}",
        mend="choose another one, or leave --port out and any free port is taken",
    )
