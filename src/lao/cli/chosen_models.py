# SPDX-License-Identifier: Apache-2.0
"""`--model`: from what was typed to a workflow with those models."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from lao.planning.engines import at_base
from lao.planning.overrides import use_everywhere, use_named
from lao.runtime import model_called
from lao.workflow.steps import Recipe, Workflow

if TYPE_CHECKING:
    from lao.workflow.local_models import ModelBackend


def with_models(
    workflow: Workflow, texts: Sequence[str], recipes: Mapping[str, Recipe]
) -> Workflow:
    """Return the workflow with the models that every `--model` chose.

    Relative paths on the command line start from the current folder.

    Raises:
        UsageError: one names no model, or is for a name that does not exist.
    """
    named: dict[str, ModelBackend] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if equals and name.isidentifier():
            named[name] = at_base(model_called(value), ".")
        else:
            workflow = use_everywhere(
                workflow, at_base(model_called(text), "."), recipes
            )
    return use_named(workflow, named)
