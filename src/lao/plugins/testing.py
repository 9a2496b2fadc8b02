# SPDX-License-Identifier: Apache-2.0
"""For the tests of plugins: calls one in a locked worker process, as LAO would.

    from lao.plugins.testing import PluginUnderTest

    def test_words_are_counted():
        with PluginUnderTest(Path(__file__).parents[1]) as plugin:
            assert plugin.process("one two").value == {"words": 2}

Starting the worker takes a moment: share one between tests by a fixture of the scope
"module". No pytest plugin is needed, and no event loop.
"""

import asyncio
import json
import os
import threading
from collections.abc import Coroutine, Mapping
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from msgspec import Struct, field

from lao.plugins.trial import Trial, trial_of
from lao.policy import Level
from lao.workflow.inference import ModelDescription, Wanted
from lao.workflow.plugins import PluginManifest
from lao.workflow.values import JsonValue

__all__ = ["Heard", "PluginUnderTest", "Processed"]

Answer = TypeVar("Answer")


class Heard(Struct):
    """What a plugin told by its `report` during one call."""

    pieces: list[str] = field(default_factory=list)
    progresses: list[tuple[float, float, str]] = field(default_factory=list)
    cancelled: bool = False

    def text(self, piece: str) -> None:
        """Hear a piece of the answer."""
        self.pieces.append(piece)

    def progress(self, done: float, total: float, unit: str) -> None:
        """Hear how far it is."""
        self.progresses.append((done, total, unit))


class Processed(Struct, frozen=True, kw_only=True):
    """What a plugin made of one value: the value, its notes, and what it told."""

    value: JsonValue
    made_by: str
    notes: tuple[str, ...]
    heard: Heard


class PluginUnderTest:
    """A plugin of any kind, from its folder or its wheel, in one worker process.

    State: a thread with an event loop of its own, as long as the `with` lasts. It
    may be used from any thread, and inside of asynchronous tests too.
    """

    def __init__(
        self, source: Path | str, *, accept_no_isolation: bool = False
    ) -> None:
        self._source = Path(source)
        self._accept_none = accept_no_isolation
        self._begun: Future[tuple[Trial, asyncio.AbstractEventLoop]] = Future()
        self._leave = asyncio.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._live()))

    def __enter__(self) -> Self:
        """Read the manifest and make ready; the worker starts with the first call.

        Raises:
            LaoError: it is no plugin.
        """
        self._thread.start()
        try:
            self._begun.result()
        except BaseException:
            self._thread.join()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the worker and remove what was written."""
        _, loop = self._begun.result()
        loop.call_soon_threadsafe(self._leave.set)
        self._thread.join()

    @property
    def manifest(self) -> PluginManifest:
        """What the plugin says of itself."""
        return self._running()[0].manifest

    @property
    def level(self) -> Level:
        """What this machine locks it with: L3 or L2."""
        return self._running()[0].level

    def process(
        self,
        value: object,
        *,
        parameters: Mapping[str, object] | None = None,
        wants: Wanted | None = None,
    ) -> Processed:
        """Have the plugin work on one value, whatever its kind.

        A file is given by its path. Types and parameters are checked as in a run. A
        model can be asked for another sort of answer than its manifest names: `wants`
        is "text", "json" or "embedding".

        Raises:
            LaoError: what the step would fail with, or this machine cannot lock it.
            TypeError: the value or a parameter is nothing that JSON can say.
        """
        trial, heard = self._running()[0], Heard()
        told = {name: _as_json(each) for name, each in (parameters or {}).items()}
        call = trial.call(_as_json(value), heard, parameters=told, wants=wants)
        reply = self._done(call)
        return Processed(
            value=reply.value, made_by=reply.made_by, notes=reply.notes, heard=heard
        )

    def describe(self) -> ModelDescription:
        """Have the plugin say what it is.

        Raises:
            LaoError: it cannot be loaded.
        """
        return self._done(self._running()[0].describe())

    def _done(self, act: Coroutine[object, object, Answer]) -> Answer:
        _, loop = self._running()
        return asyncio.run_coroutine_threadsafe(act, loop).result()

    def _running(self) -> tuple[Trial, asyncio.AbstractEventLoop]:
        if not self._begun.done():
            raise RuntimeError("write `with PluginUnderTest(…) as plugin:`")
        return self._begun.result()

    async def _live(self) -> None:
        """Hold the plugin until the `with` ends."""
        try:
            async with trial_of(self._source, accept_none=self._accept_none) as trial:
                self._begun.set_result((trial, asyncio.get_running_loop()))
                await self._leave.wait()
        except BaseException as error:
            if self._begun.done():
                raise
            self._begun.set_exception(error)


def _as_json(value: object) -> JsonValue:
    """Return a value as the plugin gets it: tuples are lists, paths are texts."""
    found: JsonValue = json.loads(json.dumps(value, default=os.fspath))
    return found
