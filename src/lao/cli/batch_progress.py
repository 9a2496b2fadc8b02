# SPDX-License-Identifier: Apache-2.0
"""What stderr shows of a batch: one live overview on a terminal, else now and then a line."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from lao.batch.job import ItemReport
from lao.cli.batch_words import Overview, failure_line, item_line
from lao.cli.terminal import is_terminal, write_note
from lao.config import Settings

_QUIET = 2.0  # seconds without a line, at least
_SILENT = 30.0  # seconds without a line, at most


class BatchProgress(Protocol):
    """Shows what it hears of a batch."""

    def began(self, total: int | None) -> None:
        """Take the number of items, if it is known."""
        ...

    def started(self, position: int, label: str) -> None:
        """Take note that an item runs."""
        ...

    def ended(self, report: ItemReport) -> None:
        """Take note that an item ended."""
        ...


class QuietBatchProgress:
    """Tells only what failed."""

    def began(self, total: int | None) -> None:
        """Say nothing."""

    def started(self, position: int, label: str) -> None:
        """Say nothing."""

    def ended(self, report: ItemReport) -> None:
        """Write what failed."""
        if report.status == "failed":
            write_note(failure_line(report))


class PlainBatchProgress:
    """Writes a line for each failure, and one now and then."""

    def __init__(self, *, verbose: bool) -> None:
        self._verbose = verbose
        self._overview = Overview(time.monotonic())
        self._spoke = time.monotonic()
        self._next_percent = 1

    def began(self, total: int | None) -> None:
        """Take the number of items."""
        self._overview.total = total

    def started(self, position: int, label: str) -> None:
        """Take note that an item runs."""
        self._overview.start(position, label, time.monotonic())

    def ended(self, report: ItemReport) -> None:
        """Write what there is to say of it, and how far the batch is."""
        now = time.monotonic()
        overview = self._overview
        overview.end(report, now)
        if line := item_line(report, verbose=self._verbose):
            write_note(line)
        silent = now - self._spoke
        if silent > _SILENT or (silent > _QUIET and self._is_milestone()):
            write_note(overview.words(now))
            self._spoke = now

    def _is_milestone(self) -> bool:
        """Whether 1 %, 10 %, 20 % … is reached."""
        total = self._overview.total
        if not total or 100 * self._overview.ended < self._next_percent * total:
            return False
        percent = 100 * self._overview.ended // total
        self._next_percent = 10 * (percent // 10 + 1)
        return percent < 100


@contextmanager
def open_batch_progress(
    *, quiet: bool, settings: Settings, verbose: bool, live: bool
) -> Iterator[BatchProgress]:
    """Show a batch on stderr for as long as the block lasts.

    `live=False` is for a stdout that is a terminal too and written to all the time.
    """
    if quiet:
        yield QuietBatchProgress()
        return
    if not live or not is_terminal(sys.stderr):
        yield PlainBatchProgress(verbose=verbose)
        return
    from lao.cli.batch_live import LiveBatchProgress
    from lao.cli.live import terminal_console

    console = terminal_console(color=settings.color)
    if console.is_dumb_terminal:
        yield PlainBatchProgress(verbose=verbose)
        return
    with LiveBatchProgress(console, verbose=verbose) as progress:
        yield progress
