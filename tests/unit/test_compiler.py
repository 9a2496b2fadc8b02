# SPDX-License-Identifier: Apache-2.0
"""A workflow compiles to a plan, or every problem is listed with place and mend."""

import pytest

from lao.errors import InvalidWorkflow, Place
from lao.planning.compiler import compile_workflow
from lao.planning.engines import Catalog
from lao.planning.plan import Infer, Reshape, Save
from lao.recipes import find_recipes
from lao.workflow.local_models import Custom, Embedded, LlamaCpp, Ollama, WhisperCpp
from lao.workflow.steps import Input, OnError, Output, Workflow, WorkflowStep
from lao.workflow.transforms import Join, Lines, ParseJson
from lao.workflow.values import AUDIO, EMBEDDING, FILE, IMAGE, JSON, TEXT, list_of

CHAT = Ollama(model="llama3.2")
EARS = WhisperCpp(model_path="/m/ggml-base.bin")
RECIPES = find_recipes()
PEOPLE = Output(
    type=JSON,
    schema={
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "people": {"type": "array", "items": {"type": "string"}},
            "mood": {"type": "string", "enum": ["good", "bad"]},
        },
    },
)


def step(name="s", **words):
    return WorkflowStep(id=name, **words)


def ask(name, prompt, **words):
    return step(name, model=CHAT, prompt_template=prompt, **words)


def locate(path, line):
    return Place(".".join(map(str, path)), line, 1)


def plan(*steps, chat=None, speech=None, **words):
    workflow = Workflow(name="test", steps=steps, **words)
    catalog = Catalog(recipes=RECIPES, chat=chat, speech=speech)
    return compile_workflow(workflow, catalog, locate=locate)


def problems(*steps, **words):
    """Return each problem of a workflow as (code, place, what, mend)."""
    with pytest.raises(InvalidWorkflow) as caught:
        plan(*steps, **words)
    return [(p.code, p.where.source, p.what, p.mend) for p in caught.value.problems]


def problem(*steps, **words):
    (only,) = problems(*steps, **words)
    return only


# What a plan holds


def test_a_plan_is_in_order_and_knows_what_each_step_needs():
    compiled = plan(
        ask("title", "Name: {{ summary }}"),
        ask("summary", "Sum up: {{ inputs.text }}"),
        ask("last", "Bye"),
        connections=[("title", "last")],
    )
    assert list(compiled.steps) == ["summary", "title", "last"]
    assert compiled.steps["title"].needs == {"summary"}
    assert compiled.steps["last"].after == {"title"}
    assert compiled.steps["last"].needs == set()
    assert compiled.models == (CHAT,)


def test_undeclared_inputs_are_those_that_templates_name():
    compiled = plan(
        ask("a", "{{ inputs.one }} {{ inputs.two.field }}"),
        outputs={"o": "{{ inputs.three }}"},
    )
    assert compiled.inputs == {"one": Input(), "two": Input(), "three": Input()}


def test_without_outputs_those_are_what_no_step_needs():
    compiled = plan(ask("a", "x"), ask("b", "{{ a }}"), ask("c", "{{ a }}"))
    assert list(compiled.outputs) == ["b", "c"]
    assert compiled.output_types == {"b": TEXT, "c": TEXT}


def test_each_step_knows_what_it_gives():
    compiled = plan(
        step("heard", model=EARS, input="{{ inputs.talk }}"),
        step("lines", input="{{ heard }}", input_transforms=[Lines()]),
        ask("each", "About {{ item }}", for_each="{{ lines }}", output=PEOPLE),
        step("joined", input="{{ lines }}", input_transforms=[Join()]),
        step("text", input="{{ heard }}!"),
        step("found", uses="extract-entities", input="{{ heard }}"),
        inputs={"talk": Input(type=AUDIO)},
    )
    assert {name: str(each.output) for name, each in compiled.steps.items()} == {
        "heard": "text",
        "lines": "list[text]",
        "each": "list[json]",
        "joined": "text",
        "text": "text",
        "found": "json",
    }


