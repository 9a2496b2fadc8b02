# SPDX-License-Identifier: Apache-2.0
"""`--model` changes models of its own sort, and by name any."""

import pytest

from lao.errors import UsageError
from lao.planning.overrides import default_sort, use_everywhere, use_named
from lao.recipes import find_recipes
from lao.workflow.local_models import Custom, Embedded, Ollama, WhisperCpp
from lao.workflow.steps import Workflow, WorkflowStep

OLD, NEW = Ollama(model="old"), Ollama(model="new")
EARS = WhisperCpp(model_path="/m.bin")
OWN = Custom(plugin="own.py")
WORKFLOW = Workflow(
    name="w",
    models={"writer": OLD, "ears": EARS},
    steps=(
        WorkflowStep(id="named", model="writer", prompt_template="x"),
        WorkflowStep(id="inline", model=OLD, prompt_template="x"),
        WorkflowStep(id="heard", model=EARS, input="x"),
        WorkflowStep(id="recipe", uses="summarize", input="x"),
        WorkflowStep(id="own", uses="summarize", input="x", model=OLD),
        WorkflowStep(id="told", uses="summarize", arguments={"model": "writer"}),
        WorkflowStep(id="hearing", uses="transcribe", input="x"),
        WorkflowStep(id="unknown", uses="sumarize", input="x"),
        WorkflowStep(id="plain", input="x"),
    ),
)
RECIPES = find_recipes()


def models(workflow=WORKFLOW):
    """Return each model by its name, and that of each step by its id."""
    return {**workflow.models, **{step.id: step.model for step in workflow.steps}}


@pytest.mark.parametrize("model", [NEW, OWN])
def test_a_language_model_takes_the_place_of_language_models_only(model):
    changed = dict.fromkeys(["writer", "inline", "recipe", "own"], model)
    assert models(use_everywhere(WORKFLOW, model, RECIPES)) == models() | changed


def test_a_recogniser_takes_the_place_of_recognisers_only():
    other = WhisperCpp(model_path="/other.bin")
    changed = dict.fromkeys(["ears", "heard", "hearing"], other)
    assert models(use_everywhere(WORKFLOW, other, RECIPES)) == models() | changed


def test_a_name_says_which_model_or_step_is_meant():
    assert models(use_named(WORKFLOW, {"writer": NEW})) == models() | {"writer": NEW}
    assert models(use_named(WORKFLOW, {"recipe": NEW})) == models() | {"recipe": NEW}
    assert use_named(WORKFLOW, {}) == WORKFLOW


def test_an_unknown_name_is_told_with_the_nearest_one():
    with pytest.raises(UsageError) as caught:
        use_named(WORKFLOW, {"wrtier": NEW})
    assert caught.value.code == "model.unknown-name"
    assert caught.value.problem.mend == "did you mean 'writer'?"


def test_what_a_model_for_the_whole_run_serves():
    assert [default_sort(model) for model in (NEW, OWN, EARS)] == [
        "chat",
        "chat",
        "speech",
    ]
    with pytest.raises(UsageError) as caught:
        default_sort(Embedded(name="summary"))
    assert "--model STEP=embedded:summary" in caught.value.problem.mend
