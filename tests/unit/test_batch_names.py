# SPDX-License-Identifier: Apache-2.0
"""Names of output files: harmless anywhere, never one in use, found without long search."""

import pytest
from hypothesis import given, strategies as st

from lao.batch.names import OutputNames, safe_name


@pytest.fixture
def names(tmp_path):
    return OutputNames(tmp_path, ".txt", lambda name: False)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("talk", "talk"),
        ("Übung 3 日本", "Übung 3 日本"),
        ("../../etc/passwd", "_.._.._etc_passwd"),
        ("a\nb\x1b[2J\0", "a_b_[2J_"),
        ("-rf", "_-rf"),
        (".env", "_.env"),
        ("..", "_"),
        ("\udcff\u202e", "__"),
        ("a. ", "a"),
        ("", "item"),
    ],
)
def test_names_are_made_safe(text, name):
    assert safe_name(text) == name


@given(st.text(st.characters(), max_size=300))
def test_any_text_makes_a_safe_name(text):
    name = safe_name(text)

    assert 0 < len(name.encode()) <= 200
    assert not set(name) & set("/\\\0\n\r")
    assert name[0] not in ".-"
    assert safe_name(name) == name


def test_a_name_is_given_once(names):
    given = [names.reserve("a") for _ in range(4)]

    assert given == ["a.txt", "a-2.txt", "a-3.txt", "a-4.txt"]


def test_what_is_in_the_folder_keeps_its_name(names, tmp_path):
    (tmp_path / "a.txt").touch()
    (tmp_path / "a-2.txt").symlink_to("nowhere")

    assert names.reserve("a") == "a-3.txt"


def test_what_an_earlier_item_was_promised_is_taken(tmp_path):
    names = OutputNames(tmp_path, ".json", {"a.json"}.__contains__)

    assert names.reserve("a") == "a-2.json"


def test_a_released_name_is_free_again(names):
    names.release(names.reserve("a"))

    assert names.reserve("a") == "a.txt"


def test_ten_thousand_inputs_of_one_name_ask_a_few_times_each(tmp_path):
    asked, given = [], set()

    def is_promised(name):
        asked.append(name)
        return name in given

    names = OutputNames(tmp_path, "", is_promised)
    for _ in range(2_000):
        given.add(name := names.reserve("a"))
        names.release(name)

    assert given == {"a", *(f"a-{n}" for n in range(2, 2_001))}
    assert len(asked) < 2_000 * 25
