# SPDX-License-Identifier: Apache-2.0
"""A model of the user's own: the example, and what goes wrong with one."""

import os
from contextlib import aclosing
from pathlib import Path
from textwrap import dedent

import pytest
from tests.integration.worker_requests import children_of

from lao.api import RunFailed, load, run_async, stream_events
from lao.backends.in_worker import InWorker, custom_spec
from lao.config import load_settings
from lao.events import ProgressMade, StepFinished, StepRetried, TextProduced
from lao.planning.engines import at_base
from lao.policy import WorkerLimits
from lao.workers.pool import WorkerPool
from lao.workers.spec import WorkerSpec
from lao.workflow.local_models import Custom

EXAMPLES = Path(__file__).parents[2] / "examples"
TEXT = "The cat and the dog. The end."

# What the models below have in common; each test writes its own `infer`.
HEAD = """
import time
from pathlib import Path
from lao import ModelDescription, ModelProblem, ModelReply

class Mine:
    def load(self, options): self.loaded = dict(options)
    def describe(self): return ModelDescription(name="mine")
"""
ECHO = HEAD + "    def infer(self, request, report):\n        "


@pytest.fixture
def settings(tmp_path):
    """The settings of a person who has configured nothing."""
    return load_settings({"HOME": str(tmp_path)})


@pytest.fixture
def workflow(tmp_path):
    """Write a model and a workflow beside it that uses it; return the workflow."""

    def write(source, *, plugin="mine.py", step="", readable=""):
        (tmp_path / "mine.py").write_text(dedent(source), "utf-8")
        model = (
            f'{{ kind: custom, plugin: "{plugin}", readable: [{readable}], '
            "options: { size: 1, own: 2 } }"
        )
        file = tmp_path / "mine.yaml"
        file.write_text(
            "lao: 1\nname: mine\nsteps:\n  - id: said\n"
            f"    model: {model}\n    input: '{{{{ inputs.text }}}}'\n{step}",
            "utf-8",
        )
        return load(file)

    return write


async def events_of(workflow, settings):
    """Return the facts of one run."""
    run = stream_events(workflow, inputs={"text": TEXT}, settings=settings)
    return [event.fact async for event in run]


async def failure_of(workflow, settings):
    """Return the one failure of a run that must fail."""
    with pytest.raises(RunFailed) as raised:
        await run_async(workflow, inputs={"text": TEXT}, settings=settings)
    (failure,) = raised.value.result.failures
    return failure


async def test_the_example_answers_in_text_and_in_json(settings):
    workflow = load(EXAMPLES / "word-statistics.yaml")
    result = await run_async(workflow, inputs={"text": TEXT}, settings=settings)

    assert result.outputs == {
        "table": "7 words, 5 distinct\n     3 the\n     1 cat\n     1 and\n",
        "numbers": {"words": 7, "distinct": 5, "commonest": ["the"]},
        "verdict": "short",
    }


async def test_the_example_streams_its_lines_and_reports_progress(settings):
    facts = await events_of(load(EXAMPLES / "word-statistics.yaml"), settings)
    said = [f.text for f in facts if isinstance(f, TextProduced) and f.step == "table"]
    told = [f for f in facts if isinstance(f, ProgressMade) and f.step == "table"]

    assert "".join(said).startswith("7 words, 5 distinct\n")
    assert (told[-1].done, told[-1].total, told[-1].unit) == (29, 29, "characters")


async def test_the_example_complains_of_an_empty_text(settings):
    workflow = load(EXAMPLES / "word-statistics.yaml")
    with pytest.raises(RunFailed) as raised:
        await run_async(workflow, inputs={"text": " "}, settings=settings)

    assert {each.code for each in raised.value.result.failures} == {"words.no-text"}


async def test_the_example_says_what_it_is(tmp_path):
    async with WorkerPool(scratch_parent=tmp_path) as pool:
        found = await pool.describe(WorkerSpec(entry=f"{EXAMPLES}/custom_model.py"))

    assert found.name == "word-statistics"
    assert found.digest.startswith("sha256:")


async def test_the_texts_of_a_folder_are_compared(settings):
    workflow = load(EXAMPLES / "compare-texts.yaml")
    result = await run_async(workflow, settings=settings)

    assert result.outputs["report"].startswith("1. (52 words) The work costs")
    assert result.outputs["report"].count("words)") == 2


async def test_a_model_gets_its_options_when_loaded_and_the_steps_over_them(
    workflow, settings
):
    source = ECHO + (
        "value = [self.loaded, dict(request.options), request.input, request.prompt]\n"
        "        return ModelReply(value=value, made_by='mine')\n"
    )
    step = "    options: { own: 3 }\n    output: json\n    prompt_template: 'Count.'\n"
    found = workflow(source, step=step)
    result = await run_async(found, inputs={"text": TEXT}, settings=settings)

    loaded, asked, given, prompt = result.outputs["said"]
    assert (loaded, asked) == ({"size": 1, "own": 2}, {"size": 1, "own": 3})
    assert (given, prompt) == (TEXT, "Count.")


