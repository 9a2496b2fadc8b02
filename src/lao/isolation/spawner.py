# SPDX-License-Identifier: Apache-2.0
"""The spawner: starts worker processes for an orchestrator that cannot any more.

It is forked before the orchestrator is locked, has a lock of its own, and takes orders,
never an argument list: programs are an index into a table frozen at its start. One
thread; its end ends every worker. State: the processes that it started.
"""

import errno
import gc
import os
import select
import signal
import socket
import stat
import struct
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from lao.errors import LaoError
from lao.isolation import kernel
from lao.isolation.forking import fork_apart
from lao.isolation.landlock import network_ruleset
from lao.isolation.launching import kill_group, reap, start
from lao.isolation.levels import Machine, makes_namespaces
from lao.isolation.orders import LONGEST, OrderError, decode_order
from lao.isolation.seccomp import spawner_filter
from lao.isolation.self_lock import SelfLock, lock_self, told
from lao.isolation.spawner_client import (
    ENDED,
    HEAD,
    KILL,
    PIPES,
    REFUSED,
    SEALED,
    START,
    STARTED,
    UNSEALED,
    SpawnerClient,
)

if TYPE_CHECKING:
    import subprocess

_MOST_PROCESSES: Final = 256
_ROOM: Final = 8 * LONGEST  # what the socket holds unread


def fork_spawner(machine: Machine, programs: Sequence[str]) -> SpawnerClient:
    """Fork a spawner that may also start `programs`; call this from the only thread."""
    table = tuple(dict.fromkeys(map(os.path.abspath, programs)))
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for end in (ours, theirs):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _ROOM)
    with theirs:
        live = partial(_live, theirs, machine, table)
        pid = fork_apart(live, keep=theirs.fileno())
    return SpawnerClient(ours, machine, table, pid=pid)


def _live(control: socket.socket, machine: Machine, programs: Sequence[str]) -> None:
    os.chdir("/")
    try:
        control.send(told(lock_self(_lock(machine))))
    except LaoError as failure:
        control.send(told(failure))
        return
    gc.freeze()  # what the parent left is not ours to collect
    gc.enable()
    if machine.bwrap is not None and not makes_namespaces(machine.bwrap):
        machine = replace(machine, bwrap=None)  # it did, but not under this lock
    control.send(SEALED if machine.bwrap else UNSEALED)
    _Spawner(control, machine, programs).serve()


def _lock(machine: Machine) -> SelfLock:
    """Return a lock without Landlock: under it bubblewrap could mount nothing."""
    arch = machine.arch
    has_filter = arch is not None and machine.seccomp
    internet = (socket.AF_INET, socket.AF_INET6)
    starts_bwrap_as_root = machine.bwrap is not None and os.geteuid() == 0
    return SelfLock(
        process="spawner",
        ruleset=network_ruleset(abi=0, scope=False),
        filter=spawner_filter(arch=arch) if arch is not None and has_filter else None,
        refused_by_filter=tuple(partial(socket.socket, each) for each in internet),
        keeps=(kernel.CAP_SETFCAP,) if starts_bwrap_as_root else (),
    )


class _Spawner:
    """Serves one orchestrator, until it closes its end."""

    def __init__(
        self, control: socket.socket, machine: Machine, programs: Sequence[str]
    ) -> None:
        self._control = control
        self._machine = machine
        self._programs = programs
        self._processes: dict[int, subprocess.Popen[bytes]] = {}

    def serve(self) -> None:
        """Start, kill and bury processes."""
        woken, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.signal(signal.SIGCHLD, _note)
        signal.set_wakeup_fd(wake)
        waiting = select.poll()
        waiting.register(self._control, select.POLLIN)
        waiting.register(woken, select.POLLIN)
        goes_on = True
        while goes_on:
            ready = {descriptor for descriptor, _ in waiting.poll()}
            if woken in ready:
                os.read(woken, 4096)
                self._bury()
            if self._control.fileno() in ready:
                goes_on = self._take()
        for process in self._processes.values():
            kill_group(process.pid)

    def _take(self) -> bool:
        """Do what one message asks; whether there was one."""
        size = HEAD.size + LONGEST
        flags = socket.MSG_CMSG_CLOEXEC
        try:
            data, given, _, _ = socket.recv_fds(self._control, size, PIPES, flags)
        except ConnectionResetError:
            return False
        try:
            if len(data) >= HEAD.size:
                self._obey(data, given)
        finally:
            for descriptor in given:
                os.close(descriptor)
        return bool(data)

    def _obey(self, data: bytes, given: Sequence[int]) -> None:
        what, handle = HEAD.unpack_from(data)
        process = self._processes.get(handle)
        if what == KILL and process is not None:
            kill_group(process.pid)
        if what == START and len(self._processes) >= _MOST_PROCESSES:
            self._answer(REFUSED, handle, errno.EAGAIN, "too many processes")
        elif what == START and process is None:
            self._start(handle, data[HEAD.size :], given)

    def _start(self, handle: int, data: bytes, given: Sequence[int]) -> None:
        try:
            requests, replies, output = _pipes(given)
            order = decode_order(data, self._programs)
            _require_no_links(order.scratch, order.inbox)
            process = start(order, self._machine, (requests, replies, output))
        except OrderError as error:
            self._answer(REFUSED, handle, errno.EINVAL, str(error))
        except OSError as error:
            self._answer(REFUSED, handle, error.errno or errno.EIO, str(error))
        else:
            self._processes[handle] = process
            self._answer(STARTED, handle, process.pid)

    def _bury(self) -> None:
        """Tell of every process that has ended."""
        is_sealed = self._machine.bwrap is not None
        for handle, process in tuple(self._processes.items()):
            if _has_ended(process.pid):
                code = reap(process, is_sealed=is_sealed)
                del self._processes[handle]
                self._answer(ENDED, handle, code)

    def _answer(self, what: int, handle: int, number: int, words: str = "") -> None:
        said = words.encode(errors="replace")[:1000]
        self._control.send(HEAD.pack(what, handle) + struct.pack("<i", number) + said)


def _note(_number: int, _frame: object) -> None:
    """Let a signal write to the wakeup descriptor, which needs a handler to be set."""


def _has_ended(pid: int) -> bool:
    """Whether a child is over, and waits to be collected."""
    flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
    return os.waitid(os.P_PID, pid, flags) is not None


def _require_no_links(*folders: str) -> None:
    """Refuse folders that are other ones: what is below them can be written."""
    for folder in folders:
        if os.path.realpath(folder) != folder:
            raise OrderError("its folders lead elsewhere")


def _pipes(given: Sequence[int]) -> tuple[int, int, int]:
    """Return the three pipes of a worker; it is to inherit nothing else."""
    if not all(stat.S_ISFIFO(os.fstat(each).st_mode) for each in given):
        raise OrderError("what it is to inherit is not a pipe")
    if len(given) != PIPES:
        raise OrderError(f"it needs {PIPES} pipes")
    requests, replies, output = given
    return requests, replies, output
