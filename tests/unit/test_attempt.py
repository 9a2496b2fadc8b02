# SPDX-License-Identifier: Apache-2.0
"""A step asks its models until one answers, and no oftener than it should."""

import pytest
from hypothesis import given, strategies as st
from tests.fakes import Bench, forever

from lao.engine.attempt import waiting_time
from lao.errors import ModelUnavailable, RefusedByPolicy, SchemaMismatch, StepError
from lao.events import (
    FallbackChosen,
    StepFinished,
    StepRetried,
    TextProduced,
    WorkerLocked,
)
from lao.planning.engines import Catalog
from lao.policy import Proof
from lao.recipes import find_recipes
from lao.workflow.inference import ModelReply
from lao.workflow.local_models import Ollama, WhisperCpp
from lao.workflow.steps import Input, OnError, Output, Retry, WorkflowStep
from lao.workflow.transforms import Lines, ParseJson, Strip
from lao.workflow.values import AUDIO, EMBEDDING, JSON, FileValue

BUSY = StepError("fake.busy", "try again", retryable=True)
AWAY = ModelUnavailable("fake.away", "not yet", retryable=True)
BROKEN = StepError("fake.broken", "it broke")
AGE = {
    "type": "object",
    "properties": {"age": {"type": "integer"}},
    "required": ["age"],
}
AS_JSON = Output(type=JSON, schema=AGE)


def ask(name="a", prompt="x", model="m", **words):
    return WorkflowStep(
        id=name, model=Ollama(model=model), prompt_template=prompt, **words
    )


def bench(*script, **words):
    return Bench({"ollama:m": list(script)} if script else None, **words)


def count(tools, model="m"):
    return len(tools.backends[f"ollama:{model}"].requests)


# Retries


async def test_a_retryable_error_is_tried_again():
    tools = bench(BUSY, AWAY, "done")
    result = await tools.run(ask(retry=Retry(attempts=3)))

    assert result.outputs == {"a": "done"}
    retries = [(fact.attempt, fact.code) for fact in tools.sink.of(StepRetried)]
    assert retries == [(1, "fake.busy"), (2, "fake.away")]
    assert tools.sink.of(StepFinished)[0].attempts == 3


async def test_after_the_last_attempt_the_error_stands():
    tools = bench(BUSY)
    result = await tools.run(ask(retry=Retry(attempts=3)))
    assert (count(tools), result.failures[0].code) == (3, "fake.busy")


async def test_without_a_retry_one_attempt_is_made():
    tools = bench(BUSY)
    await tools.run(ask())
    assert (count(tools), tools.clock.slept) == (1, [])


@pytest.mark.parametrize(
    "error",
    [BROKEN, ModelUnavailable("a.b", "x"), RefusedByPolicy("policy.x", "x"), OSError()],
    ids=["step", "unavailable", "refused", "unexpected"],
)
async def test_what_would_fail_again_is_not_tried_again(error):
    tools = bench(error)
    result = await tools.run(ask(retry=Retry(attempts=5)))
    assert (count(tools), result.status) == (1, "failed")


async def test_the_wait_doubles_and_is_jittered_by_half():
    tools = bench(BUSY)
    await tools.run(ask(retry=Retry(attempts=5, backoff=2.0, longest=9.0)))

    for slept, expected in zip(tools.clock.slept, [2, 4, 8, 9], strict=True):
        assert expected * 0.5 <= slept <= expected * 1.5
    told = [fact.delay for fact in tools.sink.of(StepRetried)]
    assert told == pytest.approx(tools.clock.slept, abs=0.001)


@given(st.integers(1, 5000), st.floats(0, 1, exclude_max=True), st.floats(0, 3600))
def test_a_wait_is_within_half_of_its_length_whatever_the_attempt(
    attempt, chance, first
):
    retry = Retry(attempts=9999, backoff=first, longest=60.0)
    wait = waiting_time(retry, attempt, chance)
    expected = min(60.0, first * 2.0 ** min(attempt - 1, 60))
    assert expected * 0.5 <= wait <= expected * 1.5


def test_steps_that_failed_together_do_not_return_together():
    assert len({waiting_time(Retry(), 1, n / 10) for n in range(10)}) == 10


