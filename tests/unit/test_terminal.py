# SPDX-License-Identifier: Apache-2.0
"""What models say is shown by a terminal and never obeyed."""

import unicodedata

import pytest
from hypothesis import given, strategies as st

from lao.cli.terminal import neutralised

# All of Unicode, lone surrogates too.
ANY_TEXT = st.text(st.characters(codec=None))


@given(ANY_TEXT)
def test_neutralised_text_has_no_control_but_tab_and_newline(text):
    shown = neutralised(text)

    assert not [c for c in shown if unicodedata.category(c) == "Cc" and c not in "\t\n"]
    assert not [c for c in shown if unicodedata.bidirectional(c) in BIDI_CONTROLS]


BIDI_CONTROLS = {"LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI"}


@given(ANY_TEXT)
def test_neutralised_text_stays_as_it_is(text):
    shown = neutralised(text)

    assert neutralised(shown) == shown


@given(ANY_TEXT)
def test_neutralised_text_can_be_encoded(text):
    neutralised(text).encode()


@given(st.text(st.characters(categories=("L", "N", "P", "S", "Zs"), codec="utf-8")))
def test_a_clean_text_is_left_alone(text):
    assert neutralised(f"\t{text}\n") == f"\t{text}\n"


@pytest.mark.parametrize(
    ("attack", "shown"),
    [
        ("\x1b]52;c;cm0=\x07", r"\x1b]52;c;cm0=\x07"),
        ("\x9b2J", r"\x9b2J"),
        ("safe\rrm -rf", r"safe\x0drm -rf"),
        ("\u202egpj.exe", r"\u202egpj.exe"),
        ("\ud800", r"\ud800"),
    ],
)
def test_an_attack_becomes_visible(attack, shown):
    assert neutralised(attack) == shown
