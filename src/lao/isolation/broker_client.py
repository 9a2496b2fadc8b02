# SPDX-License-Identifier: Apache-2.0
"""Asks the broker for connections, one question after the other, without ever blocking.

State: the questions, in their order; the first of them has been sent.
"""

import asyncio
import contextlib
import errno
import json
import os
import socket
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from lao.errors import ModelUnavailable, RefusedByPolicy
from lao.isolation.self_lock import read_proof
from lao.policy import LoopbackEndpoint, Proof

_START_SECONDS: Final = 10.0
_END_SECONDS: Final = 2.0
_MOST_WORDS: Final = 4096  # bytes that a broker may say of its lock

Passed = Callable[[LoopbackEndpoint], Awaitable[socket.socket]]
"""A way to get connections without making them."""

_Answer = asyncio.Future[socket.socket]


class BrokerClient:
    """The orchestrator's end: turns endpoints of the table into connections."""

    def __init__(
        self, control: socket.socket, table: Sequence[LoopbackEndpoint], *, pid: int
    ) -> None:
        self.pid: Final = pid
        self._control = control
        self._indices = {endpoint: index for index, endpoint in enumerate(table)}
        self._questions: deque[tuple[int, _Answer]] = deque()
        self._end: str | None = None

    def confirm(self) -> Proof:
        """Wait until the broker is locked; return what it proved of itself. Blocks.

        Raises:
            RefusedByPolicy: it is not locked (`isolation.lock-failed`).
        """
        self._control.settimeout(_START_SECONDS)
        try:
            told = self._control.recv(_MOST_WORDS)
        except OSError as problem:  # TimeoutError is one of them
            told = json.dumps({"failed": str(problem)}).encode()
        finally:
            self._control.setblocking(False)
        return read_proof("broker", told)

    async def connect(self, endpoint: LoopbackEndpoint) -> socket.socket:
        """Return a new connection: non-blocking, and the caller's to close.

        Raises:
            RefusedByPolicy: the endpoint is not in the table.
            ModelUnavailable: the broker is gone (`isolation.broker-gone`).
            OSError: nobody answers there.
        """
        index = self._indices.get(endpoint)
        if index is None:
            raise _not_in_table(endpoint)
        passed = await self._ask(index)
        try:
            await _until_connected(passed)
        except BaseException:
            passed.close()
            raise
        return passed

    def close(self) -> None:
        """Have the broker end, and reap it. Safe to call twice."""
        if self._control.fileno() < 0:
            return
        self._control.settimeout(_END_SECONDS)
        with self._control, contextlib.suppress(OSError):
            self._control.shutdown(socket.SHUT_WR)
            while self._control.recv(1):
                pass
            os.waitpid(self.pid, 0)

    async def _ask(self, index: int) -> socket.socket:
        if self._end is not None:
            raise _gone(self._end)
        loop = asyncio.get_running_loop()
        answer: _Answer = loop.create_future()
        self._questions.append((index, answer))
        # Every time, because this may be another loop than the last one.
        loop.add_reader(self._control, self._take)
        if len(self._questions) == 1:
            self._send_next()
        try:
            return await answer
        except asyncio.CancelledError:
            if answer.done() and not answer.cancelled() and not answer.exception():
                answer.result().close()  # it came, and nobody will have it
            raise

    def _send_next(self) -> None:
        while self._questions:
            index, answer = self._questions[0]
            if not answer.done():
                try:
                    self._control.send(bytes([index]))
                except OSError:
                    self._give_up("has ended")
                return
            self._questions.popleft()  # cancelled before it was asked
        asyncio.get_running_loop().remove_reader(self._control)

    def _take(self) -> None:
        """Receive the answer to the first question, then ask the next."""
        try:
            outcome = _receive(self._control)
        except BlockingIOError:
            return
        except _Nonsense:
            self._give_up("answered nonsense")
            return
        except OSError:
            self._give_up("has ended")
            return
        _, answer = self._questions.popleft()
        if answer.done():  # it was cancelled
            if isinstance(outcome, socket.socket):
                outcome.close()
        elif isinstance(outcome, socket.socket):
            answer.set_result(outcome)
        else:
            answer.set_exception(outcome)
        self._send_next()

    def _give_up(self, what: str) -> None:
        """Fail all questions, and those to come: what is answered now is unclear."""
        self._end = what
        asyncio.get_running_loop().remove_reader(self._control)
        for _, answer in self._questions:
            if not answer.done():
                answer.set_exception(_gone(what))
        self._questions.clear()


async def pass_nothing(endpoint: LoopbackEndpoint) -> socket.socket:
    """Stand in for a broker with an empty table, which nobody needs to fork.

    Raises:
        RefusedByPolicy: always.
    """
    raise _not_in_table(endpoint)


def _not_in_table(endpoint: LoopbackEndpoint) -> RefusedByPolicy:
    return RefusedByPolicy(
        "policy.endpoint-not-in-plan",
        f"{endpoint} is none of the addresses that this run may connect to",
        mend="they are fixed at the start, from the workflow and the settings; "
        "end `lao ui` and start it again after a change",
    )


class _Nonsense(Exception):
    """An answer that no broker gives."""


def _receive(control: socket.socket) -> socket.socket | OSError:
    """Return what one answer brought: a connection, or why there is none."""
    said, fds, flags, _ = socket.recv_fds(control, 2, 1, socket.MSG_CMSG_CLOEXEC)
    if not said:
        raise ConnectionResetError
    passed = [_as_connection(fd) for fd in fds]
    number = said[0] if len(said) == 1 else None
    if number == 0 and passed and passed[0] and not flags & socket.MSG_CTRUNC:
        return passed[0]
    for each in passed:
        if each is not None:
            each.close()
    if number == 0 and not passed and flags & socket.MSG_CTRUNC:
        number = errno.EMFILE  # it was sent, and there was no room for it here
    if not number or passed:
        raise _Nonsense
    return OSError(number, os.strerror(number))


def _as_connection(fd: int) -> socket.socket | None:
    try:
        found = socket.socket(fileno=fd)
    except OSError:  # no socket at all
        os.close(fd)
        return None
    if found.type != socket.SOCK_STREAM:
        found.close()
        return None
    found.setblocking(False)
    return found


async def _until_connected(passed: socket.socket) -> None:
    """Wait for the end of a connect() that the broker began."""
    try:
        passed.getpeername()
    except OSError:
        pass  # not yet, or refused
    else:
        return
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[None] = loop.create_future()
    loop.add_writer(passed, _end_once, ended)
    try:
        await ended
    finally:
        loop.remove_writer(passed)
    if number := passed.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
        raise OSError(number, os.strerror(number))


def _end_once(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)


def _gone(what: str) -> ModelUnavailable:
    return ModelUnavailable(
        "isolation.broker-gone",
        f"the process that connects to model servers {what}",
        mend="run it again; what was finished is not done anew",
    )
