# SPDX-License-Identifier: Apache-2.0
"""A plan's name changes with all that it says, and with nothing else."""

import json
import subprocess
import sys
from hashlib import sha256

import pytest
from msgspec.structs import replace

from lao.planning.compiler import compile_workflow
from lao.planning.fingerprint import _plain, fingerprint
from lao.workflow.local_models import Embedded, LlamaCpp, Ollama
from lao.workflow.steps import (
    Default,
    Input,
    OnError,
    Output,
    Retry,
    Workflow,
    WorkflowStep,
)
from lao.workflow.transforms import Strip, Truncate
from lao.workflow.values import JSON

STEP = WorkflowStep(
    id="b", model=Ollama(model="m"), prompt_template="{{ a }} {{ inputs.x }}"
)
WORKFLOW = Workflow(
    name="w",
    steps=[WorkflowStep(id="a", model=Embedded(name="summary"), input="t"), STEP],
)


def test_a_name_made_step_by_step_is_that_of_the_whole():
    plan = compile_workflow(WORKFLOW)
    text = json.dumps(_plain(plan), sort_keys=True)

    assert fingerprint(plan) == f"sha256:{sha256(text.encode()).hexdigest()}"


def name_of(workflow):
    return fingerprint(compile_workflow(workflow))


@pytest.mark.parametrize(
    "change",
    [
        {"model": Ollama(model="n")},
        {"model": LlamaCpp(model_path="m")},
        {"prompt_template": "{{ a }}, {{ inputs.x }}"},
        {"system": "Be brief."},
        {"options": {"seed": 1}},
        {"output": Output(type=JSON)},
        {"input": "{{ a }}"},
        {"input": "{{ a }}", "input_transforms": [Strip()]},
        {"input": "{{ a }}", "input_transforms": [Truncate(characters=3)]},
        {"when": "{{ a != 'x' }}"},
        {"for_each": "{{ [1, a] }}"},
        {"retry": Retry(attempts=2)},
        {"timeout": 3.0},
        {"on_error": OnError(action="skip")},
        {"default": Default(None)},
        {"cache": "off"},
    ],
    ids=lambda change: ", ".join(map(str, change.items()))[:60],
)
def test_whatever_a_step_says_counts(change):
    changed = replace(WORKFLOW, steps=[WORKFLOW.steps[0], replace(STEP, **change)])
    assert name_of(changed) != name_of(WORKFLOW)


@pytest.mark.parametrize(
    "change",
    [
        {"name": "v"},
        {"outputs": {"only": "{{ b }}"}},
        {"inputs": {"x": Input(default="y")}},
        {"base": "/elsewhere"},
        {"connections": [("a", "b")], "outputs": {"b": "{{ b }}", "a": "{{ a }}"}},
    ],
    ids=", ".join,
)
def test_whatever_a_workflow_says_counts(change):
    assert name_of(replace(WORKFLOW, **change)) != name_of(WORKFLOW)


def test_it_is_the_same_in_every_process():
    program = (
        "from tests.unit.test_fingerprint import WORKFLOW, name_of;"
        "print(name_of(WORKFLOW))"
    )
    names = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert names == {name_of(WORKFLOW)}
