# SPDX-License-Identifier: Apache-2.0
"""One worker process as the parent sees it: start, ask, watch, end.

State: the requests under way and, once the worker is over, why. Whatever goes wrong
ends in `end`, which tells every request and has the process killed with all its kin.
A worker never comes back; the pool starts another one.
"""

import asyncio
import itertools
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from msgspec import Struct, field

from lao.errors import LaoError
from lao.isolation.launching import Launcher
from lao.isolation.orders import Order
from lao.workers import failures
from lao.workers.answers import pass_on
from lao.workers.channel import Channel, open_channel
from lao.workers.clearing import remove_tree
from lao.workers.entry import files_of
from lao.workers.failures import Failure, LastWords
from lao.workers.folders import WorkerFolder
from lao.workers.frames import (
    BODY_BYTES,
    Frame,
    FrameBounds,
    FrameError,
    TruncatedFrame,
    encode,
    encode_json,
    read_frame,
)
from lao.workers.greeting import Layers, hear_hello, hear_ready
from lao.workers.inbox import Inbox, carried, moved, worker_folder
from lao.workers.payload import TooLong
from lao.workers.spec import WorkerSpec
from lao.workers.watching import overuse
from lao.workflow.inference import Report
from lao.workflow.values import JsonValue

_LAST_WORDS_SECONDS = 0.5
_REAP_SECONDS = 0.25
_POLITE_SECONDS = 0.2
_FINAL = ("reply", "error")
_FRAMES = 200
_FRAMES_SECONDS = 0.01

Answer = TypeVar("Answer")


class _Call(Struct, kw_only=True):
    """One request: what came for it, the bytes of that, the copies of its files."""

    id: int
    report: Report | None
    frames: "asyncio.Queue[Frame | Failure]" = field(default_factory=asyncio.Queue)
    size: int = 0
    copies: Mapping[str, str] = field(default_factory=dict)


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
        self._calls: dict[int, _Call] = {}
        self._channel: Channel | None = None
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
        for call in self._calls.values():
            blamed = guilty is None or call.id == guilty
            told = failure if blamed else failures.lost_with_its_worker()
            call.frames.put_nowait(told)
        self._calls.clear()

    async def call(
        self,
        header: Mapping[str, JsonValue],
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
        await self._ready.wait()
        if self._channel is None or self._failure is not None:
            raise (self._failure or failures.closed()).error()
        call = _Call(id=next(self._ids), report=report)
        inbox = Inbox(self._channel.folder, self._spec.readable)
        try:
            call.copies = await inbox.take(call.id, files)
            frame = inbox.pack({**header, "id": call.id}, moved(value, call.copies))
            return decode(await self._ask(self._channel, call, frame))
        except TooLong:
            raise self._blame(failures.flood(self._limits.output), call) from None
        except FrameError as error:
            failure = failures.bad_frame(str(error), self._last_words)
            raise self._blame(failure, call) from None
        finally:
            inbox.forget(call.id)

    async def _ask(self, channel: Channel, call: _Call, frame: Frame) -> JsonValue:
        """Send a request and return its answer, however both end."""
        if self._failure is not None:  # it died while the files were copied
            raise self._failure.error()
        self._calls[call.id] = call
        try:
            await self._send(channel, frame)
            return await self._answer(channel, call)
        finally:
            await self._abandon(channel, call)

    async def _send(self, channel: Channel, frame: Frame) -> None:
        try:
            _write(channel, frame)
            await channel.requests.drain()
        except OSError:  # it reads no more; mostly because it is gone
            self.end(await self._why_it_ended(channel))

    async def _answer(self, channel: Channel, call: _Call) -> JsonValue:
        """Take frames until the final one; what the worker sent may be anything."""
        while True:
            frame = await call.frames.get()
            if isinstance(frame, Failure):
                raise frame.error()
            if frame.header["kind"] == "reply":
                file = channel.folder.reply_file(call.id)
                return await carried(frame, file, self._limits.output - call.size)
            if frame.header["kind"] == "error":
                failure = failures.told(frame.header, call.copies)
                fatal = failure.code == "worker.out-of-memory"
                raise self._blame(failure, call) if fatal else failure.error()
            if call.report is not None:
                pass_on(frame, call.report)

    def _blame(self, failure: Failure, call: _Call) -> LaoError:
        self.end(failure, guilty=call.id)
        return failure.error()

    async def _abandon(self, channel: Channel, call: _Call) -> None:
        """If a request is still under way, have the worker drop it, or die."""
        if call.id in self._calls:
            seconds = self._limits.cancel_seconds
            failure = failures.ignored_cancel(seconds)
            give_up = partial(self.end, failure, guilty=call.id)
            deadline = asyncio.get_running_loop().call_later(seconds, give_up)
            _write(channel, Frame(header={"op": "cancel", "id": call.id}))
            try:
                while call.id in self._calls:
                    await call.frames.get()
            finally:
                deadline.cancel()
                if call.id in self._calls:
                    give_up()
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
            await self._deliver_all(channel, bounds)
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

    async def _deliver_all(self, channel: Channel, bounds: FrameBounds) -> None:
        """Take frames to the end; pause among many: an honest worker sends few."""
        for count in itertools.count(1):
            frame = await read_frame(channel.replies, bounds)
            if frame is None:
                return
            self._deliver(frame)
            if count % _FRAMES == 0:
                await asyncio.sleep(_FRAMES_SECONDS)

    def _deliver(self, frame: Frame) -> None:
        request, kind = frame.header.get("id"), frame.header.get("kind")
        if isinstance(request, bool) or not isinstance(request, int):
            raise FrameError("a frame without an id")
        call = self._calls.get(request)
        if call is None:
            raise FrameError(f"a frame for request {request}, which is not under way")
        if kind not in {"text", "progress", *_FINAL}:
            raise FrameError("a frame of an unknown kind")
        call.size += frame.size
        if call.size > self._limits.output:
            self.end(failures.flood(self._limits.output), guilty=request)
            return
        if kind in _FINAL:
            del self._calls[request]
        call.frames.put_nowait(frame)

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
