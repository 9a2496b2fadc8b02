# SPDX-License-Identifier: Apache-2.0
"""A forecast says what a run would do, asks no model, and writes nothing."""

import json

import pytest
from hypothesis import given, strategies as st
from tests.fakes import Bench

from lao.cli.plan_view import plan_report
from lao.engine.forecast import Sources, StepForecast, forecast, known_inputs
from lao.errors import ModelUnavailable, RefusedByPolicy, UsageError
from lao.events import StepFinished
from lao.planning.compiler import compile_workflow
from lao.planning.selection import refreshing, without_cache
from lao.recipes import find_recipes
from lao.workflow.local_models import Ollama
from lao.workflow.steps import Default, Input, OnError, Workflow, WorkflowStep
from lao.workflow.transforms import Lines, ParseJson
from lao.workflow.values import AUDIO, JSON, TEXT, list_of

AWAY = ModelUnavailable("fake.away", "it is away")


def ask(name, prompt="x", model="m", **words):
    return WorkflowStep(
        id=name, model=Ollama(model=model), prompt_template=prompt, **words
    )


def pass_on(name, tree, *transforms, **words):
    return WorkflowStep(id=name, input=tree, input_transforms=transforms, **words)


class Before:
    """A workflow that ran, and forecasts of its next run."""

    def __init__(self, *steps, scripts=None, **words):
        self.tools = Bench(scripts)
        self.steps, self.words = steps, words

    def plan(self, *steps):
        workflow = Workflow(name="test", steps=steps or self.steps, **self.words)
        return compile_workflow(workflow)

    async def run(self, **inputs):
        await self.tools.runner(*self.steps, **self._declared()).run(inputs)
        return self

    def _declared(self):
        words = dict(self.words)
        return {"declared": words.pop("inputs", None), **words}

    @property
    def earlier(self):
        finished = self.tools.sink.of(StepFinished)
        return {fact.step: fact.ingredients for fact in finished}

    async def forecast(self, plan=None, **inputs):
        sources = Sources(backends=self.tools.backends, cache=self.tools.cache)
        asked = len(self.tools.asked)
        found = await forecast(plan or self.plan(), inputs, sources, self.earlier)
        assert len(self.tools.asked) == asked, "no model is asked"
        return found


async def statuses(before, *given, **inputs):
    found = await before.forecast(*given, **inputs)
    return {name: (each.status, each.reason) for name, each in found.items()}


CHAIN = (ask("a", "A {{ inputs.x }}"), ask("b", "B {{ a }}"), ask("c", "C {{ b }}"))


async def test_the_first_time_everything_will_run():
    assert await statuses(Before(*CHAIN), x="1") == {
        "a": ("will run", "it has no result yet"),
        "b": ("will run", "`a` runs before it"),
        "c": ("will run", "`b` runs before it"),
    }


async def test_the_second_time_everything_is_cached_with_its_model():
    before = await Before(*CHAIN).run(x="1")
    found = await before.forecast(x="1")
    assert set(found.values()) == {
        StepForecast(status="cached", model_digest="sha256:ollama:m")
    }


async def test_what_changed_is_named_and_what_it_leaves_alone_is_cached():
    before = await Before(*CHAIN, ask("d", "D")).run(x="1")
    found = await before.forecast(x="2")
    assert (found["a"].changed, found["a"].reason) == (("input",), "its input changed")
    assert (found["b"].status, found["d"].status) == ("will run", "cached")

    other = ask("a", "Say {{ inputs.x }}", options={"seed": 1})
    found = await before.forecast(before.plan(other, *CHAIN[1:]), x="1")
    assert found["a"].changed == ("prompt", "options")
    assert found["a"].reason == "its prompt and options changed"


async def test_a_result_that_is_gone_is_said_to_be_gone():
    before = await Before(ask("a")).run()
    before.tools.cache.kept.clear()
    assert await statuses(before) == {
        "a": ("will run", "its result is no longer kept"),
    }


