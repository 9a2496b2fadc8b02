# SPDX-License-Identifier: Apache-2.0
"""Plugins at work: each kind, in real workers, and everything that goes wrong with one."""

import shutil
from pathlib import Path
from textwrap import dedent
from types import SimpleNamespace

import pytest
from tests.plugin_sources import write_plugin, write_wheel

from lao.api import RunFailed, run_async, stream_events
from lao.backend_factory import Backends
from lao.config import load_settings
from lao.errors import InvalidWorkflow, RefusedByPolicy
from lao.events import StepFinished, TextProduced
from lao.plugins.adding import add_plugin
from lao.plugins.api import QuietReport
from lao.plugins.backend import PluginBackend, require_isolation
from lao.plugins.installed import trust
from lao.policy import WorkerLimits
from lao.workers.pool import WorkerPool
from lao.workflow.document import read_workflow
from lao.workflow.inference import ModelRequest
from lao.workflow.local_models import Installed

TEXT = "the cat and the dog"
EXAMPLES = Path(__file__).parents[2] / "examples" / "plugins"

STEP = """
from lao.plugins.api import ModelProblem, PluginOutput

class Entry:
    name = "tell"

    def process(self, given):
        {body}
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """The home of a person who has configured nothing."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def settings(home):
    """That person's settings."""
    return load_settings({"HOME": str(home)})


@pytest.fixture
def add(settings, tmp_path):
    """Write, add and trust a plugin."""

    def written(code, *, wheels=(), trusted=True, **changed):
        told = {"entry": "plugin_module:Entry", "output": {"type": "text"}, **changed}
        source = write_plugin(tmp_path / "source", dedent(code), **told)
        data = settings.folders.data
        added = add_plugin(source, data, wheels=wheels, allow_downgrade=True)
        if trusted:
            trust(data, added.name)
        shutil.rmtree(source)
        return data / "plugins" / added.name

    return written


def step_of(body, **changed):
    return STEP.format(body=body.replace("\n", "\n        "))


def workflow_of(step, inputs="text: text"):
    text = f"lao: 1\nname: w\ninputs: {{ {inputs} }}\nsteps:\n"
    return read_workflow(text + dedent(step), source="w.yaml").workflow


def uses(name, more=""):
    """Return a workflow of one step that uses a plugin."""
    step = f"  - id: said\n    uses: {name}\n    input: '{{{{ inputs.text }}}}'\n"
    return workflow_of(f"{step}    {more}\n" if more else step)


async def outcome(workflow, settings, **inputs):
    result = await run_async(
        workflow, inputs=inputs or {"text": TEXT}, settings=settings
    )
    return result.outputs


async def failure(workflow, settings, **inputs):
    with pytest.raises(RunFailed) as raised:
        await outcome(workflow, settings, **inputs)
    return raised.value.result.failures[0]


# Each kind


async def test_a_step_gets_its_input_and_its_parameters_with_the_defaults(
    add, settings
):
    body = (
        "given.report.text('working')\n"
        "value = [given.value, dict(given.parameters), list(given.files)]\n"
        "return PluginOutput(value=value, notes=('noted',))"
    )
    size = {"type": "integer", "default": 3}
    words = {"type": "string"}
    add(
        step_of(body),
        name="tell",
        output={"type": "json"},
        parameters={"properties": {"size": size, "words": words}},
    )
    facts = [
        event.fact
        async for event in stream_events(
            uses("tell", "with: { words: '{{ inputs.text }}!' }"),
            inputs={"text": TEXT},
            settings=settings,
        )
    ]
    (done,) = [fact for fact in facts if isinstance(fact, StepFinished)]
    assert done.value == [TEXT, {"size": 3, "words": f"{TEXT}!"}, []]
    assert (done.made_by, done.notes) == ("tell 1.0.0", ("noted",))
    assert any(isinstance(fact, TextProduced) for fact in facts)


async def test_a_step_reads_the_file_that_it_is_given(add, settings, tmp_path):
    body = "return PluginOutput(value=open(given.value).read() + given.files[0][-4:])"
    add(step_of(body), name="tell", input={"type": "file"})
    (tmp_path / "a.txt").write_text("content")
    step = "  - { id: said, uses: tell, input: '{{ inputs.file }}' }"
    workflow = workflow_of(step, "file: file")
    found = await outcome(workflow, settings, file=str(tmp_path / "a.txt"))
    assert found == {"said": "content.txt"}


