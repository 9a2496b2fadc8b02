# SPDX-License-Identifier: Apache-2.0
"""The plugin in a locked worker, as LAO runs it; and its rules, one by one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lao import LaoError
from lao.plugins.testing import PluginUnderTest
from tidy_transcript.tidying import joined, without_fillers, without_times


@pytest.fixture(scope="module")
def plugin() -> Iterator[PluginUnderTest]:
    with PluginUnderTest(Path(__file__).parents[1]) as plugin:
        yield plugin


def test_a_transcript_is_tidied(plugin: PluginUnderTest) -> None:
    transcript = "[00:02] Ana: Um, we start\nwith the, uh, wall.\n[00:09] Bo: Fine.\n"

    tidy = plugin.process(transcript).value

    assert tidy == "Ana: We start with the wall.\nBo: Fine."


def test_it_does_what_its_parameters_say(plugin: PluginUnderTest) -> None:
    asked = {"fillers": ["äh"], "times": "keep", "lines": "keep"}

    tidy = plugin.process("[00:02] wir, äh, um\n10 Uhr", parameters=asked).value

    assert tidy == "[00:02] wir um\n10 Uhr"


def test_a_transcript_of_nothing_is_refused(plugin: PluginUnderTest) -> None:
    with pytest.raises(LaoError) as raised:
        plugin.process("[00:01] Um … uh.")

    assert raised.value.code == "tidy-transcript.nothing-left"


@pytest.mark.parametrize(
    ("line", "without"),
    [
        ("So, um, we ship.", "So we ship."),
        ("we ship, um.", "we ship."),
        ("we um um ship", "we ship"),
        ("Er. no", "No"),
        ("Bo: uh, yes", "Bo: yes"),
        ("the um... thing", "the thing"),
        ("umbrella summary", "umbrella summary"),
    ],
)
def test_only_whole_words_go_and_the_sentence_stays(line: str, without: str) -> None:
    assert without_fillers(line, ["um", "uh", "er"]) == without


def test_a_time_in_a_sentence_is_no_time_mark() -> None:
    assert without_times("We meet at 10:30, (00:31) and 9:15.") == (
        "We meet at 10:30, and 9:15."
    )


def test_subtitles_become_paragraphs() -> None:
    srt = "1\n00:00:01,000 --> 00:00:03,000\nHello,\n\n2\n00:00:04,000 --> 00:00:05,000\nBo.\n"

    assert "\n".join(joined(without_times(srt).splitlines())).strip() == "Hello, Bo."


def test_paragraphs_speakers_and_lists_stay_apart() -> None:
    lines = ["One", "line.", "", "Ana: Two", "lines.", "- a", "- b"]

    assert list(joined(lines)) == ["One line.", "", "Ana: Two lines.", "- a", "- b"]
