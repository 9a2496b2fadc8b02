# SPDX-License-Identifier: Apache-2.0
"""What a run prints when it is over: the answer, the JSON report, the failures."""

import json
from collections.abc import Collection, Mapping

from lao.errors import Problem, UsageError, did_you_mean
from lao.events import RunState, StepFailed, StepState, value_to_json
from lao.workflow.values import FileValue, JsonValue, Value


def answer_text(value: Value) -> str:
    """Return a value as it is printed: text as it is, a file's path, else JSON."""
    match value:
        case str():
            text = value
        case FileValue():
            text = value.path
        case _:
            text = json.dumps(value_to_json(value), ensure_ascii=False, indent=2)
    return text if text.endswith("\n") else text + "\n"


def check_output_name(names: Collection[str], name: str | None) -> None:
    """Refuse an output that the workflow does not have.

    Raises:
        UsageError: there is no output of that name.
    """
    if name is not None and name not in names:
        raise UsageError(
            "output.unknown",
            f"the workflow has no output called {name!r}",
            mend=did_you_mean(name, names),
        )


def answer_of(
    outputs: Mapping[str, Value], names: Collection[str], name: str | None
) -> str | None:
    """Return what goes to stdout, of what the run made; None if that is nothing.

    The one output that was asked for or the only one the workflow has, else an
    object of those that could be made.
    """
    wanted = name if name is not None else next(iter(names), "")
    if name is not None or len(names) == 1:
        return answer_text(outputs[wanted]) if wanted in outputs else None
    return answer_text(dict(outputs)) if outputs else None


def failure_problem(failure: StepFailed) -> Problem:
    """Return a step's failure as the command line words it."""
    return Problem(
        code=failure.code,
        what=f"step {failure.step!r}: {failure.what}",
        mend=failure.mend,
    )


def json_report(state: RunState, exit_code: int) -> str:
    """Return the whole run as one JSON document."""
    report: dict[str, JsonValue] = {
        "run": state.run,
        "workflow": state.workflow,
        "status": state.status,
        "exit_code": exit_code,
        "seconds": state.seconds,
        "locality": state.locality,
        "isolation": isolation_report(state),
        "outputs": value_to_json(state.outputs),
        "steps": {name: step_report(step) for name, step in state.steps.items()},
        "violations": [
            {"step": each.step, "code": each.code, "what": each.what}
            for each in state.violations
        ],
    }
    return json.dumps(report, ensure_ascii=False, indent=2) + "\n"


def isolation_report(state: RunState) -> dict[str, JsonValue]:
    """Return what the kernel proved: of this process, and of each worker."""
    workers: dict[str, JsonValue] = {
        name: {"level": each.level, "layers": dict(each.layers)}
        for name, each in state.workers.items()
    }
    return {"level": state.level, "layers": dict(state.layers), "workers": workers}


def step_report(state: StepState) -> dict[str, JsonValue]:
    """Return what a run's report says of a step."""
    told: dict[str, JsonValue] = {"status": state.status, "model": state.model}
    if state.finished is not None:
        done = state.finished
        told |= {
            "made_by": done.made_by,
            "seconds": done.seconds,
            "tokens_in": done.tokens_in,
            "tokens_out": done.tokens_out,
            "attempts": done.attempts,
            "cached": done.cached,
            "notes": list(done.notes),
        }
    if state.failed is not None:
        failed = state.failed
        told |= {"code": failed.code, "what": failed.what, "mend": failed.mend}
    if state.skipped is not None:
        told["reason"] = state.skipped.reason
    return told
