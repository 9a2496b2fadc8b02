# SPDX-License-Identifier: Apache-2.0
"""What stderr shows while a run goes on: live lines on a terminal, plain ones elsewhere."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from lao.cli.run_words import change_line, summary_lines
from lao.cli.terminal import is_terminal, write_note
from lao.config import Settings
from lao.events import Event, RunState


class Progress(Protocol):
    """An event sink that shows what it hears."""

    def __call__(self, event: Event) -> None:
        """Show what has happened."""
        ...

    def summary(self, state: RunState) -> list[str]:
        """Return the lines to write when the run is over."""
        ...


@contextmanager
def open_progress(
    *,
    quiet: bool,
    settings: Settings,
    verbose: bool = False,
    live: bool = True,
    answering: str | None = None,
) -> Iterator[Progress]:
    """Show a run on stderr for as long as the block lasts.

    `live=False` is for a stdout that is written to all the time. `answering` is the
    step whose text is streamed to the same terminal: when it begins to speak, the
    live lines make way for good.
    """
    if quiet or not live or not is_terminal(sys.stderr):
        yield PlainProgress(verbose=verbose and not quiet)
        return
    from lao.cli.live import LiveProgress, terminal_console

    console = terminal_console(color=settings.color)
    if console.is_dumb_terminal:
        yield PlainProgress(verbose=verbose)
        return
    with LiveProgress(console, verbose=verbose, answering=answering) as progress:
        yield progress


class PlainProgress:
    """Says nothing while the run goes on, or with `verbose` a line for each change."""

    def __init__(self, *, verbose: bool) -> None:
        self._verbose = verbose

    def __call__(self, event: Event) -> None:
        """Write a line."""
        line = change_line(event) if self._verbose else None
        if line is not None:
            write_note(line)

    def summary(self, state: RunState) -> list[str]:
        """Return what made each output, and the locality."""
        return summary_lines(state)
