# SPDX-License-Identifier: Apache-2.0
"""An open file: what is done to it here, and what happens to it on the disk."""

import os
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from lao.editor import kept_history
from lao.editor.folder import Folder
from lao.editor.journal import Journal, journal_path
from lao.editor.open_document import OpenDocument
from lao.editor.refusals import Conflicting, NotEditable, NotKept, UnknownFile
from lao.errors import UsageError

TEXT = "\ufefflao: 1\r\nname: x  # ü\n\nsteps: []"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "flow.yaml"
    path.write_bytes(TEXT.encode())
    return path


@pytest.fixture
def opened(file):
    """Return a function that opens the file; whatever is open is closed at the end."""
    documents = []

    def opened(name=file.name):
        documents.append(OpenDocument(Folder(file.parent), name))
        return documents[-1]

    yield opened
    for document in documents:
        document.close()


def code(refusal):
    return refusal.value.code


def test_a_file_is_as_it_was_after_opening_and_saving(file, opened):
    before = file.stat()
    document = opened()

    assert document.text == TEXT
    assert document.is_saved
    document.save()

    assert file.read_bytes() == TEXT.encode()
    assert file.stat().st_ino == before.st_ino


def test_nothing_is_left_beside_a_file_that_was_only_looked_at(file, opened):
    opened().close()

    assert list(file.parent.iterdir()) == [file]


def test_a_change_reaches_the_file_only_when_it_is_saved(file, opened):
    document = opened()
    version = document.version
    document.change("new\n", "edit")
    assert file.read_bytes() == TEXT.encode()
    assert (document.version > version, document.is_saved) == (True, False)

    document.save()

    assert file.read_text() == "new\n"
    assert document.is_saved
    assert not document.look()


ACTS = st.sampled_from(["undo", "redo", "save", "reopen", *"abcdef"])


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ACTS, max_size=15))
def test_undo_and_redo_reach_every_text_even_after_reopening(tmp_path, acts):
    file = tmp_path / "any.yaml"
    journal_path(file).unlink(missing_ok=True)
    file.write_text("")
    document = OpenDocument(Folder(tmp_path), file.name)
    texts, at = [""], 0
    for act in acts:
        match act:
            case "undo":
                at = max(0, at - 1)
                attempt(document.undo)
            case "redo":
                at = min(len(texts) - 1, at + 1)
                attempt(document.redo)
            case "save":
                document.save()
            case "reopen":
                document.close()
                document = OpenDocument(Folder(tmp_path), file.name)
            case letter:
                texts, at = [*texts[: at + 1], texts[at] + letter], at + 1
                document.change(texts[at], f"add {letter}")
        assert document.text == texts[at]
    assert reached(document.redo, document) == texts[-1]
    assert reached(document.undo, document) == ""
    document.close()


def reached(act, document):
    """Return the text after as many undos, or redos, as there are."""
    while attempt(act):
        pass
    return document.text


def attempt(act):
    """Undo or redo; return whether there was something."""
    try:
        act()
    except UsageError as error:
        return error.code != "editor.no-change"
    return True


def test_what_was_unsaved_is_there_again_and_marked(file, opened):
    document = opened()
    document.change("one", "first")
    document.change("two", "second")
    document.close()

    again = opened()

    assert (again.text, again.is_saved, again.undo_label) == ("two", False, "second")
    again.undo()
    again.undo()
    assert (again.text, again.is_saved) == (TEXT, True)


def test_a_file_changed_elsewhere_is_taken_as_one_more_change(file, opened):
    document = opened()
    document.change("mine", "edit")
    document.save()
    file.write_text("theirs")

    assert document.look()

    assert (document.text, document.is_saved) == ("theirs", True)
    document.undo()
    assert (document.text, document.is_saved) == ("mine", False)
    assert not document.look()


def test_a_file_changed_elsewhere_and_here_is_a_conflict_and_left_alone(file, opened):
    document = opened()
    document.change("mine", "edit")
    file.write_text("theirs")

    with pytest.raises(Conflicting):
        document.save()

    assert document.is_conflicting
    assert (document.text, file.read_text()) == ("mine", "theirs")


def test_a_merge_settles_a_conflict_and_can_be_taken_back(file, opened):
    file.write_text("a\nb\nc\n")
    document = opened()
    document.change("a\nb\nmine\n", "edit")
    file.write_text("theirs\nb\nc\n")

    digest, hunks = document.hunks()
    assert [hunk.kind for hunk in hunks] == ["theirs", "same", "mine"]
    document.merge(digest, ["theirs", "base", "mine"])

    assert (document.text, document.is_conflicting) == ("theirs\nb\nmine\n", False)
    document.save()
    assert file.read_text() == "theirs\nb\nmine\n"
    document.undo()
    assert document.text == "a\nb\nmine\n"


