# SPDX-License-Identifier: Apache-2.0
"""The journal beside a file: kept, locked, and never trusted blindly."""

import os
import stat
from itertools import pairwise

import pytest

from lao.editor.journal import Journal, JournalUnavailable, has_unsaved, journal_path
from lao.editor.text_history import Undo, beginning, change_to


@pytest.fixture
def file(tmp_path):
    return tmp_path / "flow.yaml"


def kept(file, *texts):
    """Write a journal of these texts, and return its path."""
    journal = Journal(file)
    changes = pairwise(texts)
    journal.append(
        [*beginning(texts[0]), *(change_to(a, b, "edit") for a, b in changes)]
    )
    journal.close()
    return journal.path


def test_a_journal_tells_what_was_added_to_it(file):
    kept(file, "one", "two", "three")

    history = Journal(file).read()

    assert (history.text, history.common) == ("three", "one")


def test_a_journal_is_for_its_owner_alone_and_hidden(file):
    path = kept(file, "one")

    assert path.name == ".flow.yaml.lao-journal"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_journal_that_holds_nothing_leaves_no_file(file):
    Journal(file).close()

    assert list(file.parent.iterdir()) == []


def test_a_journal_that_was_not_read_is_kept(file):
    path = kept(file, "one", "two")

    Journal(file).close()

    assert path.exists()


def test_a_second_holder_is_refused_until_the_first_lets_go(file):
    first = Journal(file)
    with pytest.raises(JournalUnavailable, match="another editor"):
        Journal(file)

    first.close()

    Journal(file).close()


@pytest.mark.parametrize("lost", [1, 5, 40])
def test_a_torn_last_line_is_dropped_and_written_over(file, lost):
    path = kept(file, "one", "two", "three")
    os.truncate(path, path.stat().st_size - lost)

    journal = Journal(file)
    assert journal.read().text == "two"
    journal.append([change_to("two", "four", "edit")])
    journal.close()

    assert Journal(file).read().text == "four"


def test_a_journal_cut_off_anywhere_tells_what_was_there_before_the_cut(file):
    path = kept(file, "", "one", "two", "three")
    data = path.read_bytes()
    ends = [0, *(at + 1 for at, sign in enumerate(data) if sign == ord("\n"))]
    texts = [None, "", "", "one", "two", "three"]
    for length in range(len(data) + 1):
        path.write_bytes(data[:length])
        journal = Journal(file)
        history = journal.read()
        whole = max(number for number, end in enumerate(ends) if end <= length)
        assert (history and history.text) == texts[whole]
        assert journal.set_aside == ""
        journal.close()
        path.touch()


def without_beginning(data):
    return data[data.index(b"\n") + 1 :]


DAMAGES = {
    "another text": (lambda data: data.replace(b'"hree"', b'"hroe"'), "two"),
    "another kind": (lambda data: data.replace(b'"change"', b'"chaos"', 1), "one"),
    "zeros within": (lambda data: data.replace(b'{"kind":"c', b"\0" * 9, 1), "one"),
    "no beginning": (without_beginning, None),
    "zeros": (lambda data: b"\0" * 100 + b"\n" + data, None),
}


@pytest.mark.parametrize(("damage", "text"), DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_journal_is_set_aside_and_kept_up_to_there(file, damage, text):
    path = kept(file, "one", "two", "three")
    damaged = damage(path.read_bytes())
    assert damaged != path.read_bytes()
    path.write_bytes(damaged)

    journal = Journal(file)

    history = journal.read()
    assert (history and history.text) == text
    assert (file.parent / journal.set_aside).read_bytes() == damaged
    journal.append(beginning("new") if text is None else [change_to(text, "new", "e")])
    journal.close()
    assert Journal(file).read().text == "new"


def test_a_journal_of_a_newer_lao_is_left_alone(file):
    path = kept(file, "one", "two")
    newer = path.read_bytes().replace(b'"format":1', b'"format":2,"more":[]')
    path.write_bytes(newer)

    journal = Journal(file)
    with pytest.raises(JournalUnavailable, match="newer LAO"):
        journal.read()
    journal.close()

    assert path.read_bytes() == newer


def test_two_damaged_journals_get_two_names(file):
    for _ in range(2):
        journal_path(file).write_bytes(b"[]\n[]\n")
        journal = Journal(file)
        journal.read()
        journal.close()

    names = sorted(path.name for path in file.parent.iterdir())
    assert [name.rpartition(".")[2] for name in names] == ["damaged-1", "damaged-2"]


def test_a_full_disk_leaves_the_journal_whole(file, monkeypatch):
    journal = Journal(file)
    journal.append([*beginning("one"), change_to("one", "two", "edit")])
    really = os.pwrite
    monkeypatch.setattr(os, "pwrite", _full_after(really, 500))
    with pytest.raises(OSError, match="No space"):
        journal.append(
            [change_to("two", "2" * 250, "edit"), change_to("2" * 250, "", "edit")]
        )
    monkeypatch.undo()

    journal.append([Undo()])
    journal.close()

    assert Journal(file).read().text == "one"


def _full_after(really, room):
    def pwrite(fd, data, at):
        nonlocal room
        if not room:
            raise OSError(28, "No space left on device")
        written = really(fd, data[:room], at)
        room -= written
        return written

    return pwrite


def test_a_journal_begun_anew_stays_locked(file):
    journal = Journal(file)
    journal.append([*beginning("one"), change_to("one", "two", "edit")])

    journal.begin(beginning("two"))

    with pytest.raises(JournalUnavailable):
        Journal(file)
    journal.close()
    history = Journal(file).read()
    assert (history.text, history.undo_label) == ("two", None)


@pytest.mark.parametrize(
    "make",
    [os.mkfifo, os.mkdir, lambda path: path.symlink_to("x")],
    ids=["pipe", "folder", "link"],
)
def test_what_is_no_journal_is_left_alone(file, make):
    make(journal_path(file))

    with pytest.raises(JournalUnavailable):
        Journal(file)


def test_the_end_of_a_journal_tells_whether_something_is_unsaved(file):
    assert not has_unsaved(file)
    kept(file, "one")
    assert not has_unsaved(file)
    journal_path(file).unlink()
    kept(file, "one", "two")
    assert has_unsaved(file)
