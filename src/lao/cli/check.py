# SPDX-License-Identifier: Apache-2.0
"""`lao check FILE…`: every problem at once; runs nothing."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lao.backend_factory import Backends
from lao.cli.confined import confined
from lao.cli.options import common, settings_from
from lao.cli.terminal import write_answer, write_note
from lao.config import Settings
from lao.errors import LaoError, Place, Problem
from lao.preflight import find_gaps
from lao.runtime import kept_nodes, make_plan
from lao.workflow.document import Document, read_workflow_file

if TYPE_CHECKING:
    from lao.planning.plan import Plan


@click.command(name="check")
@click.argument(
    "files",
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path, readable=False),
)
@click.option("--json", "as_json", is_flag=True, help="Print the problems as JSON.")
@common
def command(files: Sequence[Path], *, as_json: bool, **flags: object) -> int:
    """Check workflow FILES: words, names, types, policy, files and models.

    Exit code 0 when all are right, 2 when there is a problem. What cannot be known
    now (a model server that does not answer) is a note, not a problem.
    """
    settings = settings_from(flags)
    report = _checked(files, settings)
    problems = [each for found, _ in report.values() for each in found]
    if as_json:
        write_answer(_as_json(report))
    else:
        for file, (found, notes) in report.items():
            for problem in found:
                write_note(str(problem))
            for note in notes:
                write_note(f"note[{note.code}]: {note.what}")
            if not found:
                write_answer(f"{file}: ok\n")
        if problems:
            write_note(f"{len(problems)} problem{'s' if len(problems) > 1 else ''}")
    return 2 if problems else 0


Findings = tuple[list[Problem], list[Problem]]


def _checked(files: Sequence[Path], settings: Settings) -> dict[str, Findings]:
    """Read and compile every file; then, locked, look for what they need."""
    report: dict[str, Findings] = {}
    plans: dict[str, tuple[Document, Plan]] = {}
    kept = kept_nodes(settings)
    for file in files:
        try:
            document = read_workflow_file(file, kept)
            plan = make_plan(document.workflow, settings, locate=document.locate_line)
            report[str(file)] = [], []
            plans[str(file)] = document, plan
        except LaoError as error:
            report[str(file)] = list(error.problems), []
    models = [model for _, plan in plans.values() for model in plan.models]
    with confined(settings, models) as confinement:
        for name, (document, plan) in plans.items():
            finding = find_gaps(plan, document, Backends(settings, confinement))
            gaps = asyncio.run(finding)
            report[name] = gaps.problems, gaps.notes
    return report


def _as_json(report: dict[str, Findings]) -> str:
    files = {
        file: {
            "problems": [_problem(each) for each in problems],
            "notes": [_problem(each) for each in notes],
        }
        for file, (problems, notes) in report.items()
    }
    return json.dumps(files, ensure_ascii=False, indent=2) + "\n"


def _problem(problem: Problem) -> dict[str, object]:
    where = problem.where
    place = (
        {"file": where.source, "line": where.line, "column": where.column}
        if isinstance(where, Place)
        else None
    )
    return {
        "code": problem.code,
        "what": problem.what,
        "where": place,
        "mend": problem.mend,
    }
