# SPDX-License-Identifier: Apache-2.0
"""Many worker processes: started on first use, kept warm, bounded, replaced.

State: one entry per spec that has a worker. Every worker's life is a task in the
pool's task group, so leaving the pool leaves no process behind.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from msgspec import Struct
from msgspec.structs import asdict

from lao.isolation.launching import ChildLauncher, Launcher
from lao.isolation.levels import level_of
from lao.policy import Proof
from lao.workers import failures
from lao.workers.answers import decode_description, decode_reply
from lao.workers.clearing import sweep
from lao.workers.process import Worker
from lao.workers.spec import WorkerSpec
from lao.workflow.inference import ModelDescription, ModelReply, ModelRequest, Report
from lao.workflow.values import JsonValue

Answer = TypeVar("Answer")


class LiveWorker(Struct, frozen=True, kw_only=True):
    """A worker that is up; `layers` is what its self-check found."""

    entry: str
    pid: int
    layers: Mapping[str, JsonValue]


class _Entry(Struct, kw_only=True, eq=False):
    """A worker, its turns, and how many callers use it or wait for a turn."""

    spec: WorkerSpec
    worker: Worker
    turns: asyncio.Semaphore
    users: int = 0


class WorkerPool:
    """Answers requests in worker processes; one warm process per spec.

    `launcher` starts them: without one they are children of this process.

    At most `max_workers` are kept at a time: past it the least recently used idle
    one makes room, and where none is idle the caller waits. Use it as `async with`,
    in a thread that lives as long as LAO.
    """

    def __init__(
        self,
        *,
        max_workers: int = 4,
        scratch_parent: Path | None = None,
        launcher: Launcher | None = None,
    ) -> None:
        self._max_workers = max_workers
        self._scratch_parent = scratch_parent
        self._launcher = launcher or ChildLauncher()
        self._lives = asyncio.TaskGroup()
        self._entries: dict[str, _Entry] = {}  # the least recently used one first
        self._freed = asyncio.Event()
        self._closed = False

    async def __aenter__(self) -> Self:
        """Open the pool; remove what was left by one whose process was killed."""
        await self._lives.__aenter__()
        await asyncio.to_thread(sweep, self._scratch_parent)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End every worker, whatever happened."""
        try:
            await self.close()
        finally:
            await self._lives.__aexit__(None, None, None)

    async def describe(self, spec: WorkerSpec) -> ModelDescription:
        """Say what the model is, loading it if need be; fails as `infer` does."""
        return await self._ask(
            spec,
            lambda worker: worker.call("describe", None, decode=decode_description),
        )

    async def infer(
        self, spec: WorkerSpec, request: ModelRequest, report: Report
    ) -> ModelReply:
        """Answer one request.

        Cancelled, it returns within 1 s, the model stopped or its process killed.
        Pieces and progress reach `report` in the event loop.

        Raises:
            StepError: `worker.crashed`, `.bad-frame`, `.flood`, `.out-of-memory`,
                `.scratch-full`, `.too-many-threads`, `.model-error`, `.bad-request`,
                `.no-input-file`, `.disk-full`, or the model's own.
            ModelUnavailable: `worker.start-failed`, `isolation.spawner-gone`, or the
                model's own.
            RefusedByPolicy: `isolation.none`, `isolation.lock-failed`.
        """
        return await self._ask(
            spec,
            lambda worker: worker.call(
                "infer",
                _plain(request),
                decode=decode_reply,
                files=request.files,
                report=report,
            ),
        )

    async def release(self, spec: WorkerSpec) -> None:
        """End the spec's worker, if it has one; a later call starts another."""
        entry = self._entries.pop(spec.key, None)
        if entry is not None:
            await entry.worker.stop()

    async def close(self) -> None:
        """End every worker. Safe to call twice."""
        self._closed = True
        self._freed.set()
        entries = list(self._entries.values())
        self._entries.clear()
        async with asyncio.TaskGroup() as leaving:
            for entry in entries:
                leaving.create_task(entry.worker.stop())

    @property
    def launcher(self) -> Launcher:
        """What starts the workers."""
        return self._launcher

    def live(self) -> tuple[LiveWorker, ...]:
        """Return the workers that are up."""
        return tuple(
            LiveWorker(
                entry=entry.spec.entry,
                pid=entry.worker.pid,
                layers=entry.worker.layers,
            )
            for entry in self._entries.values()
            if entry.worker.pid is not None and not entry.worker.is_over
        )

    def proof(self, spec: WorkerSpec) -> Proof | None:
        """Return what the worker of a spec has proved; None if none is up."""
        entry = self._entries.get(spec.key)
        if entry is None or entry.worker.is_over or not entry.worker.layers:
            return None
        layers = entry.worker.layers
        return Proof(level=level_of(layers), layers=layers)

    async def _ask(
        self, spec: WorkerSpec, ask: Callable[[Worker], Awaitable[Answer]]
    ) -> Answer:
        """Wait for a turn on a live worker of `spec`, starting one if need be; ask it."""
        while True:
            entry = await self._lease(spec)
            try:
                async with entry.turns:
                    if not entry.worker.is_over:  # it may have died while we waited
                        return await ask(entry.worker)
            finally:
                entry.users -= 1
                self._freed.set()

    async def _lease(self, spec: WorkerSpec) -> _Entry:
        """Return the entry of `spec`, counted as used; wait for room if need be."""
        key = spec.key
        while True:
            if self._closed:
                raise failures.closed().error()
            self._forget_the_dead()
            entry = self._entries.pop(key, None)
            if entry is None and len(self._entries) < self._max_workers:
                entry = self._start(spec)
            if entry is not None:
                self._entries[key] = entry  # now the most recently used
                entry.users += 1
                return entry
            await self._make_room()

    async def _make_room(self) -> None:
        """End the least recently used idle worker, or wait until something changes."""
        for key, entry in self._entries.items():
            if not entry.users:
                del self._entries[key]
                await entry.worker.stop()
                return
        self._freed.clear()
        await self._freed.wait()

    def _start(self, spec: WorkerSpec) -> _Entry:
        worker = Worker(spec, self._launcher, scratch_parent=self._scratch_parent)
        worker.start(self._lives)
        turns = asyncio.Semaphore(spec.parallel)
        return _Entry(spec=spec, worker=worker, turns=turns)

    def _forget_the_dead(self) -> None:
        for key in [k for k, entry in self._entries.items() if entry.worker.is_over]:
            del self._entries[key]


def _plain(request: ModelRequest) -> JsonValue:
    """Return a request as JSON, its parts shared and not copied."""
    found = asdict(request)
    found["options"] = dict(request.options)
    found["schema"] = None if request.schema is None else dict(request.schema)
    return found
