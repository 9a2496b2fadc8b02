# SPDX-License-Identifier: Apache-2.0
"""A part of a plan, and what of it runs although it is known."""

import pytest
from hypothesis import given, strategies as st

from lao.durable import Selection
from lao.errors import UsageError
from lao.planning.compiler import compile_workflow
from lao.planning.selection import (
    from_step,
    is_of,
    pinned,
    refreshing,
    stopping_before,
    until_step,
    without_cache,
)
from lao.store.codec import decode, encode
from lao.workflow.local_models import Ollama
from lao.workflow.steps import Input, Output, Workflow, WorkflowStep
from lao.workflow.template import evaluate_tree
from lao.workflow.values import AUDIO, EMBEDDING, FILE, JSON, TEXT, FileValue, list_of

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


def test_stopping_before_a_step_leaves_it_and_its_followers_out():
    part = stopping_before(FORK, ["c"])
    assert list(part.steps) == ["a", "b", "d"]
    assert list(part.outputs) == ["d"]
    assert list(stopping_before(FORK, ["b"]).outputs) == ["c", "e"]  # e follows c only
    assert list(stopping_before(FORK, ["b", "c"]).steps) == ["a"]


def test_stopping_before_the_only_step_leaves_nothing_to_do():
    part = stopping_before(plan(ask("a", "{{ inputs.x }}")), ["a"])
    assert (dict(part.steps), dict(part.outputs)) == ({}, {})
    assert part.inputs["x"].optional


def test_a_pinned_step_gives_its_value_and_needs_nothing():
    step = pinned(FORK, {"c": "{{ a }} {% x"}).steps["c"]
    assert (step.needs, step.after, step.engines, step.when) == (set(), set(), (), None)
    assert evaluate_tree(step.input, {}) == "{{ a }} {% x"


def test_a_pinned_step_can_give_files_lists_and_json():
    shapes = plan(
        WorkflowStep(id="file", input="{{ inputs.audio }}"),
        WorkflowStep(id="many", input="{{ inputs.files }}"),
        ask("json", output=Output(type=JSON)),
        inputs={"audio": Input(type=AUDIO), "files": Input(type=list_of(FILE))},
    )
    values = {
        "file": FileValue("/talk.wav", "audio"),
        "many": [FileValue("/talk.wav", "audio"), FileValue("/a.png", "image")],
        "json": {"a": [1, None, "x"]},
    }
    steps = pinned(shapes, values).steps
    assert {name: evaluate_tree(steps[name].input, {}) for name in values} == values


@pytest.mark.parametrize("value", [7, None, ["a"], {"file": "x"}, FileValue("/x")])
def test_a_value_of_another_type_cannot_be_pinned(value):
    with pytest.raises(UsageError) as caught:
        pinned(FORK, {"c": value})
    assert caught.value.code == "step.pin-does-not-fit"


def test_a_list_is_pinned_only_if_each_element_fits():
    looping = plan(ask("a", "{{ item }}", for_each="{{ inputs.x | lines }}"))
    assert is_of(["a", "b"], looping.steps["a"].output)
    assert not is_of(["a", 7], looping.steps["a"].output)


def test_files_do_not_hide_in_json():
    assert not is_of({"a": [FileValue("/x")]}, JSON)
    assert not is_of([1, True], EMBEDDING)
    assert not is_of(FileValue("/x", "image"), AUDIO)


@given(plans())
def test_what_is_left_before_a_step_needs_nothing_of_what_is_gone(given):
    whole, step = given
    part = stopping_before(whole, [step])
    gone = whole.steps.keys() - part.steps.keys()
    assert step in gone
    for name in gone - {step}:
        assert (whole.steps[name].needs | whole.steps[name].after) & gone
    for each in part.steps.values():
        assert (each.needs | each.after) <= part.steps.keys()
    read = {need for each in part.steps.values() for need in each.needs}
    assert part.outputs.keys() == part.steps.keys() - read


@given(plans(), st.data())
def test_pinned_steps_cut_what_stands_before_them_off(given, data):
    whole, last = given
    names = data.draw(st.sets(st.sampled_from(sorted(whole.steps))))
    part = pinned(whole, dict.fromkeys(names, "known"))
    for name, step in part.steps.items():
        assert step == whole.steps[name] or name in names
    assert until_step(part, last).steps.keys() <= until_step(whole, last).steps.keys()
    if last in names:
        assert list(until_step(part, last).steps) == [last]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
    ),
    max_leaves=6,
) | st.builds(FileValue, st.text(min_size=1), st.sampled_from(["audio", "file"]))


@given(
    st.builds(
        Selection,
        no_cache=st.booleans(),
        refresh=st.lists(st.text(), max_size=2).map(tuple),
        start=st.none() | st.text(),
        until=st.none() | st.text(),
        before=st.lists(st.text(), max_size=2).map(tuple),
        pinned=st.dictionaries(st.text(), VALUES, max_size=3),
    )
)
def test_a_selection_is_kept_in_an_order_and_read_again(selection):
    text, held = encode({"flags": selection.to_json()})
    again = Selection.from_json(decode(text, held.__getitem__)["flags"])
    assert again == selection


def test_a_run_of_a_part_can_stop_within_it():
    part = Selection(until="d", start="b", before=("b",)).apply(FORK)
    assert list(part.steps) == ["a"]


def test_orders_of_before_read_as_they_did():
    assert Selection.from_json({"before": "a"}) == Selection(before=("a",))
    old = {"no_cache": False, "refresh": ["a"], "from": None, "until": "b"}
    assert Selection.from_json(old) == Selection(refresh=("a",), until="b")
    assert Selection(refresh=("a",), until="b").to_json() == old
