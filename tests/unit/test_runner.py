# SPDX-License-Identifier: Apache-2.0
"""A run starts what may start, settles what ended, and tells every fact in order."""

import asyncio

import pytest
from tests.fakes import Bench, FakeClock, forever

from lao.engine.journal import Journal
from lao.errors import (
    ModelUnavailable,
    RefusedByPolicy,
    SchemaMismatch,
    StepError,
    StoreError,
)
from lao.events import (
    FallbackChosen,
    ItemFinished,
    PolicyViolated,
    RunFinished,
    StepFailed,
    StepFinished,
    StepSkipped,
    StepStarted,
    fold,
)
from lao.workflow.inference import ModelReply
from lao.workflow.local_models import Ollama
from lao.workflow.steps import Default, Input, OnError, WorkflowStep
from lao.workflow.values import JSON, TEXT, list_of

MODEL = Ollama(model="m")
TEXTS = list_of(TEXT)
BROKEN = StepError("fake.broken", "it broke")


def ask(name, prompt, model="m", **words):
    return WorkflowStep(
        id=name, model=Ollama(model=model), prompt_template=prompt, **words
    )


def bench(*script, **words):
    return Bench({"ollama:m": list(script)} if script else None, **words)


def loop(prompt="do {{ item }}", **words):
    return ask("each", prompt, for_each="{{ inputs.xs }}", **words)


async def run_loop(tools, *steps, xs, type_=TEXTS):
    declared = {"xs": Input(type=type_)}
    return await tools.run(*(steps or [loop()]), declared=declared, inputs={"xs": xs})


# Data flows


async def test_a_value_flows_from_step_to_step_to_the_outputs():
    result = await Bench().run(
        ask("a", "one {{ inputs.x }}"),
        ask("b", "two {{ a }}"),
        inputs={"x": "X"},
        outputs={"both": "{{ a }} + {{ b }}", "given": "{{ inputs.x }}"},
    )
    assert result.outputs == {"both": "one X + two one X", "given": "X"}
    assert (result.status, result.exit_code, result.failures) == ("done", 0, ())


async def test_without_outputs_the_last_steps_are_the_outputs():
    result = await Bench().run(ask("a", "A"), ask("b", "{{ a }}B"), ask("c", "C"))
    assert result.outputs == {"b": "AB", "c": "C"}


async def test_a_workflow_without_steps_is_done_at_once():
    assert (await Bench().run()).status == "done"


async def test_an_output_that_cannot_be_worked_out_fails_the_run():
    result = await Bench().run(
        ask("a", "text"), ask("b", "B"), outputs={"x": "{{ a.b }}", "y": "{{ b }}"}
    )
    assert (result.status, result.exit_code) == ("failed", 3)
    assert (result.failures[0].step, result.outputs) == ("outputs.x", {"y": "B"})


# What runs side by side


async def test_independent_branches_run_side_by_side():
    barrier = asyncio.Barrier(3)

    async def meet(request):
        await barrier.wait()
        return "met"

    names = ["a", "b", "c"]
    tools = Bench({f"ollama:{name}": [meet] for name in names})
    result = await tools.run(*(ask(name, "x", model=name) for name in names))
    assert result.outputs == dict.fromkeys(names, "met")


async def test_a_step_starts_as_soon_as_its_own_needs_are_done():
    seen = asyncio.Event()

    async def wait(request):
        await seen.wait()
        return "slow"

    def tell(request):
        seen.set()
        return "second"

    tools = Bench({"ollama:slow": [wait], "ollama:quick": ["first", tell]})
    result = await tools.run(
        ask("slow", "x", model="slow"),
        ask("a", "x", model="quick"),
        ask("b", "{{ a }}", model="quick"),
    )
    assert result.outputs == {"slow": "slow", "b": "second"}


@pytest.mark.parametrize("per_model", [1, 3])
async def test_a_model_has_no_more_in_flight_than_its_limit(per_model):
    tools = bench(per_model=per_model)
    await tools.run(*(ask(f"s{n}", f"{n}") for n in range(9)))
    assert tools.backends["ollama:m"].most == per_model


async def test_no_more_steps_run_than_the_limit():
    tools = bench(parallel_steps=2, per_model=9)
    await tools.run(*(ask(f"s{n}", f"{n}") for n in range(9)))
    assert tools.backends["ollama:m"].most == 2


async def test_a_step_that_comes_after_starts_after():
    tools = bench(per_model=9)
    await tools.run(ask("b", "x"), ask("a", "y"), connections=[("a", "b")])
    started = [fact.step for fact in tools.sink.of(StepStarted)]
    assert started == ["a", "b"]


# Failures