def test_a_step_without_a_model_reshapes_and_a_save_saves():
    compiled = plan(
        step("a", input="{{ inputs.x }}"),
        step("b", uses="save", arguments={"text": "{{ a }}", "path": "{{ inputs.p }}"}),
    )
    assert compiled.steps["a"].work == Reshape()
    assert isinstance(compiled.steps["b"].work, Save)
    assert compiled.steps["b"].needs == {"a"}
    assert set(compiled.inputs) == {"x", "p"}


def test_paths_are_relative_to_the_workflow():
    compiled = plan(
        step("a", model=LlamaCpp(model_path="m/x.gguf"), prompt_template="Hi"),
        step("b", model=Custom(plugin="p/own.py:Mine"), input="x"),
        base="/home/ana/notes",
    )
    assert compiled.models == (
        LlamaCpp(model_path="/home/ana/notes/m/x.gguf"),
        Custom(plugin="/home/ana/notes/p/own.py:Mine"),
    )


def test_a_recipe_uses_the_configured_model_or_else_an_embedded_one():
    sum_up = step(uses="summarize", arguments={"text": "{{ inputs.text }}"})

    assert plan(sum_up, chat=CHAT).models == (CHAT,)
    compiled = plan(sum_up)
    assert compiled.models == (Embedded(name="summary"),)
    (engine,) = compiled.steps["s"].work.engines
    assert "no chat model is configured" in engine.note


def test_fallback_models_stand_behind_the_first():
    other, spare = Ollama(model="other"), LlamaCpp(model_path="/m/x.gguf")
    use = OnError(action="use", models=("spare", other))
    compiled = plan(ask("a", "Hi", on_error=use), models={"spare": spare})

    work = compiled.steps["a"].work
    assert isinstance(work, Infer)
    assert [engine.model for engine in work.engines] == [CHAT, spare, other]


# Names


def test_an_unknown_name_is_told_with_its_place_and_the_nearest_one():
    assert problem(ask("transcript", "x"), ask("b", "{{ transcrpt }}")) == (
        "workflow.unknown-step",
        "steps.1.prompt_template",
        "step 'b' needs 'transcrpt', which does not exist",
        "did you mean 'transcript'?",
    )


@pytest.mark.parametrize(
    ("words", "place"),
    [
        ({"input": ["{{ nope }}"]}, "steps.0.input"),
        ({"prompt_template": "{{ nope }}"}, "steps.0.prompt_template"),
        ({"prompt_template": "x", "system": "{{ nope }}"}, "steps.0.system"),
        ({"prompt_template": "x", "options": {"a": "{{ nope }}"}}, "steps.0.options"),
        ({"prompt_template": "x", "when": "{{ nope > 1 }}"}, "steps.0.when"),
        ({"prompt_template": "x", "for_each": "{{ nope }}"}, "steps.0.for_each"),
    ],
)
def test_an_unknown_name_is_found_wherever_it_stands(words, place):
    code, where, what, _ = problem(step(model=CHAT, **words))
    assert (code, where) == ("workflow.unknown-step", place)
    assert "'nope'" in what


def test_an_unknown_name_is_found_in_the_arguments_of_a_recipe():
    given = {"text": "{{ nope }}", "path": "{{ no }}"}
    found = problems(step(uses="save", arguments=given))
    assert {each[1] for each in found} == {"steps.0.input", "steps.0.with.path"}


def test_an_unknown_input_is_told_with_the_inputs_there_are():
    _, _, what, mend = problem(ask("a", "{{ inputs.txt }}"), inputs={"text": Input()})
    assert "needs 'inputs.txt'" in what
    assert mend == "did you mean 'inputs.text'?"


def test_an_input_named_without_its_prefix_is_recognised():
    *_, mend = problem(ask("a", "{{ text }}"), inputs={"text": Input()})
    assert mend == "did you mean 'inputs.text'?"


