# SPDX-License-Identifier: Apache-2.0
"""What `run`, `chain` and `demo` share: carry out a plan and show it."""

import asyncio
import tempfile
from collections.abc import Awaitable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from lao.cli.audience import Audience, event_writer
from lao.cli.given import Given
from lao.cli.options import seconds_from
from lao.cli.progress import Progress, open_progress
from lao.cli.report import (
    answer_of,
    check_output_name,
    failure_problem,
    json_report,
)
from lao.cli.streaming import AnswerStream
from lao.cli.terminal import require_stdout, write_answer, write_note
from lao.config import Settings
from lao.engine.inputs import bind_inputs
from lao.engine.runner import RunResult
from lao.errors import StepError
from lao.events import RunState
from lao.planning.plan import Plan
from lao.runtime import RunOptions, execute


@dataclass(frozen=True, slots=True, kw_only=True)
class Showing:
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
    plan: Plan, inputs: Sequence[str], settings: Settings, showing: Showing
) -> int:
    """Run a plan, print its answer, and return the exit code.

    Raises:
        LaoError: what stands in the way of starting at all.
    """
    require_stdout()
    with ExitStack() as stack:
        scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="lao-"))
        given = Given(plan.inputs, Path(scratch))
        given.take(inputs)
        values = bind_inputs(plan.inputs, given.values, Path(plan.base))
        check_output_name(plan.outputs, showing.output)
        state = RunState()
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
        run = execute(plan, values, settings, RunOptions(sinks=[audience]))
        try:
            result = asyncio.run(audience.attend(_timed(run, showing.timeout)))
        except StepError as late:
            if showing.as_json:
                write_answer(json_report(state, late.exit_code))
            raise
    if showing.as_json:
        write_answer(json_report(state, result.exit_code))
    elif showing.events != "-":
        answer = answer_of(result.outputs, plan.outputs, showing.output)
        if rest := stream.rest_of(answer or ""):
            write_answer(rest)
    _tell(result, state, progress, showing)
    return result.exit_code


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
    if not showing.quiet:
        for line in progress.summary(state):
            write_note(line)