async def test_a_model_that_does_not_answer_in_time_is_cancelled_and_asked_again():
    tools = bench(forever, "done")
    result = await tools.run(ask(timeout=0.3, retry=Retry(attempts=2)))

    assert result.outputs == {"a": "done"}
    assert tools.backends["ollama:m"].cancelled == 1
    (retried,) = tools.sink.of(StepRetried)
    assert (retried.code, retried.what) == (
        "step.timeout",
        "the model did not answer within 0.3 s",
    )


async def test_waiting_for_a_slot_does_not_count_as_time():
    tools = bench(forever, "done")
    result = await tools.run(ask("a", timeout=0.6), ask("b", "y", timeout=0.5))
    assert [failure.step for failure in result.failures] == ["a"]
    assert result.outputs == {"b": "done"}


# Fallbacks


async def test_models_are_tried_in_order_and_each_choice_is_told():
    scripts = {"ollama:m": [BROKEN], "ollama:n": [AWAY], "ollama:o": ["done"]}
    tools = Bench(scripts)
    others = OnError(action="use", models=(Ollama(model="n"), Ollama(model="o")))
    result = await tools.run(ask(on_error=others, retry=Retry(attempts=2)))

    assert result.outputs == {"a": "done"}
    told = [(fact.model, fact.code) for fact in tools.sink.of(FallbackChosen)]
    assert told == [("ollama:n", "fake.broken"), ("ollama:o", "fake.away")]
    assert [count(tools, name) for name in "mno"] == [1, 2, 1]
    assert tools.sink.of(StepFinished)[0].made_by == "ollama:o"


async def test_when_every_model_failed_the_last_error_stands():
    tools = Bench({"ollama:m": [BROKEN], "ollama:n": [AWAY]})
    others = OnError(action="use", models=(Ollama(model="n"),))
    result = await tools.run(ask(on_error=others))
    assert (result.failures[0].code, result.exit_code) == ("fake.away", 6)


async def test_a_refusal_is_neither_retried_nor_replaced():
    tools = Bench({"ollama:m": [RefusedByPolicy("policy.cloud", "x")]})
    others = OnError(action="use", models=(Ollama(model="n"),))
    result = await tools.run(ask(on_error=others, retry=Retry(attempts=9)))

    assert (count(tools), result.exit_code) == (1, 5)
    assert "ollama:n" not in tools.backends.opened


# Schemas


async def test_a_schema_is_stated_in_the_prompt_and_given_to_the_model():
    tools = bench('{"age": 5}')
    result = await tools.run(ask(prompt="How old?", output=AS_JSON))

    (request,) = tools.backends["ollama:m"].requests
    assert request.prompt.startswith("How old?")
    assert '"integer"' in request.prompt
    assert (request.schema, request.wants) == (AGE, "json")
    assert result.outputs == {"a": {"age": 5}}


@pytest.mark.parametrize("answer", ['{"age": "five"}', "{}", "I am five", '{"age": 5'])
async def test_an_answer_that_does_not_fit_ends_with_code_7(answer):
    tools = bench(answer)
    result = await tools.run(ask(output=AS_JSON))
    assert (result.exit_code, count(tools)) == (7, 1)
    assert result.failures[0].code in ("output.schema-mismatch", "output.not-json")


async def test_an_answer_that_does_not_fit_is_asked_for_again():
    tools = bench("no", '{"age": "x"}', '```json\n{"age": 5}\n```')
    result = await tools.run(ask(output=AS_JSON, retry=Retry(attempts=3)))
    assert result.outputs == {"a": {"age": 5}}
    codes = [fact.code for fact in tools.sink.of(StepRetried)]
    assert codes == ["output.not-json", "output.schema-mismatch"]


async def test_a_mismatch_goes_to_the_next_model():
    tools = Bench(
        {"ollama:m": [SchemaMismatch("a.b", "x")], "ollama:n": ['{"age": 1}']}
    )
    others = OnError(action="use", models=(Ollama(model="n"),))
    result = await tools.run(ask(on_error=others, output=AS_JSON))
    assert result.outputs == {"a": {"age": 1}}


