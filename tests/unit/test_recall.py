# SPDX-License-Identifier: Apache-2.0
"""A run that goes on takes over what is finished, does the rest, and ends the same."""

import asyncio
from itertools import pairwise

import pytest
from hypothesis import given, strategies as st
from tests.fakes import Bench

from lao.errors import StepError, StoreError
from lao.events import (
    Event,
    ItemFinished,
    RunFinished,
    RunResumed,
    StepFailed,
    StepFinished,
    StepStarted,
    fold,
)
from lao.workflow.local_models import Ollama
from lao.workflow.steps import Default, Input, OnError, WorkflowStep
from lao.workflow.values import TEXT, list_of

DECLARED = {"xs": Input(type=list_of(TEXT))}
INPUTS = {"xs": ["p", "q", "r"]}
BROKEN = StepError("fake.broken", "it broke")


def ask(name, prompt="say", needs=(), **words):
    prompt += "".join(f" {{{{ {each} }}}}" for each in needs)
    return WorkflowStep(
        id=name, model=Ollama(model=name), prompt_template=prompt, cache="off", **words
    )


@st.composite
def workflows(draw):
    """Draw up to eight steps: loops, conditions, failures with and without a way out."""
    steps, broken = [], set()
    for number in range(draw(st.integers(1, 8))):
        before = [step.id for step in steps]
        needs = draw(st.lists(st.sampled_from(before), unique=True)) if before else []
        words = draw(
            st.sampled_from(
                [
                    {},
                    {},
                    {"for_each": "{{ inputs.xs }}", "prompt": "do {{ item }}"},
                    {"when": "{{ inputs.xs | length > 5 }}"},
                    {
                        "when": "{{ inputs.xs | length > 5 }}",
                        "default": Default("none"),
                    },
                    {"default": Default("nothing")},
                    {"on_error": OnError(action="skip")},
                    {"on_error": OnError(action="skip"), "default": Default("lost")},
                ]
            )
        )
        name = f"s{number}"
        if draw(st.integers(0, 4)) == 0:
            broken.add(f"ollama:{name}")
        steps.append(ask(name, needs=needs, **words))
    return steps, broken


def scripted(broken):
    return Bench({name: [BROKEN] for name in broken})


async def go(tools, steps, **words):
    return await tools.run(*steps, declared=DECLARED, inputs=INPUTS, **words)


def kept(tools):
    return tools.store.kept["r1"]


@given(workflows(), st.data())
def test_a_run_cut_anywhere_ends_as_if_it_had_not_been(drawn, data):
    steps, broken = drawn
    whole = scripted(broken)
    expected = asyncio.run(go(whole, steps))
    events = kept(whole)
    cut = data.draw(st.integers(1, len(events)), label="cut")
    rest = scripted(broken)
    result = asyncio.run(go(rest, steps, past=events[:cut]))
    assert result.outputs == expected.outputs
    assert {each.step for each in result.failures} == {
        each.step for each in expected.failures
    }
    told = fold([*events[:cut], *kept(rest)])
    assert {name: step.status for name, step in told.steps.items()} == {
        name: step.status for name, step in fold(events).steps.items()
    }


@given(workflows(), st.data())
def test_no_model_is_asked_again_for_what_is_finished(drawn, data):
    steps, _ = drawn
    whole = scripted(())
    asyncio.run(go(whole, steps))
    events = kept(whole)
    cut = data.draw(st.integers(1, len(events)), label="cut")
    past = [event.fact for event in events[:cut]]
    loops = {step.id for step in steps if step.for_each}
    done = sum(
        isinstance(fact, ItemFinished)
        or (isinstance(fact, StepFinished) and fact.step not in loops)
        for fact in past
    )
    rest = scripted(())
    asyncio.run(go(rest, steps, past=events[:cut]))
    assert len(rest.asked) == len(whole.asked) - done


@given(workflows(), st.data())
def test_a_run_may_be_cut_twice(drawn, data):
    steps, broken = drawn
    whole = scripted(broken)
    expected = asyncio.run(go(whole, steps))
    past = kept(whole)[: data.draw(st.integers(1, len(kept(whole))))]
    second = scripted(broken)
    asyncio.run(go(second, steps, past=past))
    past = past + kept(second)[: data.draw(st.integers(1, len(kept(second))))]
    third = scripted(broken)
    assert asyncio.run(go(third, steps, past=past)).outputs == expected.outputs
    numbers = [event.sequence for event in [*past, *kept(third)]]
    assert all(one < other for one, other in pairwise(numbers))