async def test_a_text_among_json_stays_a_text(add, settings):
    add(
        step_of("return PluginOutput(value='[1]')"),
        name="tell",
        output={"type": "json"},
    )
    assert await outcome(uses("tell"), settings) == {"said": "[1]"}


MODEL = """
from lao.plugins.api import ModelDescription, ModelReply

class Entry:
    def load(self, options): self.loaded = dict(options)
    def describe(self): return ModelDescription(name="mine")
    def infer(self, request, report):
        told = [self.loaded, dict(request.options), request.prompt, request.input]
        value = told if request.wants == "json" else str(request.prompt)
        return ModelReply(value=value, made_by="mine")
"""


async def test_a_model_is_asked_as_any_other(add, settings):
    size = {"type": "integer", "default": 3}
    folder = add(
        MODEL,
        name="mine",
        kind="model",
        output={"type": "json"},
        parameters={"properties": {"size": size, "own": {"type": "integer"}}},
        permissions={"read": [str(EXAMPLES)]},
    )
    workflow = workflow_of(
        """\
          - id: told
            model: { kind: plugin, name: mine, options: { own: 1 } }
            input: "{{ inputs.text }}"
            options: { own: 2 }
          - id: asked
            model: { kind: plugin, name: mine }
            prompt_template: "Of {{ inputs.text }}"
            output: text
        """
    )
    found = await outcome(workflow, settings)
    loaded = {"size": 3, "own": 1, "readable": [str(EXAMPLES)]}
    assert found["told"] == [loaded, {"size": 3, "own": 2}, "", TEXT]
    assert found["asked"] == f"Of {TEXT}"
    assert folder.is_dir()


UPPER = """
class Entry:
    def transform(self, value, parameters):
        return value.upper() + parameters.get("mark", "")
"""
LINES = """
class Entry:
    def format(self, value, parameters):
        return "".join(f"{key}: {each}\\n" for key, each in value.items())
"""
MARK = {"properties": {"mark": {"type": "string"}}}


async def test_a_preprocessor_changes_an_input_on_its_way(add, settings):
    add(UPPER, name="upper", kind="preprocessor", parameters=MARK)
    workflow = workflow_of(
        """\
          - id: cut
            input: " {{ inputs.text }} "
            input_transforms:
              - strip
              - { plugin: upper, with: { mark: "!" } }
              - { split: " " }
          - id: each
            for_each: "{{ cut }}"
            input: "{{ item }}"
            input_transforms: [{ truncate: 1 }, { plugin: upper }]
          - id: step
            uses: upper
            input: "{{ each.0 }}{{ each.1 }}"
            with: { mark: "?" }
        outputs: { cut: "{{ cut }}", each: "{{ each }}", step: "{{ step }}" }
        """
    )
    assert await outcome(workflow, settings) == {
        "cut": ["THE", "CAT", "AND", "THE", "DOG!"],
        "each": ["T", "C", "A", "T", "D"],
        "step": "TC?",
    }


async def test_a_formatter_makes_text_of_json(add, settings):
    add(LINES, name="lines", kind="formatter", input={"type": "json"})
    step = "  - { id: a, input: { of: '{{ inputs.text }}' } }\n"
    step += "  - { id: b, uses: lines, input: '{{ a }}' }"
    assert await outcome(workflow_of(step), settings) == {"b": f"of: {TEXT}\n"}


@pytest.mark.parametrize("name", ["keyword-model", "minutes-table", "tidy-transcript"])
async def test_the_examples_can_be_added(settings, name):
    assert add_plugin(EXAMPLES / name, settings.folders.data).name == name


async def test_it_imports_what_it_brings_before_what_lao_has(add, settings, tmp_path):
    wheel = write_wheel(
        tmp_path / "w.whl", {"click/__init__.py": "own = 1", "json.py": "bad = 1"}
    )
    body = (
        "import click, json\n"
        "return PluginOutput(value=f'{click.own} {hasattr(json, \"bad\")}')"
    )
    add(step_of(body), name="tell", wheels=[wheel])
    assert await outcome(uses("tell"), settings) == {"said": "1 False"}


@pytest.mark.linux
async def test_it_reads_what_it_asked_for_and_nothing_else(add, settings, tmp_path):
    for name in ("asked", "other"):
        (tmp_path / name).write_text(name)
    body = (
        "def read(path):\n"
        "    try:\n"
        "        return open(path).read()\n"
        "    except OSError as error:\n"
        "        return type(error).__name__\n"
        f"paths = [*given.readable, {str(tmp_path / 'other')!r}, __file__]\n"
        "return PluginOutput(value=[read(path)[:20] for path in paths])"
    )
    read = [str(tmp_path / "asked"), str(tmp_path / "not-there")]
    permissions = {"read": read}
    add(step_of(body), name="tell", output={"type": "json"}, permissions=permissions)
    asked, missing, other, own = (await outcome(uses("tell"), settings))["said"]
    assert (asked, missing) == ("asked", "FileNotFoundError")
    assert other in ("PermissionError", "FileNotFoundError")  # L2, L3
    assert own.startswith("\nfrom lao.plugins")


