# SPDX-License-Identifier: Apache-2.0
"""Starts worker processes: one function for it, whoever the parent is.

A worker runs `boot.py`, which locks it before anything else. Where bubblewrap works it
is put in between, and the worker lives in namespaces of its own.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Final, Protocol

from lao.errors import RefusedByPolicy
from lao.isolation.bubblewrap import bwrap_arguments
from lao.isolation.executables import executables_of, libraries_of
from lao.isolation.landlock import Access
from lao.isolation.levels import Machine, probe, required_layers
from lao.isolation.limits import rlimits
from lao.isolation.lock import gpu_access, import_path, interpreter_paths, lock_config
from lao.isolation.orders import Order

_BOOT: Final = Path(__file__).with_name("boot.py")
_SHELL_SIGNALS: Final = range(129, 129 + 64)  # how bubblewrap tells of a signal

Pipes = tuple[int, int, int]
"""The worker's ends of its pipes: requests, replies, and what it prints."""


class Launched(Protocol):
    """A process that was started: the one that works, whatever stands in between."""

    @property
    def pid(self) -> int:
        """Its id, as seen from here."""
        ...

    @property
    def returncode(self) -> int | None:
        """How it ended: an exit code, or a signal as a negative number."""
        ...

    async def wait(self) -> int:
        """Wait for its end."""
        ...

    def kill(self) -> None:
        """End it and all that it started. Safe at any time."""
        ...


class Launcher(Protocol):
    """Starts worker processes on this machine."""

    @property
    def machine(self) -> Machine:
        """What the kernel can enforce here."""
        ...

    async def launch(self, order: Order, pipes: Pipes) -> Launched:
        """Start a process; the caller closes its own copies of `pipes`.

        Raises:
            RefusedByPolicy: `isolation.none`: nothing can be enforced here.
            OSError: the system refuses.
        """
        ...


def start(order: Order, machine: Machine, pipes: Pipes) -> "subprocess.Popen[bytes]":
    """Start the process of an order as a child of this one.

    Call it from a thread that lives as long as LAO: its death signal comes when the
    *thread* that started it ends.
    """
    requests, replies, output = pipes
    with ExitStack() as given:
        config = _hidden_file(given, _boot_config(order, machine))
        passed = [config, requests, replies]
        command = _command(*passed)
        if machine.bwrap is not None:
            passed.append(_hidden_file(given, _bwrap_arguments(order)))
            command = (machine.bwrap, "--args", str(passed[-1]), "--", *command)
        return subprocess.Popen(  # noqa: S603  (a list, never a shell)
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=_environment(order.scratch),
            cwd=order.scratch,
            pass_fds=passed,
            start_new_session=True,
        )


def refuse_none(machine: Machine, *, accept_none: bool) -> None:
    """Refuse to start a worker that nothing would lock.

    Raises:
        RefusedByPolicy: `isolation.none`.
    """
    if machine.level == "L0" and not accept_none:
        raise RefusedByPolicy(
            "isolation.none",
            "this system cannot lock the processes that models run in: nothing would "
            "keep a model from the network and from your files",
            mend="use Linux 5.13 or newer, or accept it with --accept-no-isolation",
        )


class ChildLauncher:
    """Starts workers as children of this process; a `Launcher`.

    State: what the machine can do, asked at the first launch if it is not given.
    """

    def __init__(
        self, machine: Machine | None = None, *, accept_none: bool = False
    ) -> None:
        self._machine = machine
        self._accept_none = accept_none

    @property
    def machine(self) -> Machine:
        """What the kernel can enforce here."""
        if self._machine is None:
            self._machine = probe()
        return self._machine

    async def launch(self, order: Order, pipes: Pipes) -> Launched:
        """Start a process."""
        if self._machine is None:
            self._machine = await asyncio.to_thread(probe)
        machine = self._machine
        refuse_none(machine, accept_none=self._accept_none)
        process = start(order, machine, pipes)
        return _Child(process, is_sealed=machine.bwrap is not None)


