# SPDX-License-Identifier: Apache-2.0
"""`--model`: other models for a workflow than its file names."""

from collections.abc import Mapping
from dataclasses import replace

from lao.errors import UsageError, did_you_mean
from lao.workflow.local_models import ModelBackend, label, sort_of
from lao.workflow.steps import Workflow, WorkflowStep


def use_models(
    workflow: Workflow,
    everywhere: ModelBackend | None,
    named: Mapping[str, ModelBackend],
) -> Workflow:
    """Return the workflow with other models.

    `everywhere` takes the place of each model of its own sort (a language model
    never that of a recogniser); `named` those of one name in `models:`, or of one
    step. A model named by both goes by its name.

    Raises:
        UsageError: a name is neither a model nor a step of the workflow.
    """
    steps = {step.id for step in workflow.steps}
    for name in named:
        if name not in workflow.models and name not in steps:
            raise UsageError(
                "model.unknown-name",
                f"the workflow has no model or step called {name!r}",
                mend=did_you_mean(name, [*workflow.models, *steps]),
            )
    models = {
        name: named.get(name) or _replaced(model, everywhere)
        for name, model in workflow.models.items()
    }
    return replace(
        workflow,
        models=models,
        steps=tuple(_step(step, everywhere, named) for step in workflow.steps),
    )


def _step(
    step: WorkflowStep,
    everywhere: ModelBackend | None,
    named: Mapping[str, ModelBackend],
) -> WorkflowStep:
    if step.id in named:
        return replace(step, model=named[step.id])
    if step.model is None or isinstance(step.model, str):
        return step
    return replace(step, model=_replaced(step.model, everywhere))


def _replaced(model: ModelBackend, other: ModelBackend | None) -> ModelBackend:
    if other is None:
        return model
    sort = "chat" if sort_of(other) == "any" else sort_of(other)
    return other if sort_of(model) == sort else model


def default_sort(model: ModelBackend) -> str:
    """Return the sort of recipe that a model given for the whole run serves.

    Raises:
        UsageError: it serves one task only and must be named for a step.
    """
    match sort_of(model):
        case "chat" | "any":
            return "chat"
        case "speech":
            return "speech"
        case "text":
            raise UsageError(
                "model.needs-name",
                f"{label(model)} does one task only",
                mend=f"say for which step: --model STEP={label(model)}",
            )
