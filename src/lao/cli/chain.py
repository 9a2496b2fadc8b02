# SPDX-License-Identifier: Apache-2.0
"""`lao chain "a | b"`: run a chain of steps written in one line."""

import shlex
from collections.abc import Sequence
from pathlib import Path

import click
from msgspec.structs import replace

from lao.chain import parse_chain
from lao.cli.chosen_models import with_models
from lao.cli.execution import Showing, carry_out
from lao.cli.options import (
    common,
    running,
    selection_from,
    settings_from,
)
from lao.cli.terminal import write_answer, write_note
from lao.durable import prepare, settled_base
from lao.engine.inputs import read_file
from lao.errors import UsageError
from lao.planning.compiler import compile_workflow
from lao.planning.engines import absolute, at_base
from lao.runtime import find_catalog
from lao.workflow.steps import Input, Workflow
from lao.workflow.values import JsonValue


@click.command(name="chain")
@click.argument("text", metavar='"STEP | STEP"')
@running
@click.option(
    "--save",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Write the chain as a workflow file, and run it.",
)
@click.option("--force", is_flag=True, help="Let --save replace a file.")
@click.option("--explain", is_flag=True, help="Print the plan; run nothing.")
@common
def command(
    text: str,
    models: Sequence[str],
    inputs: Sequence[str],
    *,
    save: Path | None,
    force: bool,
    explain: bool,
    **flags: object,
) -> int:
    """Run a chain of steps and print the last one's output.

    \b
    lao chain "transcribe talk.wav | summarize | extract-entities"
    lao chain "'notes/*.md' | summarize --style sentence"
    lao chain "report.txt | { summarize, extract-entities }"
    cat report.txt | lao chain "ollama:llama3.2 'Who is to blame?' | save answer.md"

    A step is a recipe (`lao recipes`), a model such as ollama:llama3.2, or a template
    file (@ask.md). Braces run steps side by side.
    """
    settings = settings_from(flags)
    catalog = find_catalog(settings, base=Path())
    parsed = parse_chain(
        text, catalog.recipes, plugins=catalog.plugins, read_text=_read_template
    )
    workflow = with_models(parsed.workflow, models, catalog.recipes)
    settled = settled_base(workflow)
    whole = compile_workflow(settled, catalog, locate=parsed.locate)
    prepared = prepare(settled, whole, selection_from(flags), words=text)
    showing = Showing.from_flags(flags)
    if save is not None:
        save_workflow(workflow, save, force=force)
    if explain:
        from lao.cli.foretelling import foretell
        from lao.cli.plan_view import plan_report

        forecast = foretell(prepared, inputs, settings)
        write_answer(plan_report(prepared.plan, forecast, as_json=showing.as_json))
        return 0
    return carry_out(prepared, inputs, settings, showing)


def _read_template(path: str) -> str:
    return read_file(f"@{path}", Path(path)).decode("utf-8", "replace")


def save_workflow(workflow: Workflow, path: Path, *, force: bool) -> None:
    """Write a chain as a file that runs identically.

    Raises:
        UsageError: the file is there already, or cannot be written.
    """
    from lao.workflow.writer import write_workflow

    if path.absolute().parent != Path.cwd():
        workflow = _seen_from_elsewhere(workflow)
    text = write_workflow(replace(workflow, name=path.stem))
    try:
        with path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise UsageError(
            "save.exists",
            f"{str(path)!r} is there already",
            mend="choose another name, or add --force",
        ) from error
    except OSError as error:
        raise UsageError(
            "save.failed",
            f"cannot write {str(path)!r}: {error.strerror}",
            mend="check the folder, its rights and the free space",
        ) from error
    word = shlex.quote(f"./{path}" if str(path).startswith("-") else str(path))
    write_note(f"saved to {path}; run it with `lao run {word}`")


def _seen_from_elsewhere(workflow: Workflow) -> Workflow:
    """Make the paths absolute that a file in another folder would lose."""
    steps = tuple(
        step
        if step.model is None or isinstance(step.model, str)
        else replace(step, model=at_base(step.model, "."))
        for step in workflow.steps
    )
    inputs = {
        name: replace(each, default=_absolute_default(each))
        for name, each in (workflow.inputs or {}).items()
    }
    return replace(workflow, steps=steps, inputs=inputs)


def _absolute_default(declared: Input) -> JsonValue:
    match declared.default:
        case {"file": str(path)}:
            return {"file": absolute(path, ".")}
        case {"glob": str(pattern)}:
            return {"glob": absolute(pattern, ".")}
        case str(path) if declared.type.is_file:
            return absolute(path, ".")
        case other:
            return other
