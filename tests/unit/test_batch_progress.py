# SPDX-License-Identifier: Apache-2.0
"""How far a batch is, in words, in lines now and then, and on a terminal."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from lao.batch.job import BatchResult, ItemReport, Tally
from lao.cli import batch_progress
from lao.cli.batch_live import LiveBatchProgress
from lao.cli.batch_progress import PlainBatchProgress, QuietBatchProgress
from lao.cli.batch_words import Overview, ending_line, failure_line, pace_words
from lao.errors import Problem

FAILED = Problem(code="x.y", what="it\nfell \x1b[2J")


def report(position, *, failed=False, known=False, label="a.txt"):
    return ItemReport(
        position=position,
        label=label,
        status="failed" if failed else "done",
        run=f"1.{position}",
        problem=FAILED if failed else None,
        was_known=known,
    )


def overview(total, *ends, seconds=10.0):
    """Return an overview, and the time when items have ended at an even pace."""
    found = Overview(0.0)
    found.total = total
    for number, end in enumerate(ends, start=1):
        found.end(end, number * seconds)
    return found, len(ends) * seconds


def test_it_says_how_far_how_fast_and_how_long():
    found, now = overview(10, report(1), report(2, failed=True))

    assert found.words(now) == "2/10 · 1 failed · 6/min · ETA 01:20"


def test_without_a_total_there_is_only_the_pace():
    found, now = overview(None, *map(report, range(50)), seconds=0.1)

    assert found.words(now) == "50 · 10/s"


def test_what_was_done_before_makes_no_pace():
    known = [report(n, known=True) for n in range(50)]
    found, now = overview(100, *known, report(50), seconds=1)

    assert found.words(now) == "51/100 · 50 done before · 1/min · ETA 41:39"


def test_the_pace_is_that_of_the_latest_items():
    found = Overview(0.0)
    for number in range(200):
        found.end(report(number), 1000.0 + number)

    assert found.pace(1199.0) == 1.0


@pytest.mark.parametrize(
    ("pace", "words"),
    [(12, "12/s"), (1.55, "1.6/s"), (0.5, "30/min"), (0.001, "4/h")],
)
def test_a_pace_in_words(pace, words):
    assert pace_words(pace) == words


def test_a_failure_is_one_harmless_line():
    line = failure_line(report(3, failed=True, label="new\nline \x1b[2J"))

    assert line == r"✗ new line \x1b[2J  1.3  x.y: it fell \x1b[2J"


def test_the_end_in_one_line():
    result = BatchResult(
        run="7", status="failed", tally=Tally(done=5, failed=1, known=2), seconds=75
    )

    line = ending_line(result, Path("/x/out"))

    assert line == "batch 7: 5 done (2 before), 1 failed in 1 min 15 s → /x/out"


class Clock:
    """Time that passes when it is told to."""

    def __init__(self, monkeypatch):
        self.now = 0.0
        monkeypatch.setattr(batch_progress.time, "monotonic", lambda: self.now)


def lines_of(capsys):
    return capsys.readouterr().err.splitlines()


def test_plain_lines_come_at_milestones(monkeypatch, capsys):
    clock = Clock(monkeypatch)
    progress = PlainBatchProgress(verbose=False)
    progress.began(200)
    for number in range(1, 201):
        clock.now += 3
        progress.started(number, "a")
        progress.ended(report(number))

    counts = [line.split("/")[0] for line in lines_of(capsys)]
    assert [c for c in counts if int(c) % 20 == 0 or c == "2"] == [
        "2",
        *map(str, range(20, 200, 20)),
    ]
    assert len(counts) < 30


def test_a_quick_batch_says_nothing_on_the_way(monkeypatch, capsys):
    Clock(monkeypatch)
    progress = PlainBatchProgress(verbose=False)
    progress.began(3)
    for number in range(3):
        progress.ended(report(number))

    assert lines_of(capsys) == []


def test_a_slow_pipe_is_heard_of_every_half_minute(monkeypatch, capsys):
    clock = Clock(monkeypatch)
    progress = PlainBatchProgress(verbose=False)
    progress.began(None)
    for number in range(10):
        clock.now += 16
        progress.ended(report(number))

    assert [line.split(" ")[0] for line in lines_of(capsys)] == [
        "2",
        "4",
        "6",
        "8",
        "10",
    ]


def test_failures_are_told_even_when_quiet(capsys):
    for progress in (QuietBatchProgress(), PlainBatchProgress(verbose=False)):
        progress.ended(report(1, failed=True))
        progress.ended(report(2))

        assert len(lines_of(capsys)) == 1


@pytest.mark.parametrize("width", [1, 5, 20, 40, 79, 200])
def test_no_live_line_is_wider_than_the_terminal(width):
    console = Console(file=io.StringIO(), width=width, height=8, color_system=None)
    progress = LiveBatchProgress(console, verbose=False)
    progress.began(1000)
    for number in range(100):
        progress.started(number, f"{number} 日本語\x1b[2J\n" + "x" * 300)
    for number in range(50):
        progress.ended(report(number, failed=number < 3))
    with console.capture() as drawn:
        console.print(progress.area())

    shown = drawn.get()
    assert len(shown.splitlines()) <= 8
    assert "\x1b" not in shown
    assert width < 79 or "50/1000 · 3 failed" in shown
    assert width < 79 or "… and 46 more" in shown
