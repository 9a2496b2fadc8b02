# SPDX-License-Identifier: Apache-2.0
"""A run that goes on: what is known of it, and readers that follow it at their own pace.

A reader asks for what is new since it last asked. Text that came meanwhile is joined,
of progress there is the latest; so nobody who reads slowly makes anything grow.
"""

import asyncio
from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from msgspec import Struct, field

from lao.durable import Prepared
from lao.errors import LaoError
from lao.events import (
    Event,
    FallbackChosen,
    ItemFinished,
    ProgressMade,
    RunFinished,
    RunState,
    StepFailed,
    StepFinished,
    StepRetried,
    StepSkipped,
    TextProduced,
)
from lao.history.kept_runs import KeptRun
from lao.server.messages import RunMessage
from lao.server.run_views import message_of
from lao.server.values import Values, printable
from lao.store.records import RunRecord, Status

if TYPE_CHECKING:
    from lao.workflow.values import JsonValue

_LONGEST_TEXT: Final = 256 << 10  # characters of what a model says that are kept
_MOST_KEPT: Final = 16 << 20  # characters of facts, about
_OVERHEAD: Final = 500

_Place = tuple[str, int | None]
"""A step, and which element of its list."""


class _Said(Struct):
    """What a model has said so far, in one attempt; `cut` counts what is forgotten."""

    pieces: list[str] = field(default_factory=list)
    length: int = 0
    cut: int = 0
    sequence: int = 0
    time: float = 0.0

    def add(self, event: Event, text: str) -> None:
        self.pieces.append(text)
        self.length += len(text)
        self.sequence, self.time = event.sequence, event.time
        if self.length > 2 * _LONGEST_TEXT:
            end = self.text()[-_LONGEST_TEXT:]
            self.cut += self.length - len(end)
            self.pieces, self.length = [end], len(end)

    def text(self) -> str:
        """Return it as one text, which the pieces become."""
        self.pieces = ["".join(self.pieces)]
        return self.pieces[0]


