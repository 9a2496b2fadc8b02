# SPDX-License-Identifier: Apache-2.0
"""What a plan would do, for people and for programs: `--dry-run`, `--explain`."""

import json

from lao.planning.plan import Infer, Plan, PlannedStep, Save
from lao.workflow.local_models import label
from lao.workflow.values import JsonValue


def plan_report(plan: Plan, *, as_json: bool) -> str:
    """Return the plan as text, or as one JSON document."""
    if as_json:
        return json.dumps(_as_json(plan), ensure_ascii=False, indent=2) + "\n"
    lines = [f"{plan.name}"]
    for name, each in plan.inputs.items():
        need = "given" if each.default is None and not each.optional else "optional"
        lines.append(f"  input   {name}: {each.type} ({need})")
    for number, step in enumerate(plan.steps.values(), start=1):
        lines += _step_lines(number, step)
    for name, kind in plan.output_types.items():
        lines.append(f"  output  {name}: {kind or 'known when it runs'}")
    return "\n".join(lines) + "\n"


def _step_lines(number: int, step: PlannedStep) -> list[str]:
    lines = [f"  step {number:>2} {step.id} → {step.output}  will run: {_act(step)}"]
    before = sorted(step.needs | step.after)
    if before:
        lines.append(f"          after {', '.join(before)}")
    if step.when is not None:
        lines.append(f"          when {step.when.source.strip()}")
    if step.for_each is not None:
        lines.append(f"          for each of {step.for_each.source.strip()}")
    if isinstance(step.work, Infer):
        lines += [
            f"          if that fails: {label(engine.model)}"
            for engine in step.work.engines[1:]
        ]
        lines += [
            f"          {each.note}" for each in step.work.engines[:1] if each.note
        ]
    return lines


def _act(step: PlannedStep) -> str:
    match step.work:
        case Infer(engines=engines):
            return label(engines[0].model)
        case Save(path=path):
            return f"save to {path.source}"
        case _:
            return "reshape"


def _as_json(plan: Plan) -> dict[str, JsonValue]:
    return {
        "workflow": plan.name,
        "inputs": {
            name: {"type": str(each.type), "required": each.default is None}
            for name, each in plan.inputs.items()
        },
        "steps": [_step_json(step) for step in plan.steps.values()],
        "outputs": {
            name: str(kind) if kind else None
            for name, kind in plan.output_types.items()
        },
    }


def _step_json(step: PlannedStep) -> JsonValue:
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
        "status": "will run",
    }
