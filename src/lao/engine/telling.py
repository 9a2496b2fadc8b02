# SPDX-License-Identifier: Apache-2.0
"""From what a run made to what it tells: the facts of its steps, and its outputs."""

from collections.abc import Mapping

from lao.engine.attempt import Result
from lao.engine.requests import template_failure
from lao.errors import LaoError, StepError
from lao.events import ItemFinished, StepFailed, StepFinished, StepSkipped
from lao.planning.plan import Plan, PlannedStep
from lao.workflow.steps import StepId
from lao.workflow.template import TemplateError, evaluate_tree, templates_in
from lao.workflow.values import JsonValue, Value


def step_finished(step: PlannedStep, result: Result, seconds: float) -> StepFinished:
    """Return the fact that a step gave `result`."""
    reply, name = result.reply, result.name
    if reply is None and name is None:
        return StepFinished(
            step=step.id,
            value=result.value,
            seconds=seconds,
            attempts=result.attempts,
            cached=result.cached,
            notes=result.notes,
        )
    return StepFinished(
        step=step.id,
        value=result.value,
        made_by=reply.made_by if reply else "",
        seconds=seconds,
        tokens_in=reply.tokens_in if reply else None,
        tokens_out=reply.tokens_out if reply else None,
        model_seconds=reply.seconds if reply else None,
        attempts=result.attempts,
        cached=result.cached,
        notes=result.notes,
        key=name.key if name else "",
        ingredients=name.ingredients if name else {},
        model_digest=name.model_digest if name else "",
        reproducible=name.reproducible if name else True,
    )


def item_finished(step: PlannedStep, index: int, result: Result) -> ItemFinished:
    """Return the fact that one element of a list gave `result`."""
    reply = result.reply
    return ItemFinished(
        step=step.id,
        item=index,
        value=result.value,
        made_by=reply.made_by if reply else "",
        tokens_in=reply.tokens_in if reply else None,
        tokens_out=reply.tokens_out if reply else None,
        model_seconds=reply.seconds if reply else None,
        cached=result.cached,
        key=result.name.key if result.name else "",
    )


def step_skipped(step: PlannedStep, reason: str) -> StepSkipped:
    """Return the fact that a step did not run, with its default."""
    default = step.default
    return StepSkipped(
        step=step.id,
        reason=reason,
        has_default=default is not None,
        value=as_value(default.value) if default else None,
    )


def unexpected(step: PlannedStep, error: Exception) -> LaoError:
    """Turn a defect of LAO's own into a step's error; the cause is kept for --debug."""
    problem = StepError(
        "step.internal-error",
        f"step {step.id!r} ran into a defect of LAO: {type(error).__name__}: {error}",
        mend="please report it; `--debug` shows where it happened",
    )
    problem.__cause__ = error
    return problem


def as_value(value: JsonValue) -> Value:
    """Return JSON data as the value that it is."""
    same: Value = value  # type: ignore[assignment]  # JSON values are values
    return same


def evaluate_outputs(
    plan: Plan, inputs: Mapping[str, Value], values: Mapping[StepId, Value]
) -> tuple[dict[str, Value], list[StepFailed]]:
    """Return the outputs whose steps all have a value, and those that fail."""
    outputs: dict[str, Value] = {}
    problems: list[StepFailed] = []
    for name, tree in plan.outputs.items():
        roots = {root for each in templates_in(tree) for root in each.roots}
        steps = {StepId(root) for root in roots - {"inputs"}}
        if not steps <= values.keys():
            continue
        scope: dict[str, Value] = {"inputs": dict(inputs)}
        scope |= {step: values[step] for step in steps}
        try:
            outputs[name] = evaluate_tree(tree, scope)
        except TemplateError as error:
            found = template_failure(error).problem
            failure = StepFailed(
                step=f"outputs.{name}", code=found.code, what=found.what
            )
            problems.append(failure)
    return outputs, problems
