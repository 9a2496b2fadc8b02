# SPDX-License-Identifier: Apache-2.0
"""One worker process as the parent sees it: start, ask, watch, end.

State: the requests under way and, once the worker is over, why. Whatever goes wrong
ends in `end`, which tells every request and has the process killed with all its kin.
A worker never comes back; the pool starts another one.
"""

import asyncio
import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from lao.errors import LaoError
from lao.isolation.launching import Launcher
from lao.isolation.orders import Order
from lao.workers import failures
from lao.workers.calls import Call, Calls, FloodError
from lao.workers.channel import Channel, open_channel
from lao.workers.clearing import remove_tree
from lao.workers.entry import files_of
from lao.workers.failures import Failure, LastWords
from lao.workers.folders import WorkerFolder
from lao.workers.frames import (
    BODY_BYTES,
    Frame,
    FrameBounds,
    TruncatedFrame,
    encode,
)
from lao.workers.greeting import Layers, hear_hello, hear_ready
from lao.workers.inbox import Inbox, carried, moved, worker_folder
from lao.workers.payload import TooLong
from lao.workers.spec import WorkerSpec
from lao.workers.strict_json import FrameError, encode_json
from lao.workers.watching import overuse
from lao.workflow.inference import Report
from lao.workflow.values import JsonValue

_LAST_WORDS_SECONDS = 0.5
_REAP_SECONDS = 0.25
_POLITE_SECONDS = 0.2

Answer = TypeVar("Answer")