async def test_a_failed_step_skips_exactly_what_needs_it_and_the_rest_finishes():
    tools = Bench({"ollama:bad": [BROKEN]})
    result = await tools.run(
        ask("bad", "x", model="bad"),
        ask("child", "{{ bad }}"),
        ask("grandchild", "{{ child }}"),
        ask("other", "fine"),
        ask("its_child", "{{ other }}"),
    )
    assert result.outputs == {"its_child": "fine"}
    assert (result.status, result.exit_code) == ("failed", 3)
    assert [failure.code for failure in result.failures] == ["fake.broken"]
    assert [(fact.step, fact.reason) for fact in tools.sink.of(StepSkipped)] == [
        ("child", "step 'bad' failed"),
        ("grandchild", "step 'bad' failed"),
    ]


@pytest.mark.parametrize(
    ("errors", "code"),
    [
        ([BROKEN], 3),
        ([BROKEN, SchemaMismatch("a.b", "x")], 7),
        ([SchemaMismatch("a.b", "x"), ModelUnavailable("a.b", "x")], 6),
        ([ModelUnavailable("a.b", "x"), RefusedByPolicy("policy.x", "x"), BROKEN], 5),
    ],
)
async def test_the_exit_code_is_that_of_the_gravest_failure(errors, code):
    tools = Bench({f"ollama:{n}": [error] for n, error in enumerate(errors)})
    steps = [ask(f"s{n}", "x", model=f"{n}") for n in range(len(errors))]
    assert (await tools.run(*steps)).exit_code == code


async def test_an_unexpected_exception_fails_its_step_and_leaves_others_unharmed():
    tools = Bench({"ollama:bad": [ZeroDivisionError("oops")]})
    result = await tools.run(ask("bad", "x", model="bad"), ask("fine", "fine"))

    (failure,) = result.failures
    assert failure.code == "step.internal-error"
    assert "ZeroDivisionError: oops" in failure.what
    assert result.outputs == {"fine": "fine"}


async def test_a_refusal_is_recorded_as_a_violation_and_never_passed_over():
    tools = Bench({"ollama:cloud": [RefusedByPolicy("policy.cloud", "a cloud model")]})
    passing = OnError(action="use", models=(MODEL,))
    result = await tools.run(ask("a", "x", model="cloud", on_error=passing))

    assert result.exit_code == 5
    assert [fact.code for fact in tools.sink.of(PolicyViolated)] == ["policy.cloud"]
    assert tools.sink.of(FallbackChosen) == []
    assert fold(tools.sink).violations == tools.sink.of(PolicyViolated)


async def test_a_refusal_is_not_skipped_by_on_error():
    tools = Bench({"ollama:cloud": [RefusedByPolicy("policy.cloud", "a cloud model")]})
    skip = OnError(action="skip")
    result = await tools.run(ask("a", "x", model="cloud", on_error=skip))
    assert (result.exit_code, tools.sink.of(StepSkipped)) == (5, [])


async def test_on_error_skip_skips_the_step_and_what_needs_it():
    tools = Bench({"ollama:bad": [BROKEN]})
    result = await tools.run(
        ask("bad", "x", model="bad", on_error=OnError(action="skip")),
        ask("child", "{{ bad }}"),
        ask("other", "fine"),
    )
    assert (result.status, result.exit_code) == ("done", 0)
    assert result.outputs == {"other": "fine"}
    skipped = tools.sink.of(StepSkipped)
    assert [fact.step for fact in skipped] == ["bad", "child"]
    assert skipped[0].reason == "it broke [fake.broken]"


async def test_a_default_flows_on_where_a_failure_would_skip():
    tools = Bench({"ollama:bad": [BROKEN]})
    result = await tools.run(
        ask("bad", "x", model="bad"),
        ask("child", "{{ bad }}", default=Default("instead")),
        ask("end", "got {{ child }}"),
    )
    assert result.outputs == {"end": "got instead"}
    (skipped,) = tools.sink.of(StepSkipped)
    assert (skipped.step, skipped.has_default, skipped.value) == (
        "child",
        True,
        "instead",
    )


# Conditions


async def test_a_false_condition_skips_the_step_and_what_needs_it():
    tools = Bench()
    result = await tools.run(
        ask("a", "A", when="{{ inputs.x | length > 3 }}"),
        ask("b", "{{ a }}"),
        ask("c", "C"),
        inputs={"x": "abc"},
    )
    assert (result.status, result.outputs) == ("done", {"c": "C"})
    assert [(fact.step, fact.reason) for fact in tools.sink.of(StepSkipped)] == [
        ("a", "its condition is false"),
        ("b", "step 'a' was skipped"),
    ]