def test_a_merge_of_what_the_disk_no_longer_holds_is_refused(file, opened):
    document = opened()
    document.change("mine", "edit")
    file.write_text("theirs")
    digest, hunks = document.hunks()
    file.write_text("and theirs again")

    with pytest.raises(Conflicting):
        document.merge(digest, ["mine"] * len(hunks))

    assert document.text == "mine"


def test_a_conflict_outlives_the_editor(file, opened):
    document = opened()
    document.change("mine", "edit")
    document.close()
    file.write_text("theirs")

    again = opened()

    assert (again.text, again.is_conflicting) == ("mine", True)


def test_a_conflict_is_over_when_the_disk_is_as_before_or_as_here(file, opened):
    document = opened()
    document.change("mine", "edit")
    for text, is_saved in ((TEXT, False), ("mine", True)):
        file.write_text("theirs")
        assert document.look()
        assert document.is_conflicting
        file.write_bytes(text.encode())
        assert document.look()
        assert (document.is_conflicting, document.is_saved) == (False, is_saved)


def test_reverting_takes_the_file_and_can_be_taken_back(file, opened):
    document = opened()
    document.change("mine", "edit")
    file.write_text("theirs")

    document.revert()

    assert (document.text, document.is_saved) == ("theirs", True)
    document.undo()
    assert document.text == "mine"


def test_a_file_removed_meanwhile_comes_back_once_the_conflict_was_seen(file, opened):
    document = opened()
    document.change("mine\n", "edit")
    file.unlink()
    assert document.look()
    assert document.is_conflicting
    with pytest.raises(Conflicting):
        document.save()

    digest, hunks = document.hunks()
    document.merge(digest, ["mine"] * len(hunks))
    document.save()

    assert file.read_text() == "mine\n"
    assert document.is_saved


def test_what_is_unsaved_of_a_removed_file_can_be_opened(file, opened):
    document = opened()
    document.change("mine", "edit")
    document.close()
    file.unlink()

    again = opened()

    assert (again.text, again.is_conflicting) == ("mine", True)


def test_what_is_unsaved_can_be_opened_whatever_the_disk_holds(file, opened):
    document = opened()
    document.change("mine", "edit")
    document.close()
    file.write_bytes(b"half of \xc3")

    again = opened()

    assert (again.text, again.is_conflicting) == ("mine", True)
    file.write_text("theirs")
    again.look()
    assert again.is_conflicting
    file.write_bytes(TEXT.encode())
    again.look()
    assert not again.is_conflicting


def test_what_is_unsaved_stays_with_its_name_when_a_link_takes_its_place(file, opened):
    document = opened()
    document.change("mine", "edit")
    document.close()
    (file.parent / "other.yaml").write_text("other")
    file.unlink()
    file.symlink_to("other.yaml")

    again = opened()

    assert (again.text, again.is_conflicting) == ("mine", True)
    assert opened("other.yaml").read_only == ""


def test_a_file_without_text_is_not_opened_and_leaves_nothing(tmp_path, opened):
    (tmp_path / "folder.yaml").mkdir()
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"lao: \xff\n")
    (tmp_path / "large.yaml").write_bytes(b"#" * ((8 << 20) + 1))
    before = sorted(tmp_path.iterdir())
    for name, expected in {
        "folder.yaml": "editor.unreadable",
        "pipe.yaml": "editor.unreadable",
        "binary.yaml": "editor.not-text",
        "large.yaml": "editor.unreadable",
        "none.yaml": "editor.unknown-file",
    }.items():
        with pytest.raises(UsageError) as refusal:
            opened(name)
        assert code(refusal) == expected
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    "make", [os.mkdir, os.mkfifo, lambda p: p.write_bytes(b"\xff")]
)
def test_what_takes_a_files_place_is_never_written_over(file, opened, make):
    document = opened()
    document.change("mine", "edit")
    file.unlink()
    make(file)
    mode = stat.S_IFMT(file.stat().st_mode)

    assert document.look()
    assert not document.look()
    with pytest.raises(Conflicting):
        document.save()
    with pytest.raises(UsageError):
        document.hunks()

    assert stat.S_IFMT(file.stat().st_mode) == mode
    assert document.text == "mine"


def test_saving_keeps_the_mode_and_follows_links(file, opened):
    file.chmod(0o640)
    (file.parent / "link.yaml").symlink_to(file.name)
    document = opened("link.yaml")
    document.change("new", "edit")

    document.save()

    assert (file.parent / "link.yaml").is_symlink()
    assert (file.read_text(), stat.S_IMODE(file.stat().st_mode)) == ("new", 0o640)


def test_a_full_disk_leaves_the_file_as_it_was_and_the_text_here(
    file, opened, monkeypatch
):
    document = opened()
    document.change("mine", "edit")
    before = sorted(file.parent.iterdir())

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(NotKept, match="No space"):
        document.save()
    monkeypatch.undo()

    assert file.read_bytes() == TEXT.encode()
    assert sorted(file.parent.iterdir()) == before
    document.save()
    assert file.read_text() == "mine"