class _Child:
    """A `Launched` whose parent is this process.

    Its group is killed before it is reaped: until then the kernel gives the number
    of the group to nobody else.
    """

    def __init__(self, process: "subprocess.Popen[bytes]", *, is_sealed: bool) -> None:
        self._process = process
        self._is_sealed = is_sealed
        self._pid: int | None = None if is_sealed else process.pid
        self._loop = asyncio.get_running_loop()
        self._end: asyncio.Future[int] = self._loop.create_future()
        self._watch()

    @property
    def pid(self) -> int:
        """The worker's id; that of bubblewrap until there is a worker."""
        if self._pid is None:
            self._pid = sealed_pid(self._process.pid)
        return self._pid or self._process.pid

    @property
    def returncode(self) -> int | None:
        """How it ended, once it has."""
        return self._end.result() if self._end.done() else None

    async def wait(self) -> int:
        """Wait for its end."""
        return await asyncio.shield(self._end)

    def kill(self) -> None:
        """End it and all that it started."""
        if not self._end.done():
            kill_group(self._process.pid)

    def _watch(self) -> None:
        try:
            descriptor = os.pidfd_open(self._process.pid)
        except (AttributeError, OSError):  # not Linux; a container's filter
            waiting = self._loop.run_in_executor(None, self._process.wait)
            waiting.add_done_callback(lambda _: self._reap())
            return
        self._loop.add_reader(descriptor, self._hear, descriptor)

    def _hear(self, descriptor: int) -> None:
        self._loop.remove_reader(descriptor)
        os.close(descriptor)
        self._reap()

    def _reap(self) -> None:
        self._end.set_result(reap(self._process, is_sealed=self._is_sealed))


def kill_group(leader: int) -> None:
    """End every process of a group whose leader has not been reaped."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def reap(process: "subprocess.Popen[bytes]", *, is_sealed: bool) -> int:
    """Collect a process that has ended, with what is left of its group."""
    if process.returncode is None:
        kill_group(process.pid)
    code = process.wait()
    return 128 - code if is_sealed and code in _SHELL_SIGNALS else code


def sealed_pid(bwrap: int) -> int | None:
    """Return the process that bubblewrap has started, if it has.

    Its only child is the first process of the namespace, whose first child it is.
    """
    first = _first_child(bwrap)
    return None if first is None else _first_child(first)


def _first_child(pid: int) -> int | None:
    try:
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
    except OSError:
        return None
    return int(found[0]) if found else None


def access_of(order: Order) -> Access:
    """Return every path that the process of an order may use, and how."""
    program = order.program
    libraries = () if program is None else libraries_of(program)
    return Access(
        readable=(*interpreter_paths(), order.inbox, *order.readable, *libraries),
        writable=(order.scratch,),
        executable=() if program is None else executables_of(program),
    )


def _boot_config(order: Order, machine: Machine) -> bytes:
    """Return what boot is to lock, and the module to run; a length goes first."""
    is_sealed = machine.bwrap is not None
    text = json.dumps(
        {
            "parent": 1 if is_sealed else os.getpid(),
            "rlimits": rlimits(order.limits, counts_own_threads=is_sealed),
            "lock": lock_config(
                machine, profile=order.profile, access=access_of(order), gpu=order.gpu
            ),
            "required": required_layers(machine.level),
            "sys_path": import_path(),
            "run": order.run,
        }
    ).encode()
    return len(text).to_bytes(4, "big") + text


def _bwrap_arguments(order: Order) -> bytes:
    """Return bubblewrap's own arguments, each ended by a NUL."""
    access = access_of(order)
    devices = gpu_access() if order.gpu else Access()
    seen = (
        *(sys.executable, *_environment_file(), str(_BOOT)),
        *(*access.readable, *access.executable),
        *(*devices.readable, *devices.devices),
    )
    arguments = bwrap_arguments(seen, scratch=order.scratch, inbox=order.inbox)
    return b"".join(os.fsencode(each) + b"\0" for each in arguments)


def _environment_file() -> Sequence[str]:
    """Return the file by which an interpreter in a virtual environment finds its own."""
    return (
        (str(Path(sys.prefix, "pyvenv.cfg")),) if sys.prefix != sys.base_prefix else ()
    )


def _command(config: int, requests: int, replies: int) -> tuple[str, ...]:
    """Return the argument list of a worker; it reveals nothing about its work.

    `-I -S`: no variable, user folder or `.pth` file decides what is imported.
    """
    descriptors = map(str, (config, requests, replies))
    return (sys.executable, "-I", "-S", "-B", str(_BOOT), *descriptors)


def _environment(scratch: str) -> Mapping[str, str]:
    """Return the whole environment of a worker: an allow-list, nothing inherited."""
    threads = str(_usable_processors())
    return {
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "HOME": scratch,
        "TMPDIR": scratch,
        "OMP_NUM_THREADS": threads,
        "OPENBLAS_NUM_THREADS": threads,
        "DO_NOT_TRACK": "1",
        "HF_HUB_OFFLINE": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "ORT_DISABLE_TELEMETRY": "1",
    }


def _usable_processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _hidden_file(stack: ExitStack, content: bytes) -> int:
    """Return a file without a name, at its start: for a child to read, whole, at once.

    A pipe would fill up before the child is there to read it.
    """
    file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115  (the stack closes it)
    stack.callback(file.close)
    file.write(content)
    file.seek(0)
    return file.fileno()