class LiveRun:
    """A run that this process carries out. State: its facts, folded and as messages.

    `record` is what the store says of it; without a store this run makes its own.
    `problem` is why it could not begin, or not be kept to its end.
    """

    def __init__(
        self, *, prepared: Prepared, record: RunRecord, path: str, values: Values
    ) -> None:
        self.prepared = prepared
        self.path = path
        self.record = record
        self.state = RunState(run=record.id, workflow=record.workflow)
        self.sequence = 0
        self.problem: LaoError | None = None
        self.is_over = False
        self.ended: float | None = None
        self.begun = asyncio.Event()
        self.task: asyncio.Task[None] | None = None
        self.dropped = 0
        """The number of the last fact that is not kept here any more."""
        self._values = values
        self._kept: deque[tuple[RunMessage, int]] = deque()
        self._size = 0
        self._said: dict[_Place, _Said] = {}
        self._progress: dict[_Place, RunMessage] = {}
        self._news = asyncio.Event()

    @property
    def id(self) -> str:
        """The run's name in the store."""
        return self.record.id

    @property
    def status(self) -> Status:
        """How it stands; one that ended without a last fact was interrupted."""
        is_lost = self.is_over and self.state.status == "running"
        return "interrupted" if is_lost else self.state.status

    def cancel(self) -> None:
        """Stop it, as Ctrl-C does."""
        if self.task is not None:
            self.task.cancel()

    def own_record(self) -> RunRecord:
        """Return what would be listed of the run, were it kept."""
        steps = self.state.steps.values()
        return self.record._replace(
            status=self.status,
            ended=self.ended,
            seconds=self.state.seconds,
            steps=len(steps),
            steps_done=sum(step.status == "done" for step in steps),
        )

    def hear(self, event: Event) -> None:
        """Take one more fact: an event sink."""
        self.state.apply(event)
        self.sequence = event.sequence
        fact = event.fact
        match fact:
            case TextProduced():
                said = self._said.setdefault((fact.step, fact.item), _Said())
                said.add(event, fact.text)
            case ProgressMade():
                place = fact.step, fact.item
                self._progress[place] = message_of(event, self._values)
            case _:
                self._forget_words(event)
                self._keep(message_of(event, self._values))
        self.begun.set()
        self._wake()

    def end(self, now: float, problem: LaoError | None = None) -> None:
        """Hear that nothing follows. Readers learn of an end that no fact tells."""
        self.problem, self.ended = problem, now
        if self.begun.is_set() and self.state.status == "running":
            self._keep(self._lost_end(now))
        self.is_over = True
        self.begun.set()
        self._wake()

    def kept(self, record: RunRecord) -> KeptRun:
        """Return the run as the history would tell it by now."""
        return KeptRun(
            record=record,
            state=self.state,
            inputs=self.prepared.inputs,
            files={},
            order=self.prepared.order,
            sequence=self.sequence,
        )

    def said(self) -> dict[str, str]:
        """Return what the model of each step says just now; not of lists."""
        return {
            step: said.text()
            for (step, item), said in self._said.items()
            if item is None
        }

    def reader(self, after: int) -> "Reader":
        """Return a reader that has seen everything up to that number."""
        return Reader(self, after)

    @property
    def news(self) -> asyncio.Event:
        """What is set with the next fact."""
        return self._news

    def facts(self, after: int) -> Iterator[RunMessage]:
        """Yield the facts behind a number, as far as they are kept here."""
        late: list[RunMessage] = []
        for message, _ in reversed(self._kept):
            if message.sequence <= after:
                break
            late.append(message)
        yield from reversed(late)
        yield from (m for m in self._progress.values() if m.sequence > after)

    def texts(self) -> Iterator[tuple[_Place, _Said]]:
        """Yield what models say just now."""
        yield from self._said.items()

    def _forget_words(self, event: Event) -> None:
        """Drop what was said by an attempt that is over: its result tells it, if any."""
        match event.fact:
            case StepRetried() | FallbackChosen() | ItemFinished() as fact:
                self._said.pop((fact.step, fact.item), None)
                self._progress.pop((fact.step, fact.item), None)
            case StepFinished() | StepFailed() | StepSkipped() as fact:
                for place in [p for p in self._said if p[0] == fact.step]:
                    del self._said[place]
                for place in [p for p in self._progress if p[0] == fact.step]:
                    del self._progress[place]
            case RunFinished():
                self._said.clear()
                self._progress.clear()
            case _:
                pass

    def _keep(self, message: RunMessage) -> None:
        size = _OVERHEAD
        if message.output is not None:
            size += min(message.output.size, 1 << 16)
        self._kept.append((message, size))
        self._size += size
        while self._size > _MOST_KEPT and len(self._kept) > 1:
            gone, less = self._kept.popleft()
            self._size -= less
            self.dropped = gone.sequence

    def _lost_end(self, now: float) -> RunMessage:
        """Return the end of a run that could not be written down."""
        fact: dict[str, JsonValue] = {"status": "interrupted", "seconds": 0.0}
        if self.problem is not None:
            problem = self.problem.problem
            fact |= {"code": problem.code, "what": printable(problem.what)}
        self.sequence += 1
        return RunMessage(
            sequence=self.sequence, time=now, kind="run-finished", fact=fact
        )

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()


class Reader:
    """Follows a live run. State: how far it has read, in facts and in each text."""

    def __init__(self, run: LiveRun, after: int) -> None:
        self._run = run
        self._after = after
        self._read = {
            place: (said, said.cut + said.length)
            for place, said in run.texts()
            if said.sequence <= after
        }

    def take(self) -> list[RunMessage]:
        """Return what is new, in order; a text that it knows goes on, others are whole."""
        found = [*self._run.facts(self._after), *self._new_texts()]
        found.sort(key=lambda message: message.sequence)
        if found:
            self._after = found[-1].sequence
        return found

    def _new_texts(self) -> Iterator[RunMessage]:
        before, self._read = self._read, {}
        for place, said in self._run.texts():
            self._read[place] = said, said.cut + said.length
            if said.sequence > self._after:
                known, begin = before.get(place, (None, 0))
                yield _message_of(place, said, begin if known is said else None)


def _message_of(place: _Place, said: _Said, begin: int | None) -> RunMessage:
    """Return what was said behind a character; all of it, if that is not kept."""
    text = said.text()
    fact: dict[str, JsonValue] = {"step": place[0], "item": place[1]}
    if begin is None or begin < said.cut:
        fact |= {"text": printable(text), "whole": True, "cut": said.cut}
    else:
        fact["text"] = printable(text[begin - said.cut :])
    return RunMessage(
        sequence=said.sequence, time=said.time, kind="text-produced", fact=fact
    )
