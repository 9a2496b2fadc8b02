# SPDX-License-Identifier: Apache-2.0
"""`lao run` interrupted or killed at any step, with real workers, and gone on with."""

import json
import os
import signal
import time

import pytest
from tests.e2e.running_lao import Lao, children_of, is_alive

pytestmark = pytest.mark.linux

WORKFLOW = """\
lao: 1
name: cut-off
inputs: { text: { type: text } }
models: { m: { kind: custom, plugin: counting.py } }
steps:
  - { id: first, model: m, prompt_template: "first {{ inputs.text }}" }
  - { id: parts, input: "{{ inputs.text }}", input_transforms: [{ split: " " }] }
  - { id: each, model: m, for_each: "{{ parts }}", prompt_template: "each {{ item }}" }
  - { id: left, model: m, prompt_template: "left {{ first }}" }
  - { id: right, model: m, prompt_template: "right {{ first }}" }
  - { id: last, model: m, prompt_template: "last {{ each | join }} {{ left }} {{ right }}" }
outputs: { answer: "{{ last }}" }
"""
MODEL = """\
import time
from lao.workflow.inference import ModelDescription, ModelReply

class Counting:
    def load(self, options): pass
    def describe(self):
        return ModelDescription(name="counting")
    def infer(self, request, report):
        report.text("called")
        time.sleep(0.5 if request.prompt.startswith("last") else 0.02)
        return ModelReply(value=f"{request.prompt} {len(request.prompt)}", made_by="c")
"""
RUN = ("run", "w.yaml", "--per-model", "3", "--input", "a b c d", "--events", "-")
SOON = 10.0
CALLS = 8


@pytest.fixture
def lao(tmp_path):
    """`lao` beside a workflow and its model, which says that it is called at each call."""
    return prepared(tmp_path)


def prepared(folder):
    lao = Lao(folder=folder)
    lao.file("counting.py", MODEL)
    lao.file("w.yaml", WORKFLOW)
    return lao


def calls(told):
    """Count the calls of the model; each is told before its result can be kept."""
    return sum(each["kind"] == "text-produced" for each in told)


def until(process, event):
    """Read a run's events up to the one with that number, or the last step's start."""
    told = []
    for line in process.stdout:
        told.append(json.loads(line))
        is_last = told[-1]["kind"] == "step-started" and told[-1]["step"] == "last"
        if is_last or told[-1]["sequence"] >= event:
            break
    return told


def finished(told):
    """Count the calls whose results were told."""
    return sum(
        each["kind"] in ("step-finished", "item-finished") and bool(each["key"])
        for each in told
    )


def told_by(lao, *arguments):
    """Return the events of a command that ends well."""
    ended = lao(*arguments, "--events", "-")
    assert ended.code == 0, ended.told
    return list(map(json.loads, ended.out.splitlines()))


def goes_on(lao, told):
    """Go on with the latest run; look that nothing known was done again."""
    later = told_by(lao, "runs", "resume", "latest")
    assert calls(later) <= CALLS - finished(told), told
    assert calls(told) + calls(later) >= CALLS, (told, later)
    return later[-1]["outputs"]["answer"]


@pytest.fixture(scope="module")
def answer(tmp_path_factory):
    """What an undisturbed run gives."""
    told = told_by(prepared(tmp_path_factory.mktemp("whole")), *RUN[:-2], "--ephemeral")
    assert calls(told) == CALLS
    return told[-1]["outputs"]["answer"]


@pytest.mark.parametrize("event", range(1, 28, 4))
def test_a_run_interrupted_at_any_step_goes_on(lao, answer, event):
    with lao.started(*RUN) as process:
        told = until(process, event)
        process.send_signal(signal.SIGINT)
        rest, err = process.communicate(timeout=50)
    told += map(json.loads, rest.splitlines())
    assert process.returncode == 130, err
    assert b"lao runs resume" in err
    assert told[-1]["kind"] == "run-finished"
    assert told[-1]["status"] == "cancelled"
    assert goes_on(lao, told) == answer


@pytest.mark.parametrize("event", [2, 9, 16, 99])
def test_a_killed_run_leaves_no_worker_and_goes_on(lao, answer, event):
    with lao.started(*RUN) as process:
        told = until(process, event)
        workers = children_of(process.pid)
        os.kill(process.pid, signal.SIGKILL)
        begun = time.monotonic()
        while any(map(is_alive, workers)):
            assert time.monotonic() - begun < SOON
        rest, _ = process.communicate(timeout=50)
    told += map(json.loads, rest.splitlines())
    listed = lao("runs", "--json")
    assert '"interrupted"' in listed.answer
    assert goes_on(lao, told) == answer


def test_the_hint_after_a_crash_names_the_run(lao, answer):
    with lao.started(*RUN) as process:
        until(process, 6)
        process.kill()
    again = lao(*RUN[:-2])
    assert "lao runs resume 1" in again.told
    assert again.answer.strip() == answer
