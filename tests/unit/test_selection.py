# SPDX-License-Identifier: Apache-2.0
"""A part of a plan, and what of it runs although it is known."""

import pytest
from hypothesis import given, strategies as st

from lao.errors import UsageError
from lao.planning.compiler import compile_workflow
from lao.planning.selection import from_step, refreshing, until_step, without_cache
from lao.workflow.local_models import Ollama
from lao.workflow.steps import Input, Workflow, WorkflowStep
from lao.workflow.values import TEXT, list_of

MODEL = Ollama(model="m")


def ask(name, prompt="x", **words):
    return WorkflowStep(id=name, model=MODEL, prompt_template=prompt, **words)


def plan(*steps, **words):
    return compile_workflow(Workflow(name="test", steps=steps, **words))


def caches(plan):
    return {name: step.cache for name, step in plan.steps.items()}


FORK = plan(
    ask("a", "{{ inputs.x }}"),
    ask("b", "{{ a }} {{ inputs.y }}"),
    ask("c", "{{ a }}"),
    ask("d", "{{ b }}"),
    ask("e"),
    connections=[("c", "e")],
)


def test_without_cache_no_result_is_looked_for_or_kept():
    assert set(caches(without_cache(FORK)).values()) == {"off"}


def test_the_named_steps_are_made_anew_and_no_others():
    wanted = dict.fromkeys("abcde", "auto") | dict.fromkeys("bd", "refresh")
    assert caches(refreshing(FORK, ["b", "d"])) == wanted


def test_from_a_step_on_everything_behind_it_is_made_anew():
    wanted = dict.fromkeys("abd", "auto") | dict.fromkeys("ce", "refresh")
    assert caches(from_step(FORK, "c")) == wanted
    assert set(caches(from_step(FORK, "a")).values()) == {"refresh"}


def test_what_is_never_kept_stays_so():
    off = plan(ask("a", cache="off"), ask("b", "{{ a }}"))
    assert caches(from_step(off, "a")) == {"a": "off", "b": "refresh"}


def test_until_a_step_only_what_it_needs_runs_and_its_output_is_the_answer():
    part = until_step(FORK, "d")
    assert list(part.steps) == ["a", "b", "d"]
    assert (list(part.outputs), part.output_types) == (["d"], {"d": TEXT})
    assert part.outputs["d"].evaluate({"d": "answer"}) == "answer"


def test_what_a_step_merely_follows_is_left_out():
    assert list(until_step(FORK, "e").steps) == ["e"]
    assert until_step(FORK, "e").steps["e"].after == frozenset()


def test_inputs_that_no_step_reads_any_more_need_not_be_given():
    inputs = until_step(FORK, "c").inputs
    assert {name: each.optional for name, each in inputs.items()} == {
        "x": False,
        "y": True,
    }


def test_an_input_that_is_read_whole_or_for_a_loop_is_still_wanted():
    declared = {name: Input(type=list_of(TEXT)) for name in ("x", "y", "z")}
    looping = plan(
        ask("a", "{{ item }}", for_each="{{ inputs.x }}"),
        ask("b", "{{ inputs.y | join }}", when="{{ inputs.z }}"),
        inputs=declared,
    )
    loop, rest = until_step(looping, "a"), until_step(looping, "b")
    assert [name for name, each in loop.inputs.items() if not each.optional] == ["x"]
    assert [n for n, each in rest.inputs.items() if not each.optional] == ["y", "z"]
    assert loop.output_types == {"a": list_of(TEXT)}


@pytest.mark.parametrize(
    "choose",
    [
        lambda plan, name: refreshing(plan, ["long", name]),
        from_step,
        until_step,
    ],
)
def test_a_name_that_is_no_step_is_refused_with_the_nearest(choose):
    with pytest.raises(UsageError, match="lnog") as caught:
        choose(plan(ask("long"), ask("other")), "lnog")
    assert caught.value.code == "step.unknown"
    assert caught.value.problem.mend == "did you mean 'long'?"


@st.composite
def plans(draw):
    """Plans of up to eight steps, each reading or following some before it."""
    count = draw(st.integers(1, 8))
    before = [
        draw(st.sets(st.integers(0, n - 1))) if n else set() for n in range(count)
    ]
    reads = [draw(st.sets(st.sampled_from(sorted(b)))) if b else set() for b in before]
    steps = [
        ask(f"s{n}", "x" + "".join(f"{{{{ s{m} }}}}" for m in sorted(reads[n])))
        for n in range(count)
    ]
    follows = [(f"s{m}", f"s{n}") for n in range(count) for m in before[n] - reads[n]]
    return plan(*steps, connections=follows), f"s{draw(st.integers(0, count - 1))}"


@given(plans())
def test_each_step_of_a_part_has_what_it_needs_and_is_needed(given):
    whole, last = given
    part = until_step(whole, last)
    needed = {need for step in part.steps.values() for need in step.needs}
    assert needed | {last} == part.steps.keys()
    assert all(step.after <= part.steps.keys() for step in part.steps.values())
    assert list(part.steps) == [name for name in whole.steps if name in part.steps]
    assert until_step(part, last) == part


@given(plans())
def test_what_is_made_anew_is_exactly_what_comes_after(given):
    whole, first = given
    anew = {
        name
        for name, cache in caches(from_step(whole, first)).items()
        if cache != "auto"
    }
    for name, step in whole.steps.items():
        is_behind = name == first or bool((step.needs | step.after) & anew)
        assert (name in anew) == is_behind
