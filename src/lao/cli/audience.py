# SPDX-License-Identifier: Apache-2.0
"""Those who listen to a run: the display, the answer's stream, the file of events.

When one of them can no longer be told (a closed pipe, a full disk), the run is
cancelled: nobody would hear of its end. The reason comes out as the error it was.
"""

import asyncio
import json
from collections.abc import Awaitable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TypeVar

from lao.cli.terminal import open_lines, write_answer
from lao.errors import UsageError
from lao.events import Event, event_to_json
from lao.roles import EventSink

T = TypeVar("T")


class Audience:
    """An event sink that tells several others, and ends the run when one is deaf."""

    def __init__(self, sinks: Sequence[EventSink]) -> None:
        self._sinks = list(sinks)
        self._run: asyncio.Task[object] | None = None
        self._failure: OSError | None = None

    def add(self, sink: EventSink) -> None:
        """Tell one more."""
        self._sinks.append(sink)

    def __call__(self, event: Event) -> None:
        """Tell an event to all."""
        if self._failure is not None:
            return
        try:
            for sink in self._sinks:
                sink(event)
        except OSError as error:
            self._failure = error
            if self._run is not None:
                self._run.cancel()

    async def attend(self, run: Awaitable[T]) -> T:
        """Wait for a run, or for several at once, that tell their events here.

        Raises:
            OSError: somebody could not be told; the run was cancelled.
        """
        self._run = asyncio.current_task()
        try:
            result = await run
        except asyncio.CancelledError:
            if self._failure is not None:
                raise self._failure from None
            raise
        if self._failure is not None:
            raise self._failure
        return result


@contextmanager
def event_writer(target: str) -> Iterator[EventSink]:
    """Write events as lines of JSON; each is out before the next is made.

    Raises:
        UsageError: the file cannot be written.
    """
    if target == "-":
        yield lambda event: write_answer(event_line(event))
        return
    with ExitStack() as stack:
        try:
            write = stack.enter_context(open_lines(target))
        except (OSError, ValueError) as error:
            raise UsageError(
                "events.unwritable",
                f"cannot write {target!r}: {getattr(error, 'strerror', None) or error}",
                mend="check the folder and its rights, or write to stdout: --events -",
            ) from error
        yield lambda event: write(event_line(event))


def event_line(event: Event) -> str:
    """Return an event as a line of NDJSON."""
    return json.dumps(event_to_json(event), ensure_ascii=False) + "\n"
