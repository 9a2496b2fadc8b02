# SPDX-License-Identifier: Apache-2.0
"""The model in a locked worker, as LAO runs it; and how it ranks."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from keyword_model.phrases import candidates, ranked
from lao import LaoError
from lao.plugins.testing import PluginUnderTest

TEXT = "The pier lights must work. Bo orders new pier lights, and Bo pays."


@pytest.fixture(scope="module")
def plugin() -> Iterator[PluginUnderTest]:
    with PluginUnderTest(Path(__file__).parents[1]) as plugin:
        yield plugin


def test_the_best_phrases_come_first(plugin: PluginUnderTest) -> None:
    found = plugin.process(TEXT, parameters={"top": 2, "ignore": ["Bo"]}).value

    assert found == [
        {"phrase": "orders new pier lights", "score": 14.0},
        {"phrase": "pier lights", "score": 6.0},
    ]


def test_as_text_it_gives_a_phrase_a_line(plugin: PluginUnderTest) -> None:
    asked = {"top": 1, "ignore": ["Bo"]}

    found = plugin.process(TEXT, parameters=asked, wants="text").value

    assert found == "orders new pier lights\n"


def test_it_says_what_it_is_and_how_far(plugin: PluginUnderTest) -> None:
    heard = plugin.process(TEXT).heard

    assert plugin.describe().made_by == "key phrases by RAKE"
    assert heard.progresses[-1] == (len(TEXT) - 1, len(TEXT), "characters")


@pytest.mark.parametrize("text", ["", " \n"])
def test_no_text_is_refused(plugin: PluginUnderTest, text: str) -> None:
    with pytest.raises(LaoError) as raised:
        plugin.process(text)

    assert raised.value.code == "keyword-model.no-text"


def test_a_phrase_ends_at_stop_words_signs_and_numbers() -> None:
    phrases = list(candidates("Big red boat and 7 seas; sea-salt", {"and"}, print))

    assert phrases == [("big", "red", "boat"), ("seas",), ("sea-salt",)]


def test_equals_are_ranked_by_number_then_by_name() -> None:
    assert [name for name, _ in ranked([("b",), ("a",), ("c",), ("c",)])] == [
        "c",
        "a",
        "b",
    ]
