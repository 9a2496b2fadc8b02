# SPDX-License-Identifier: Apache-2.0
"""`lao new FILE`: a commented starting workflow."""

import json
import shlex
from pathlib import Path

import click

from lao.cli.options import common
from lao.cli.tables import table
from lao.cli.terminal import write_answer, write_note
from lao.errors import UsageError, did_you_mean
from lao.examples import describe_examples, find_examples, text_from
from lao.workflow.document import read_workflow
from lao.workflow.steps import Workflow

_GIVEN = {"audio": "talk.wav", "image": "picture.png", "text": "@notes.txt"}


@click.command(name="new")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--example", "name", default="meeting-notes", show_default=True)
@click.option("--list", "listed", is_flag=True, help="List the examples.")
@click.option("--force", is_flag=True, help="Replace FILE if it is there already.")
@click.option("--json", "as_json", is_flag=True, help="With --list: print JSON.")
@common
def command(file: Path | None, name: str, **flags: object) -> int:
    """Start a workflow FILE from an example, with comments that explain it.

    \b
    lao new --list
    lao new meeting.yaml
    lao new tickets.yaml --example classify-tickets
    """
    examples = find_examples()
    if flags.get("listed"):
        write_answer(_listing(as_json=bool(flags.get("as_json"))))
        return 0
    if name not in examples:
        raise UsageError(
            "new.unknown-example",
            f"there is no example called {name!r}",
            mend=did_you_mean(name, examples),
        )
    if file is None:
        raise UsageError(
            "new.no-file",
            "the file to write is missing",
            mend="write `lao new meeting.yaml`, or `lao new --list`",
        )
    text = text_from(examples[name], str(file))
    _write(file, text, force=bool(flags.get("force")))
    if not flags.get("quiet"):
        write_note(f"wrote {file}; next:")
        write_note(f"  lao check {shlex.quote(str(file))}")
        write_note(f"  {_run_command(file, read_workflow(text, source=name).workflow)}")
    return 0


def _listing(*, as_json: bool) -> str:
    found = describe_examples()
    if not as_json:
        return table(("EXAMPLE", "DOES"), list(found.items()))
    listed = [{"name": name, "description": about} for name, about in found.items()]
    return json.dumps(listed, ensure_ascii=False, indent=2) + "\n"


def _run_command(file: Path, workflow: Workflow) -> str:
    words = ["lao", "run", str(file)]
    for name, each in (workflow.inputs or {}).items():
        if each.default is None and not each.optional:
            words += ["--input", f"{name}={_GIVEN.get(str(each.type), '…')}"]
    return " ".join(word if word.endswith("…") else shlex.quote(word) for word in words)


def _write(file: Path, text: str, *, force: bool) -> None:
    try:
        with file.open("w" if force else "x", encoding="utf-8") as opened:
            opened.write(text)
    except FileExistsError as error:
        raise UsageError(
            "new.exists",
            f"{str(file)!r} is there already",
            mend="choose another name, or add --force",
        ) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(
            "new.failed",
            f"cannot write {str(file)!r}: {reason}",
            mend="check that its folder is there and may be written to",
        ) from error