# Trust


async def test_a_plugin_that_nobody_trusted_does_not_run(add, settings, tmp_path):
    mark = tmp_path / "ran"
    add(f"open({str(mark)!r}, 'w')\n{UPPER}", name="fresh", trusted=False)
    with pytest.raises(RefusedByPolicy) as refused:  # the run, before it begins
        await outcome(uses("fresh"), settings)
    assert (refused.value.code, refused.value.exit_code) == ("plugin.untrusted", 5)
    assert "lao plugin trust fresh" in refused.value.problem.mend
    assert not mark.exists()


async def test_a_file_that_changed_ends_the_trust_also_for_kept_results(add, settings):
    folder = add(step_of("return PluginOutput(value=given.value)"), name="tell")
    assert await outcome(uses("tell"), settings) == {"said": TEXT}
    with next(folder.rglob("__init__.py")).open("a") as file:
        file.write("# more\n")
    with pytest.raises(RefusedByPolicy) as refused:
        await outcome(uses("tell"), settings)
    assert (refused.value.code, refused.value.exit_code) == ("plugin.changed", 5)


async def test_a_file_that_changes_while_its_worker_is_warm_ends_the_trust(
    add, settings
):
    folder = add(step_of("return PluginOutput(value=given.value)"), name="tell")
    async with WorkerPool() as pool:
        backend = PluginBackend(
            model=Installed(name="tell"),
            data=settings.folders.data,
            pool=pool,
            limits=WorkerLimits(),
        )
        reply = await backend.infer(ModelRequest(input="a"), QuietReport())
        next(folder.rglob("__init__.py")).chmod(0o640)
        with pytest.raises(RefusedByPolicy) as raised:
            await backend.infer(ModelRequest(input="a"), QuietReport())
    assert (reply.value, raised.value.code) == ("a", "plugin.changed")


@pytest.mark.parametrize("level", ["L0", "L1"])
def test_a_machine_that_would_let_it_read_everything_refuses_it(level):
    with pytest.raises(RefusedByPolicy) as raised:
        require_isolation("tell", level, accept_none=False)
    assert raised.value.code == "plugin.needs-isolation"
    require_isolation("tell", level, accept_none=True)


async def test_the_level_of_the_machine_is_asked_before_a_plugin_is_opened(settings):
    launcher = SimpleNamespace(machine=SimpleNamespace(level="L1"))
    async with Backends(settings, SimpleNamespace(launcher=launcher)) as backends:
        with pytest.raises(RefusedByPolicy) as raised:
            backends(Installed(name="tell"))
    assert raised.value.code == "plugin.needs-isolation"


@pytest.mark.parametrize("level", ["L2", "L3"])
def test_other_machines_let_it_run(level):
    require_isolation("tell", level, accept_none=False)


async def test_a_removed_plugin_is_unknown(add, settings):
    shutil.rmtree(add(step_of("return PluginOutput(value='')"), name="gone"))
    with pytest.raises(InvalidWorkflow, match="no recipe or plugin is called 'gone'"):
        await outcome(uses("gone"), settings)


# Kept results


async def test_a_result_is_kept_until_the_plugin_changes(add, settings, tmp_path):
    async def is_cached():
        facts = [
            event.fact
            async for event in stream_events(
                uses("tell"), inputs={"text": TEXT}, settings=settings
            )
        ]
        (done,) = [fact for fact in facts if isinstance(fact, StepFinished)]
        return done.cached, done.value

    code = step_of("return PluginOutput(value='one')")
    add(code, name="tell")
    assert [await is_cached(), await is_cached()] == [(False, "one"), (True, "one")]
    add(code.replace("'one'", "'two'"), name="tell")
    assert await is_cached() == (False, "two")
    add(code, name="tell", version="0.9", description="Other words.")
    assert await is_cached() == (False, "one")


# What goes wrong


WRONG = {
    "not of its type": ("return PluginOutput(value=1)", "it is not text"),
    "no output": ("return given.value", "PluginOutput"),
    "nothing": ("pass", "NoneType"),
}