def test_an_output_that_reads_nothing_is_told():
    assert problem(ask("a", "x"), outputs={"notes": "{{ b }}"}) == (
        "workflow.unknown-step",
        "outputs.notes",
        "the output 'notes' needs 'b', which does not exist",
        "one of: a",
    )


def test_a_connection_to_nowhere_is_told():
    code, place, what, mend = problem(ask("abc", "x"), connections=[("abd", "abc")])
    assert (code, place) == ("workflow.unknown-step", "connections.0")
    assert "'abd'" in what
    assert "abc" in mend


def test_two_steps_of_one_name_are_told_with_both_places():
    code, place, _, mend = problem(ask("a", "x"), ask("a", "y"))
    assert (code, place) == ("workflow.duplicate-step", "steps.1.id")
    assert "steps.0.id" in mend


@pytest.mark.parametrize(
    "name", ["a-b", "a b", "1a", "", "inputs", "item", "range", "self"]
)
def test_a_step_whose_id_templates_cannot_read_is_told(name):
    found = problems(ask(name, "x"), outputs={"o": "text"})
    assert found[0][:2] == ("workflow.bad-value", "steps.0.id")
    assert repr(name) in found[0][2]


@pytest.mark.parametrize("name", ["wrtier", "other"])
def test_an_unknown_model_is_told(name):
    unknown = step(model=name, prompt_template="x")
    code, place, what, mend = problem(unknown, models={"writer": CHAT})
    assert (code, place) == ("workflow.unknown-model", "steps.0.model")
    assert repr(name) in what
    assert "writer" in mend


def test_an_unknown_model_where_none_is_named_says_how_to_name_one():
    *_, mend = problem(step(model="writer", prompt_template="x"))
    assert "models:" in mend


def test_an_unknown_recipe_is_told():
    code, place, what, mend = problem(step(uses="sumarize", input="x"))
    assert (code, place) == ("workflow.unknown-recipe", "steps.0.uses")
    assert what == "no recipe or plugin is called 'sumarize'"
    assert mend == "did you mean 'summarize'?"


# The graph


def test_a_cycle_is_drawn():
    code, place, what, mend = problem(
        ask("a", "{{ c }}"), ask("b", "{{ a }}"), ask("c", "{{ b }}"), ask("d", "x")
    )
    assert (code, place) == ("workflow.cycle", "steps.0")
    assert what == "these steps wait for each other: a → b → c → a"
    assert "connections" in mend


def test_a_step_that_needs_itself_is_a_cycle():
    assert "a → a" in problem(ask("a", "{{ a }}"))[2]


def test_a_cycle_of_connections_is_a_cycle():
    ring = [("a", "b"), ("b", "a")]
    assert "a → b → a" in problem(ask("a", "x"), ask("b", "x"), connections=ring)[2]


# Types


@pytest.mark.parametrize(
    ("words", "inputs", "what", "mend"),
    [
        (
            {"model": CHAT, "prompt_template": "Sum up {{ inputs.x }}"},
            AUDIO,
            "'inputs.x' is audio, but the prompt_template takes text",
            "transcribe",
        ),
        (
            {"model": EARS, "input": "{{ inputs.x }}"},
            TEXT,
            "'inputs.x' is text, but whisper.cpp:/m/ggml-base.bin takes audio",
            "type: audio",
        ),
        (
            {"model": Embedded(name="summary"), "input": "{{ inputs.x }}"},
            JSON,
            "'inputs.x' is json, but embedded:summary takes text",
            "tojson",
        ),
        (
            {"model": CHAT, "input": "{{ inputs.x }}"},
            AUDIO,
            "'inputs.x' is audio, but ollama:llama3.2 takes text",
            "transcribe",
        ),
        (
            {"input": "> {{ inputs.x }}"},
            list_of(EMBEDDING),
            "'inputs.x' is list[embedding], but a text takes text",
            "join",
        ),
        (
            {"input": "see {{ inputs.x }}"},
            IMAGE,
            "'inputs.x' is image, but a text takes text",
            "type text",
        ),
        (
            {"input": "x", "for_each": "{{ inputs.x }}"},
            TEXT,
            "'inputs.x' is text, but `for_each` takes list[text]",
            "lines",
        ),
        (
            {"uses": "transcribe", "arguments": {"audio": "{{ inputs.x }}"}},
            TEXT,
            "'inputs.x' is text, but 'transcribe''s 'audio' takes audio",
            "type: audio",
        ),
    ],
)
def test_a_mismatch_names_both_ends_and_the_mend(words, inputs, what, mend):
    found = problem(step(**words), inputs={"x": Input(type=inputs)}, speech=EARS)
    assert found[0] == "workflow.type-mismatch"
    assert found[2] == what
    assert mend in found[3]


