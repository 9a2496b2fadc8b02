# SPDX-License-Identifier: Apache-2.0
"""`lao demo`: the main job on a bundled recording, with the embedded models only."""

import asyncio
import shutil
import textwrap
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import click

from lao.cli.confined import confined
from lao.cli.options import common, settings_from
from lao.cli.progress import open_progress
from lao.cli.report import failure_problem, json_report
from lao.cli.run_words import one_line
from lao.cli.terminal import write_answer, write_note
from lao.config import Settings
from lao.engine.inputs import bind_inputs
from lao.engine.runner import RunResult
from lao.events import RunState
from lao.planning.plan import Plan
from lao.recipes import find_recipes
from lao.runtime import RunOptions, Session, make_plan
from lao.workflow.local_models import Embedded
from lao.workflow.steps import Input, Workflow, WorkflowStep
from lao.workflow.values import Value, ValueType

_EXAMPLES: Final = Path(__file__).parents[1] / "examples"
_SPEECH_PACKAGES = ("numpy", "pocketsphinx", "soundfile")
_WIDEST = 88


@click.command(name="demo")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON report.")
@common
def command(*, as_json: bool, **flags: object) -> int:
    """Transcribe a bundled recording, sum it up, and list who and what it mentions.

    Needs no model server and no download: the models that come with LAO do it. They
    are small; your own models do it better.
    """
    settings = settings_from(flags)
    missing = [name for name in _SPEECH_PACKAGES if find_spec(name) is None]
    if missing:
        write_note(_no_speech(missing))
    workflow, given = demo_workflow(hears=not missing)
    state = RunState()
    quiet, verbose = bool(flags.get("quiet")), bool(flags.get("verbose"))
    plan = make_plan(workflow, settings, recipes=find_recipes())
    with (
        confined(settings, plan.models) as confinement,
        open_progress(quiet=quiet, settings=settings, verbose=verbose) as progress,
    ):
        values = bind_inputs(plan.inputs, given, _EXAMPLES)
        options = RunOptions(sinks=[state.apply, progress])
        session = Session(settings, confinement=confinement)  # keeps nothing
        result = asyncio.run(_carried_out(session, plan, values, options))
    for failure in result.failures:
        write_note(str(failure_problem(failure)))
    write_answer(
        json_report(state, result.exit_code) if as_json else _page(result, state)
    )
    if not quiet:
        _say_more(state, settings)
    return result.exit_code


async def _carried_out(
    session: Session, plan: Plan, inputs: Mapping[str, Value], options: RunOptions
) -> RunResult:
    async with session:
        return await session.run(plan, inputs, options)


def demo_workflow(*, hears: bool) -> tuple[Workflow, Mapping[str, Path]]:
    """Return the main job and its input: the recording, or what is said in it."""
    recording, text = _EXAMPLES / "meeting.flac", _EXAMPLES / "meeting.txt"
    source = "{{ transcript }}" if hears else "{{ inputs.text }}"
    steps = [
        WorkflowStep(
            id="summary",
            uses="summarize",
            model=Embedded(name="summary"),
            arguments={"text": source, "length": 4},
        ),
        WorkflowStep(
            id="entities",
            uses="extract-entities",
            model=Embedded(name="entities"),
            arguments={"text": source},
        ),
    ]
    if not hears:
        inputs = {"text": Input()}
        return Workflow(name="demo", inputs=inputs, steps=steps), {"text": text}
    heard = WorkflowStep(
        id="transcript",
        uses="transcribe",
        model=Embedded(name="speech"),
        arguments={"audio": "{{ inputs.recording }}"},
    )
    workflow = Workflow(
        name="demo",
        inputs={"recording": Input(type=ValueType(kind="audio"))},
        steps=[heard, *steps],
        outputs={
            name: f"{{{{ {name} }}}}" for name in ("transcript", "summary", "entities")
        },
    )
    return workflow, {"recording": recording}


def _no_speech(missing: list[str]) -> str:
    return (
        f"note: the embedded recogniser needs {', '.join(missing)}, not installed here "
        "(pip install 'lao-orchestrator[speech-lite]'; for Python 3.11 to 3.13).\n"
        "note: nothing was transcribed: the demo goes on with the true text of the "
        "recording."
    )


def _page(result: RunResult, state: RunState) -> str:
    width = min(shutil.get_terminal_size().columns, _WIDEST)
    outputs = dict(result.outputs)
    parts: list[str] = []
    if "transcript" not in state.steps:
        text = (_EXAMPLES / "meeting.txt").read_text("utf-8")
        heading = _heading("Text", "bundled with LAO, not transcribed", width)
        parts.append(heading + _wrapped(text, width))
    titles = {"transcript": "Transcript", "summary": "Summary", "entities": "Mentioned"}
    for name, title in titles.items():
        if name in outputs:
            heading = _heading(title, _made_by(state, name), width)
            parts.append(heading + _shown(outputs[name], width))
    return "\n".join(parts)


def _made_by(state: RunState, name: str) -> str:
    done = state.steps[name].finished
    if done is None:
        return ""
    return one_line("; ".join([done.made_by, *done.notes]))


def _heading(title: str, made_by: str, width: int) -> str:
    return _wrapped(f"{title} · {made_by}", width) + "─" * width + "\n"


def _shown(value: object, width: int) -> str:
    match value:
        case str():
            return "".join(_wrapped(line, width) for line in value.splitlines())
        case dict():
            return _entities(value, width)
        case _:
            return f"{value}\n"


def _entities(found: Mapping[str, object], width: int) -> str:
    """Return what was found, one kind in each paragraph; empty kinds are left out."""
    kinds = {
        kind: "; ".join(map(str, items))
        for kind, items in found.items()
        if isinstance(items, list) and items
    }
    if not kinds:
        return "nothing\n"
    column = max(map(len, kinds)) + 2
    return "".join(
        _wrapped(f"{kind:<{column}}{items}", width, indent=column)
        for kind, items in kinds.items()
    )


def _wrapped(text: str, width: int, *, indent: int | None = None) -> str:
    if indent is None:
        indent = 2 if text.startswith("- ") else 0
    return textwrap.fill(text, max(20, width), subsequent_indent=" " * indent) + "\n"


def _say_more(state: RunState, settings: Settings) -> None:
    write_note(f"locality: {one_line(state.locality)}")
    if settings.model is None:
        write_note(
            "next: `lao models` lists your models; "
            '`lao chain "transcribe talk.wav | summarize" --model NAME` uses one'
        )