@pytest.mark.parametrize(("body", "words"), WRONG.values(), ids=WRONG)
async def test_a_plugin_that_lies_about_its_output_is_caught(
    add, settings, body, words
):
    add(step_of(body), name="tell")
    failed = await failure(uses("tell"), settings)
    assert (failed.code, failed.exit_code) == ("plugin.wrong-output", 3)
    assert words in failed.what


async def test_so_is_one_that_breaks_its_own_schema(add, settings):
    schema = {"type": "object", "required": ["words"]}
    body = "return PluginOutput(value={'word': 1})"
    add(step_of(body), name="tell", output={"type": "json", "schema": schema})
    failed = await failure(uses("tell"), settings)
    assert failed.code == "plugin.wrong-output"
    assert "words" in failed.what


async def test_a_preprocessor_that_lies_fails_its_step(add, settings):
    add(
        UPPER.replace("value.upper()", "12 #"),
        name="upper",
        kind="preprocessor",
    )
    step = "  - { id: a, input: '{{ inputs.text }}', "
    step += "input_transforms: [{ plugin: upper }] }"
    failed = await failure(workflow_of(step), settings)
    assert (failed.step, failed.code) == ("a", "plugin.wrong-output")


async def test_a_parameter_is_checked_again_with_its_value(add, settings):
    size = {"type": "integer", "maximum": 3}
    add(
        step_of("return PluginOutput(value='')"),
        name="tell",
        parameters={"properties": {"size": size}},
    )
    more = "with: { size: '{{ inputs.text | length }}' }"
    failed = await failure(uses("tell", more), settings)
    assert failed.code == "plugin.bad-parameter"
    assert "/size" in failed.what


async def test_an_input_is_checked_again_with_its_value(add, settings):
    add(step_of("return PluginOutput(value='')"), name="tell")
    step = "  - { id: said, uses: tell, input: '{{ inputs.text | length }}' }"
    failed = await failure(workflow_of(step), settings)
    assert failed.code == "plugin.wrong-input"


async def test_its_own_complaint_becomes_the_steps_error(add, settings):
    body = "raise ModelProblem('tell.no-luck', 'no luck today', mend='wait')"
    add(step_of(body), name="tell")
    failed = await failure(uses("tell"), settings)
    assert (failed.code, failed.what, failed.mend) == (
        "tell.no-luck",
        "no luck today",
        "wait",
    )


async def test_a_crash_fails_the_step_and_the_run_goes_on(add, settings, tmp_path):
    add(
        step_of(
            "import os\nif 'cat' in given.value: os._exit(9)\n"
            "return PluginOutput(value='alive')"
        ),
        name="tell",
    )
    workflow = workflow_of(
        """\
          - { id: one, uses: tell, input: "{{ inputs.text }}", on_error: skip }
          - { id: two, uses: tell, input: "a dog" }
        """
    )
    result = await run_async(workflow, inputs={"text": TEXT}, settings=settings)
    assert result.outputs == {"two": "alive"}
    failed = await failure(uses("tell"), settings)
    assert failed.code == "worker.crashed"


async def test_a_hang_ends_with_the_steps_time(add, settings):
    add(step_of("import time\nwhile True: time.sleep(1)"), name="tell")
    failed = await failure(uses("tell", "timeout: 500ms"), settings)
    assert failed.code == "step.timeout"


NO_START = {
    "no package": ("import not_there_at_all", "plugin.import-failed", "wheels"),
    "no class": ("Entry = 1", "plugin.wrong-class", "is no class"),
    "another role": (UPPER, "plugin.wrong-class", "has no process"),
    "no code": ("def (:", "worker.model-error", "SyntaxError"),
}


@pytest.mark.parametrize(("code", "error", "words"), NO_START.values(), ids=NO_START)
async def test_a_plugin_that_cannot_be_loaded_says_why(
    add, settings, code, error, words
):
    add(code, name="tell")
    failed = await failure(uses("tell"), settings)
    assert failed.code == error
    assert words in f"{failed.what} {failed.mend}"


async def test_what_it_says_beside_its_value_is_kept_short(add, settings):
    body = "return PluginOutput(value=1, notes=('x' * 100_000, *(['n'] * 5_000)))"
    add(step_of(body), name="tell", output={"type": "json"})
    events = stream_events(uses("tell"), inputs={"text": TEXT}, settings=settings)
    facts = [event.fact async for event in events]
    (notes,) = (each.notes for each in facts if isinstance(each, StepFinished))
    assert (len(notes), notes[-1]) == (21, "… and 4,981 more notes")
    assert len(notes[0]) == 300