async def test_a_true_condition_runs_the_step():
    result = await Bench().run(
        ask("a", "A", when="{{ inputs.x | length > 2 }}"), inputs={"x": "abc"}
    )
    assert result.outputs == {"a": "A"}


async def test_the_default_of_a_skipped_step_flows_on_even_when_it_is_null():
    result = await Bench().run(
        ask("a", "A", when="{{ inputs.x }}", default=Default(None)),
        ask("b", "got {{ a }}"),
        inputs={"x": ""},
        outputs={"a": "{{ a }}", "b": "{{ b }}"},
    )
    assert result.outputs == {"a": None, "b": "got null"}


async def test_a_condition_that_cannot_be_worked_out_fails_the_step():
    tools = Bench()
    result = await tools.run(ask("a", "A", when="{{ inputs.x.y }}"), inputs={"x": {}})
    assert result.failures[0].code == "template.failed"
    assert tools.asked == []


# Loops


async def test_a_loop_gives_a_list_in_the_order_of_its_items():
    release = [asyncio.Event() for _ in range(3)]

    async def backwards(request):
        number = int(request.prompt[-1])
        if number < 2:
            await release[number + 1].wait()
        release[number].set()
        return f"did {number}"

    tools = bench(backwards, per_model=3)
    result = await run_loop(tools, xs=["0", "1", "2"])

    assert result.outputs == {"each": ["did 0", "did 1", "did 2"]}
    assert [fact.item for fact in tools.sink.of(ItemFinished)] == [2, 1, 0]


async def test_an_item_knows_its_value_and_its_place():
    step = loop("{{ index }}: {{ item.name }}")
    people = [{"name": "Ana"}, {"name": "Bo"}]
    result = await run_loop(Bench(), step, xs=people, type_=list_of(JSON))
    assert result.outputs == {"each": ["0: Ana", "1: Bo"]}


async def test_no_more_items_are_in_flight_than_the_window():
    tools = bench(per_model=99, for_each_window=4)
    await run_loop(tools, xs=list(map(str, range(50))))
    assert tools.backends["ollama:m"].most == 4


async def test_an_empty_list_gives_an_empty_list():
    tools = Bench()
    result = await run_loop(tools, loop(), ask("b", "{{ each }}"), xs=[])
    assert result.outputs == {"b": "[]"}
    assert tools.sink.of(StepFinished)[0].value == []


async def test_a_failure_inside_a_loop_stops_it_and_fails_the_step():
    def answer(request):
        if request.prompt == "do 1":
            raise BROKEN
        return "fine"

    tools = bench(answer)
    result = await run_loop(tools, xs=["0", "1", "2", "3"])

    assert [failure.code for failure in result.failures] == ["fake.broken"]
    assert [fact.item for fact in tools.sink.of(ItemFinished)] == [0]
    assert len(tools.asked) <= 3


async def test_what_a_loop_used_is_added_up():
    def answer(request):
        return ModelReply(
            value="x", made_by="m", tokens_in=2, tokens_out=3, seconds=0.5
        )

    tools = bench(answer)
    await run_loop(tools, xs=["a", "b", "c"])

    (fact,) = tools.sink.of(StepFinished)
    assert (fact.tokens_in, fact.tokens_out, fact.model_seconds) == (6, 9, 1.5)
    assert fact.made_by == "m"


@pytest.mark.parametrize(
    ("xs", "limit", "code"),
    [("text", 9, "step.not-a-list"), ([1, 2, 3], 2, "step.list-too-long")],
)
async def test_a_loop_over_what_cannot_be_looped_over_fails(xs, limit, code):
    tools = bench(list_length=limit)
    result = await run_loop(tools, xs=xs, type_=JSON)
    assert result.failures[0].code == code
    assert tools.asked == []


# Cancellation


async def test_cancelling_a_run_cancels_the_model_and_is_recorded():
    tools = bench(forever)
    with pytest.raises(asyncio.CancelledError):
        await tools.cancel(ask("a", "x"), ask("b", "{{ a }}"), when=tools.in_flight)

    assert tools.backends["ollama:m"].cancelled == 1
    last = tools.sink.facts[-1]
    assert isinstance(last, RunFinished)
    assert last.status == "cancelled"


async def test_what_was_finished_before_a_cancellation_is_kept():
    tools = Bench({"ollama:slow": [forever]})
    steps = ask("a", "A"), ask("b", "x", model="slow")
    with pytest.raises(asyncio.CancelledError):
        await tools.cancel(*steps, when=lambda: tools.sink.of(StepFinished))
    assert tools.sink.facts[-1].outputs == {"a": "A"}


