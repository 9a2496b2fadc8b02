# SPDX-License-Identifier: Apache-2.0
"""What a step sees, and what its templates say: the same for a run and a forecast."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from lao.engine.requests import template_failure
from lao.errors import StepError
from lao.planning.plan import Engine, PlannedStep, PlannedTransform, Preprocess
from lao.workflow.steps import StepId
from lao.workflow.template import Template, TemplateError, evaluate_tree
from lao.workflow.transforms import TransformError, apply_transforms
from lao.workflow.values import Value

Scope = Mapping[str, Value]
Preprocessing = Callable[[Engine, Scope], Awaitable[Value]]
"""Asks a plugin what it makes of the `input` in a scope."""


def workflow_scope(
    step: PlannedStep, inputs: Scope, values: Mapping[StepId, Value]
) -> dict[str, Value]:
    """Return the workflow's own names: the inputs, and what the step needs."""
    scope: dict[str, Value] = {"inputs": dict(inputs)}
    for need in step.needs:
        if need in values:
            scope[need] = values[need]
    return scope


def holds(step: PlannedStep, scope: Scope) -> bool:
    """Whether the step's condition, if it has one, is true.

    Raises:
        StepError: it cannot be evaluated.
    """
    if step.when is None:
        return True
    try:
        return bool(step.when.evaluate(scope))
    except TemplateError as error:
        raise template_failure(error) from error


def elements(step: PlannedStep, scope: Scope, *, at_most: int) -> list[Value]:
    """Return what a step with `for_each` runs over.

    Raises:
        StepError: that is no list, or a list longer than is run.
    """
    try:
        items = step.for_each.evaluate(scope) if step.for_each else None
    except TemplateError as error:
        raise template_failure(error) from error
    if not isinstance(items, list):
        raise StepError(
            "step.not-a-list",
            f"`for_each` of step {step.id!r} got something that is not a list",
            mend="make a list with the transform `lines`, `split` or `select`",
        )
    if len(items) > at_most:
        raise StepError(
            "step.list-too-long",
            f"`for_each` of step {step.id!r} got {len(items):,} elements; "
            f"at most {at_most:,} are run",
            mend="cut the list into several runs",
        )
    return items


async def step_scope(
    step: PlannedStep, scope: Scope, preprocess: Preprocessing
) -> dict[str, Value]:
    """Return what the templates of a step see: its input, and what it is given.

    Raises:
        StepError: a template or a transform cannot work on the values.
        LaoError: whatever `preprocess` raises.
    """
    try:
        given = evaluate_tree(step.input, scope)
        if step.input_transforms:
            given = await _transformed(step.input_transforms, given, preprocess)
        if step.arguments is None:
            return {**scope, "input": given}
        arguments = {
            name: given if tree is step.input else evaluate_tree(tree, scope)
            for name, tree in step.arguments.items()
        }
    except TemplateError as error:
        raise template_failure(error) from error
    except TransformError as error:
        raise StepError(
            "transform.failed",
            str(error),
            mend="check what the step gets as input",
        ) from error
    return {**arguments, "input": given}


async def _transformed(
    transforms: Sequence[PlannedTransform], value: Value, preprocess: Preprocessing
) -> Value:
    for transform in transforms:
        if isinstance(transform, Preprocess):
            value = await preprocess(transform.engine, {"input": value})
        else:
            value = apply_transforms([transform], value)
    return value


def rendered(template: Template, scope: Scope) -> str:
    """Return the text of a template.

    Raises:
        StepError: it cannot be filled in.
    """
    try:
        return template.render(scope)
    except TemplateError as error:
        raise template_failure(error) from error
