# SPDX-License-Identifier: Apache-2.0
"""`lao run FILE`: run a workflow file."""

from collections.abc import Sequence
from pathlib import Path

import click

from lao.cli.batch import BatchFlags, batching, carry_out_batch
from lao.cli.chosen_models import with_models
from lao.cli.execution import Showing, carry_out
from lao.cli.options import (
    common,
    running,
    selection_from,
    settings_from,
)
from lao.cli.terminal import write_answer
from lao.durable import prepare, settled_base
from lao.planning.compiler import compile_workflow
from lao.runtime import find_catalog, kept_nodes
from lao.workflow.document import read_workflow_file


@click.command(
    name="run",
    epilog="Exit codes: 0 ok, 2 usage or an invalid workflow, "
    "3 a step failed, 4 a part of a batch failed, 5 refused by policy, 6 model or server unavailable, "
    "7 the output does not fit its schema, 130 interrupted.",
)
@click.argument("file", type=click.Path(path_type=Path, readable=False))
@running
@batching
@click.option("--dry-run", is_flag=True, help="Print the plan; run nothing.")
@common
def command(
    file: Path,
    models: Sequence[str],
    inputs: Sequence[str],
    *,
    dry_run: bool,
    **flags: object,
) -> int:
    """Run a workflow FILE and print its output.

    \b
    lao run meeting.yaml --input recording=talk.wav
    lao run notes.yaml --input "Summarize this document" --model llama3.2
    cat report.txt | lao run notes.yaml --model writer=llama.cpp:model.gguf
    lao run meeting.yaml --each 'recordings/**/*.wav' --jobs 4 --out notes
    """
    settings = settings_from(flags)
    document = read_workflow_file(file, kept_nodes(settings))
    catalog = find_catalog(settings, base=file.parent)
    workflow = settled_base(document.workflow)
    workflow = with_models(workflow, models, catalog.recipes)
    whole = compile_workflow(workflow, catalog, locate=document.locate_line)
    prepared = prepare(workflow, whole, selection_from(flags), file=file)
    showing = Showing.from_flags(flags)
    if dry_run:
        from lao.cli.foretelling import foretell
        from lao.cli.plan_view import plan_report

        forecast = foretell(prepared, inputs, settings)
        write_answer(plan_report(prepared.plan, forecast, as_json=showing.as_json))
        return 0
    batch = BatchFlags.from_flags(flags)
    if batch is not None:
        return carry_out_batch(prepared, inputs, settings, showing, batch)
    return carry_out(prepared, inputs, settings, showing)
