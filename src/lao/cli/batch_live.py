# SPDX-License-Identifier: Apache-2.0
"""The live overview of a batch, drawn with rich; imported only on a terminal.

Reports arrive in the event loop's thread, rich draws in one of its own, from copies.
"""

import time
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from lao.batch.job import ItemReport
from lao.cli.batch_words import Overview, item_line
from lao.cli.run_words import clock_words, one_line

_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_PER_SECOND = 10
_BAR = 24
_MOST_NAMES = 8
_STYLES = {"✓": "green", "✗": "red"}


class LiveBatchProgress:
    """Draws a batch while it goes on. Used as `with`."""

    def __init__(self, console: Console, *, verbose: bool) -> None:
        self._console = console
        self._verbose = verbose
        self._overview = Overview(time.monotonic())
        self._live = Live(
            console=console,
            get_renderable=self.area,
            transient=True,
            refresh_per_second=_PER_SECOND,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def __enter__(self) -> Self:
        """Begin to draw."""
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Clear the live lines."""
        self._live.stop()

    def began(self, total: int | None) -> None:
        """Take the number of items."""
        self._overview.total = total

    def started(self, position: int, label: str) -> None:
        """Show that an item runs."""
        self._overview.start(position, label, time.monotonic())

    def ended(self, report: ItemReport) -> None:
        """Count an item; what is to be said of it stays above the live lines."""
        self._overview.end(report, time.monotonic())
        if line := item_line(report, verbose=self._verbose):
            text = Text(line)
            if line[0] in _STYLES:
                text.stylize(_STYLES[line[0]], 0, 1)
            self._console.print(text, overflow="ellipsis", no_wrap=True)

    def area(self) -> Group:
        """Draw: the bar and the numbers, then a line for each running item."""
        now = time.monotonic()
        width = max(1, self._console.width - 1)
        running = sorted(self._overview.running.copy().items())
        room = max(0, min(_MOST_NAMES, self._console.height - 4))
        frame = _FRAMES[int(now * _PER_SECOND) % len(_FRAMES)]
        lines = [self._numbers(now)]
        for _, (label, began) in running[:room]:
            name = one_line(label, max(8, width - 12))
            lines.append(
                Text.assemble(
                    (f"{frame} ", "cyan"),
                    (name, "bold"),
                    f"  {clock_words(now - began)}",
                )
            )
        if len(running) > room:
            lines.append(Text(f"  … and {len(running) - room} more", style="dim"))
        for line in lines:
            line.truncate(width, overflow="ellipsis")
        return Group(*lines)

    def _numbers(self, now: float) -> Text:
        overview = self._overview
        words = overview.words(now)
        if not overview.total:
            return Text(words)
        full = min(_BAR, _BAR * overview.ended // overview.total)
        return Text.assemble(
            ("━" * full, "green"), ("━" * (_BAR - full), "dim"), f"  {words}"
        )