@pytest.mark.parametrize("answer", ["a result", BROKEN], ids=["result", "error"])
@pytest.mark.parametrize("step", [ask("each", "x"), loop("x")], ids=["step", "item"])
async def test_a_model_that_answers_a_cancellation_does_not_stop_it(answer, step):
    async def stubborn(request):
        try:
            await forever(request)
        except asyncio.CancelledError:
            if isinstance(answer, Exception):
                raise answer from None
            return answer

    tools = bench(stubborn)
    with pytest.raises(asyncio.CancelledError):
        await tools.cancel(
            step,
            ask("b", "{{ each }}"),
            declared={"xs": Input(type=TEXTS)},
            inputs={"xs": ["1"]},
            when=tools.in_flight,
        )
    assert tools.sink.facts[-1].status == "cancelled"
    assert tools.sink.of(StepFailed) == []


# Facts


async def everything():
    """Return the tools of a run in which all sorts of things happened."""
    tools = Bench({"ollama:bad": [BROKEN]})
    result = await tools.run(
        ask("a", "A"),
        ask("bad", "x", model="bad"),
        ask("lost", "{{ bad }}"),
        loop(),
        declared={"xs": Input(type=TEXTS)},
        inputs={"xs": ["1", "2"]},
        outputs={"a": "{{ a }}", "each": "{{ each }}", "lost": "{{ lost }}"},
    )
    return tools, result


async def test_facts_are_numbered_in_sequence():
    tools, _ = await everything()
    assert [event.sequence for event in tools.sink] == list(
        range(1, len(tools.sink) + 1)
    )
    assert {event.run for event in tools.sink} == {"r1"}


async def test_the_fold_of_the_facts_is_the_result():
    tools, result = await everything()
    state = fold(tools.sink)

    assert (state.status, state.outputs) == (result.status, result.outputs)
    assert {name: step.status for name, step in state.steps.items()} == {
        "a": "done",
        "bad": "failed",
        "lost": "skipped",
        "each": "done",
    }
    failed = [step.failed for step in state.steps.values() if step.failed]
    assert failed == list(result.failures)
    assert state.steps["each"].items_done == 2


async def test_the_journal_keeps_every_fact_but_pieces_of_text():
    tools, result = await everything()
    kept = await tools.store.events(result.run)

    assert "text-produced" in tools.sink.kinds()
    passing = {"text-produced", "progress-made"}
    assert list(kept) == [e for e in tools.sink if e.fact.kind not in passing]


async def test_a_fact_is_kept_before_it_is_told():
    tools = Bench()
    kept_then = []

    def look(event):
        kept_then.append(event in tools.store.kept["r1"])

    runner = tools.runner(WorkflowStep(id="a", input="x"))
    runner.journal.sinks = [look]
    await runner.run({})
    assert kept_then == [True] * 4


# Size


@pytest.mark.parametrize("wide", [False, True])
async def test_a_run_of_3_000_steps_does_a_constant_number_of_things_for_each(wide):
    def source(n):
        return "{{ inputs.x }}" if wide or n == 0 else f"{{{{ s{n - 1} }}}}"

    tools = Bench()
    steps = [WorkflowStep(id=f"s{n}", input=source(n)) for n in range(3_000)]
    result = await tools.run(*steps, inputs={"x": "X"})

    assert result.outputs["s2999"] == "X"
    assert tools.sink.kinds() == {
        "run-started": 1,
        "step-started": 3_000,
        "step-finished": 3_000,
        "run-finished": 1,
    }


async def test_facts_are_told_in_order_though_one_is_stored_late():
    stored = asyncio.Event()

    class SlowStore:
        async def append(self, event):
            if event.sequence == 1:
                await stored.wait()

    told = []
    journal = Journal(
        run="r", store=SlowStore(), sinks=[told.append], clock=FakeClock()
    )
    slow = asyncio.create_task(journal.record(StepStarted(step="a")))
    await asyncio.sleep(0)
    await journal.record(StepStarted(step="b"))
    journal.mention(StepStarted(step="c"))
    assert told == []
    stored.set()
    await slow
    assert [event.fact.step for event in told] == ["a", "b", "c"]


async def test_a_fact_that_could_not_be_stored_holds_nobody_up():
    class FailingStore:
        async def append(self, event):
            await asyncio.sleep(0)
            raise StoreError("store.full", "the disk is full")

    told = []
    store = FailingStore()
    journal = Journal(run="r", store=store, sinks=[told.append], clock=FakeClock())
    lost = asyncio.create_task(journal.record(StepStarted(step="a")))
    await asyncio.sleep(0)
    journal.mention(StepStarted(step="b"))
    assert told == []
    with pytest.raises(StoreError):
        await lost
    assert [event.fact.step for event in told] == ["b"]
