# SPDX-License-Identifier: Apache-2.0
"""How a run is put into words for people: durations, models, what made what."""

from pathlib import PurePath

from lao.cli.terminal import neutralised
from lao.events import (
    Event,
    FallbackChosen,
    RunState,
    StepFailed,
    StepFinished,
    StepRetried,
    StepSkipped,
    StepStarted,
    StepState,
)

SKIPPED = "\N{EN DASH}"
_MOST_LINES = 24


def one_line(text: str, most: int = 200) -> str:
    """Return a text without line breaks or anything that a terminal would obey."""
    line = neutralised(" ".join(text.split()))
    return line if len(line) <= most else line[: most - 1] + "…"


def seconds_words(seconds: float) -> str:
    """Return a duration as people read it: `0.25 s`, `12.4 s`, `2 min 5 s`."""
    if seconds < 1:
        return f"{seconds:.2f} s"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def clock_words(seconds: float) -> str:
    """Return a position in time: `00:31`, `1:02:03`."""
    minutes, rest = divmod(max(0, int(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"


def short_model(label: str) -> str:
    """Return a model's label with its path cut: `whisper.cpp base.en`."""
    kind, colon, name = label.partition(":")
    if not colon:
        return one_line(label, 40)
    if kind in ("llama.cpp", "whisper.cpp", "custom"):
        name = PurePath(name).name.removeprefix("ggml-")
        name = name.removesuffix(".gguf").removesuffix(".bin")
    return one_line(f"{kind} {name}", 40)


def pace_words(finished: StepFinished) -> str:
    """Return how long a step took, and how fast its model wrote if that is known."""
    if finished.cached:
        return "from the cache"
    words = seconds_words(finished.seconds)
    if finished.tokens_out and finished.model_seconds:
        words += f" · {finished.tokens_out / finished.model_seconds:.0f} tok/s"
    if finished.attempts > 1:
        words += f" · attempt {finished.attempts}"
    return words


def change_line(event: Event) -> str | None:
    """Return what an event changes as one plain line; None if that is too little."""
    match event.fact:
        case StepStarted() as fact:
            items = "" if fact.items is None else f"  {fact.items} items"
            model = f"  {short_model(fact.model)}" if fact.model else ""
            return f"… {one_line(fact.step)}{model}{items}"
        case StepRetried() as fact:
            return (
                f"↻ {one_line(fact.step)}  attempt {fact.attempt} failed: "
                f"{one_line(fact.what)}; again in {fact.delay:.1f} s"
            )
        case FallbackChosen() as fact:
            return (
                f"↻ {one_line(fact.step)}  {one_line(fact.what)}; "
                f"now {short_model(fact.model)}"
            )
        case StepFinished() as fact:
            return f"✓ {one_line(fact.step)}  {pace_words(fact)}"
        case StepFailed() as fact:
            return f"✗ {one_line(fact.step)}  {fact.code}"
        case StepSkipped() as fact:
            return f"{SKIPPED} {one_line(fact.step)}  skipped"
        case _:
            return None


def summary_lines(state: RunState) -> list[str]:
    """Return what made each step's output, what is to be noted, and the locality."""
    lines: list[str] = []
    for name, step in state.steps.items():
        if words := _told(step):
            lines.append(f"{one_line(name)}: {words}")
    if len(lines) > _MOST_LINES:
        left = len(lines) - _MOST_LINES
        lines[_MOST_LINES:] = [f"… and {left} lines more (--json has them all)"]
    if state.locality:
        lines.append(f"locality: {one_line(state.locality)}")
    return lines


def _told(step: StepState) -> str:
    """Return what there is to say about a step that ended; a failure says it itself."""
    if step.skipped is not None:
        return f"skipped: {one_line(step.skipped.reason)}"
    if step.finished is None:
        return ""
    done = step.finished
    made_by = "from the cache" if done.cached else one_line(done.made_by)
    notes = "; ".join(map(one_line, done.notes))
    return f"{made_by} ({notes})" if made_by and notes else made_by or notes
