# SPDX-License-Identifier: Apache-2.0
"""How two values differ: shortly for texts, by path for everything else."""

import json
import time

from hypothesis import given, strategies as st

from lao.history.differences import Leaf, changes, text_diff
from lao.workflow.values import FileValue

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text("ab", min_size=1, max_size=2), inner, max_size=3)
    ),
    max_leaves=8,
)


def test_values_are_matched_by_name():
    found = changes({"a": 1, "b": 2, "c": 3}, {"b": 2, "c": 4, "d": 5})

    assert [(each.name, each.how) for each in found] == [
        ("a", "removed"),
        ("c", "changed"),
        ("d", "added"),
    ]


def test_texts_differ_by_lines():
    text = "one\ntwo\nthree\nfour\nfive\nsix\n"

    assert text_diff(text, text.replace("five", "5")) == [
        "@@ -3,5 +3,5 @@",
        " three",
        " four",
        "-five",
        "+5",
        " six",
        " ",
    ]


def test_the_lines_are_counted_from_the_first():
    before = "".join(f"{number}\n" for number in range(1000))

    assert (
        text_diff(before, before.replace("\n900\n", "\n"))[0] == "@@ -899,5 +899,4 @@"
    )


def test_of_a_long_paragraph_only_the_sentence_is_shown():
    sentences = [f"This is sentence {number} of a paragraph." for number in range(50)]
    before = " ".join(sentences)
    after = before.replace("sentence 30 ", "phrase 30 ")

    changed = [line for line in text_diff(before, after) if line[0] in "+-"]

    assert changed == [f"-{sentences[30]}", "+This is phrase 30 of a paragraph."]


def test_texts_that_share_nothing_are_not_compared_line_by_line():
    before = "\n".join(f"a{number}" for number in range(200_000))
    began = time.process_time()

    shown = text_diff(before, before.replace("a", "b"))

    assert len(shown) == 1
    assert "200,000 and 200,000 lines" in shown[0]
    assert time.process_time() - began < 5


def test_texts_that_differ_only_where_they_are_cut_still_differ():
    words = "Some words come first. " * 10

    assert text_diff(words, words.replace(". ", ".  "))


@given(st.text(), st.text())
def test_other_texts_always_show_a_difference(before, after):
    assert before == after or text_diff(before, after)


def test_json_differs_by_path():
    before = {"people": [{"name": "Ana"}, {"name": "Ben"}], "city": "Oslo"}
    after = {"people": [{"name": "Anna"}], "city": "Oslo", "on": None}

    (change,) = changes({"out": before}, {"out": after})

    assert change.leaves == (
        Leaf(path="people[0].name", before='"Ana"', after='"Anna"'),
        Leaf(path="people[1]", before='{"name": "Ben"}', after=None),
        Leaf(path="on", before=None, after="null"),
    )


def test_a_file_differs_by_its_path():
    (change,) = changes(
        {"f": FileValue("/a", "audio")}, {"f": FileValue("/b", "audio")}
    )

    assert change.leaves == (Leaf(path="file", before='"/a"', after='"/b"'),)


@given(JSON, JSON)
def test_values_that_differ_have_a_place_that_does(before, after):
    found = changes({"v": before}, {"v": after})

    assert bool(found) == (before != after)
    for change in found:
        assert change.lines or change.leaves
        assert all(leaf.before != leaf.after for leaf in change.leaves)
        for leaf in change.leaves:
            assert [json.loads(side) for side in (leaf.before, leaf.after) if side]
