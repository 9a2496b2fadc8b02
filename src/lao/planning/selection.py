# SPDX-License-Identifier: Apache-2.0
"""Plans that run a part of another, or that run again what is known."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

from lao.errors import UsageError, did_you_mean
from lao.planning.plan import Plan, PlannedStep
from lao.planning.reading import inputs_read
from lao.workflow.steps import StepId
from lao.workflow.template import parse_template


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
    again = {_known(plan, step)}
    for name, each in plan.steps.items():  # in an order that respects their needs
        if again & (each.needs | each.after):
            again.add(name)
    return _with_cache(plan, again, "refresh")


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
    steps = {
        name: replace(each, after=each.after & wanted)
        for name, each in plan.steps.items()
        if name in wanted
    }
    read = {each for one in steps.values() for each in inputs_read(one, plan.inputs)}
    return replace(
        plan,
        steps=steps,
        inputs={
            name: each if name in read else replace(each, optional=True)
            for name, each in plan.inputs.items()
        },
        outputs={last: parse_template(f"{{{{ {last} }}}}")},
        output_types={last: steps[last].output},
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