class Worker:
    """A process that holds one model. `call` is how to ask it."""

    def __init__(
        self,
        spec: WorkerSpec,
        launcher: Launcher,
        *,
        scratch_parent: Path | None = None,
    ) -> None:
        self._spec = spec
        self._limits = spec.limits
        self._launcher = launcher
        self._scratch_parent = scratch_parent
        self._ids = itertools.count(1)
        self._calls = Calls(spec.limits.output)
        self._channel: Channel | None = None
        self._inbox: Inbox | None = None
        self._life: asyncio.Task[None] | None = None
        self._failure: Failure | None = None
        self._ready = asyncio.Event()
        self._over = asyncio.Event()
        self._silent = asyncio.Event()
        self._last_words = LastWords()
        self.layers: Layers = {}

    @property
    def is_over(self) -> bool:
        """Whether this worker takes no more requests."""
        return self._over.is_set()

    @property
    def pid(self) -> int | None:
        """The process id; None before the start."""
        return None if self._channel is None else self._channel.process.pid

    def start(self, tasks: asyncio.TaskGroup) -> None:
        """Begin to live, as a task of `tasks`."""
        self._life = tasks.create_task(self._run())

    async def stop(self) -> None:
        """Ask an idle worker to leave, then make it; return once it is gone."""
        try:
            if self._channel and self._ready.is_set() and not self._calls:
                _write(self._channel, Frame(header={"op": "close"}))
                await _wait(self._life, _POLITE_SECONDS)
        finally:
            self.end(failures.closed())
        await _wait(self._life, None)

    def end(self, failure: Failure, *, guilty: int | None = None) -> None:
        """Take no more requests, fail those under way, have the process killed.

        Where one request is to blame, the others hear that they were lost with it.
        """
        if self.is_over:
            return
        self._failure = failure
        self._over.set()
        self._ready.set()
        for call in self._calls:
            blamed = guilty is None or call.id == guilty
            call.settle(failure if blamed else failures.lost_with_its_worker())
        self._calls.clear()

    async def call(
        self,
        op: str,
        value: JsonValue,
        *,
        decode: Callable[[JsonValue], Answer],
        files: Sequence[str] = (),
        report: Report | None = None,
    ) -> Answer:
        """Send one request and return what its reply carries, decoded.

        The worker gets copies of `files`, and their paths wherever `value` has the
        paths of those. Cancelled, it returns once the worker has let go of the
        request or is gone.
        """
        if not self._ready.is_set():
            await self._ready.wait()
        channel, inbox = self._channel, self._inbox
        if channel is None or inbox is None or self._failure is not None:
            raise (self._failure or failures.closed()).error()
        call = Call(next(self._ids), report)
        try:
            if files:
                call.copies = await inbox.take(call.id, files)
                value = moved(value, call.copies)
            frame = inbox.pack({"op": op, "id": call.id}, value)
            return decode(await self._ask(channel, call, frame))
        except TooLong:
            raise self._blame(failures.flood(self._limits.output), call) from None
        except FrameError as error:
            failure = failures.bad_frame(str(error), self._last_words)
            raise self._blame(failure, call) from None
        finally:
            inbox.forget(call.id)

    async def _ask(self, channel: Channel, call: Call, frame: Frame) -> JsonValue:
        """Send a request and return its answer, however both end."""
        if self._failure is not None:  # it died while the files were copied
            raise self._failure.error()
        self._calls.add(call)
        try:
            await self._send(channel, frame)
            answer = await call.answer
            if isinstance(answer, Failure):
                raise answer.error()
            if answer.header["kind"] == "error":
                raise self._error(answer, call)
            limit = self._limits.output - call.size
            return await carried(answer, channel.folder, limit)
        finally:
            if self.is_over or call in self._calls:
                await self._abandon(channel, call)

    async def _send(self, channel: Channel, frame: Frame) -> None:
        try:
            _write(channel, frame)
            channel.replies.expect()
            if channel.is_congested:
                await channel.requests.drain()
        except OSError:  # it reads no more; mostly because it is gone
            self.end(await self._why_it_ended(channel))

    def _error(self, answer: Frame, call: Call) -> LaoError:
        failure = failures.told(answer.header, call.copies)
        fatal = failure.code == "worker.out-of-memory"
        return self._blame(failure, call) if fatal else failure.error()

    def _blame(self, failure: Failure, call: Call) -> LaoError:
        self.end(failure, guilty=call.id)
        return failure.error()

    async def _abandon(self, channel: Channel, call: Call) -> None:
        """If a request is still under way, have the worker drop it, or die."""
        if call in self._calls:
            call.report = None
            call.await_answer()
            _write(channel, Frame(header={"op": "cancel", "id": call.id}))
            seconds = self._limits.cancel_seconds
            try:
                await asyncio.wait({call.answer}, timeout=seconds)
            finally:
                if call in self._calls:
                    self.end(failures.ignored_cancel(seconds), guilty=call.id)
        if self.is_over:
            await _wait(self._life, _REAP_SECONDS)

    async def _run(self) -> None:
        """Live: from the start of the process until it is reaped, its files gone."""
        try:
            with worker_folder(self._scratch_parent) as folder:
                order = self._order(folder)
                try:
                    async with open_channel(order, self._launcher, folder) as channel:
                        await self._live(channel)
                finally:  # a model may have left much: nobody is to wait for that
                    await asyncio.to_thread(remove_tree, folder.scratch)
        except OSError as error:
            self.end(failures.start_failed(str(error)))
        except LaoError as error:
            self.end(failures.not_started(error))
        finally:
            self.end(failures.closed())

    def _order(self, folder: WorkerFolder) -> Order:
        return Order(
            run="lao.workers.child",
            scratch=str(folder.scratch),
            inbox=str(folder.inbox),
            limits=self._limits,
            profile=self._spec.profile,
            readable=(*files_of(self._spec.entry), *self._spec.readable),
            gpu=self._spec.gpu,
        )

    async def _live(self, channel: Channel) -> None:
        self._channel = channel
        self._inbox = Inbox(channel.folder, self._spec.readable)
        async with asyncio.TaskGroup() as tasks:
            duties = (self._converse, self._listen, self._watch)
            running = [tasks.create_task(duty(channel)) for duty in duties]
            try:
                await self._over.wait()
            finally:
                channel.kill()
                for task in running:
                    task.cancel()

    async def _converse(self, channel: Channel) -> None:
        """Greet, then hand every frame to its request, to the end of the pipe."""
        bounds = FrameBounds(body=min(BODY_BYTES, self._limits.output))
        try:
            await self._greet(channel)
            await channel.replies.each(self._deliver, bounds)
            failure = await self._why_it_ended(channel)
        except (TruncatedFrame, OSError) as error:
            failure = await self._why_it_ended(channel)
            if self._ready.is_set() and channel.process.returncode in {None, 0}:
                failure = failures.bad_frame(str(error), self._last_words)
        except FrameError as error:
            failure = failures.bad_frame(str(error), self._last_words)
        if not self._ready.is_set():
            failure = failures.as_start_failure(failure)
        self.end(failure)

    async def _greet(self, channel: Channel) -> None:
        config: JsonValue = {
            "entry": self._spec.entry,
            "options": dict(self._spec.config),
            "parallel": self._spec.parallel,
            "folder": str(channel.folder.root),
        }
        _write(channel, Frame(header={"op": "load"}, body=encode_json(config)))
        seconds = self._limits.start_seconds
        try:
            async with asyncio.timeout(seconds):
                self.layers = await hear_hello(channel.replies)
                failure = await hear_ready(channel.replies)
        except TimeoutError:
            failure = failures.start_failed(f"it said nothing for {seconds:g} s")
        if failure is not None:
            self.end(failure)
        self._ready.set()

    def _deliver(self, frame: Frame) -> bool:
        """Hand a frame to its request; whether to go on."""
        call = self._calls.of(frame)
        try:
            self._calls.deliver(frame, call)
        except FloodError:
            self._blame(failures.flood(self._limits.output), call)
        except FrameError as error:
            self._blame(failures.bad_frame(str(error), self._last_words), call)
        return not self.is_over

    async def _why_it_ended(self, channel: Channel) -> Failure:
        """Wait a moment for the exit status and the last words."""
        try:
            async with asyncio.timeout(_LAST_WORDS_SECONDS):
                await channel.process.wait()
                await self._silent.wait()
        except TimeoutError:
            pass  # it closed its pipe, or another process holds its output open
        return failures.crashed(channel.process.returncode, self._last_words)

    async def _listen(self, channel: Channel) -> None:
        """Drain what the worker prints, for ever; keep its end."""
        while data := await channel.printed.read():
            self._last_words.add(data)
        self._silent.set()

    async def _watch(self, channel: Channel) -> None:
        self.end(await overuse(channel, self._limits))


def _write(channel: Channel, frame: Frame) -> None:
    channel.requests.write(encode(frame))


async def _wait(life: "asyncio.Task[None] | None", seconds: float | None) -> None:
    """Wait for the end of a life, without cancelling it or raising what it raised."""
    if life is not None:
        await asyncio.wait({life}, timeout=seconds)
