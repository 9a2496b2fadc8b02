# SPDX-License-Identifier: Apache-2.0
"""The history of a file: whatever was changed can be taken back and done again."""

import pytest
from hypothesis import given, strategies as st

from lao.editor.text_history import (
    BrokenHistory,
    Change,
    Common,
    History,
    Redo,
    Undo,
    agreement,
    beginning,
    change_to,
    replay,
)

TEXTS = st.text("ab\nü🎉", max_size=12)


def edited(texts):
    """Return a history of these texts, and the records that made it."""
    history = History(text=texts[0], common=texts[0])
    records = [*beginning(texts[0])]
    for text in texts[1:]:
        records.append(change_to(history.text, text, "edit"))
        history.apply(records[-1])
    return history, records


@given(st.lists(TEXTS, min_size=1, max_size=8))
def test_undoing_all_gives_the_first_text_and_redoing_all_the_last(texts):
    history, records = edited(texts)

    for text in reversed(texts[:-1]):
        history.apply(Undo())
        assert history.text == text
    assert history.undo_label is None
    for text in texts[1:]:
        history.apply(Redo())
        assert history.text == text
    assert history.redo_label is None
    assert replay(records) == history


@given(st.lists(TEXTS, min_size=1, max_size=8), st.data())
def test_a_shortened_history_goes_on_as_the_whole_one_would(texts, data):
    history, _ = edited(texts)
    for _ in range(data.draw(st.integers(0, len(texts) - 1))):
        history.apply(Undo())
    history.apply(agreement(data.draw(st.sampled_from([*texts, None])), history.text))

    short = replay(history.shortened(data.draw(st.sampled_from([0, 250, 10_000]))))

    assert (short.text, short.common) == (history.text, history.common)
    while history.redo_label is not None:
        history.apply(Redo())
        short.apply(Redo())
    while short.undo_label is not None:
        assert short.text == history.text
        history.apply(Undo())
        short.apply(Undo())


@given(TEXTS, TEXTS)
def test_what_the_disk_holds_is_told_from_the_text_here(common, text):
    history = History(text=text, common=None)

    history.apply(agreement(common, text))

    assert history.common == common
    assert history.is_saved == (common == text)


def test_a_new_change_leaves_nothing_to_redo():
    history, _ = edited(["a", "b"])
    history.apply(Undo())

    history.apply(change_to("a", "c", "another"))

    assert (history.redo_label, history.undo_label) == (None, "another")


@pytest.mark.parametrize(
    "record",
    [
        Undo(),
        Redo(),
        Change(label="", at=0, cut="x", put="y", check=0),
        Change(label="", at=0, cut="a", put="y", check=0),
        Change(label="", at=-1, put="y", check=0),
        Change(label="", at=9, put="y", check=0),
        Common(at=0, put="x"),
    ],
)
def test_a_record_that_was_made_for_another_text_is_refused(record):
    with pytest.raises(BrokenHistory):
        replay([*beginning("abc"), record])


def test_a_change_of_a_few_signs_in_a_long_text_is_a_few_signs():
    text = "x" * 1_000_000 + "old" + "y" * 1_000_000

    change = change_to(text, text.replace("old", "new"), "edit")

    assert (change.at, change.cut, change.put) == (1_000_000, "old", "new")
