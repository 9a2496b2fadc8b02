# SPDX-License-Identifier: Apache-2.0
"""A batch is carried out and shown: progress, results, report, and how to go on."""

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

from msgspec import Struct

from lao.batch.items import ItemRunner
from lao.batch.job import Batch, BatchResult
from lao.batch.ledger import Ledger
from lao.batch.output_files import OutputFiles, make_folder
from lao.batch.sources import Source, open_source
from lao.batch.work import BatchRunner
from lao.cli.audience import Audience, event_writer
from lao.cli.batch_progress import open_batch_progress
from lao.cli.batch_report import Telling, line_writer
from lao.cli.batch_words import ending_line
from lao.cli.confined import confined
from lao.cli.dispatch import INTERRUPTED
from lao.cli.execution import Showing
from lao.cli.run_words import one_line
from lao.cli.terminal import is_terminal, require_stdout, write_answer, write_note
from lao.config import Settings
from lao.errors import UsageError
from lao.runtime import Session

if TYPE_CHECKING:
    from lao.store.opening import Store


class BatchWork(Struct, frozen=True, kw_only=True):
    """A batch about to be carried out; `begin` enters it, or goes on with it."""

    batch: Batch
    begin: Callable[[Session], Awaitable[Ledger | None]]
    store: "Store | None"
    report: str | None = None
    only_failed: bool = False


def show_batch(work: BatchWork, settings: Settings, showing: Showing) -> BatchResult:
    """Carry a batch out, and show it while it goes on and when it is over.

    Raises:
        LaoError: it could not begin, or the store failed.
        OSError: a file or a stream could not be written.
    """
    require_stdout()
    make_folder(work.batch.folder)
    begun = time.monotonic()
    with ExitStack() as stack:
        models = work.batch.prepared.plan.models
        confinement = stack.enter_context(confined(settings, models))
        session = Session(settings, work.store, confinement=confinement)
        source = stack.enter_context(_source(work.batch))
        telling = stack.enter_context(_telling(work, session, showing))
        audience = Audience([])
        if showing.events is not None:
            audience.add(stack.enter_context(event_writer(showing.events)))
        carried_out = _carried_out(work, session, source, telling, audience)
        try:
            result = asyncio.run(audience.attend(carried_out))
        except BaseException as stop:
            _tell_stop(work, telling, stop, time.monotonic() - begun)
            raise
        summary = telling.summary(result.status, result.exit_code, result.seconds)
    if showing.as_json:
        write_answer(json.dumps(summary, ensure_ascii=False, indent=2) + "\n")
    if not showing.quiet:
        write_note(ending_line(result, work.batch.folder))
        write_note(f"locality: {one_line(session.locality.words)}")
        if result.status != "done" and result.run:
            write_note(f"what is done is kept: {_how_to_go_on(work, result.run)}")
    return result


async def _carried_out(
    work: BatchWork,
    session: Session,
    source: Source,
    telling: Telling,
    audience: Audience,
) -> BatchResult:
    async with session:
        await session.require_plugins(work.batch.prepared.plan)
        ledger = await work.begin(session)
        files = OutputFiles(
            work.batch,
            ledger.is_promised if ledger is not None else lambda _: False,
            synced=session.settings.durability == "full",
        )
        items = ItemRunner(
            batch=work.batch,
            session=session,
            ledger=ledger,
            files=files,
            sinks=[audience],
        )
        runner = BatchRunner(
            source=source, items=items, watcher=telling, only_failed=work.only_failed
        )
        return await runner.run()


def _source(batch: Batch) -> AbstractContextManager[Source]:
    def leave_out(folder: str) -> None:
        write_note(f"note: {one_line(folder)} cannot be read, and is left out")

    return open_source(
        batch.each,
        base=batch.base,
        declared=batch.prepared.plan.inputs,
        avoid=batch.folder,
        unreadable=leave_out,
    )


@contextmanager
def _telling(work: BatchWork, session: Session, showing: Showing) -> Iterator[Telling]:
    has_lines = not (work.batch.folder or showing.as_json or showing.events == "-")
    if work.report == "-" and (has_lines or showing.as_json or showing.events == "-"):
        raise UsageError(
            "batch.bad-report",
            "--report - is standard output, which gets something else already",
            mend="name a file for --report, or write the results to --out",
        )
    with ExitStack() as stack:
        report = None
        if work.report is not None:
            report = stack.enter_context(line_writer(work.report))
        writes_much = has_lines or "-" in (work.report, showing.events)
        progress = stack.enter_context(
            open_batch_progress(
                quiet=showing.quiet,
                settings=session.settings,
                verbose=showing.verbose,
                live=not (writes_much and is_terminal(sys.stdout)),
            )
        )
        yield Telling(
            work.batch,
            progress,
            results=write_answer if has_lines else None,
            report=report,
            locality=session.locality,
        )


def _tell_stop(
    work: BatchWork, telling: Telling, stop: BaseException, seconds: float
) -> None:
    """Say how to go on with a batch that something stopped."""
    is_interrupted = isinstance(stop, KeyboardInterrupt)
    words = f"{telling.progress_words()}; {_how_to_go_on(work, telling.run)}"
    if not telling.run or isinstance(stop, BrokenPipeError):
        pass
    elif is_interrupted:
        stop.add_note(words)
    else:
        write_note(words)
    with suppress(OSError):
        telling.summary("cancelled", INTERRUPTED if is_interrupted else 1, seconds)


def _how_to_go_on(work: BatchWork, run: str) -> str:
    if work.batch.each.kind == "paths":
        return (
            "the same command with --resume, and the same paths on standard input, "
            "goes on from there"
        )
    return f"`lao runs resume {run}` goes on from there"
