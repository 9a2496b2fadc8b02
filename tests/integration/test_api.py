# SPDX-License-Identifier: Apache-2.0
"""LAO from Python, with real models in real workers."""

import asyncio
import os
from contextlib import aclosing
from pathlib import Path

import pytest

from lao import (
    Custom,
    Embedded,
    LaoError,
    RunFailed,
    Workflow,
    WorkflowStep,
    load,
    run,
    run_async,
    stream_events,
)
from lao.config import load_settings
from lao.events import RunFinished, fold

TEXT = (
    "Ana Ruiz of Acme Ltd. met Ben Lee in Berlin on 3 May 2024. "
    "They talked about the new warehouse for an hour. "
    "The warehouse costs $4,000 a month, and Acme will rent it from June. "
    "It rained all day."
)
WORKFLOW = Workflow(
    name="notes",
    steps=[
        WorkflowStep(
            id="summary", model=Embedded(name="summary"), input="{{ inputs.text }}"
        ),
        WorkflowStep(
            id="entities", model=Embedded(name="entities"), input="{{ inputs.text }}"
        ),
    ],
)
SLEEPER = """
import time
from lao import ModelDescription, ModelReply

class Sleeper:
    def load(self, options):
        pass

    def describe(self):
        return ModelDescription(name="sleeper")

    def infer(self, request, report):
        if request.input == "fail":
            raise ZeroDivisionError("oops")
        report.text("asleep")
        while not report.cancelled:
            time.sleep(0.01)
        return ModelReply(value="awake", made_by="sleeper")
"""


@pytest.fixture
def settings(tmp_path):
    """Return the settings of somebody who has set nothing."""
    return load_settings({"HOME": str(tmp_path)})


@pytest.fixture
def sleeper(tmp_path):
    """Return a maker of workflows with a model that never answers by itself."""
    path = tmp_path / "sleeper.py"
    path.write_text(SLEEPER)
    model = Custom(plugin=f"{path}:Sleeper")

    def make(*others, text="sleep"):
        step = WorkflowStep(id="sleep", model=model, input=text)
        return Workflow(name="sleepy", steps=[*others, step])

    return make


needs_proc = pytest.mark.skipif(
    not Path("/proc/self").exists(), reason="looks for processes in /proc"
)


def children():
    """Return the processes that this one started and that still run."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:  # it ended meanwhile
            continue
        if int(fields[1]) == os.getpid() and fields[0] != "Z":
            found.append(path.parent.name)
    return found


def test_run_gives_the_outputs(settings):
    result = run(WORKFLOW, inputs={"text": TEXT}, settings=settings)

    assert result.status == "done"
    assert "warehouse" in result.outputs["summary"]
    assert "Ana Ruiz" in result.outputs["entities"]["people"]
    assert children() == []


async def test_run_async_gives_the_outputs_to_many_at_once(settings):
    texts = [TEXT, "Carl Orff lives in Munich. He works there, too."]
    results = await asyncio.gather(
        *(run_async(WORKFLOW, inputs={"text": t}, settings=settings) for t in texts)
    )
    people = [result.outputs["entities"]["people"] for result in results]
    assert "Ana Ruiz" in people[0]
    assert "Carl Orff" in people[1]
    assert results[0].run != results[1].run


async def test_events_stream_from_the_start_to_the_end(settings):
    stream = stream_events(WORKFLOW, inputs={"text": TEXT}, settings=settings)
    events = [event async for event in stream]

    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    state = fold(events)
    assert state.status == "done"
    assert {step.status for step in state.steps.values()} == {"done"}
    assert events[-1].fact.outputs["summary"] == state.steps["summary"].finished.value


@needs_proc
async def test_leaving_the_loop_cancels_the_run_and_ends_its_workers(settings, sleeper):
    before = asyncio.all_tasks()
    async with aclosing(stream_events(sleeper(), settings=settings)) as events:
        async for event in events:
            if event.fact.kind == "text-produced":
                assert children()
                break

    assert children() == []
    assert asyncio.all_tasks() == before


async def test_cancelling_the_task_cancels_the_run(settings, sleeper):
    asleep = asyncio.Event()

    async def watch():
        async for event in stream_events(sleeper(), settings=settings):
            if event.fact.kind == "text-produced":
                asleep.set()

    task = asyncio.create_task(watch())
    await asleep.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert children() == []


def test_a_failed_run_raises_and_keeps_what_was_made(settings, sleeper):
    fine = WorkflowStep(id="fine", input="all right")
    with pytest.raises(RunFailed, match="step 'sleep'") as caught:
        run(sleeper(fine, text="fail"), settings=settings)

    error = caught.value
    assert error.exit_code == 3
    assert error.result.outputs == {"fine": "all right"}
    assert [failure.step for failure in error.result.failures] == ["sleep"]


async def test_a_failed_step_is_an_event_of_the_stream(settings, sleeper):
    stream = stream_events(sleeper(text="fail"), settings=settings)
    facts = [event.fact async for event in stream]
    assert [fact.step for fact in facts if fact.kind == "step-failed"] == ["sleep"]
    assert isinstance(facts[-1], RunFinished)
    assert facts[-1].status == "failed"


def test_what_cannot_run_starts_nothing(settings):
    for inputs, code in (({}, "input.missing"), ({"txt": "x"}, "input.unknown")):
        with pytest.raises(LaoError) as caught:
            run(WORKFLOW, inputs=inputs, settings=settings)
        assert caught.value.code == code

    wrong = Workflow(name="w", steps=[WorkflowStep(id="a", input="{{ b }}")])
    with pytest.raises(LaoError) as caught:
        run(wrong, settings=settings)
    assert caught.value.code == "workflow.unknown-step"


def test_a_workflow_file_is_run_from_its_own_folder(settings, tmp_path):
    (tmp_path / "talk.txt").write_text(TEXT)
    (tmp_path / "notes.yaml").write_text(
        "lao: 1\nname: notes\n"
        "inputs:\n  text: { default: { file: talk.txt } }\n"
        "steps:\n  - { id: found, uses: extract-entities, "
        'with: { text: "{{ inputs.text }}" } }\n'
    )
    result = run(load(tmp_path / "notes.yaml"), settings=settings)
    assert "Ben Lee" in result.outputs["found"]["people"]
