# SPDX-License-Identifier: Apache-2.0
"""Has the spawner start processes, and hears how they end.

State: the processes that were asked for, by the number that both sides know them by.
"""

import asyncio
import contextlib
import itertools
import json
import os
import signal
import socket
import struct
from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from lao.errors import ModelUnavailable, RefusedByPolicy
from lao.isolation.launching import Launched, Pipes, refuse_none, sealed_pid
from lao.isolation.levels import Machine
from lao.isolation.orders import Order, OrderError, encode_order
from lao.isolation.self_lock import read_proof
from lao.policy import Proof

# A message is one of these, the number of the process, and what belongs to it: an
# order, with the three pipes of a worker; or a number (of the process, of an error, of
# the exit), with words after it.
HEAD: Final = struct.Struct("<BI")
START: Final = 1
KILL: Final = 2
STARTED: Final = 3
REFUSED: Final = 4
ENDED: Final = 5
PIPES: Final = 3
# The second of its messages: whether bubblewrap works under the spawner's lock.
SEALED: Final = b"sealed"
UNSEALED: Final = b"not sealed"

_NUMBER: Final = struct.Struct("<i")
_LONGEST_ANSWER: Final = 4096
_START_SECONDS: Final = 10.0
_SEND_SECONDS: Final = 5.0
_END_SECONDS: Final = 2.0


class SpawnerClient:
    """The orchestrator's end; a `Launcher`. Used from one event loop at a time.

    `machine` is what was found before; after `confirm` also what the spawner found.
    """

    def __init__(
        self,
        control: socket.socket,
        machine: Machine,
        programs: Sequence[str],
        *,
        pid: int,
    ) -> None:
        self.pid: Final = pid
        self.machine = machine
        self._control = control
        self._programs = programs
        self._numbers = itertools.count(1)
        self._processes: dict[int, _Spawned] = {}
        self._proof: Proof | None = None
        self._is_gone = False

    def confirm(self) -> Proof:
        """Wait until the spawner is locked; return what it proved of itself. Blocks.

        Raises:
            RefusedByPolicy: it is not locked (`isolation.lock-failed`), and will start
                nothing.
        """
        if self._proof is not None:
            return self._proof
        self._control.settimeout(_START_SECONDS)
        try:
            words = self._control.recv(_LONGEST_ANSWER)
            proof = read_proof("spawner", words)
            if self._control.recv(_LONGEST_ANSWER) != SEALED:
                self.machine = replace(self.machine, bwrap=None)
        except OSError as problem:  # TimeoutError is one of them
            words = json.dumps({"failed": str(problem)}).encode()
            proof = read_proof("spawner", words)
        self._control.settimeout(_SEND_SECONDS)
        self._proof = proof
        return proof

    async def launch(self, order: Order, pipes: Pipes) -> Launched:
        """Have a process started.

        Raises:
            RefusedByPolicy: `isolation.none`, `policy.program-not-in-plan`, or as
                `confirm`.
            ModelUnavailable: `isolation.spawner-gone`.
            OSError: the system refuses.
        """
        refuse_none(self.machine, accept_none=False)
        data = self._encoded(order)
        if self._is_gone:
            raise _gone()
        self.confirm()
        # Every time, because this may be another loop than the last one.
        asyncio.get_running_loop().add_reader(self._control, self._hear)
        number = next(self._numbers)
        process = _Spawned(self, number, is_sealed=self.machine.bwrap is not None)
        self._processes[number] = process
        self.send(HEAD.pack(START, number) + data, pipes)
        try:
            await asyncio.shield(process.started)
        except asyncio.CancelledError:
            process.abandon()
            raise
        return process

    def send(self, data: bytes, descriptors: Sequence[int] = ()) -> None:
        """Send one message; if nobody takes it, the spawner is gone."""
        try:
            socket.send_fds(self._control, [data], descriptors)
        except OSError:
            self._give_up()

    def close(self) -> None:
        """Have the spawner end, with every process that it started. Safe to call twice."""
        if self._control.fileno() < 0:
            return
        self._is_gone = True
        self._control.settimeout(_END_SECONDS)
        with self._control, contextlib.suppress(OSError):
            self._control.shutdown(socket.SHUT_WR)
            while self._control.recv(_LONGEST_ANSWER):
                pass
            os.waitpid(self.pid, 0)

    def _encoded(self, order: Order) -> bytes:
        if order.program is not None and order.program not in self._programs:
            raise RefusedByPolicy(
                "policy.program-not-in-plan",
                f"{order.program!r} is none of the programs that this run may start",
                mend="they are fixed at the start, from the workflow and the settings",
            )
        try:
            return encode_order(order, self._programs)
        except OrderError as error:
            raise OSError(str(error)) from error

    def _hear(self) -> None:
        """Take one message of the spawner."""
        try:
            data = self._control.recv(_LONGEST_ANSWER)
        except OSError:
            data = b""
        if len(data) < HEAD.size + _NUMBER.size:
            self._give_up()
            return
        what, number = HEAD.unpack_from(data)
        (value,) = _NUMBER.unpack_from(data, HEAD.size)
        process = self._processes.get(number)
        if process is None:
            return
        if what == STARTED:
            process.begin(value)
            return
        del self._processes[number]
        if what == REFUSED:
            words = data[HEAD.size + _NUMBER.size :].decode(errors="replace")
            process.refuse(OSError(value, words))
        process.end(value)

    def _give_up(self) -> None:
        """The spawner is gone, and with it every process that it started."""
        self._is_gone = True
        with contextlib.suppress(RuntimeError):  # no loop is running
            asyncio.get_running_loop().remove_reader(self._control)
        for process in self._processes.values():
            process.refuse(_gone())
            process.end(-signal.SIGKILL)
        self._processes.clear()


class _Spawned:
    """A `Launched` whose parent is the spawner."""

    def __init__(self, client: SpawnerClient, number: int, *, is_sealed: bool) -> None:
        loop = asyncio.get_running_loop()
        self.started: asyncio.Future[None] = loop.create_future()
        self._client = client
        self._number = number
        self._is_sealed = is_sealed
        self._outer = 0
        self._pid: int | None = None
        self._end: asyncio.Future[int] = loop.create_future()

    @property
    def pid(self) -> int:
        """The worker's id; that of bubblewrap until there is a worker."""
        if self._pid is None and self._is_sealed:
            self._pid = sealed_pid(self._outer)
        return self._pid or self._outer

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
            self._client.send(HEAD.pack(KILL, self._number))

    def abandon(self) -> None:
        """End what nobody waits for: it is started, or will be before it hears this."""
        self.started.add_done_callback(lambda ended: ended.exception())
        self.kill()

    def begin(self, pid: int) -> None:
        """Note that it runs."""
        self._outer = pid
        if not self.started.done():
            self.started.set_result(None)

    def refuse(self, error: Exception) -> None:
        """Note that it does not."""
        if not self.started.done():
            self.started.set_exception(error)

    def end(self, code: int) -> None:
        """Note how it ended."""
        if not self._end.done():
            self._end.set_result(code)


def _gone() -> ModelUnavailable:
    return ModelUnavailable(
        "isolation.spawner-gone",
        "the process that starts the models' worker processes has ended",
        mend="run it again; what was finished is not done anew",
    )