async def test_steps_that_shall_run_will_run():
    before = await Before(*CHAIN).run(x="1")
    anew = await before.forecast(refreshing(before.plan(), ["a"]), x="1")
    assert (anew["a"].status, anew["a"].reason) == ("will run", "it is to be made anew")
    off = await before.forecast(without_cache(before.plan()), x="1")
    assert off["a"].reason == "its results are not kept"


async def test_values_of_steps_that_cost_nothing_flow_on():
    before = await Before(
        pass_on("lines", "{{ inputs.x }}", Lines()), ask("a", "{{ lines.1 }}")
    ).run(x="one\ntwo")
    assert await statuses(before, x="1\ntwo") == {
        "lines": ("will run", ""),
        "a": ("cached", ""),
    }


async def test_what_is_saved_flows_on_and_nothing_is_written(tmp_path):
    recipes = find_recipes()
    kept = WorkflowStep(
        id="kept",
        uses="save",
        arguments={"text": "{{ a }}", "path": str(tmp_path / "f")},
    )
    tools = Bench()
    workflow = Workflow(name="test", steps=(ask("a"), kept, ask("b", "{{ kept }}")))
    plan = compile_workflow(workflow, tools.catalog or _catalog(recipes))
    await tools.runner(ask("a"), ask("b", "x")).run({})
    sources = Sources(backends=tools.backends, cache=tools.cache)
    found = await forecast(plan, {}, sources)
    assert [each.status for each in found.values()] == ["cached", "will run", "cached"]
    assert list(tmp_path.iterdir()) == []


def _catalog(recipes):
    from lao.planning.engines import Catalog

    return Catalog(recipes=recipes)


# Lists


EACH = ask("a", "Of {{ item }}", for_each="{{ inputs.x }}")
LISTED = {"x": Input(type=list_of(TEXT))}


async def test_a_list_is_cached_if_each_of_its_elements_is():
    before = await Before(EACH, ask("b", "{{ a }}"), inputs=LISTED).run(x=["1", "2"])
    assert await statuses(before, x=["2", "1", "2"]) == {
        "a": ("cached", ""),
        "b": ("will run", "its input changed"),
    }
    assert await statuses(before, x=["1", "3", "2"]) == {
        "a": ("will run", "2 of 3 cached"),
        "b": ("will run", "`a` runs before it"),
    }
    assert (await statuses(before, x=["3"]))["a"] == ("will run", "its input changed")


async def test_an_empty_list_costs_nothing():
    before = Before(EACH, pass_on("b", "{{ a }}"), inputs=LISTED)
    found = await before.forecast(x=[])
    assert [each.status for each in found.values()] == ["will run", "will run"]


async def test_what_is_no_list_blocks():
    before = Before(EACH, inputs={"x": Input(type=JSON)})
    (found,) = (await before.forecast(x={"a": 1})).values()
    assert found.status == "blocked"
    assert "not a list" in found.reason


# What stands in the way


async def test_an_input_that_is_not_given_blocks_what_reads_it():
    before = Before(*CHAIN, ask("d", "D"))
    assert await statuses(before) == {
        "a": ("blocked", "the input `x` is not given"),
        "b": ("blocked", "`a` is blocked"),
        "c": ("blocked", "`b` is blocked"),
        "d": ("will run", "it has no result yet"),
    }


async def test_a_default_does_not_make_up_for_a_missing_input():
    wait = pass_on("b", "{{ a }}", default=Default("none"))
    before = Before(ask("a", "{{ inputs.x }}{{ inputs.y }}"), wait)
    assert await statuses(before) == {
        "a": ("blocked", "the inputs `x` and `y` are not given"),
        "b": ("blocked", "`a` is blocked"),
    }


class Lost:
    """A backend whose model cannot be used."""

    def __init__(self, error):
        self.error = error
        self.asked = 0
        self.requests = []

    async def identify(self):
        self.asked += 1
        raise self.error