def test_a_type_flows_from_step_to_step():
    code, place, what, _ = problem(
        step("a", input="{{ inputs.x }}"),
        step("b", input="{{ a }}"),
        step("c", model=EARS, input="{{ b }}"),
    )
    assert (code, place) == ("workflow.type-mismatch", "steps.2.input")
    assert what.startswith("'b' is text")


def test_a_file_takes_any_kind_of_file_and_an_image_goes_to_a_chat_model():
    plan(
        step("a", uses="save", arguments={"text": "{{ inputs.t }}", "path": "a"}),
        step("b", model=CHAT, input="{{ inputs.i }}", prompt_template="What is it?"),
        inputs={"i": Input(type=IMAGE), "t": Input(), "f": Input(type=FILE)},
    )


def test_a_field_that_the_schema_rules_out_is_told():
    assert problem(
        ask("found", "x", output=PEOPLE), ask("b", "{{ found.peeple | length }}")
    ) == (
        "workflow.unknown-field",
        "steps.1.prompt_template",
        "'found.peeple' asks for 'peeple', which the schema does not have",
        "did you mean 'people'?",
    )


def test_a_field_has_the_type_of_its_schema():
    compiled = plan(
        ask("found", "x", output=PEOPLE),
        ask("each", "Who is {{ item }}?", for_each="{{ found.people }}"),
        outputs={"people": "{{ found.people }}", "first": "{{ found.people.0 }}"},
    )
    assert compiled.output_types == {"people": list_of(TEXT), "first": TEXT}


def test_a_transform_that_does_not_apply_is_told():
    code, place, what, _ = problem(
        step(input="{{ inputs.x }}", input_transforms=[Lines(), ParseJson()])
    )
    assert (code, place) == (
        "workflow.transform-mismatch",
        "steps.0.input_transforms.1",
    )
    assert what == "the transform `json` does not work on list[text]"


# Loops and conditions


@pytest.mark.parametrize("name", ["item", "index"])
def test_an_item_outside_of_a_loop_is_told(name):
    code, place, what, mend = problem(ask("a", f"About {{{{ {name} }}}}"))
    assert (code, place) == ("workflow.no-loop", "steps.0.prompt_template")
    assert repr(name) in what
    assert "for_each" in mend


@pytest.mark.parametrize("where", ["when", "for_each"])
def test_an_item_before_its_loop_is_told(where):
    words = {"for_each": "{{ inputs.x }}"} | {where: "{{ item.a }}"}
    found = problems(ask("a", "x", **words), inputs={"x": Input(type=list_of(JSON))})
    assert found[0][:2] == ("workflow.no-loop", f"steps.0.{where}")
    assert "before the loop" in found[0][3]


