# SPDX-License-Identifier: Apache-2.0
"""What models say is shown by a terminal and never obeyed."""

import os
import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

import lao
from lao.cli.terminal import neutralised, open_lines

# All of Unicode, lone surrogates too.
ANY_TEXT = st.text(st.characters(codec=None))


@given(ANY_TEXT)
def test_neutralised_text_has_no_control_but_tab_and_newline(text):
    shown = neutralised(text)

    assert not [c for c in shown if unicodedata.category(c) == "Cc" and c not in "\t\n"]
    assert not [c for c in shown if unicodedata.bidirectional(c) in BIDI_CONTROLS]
    assert not UNSEEN.intersection(shown)


UNSEEN = set("\u061c\u200e\u200f\u2028\u2029\ufeff\u206a\u206f\ufff9\ufffb")
BIDI_CONTROLS = {"LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI"}


@given(ANY_TEXT)
def test_neutralised_text_stays_as_it_is(text):
    shown = neutralised(text)

    assert neutralised(shown) == shown


@given(ANY_TEXT)
def test_neutralised_text_can_be_encoded(text):
    neutralised(text).encode()


@settings(max_examples=50)
@given(st.text(st.characters(categories=("L", "M", "N", "P", "S", "Zs"))))
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
        ("\x90q\x9c \x1bPq\x1b\\", r"\x90q\x9c \x1bPq\x1b" + "\\"),
        ("\x00\x08\x7f", r"\x00\x08\x7f"),
        ("\ufffahidden\ufffb", r"\ufffahidden\ufffb"),
    ],
)
def test_an_attack_becomes_visible(attack, shown):
    assert neutralised(attack) == shown


ORDINARY = "Grüße, naïve \u0915\u093f\u0924\u093e\u092c, שלום, \U0001f469\u200d\U0001f4bb — 100 °C\t→\n"


def test_ordinary_words_of_all_scripts_stay():
    assert neutralised(ORDINARY) == ORDINARY


@given(ANY_TEXT, ANY_TEXT)
def test_a_stream_of_pieces_shows_what_the_whole_would(one, two):
    assert neutralised(one) + neutralised(two) == neutralised(one + two)


def test_a_file_for_json_is_private_and_gets_every_byte(tmp_path):
    with open_lines(tmp_path / "file") as write:
        write("\x1b[31m\u202e\n")
        write("\udc9b\n")  # of a file's name that is no UTF-8
        assert (tmp_path / "file").read_bytes() == b"\x1b[31m\xe2\x80\xae\n\\udc9b\n"
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o600


def test_a_terminal_that_is_named_for_json_obeys_nothing_of_it():
    ours, theirs = os.openpty()
    with open_lines(os.ttyname(theirs)) as write:
        write("\x1b]52;c;QQ==\x07\x9b2J\u202e\n")
    shown = os.read(ours, 1 << 12)
    os.close(theirs)
    os.close(ours)
    assert shown == rb"\x1b]52;c;QQ==\x07\x9b2J\u202e" + b"\r\n"


WRITES = re.compile(
    r"\bprint\(|click\.s?echo|traceback\.print|sys\.std(?:out|err)|Console\("
)
LETS_PASS = re.compile(r"is_terminal\(sys\.std|give_up\(sys\.std")
WRITERS = {
    "terminal.py",  # neutralises
    "main.py",  # prints constants alone, and imports nothing
    *("live.py", "batch_live.py"),  # draw with rich what `one_line` neutralised
}


def test_nothing_else_of_the_command_line_writes_to_a_stream():
    folder = Path(lao.__file__).parent / "cli"
    found = {
        f"{path.name}: {line.strip()}"
        for path in folder.rglob("*.py")
        if path.name not in WRITERS
        for line in path.read_text("utf-8").splitlines()
        if WRITES.search(line) and not LETS_PASS.search(line)
    }
    assert found == set()
