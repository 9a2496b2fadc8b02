# SPDX-License-Identifier: Apache-2.0
"""`lao runs`: the history. What each subcommand does is loaded when it is asked for."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from lao.cli.moments import read_age, read_moment
from lao.cli.options import common, settings_from
from lao.cli.run_words import one_line
from lao.cli.terminal import write_answer

if TYPE_CHECKING:
    from lao.store.runs import Status

F = TypeVar("F", bound=Callable[..., object])
STATUSES: tuple["Status", ...] = (
    "running",
    "interrupted",
    "done",
    "failed",
    "cancelled",
)
_USUAL_LIMIT = 30
_JSON = click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")


def _choosing(function: F) -> F:
    """Add the options that choose runs."""
    for option in (
        click.option("--all", "lists_all", is_flag=True, help="List all of them."),
        click.option(
            "--limit",
            type=click.IntRange(1),
            metavar="N",
            help=f"List the latest N.  [default: {_USUAL_LIMIT}]",
        ),
        click.option("--until", metavar="DATE|AGE", help="Those begun before."),
        click.option("--since", metavar="DATE|AGE", help="Those begun since."),
        click.option(
            "--status", type=click.Choice(STATUSES), help="Those with that status."
        ),
        click.option("--workflow", metavar="NAME", help="Those of that workflow."),
    ):
        function = option(function)
    return function


@click.group(name="runs", invoke_without_command=True)
@_choosing
@_JSON
@common
@click.pass_context
def command(
    context: click.Context,
    /,
    *,
    workflow: str | None,
    status: "Status | None",
    since: str | None,
    until: str | None,
    limit: int | None,
    lists_all: bool,
    as_json: bool,
    **flags: object,
) -> int:
    """List the runs that are kept, latest first; or do something with them.

    \b
    lao runs --status failed --since 7d
    lao runs show 18
    lao runs resume latest
    lao runs prune --older-than 30d

    DATE is a day such as 2026-11-20, `today`, or a time such as 2026-11-20T14:00;
    AGE is 45m, 12h, 7d or 2w.
    """
    if context.invoked_subcommand is not None:
        return 0
    from lao.cli.run_list import Wanted, list_runs

    now = time.time()
    wanted = Wanted(
        workflow=workflow,
        status=status,
        since=None if since is None else read_moment(since, now),
        until=None if until is None else read_moment(until, now, ends=True),
        limit=None if lists_all else limit or _USUAL_LIMIT,
    )
    settings = settings_from(flags)
    return list_runs(settings, wanted, as_json=as_json, quiet=bool(flags["quiet"]))


@command.command(name="show")
@click.argument("run")
@_JSON
@click.option(
    "--steps", "every_step", is_flag=True, help="Every step, and what each made."
)
@click.option("--output", metavar="NAME", help="Print only this output, whole.")
@common
def show(
    run: str, *, as_json: bool, every_step: bool, output: str | None, **flags: object
) -> int:
    """Show a RUN: its number, `latest`, or 18.37 for an item of a batch."""
    from lao.cli.run_view import View, show as show_run

    view = View(as_json=as_json, every_step=every_step, output=output)
    return show_run(run, settings_from(flags), view)


@command.command(name="resume")
@click.argument("run")
@click.option("--output", metavar="NAME", help="Print only this output.")
@_JSON
@click.option(
    "--events", metavar="FILE", help="Write every event as NDJSON; - is stdout."
)
@click.option("--no-stream", is_flag=True, help="Print the answer when whole.")
@click.option("--timeout", metavar="DURATION", help="Give up after, for example, 5m.")
@common
def resume(run: str, **flags: object) -> int:
    """Go on with a RUN that stopped: what is finished is not done again."""
    from lao.cli.batch import resume_batch
    from lao.cli.execution import Showing, resume as resume_run
    from lao.history.kept_runs import find_run, open_history

    settings = settings_from(flags)
    with open_history(settings) as store:
        record = find_run(store, run)
        go_on = resume_batch if record.kind == "batch" else resume_run
        return go_on(store, record, settings, Showing.from_flags(flags))


@command.command(name="compare")
@click.argument("before")
@click.argument("after")
@_JSON
@common
def compare(before: str, after: str, *, as_json: bool, **flags: object) -> int:
    """Say what differs between two runs: inputs, steps, what went in, outputs."""
    from lao.cli.run_compare import compare as compare_runs

    return compare_runs(before, after, settings_from(flags), as_json=as_json)


@command.command(name="events")
@click.argument("run")
@common
def events(run: str, **flags: object) -> int:
    """Print the facts of a RUN as NDJSON, as `--events` wrote them.

    Not kept, and so not among them: the pieces of an answer, and progress.
    """
    from lao.cli.run_view import replay

    return replay(run, settings_from(flags))


@command.command(name="export")
@click.argument("run")
@click.option(
    "--with-content", is_flag=True, help="With inputs, results, outputs and prompts."
)
@click.option(
    "--out", metavar="FILE", type=click.Path(path_type=Path), help="Write it to FILE."
)
@common
def export(run: str, *, with_content: bool, out: Path | None, **flags: object) -> int:
    """Print a sidecar of a RUN to share: digests and settings, without content."""
    from lao.cli.run_export import export as export_run

    return export_run(run, settings_from(flags), out, content=with_content)


@command.command(name="rm")
@click.argument("runs", metavar="RUN|FIRST-LAST...", nargs=-1, required=True)
@common
def rm(runs: Sequence[str], **flags: object) -> int:
    """Forget runs, and every trace of them: results, journal, kept values.

    It does not ask. Files that a workflow wrote stay.
    """
    from lao.cli.run_removal import remove

    return remove(runs, settings_from(flags), quiet=bool(flags["quiet"]))


@command.command(name="prune")
@click.option("--older-than", metavar="AGE", help="Those older than, for example, 30d.")
@click.option(
    "--keep", type=click.IntRange(0), metavar="N", help="All but the latest N."
)
@click.option("--dry-run", is_flag=True, help="Only list what would go.")
@common
def prune(
    older_than: str | None, keep: int | None, *, dry_run: bool, **flags: object
) -> int:
    """Forget old runs. With both options, those that are old and not among the N."""
    from lao.cli.run_removal import Pruning, prune as prune_runs

    age = None if older_than is None else read_age(older_than)
    return prune_runs(
        settings_from(flags),
        Pruning(older_than=age, keep=keep),
        dry_run=dry_run,
        quiet=bool(flags["quiet"]),
    )


@command.command(name="path")
@common
def path(**flags: object) -> int:
    """Print the folder in which everything of runs is kept."""
    write_answer(one_line(str(settings_from(flags).folders.data), 4096) + "\n")
    return 0