@pytest.mark.parametrize(
    ("condition", "why"),
    [
        ("{{ true }}", "always true"),
        ("{{ 1 > 2 }}", "always false"),
        ("yes", "plain text"),
        ("is {{ inputs.x }}", "always true"),
        ("{{ inputs.x > 3 }}", "'inputs.x' is text and 3 is a number"),
        ("{{ found.mood == 'sad' }}", "the schema allows good, bad"),
        ("{{ found.people | length < 0 }}", "never below 0"),
    ],
)
def test_a_condition_that_never_changes_is_told(condition, why):
    code, place, what, _ = problem(
        ask("found", "{{ inputs.x }}", output=PEOPLE), ask("b", "x", when=condition)
    )
    assert (code, place) == ("workflow.impossible-condition", "steps.1.when")
    assert "step 'b'" in what
    assert why in what


@pytest.mark.parametrize(
    "condition",
    [
        "{{ inputs.x }}",
        "{{ inputs.x == '3' }}",
        "{{ found.mood == 'good' }}",
        "{{ found.people | length > 10 }}",
        "{{ not found.people }}",
    ],
)
def test_a_condition_that_may_change_is_fine(condition):
    plan(ask("found", "{{ inputs.x }}", output=PEOPLE), ask("b", "x", when=condition))


# Steps and recipes


def test_a_step_with_nothing_to_do_is_told():
    code, place, *_ = problem(step(model=CHAT), outputs={"o": "x"})
    assert (code, place) == ("workflow.nothing-to-do", "steps.0")


@pytest.mark.parametrize(
    ("words", "place"),
    [
        ({"prompt_template": "{{ input }}", "model": CHAT}, "steps.0.prompt_template"),
        ({"prompt_template": "x", "model": EARS}, "steps.0"),
        (
            {"prompt_template": "x", "model": CHAT, "input_transforms": [Lines()]},
            "steps.0.input_transforms",
        ),
    ],
)
def test_a_step_that_lacks_its_input_is_told(words, place):
    code, where, *_ = problem(step(**words))
    assert (code, where) == ("workflow.no-input", place)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("{{ inputs.x | uper }}", "filter uper is unknown"),
        ("{% if inputs.x is od %}{% endif %}", "test od is unknown"),
        ("{{ summon(inputs.x) }}", "summon is unknown"),
    ],
)
def test_a_filter_that_does_not_exist_is_told_before_anything_runs(text, what):
    code, place, told, _ = problem(ask("s", text))
    assert (code, place) == ("template.syntax", "steps.0.prompt_template")
    assert what in told


def test_a_prompt_that_names_no_model_goes_to_the_configured_one():
    words = {"prompt_template": "Sum up {{ inputs.x }}"}
    [engine] = plan(step(**words), chat=CHAT).steps["s"].work.engines
    assert engine.model == CHAT
    code, place, *_ = problem(step(**words))
    assert (code, place) == ("model.none-configured", "steps.0.prompt_template")


@pytest.mark.parametrize("words", [{"system": "x"}, {"options": {"seed": 1}}])
def test_words_for_a_model_that_nobody_asks_are_told(words):
    code, place, *_ = problem(step(input="x", **words))
    assert (code, place) == ("workflow.no-model", f"steps.0.{next(iter(words))}")


def test_arguments_without_a_recipe_are_told():
    code, place, *_ = problem(step(input="x", arguments={"a": 1}))
    assert (code, place) == ("workflow.with-without-uses", "steps.0.with")


def test_a_step_with_a_problem_of_its_own_is_there_for_the_others():
    found = problems(
        step("a", uses="sumarize", arguments={"text": "{{ nope }}"}),
        step("b", model=CHAT),
        step("c", input="{{ a }} {{ b }}"),
    )
    assert [(code, place) for code, place, *_ in found] == [
        ("workflow.unknown-recipe", "steps.0.uses"),
        ("workflow.nothing-to-do", "steps.1"),
        ("workflow.unknown-step", "steps.0.with.text"),
    ]


def test_an_unknown_parameter_is_told():
    code, place, _, mend = problem(
        step(uses="summarize", arguments={"text": "x", "stile": "bullets"})
    )
    assert (code, place) == ("workflow.unknown-parameter", "steps.0.with.stile")
    assert mend == "did you mean 'style'?"