def without_model(*steps, error=AWAY, **words):
    before = Before(*steps, **words)
    before.tools.backends.opened["ollama:m"] = Lost(error)
    return before


async def test_a_model_that_cannot_be_used_blocks_even_what_comes_later():
    before = without_model(ask("first", model="n"), ask("a", "{{ first }}"), ask("b"))
    assert await statuses(before) == {
        "first": ("will run", "it has no result yet"),
        "a": ("blocked", "it is away"),
        "b": ("blocked", "it is away"),
    }
    assert before.tools.backends["ollama:m"].asked == 1


async def test_what_only_follows_a_blocked_step_is_blocked_too():
    before = without_model(ask("a"), ask("b", model="n"), connections=[("a", "b")])
    assert (await statuses(before))["b"] == ("blocked", "`a` is blocked")


async def test_where_a_step_may_fail_its_default_flows_on():
    may_fail = ask("a", on_error=OnError(action="skip"), default=Default("none"))
    before = without_model(may_fail, pass_on("b", "{{ a }}"), ask("c", "{{ b }}", "n"))
    found = await statuses(before)
    assert found["a"] == ("skipped", "it is away; its default is used")
    assert found["c"] == ("will run", "it has no result yet")


async def test_a_refusal_is_never_passed_over():
    may_fail = ask("a", on_error=OnError(action="skip"))
    before = without_model(may_fail, error=RefusedByPolicy("policy.x", "no"))
    assert await statuses(before) == {"a": ("blocked", "no")}


async def test_the_fallback_counts_where_the_first_model_cannot_be_used():
    spare = OnError(action="use", models=(Ollama(model="n"),))
    before = await Before(ask("a", on_error=spare), scripts={"ollama:m": [AWAY]}).run()
    before.tools.backends.opened["ollama:m"] = Lost(AWAY)
    (found,) = (await before.forecast()).values()
    assert (found.status, found.model_digest) == ("cached", "sha256:ollama:n")


@pytest.mark.parametrize(
    "step",
    [
        ask("a", "{{ inputs.x }}"),
        pass_on("a", "{{ inputs.x }}", ParseJson()),
        ask("a", "{{ inputs.x.y }}"),
    ],
    ids=["empty prompt", "transform", "template"],
)
async def test_a_step_that_is_sure_to_fail_is_blocked(step):
    before = Before(step, inputs={"x": Input(type=TEXT)})
    (found,) = (await before.forecast(x="")).values()
    assert (found.status, bool(found.reason)) == ("blocked", True)


# Conditions


IF = ask("b", "B", when="{{ inputs.x == 'yes' }}")


async def test_a_step_whose_condition_is_false_is_skipped_and_what_needs_it():
    before = Before(IF, ask("c", "{{ b }}"), ask("d"), connections=[("b", "d")])
    assert await statuses(before, x="no") == {
        "b": ("skipped", "its condition is false"),
        "c": ("skipped", "`b` does not run"),
        "d": ("will run", "it has no result yet"),
    }
    assert (await statuses(before, x="yes"))["c"] == ("will run", "`b` runs before it")


async def test_a_condition_on_what_is_not_known_yet_is_left_open():
    before = Before(ask("a"), ask("b", when="{{ a == 'yes' }}"))
    assert (await statuses(before))["b"] == ("will run", "`a` runs before it")


async def test_a_condition_that_is_known_to_be_false_outweighs_a_missing_input():
    step = ask("a", "{{ inputs.y }}", when="{{ inputs.x == 'yes' }}")
    assert (await statuses(Before(step), x="no"))["a"][0] == "skipped"


# The run is right