async def test_leaving_a_run_ends_the_model(workflow, settings):
    source = ECHO + (
        "report.progress(1, 2, 'parts')\n"
        "        while not report.cancelled: time.sleep(0.002)\n"
        "        return ModelReply(value='', made_by='mine')\n"
    )
    run = stream_events(workflow(source), inputs={"text": TEXT}, settings=settings)
    async with aclosing(run) as events:
        async for event in events:
            if isinstance(event.fact, ProgressMade):
                assert children_of(os.getpid())
                break

    assert children_of(os.getpid()) == []


async def test_what_it_may_read_is_part_of_what_it_is(tmp_path):
    source, weights = tmp_path / "mine.py", tmp_path / "weights"
    source.write_text("")
    weights.mkdir()
    model = at_base(Custom(plugin="mine.py", readable=("weights",)), str(tmp_path))
    backend = InWorker(custom_spec(model, WorkerLimits()), WorkerPool())
    assert backend.spec.readable == (str(weights),)
    before = await backend.identify()
    assert await backend.identify() == before
    (weights / "layer").touch()
    assert await backend.identify() != before


@pytest.mark.parametrize(("unavailable", "exit_code"), [(False, 3), (True, 6)])
async def test_a_models_own_complaint_becomes_the_steps_error(
    workflow, settings, unavailable, exit_code
):
    problem = f"'mine.no-luck', 'no luck today', mend='wait', {unavailable=}"
    failure = await failure_of(
        workflow(f"{ECHO}raise ModelProblem({problem})\n"), settings
    )

    assert (failure.code, failure.what) == ("mine.no-luck", "no luck today")
    assert (failure.mend, failure.exit_code) == ("wait", exit_code)


async def test_any_other_exception_is_named(workflow, settings):
    failure = await failure_of(workflow(f"{ECHO}raise KeyError('x')\n"), settings)

    assert failure.code == "worker.model-error"
    assert "KeyError: 'x'" in failure.what


@pytest.mark.parametrize("value", ["{'a': 1}", "12", "None"])
async def test_an_answer_that_is_not_text_needs_a_declared_output(
    workflow, settings, value
):
    source = f"{ECHO}return ModelReply(value={value}, made_by='mine')\n"

    assert (await failure_of(workflow(source), settings)).code == "step.not-text"


NO_START = {
    "import-error": ("import not_installed_anywhere\n", "mine.py", "not_installed"),
    "syntax-error": ("def (:\n", "mine.py", "SyntaxError"),
    "no-such-class": (ECHO + "pass\n", "mine.py:Yours", "has no class 'Yours'"),
    "missing-method": (
        "class Mine: pass\n",
        "mine.py:Mine",
        "describe, load and infer",
    ),
    "no-class": ("x = 1\n", "mine.py", "defines 0 classes"),
    "two-classes": (
        ECHO + "pass\nclass Yours(Mine): pass\n",
        "mine.py",
        "after a colon, as in model.py:Class",
    ),
}


@pytest.mark.parametrize(("source", "plugin", "words"), NO_START.values(), ids=NO_START)
async def test_a_file_that_cannot_be_used_makes_the_model_unavailable(
    workflow, settings, source, plugin, words
):
    failure = await failure_of(workflow(source, plugin=plugin), settings)

    assert (failure.code, failure.exit_code) == ("worker.start-failed", 6)
    assert words in f"{failure.what} {failure.mend}"


async def test_a_missing_file_makes_the_model_unavailable(workflow, settings):
    failure = await failure_of(workflow("", plugin="yours.py"), settings)

    assert (failure.code, failure.exit_code) == ("model.file-missing", 6)
    assert "yours.py" in failure.what


async def test_a_crash_fails_the_step_and_the_next_attempt_gets_a_new_process(
    workflow, settings, tmp_path
):
    """Its own folder is new each time, so what it reads tells the attempts apart."""
    folder = tmp_path / "given"
    folder.mkdir()
    source = ECHO + (
        f"if not Path({str(folder / 'mark')!r}).exists():\n"
        "            import os; os._exit(9)\n"
        "        return ModelReply(value='alive', made_by='mine')\n"
    )
    step = "    retry: { attempts: 2, backoff: 500ms }\n"
    found = workflow(source, step=step, readable="given")
    facts = []
    async for event in stream_events(found, inputs={"text": TEXT}, settings=settings):
        facts.append(event.fact)
        if isinstance(event.fact, StepRetried):
            (folder / "mark").touch()

    [finished] = [fact for fact in facts if isinstance(fact, StepFinished)]
    assert finished.value == "alive"


async def test_a_model_reads_what_it_names_and_nothing_else(
    workflow, settings, tmp_path
):
    for name in ("words.txt", "secret.txt"):
        (tmp_path / name).write_text(name, "utf-8")
    read = f"Path({str(tmp_path)!r}, %r).read_text()"
    source = ECHO + f"return ModelReply(value={read % 'words.txt'}, made_by='mine')\n"
    found = workflow(source, readable="words.txt")
    result = await run_async(found, inputs={"text": TEXT}, settings=settings)
    assert result.outputs["said"] == "words.txt"

    found = workflow(source.replace("words.txt", "secret.txt"), readable="words.txt")
    assert (await failure_of(found, settings)).code == "worker.model-error"