def test_a_missing_parameter_is_told():
    code, place, what, mend = problem(step(uses="save", input="x"))
    assert (code, place) == ("workflow.missing-parameter", "steps.0")
    assert "'path'" in what
    assert "path" in mend


def test_an_option_that_reads_what_its_recipe_lacks_is_told():
    given = {"text": "{{ inputs.x }}"}
    found = problem(
        step(uses="summarize", arguments=given, options={"seed": "{{ inputs.n }}"}),
        inputs={"x": Input(), "n": Input()},
    )
    assert found[:2] == ("workflow.unknown-parameter", "steps.0.options")
    assert "'inputs'" in found[2]
    plan(step(uses="summarize", arguments=given, options={"sentences": "{{ length }}"}))


def test_an_unknown_choice_is_told():
    code, place, what, mend = problem(
        step(uses="summarize", arguments={"text": "x", "style": "bulets"})
    )
    assert (code, place) == ("workflow.unknown-choice", "steps.0.with.style")
    assert what == "'style' cannot be 'bulets'"
    assert mend == "did you mean 'bullets'?"


def test_a_model_of_the_wrong_sort_is_told():
    code, place, what, _ = problem(step(uses="summarize", input="x", model=EARS))
    assert (code, place) == ("workflow.wrong-model", "steps.0.model")
    assert "needs a chat model; whisper.cpp:/m/ggml-base.bin is not one" in what


def test_a_recipe_without_a_model_to_carry_it_out_is_told():
    code, place, what, mend = problem(
        step(uses="translate", arguments={"text": "x", "to": "de"})
    )
    assert (code, place) == ("model.none-configured", "steps.0.uses")
    assert "needs a chat model" in what
    assert "--model" in mend


def test_a_broken_template_is_told_with_its_line():
    with pytest.raises(InvalidWorkflow) as caught:
        plan(ask("a", "one\ntwo {{ inputs.x"))
    (found,) = caught.value.problems
    assert found.code == "template.syntax"
    assert found.where == Place("steps.0.prompt_template", 2, 1)


# All together


def test_every_problem_is_told_at_once_in_the_order_of_the_file():
    def by_step(path, line):
        return Place("w.yaml", path[1] + 1 if path[0] == "steps" else 99, 1)

    workflow = Workflow(
        name="test",
        steps=[
            step("a", uses="sumarize", input="x"),
            ask("b", "{{ nope }} {{ item }}"),
            ask("c", "{{ d }}"),
            ask("d", "{{ c }}"),
            step("e", model="ghost", prompt_template="x", when="{{ true }}"),
            step("f", model=EARS, input="{{ inputs.x }}"),
            ask("g", "{{ broken"),
        ],
        connections=[("b", "zz")],
        outputs={"o": "{{ missing }}"},
    )
    with pytest.raises(InvalidWorkflow) as caught:
        compile_workflow(workflow, locate=by_step)

    assert [
        (p.code.partition(".")[2], p.where.line) for p in caught.value.problems
    ] == [
        ("unknown-recipe", 1),
        ("no-loop", 2),
        ("unknown-step", 2),
        ("cycle", 3),
        ("unknown-model", 5),
        ("impossible-condition", 5),
        ("type-mismatch", 6),
        ("syntax", 7),
        ("unknown-step", 99),
        ("unknown-step", 99),
    ]


def test_a_long_chain_compiles_without_recursion():
    length = 10_000
    steps = [ask("s0", "Begin: {{ inputs.text }}")]
    steps += [ask(f"s{n}", f"On: {{{{ s{n - 1} }}}}") for n in range(1, length)]
    compiled = plan(*reversed(steps))

    assert list(compiled.steps) == [each.id for each in steps]
    assert list(compiled.outputs) == [f"s{length - 1}"]


def test_a_wide_fan_compiles():
    steps = [step(f"s{n}", input="{{ inputs.text }}") for n in range(5_000)]
    assert len(plan(*steps).outputs) == 5_000