async def test_an_embedding_flows_on_as_a_list_of_numbers():
    tools = bench([0.5, 1])
    step = WorkflowStep(
        id="a", model=Ollama(model="m"), input="text", output=Output(type=EMBEDDING)
    )
    result = await tools.run(step)
    assert result.outputs == {"a": [0.5, 1]}
    (request,) = tools.backends["ollama:m"].requests
    assert (request.wants, request.input, request.prompt) == ("embedding", "text", "")


# The cache


async def test_the_same_request_is_asked_once():
    tools = bench("one", "two")
    await tools.run(ask("a"))
    result = await tools.run(ask("b"))

    assert (result.outputs, count(tools)) == ({"b": "one"}, 1)
    cached = [fact.cached for fact in tools.sink.of(StepFinished)]
    assert cached == [False, True]


async def test_the_same_request_is_asked_once_even_side_by_side():
    tools = bench("one", "two")
    result = await tools.run(ask("a"), ask("b"))
    assert (result.outputs, count(tools)) == ({"a": "one", "b": "one"}, 1)


@pytest.mark.parametrize(("cache", "kept"), [("off", "one"), ("refresh", "two")])
async def test_a_step_may_ask_anew(cache, kept):
    tools = bench("one", "two")
    await tools.run(ask())
    assert (await tools.run(ask(cache=cache))).outputs == {"a": "two"}
    assert (await tools.run(ask())).outputs == {"a": kept}
    assert count(tools) == 2


@pytest.mark.parametrize(
    "other",
    [
        ask(prompt="y"),
        ask(model="n"),
        ask(system="s"),
        ask(options={"seed": 1}),
        ask(output=Output(type=JSON)),
    ],
)
async def test_whatever_can_change_an_answer_makes_another_request(other):
    scripts = {"ollama:m": ["1", "2"], "ollama:n": ["2"]}
    tools = Bench(scripts)
    await tools.run(ask())
    result = await tools.run(other)
    assert result.outputs["a"] in ("2", 2)


async def test_a_file_that_changed_makes_another_request(tmp_path):
    path = tmp_path / "talk.wav"
    tools = Bench({"whisper.cpp:/m.bin": ["one", "two"]})
    step = WorkflowStep(
        id="a", model=WhisperCpp(model_path="/m.bin"), input="{{ inputs.f }}"
    )
    words = {
        "declared": {"f": Input(type=AUDIO)},
        "inputs": {"f": FileValue(str(path), "audio")},
    }
    path.write_bytes(b"a")
    assert (await tools.run(step, **words)).outputs == {"a": "one"}
    assert (await tools.run(step, **words)).outputs == {"a": "one"}
    path.write_bytes(b"ab")
    assert (await tools.run(step, **words)).outputs == {"a": "two"}


async def test_what_does_not_change_an_answer_makes_no_other_request():
    tools = bench("one", "two")
    await tools.run(ask())
    await tools.run(ask("other", timeout=5.0, retry=Retry(attempts=4)))
    assert count(tools) == 1


async def test_a_failure_is_not_kept():
    tools = bench(BROKEN, "fine")
    await tools.run(ask())
    assert (await tools.run(ask())).outputs == {"a": "fine"}


async def test_half_a_character_in_a_prompt_does_no_harm():
    tools = bench("fine")
    assert (await tools.run(ask(prompt="\ud83d"))).outputs == {"a": "fine"}


# Inputs and words


async def test_an_input_is_transformed_before_it_meets_the_prompt():
    tools = Bench()
    step = ask(
        prompt="Of {{ input }}:", input=" {{ inputs.x }} ", input_transforms=[Strip()]
    )
    await tools.run(step, inputs={"x": "ants"})
    assert tools.asked == ["Of ants:"]


async def test_a_step_without_a_model_passes_on_its_transformed_input():
    step = WorkflowStep(id="a", input="{{ inputs.x }}", input_transforms=[Lines()])
    result = await Bench().run(step, inputs={"x": "one\ntwo"})
    assert result.outputs == {"a": ["one", "two"]}


async def test_a_transform_that_cannot_work_fails_the_step():
    step = WorkflowStep(id="a", input="{{ inputs.x }}", input_transforms=[ParseJson()])
    result = await Bench().run(step, inputs={"x": "no json"})
    assert result.failures[0].code == "transform.failed"