def test_a_file_changed_during_the_save_is_left_alone(file, opened, monkeypatch):
    document = opened()
    document.change("mine", "edit")
    really = os.fsync

    def fsync(descriptor):
        really(descriptor)
        file.write_text("theirs, just now")

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(Conflicting):
        document.save()

    assert file.read_text() == "theirs, just now"


def test_a_change_that_the_journal_cannot_take_is_not_made(file, opened, monkeypatch):
    document = opened()
    document.change("one", "edit")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(NotKept) as refusal:
        document.change("two", "edit")
    assert (code(refusal), document.text) == ("editor.journal-failed", "one")
    monkeypatch.undo()

    document.change("three", "edit")
    document.close()
    assert opened().text == "three"


def test_a_journal_that_does_not_reach_the_disk_is_said_and_begun_anew(
    file, opened, monkeypatch
):
    document = opened()
    document.change("one", "edit")

    def broken(descriptor):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", broken)
    assert document.sync()
    assert "Input/output error" in document.read_only
    monkeypatch.undo()

    assert document.sync()
    assert document.read_only == ""
    document.change("two", "edit")
    document.close()
    assert opened().text == "two"


def test_a_second_editor_can_only_look_until_the_first_is_gone(file, opened):
    first, second = opened(), opened()
    first.change("mine", "edit")
    assert "another editor" in second.read_only
    with pytest.raises(NotEditable):
        second.change("theirs", "edit")
    assert not second.sync()

    first.close()

    assert second.sync()
    assert (second.read_only, second.text, second.is_saved) == ("", "mine", False)
    second.undo()
    assert second.text == TEXT


def test_a_second_editor_sees_what_the_first_saves(opened):
    first, second = opened(), opened()
    first.change("mine", "edit")
    first.save()

    assert second.look()

    assert (second.text, second.is_saved) == ("mine", True)


def test_where_no_journal_can_be_kept_a_file_is_only_shown(file, opened):
    journal_path(file).mkdir()

    document = opened()

    assert "journal" in document.read_only
    assert document.text == TEXT
    with pytest.raises(NotEditable) as refusal:
        document.change("new", "edit")
    assert code(refusal) == "editor.read-only"


def test_a_file_without_the_right_to_write_is_only_shown(file, opened, monkeypatch):
    document = opened()
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != file)

    assert "rights" in document.read_only
    with pytest.raises(NotEditable):
        document.change("new", "edit")


@pytest.mark.parametrize(
    "text", ["x" * ((8 << 20) + 1), "\ud800"], ids=["long", "half"]
)
def test_a_text_that_no_file_can_hold_is_refused(opened, text):
    document = opened()

    with pytest.raises(UsageError):
        document.change(text, "edit")

    assert document.text == TEXT


def test_a_broken_text_is_saved_like_any_other(file, opened):
    document = opened()
    document.change("lao: [\x00", "type")

    document.save()

    assert file.read_bytes() == b"lao: [\x00"


def test_a_damaged_journal_is_told_and_the_file_opened(file, opened):
    journal_path(file).write_bytes(b"{}\n{}\n")

    document = opened()

    assert document.text == TEXT
    assert document.note.code == "editor.journal-damaged"
    assert journal_path(file).name in document.note.mend


def test_what_is_unsaved_outlives_a_damage_behind_it(file, opened):
    document = opened()
    document.change("first", "edit")
    document.change("second", "edit")
    document.close()
    journal = journal_path(file)
    journal.write_bytes(journal.read_bytes().replace(b'"second"', b'"sacond"'))

    again = opened()

    assert (again.text, again.is_saved) == ("first", False)


def test_what_a_newer_lao_kept_is_neither_touched_nor_written_over(file, opened):
    document = opened()
    document.change("mine", "edit")
    document.close()
    journal = journal_path(file)
    newer = journal.read_bytes().replace(b'"format":1', b'"format":2')
    journal.write_bytes(newer)

    again = opened()
    again.sync()

    assert (again.text, journal.read_bytes()) == (TEXT, newer)
    with pytest.raises(NotEditable, match="newer LAO"):
        again.change("other", "edit")


def test_a_long_history_is_cut_at_its_far_end(file, opened, monkeypatch):
    monkeypatch.setattr(kept_history, "LARGEST", 2_000)
    monkeypatch.setattr(kept_history, "_KEPT", 1_000)
    document = opened()
    for number in range(30):
        document.change(f"{number}\n" * 5, f"edit {number}")
    document.undo()

    document.sync()

    assert journal_path(file).stat().st_size < 2_000
    document.close()
    again = opened()
    assert (again.text, again.redo_label) == ("28\n" * 5, "edit 29")
    assert again.undo_label == "edit 28"
    with pytest.raises(UnknownFile):
        opened("other.yaml")
    assert Journal(file.parent / "other.yaml").close() is None
