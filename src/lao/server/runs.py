# SPDX-License-Identifier: Apache-2.0
"""The runs of the server: started, cancelled, followed, foretold, pinned.

They are carried out by the functions of `lao run`, and kept where it keeps its own.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from typing import TYPE_CHECKING, Final, Self

from lao import durable
from lao.config import Settings
from lao.durable import Prepared
from lao.errors import InvalidWorkflow, LaoError, UsageError
from lao.events import Event, PolicyViolated, StepState
from lao.history.comparison import compare_runs
from lao.history.kept_runs import KeptRun
from lao.runtime import RunOptions, Session, new_run_id
from lao.server.forecasts import refused, view_forecast
from lao.server.known_runs import KnownRuns
from lao.server.live_run import LiveRun
from lao.server.messages import (
    ComparisonView,
    ForecastView,
    PinRequest,
    PinsView,
    RunMessage,
    RunReply,
    RunRequest,
    RunSummary,
    RunView,
    ValuePage,
)
from lao.server.pins import Pins
from lao.server.run_orders import Orders, Texts, output_of, pinned_value
from lao.server.run_views import message_of, view_comparison, view_run
from lao.server.values import Values, page_of, text_of
from lao.store.records import RunRecord
from lao.workflow.values import Value, place_in

if TYPE_CHECKING:
    from lao.store.opening import Store

Tell = Callable[[str, Mapping[str, object]], None]
"""Told "run" with `path`, `run` and `status` when a run begins or ends."""

_PACE: Final = 0.03  # seconds between two looks of a reader
_PACE_ELSEWHERE: Final = 0.5  # the same, at a run of another process


class Runs:
    """All runs. Used as `async with`, inside that of its session; leaving cancels them.

    State: how often something was stopped; the long value that was looked at last.
    """

    def __init__(
        self,
        *,
        workspace: Texts,
        session: Session,
        store: "Store | None",
        settings: Settings,
        tell: Tell,
    ) -> None:
        self.attempts = 0
        self._session = session
        self._store = store
        self._tell = tell
        self._texts = workspace
        self._values = Values(workspace.folder)
        self._known = KnownRuns(store)
        pins = None if store is None else settings.folders.data / "editor" / "pins"
        self._pins = Pins(pins)
        self._orders = Orders(
            texts=workspace, settings=settings, pins=self._pins, kept=self._known.kept
        )
        self._long: tuple[Value, str] = (None, "null")
        self._count = 0
        self._tasks = asyncio.TaskGroup()

    async def __aenter__(self) -> Self:
        """Begin to own the tasks of runs."""
        await self._tasks.__aenter__()
        return self

    async def __aexit__(self, *failure: object) -> None:
        """Cancel what goes on, as Ctrl-C does, and wait until that is written down."""
        for live in self._known.going_on:
            live.cancel()
        await self._tasks.__aexit__(None, None, None)

    # --- carrying out

    async def start(self, request: RunRequest) -> RunReply:
        """Begin a run; return once it has begun.

        Raises:
            LaoError: what stands in the way; nothing ran.
        """
        live = self._new(self._orders.of(request).bound(), request.path)
        self._known.enter(live)
        live.task = self._tasks.create_task(self._carry_out(live), name=live.id)
        await live.begun.wait()
        if live.problem is not None and not live.sequence:
            raise live.problem
        return RunReply(run=live.id)

    def cancel(self, name: str) -> None:
        """Stop a run; one that is over already stays as it is.

        Raises:
            UsageError: there is none, or another process carries it out.
        """
        live = self._known.live(name)
        if live is not None:
            live.cancel()
            return
        record = self._known.record(name)
        if record.status == "running":
            raise UsageError(
                "run.elsewhere",
                f"run {record.name} is carried out by another process",
                mend="stop it where it was started",
            )

    def _new(self, prepared: Prepared, path: str) -> LiveRun:
        self._count += 1
        record = RunRecord(
            row=0,
            number=self._count,
            id=new_run_id(),
            kind="run",
            batch=None,
            position=0,
            key="",
            output="",
            workflow=prepared.plan.name,
            source=prepared.source,
            started=self._session.clock.now(),
            ended=None,
            status="running",
        )
        return LiveRun(prepared=prepared, record=record, path=path, values=self._values)

    async def _carry_out(self, live: LiveRun) -> None:
        """Carry a run out to its end, whatever that is: other runs go on."""
        problem: LaoError | None = LaoError(
            "run.cancelled", "the run was cancelled before it began"
        )
        try:
            problem = await self._result(live)
        except LaoError as error:
            problem = error
        except Exception as error:  # noqa: BLE001  (the server's edge: see style)
            what = f"LAO ran into a defect of its own: {type(error).__name__}: {error}"
            problem = LaoError("lao.defect", what, mend="please report it")
        finally:
            live.end(self._session.clock.now(), problem)
            self._known.leave(live)
            if live.sequence:
                self._announce(live)

    async def _result(self, live: LiveRun) -> LaoError | None:
        """Carry a run out; return what kept its end from being written down."""
        prepared, session = live.prepared, self._session

        def hear(event: Event) -> None:
            is_first = not live.sequence
            live.hear(event)
            self.attempts += isinstance(event.fact, PolicyViolated)
            if is_first:
                self._announce(live)

        options = RunOptions(
            run=live.id, sinks=[hear], output_folder=prepared.output_folder
        )
        if self._store is None:
            result = await session.run(prepared.plan, prepared.inputs, options)
        else:
            result = await durable.carry_out(session, self._store, prepared, options)
        return result.unrecorded

    def _announce(self, live: LiveRun) -> None:
        about = {"path": live.path, "run": live.id, "status": live.status}
        self._tell("run", about)

    # --- telling

    async def forecast(self, request: RunRequest) -> ForecastView:
        """Say what a run would do.

        Raises:
            StaleVersion: another version of the text is open.
        """
        try:
            order = self._orders.of(request, lenient=True)
        except (InvalidWorkflow, UsageError) as error:
            return refused(error)
        earlier = self._known.ingredients(order.prepared)
        return await view_forecast(order, self._session, earlier)

    def listed(self, path: str, limit: int) -> list[RunSummary]:
        """Return the runs of a file, the latest first."""
        return self._known.listed(self._texts.folder.resolve(path), limit)

    def view(self, name: str) -> RunView:
        """Return a run.

        Raises:
            UsageError: there is none, or it is a batch.
        """
        live = self._known.live(name)
        said = None if live is None else live.said()
        return view_run(self._known.kept(name), self._values, said)

    def follow(self, name: str, after: int) -> AsyncIterator[RunMessage]:
        """Return the facts of a run behind a number, and those that come, to its end.

        Raises:
            UsageError: there is none, or it is a batch.
        """
        record, live = self._known.record(name), self._known.live(name)
        if live is None:
            return self._replayed(record.id, after)
        return self._followed(live, after)

    async def _followed(self, live: LiveRun, after: int) -> AsyncIterator[RunMessage]:
        while self._store is not None and after < live.dropped:
            end = live.dropped
            record = self._known.record(live.id)
            for event in self._store.runs.each_event(record, after=after):
                if event.sequence <= end:
                    yield message_of(event, self._values)
            after = end
        reader = live.reader(after)
        while True:
            news, is_over = live.news, live.is_over
            for message in reader.take():
                yield message
            if is_over:
                return
            await news.wait()
            await asyncio.sleep(_PACE)

    async def _replayed(self, run: str, after: int) -> AsyncIterator[RunMessage]:
        """Yield what is kept of a run; of one that another process carries out, go on."""
        assert self._store is not None  # noqa: S101  (without one, every run is alive)
        while True:
            record = self._known.record(run)
            for event in self._store.runs.each_event(record, after=after):
                after = event.sequence
                yield message_of(event, self._values)
            if record.status != "running":
                return
            await asyncio.sleep(_PACE_ELSEWHERE)

    def page(self, name: str, step: str, offset: int) -> ValuePage:
        """Return a stretch of the text of a step's output.

        `step` may also be "inputs.NAME", "outputs.NAME", or "STEP.7": the eighth
        element of its list.

        Raises:
            UsageError: there is no such value.
        """
        value = _value_at(self._known.kept(name), step)
        if self._long[0] is not value:
            self._long = value, text_of(value)
        return page_of(self._long[1], offset)

    def compare(self, before: str, after: str) -> ComparisonView:
        """Return what differs between two runs.

        Raises:
            UsageError: there is none of that name, or it is a batch.
        """
        found = compare_runs(self._known.kept(before), self._known.kept(after))
        return view_comparison(found, self._values)

    # --- pins

    def pins(self, path: str) -> PinsView:
        """Return the pins of a file."""
        return PinsView(pins=self._pins.of(self._texts.folder.resolve(path)))

    def pin(self, request: PinRequest) -> PinsView:
        """Pin a step to its output in a run, or take its pin away.

        Raises:
            UsageError: there is no such output.
        """
        run = None
        if request.run is not None:
            kept = self._known.kept(request.run)
            pinned_value(kept, request.step)
            run = kept.record.id
        file = self._texts.folder.resolve(request.path)
        return PinsView(pins=self._pins.set(file, request.step, run))


def _value_at(run: KeptRun, place: str) -> Value:
    """Return an output of a step, an element of one, an input or an output.

    Raises:
        UsageError: there is no such value.
    """
    area, _, name = place.partition(".")
    value = output_of(run.state.steps.get(place, StepState()))
    if value is None and area == "inputs" and name in run.inputs:
        value = (run.inputs[name],)
    elif value is None and area == "outputs" and name in run.state.outputs:
        value = (run.state.outputs[name],)
    elif value is None:
        whole = output_of(run.state.steps.get(area, StepState()))
        items = whole[0] if whole is not None else None
        at = place_in(items, name) if isinstance(items, list) else None
        if isinstance(items, list) and at is not None:
            value = (items[at],)
    if value is None:
        raise UsageError(
            "run.no-value",
            f"run {run.record.name} has no value called {place[:80]!r}",
            mend="name a step that is done, inputs.NAME or outputs.NAME",
        )
    return value[0]
