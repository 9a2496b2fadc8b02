# SPDX-License-Identifier: Apache-2.0
"""The live lines of a run, drawn with rich; imported only where stderr is a terminal.

State: a row for each running step, and the steps that ended but are not printed yet.
Events arrive in the event loop's thread, rich draws in one of its own: the drawing
looks at a copy of the rows.
"""

import time
from collections.abc import Iterable
from types import TracebackType
from typing import Self

from msgspec import Struct, field
from rich.cells import cell_len, set_cell_size
from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from lao.cli.run_words import (
    SKIPPED,
    change_line,
    clock_words,
    one_line,
    short_model,
    summary_lines,
)
from lao.cli.terminal import write_note
from lao.events import (
    Event,
    FallbackChosen,
    ItemFinished,
    ProgressMade,
    RunState,
    StepFailed,
    StepFinished,
    StepRetried,
    StepSkipped,
    StepStarted,
    TextProduced,
)

_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_STYLES = {"✓": "green", "✗": "red", SKIPPED: "yellow", "↻": "yellow"}
_PER_SECOND = 10
_CHARACTERS_PER_TOKEN = 4.0  # of English; the estimate is marked with a tilde
_MOST_ENDED = 40
_GAP = "   "


def terminal_console(*, color: bool | None) -> Console:
    """Return stderr as rich sees it; `color` as in the settings."""
    return Console(
        stderr=True,
        color_system=None if color is False else "auto",
        no_color=False if color else None,
        highlight=False,
        emoji=False,
        markup=False,
        soft_wrap=False,
    )


class _Row(Struct, kw_only=True):
    """What is known of a running step."""

    step: str
    model: str
    items: int | None = None
    items_done: int = 0
    began: float = field(default_factory=time.monotonic)
    progress: tuple[float, float, str] | None = None
    characters: int = 0
    spoke: float = 0.0
    trouble: str = ""

    def hear(self, text: str) -> None:
        """Count a piece of text."""
        now = time.monotonic()
        self.spoke = self.spoke or now
        self.characters += len(text)
        self.trouble = ""

    def start_over(self, trouble: str) -> None:
        """Forget what a failed attempt did."""
        self.progress, self.characters, self.spoke = None, 0, 0.0
        self.trouble = trouble

    def measure(self, now: float) -> str:
        """Return how far the step is."""
        words: list[str] = []
        if self.items is not None:
            words.append(f"{self.items_done}/{self.items}")
        elif self.progress is not None:
            words.append(_distance(*self.progress))
        if self.characters and now - self.spoke > 0.5:
            tokens = self.characters / _CHARACTERS_PER_TOKEN / (now - self.spoke)
            words.append(f"~{tokens:.0f} tok/s")
        if self.progress is None or self.items is not None:
            words.append(clock_words(now - self.began))
        if self.trouble:
            words.append(self.trouble)
        return " · ".join(words)