async def test_a_loop_goes_on_in_the_middle():
    steps = [ask("each", "do {{ item }}", for_each="{{ inputs.xs }}")]
    whole = Bench(per_model=1)
    await go(whole, steps)
    events = kept(whole)
    cut = next(n for n, e in enumerate(events) if isinstance(e.fact, ItemFinished)) + 1
    rest = Bench()
    result = await go(rest, steps, past=events[:cut])
    assert result.outputs["each"] == ["do p", "do q", "do r"]
    assert rest.asked == ["do q", "do r"]
    assert rest.sink.of(RunResumed)[0].items == {"each": 1}


async def test_a_failed_step_runs_again_and_what_stood_behind_it():
    steps = [
        ask("a"),
        ask("b", needs=["a"], default=Default("-")),
        ask("c", "c {{ b }}"),
    ]
    first = Bench({"ollama:a": [BROKEN]})
    await go(first, steps)
    again = Bench()
    result = await go(again, steps, past=kept(first))
    assert again.asked == ["c say say", "say", "say say"]
    assert result.outputs == {"c": "c say say"}


async def test_a_finished_run_that_goes_on_asks_nothing():
    steps = [ask("a"), ask("b", needs=["a"])]
    first = Bench()
    expected = await go(first, steps)
    again = Bench()
    result = await go(again, steps, past=kept(first))
    assert (result.outputs, again.asked) == (expected.outputs, [])
    assert result.status == "done"


# A journal that fails


class FullStore:
    """A store that takes some facts and then none."""

    def __init__(self, takes):
        self.takes = takes
        self.kept = {}

    async def append(self, event: Event):
        if not self.takes(event.fact):
            raise StoreError("store.full", "the disk is full", mend="free some space")
        self.kept.setdefault(event.run, []).append(event)


async def test_a_full_disk_ends_the_run_and_what_is_recorded_stands():
    steps = [ask("a"), ask("b", needs=["a"]), ask("c", needs=["b"])]
    tools = Bench()
    tools.store = FullStore(lambda fact: getattr(fact, "step", "") != "b")
    result = await go(tools, steps)
    assert result.unrecorded.code == "store.full"
    assert (result.status, result.exit_code) == ("failed", 1)
    assert tools.asked == ["say"]  # the start of `b` could not be recorded
    assert {fact.step for fact in tools.sink.of(StepFinished)} == {"a"}
    assert not tools.sink.of(StepFailed)
    assert not tools.sink.of(RunFinished)


async def test_what_was_made_is_returned_when_the_end_cannot_be_recorded():
    tools = Bench()
    tools.store = FullStore(lambda fact: not isinstance(fact, RunFinished))
    result = await go(tools, [ask("a")])
    assert result.outputs == {"a": "say"}
    assert (result.status, result.exit_code) == ("done", 1)
    assert result.unrecorded.code == "store.full"


async def test_a_step_whose_record_is_lost_still_gives_its_output():
    tools = Bench()
    tools.store = FullStore(lambda fact: not isinstance(fact, StepFinished))
    result = await go(tools, [ask("a")])
    assert result.outputs == {"a": "say"}
    assert tools.sink.of(StepStarted)
    assert not tools.sink.of(StepFinished)


async def test_a_full_disk_in_a_loop_is_not_a_failure_of_the_step():
    tools = Bench()
    tools.store = FullStore(lambda fact: not isinstance(fact, ItemFinished))
    result = await go(tools, [ask("each", "do {{ item }}", for_each="{{ inputs.xs }}")])
    assert result.failures == ()
    assert result.unrecorded.code == "store.full"


@pytest.mark.parametrize("kind", ["run-started", "run-resumed"])
async def test_a_run_that_cannot_be_entered_does_not_begin(kind):
    tools = Bench()
    tools.store = FullStore(lambda fact: fact.kind != kind)
    past = [] if kind == "run-resumed" else None
    with pytest.raises(StoreError):
        await go(tools, [ask("a")], past=past)
    assert tools.asked == []
