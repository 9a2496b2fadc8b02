# SPDX-License-Identifier: Apache-2.0
"""What `run`, `chain` and `demo` share: carry out a plan and show it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from lao import durable
from lao.cli.audience import Audience, event_writer
from lao.cli.confined import confined
from lao.cli.given import Given
from lao.cli.going_on import hint_at_interrupted, how_to_go_on
from lao.cli.options import seconds_from
from lao.cli.progress import Progress, open_progress
from lao.cli.report import (
    answer_of,
    check_output_name,
    failure_problem,
    json_report,
)
from lao.cli.scratch import Scratch, forget_scratch
from lao.cli.streaming import AnswerStream
from lao.cli.terminal import require_stdout, write_answer, write_note
from lao.config import Settings
from lao.durable import Prepared
from lao.engine.inputs import bind_inputs
from lao.engine.runner import RunResult
from lao.errors import StepError
from lao.events import RunState, fold
from lao.planning.plan import Plan
from lao.runtime import RunOptions, Session, new_run_id, open_store

if TYPE_CHECKING:
    from lao.store.opening import Store
    from lao.store.runs import RunRecord


class Showing(Struct, frozen=True, kw_only=True):
    """How a run is shown."""

    output: str | None = None
    as_json: bool = False
    events: str | None = None
    stream: bool = True
    quiet: bool = False
    verbose: bool = False
    timeout: float | None = None

    @classmethod
    def from_flags(cls, flags: Mapping[str, object]) -> "Showing":
        """Read the options that `run` and `chain` share."""
        texts = {
            name: str(flags[name]) if flags.get(name) is not None else None
            for name in ("output", "events", "timeout")
        }
        return cls(
            output=texts["output"],
            as_json=bool(flags.get("as_json")),
            events=texts["events"],
            stream=not flags.get("no_stream"),
            quiet=bool(flags.get("quiet")),
            verbose=bool(flags.get("verbose")),
            timeout=seconds_from(texts["timeout"]),
        )


def carry_out(
    prepared: Prepared, inputs: Sequence[str], settings: Settings, showing: Showing
) -> int:
    """Run a plan, print its answer, and return the exit code.

    Raises:
        LaoError: what stands in the way of starting at all.
    """
    require_stdout()
    run = new_run_id()
    with ExitStack() as stack:
        store = None
        if not settings.ephemeral:
            store = stack.enter_context(open_store(settings))
        scratch = stack.enter_context(Scratch(settings, run, store))
        plan = prepared.plan
        given = Given(plan.inputs, scratch.folder)
        given.take(inputs)
        values = bind_inputs(plan.inputs, given.values, Path(plan.base))
        check_output_name(plan.outputs, showing.output)
        if store is not None and not showing.quiet:
            hint_at_interrupted(store, prepared)

        async def begin(session: Session, options: RunOptions) -> RunResult:
            if store is None:
                return await session.run(plan, values, options)
            ready = replace(prepared, inputs=values)
            return await durable.carry_out(session, store, ready, options)

        showable = Showable(plan=plan, run=run, begin=begin, store=store)
        return show_run(showable, settings, showing).exit_code


def resume(
    store: "Store", record: "RunRecord", settings: Settings, showing: Showing
) -> int:
    """Go on with a run, print its answer, and return the exit code.

    Raises:
        LaoError: it cannot go on, and why.
    """
    require_stdout()
    prepared = durable.prepare_to_go_on(store, record, settings)
    check_output_name(prepared.plan.outputs, showing.output)

    async def begin(session: Session, options: RunOptions) -> RunResult:
        return await durable.go_on(session, store, record, prepared, options)

    past = fold(store.runs.each_event(record))
    shown = show_run(
        Showable(
            plan=prepared.plan, run=record.id, begin=begin, store=store, past=past
        ),
        settings,
        showing,
    )
    if shown.status == "done":
        forget_scratch(settings, record.id)
    return shown.exit_code


Begin = Callable[[Session, RunOptions], Awaitable[RunResult]]


class Showable(Struct, frozen=True, kw_only=True):
    """A run that is about to be shown; `past` is what is known of its earlier part."""

    plan: Plan
    run: str
    begin: Begin
    store: "Store | None" = None
    past: RunState = field(default_factory=RunState)


def show_run(run: Showable, settings: Settings, showing: Showing) -> RunResult:
    """Carry a run out, and show it while it goes on and when it is over.

    Raises:
        LaoError: it could not begin, or it took too long.
    """
    plan, state = run.plan, run.past
    with ExitStack() as stack:
        confinement = stack.enter_context(confined(settings, plan.models))
        stream = AnswerStream(plan, showing.output, wanted=_streams(showing))
        progress = stack.enter_context(
            open_progress(
                quiet=showing.quiet,
                settings=settings,
                verbose=showing.verbose,
                live=showing.events != "-",
                answering=stream.step,
            )
        )
        # The display hears first: it makes way before the answer begins to stream.
        audience = Audience([state.apply, progress, stream])
        if showing.events is not None:
            audience.add(stack.enter_context(event_writer(showing.events)))
        options = RunOptions(run=run.run, sinks=[audience])
        session = Session(settings, run.store, confinement=confinement)
        carried_out = _timed(_in_session(run, session, options), showing.timeout)
        try:
            result = asyncio.run(audience.attend(carried_out))
        except StepError as late:
            if showing.as_json:
                write_answer(json_report(state, late.exit_code))
            raise
        except KeyboardInterrupt as stop:
            if words := how_to_go_on(run.store, run.run):
                stop.add_note(words)
            raise
    _print(result, run.plan, state, stream, showing)
    _tell(result, state, progress, showing)
    is_over = result.status == "done" and result.unrecorded is None
    if not is_over and (words := how_to_go_on(run.store, run.run)):
        write_note(words)
    return result


def _print(
    result: RunResult,
    plan: Plan,
    state: RunState,
    stream: AnswerStream,
    showing: Showing,
) -> None:
    if showing.as_json:
        write_answer(json_report(state, result.exit_code))
    elif showing.events != "-":
        answer = answer_of(result.outputs, plan.outputs, showing.output)
        if rest := stream.rest_of(answer or ""):
            write_answer(rest)


async def _in_session(
    run: Showable, session: Session, options: RunOptions
) -> RunResult:
    async with session:
        return await run.begin(session, options)


def _streams(showing: Showing) -> bool:
    return showing.stream and not showing.as_json and showing.events != "-"


async def _timed(run: Awaitable[RunResult], seconds: float | None) -> RunResult:
    try:
        async with asyncio.timeout(seconds):
            return await run
    except TimeoutError as error:
        raise StepError(
            "run.timeout",
            f"the run did not end within {seconds:g} s",
            mend="raise --timeout",
        ) from error


def _tell(
    result: RunResult, state: RunState, progress: Progress, showing: Showing
) -> None:
    for failure in result.failures:
        write_note(str(failure_problem(failure)))
    if result.unrecorded is not None:
        write_note(str(result.unrecorded))
    if not showing.quiet:
        for line in progress.summary(state):
            write_note(line)