@st.composite
def workflows(draw):
    """Steps that read some before them and perhaps the input; one may have a loop."""
    count = draw(st.integers(1, 6))
    steps = []
    for n in range(count):
        reads = draw(st.sets(st.integers(0, n - 1))) if n else set()
        words = "".join(f" {{{{ s{m} }}}}" for m in sorted(reads))
        words += draw(st.sampled_from(["", " {{ inputs.x }}"]))
        kind = draw(st.sampled_from(["ask", "pass", "loop", "if", "off"]))
        match kind:
            case "pass":
                steps.append(pass_on(f"s{n}", f"P{words}"))
            case "loop":
                steps.append(
                    ask(f"s{n}", f"L{n} {{{{ item }}}}{words}", for_each="{{ [1, 2] }}")
                )
            case "if":
                when = "{{ inputs.x == '1' }}"
                steps.append(
                    ask(f"s{n}", f"I{n}{words}", when=when, default=Default("-"))
                )
            case "off":
                steps.append(ask(f"s{n}", f"O{n}{words}", cache="off"))
            case _:
                steps.append(ask(f"s{n}", f"A{n}{words}"))
    return steps


@given(workflows(), st.sampled_from("12"), st.sampled_from("12"))
async def test_a_run_does_what_was_foretold(steps, first, second):
    inputs = {"x": Input()}
    before = await Before(*steps, inputs=inputs).run(x=first)
    found = await before.forecast(x=second)
    before.tools.sink.clear()
    await before.run(x=second)
    ran = {fact.step: fact for fact in before.tools.sink.of(StepFinished)}
    for step in steps:
        told = found[step.id]
        assert (told.status == "skipped") == (step.id not in ran)
        if told.status == "cached":
            assert ran[step.id].cached
        elif told.status == "will run" and "runs before" not in told.reason:
            assert "run before" in told.reason or not ran[step.id].cached


# Inputs, and how it is shown


def test_only_inputs_that_have_a_value_are_known(tmp_path):
    declared = {
        "given": Input(),
        "usual": Input(default="u"),
        "optional": Input(optional=True),
        "missing": Input(type=AUDIO),
    }
    known, problems = known_inputs(declared, {"given": "g"}, tmp_path)
    assert known == {"given": "g", "usual": "u", "optional": None}
    assert problems == []
    with pytest.raises(UsageError, match=r"input\.unknown"):
        known_inputs(declared, {"other": "g"}, tmp_path)


def test_a_default_that_cannot_be_used_is_missing_and_told_of(tmp_path):
    declared = {"talk": Input(type=AUDIO, default="talk.wav")}
    known, problems = known_inputs(declared, {}, tmp_path)
    assert (known, [each.code for each in problems]) == ({}, ["input.missing-file"])


async def test_the_plan_is_shown_with_reasons_within_80_columns():
    error = ModelUnavailable("fake.away", "it went away because of " + "this, " * 20)
    before = without_model(
        ask("a", model="n"), ask("b"), ask("c", "{{ b }}"), error=error
    )
    await before.tools.runner(ask("a", model="n")).run({})
    plan = before.plan()
    shown = plan_report(plan, await before.forecast(), as_json=False)
    assert max(map(len, shown.splitlines())) <= 80
    assert "step  1 a → text  cached: ollama:n\n          model ollama:n\n" in shown
    assert "step  2 b → text  blocked: ollama:m\n          because it went" in shown


async def test_programs_get_status_reason_and_changes():
    before = await Before(ask("a", "{{ inputs.x }}"), ask("b")).run(x="1")
    plan = before.plan()
    shown = json.loads(plan_report(plan, await before.forecast(x="2"), as_json=True))
    a, b = shown["steps"]
    assert {k: a[k] for k in ("status", "reason", "changed", "model_digest")} == {
        "status": "will run",
        "reason": "its input changed",
        "changed": ["input"],
        "model_digest": "sha256:ollama:m",
    }
    assert (b["status"], b["changed"]) == ("cached", [])
    bare = json.loads(plan_report(plan, as_json=True))
    assert [step["status"] for step in bare["steps"]] == ["will run"] * 2
    assert bare["steps"][0].keys() == a.keys()
