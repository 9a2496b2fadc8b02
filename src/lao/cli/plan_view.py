# SPDX-License-Identifier: Apache-2.0
"""What a plan would do, for people and for programs: `--dry-run`, `--explain`."""

import json
import textwrap
from collections.abc import Iterator, Mapping

from lao.engine.forecast import StepForecast
from lao.planning.plan import Infer, Plan, PlannedStep, Preprocess, Save
from lao.workflow.local_models import label
from lao.workflow.steps import Input, StepId
from lao.workflow.values import JsonValue

Forecast = Mapping[StepId, StepForecast]

_WIDTH = 80
_INDENT = " " * 10
_SHORT_DIGEST = 12
_UNASKED = StepForecast(status="will run")


def plan_report(plan: Plan, forecast: Forecast | None = None, *, as_json: bool) -> str:
    """Return the plan as text, or as one JSON document.

    Without a forecast every step counts as one that will run.
    """
    known = forecast or {}
    if as_json:
        return json.dumps(_as_json(plan, known), ensure_ascii=False, indent=2) + "\n"
    lines = [plan.name]
    for name, each in plan.inputs.items():
        lines.append(f"  input   {name}: {each.type} ({_need(each)})")
    for number, step in enumerate(plan.steps.values(), start=1):
        found = known.get(step.id, _UNASKED)
        lines.append(
            f"  step {number:>2} {step.id} → {step.output}  {found.status}: {_act(step)}"
        )
        for detail in _details(step, found):
            lines += textwrap.wrap(
                detail,
                _WIDTH,
                initial_indent=_INDENT,
                subsequent_indent=_INDENT + "  ",
                break_long_words=False,
                break_on_hyphens=False,
            )
    for name, kind in plan.output_types.items():
        lines.append(f"  output  {name}: {kind or 'known when it runs'}")
    return "\n".join(lines) + "\n"


def _need(declared: Input) -> str:
    return "given" if declared.default is None and not declared.optional else "optional"


def _details(step: PlannedStep, found: StepForecast) -> Iterator[str]:
    """Yield what there is to say of a step beside what it does."""
    if found.reason:
        yield f"because {found.reason}"
    before = sorted(step.needs | step.after)
    if before:
        yield f"after {', '.join(before)}"
    if step.when is not None:
        yield f"when {step.when.source.strip()}"
    if step.for_each is not None:
        yield f"for each of {step.for_each.source.strip()}"
    for transform in step.input_transforms:
        if isinstance(transform, Preprocess):
            yield f"its input goes through {label(transform.engine.model)}"
    if found.model_digest:
        digest = found.model_digest.removeprefix("sha256:")[:_SHORT_DIGEST]
        yield f"model {digest}"
    if isinstance(step.work, Infer):
        for engine in step.work.engines[1:]:
            yield f"if that fails: {label(engine.model)}"
        for engine in step.work.engines[:1]:
            yield engine.note


def _act(step: PlannedStep) -> str:
    match step.work:
        case Infer(engines=engines):
            return label(engines[0].model)
        case Save(path=path):
            return f"save to {path.source}"
        case _:
            return "reshape"


def _as_json(plan: Plan, known: Forecast) -> dict[str, JsonValue]:
    return {
        "workflow": plan.name,
        "inputs": {
            name: {"type": str(each.type), "required": each.default is None}
            for name, each in plan.inputs.items()
        },
        "steps": [
            _step_json(step, known.get(step.id, _UNASKED))
            for step in plan.steps.values()
        ],
        "outputs": {
            name: str(kind) if kind else None
            for name, kind in plan.output_types.items()
        },
    }


def _step_json(step: PlannedStep, found: StepForecast) -> JsonValue:
    models: list[JsonValue] = []
    if isinstance(step.work, Infer):
        models = [label(engine.model) for engine in step.work.engines]
    return {
        "id": step.id,
        "does": step.work.kind,
        "models": models,
        "output": str(step.output),
        "needs": list(map(str, sorted(step.needs))),
        "after": list(map(str, sorted(step.after))),
        "when": step.when.source if step.when else None,
        "for_each": step.for_each.source if step.for_each else None,
        "status": found.status,
        "reason": found.reason,
        "changed": list(found.changed),
        "model_digest": found.model_digest,
    }
