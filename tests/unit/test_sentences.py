# SPDX-License-Identifier: Apache-2.0
"""How text is cut into sentences."""

import pytest
from hypothesis import given, settings, strategies as st

from lao.backends.embedded.blocks import BLOCK, blocks, flatten, folded, lowered
from lao.backends.embedded.sentences import sentences


def split(text: str) -> list[str]:
    return [sentence for _, sentence in sentences(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One ends. Two ends? Three!", ["One ends.", "Two ends?", "Three!"]),
        ("Dr. Berg met J. Smith. They left.", ["Dr. Berg met J. Smith.", "They left."]),
        ("It cost 3.5 euros. Fine.", ["It cost 3.5 euros.", "Fine."]),
        ("Am 3. März kam er. Gut.", ["Am 3. März kam er.", "Gut."]),
        ("it failed. we tried again.", ["it failed.", "we tried again."]),
        ("He asked e.g. Anna. Yes.", ["He asked e.g. Anna.", "Yes."]),
        ("- One thing.\n- Two things.", ["One thing.", "Two things."]),
        ("we met today\nthe test failed", ["we met today", "the test failed"]),
        ('He said "Stop." Then he left.', ['He said "Stop."', "Then he left."]),
    ],
)
def test_sentences_end_where_a_reader_would_end_them(text, expected):
    assert split(text) == expected


def test_wrapped_lines_are_one_sentence():
    text = (
        "The committee met in the large hall on the second floor and\n"
        "decided to postpone the vote. Nobody objected to that."
    )
    assert len(split(text)) == 2


def test_a_stretch_without_any_break_is_cut_into_readable_pieces():
    pieces = split("we talked about the plan and then we went home " * 100)
    assert max(len(piece.split()) for piece in pieces) <= 60


@given(st.text(alphabet="aB1.!?\n -\"'İß", max_size=300))
def test_no_word_is_lost_or_made_up(text):
    words = "".join(split(text)).replace(" ", "")
    whole = "".join(text.split())
    assert len(words) <= len(whole)
    assert sum(map(str.isalpha, words)) == sum(map(str.isalpha, whole))


@settings(max_examples=20)
@given(st.text(alphabet="a \n", min_size=1, max_size=50), st.integers(1, 3000))
def test_blocks_join_to_the_text_and_are_bounded(piece, times):
    text = piece * times
    cut = [block for _, block in blocks(text)]
    assert "".join(cut) == text
    assert max(map(len, cut)) <= 5 * BLOCK


@given(st.text(max_size=100))
def test_folding_keeps_every_offset(text):
    assert len(flatten(text, wrapped=True)) == len(text)
    assert len(lowered(text)) == len(text)


def test_folding_forgets_case_and_accents():
    assert folded("Müller") == "muller"
    assert folded("Søren") == "soren"
