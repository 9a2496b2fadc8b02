# SPDX-License-Identifier: Apache-2.0
"""How a batch is put into words for people: how far it is, what failed, how it ended."""

from collections import deque
from pathlib import Path

from lao.batch.job import BatchResult, ItemReport
from lao.cli.run_words import clock_words, one_line, seconds_words

_LATEST = 64


class Overview:
    """How far a batch is; the pace is that of its latest items. Times are monotonic."""

    def __init__(self, now: float) -> None:
        self.total: int | None = None
        self.ended = 0
        self.failed = 0
        self.known = 0
        self.running: dict[int, tuple[str, float]] = {}
        self._latest: deque[float] = deque([now], maxlen=_LATEST)

    def start(self, position: int, label: str, now: float) -> None:
        """Take note that an item runs."""
        self.running[position] = label, now

    def end(self, report: ItemReport, now: float) -> None:
        """Take note that an item ended."""
        self.running.pop(report.position, None)
        self.ended += 1
        self.failed += report.status == "failed"
        self.known += report.was_known
        if not report.was_known:
            self._latest.append(now)

    def pace(self, now: float) -> float | None:
        """Return items per second, of late; None while too little is known."""
        seconds = now - self._latest[0]
        items = len(self._latest) - 1
        return items / seconds if items and seconds > 0.1 else None

    def words(self, now: float) -> str:
        """Return all of it in one line."""
        words = [
            str(self.ended) if self.total is None else f"{self.ended}/{self.total}"
        ]
        if self.failed:
            words.append(f"{self.failed} failed")
        if self.known:
            words.append(f"{self.known} done before")
        pace = self.pace(now)
        if pace is not None:
            words.append(pace_words(pace))
            if self.total is not None and self.total > self.ended:
                words.append(f"ETA {clock_words((self.total - self.ended) / pace)}")
        return " · ".join(words)


def pace_words(pace: float) -> str:
    """Return items per second as people read it: `4.2/s`, `12/min`, `3/h`."""
    if pace >= 1:
        return f"{pace:.1f}/s" if pace < 10 else f"{pace:.0f}/s"
    if pace * 60 >= 1:
        return f"{pace * 60:.0f}/min"
    return f"{pace * 3600:.0f}/h"


def failure_line(report: ItemReport) -> str:
    """Return what there is to say of an item that failed."""
    problem = report.problem
    what = f"{problem.code}: {problem.what}" if problem is not None else ""
    run = f"  {report.run}" if report.run else ""
    return f"✗ {one_line(report.label, 100)}{run}  {one_line(what)}"


def item_line(report: ItemReport, *, verbose: bool) -> str | None:
    """Return the line that stays of an item; None if there is none."""
    if report.status == "failed":
        return failure_line(report)
    if report.note:
        return f"note: {one_line(report.label, 100)}: {report.note}"
    if verbose and not report.was_known:
        return f"✓ {one_line(report.label, 100)}  {seconds_words(report.seconds)}"
    return None


def ending_line(result: BatchResult, folder: Path | None) -> str:
    """Return how a batch ended, in one line."""
    tally = result.tally
    words = [f"{tally.done} done"]
    if tally.known:
        words[0] += f" ({tally.known} before)"
    if tally.failed:
        words.append(f"{tally.failed} failed")
    where = "" if folder is None else f" → {one_line(str(folder))}"
    name = f"batch {result.run}: " if result.run else ""
    return f"{name}{', '.join(words)} in {seconds_words(result.seconds)}{where}"
