# SPDX-License-Identifier: Apache-2.0
"""One worker process as the parent sees it: start, ask, watch, end.

State: the requests under way (an inbox for each) and, once the worker is over, why.
Whatever goes wrong ends in `end`, which tells every request and has the process
group killed. A worker never comes back; the pool starts another one.
"""

import asyncio
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

from lao.errors import LaoError
from lao.isolation import boot_message
from lao.isolation.limits import resident_bytes, scratch_is_too_large
from lao.workers import failures
from lao.workers.answers import pass_on
from lao.workers.channel import Channel, open_channel, scratch_directory
from lao.workers.failures import Failure, LastWords
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
from lao.workers.payload import TooLong, pack, unpack
from lao.workers.spec import WorkerSpec
from lao.workflow.inference import Report
from lao.workflow.values import JsonValue

_WATCH_SECONDS = 0.25
_LAST_WORDS_SECONDS = 0.5
_REAP_SECONDS = 0.25
_POLITE_SECONDS = 0.2
_FINAL = ("reply", "error")

Answer = TypeVar("Answer")


@dataclass(slots=True, kw_only=True)
class _Inbox:
    """What came for one request; `size` counts its bytes."""

    frames: "asyncio.Queue[Frame | Failure]" = field(default_factory=asyncio.Queue)
    size: int = 0


