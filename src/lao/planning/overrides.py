# SPDX-License-Identifier: Apache-2.0
"""`--model`: other models for a workflow than it names itself."""

from collections.abc import Mapping

from msgspec.structs import replace

from lao.errors import UsageError, did_you_mean
from lao.workflow.local_models import ModelBackend, label, sort_of
from lao.workflow.steps import Recipe, Workflow, WorkflowStep


def use_everywhere(
    workflow: Workflow, model: ModelBackend, recipes: Mapping[str, Recipe]
) -> Workflow:
    """Return the workflow with `model` in the place of each model of its own sort.

    A language model never takes the place of a recogniser. Prompts and
    recipes that name no model get it too.

    Raises:
        UsageError: the model serves one task only and must be named for a step.
    """
    sort = default_sort(model)

    def chosen(step: WorkflowStep) -> WorkflowStep:
        if step.uses is not None and not _names_model(step) and step.uses in recipes:
            fits = recipes[step.uses].needs == sort
            return replace(step, model=model) if fits else step
        if isinstance(step.model, str):
            return step
        if step.model is None:
            is_asked = step.uses is None and step.prompt_template is not None
            return replace(step, model=model) if is_asked and sort == "chat" else step
        return replace(step, model=_replaced(step.model, model, sort))

    models = {
        name: _replaced(each, model, sort) for name, each in workflow.models.items()
    }
    return replace(workflow, models=models, steps=tuple(map(chosen, workflow.steps)))


def use_named(workflow: Workflow, named: Mapping[str, ModelBackend]) -> Workflow:
    """Return the workflow with other models for names in `models:`, or for steps.

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
    return replace(
        workflow,
        models={name: named.get(name, each) for name, each in workflow.models.items()},
        steps=tuple(
            replace(step, model=named[step.id]) if step.id in named else step
            for step in workflow.steps
        ),
    )


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


def _names_model(step: WorkflowStep) -> bool:
    return step.model is not None or "model" in step.arguments


def _replaced(model: ModelBackend, other: ModelBackend, sort: str) -> ModelBackend:
    return other if sort_of(model) == sort else model
