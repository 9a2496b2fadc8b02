# SPDX-License-Identifier: Apache-2.0
"""Segments become text, subtitles and JSON."""

import re

import pytest
from hypothesis import given, strategies as st

from lao.backends.subtitles import Segment, joint, render, to_text, wanted_output
from lao.workflow.inference import ModelProblem

segments = st.lists(
    st.builds(
        Segment,
        start=st.floats(0, 400_000),
        end=st.floats(0, 400_000),
        text=st.text(max_size=40),
    ),
    max_size=8,
)
TWO = (
    Segment(start=0.0, end=1.5, text="Hello there."),
    Segment(start=3661.0004, end=3662.9996, text="Who\n\n--> <b> & you?"),
)


def test_srt_numbers_its_cues_and_uses_a_comma():
    assert render(TWO, "srt") == (
        "1\n00:00:00,000 --> 00:00:01,500\nHello there.\n\n"
        "2\n01:01:01,000 --> 01:01:03,000\nWho → <b> & you?\n"
    )


def test_vtt_has_a_header_uses_a_point_and_escapes():
    assert render(TWO, "vtt") == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:01.500\nHello there.\n\n"
        "01:01:01.000 --> 01:01:03.000\nWho → &lt;b&gt; &amp; you?\n"
    )


def test_segments_are_seconds_and_text():
    assert render(TWO[:1], "segments") == [
        {"start": 0.0, "end": 1.5, "text": "Hello there."}
    ]


@given(segments)
def test_every_srt_cue_is_three_lines_whatever_was_said(found):
    text = render(found, "srt")
    cues = text.split("\n\n") if text else []
    assert len(cues) == sum(bool(segment.text.strip()) for segment in found)
    for number, cue in enumerate(cues, start=1):
        times = r"\d{2,}:\d\d:\d\d,\d{3} --> \d{2,}:\d\d:\d\d,\d{3}"
        assert re.match(rf"{number}\n{times}\n", cue)
        assert cue.count("-->") == 1


def test_text_breaks_lines_after_sentences_only():
    said = ["We met", "on Monday.", "It rained!", "And then"]
    found = [Segment(start=i, end=i + 1, text=t) for i, t in enumerate(said)]
    assert to_text(found) == "We met on Monday.\nIt rained!\nAnd then"


def test_scripts_without_spaces_are_joined_without_spaces():
    assert joint("今日は", "月曜日") == ""
    assert joint("今日は。", "雨") == "\n"
    assert joint("on", "Monday") == " "


@given(segments)
def test_pieces_with_their_joints_are_the_text(found):
    whole, said = "", ""
    for segment in found:
        words = " ".join(segment.text.split())
        if words:
            whole += joint(said, words) + words
            said = words
    assert whole == to_text(found)


def test_nothing_said_is_empty():
    assert render((), "text") == ""
    assert render((), "srt") == ""
    assert render((), "vtt") == "WEBVTT\n"
    assert render((), "segments") == []


def test_an_unknown_output_is_a_clear_problem():
    assert wanted_output({}) == "text"
    with pytest.raises(ModelProblem) as caught:
        wanted_output({"output": "segment"})
    assert caught.value.code == "speech.unknown-output"
    assert "segments" in caught.value.mend
