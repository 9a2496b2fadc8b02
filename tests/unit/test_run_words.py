# SPDX-License-Identifier: Apache-2.0
"""How durations, models, sizes and runs are put into words."""

import pytest
from hypothesis import given, strategies as st

from lao.cli.run_words import (
    clock_words,
    one_line,
    pace_words,
    seconds_words,
    short_model,
    summary_lines,
)
from lao.cli.tables import size_words, table, width_of
from lao.events import RunState, StepFinished, StepSkipped, StepState


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.254, "0.25 s"),
        (12.44, "12.4 s"),
        (59.96, "1 min 0 s"),
        (125, "2 min 5 s"),
        (7260, "2 h 1 min"),
    ],
)
def test_seconds_in_words(seconds, words):
    assert seconds_words(seconds) == words


def test_a_clock_shows_hours_only_when_there_are_some():
    assert [clock_words(31), clock_words(124.9), clock_words(3723)] == [
        "00:31",
        "02:04",
        "1:02:03",
    ]


@pytest.mark.parametrize(
    ("label", "short"),
    [
        ("whisper.cpp:/home/me/models/ggml-base.en.bin", "whisper.cpp base.en"),
        ("llama.cpp:/models/qwen3-4b.gguf", "llama.cpp qwen3-4b"),
        ("ollama:llama3.2:3b", "ollama llama3.2:3b"),
        ("embedded:speech", "embedded speech"),
        ("", ""),
    ],
)
def test_a_model_is_named_without_its_path(label, short):
    assert short_model(label) == short


def test_the_pace_is_that_of_the_model():
    done = StepFinished(
        step="a", value="x", seconds=4.0, tokens_out=82, model_seconds=2.0
    )

    assert pace_words(done) == "4.0 s · 41 tok/s"


@given(st.text())
def test_one_line_is_one_line(text):
    assert "\n" not in one_line(text)
    assert len(one_line(text, 20)) <= 20


def test_the_summary_says_what_made_each_output_and_where_it_ran():
    made = StepFinished(step="a", value="", made_by="LAO summary", notes=("3 of 8",))
    state = RunState(
        locality="loopback only",
        steps={
            "a": StepState(status="done", finished=made),
            "b": StepState(
                status="skipped", skipped=StepSkipped(step="b", reason="no")
            ),
            "c": StepState(),
        },
    )

    assert summary_lines(state) == [
        "a: LAO summary (3 of 8)",
        "b: skipped: no",
        "locality: loopback only",
    ]


def test_a_summary_of_many_steps_is_cut():
    done = StepState(finished=StepFinished(step="x", value="", made_by="m"))
    state = RunState(steps={f"s{n}": done for n in range(500)})

    lines = summary_lines(state)

    assert len(lines) < 30
    assert "and 476 lines more" in lines[-1]


def test_a_table_aligns_wide_characters_and_drops_empty_columns():
    text = table(("A", "B", "C"), [("日本", "", "x"), ("a\x1b[2J", "", "yy")])

    assert text == "A         C\n日本      x\na\\x1b[2J  yy\n"
    assert {width_of(line[: line.rindex(" ")]) for line in text.splitlines()} == {9}


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (None, ""),
        (0, "0 B"),
        (999, "999 B"),
        (1500, "1.5 kB"),
        (2_019_393_189, "2.0 GB"),
        (41 * 10**12, "41 TB"),
    ],
)
def test_sizes_in_words(size, words):
    assert size_words(size) == words
