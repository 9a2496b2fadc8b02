# SPDX-License-Identifier: Apache-2.0
"""Plans that run a part of another, or that run again what is known."""

from collections.abc import Iterable, Mapping, Set as AbstractSet
from typing import Literal

from msgspec.structs import replace

from lao.errors import UsageError, did_you_mean
from lao.planning.plan import Plan, PlannedStep, Reshape
from lao.planning.reading import inputs_read
from lao.workflow.steps import StepId
from lao.workflow.template import Tree, parse_template
from lao.workflow.values import FileValue, Value, ValueType, fits


def without_cache(plan: Plan) -> Plan:
    """Return the plan with every step run, and no result kept for later."""
    return _with_cache(plan, plan.steps, "off")


def refreshing(plan: Plan, steps: Iterable[str]) -> Plan:
    """Return the plan with these steps run although their results may be known.

    Raises:
        UsageError: `step.unknown`.
    """
    return _with_cache(plan, [_known(plan, step) for step in steps], "refresh")


def from_step(plan: Plan, step: str) -> Plan:
    """Return the plan with this step run, and whatever comes after it.

    Raises:
        UsageError: `step.unknown`.
    """
    return _with_cache(plan, _with_followers(plan, {_known(plan, step)}), "refresh")


def until_step(plan: Plan, step: str) -> Plan:
    """Return the plan of this step and of what it needs; its output is the only one.

    Inputs that none of these reads may be given and need not.

    Raises:
        UsageError: `step.unknown`.
    """
    last = _known(plan, step)
    wanted = {last}
    for name in reversed(list(plan.steps)):  # what needs a step stands behind it
        if name in wanted:
            wanted |= plan.steps[name].needs
    return _part(plan, wanted, [last])


def stopping_before(plan: Plan, steps: Iterable[str]) -> Plan:
    """Return the plan without these steps and without whatever comes after them.

    Its outputs are those of its last steps: nothing that is left reads them.

    Raises:
        UsageError: `step.unknown`.
    """
    left = plan.steps.keys() - _with_followers(plan, {_known(plan, s) for s in steps})
    read = {need for name in left for need in plan.steps[name].needs}
    return _part(plan, left, [name for name in plan.steps if name in left - read])


def pinned(plan: Plan, values: Mapping[str, Value]) -> Plan:
    """Return the plan in which each of these steps gives a value that is known.

    Such a step asks no model, reads nothing and waits for nothing.

    Raises:
        UsageError: `step.unknown`; or a value is not of its step's type
            (`step.pin-does-not-fit`).
    """
    steps = dict(plan.steps)
    for step, value in values.items():
        name = _known(plan, step)
        steps[name] = _giving(plan.steps[name], value)
    return replace(plan, steps=steps)


def is_of(value: Value, wanted: ValueType) -> bool:
    """Whether a value may be the output of a step with that type."""
    if wanted.item is not None:
        item = wanted.item
        return isinstance(value, list) and all(is_of(each, item) for each in value)
    match wanted.kind:
        case "text":
            return isinstance(value, str)
        case "json":
            return not _holds_file(value)
        case "embedding":
            return isinstance(value, list) and all(map(_is_number, value))
        case _:
            return isinstance(value, FileValue) and fits(ValueType(value.kind), wanted)


def _giving(step: PlannedStep, value: Value) -> PlannedStep:
    if not is_of(value, step.output):
        raise UsageError(
            "step.pin-does-not-fit",
            f"step {step.id!r} gives {step.output}, and what is pinned to it is not",
            mend=f"take the pin away, or pin a value of type {step.output}",
        )
    same: Tree = value  # type: ignore[assignment]  # without templates it is itself
    return PlannedStep(id=step.id, work=Reshape(), output=step.output, input=same)


def _holds_file(value: Value) -> bool:
    match value:
        case FileValue():
            return True
        case list():
            return any(map(_holds_file, value))
        case dict():
            return any(map(_holds_file, value.values()))
        case _:
            return False


def _is_number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _with_followers(plan: Plan, steps: Iterable[StepId]) -> set[StepId]:
    found = set(steps)
    for name, each in plan.steps.items():  # in an order that respects their needs
        if found & (each.needs | each.after):
            found.add(name)
    return found


def _part(plan: Plan, wanted: AbstractSet[StepId], last: Iterable[StepId]) -> Plan:
    """Return the plan of some steps, which need no others; the `last` are its outputs."""
    steps = {
        name: replace(each, after=each.after & wanted)
        for name, each in plan.steps.items()
        if name in wanted
    }
    read = {each for one in steps.values() for each in inputs_read(one, plan.inputs)}
    answers = tuple(last)
    return replace(
        plan,
        steps=steps,
        inputs={
            name: each if name in read else replace(each, optional=True)
            for name, each in plan.inputs.items()
        },
        outputs={name: parse_template(f"{{{{ {name} }}}}") for name in answers},
        output_types={name: steps[name].output for name in answers},
    )


def _with_cache(
    plan: Plan, names: Iterable[StepId], cache: Literal["off", "refresh"]
) -> Plan:
    chosen = frozenset(names)

    def changed(step: PlannedStep) -> PlannedStep:
        is_off = step.cache == "off"  # never kept, whatever is asked
        return step if step.id not in chosen or is_off else replace(step, cache=cache)

    return replace(plan, steps={name: changed(one) for name, one in plan.steps.items()})


def _known(plan: Plan, step: str) -> StepId:
    name = StepId(step)
    if name not in plan.steps:
        raise UsageError(
            "step.unknown",
            f"the workflow has no step called {step!r}",
            mend=did_you_mean(step, plan.steps),
        )
    return name
