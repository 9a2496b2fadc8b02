# SPDX-License-Identifier: Apache-2.0
"""Plugins in a workflow are found by name and checked before anything runs."""

from textwrap import dedent

import pytest
from msgspec.structs import replace
from tests.fakes import Backends, Bench

from lao.chain import parse_chain
from lao.engine.forecast import Sources, forecast
from lao.errors import InvalidWorkflow, RefusedByPolicy, StepError, UsageError
from lao.events import StepFinished
from lao.planning.compiler import compile_workflow
from lao.planning.engines import Catalog
from lao.planning.fingerprint import fingerprint
from lao.planning.plan import Preprocess
from lao.recipes import find_recipes
from lao.workflow.document import read_workflow
from lao.workflow.local_models import Installed, Ollama
from lao.workflow.plugins import PluginManifest
from lao.workflow.steps import Input, Retry, Workflow, WorkflowStep
from lao.workflow.transforms import Lines, Strip, UsePlugin
from lao.workflow.values import JSON, TEXT, ValueType, list_of

TEXTS = list_of(TEXT)
SIZE = {"type": "integer", "minimum": 1, "description": "How many"}
STYLE = {"type": "string", "enum": ["long", "short"]}


def plugin(name, **words):
    told = {"kind": "step", "input": TEXT, "output": TEXT, **words}
    properties = told.pop("properties", {})
    parameters = {
        "type": "object",
        "properties": properties,
        "required": told.pop("required", []),
        "additionalProperties": False,
    }
    return PluginManifest(
        name=name,
        version="1.0",
        entry="a:B",
        description="",
        parameters=parameters,
        **told,
    )


PLUGINS = {
    each.name: each
    for each in (
        plugin("tell", properties={"size": SIZE, "style": STYLE}),
        plugin("ask-for", properties={"size": SIZE}, required=["size"]),
        plugin(
            "count",
            output=JSON,
            schema={
                "type": "object",
                "properties": {"words": {"type": "integer"}},
                "additionalProperties": False,
            },
        ),
        plugin("merge", input=TEXTS),
        plugin("flags", properties={"loud": {"type": "boolean"}}),
        plugin("upper", kind="preprocessor", properties={"size": SIZE}),
        plugin("cut", kind="preprocessor", output=TEXTS),
        plugin("lines", kind="formatter", input=JSON),
        plugin("mine", kind="model", output=JSON, properties={"size": SIZE}),
        plugin("hear", input=ValueType("audio")),
    )
}
CATALOG = Catalog(
    recipes=find_recipes(), plugins=PLUGINS, chat=Ollama(model="m", options={})
)


def document(steps):
    text = "lao: 1\nname: w\ninputs: { text: text, sound: audio }\nsteps:\n"
    return read_workflow(text + dedent(steps), source="w.yaml")


def plan_of(steps):
    found = document(steps)
    return compile_workflow(found.workflow, CATALOG, locate=found.locate_line)


def problems_of(steps):
    with pytest.raises(InvalidWorkflow) as raised:
        plan_of(steps)
    return [(each.code, str(each.where)) for each in raised.value.problems]


def problem_of(steps):
    with pytest.raises(InvalidWorkflow) as raised:
        plan_of(steps)
    (problem,) = raised.value.problems
    return problem


# Found


def test_a_step_uses_a_plugin_with_its_types():
    plan = plan_of(
        """\
        - { id: a, uses: count, input: "{{ inputs.text }}" }
        - { id: b, uses: tell, input: "{{ a.words | string }}", with: { size: 2 } }
        - { id: c, uses: lines, input: "{{ a }}" }
        """
    )
    assert [step.output for step in plan.steps.values()] == [JSON, TEXT, TEXT]
    assert plan.models == tuple(Installed(name=n) for n in ("count", "tell", "lines"))
    (engine,) = plan.steps["b"].engines
    assert (engine.options, engine.plugin) == ({"size": 2}, PLUGINS["tell"])


def test_the_steps_that_its_parameters_read_run_before_it():
    plan = plan_of(
        """\
        - { id: b, uses: tell, input: "{{ inputs.text }}", with: { style: "{{ a }}" } }
        - { id: a, uses: tell, input: "{{ inputs.text }}" }
        """
    )
    assert (list(plan.steps), plan.steps["b"].needs) == (["a", "b"], {"a"})


