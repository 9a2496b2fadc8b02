# SPDX-License-Identifier: Apache-2.0
"""`lao run FILE --each …`: the same workflow for many inputs."""

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click
from msgspec import Struct
from msgspec.structs import replace

from lao.cli.execution import Showing
from lao.cli.given import Given
from lao.cli.going_on import hint_at_interrupted
from lao.cli.report import check_output_name
from lao.cli.scratch import Scratch, forget_scratch
from lao.config import Settings
from lao.durable import Prepared, file_digests, prepare_to_go_on
from lao.errors import UsageError
from lao.runtime import Session, new_run_id, open_store

if TYPE_CHECKING:
    from lao.batch.job import Batch
    from lao.batch.ledger import Ledger
    from lao.store.opening import Store
    from lao.store.runs import RunRecord

F = TypeVar("F", bound=Callable[..., object])
JOBS = 4


def batching(function: F) -> F:
    """Add the options of a batch to a command."""
    for option in (
        click.option(
            "--only-failed",
            is_flag=True,
            help="Run again only what failed in the latest such batch.",
        ),
        click.option(
            "--resume", is_flag=True, help="Go on with the latest such batch."
        ),
        click.option(
            "--keep-going/--stop-on-failure",
            default=True,
            help="After an item failed, go on, or start no other.  [default: go on]",
        ),
        click.option(
            "--report", metavar="FILE", help="Write a line of JSON for each item."
        ),
        click.option(
            "--out",
            metavar="DIR",
            help="Write a file for each item; else stdout gets lines of JSON.",
        ),
        click.option(
            "--jobs",
            "-j",
            type=click.IntRange(1, 256),
            help=f"Items at once.  [default: {JOBS}]",
        ),
        click.option(
            "--null", "-0", "nul", is_flag=True, help="NUL ends each path of --each -."
        ),
        click.option(
            "--each",
            metavar="PATTERN|NAME=PATTERN",
            multiple=True,
            help="Run once for each file that matches, each path on stdin (-), or "
            "each row of a .jsonl file.",
        ),
    ):
        function = option(function)
    return function


class BatchFlags(Struct, frozen=True, kw_only=True):
    """What the options of a batch say."""

    each: str
    nul: bool = False
    jobs: int = JOBS
    out: str | None = None
    report: str | None = None
    resume: bool = False
    only_failed: bool = False
    stop_on_failure: bool = False

    @classmethod
    def from_flags(cls, flags: Mapping[str, object]) -> "BatchFlags | None":
        """Read the options; None if this is no batch.

        Raises:
            UsageError: there are several --each, or another option without it.
        """
        each = flags.get("each")
        texts = each if isinstance(each, tuple) else ()
        if not texts:
            _refuse_without_each(flags)
            return None
        if len(texts) > 1:
            raise UsageError(
                "batch.several-each",
                "--each is given more than once",
                mend="give one pattern; for several, pipe the paths in with --each -",
            )
        out, report, jobs = flags.get("out"), flags.get("report"), flags.get("jobs")
        return cls(
            each=str(texts[0]),
            nul=bool(flags.get("nul")),
            jobs=jobs if isinstance(jobs, int) else JOBS,
            out=str(out) if out is not None else None,
            report=str(report) if report is not None else None,
            resume=bool(flags.get("resume")),
            only_failed=bool(flags.get("only_failed")),
            stop_on_failure=flags.get("keep_going") is False,
        )


def _refuse_without_each(flags: Mapping[str, object]) -> None:
    for name in ("nul", "jobs", "out", "report", "resume", "only_failed"):
        if flags.get(name):
            option = "null" if name == "nul" else name.replace("_", "-")
            raise UsageError(
                "batch.no-each",
                f"--{option} is for a batch, and there is no --each",
                mend="add --each with a pattern of files, - or a .jsonl file",
            )


def carry_out_batch(
    prepared: Prepared,
    inputs: Sequence[str],
    settings: Settings,
    showing: Showing,
    flags: BatchFlags,
) -> int:
    """Run a plan for each of many inputs, tell the results, return the exit code.

    Raises:
        LaoError: what stands in the way of starting, or of going on.
    """
    from lao.batch.continuation import latest_batch
    from lao.batch.ledger import begin_batch, continue_batch
    from lao.cli.batch_showing import BatchWork, show_batch

    run = new_run_id()
    with ExitStack() as stack:
        store = None
        if not settings.ephemeral:
            store = stack.enter_context(open_store(settings))
        scratch = stack.enter_context(Scratch(settings, run, store))
        batch = _batch(prepared, inputs, showing, flags, scratch.folder)
        goes_on = flags.resume or flags.only_failed
        if store is not None and not (goes_on or showing.quiet):
            hint_at_interrupted(store, prepared)

        async def begin(session: Session) -> "Ledger | None":
            if store is None:
                return None
            files = await file_digests(session, batch.prepared.inputs)
            if not goes_on:
                return begin_batch(store, batch, session.clock, run=run, files=files)
            record = latest_batch(store, batch, files)
            return continue_batch(store, record, session.clock)

        work = BatchWork(
            batch=batch,
            begin=begin,
            store=store,
            report=flags.report,
            only_failed=flags.only_failed,
        )
        return show_batch(work, settings, showing).exit_code


def resume_batch(
    store: "Store", record: "RunRecord", settings: Settings, showing: Showing
) -> int:
    """Go on with a batch of the history, as `carry_out_batch` does.

    Raises:
        LaoError: it cannot go on, and why.
    """
    from lao.batch.continuation import batch_of, check_files
    from lao.batch.ledger import continue_batch
    from lao.cli.batch_showing import BatchWork, show_batch

    prepared = prepare_to_go_on(store, record, settings)
    order = store.runs.order(record)
    batch = batch_of(prepared, {} if order is None else order.flags)
    if showing.output not in (None, batch.output):
        raise UsageError(
            "batch.changed",
            f"batch {record.name} began with another --output",
            mend="drop --output",
        )
    if showing.timeout is not None:
        batch = replace(batch, timeout=showing.timeout)

    async def begin(session: Session) -> "Ledger":
        check_files(store, record, await file_digests(session, prepared.inputs))
        return continue_batch(store, record, session.clock)

    result = show_batch(
        BatchWork(batch=batch, begin=begin, store=store), settings, showing
    )
    if result.status == "done":
        forget_scratch(settings, record.id)
    return result.exit_code


def _batch(
    prepared: Prepared,
    inputs: Sequence[str],
    showing: Showing,
    flags: BatchFlags,
    scratch: Path,
) -> "Batch":
    from lao.batch.each import named_input, read_each
    from lao.batch.job import Batch

    check_output_name(prepared.plan.outputs, showing.output)
    declared = prepared.plan.inputs
    name = named_input(flags.each, declared)
    if any(name is not None and text.startswith(f"{name}=") for text in inputs):
        raise UsageError(
            "input.given-twice",
            f"the input {name!r} is given by --each and by --input",
            mend="give each input once",
        )
    given = Given({key: declared[key] for key in declared if key != name}, scratch)
    is_piped = flags.each in ("-", f"{name}=-")
    given.take(inputs, stdin="used" if is_piped else "asked")
    return Batch(
        prepared=replace(prepared, inputs=given.values),
        each=read_each(flags.each, declared, given.values, nul=flags.nul),
        base=Path.cwd(),
        jobs=flags.jobs,
        folder=None if flags.out is None else Path(os.path.abspath(flags.out)),  # noqa: PTH100  (keeps symlinks)
        output=showing.output,
        timeout=showing.timeout,
        stop_on_failure=flags.stop_on_failure,
    )
