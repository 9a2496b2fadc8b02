# SPDX-License-Identifier: Apache-2.0
"""The fold of a run's facts is what is known of the run."""

import json
from typing import get_args

import pytest
from msgspec.structs import fields

from lao.events import (
    Event,
    Fact,
    FallbackChosen,
    ItemFinished,
    PolicyViolated,
    ProgressMade,
    RunFinished,
    RunStarted,
    StepFailed,
    StepFinished,
    StepRetried,
    StepSkipped,
    StepStarted,
    TextProduced,
    WorkerLocked,
    event_to_json,
    fold,
    value_to_json,
)
from lao.workflow.values import FileValue

BEGUN = RunStarted(workflow="notes", steps=("a", "b"), locality="loopback")


def told(*facts):
    return fold(Event("r1", n, float(n), fact) for n, fact in enumerate(facts, 1))


def test_a_run_begins_with_every_step_waiting():
    state = told(BEGUN)

    assert (state.run, state.workflow, state.status) == ("r1", "notes", "running")
    assert state.locality == "loopback"
    assert {step: each.status for step, each in state.steps.items()} == {
        "a": "waiting",
        "b": "waiting",
    }


def test_what_is_told_of_one_step_changes_that_step_only():
    state = told(
        BEGUN,
        StepStarted(step="a", model="ollama:m", items=2),
        TextProduced(step="a", text="Hel"),
        TextProduced(step="a", text="lo"),
        ProgressMade(step="a", done=1, total=4, unit="s"),
        ItemFinished(step="a", item=0, value="x"),
    )

    a = state.steps["a"]
    assert (a.status, a.model, a.items, a.items_done) == ("running", "ollama:m", 2, 1)
    assert a.text == "Hello"
    assert a.progress == (1, 4, "s")
    assert state.steps["b"].status == "waiting"


def test_of_a_long_answer_the_end_is_known():
    pieces = [TextProduced(step="a", text=f"{n:05} ") for n in range(10_000)]
    text = told(BEGUN, *pieces).steps["a"].text
    assert text.endswith("09998 09999 ")
    assert 1_000 < len(text) < 20_000


def test_a_retry_and_a_fallback_begin_the_text_anew():
    retried = StepRetried(step="a", attempt=1, code="c.d", what="w", delay=1.0)
    state = told(BEGUN, TextProduced(step="a", text="Hel"), retried)
    assert (state.steps["a"].text, state.steps["a"].retries) == ("", 1)

    chosen = FallbackChosen(step="a", model="ollama:other", code="c.d", what="w")
    state = told(BEGUN, TextProduced(step="a", text="Hel"), chosen)
    assert (state.steps["a"].text, state.steps["a"].model) == ("", "ollama:other")


@pytest.mark.parametrize(
    ("fact", "status", "where"),
    [
        (StepFinished(step="a", value="x"), "done", "finished"),
        (StepFailed(step="a", code="c.d", what="w"), "failed", "failed"),
        (StepSkipped(step="a", reason="r"), "skipped", "skipped"),
    ],
)
def test_a_step_ends_in_one_of_three_ways(fact, status, where):
    step = told(BEGUN, fact).steps["a"]

    assert step.status == status
    assert getattr(step, where) is fact


def test_a_run_ends_with_its_outputs_and_its_violations():
    violated = PolicyViolated(step="a", code="policy.x", what="w")
    state = told(
        BEGUN, violated, RunFinished(status="failed", outputs={"o": "x"}, seconds=2.0)
    )

    assert (state.status, state.outputs, state.seconds) == ("failed", {"o": "x"}, 2.0)
    assert state.violations == [violated]


def test_no_fact_is_no_run():
    assert fold([]).steps == {}


@pytest.mark.parametrize("kind", get_args(Fact), ids=lambda kind: kind.__name__)
def test_every_fact_is_json_on_the_wire(kind):
    samples = {"step": "a", "steps": ("a",), "value": [FileValue("/a.wav", "audio")]}
    given = {
        each.name: samples.get(each.name, 1)
        for each in fields(kind)
        if each.name not in ("kind", "outputs", "notes")
    }
    line = event_to_json(Event("r1", 7, 1.23456789, kind(**given)))

    assert json.loads(json.dumps(line)) == line
    assert list(line)[:4] == ["run", "sequence", "time", "kind"]
    assert (line["sequence"], line["time"]) == (7, 1.234568)
    assert set(line) == {each.name for each in fields(kind)} | {
        "run",
        "sequence",
        "time",
    }
    if "value" in line:
        assert line["value"] == [{"file": "/a.wav", "type": "audio"}]


def test_what_is_no_value_is_not_written():
    with pytest.raises(TypeError, match="object is not a value"):
        value_to_json({"a": [object()]})


def test_what_workers_proved_is_known_of_the_run():
    locked = WorkerLocked(
        step="a", worker="embedded:summary", level="L3", layers={"seccomp": True}
    )
    begun = RunStarted(
        workflow="notes", steps=("a",), level="L3", layers={"landlock": 7}
    )
    state = told(begun, locked)

    assert (state.level, state.layers) == ("L3", {"landlock": 7})
    assert state.workers == {"embedded:summary": locked}
    assert state.steps["a"].status == "waiting"
