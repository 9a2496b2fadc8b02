# SPDX-License-Identifier: Apache-2.0
"""Merging what was changed here with what was changed elsewhere."""

import pytest
from hypothesis import given, strategies as st

from lao.editor.merging import merge_hunks, merged
from lao.errors import UsageError

LINES = st.sampled_from(["a", "b", "a: 1", "", "ü"])
ENDS = st.sampled_from(["\n", "\r\n", "\n", "\r"])
TEXTS = st.builds(
    lambda pairs, last: "".join(line + end for line, end in pairs) + last,
    st.lists(st.tuples(LINES, ENDS), max_size=8),
    LINES,
)


@given(TEXTS, TEXTS, TEXTS)
def test_picking_one_side_everywhere_gives_its_bytes(base, mine, theirs):
    hunks = merge_hunks(base, mine, theirs)

    assert merged(hunks, ["base"] * len(hunks)) == base
    assert merged(hunks, ["mine"] * len(hunks)) == mine
    assert merged(hunks, ["theirs"] * len(hunks)) == theirs


@given(TEXTS, TEXTS, TEXTS)
def test_a_hunk_says_who_changed_it(base, mine, theirs):
    for hunk in merge_hunks(base, mine, theirs):
        alike = (
            hunk.mine == hunk.base,
            hunk.theirs == hunk.base,
            hunk.mine == hunk.theirs,
        )
        expected = {
            (True, True, True): "same",
            (False, True, False): "mine",
            (True, False, False): "theirs",
            (False, False, True): "both",
            (False, False, False): "conflict",
        }
        assert hunk.kind == expected[alike]


@given(TEXTS, TEXTS)
def test_sides_that_agree_have_no_conflict(base, text):
    assert {hunk.kind for hunk in merge_hunks(base, text, text)} <= {"same", "both"}


@given(TEXTS, TEXTS)
def test_a_side_that_changed_nothing_has_no_part_in_a_merge(base, text):
    mine = merge_hunks(base, text, base)
    theirs = merge_hunks(base, base, text)

    assert {hunk.kind for hunk in mine} <= {"same", "mine"}
    assert {hunk.kind for hunk in theirs} <= {"same", "theirs"}


def test_changes_in_different_places_go_together():
    base = "".join(f"line {number}\n" for number in range(9))
    mine = base.replace("line 1", "mine")
    theirs = base.replace("line 7\n", "") + "more\n"

    hunks = merge_hunks(base, mine, theirs)

    kinds = [hunk.kind for hunk in hunks]
    assert "conflict" not in kinds
    picks = ["theirs" if kind == "theirs" else "mine" for kind in kinds]
    wanted = base.replace("line 1", "mine").replace("line 7\n", "") + "more\n"
    assert merged(hunks, picks) == wanted


def test_changes_in_the_same_place_are_a_conflict_of_those_lines():
    hunks = merge_hunks("a\nb\nc\n", "a\nmine\nc\n", "a\ntheirs\nc\n")

    assert [hunk.kind for hunk in hunks] == ["same", "conflict", "same"]
    both = merged(hunks, ["base", "mine-then-theirs", "base"])
    assert both == "a\nmine\ntheirs\nc\n"


def test_both_sides_of_a_last_line_without_end_stay_two_lines():
    hunks = merge_hunks("a", "mine", "theirs")

    assert merged(hunks, ["mine-then-theirs"]) == "mine\ntheirs"


def test_every_hunk_needs_a_pick():
    with pytest.raises(UsageError) as refusal:
        merged(merge_hunks("a\n", "b\n", "c\n"), [])

    assert refusal.value.code == "editor.bad-merge"


def test_texts_of_very_many_lines_are_one_stretch_between_what_is_alike():
    base = "first\n" + "".join(f"{number}\n" for number in range(60_000))
    mine = base.replace("\n7\n", "\nmine\n")
    theirs = base.replace("\n59998\n", "\ntheirs\n")

    hunks = merge_hunks(base, mine, theirs)

    assert [hunk.kind for hunk in hunks] == ["same", "conflict", "same"]
    assert merged(hunks, ["mine"] * 3) == mine