def test_a_recipe_goes_before_a_plugin_of_its_name():
    catalog = Catalog(
        recipes=find_recipes(),
        plugins={"summarize": plugin("summarize")},
        chat=Ollama(model="m"),
    )
    step = "- { id: a, uses: summarize, with: { text: '{{ inputs.text }}' } }"
    plan = compile_workflow(document(step).workflow, catalog)
    assert plan.models == (Ollama(model="m"),)


def test_a_model_can_be_a_plugin_also_for_a_recipe():
    plan = plan_of(
        """\
        - id: a
          model: { kind: plugin, name: mine, options: { size: 1 } }
          prompt_template: "Of {{ inputs.text }}"
        - id: b
          uses: summarize
          model: { kind: plugin, name: mine }
          with: { text: "{{ inputs.text }}" }
        """
    )
    assert (plan.steps["a"].output, plan.steps["b"].output) == (JSON, TEXT)
    assert plan.steps["b"].engines[0].plugin == PLUGINS["mine"]


def test_a_preprocessor_stands_among_the_transforms():
    plan = plan_of(
        """\
        - id: a
          input: "{{ inputs.text }}"
          input_transforms: [strip, { plugin: upper, with: { size: 2 } }, lines]
        - { id: b, input: "{{ inputs.text }}", input_transforms: [{ plugin: cut }] }
        """
    )
    strip, upper, lines = plan.steps["a"].input_transforms
    assert (strip, lines) == (Strip(), Lines())
    assert isinstance(upper, Preprocess)
    assert upper.engine.options == {"size": 2}
    assert [step.output for step in plan.steps.values()] == [TEXTS, TEXTS]
    assert plan.models == (Installed(name="upper"), Installed(name="cut"))


def test_another_manifest_makes_another_plan():
    step = "- { id: a, uses: tell, input: '{{ inputs.text }}' }"
    workflow = document(step).workflow
    plans = [
        compile_workflow(workflow, Catalog(plugins={"tell": each}))
        for each in (PLUGINS["tell"], plugin("tell"))
    ]
    assert fingerprint(plans[0]) != fingerprint(plans[1])


# Refused, with the place


STEP = "- {{ id: a, uses: {}, input: '{{{{ inputs.text }}}}'{} }}"
MODEL = "- {{ id: a, model: {{ kind: plugin, name: {} }}, input: '{{{{ inputs.text }}}}'{} }}"
INTO = "- {{ id: a, input: '{{{{ inputs.text }}}}', input_transforms: [{}] }}"
WRONG = {
    "unknown": (STEP.format("teel", ""), "workflow.unknown-recipe", "teel"),
    "unknown model": (MODEL.format("teel", ""), "plugin.unknown", "teel"),
    "unknown transform": (INTO.format("{ plugin: teel }"), "plugin.unknown", "teel"),
    "a model used": (STEP.format("mine", ""), "plugin.wrong-kind", "mine"),
    "a step asked": (MODEL.format("tell", ""), "plugin.wrong-kind", "tell"),
    "a step between": (INTO.format("{ plugin: tell }"), "plugin.wrong-kind", "tell"),
    "unknown parameter": (
        STEP.format("tell", ", with: { sizes: 1 }"),
        "workflow.unknown-parameter",
        "1 }",
    ),
    "wrong parameter": (
        STEP.format("tell", ", with: { size: 0 }"),
        "plugin.bad-parameter",
        "0 }",
    ),
    "wrong choice": (
        STEP.format("tell", ", with: { style: wide }"),
        "plugin.bad-parameter",
        "wide",
    ),
    "missing parameter": (
        STEP.format("ask-for", ""),
        "workflow.missing-parameter",
        "{ id",
    ),
    "missing parameter of two": (
        STEP.format("ask-for", ", with: {}"),
        "workflow.missing-parameter",
        "{}",
    ),
    "wrong option": (
        MODEL.format("mine", ", options: { size: x }"),
        "plugin.bad-parameter",
        "x }",
    ),
    "unknown option": (
        MODEL.format("mine", ", options: { temperature: 1 }"),
        "workflow.unknown-parameter",
        "1 }",
    ),
    "wrong in transform": (
        INTO.format("{ plugin: upper, with: { size: 0 } }"),
        "plugin.bad-parameter",
        "0 }",
    ),
    "template in transform": (
        INTO.format("{ plugin: upper, with: { size: '{{ inputs.text }}' } }"),
        "workflow.bad-value",
        "{ size",
    ),
    "a prompt": (
        STEP.format("tell", ", prompt_template: x"),
        "plugin.no-model",
        "x }",
    ),
    "an option": (
        STEP.format("tell", ", options: { a: 1 }"),
        "plugin.no-model",
        "{ a",
    ),
    "another output": (
        STEP.format("count", ", output: text"),
        "workflow.type-mismatch",
        "text",
    ),
    "no input": ("- { id: a, uses: tell }", "workflow.no-input", "{ id"),
}