class LiveProgress:
    """Draws a run while it goes on. Used as `with`."""

    def __init__(
        self, console: Console, *, verbose: bool, answering: str | None
    ) -> None:
        self._console = console
        self._verbose = verbose
        self._answering = answering
        self._rows: dict[str, _Row] = {}
        self._ended: list[str] = []
        self._gave_way = False
        self._live = Live(
            console=console,
            get_renderable=self._area,
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
        """Clear the live lines; what ended stays, in one line."""
        self._live.stop()
        if not self._gave_way:
            self._print_ended()

    def __call__(self, event: Event) -> None:
        """Take one event."""
        fact = event.fact
        match fact:
            case TextProduced() if fact.step == self._answering:
                self._give_way()
            case StepStarted():
                self._rows[fact.step] = _Row(
                    step=one_line(fact.step),
                    model=short_model(fact.model),
                    items=fact.items,
                )
            case StepFinished() | StepFailed() | StepSkipped():
                self._rows.pop(fact.step, None)
                self._ended.append(change_line(event) or "")
            case (
                TextProduced()
                | ProgressMade()
                | ItemFinished()
                | StepRetried()
                | FallbackChosen()
            ):
                row = self._rows.get(fact.step)
                if row is not None:
                    _update(row, fact)
            case _:
                return
        self._tell(event)

    def summary(self, state: RunState) -> list[str]:
        """Return what made each output, and the locality."""
        ended = self._ended if self._gave_way and not self._verbose else []
        lines = _in_lines(map(Text, ended[-_MOST_ENDED:]), self._console.width)
        return [*(line.plain for line in lines), *summary_lines(state)]

    def _tell(self, event: Event) -> None:
        """Write lines that stay: all with -v, else only of trouble in the answer."""
        trouble = isinstance(event.fact, StepRetried | FallbackChosen)
        line = change_line(event)
        if line is None:
            return
        if self._gave_way:
            if self._verbose or trouble:
                write_note(f"\n{line}" if trouble else line)
        elif self._verbose:
            self._console.print(_styled(line), overflow="ellipsis", no_wrap=True)

    def _give_way(self) -> None:
        """Leave the terminal to the answer that begins to stream now."""
        if self._gave_way:
            return
        self._live.stop()
        self._print_ended()
        self._gave_way = True

    def _print_ended(self) -> None:
        if not self._verbose:  # else each has its line already
            left = len(self._ended) - _MOST_ENDED
            shown = [_styled(line) for line in self._ended[-_MOST_ENDED:]]
            if left > 0:
                shown.insert(0, Text(f"… {left} steps"))
            for line in _in_lines(shown, self._console.width):
                self._console.print(line, overflow="ellipsis", no_wrap=True)
        self._ended.clear()

    def _area(self) -> Group:
        """Draw: what ended last in one line, then a line for each running step."""
        width, height = max(1, self._console.width - 1), self._console.height
        now = time.monotonic()
        rows = list(self._rows.values())
        lines: list[Text] = []
        if self._ended and not self._verbose:
            lines.append(_latest(self._ended, width))
        room = max(1, height - len(lines) - 2)
        names = max((cell_len(row.step) for row in rows[:room]), default=0)
        frame = _FRAMES[int(now * _PER_SECOND) % len(_FRAMES)]
        lines += [_row_line(row, frame, (names, width), now) for row in rows[:room]]
        if len(rows) > room:
            lines.append(Text(f"  … and {len(rows) - room} more", style="dim"))
        for line in lines:
            line.truncate(width, overflow="ellipsis")
        return Group(*lines)


def _update(
    row: _Row,
    fact: TextProduced | ProgressMade | ItemFinished | StepRetried | FallbackChosen,
) -> None:
    match fact:
        case TextProduced():
            row.hear(fact.text)
        case ProgressMade():
            row.progress, row.trouble = (fact.done, fact.total, fact.unit), ""
        case ItemFinished():
            row.items_done += 1
        case StepRetried():
            row.start_over(f"retry {fact.attempt}: {one_line(fact.what, 60)}")
        case FallbackChosen():
            row.model = short_model(fact.model)
            row.start_over(one_line(fact.what, 60))


def _distance(done: float, total: float, unit: str) -> str:
    if unit == "s":
        return f"{clock_words(done)} / {clock_words(total)}"
    share = done / total if total > 0 else 0.0
    return f"{100 * min(1.0, max(0.0, share)):.0f} %"


def _row_line(row: _Row, frame: str, sizes: tuple[int, int], now: float) -> Text:
    """Return a running step's line; where it is narrow, the model goes first."""
    names, width = sizes
    measure = row.measure(now)
    name = set_cell_size(row.step, min(names, max(8, width - cell_len(measure) - 4)))
    used = cell_len(f"{frame} {name}  {measure}")
    has_room = row.model and used + 2 + cell_len(row.model) <= width
    return Text.assemble(
        (f"{frame} ", "cyan"),
        (name, "bold"),
        (f"  {row.model}" if has_room else "", "dim"),
        f"  {measure}",
    )


def _latest(ended: list[str], width: int) -> Text:
    """Return the steps that ended last, as many as one line holds."""
    lines = _in_lines(map(_styled, reversed(ended[-_MOST_ENDED:])), width - 12)
    line = lines[0]
    shown = line.plain.count(_GAP) + 1
    if shown < len(ended):
        line.append(f"{_GAP}… {len(ended) - shown} more", style="dim")
    return line


def _styled(line: str) -> Text:
    """Return a plain line with its mark in colour."""
    text = Text(line)
    if line[:1] in _STYLES:
        text.stylize(_STYLES[line[0]], 0, 1)
    return text


def _in_lines(parts: Iterable[Text], width: int) -> list[Text]:
    """Put short texts side by side, as many on a line as fit."""
    lines: list[Text] = []
    for part in parts:
        if lines and lines[-1].cell_len + len(_GAP) + part.cell_len <= width:
            lines[-1].append(_GAP).append_text(part)
        else:
            lines.append(part.copy())
    return lines