class Worker:
    """A process that holds one model. `call` is how to ask it."""

    def __init__(self, spec: WorkerSpec, *, scratch_parent: Path | None = None) -> None:
        self._spec = spec
        self._limits = spec.limits
        self._scratch_parent = scratch_parent
        self._ids = itertools.count(1)
        self._inboxes: dict[int, _Inbox] = {}
        self._channel: Channel | None = None
        self._life: asyncio.Task[None] | None = None
        self._failure: Failure | None = None
        self._ready = asyncio.Event()
        self._over = asyncio.Event()
        self._silent = asyncio.Event()
        self._last_words = LastWords()
        self.layers: Mapping[str, JsonValue] = {}

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
            if self._channel and self._ready.is_set() and not self._inboxes:
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
        for request, inbox in self._inboxes.items():
            blamed = guilty is None or request == guilty
            told = failure if blamed else failures.lost_with_its_worker()
            inbox.frames.put_nowait(told)
        self._inboxes.clear()

    async def call(
        self,
        header: Mapping[str, JsonValue],
        value: JsonValue,
        *,
        decode: Callable[[JsonValue], Answer],
        report: Report | None = None,
    ) -> Answer:
        """Send one request and return what its reply carries, decoded.

        Cancelled, it returns once the worker has let go of the request or is gone.
        """
        await self._ready.wait()
        if self._channel is None or self._failure is not None:
            raise (self._failure or failures.closed()).error()
        request = next(self._ids)
        frame = _packed(self._channel, {**header, "id": request}, value)
        inbox = self._inboxes[request] = _Inbox()
        try:
            await self._send(self._channel, frame)
            return decode(await self._answer(self._channel, request, inbox, report))
        except TooLong:
            raise self._blame(failures.flood(self._limits.output), request) from None
        except FrameError as error:
            failure = failures.bad_frame(str(error), self._last_words)
            raise self._blame(failure, request) from None
        finally:
            await self._abandon(self._channel, request, inbox)

    async def _send(self, channel: Channel, frame: Frame) -> None:
        try:
            _write(channel, frame)
            await channel.requests.drain()
        except OSError:  # it reads no more; mostly because it is gone
            self.end(await self._why_it_ended(channel))

    async def _answer(
        self, channel: Channel, request: int, inbox: _Inbox, report: Report | None
    ) -> JsonValue:
        """Take frames until the final one; what the worker sent may be anything."""
        while True:
            frame = await inbox.frames.get()
            if isinstance(frame, Failure):
                raise frame.error()
            if frame.header["kind"] == "reply":
                file = f"{channel.scratch}/reply-{request}.json"
                return await _carried(frame, file, self._limits.output - inbox.size)
            if frame.header["kind"] == "error":
                failure = failures.told(frame.header)
                fatal = failure.code == "worker.out-of-memory"
                raise self._blame(failure, request) if fatal else failure.error()
            if report is not None:
                pass_on(frame, report)

    def _blame(self, failure: Failure, request: int) -> LaoError:
        self.end(failure, guilty=request)
        return failure.error()

    async def _abandon(self, channel: Channel, request: int, inbox: _Inbox) -> None:
        """If a request is still under way, have the worker drop it, or die."""
        if request in self._inboxes:
            seconds = self._limits.cancel_seconds
            failure = failures.ignored_cancel(seconds)
            give_up = partial(self.end, failure, guilty=request)
            deadline = asyncio.get_running_loop().call_later(seconds, give_up)
            _write(channel, Frame(header={"op": "cancel", "id": request}))
            try:
                while request in self._inboxes:
                    await inbox.frames.get()
            finally:
                deadline.cancel()
                if request in self._inboxes:
                    give_up()
        if self.is_over:
            await _wait(self._life, _REAP_SECONDS)

    async def _run(self) -> None:
        """Live: from the start of the process until it is reaped, its files gone."""
        try:
            with scratch_directory(self._scratch_parent) as scratch:
                async with open_channel(scratch) as channel:
                    await self._live(channel)
        except OSError as error:
            self.end(failures.start_failed(str(error)))
        finally:
            self.end(failures.closed())

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
            while (frame := await read_frame(channel.replies, bounds)) is not None:
                self._deliver(frame)
            failure = await self._why_it_ended(channel)
        except (TruncatedFrame, OSError) as error:
            failure = await self._why_it_ended(channel)
            if channel.process.returncode in {None, 0}:
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
            "scratch": str(channel.scratch),
        }
        channel.requests.write(boot_message(self._limits, run="lao.workers.child"))
        _write(channel, Frame(header={"op": "load"}, body=encode_json(config)))
        seconds = self._limits.start_seconds
        try:
            async with asyncio.timeout(seconds):
                frame = await read_frame(channel.replies)
        except TimeoutError:
            self.end(failures.start_failed(f"it said nothing for {seconds:g} s"))
            return
        if frame is not None:
            self._hear_hello(frame)

    def _hear_hello(self, frame: Frame) -> None:
        if frame.header.get("kind") == "error":
            self.end(failures.as_start_failure(failures.told(frame.header)))
            return
        layers = frame.header.get("layers")
        if frame.header.get("kind") != "hello" or not isinstance(layers, dict):
            raise FrameError("it did not begin with a hello")
        self.layers = layers
        self._ready.set()

    def _deliver(self, frame: Frame) -> None:
        request, kind = frame.header.get("id"), frame.header.get("kind")
        if isinstance(request, bool) or not isinstance(request, int):
            raise FrameError("a frame without an id")
        inbox = self._inboxes.get(request)
        if inbox is None:
            raise FrameError(f"a frame for request {request}, which is not under way")
        if kind not in {"text", "progress", *_FINAL}:
            raise FrameError("a frame of an unknown kind")
        inbox.size += frame.size
        if inbox.size > self._limits.output:
            self.end(failures.flood(self._limits.output), guilty=request)
            return
        if kind in _FINAL:
            del self._inboxes[request]
        inbox.frames.put_nowait(frame)

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
        while data := await channel.printed.read(1 << 16):
            self._last_words.add(data)
        self._silent.set()

    async def _watch(self, channel: Channel) -> None:
        """Look at memory four times a second, at the scratch directory once."""
        for tick in itertools.count():
            await asyncio.sleep(_WATCH_SECONDS)
            held = resident_bytes(channel.process.pid) or 0
            if self._limits.memory is not None and held > self._limits.memory:
                used = f"the model used {held} bytes, of {self._limits.memory} allowed"
                self.end(failures.out_of_memory(used))
            look = partial(scratch_is_too_large, channel.scratch, self._limits)
            if tick % 4 == 3 and await asyncio.to_thread(look):
                self.end(failures.scratch_too_large())


def _packed(
    channel: Channel, header: Mapping[str, JsonValue], value: JsonValue
) -> Frame:
    file = f"{channel.scratch}/request-{header['id']}.json"
    try:
        return pack(header, value, file=file)
    except (FrameError, OSError) as error:
        raise failures.not_sendable(str(error)).error() from None


def _write(channel: Channel, frame: Frame) -> None:
    channel.requests.write(encode(frame))


async def _wait(life: "asyncio.Task[None] | None", seconds: float | None) -> None:
    """Wait for the end of a life, without cancelling it or raising what it raised."""
    if life is not None:
        await asyncio.wait({life}, timeout=seconds)


async def _carried(frame: Frame, file: str, limit: int) -> JsonValue:
    if frame.header.get("in_file") is not True:
        return unpack(frame, file=file, limit=limit)
    return await asyncio.to_thread(unpack, frame, file=file, limit=limit)
