# SPDX-License-Identifier: Apache-2.0
"""The live lines fit the terminal, whatever happens in the run and whatever it is called."""

import io

import pytest
from rich.console import Console

from lao.cli.live import LiveProgress
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


class Screen:
    """A display that is drawn only when asked."""

    def __init__(self, width=80, answering=None, verbose=False):
        self.out = io.StringIO()
        console = Console(file=self.out, width=width, height=10, color_system=None)
        self.progress = LiveProgress(console, verbose=verbose, answering=answering)
        self.console = console

    def after(self, *facts):
        for number, fact in enumerate(facts, start=1):
            self.progress(Event("r", number, 0.0, fact))
        with self.console.capture() as drawn:
            self.console.print(self.progress._area())
        return drawn.get().splitlines()


def started(step, model="ollama:llama3.2", items=None):
    return StepStarted(step=step, model=model, items=items)


def test_a_recording_is_measured_in_time():
    heard = ProgressMade(step="a", done=31, total=124, unit="s")

    (line,) = Screen().after(started("a", "whisper.cpp:/m/ggml-base.en.bin"), heard)

    assert line.endswith("a  whisper.cpp base.en  00:31 / 02:04")


def test_other_work_is_measured_in_percent():
    (line,) = Screen().after(
        started("a"), ProgressMade(step="a", done=3, total=4, unit="pieces")
    )

    assert line.endswith("75 %")


def test_a_list_is_measured_in_items():
    done = ItemFinished(step="a", item=0, value="")

    (line,) = Screen().after(started("a", items=8), done)

    assert "1/8" in line


def test_what_ended_collapses_into_one_line():
    lines = Screen().after(
        started("a"),
        StepFinished(step="a", value="", seconds=12.4),
        StepSkipped(step="b", reason="no"),
        StepFailed(step="c", code="x.y", what="w"),
        started("d"),
    )

    assert len(lines) == 2
    assert set(lines[0].split("   ")) == {"✓ a  12.4 s", "– b  skipped", "✗ c  x.y"}


def test_a_retry_and_a_fallback_are_shown():
    retry = StepRetried(step="a", attempt=1, code="x.y", what="it fell", delay=2)
    fallback = FallbackChosen(step="a", model="ollama:other", code="x.y", what="gone")

    assert "retry 1: it fell" in Screen().after(started("a"), retry)[0]
    assert "ollama other" in Screen().after(started("a"), fallback)[0]


@pytest.mark.parametrize("width", [1, 2, 5, 20, 40, 79, 200])
def test_no_line_is_wider_than_the_terminal(width):
    screen = Screen(width)

    lines = screen.after(
        *[started(f"{n}: 日本語\x1b[2J\n" + "x" * 300) for n in range(50)],
        *[StepFinished(step=f"done {n}", value="") for n in range(200)],
        StepRetried(step="0", attempt=1, code="x.y", what="w\r" * 400, delay=1),
    )

    assert len(lines) < 10
    assert "\x1b" not in "".join(lines)


def test_it_makes_way_before_the_answer_streams_and_tells_the_rest_later():
    screen = Screen(answering="b")
    with screen.progress:
        screen.after(started("a"), StepFinished(step="a", value=""), started("b"))
        screen.progress(Event("r", 9, 0.0, TextProduced(step="b", text="Hello")))
        before = screen.out.getvalue()
        screen.progress(Event("r", 10, 0.0, StepFinished(step="b", value="Hello")))

    assert "✓ a" in before
    assert screen.out.getvalue() == before
    assert screen.progress.summary(RunState())[0].startswith("✓ b")


def test_text_of_another_step_does_not_make_it_give_way():
    screen = Screen(answering="b")
    with screen.progress:
        screen.after(started("a"), TextProduced(step="a", text="Hello"))

    assert not screen.progress._gave_way