@pytest.mark.parametrize("where", ["prompt_template", "input", "system"])
async def test_a_template_that_fails_at_run_time_says_its_line(where):
    words = {"prompt_template": "x"} | {where: "one\n{{ inputs.x.y }}"}
    step = WorkflowStep(id="a", model=Ollama(model="m"), **words)
    result = await Bench().run(step, inputs={"x": {}})

    (failure,) = result.failures
    assert failure.code == "template.failed"
    assert "line 2" in failure.what


async def test_a_step_s_options_go_over_its_model_s_and_null_drops_one():
    tools = Bench()
    model = Ollama(model="m", options={"seed": 1, "top_k": 2, "temperature": 0})
    step = WorkflowStep(
        id="a",
        model=model,
        prompt_template="x",
        options={"seed": "{{ inputs.seed }}", "top_k": None},
    )
    await tools.run(step, inputs={"seed": 7})
    (request,) = tools.backends["ollama:m"].requests
    assert request.options == {"seed": 7, "temperature": 0}


async def test_a_recipe_s_templates_see_its_arguments():
    catalog = Catalog(recipes=find_recipes(), chat=Ollama(model="m"))
    tools = bench("kurz", catalog=catalog)
    step = WorkflowStep(
        id="a", uses="translate", arguments={"text": "{{ inputs.x }}", "to": "German"}
    )
    result = await tools.run(step, inputs={"x": "short"})
    assert result.outputs == {"a": "kurz"}
    (request,) = tools.backends["ollama:m"].requests
    assert "German" in request.prompt
    assert "short" in request.prompt


async def test_what_a_model_tells_becomes_facts():
    tools = bench(ModelReply(value="x", made_by="m 1", tokens_in=3, notes=("cut",)))
    await tools.run(ask())
    (fact,) = tools.sink.of(StepFinished)
    assert (fact.made_by, fact.tokens_in, fact.notes) == ("m 1", 3, ("cut",))

    tools = bench("Hello")
    await tools.run(ask())
    assert [fact.text for fact in tools.sink.of(TextProduced)] == ["Hello"]


# Saving


async def test_a_save_writes_its_value_and_passes_it_on(tmp_path):
    tools = Bench(folder=tmp_path, catalog=Catalog(recipes=find_recipes()))
    step = WorkflowStep(
        id="a", uses="save", arguments={"text": "{{ inputs.x }}", "path": "out/a.txt"}
    )
    result = await tools.run(step, inputs={"x": "Hello"})

    assert result.outputs == {"a": "Hello"}
    assert (tmp_path / "out" / "a.txt").read_text() == "Hello\n"
    assert tools.sink.of(StepFinished)[0].notes == (f"saved to {tmp_path}/out/a.txt",)


async def test_a_value_that_would_leave_the_folder_ends_with_code_5(tmp_path):
    tools = Bench(folder=tmp_path, catalog=Catalog(recipes=find_recipes()))
    step = WorkflowStep(
        id="a", uses="save", arguments={"text": "x", "path": "out/{{ inputs.name }}"}
    )
    result = await tools.run(step, inputs={"name": "../../evil"})
    assert (result.exit_code, result.failures[0].code) == (5, "policy.path-outside")
    assert list(tmp_path.iterdir()) == []


# Locks


async def test_what_a_worker_proved_is_told_once_and_again_when_it_changes():
    sealed = Proof(level="L3", layers={"seccomp": True})
    standard = Proof(level="L2", layers={"seccomp": True})
    tools = bench("one")
    tools.backends["ollama:m"].proved = sealed

    def then_another(_):
        tools.backends["ollama:m"].proved = standard
        return "two"

    tools.backends["ollama:m"].script = ["one", "one", then_another]
    steps = [ask("a", "x"), ask("b", "y {{ a }}"), ask("c", "z {{ b }}")]
    await tools.run(*steps)

    assert [(each.step, each.level) for each in tools.sink.of(WorkerLocked)] == [
        ("a", "L3"),
        ("c", "L2"),
    ]
    assert tools.sink.of(WorkerLocked)[0].worker == "ollama:m"


async def test_nothing_is_told_where_no_worker_of_ours_answers():
    tools = bench("one")
    await tools.run(ask())
    assert not tools.sink.of(WorkerLocked)