@pytest.mark.parametrize(("step", "code", "marked"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_told_with_its_place(step, code, marked):
    ((found, where),) = problems_of(step)
    source, line, column = where.split(":")
    assert (found, source, line) == (code, "w.yaml", "5")
    assert step[int(column) - 1 :].startswith(marked)


MISMATCHES = {
    "sound": "- { id: a, uses: tell, input: '{{ inputs.sound }}' }",
    "text for json": "- { id: a, uses: lines, input: '{{ inputs.text }}' }",
    "text for sound": "- { id: a, uses: hear, input: '{{ inputs.text }}' }",
    "between": "- { id: a, input: '{{ inputs.sound }}', "
    "input_transforms: [{ plugin: upper }] }",
    "behind": "- { id: a, input: '{{ inputs.text }}', "
    "input_transforms: [lines, { plugin: upper }] }",
    "a model": "- { id: a, model: { kind: plugin, name: mine }, "
    "input: '{{ inputs.sound }}' }",
}


@pytest.mark.parametrize("step", MISMATCHES.values(), ids=MISMATCHES)
def test_a_value_of_another_type_is_refused(step):
    assert problem_of(step).code == "workflow.type-mismatch"


def test_a_transform_behind_it_is_checked_against_what_it_gives():
    step = (
        "- { id: a, input: '{{ inputs.text }}', input_transforms: [{ plugin: cut }, "
        "lines] }"
    )
    assert problem_of(step).code == "workflow.transform-mismatch"


def test_a_field_that_its_schema_does_not_have_is_told():
    problem = problem_of(
        """\
        - { id: a, uses: count, input: "{{ inputs.text }}" }
        - { id: b, input: "{{ a.wrds }}" }
        """
    )
    assert (problem.code, problem.mend) == (
        "workflow.unknown-field",
        "did you mean 'words'?",
    )


def test_every_problem_is_told_at_once():
    codes = [
        code
        for code, _ in problems_of(
            """\
            - id: a
              uses: ask-for
              model: { kind: ollama, model: m }
              with: { wrong: 1, size: x }
              input: "{{ inputs.sound }}"
            """
        )
    ]
    assert codes == [
        "plugin.no-model",
        "workflow.unknown-parameter",
        "plugin.bad-parameter",
        "workflow.type-mismatch",
    ]


def test_a_near_name_is_suggested_among_recipes_and_plugins():
    assert problem_of(STEP.format("teel", "")).mend == "did you mean 'tell'?"
    assert problem_of(STEP.format("sumarize", "")).mend == "did you mean 'summarize'?"
    assert "input_transforms" in problem_of(MODEL.format("upper", "")).mend


def test_a_broken_manifest_is_told_instead_of_its_plugin():
    class Broken(dict):
        def __getitem__(self, name):
            raise UsageError("plugin.bad-manifest", "it is broken")

        get = __getitem__

    catalog = Catalog(plugins=Broken(tell=None))
    step = document(STEP.format("tell", "")).workflow
    with pytest.raises(InvalidWorkflow, match="it is broken"):
        compile_workflow(step, catalog)
    with pytest.raises(InvalidWorkflow, match="it is broken"):
        parse_chain("a.txt | tell", {}, plugins=Broken(tell=None))


# In a chain


def steps_of(text):
    parsed = parse_chain(text, CATALOG.recipes, plugins=PLUGINS)
    compile_workflow(parsed.workflow, CATALOG, locate=parsed.locate)
    return parsed.workflow.steps


def test_a_plugin_is_a_stage_of_a_chain():
    one, two, three = steps_of("a.txt | tell 3 --style short | count | lines")
    assert (one.uses, one.input, one.arguments) == (
        "tell",
        "{{ inputs.input }}",
        {"size": 3, "style": "short"},
    )
    assert (two.uses, three.uses) == ("count", "lines")
    assert (two.input, three.input) == ("{{ tell }}", "{{ count }}")


def test_a_model_that_is_a_plugin_is_a_stage_too():
    for name in ("mine", "plugin:mine"):
        (step,) = steps_of(f"a.txt | {name} --size 2")
        assert (step.model, step.uses) == (Installed(name="mine"), None)
        assert (step.options, step.input) == ({"size": 2}, "{{ inputs.input }}")


def test_json_goes_to_a_plugin_of_text_as_its_text():
    assert steps_of("a.txt | count | tell")[1].input == "{{ count | tojson(indent=2) }}"


def test_a_plugin_runs_for_each_file_unless_it_takes_a_list():
    each, all_ = steps_of("'*.txt' | tell | merge")
    assert (each.for_each, each.input) == ("{{ inputs.input }}", "{{ item }}")
    assert (all_.for_each, all_.input) == (None, "{{ tell }}")


def test_a_plugin_may_bring_the_chains_input():
    parsed = parse_chain("tell notes.txt --size 2", {}, plugins=PLUGINS)
    assert parsed.source is not None
    (step,) = steps_of("ask-for notes.txt 2")
    assert step.arguments == {"size": 2}


def test_a_flag_needs_no_value():
    (step,) = steps_of("a.txt | flags --loud")
    assert step.arguments == {"loud": True}


@pytest.mark.parametrize(
    ("text", "code", "marked"),
    [
        ("a.txt | teel", "chain.unknown-recipe", "teel"),
        ("a.txt | tell --sizes 2", "chain.unknown-parameter", "--sizes 2"),
        ("a.txt | tell --model x", "chain.unknown-parameter", "tell"),
        ("a.txt | ask-for", "chain.missing-parameter", "ask-for"),
        ("a.txt | tell 1 short 3", "chain.too-many-words", "3"),
        ("a.txt | tell --size 0", "plugin.bad-parameter", "--size 0"),
        ("a.txt | plugin:teel", "plugin.unknown", "plugin:teel"),
        ("a.txt | tell | hear", "workflow.type-mismatch", "hear"),
    ],
)
def test_what_is_wrong_in_a_chain_is_underlined(text, code, marked):
    with pytest.raises(InvalidWorkflow) as raised:
        steps_of(text)
    problem = raised.value.problem
    where = problem.where
    assert (problem.code, text[where.start : where.end]) == (code, marked)


# In the engine


def bench(**scripts):
    return Bench(
        {f"plugin:{name}": script for name, script in scripts.items()}, catalog=CATALOG
    )


def shout(request):
    return request.input.upper()


GIVEN = {"text": Input()}


async def test_a_preprocessor_is_asked_before_the_steps_own_model():
    tools = bench(upper=[shout])
    step = WorkflowStep(
        id="a",
        model=Ollama(model="m"),
        prompt_template="Of {{ input }}",
        input=" {{ inputs.text }} ",
        input_transforms=[Strip(), UsePlugin(plugin="upper")],
    )
    result = await tools.run(step, declared=GIVEN, inputs={"text": "x"})
    assert result.outputs == {"a": "Of X"}
    (request,) = tools.backends["plugin:upper"].requests
    assert (request.input, request.prompt, request.options) == ("x", "", {})


async def test_what_it_made_is_kept_by_itself():
    tools = bench(upper=[shout])
    for prompt in ("One {{ input }}", "Two {{ input }}"):
        step = WorkflowStep(
            id="a",
            model=Ollama(model="m"),
            prompt_template=prompt,
            input="{{ inputs.text }}",
            input_transforms=[UsePlugin(plugin="upper")],
        )
        await tools.run(step, declared=GIVEN, inputs={"text": "x"})
    assert tools.asked == ["", "One X", "Two X"]


async def test_the_same_value_for_two_items_is_preprocessed_once():
    tools = bench(upper=[shout])
    step = WorkflowStep(
        id="a",
        for_each="{{ inputs.xs }}",
        input="{{ item }}",
        input_transforms=[UsePlugin(plugin="upper")],
    )
    declared = {"xs": Input(type=TEXTS)}
    result = await tools.run(step, declared=declared, inputs={"xs": ["a", "b", "a"]})
    assert result.outputs == {"a": ["A", "B", "A"]}
    assert len(tools.backends["plugin:upper"].requests) == 2


async def test_the_steps_retry_counts_for_its_preprocessor_too():
    broken = StepError("worker.crashed", "it crashed", retryable=True)
    tools = bench(upper=[broken, shout])
    step = WorkflowStep(
        id="a",
        input="{{ inputs.text }}",
        input_transforms=[UsePlugin(plugin="upper")],
        retry=Retry(attempts=2),
    )
    result = await tools.run(step, declared=GIVEN, inputs={"text": "x"})
    assert result.outputs == {"a": "X"}


async def test_a_step_tells_which_plugin_made_its_result():
    tools = bench(tell=["said"])
    step = WorkflowStep(id="a", uses="tell", input="{{ inputs.text }}")
    await tools.run(step, declared=GIVEN, inputs={"text": "x"})
    (done,) = tools.sink.of(StepFinished)
    assert done.model_digest == "sha256:plugin:tell"
    assert done.reproducible


def test_a_parameter_may_refer_to_a_definition_of_its_schema():
    schema = {
        "type": "object",
        "$defs": {"size": SIZE},
        "properties": {"size": {"$ref": "#/$defs/size"}},
        "additionalProperties": False,
    }
    catalog = Catalog(plugins={"tell": replace(PLUGINS["tell"], parameters=schema)})
    for size, is_right in ((1, True), (0, False)):
        workflow = document(STEP.format("tell", f", with: {{ size: {size} }}")).workflow
        if is_right:
            compile_workflow(workflow, catalog)
        else:
            with pytest.raises(InvalidWorkflow, match="/size"):
                compile_workflow(workflow, catalog)


def test_what_a_schema_says_of_several_parameters_is_left_to_the_run():
    schema = {
        "type": "object",
        "properties": {"a": {}, "b": {}},
        "dependentRequired": {"a": ["b"]},
        "anyOf": [{"required": ["a"]}, {"required": ["b"]}],
    }
    catalog = Catalog(plugins={"tell": replace(PLUGINS["tell"], parameters=schema)})
    step = STEP.format("tell", ", with: { a: 1, b: '{{ inputs.text }}' }")
    compile_workflow(document(step).workflow, catalog)


async def foretold(tools, *steps):
    workflow = Workflow(name="test", steps=steps, inputs=GIVEN)
    plan = compile_workflow(workflow, CATALOG)
    sources = Sources(backends=tools.backends, cache=tools.cache)
    found = await forecast(plan, {"text": "x"}, sources)
    return {name: each.status for name, each in found.items()}


async def test_a_forecast_knows_what_a_preprocessor_made_before():
    tools = bench(upper=[shout])
    ready = WorkflowStep(
        id="a", input="{{ inputs.text }}", input_transforms=[UsePlugin(plugin="upper")]
    )
    after = WorkflowStep(id="b", uses="tell", input="{{ a }}")
    assert await foretold(tools, ready, after) == {"a": "will run", "b": "will run"}
    asked = tools.backends["plugin:upper"].requests
    assert asked == []

    await tools.run(ready, after, declared=GIVEN, inputs={"text": "x"})

    assert await foretold(tools, ready, after) == {"a": "will run", "b": "cached"}
    assert len(asked) == 1


async def test_a_forecast_says_that_a_preprocessor_is_refused():
    class Untrusting(Backends):
        def __call__(self, model):
            backend = super().__call__(model)

            async def identify():
                raise RefusedByPolicy("plugin.untrusted", "it is not trusted yet")

            backend.identify = identify
            return backend

    tools = bench()
    tools.backends = Untrusting()
    step = WorkflowStep(
        id="a", input="{{ inputs.text }}", input_transforms=[UsePlugin(plugin="upper")]
    )
    assert await foretold(tools, step) == {"a": "blocked"}
