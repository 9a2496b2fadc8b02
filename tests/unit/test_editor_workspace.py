# SPDX-License-Identifier: Apache-2.0
"""What a page does to the files of a folder."""

import sys

import pytest

from lao.config import Folders, Settings
from lao.editor.edit_messages import (
    EditsRequest,
    InsertEdit,
    MergeRequest,
    NewFileRequest,
    RenameStepEdit,
    SaveRequest,
    SetTextEdit,
    SetValueEdit,
    VersionRequest,
)
from lao.editor.folder import Folder
from lao.editor.journal import journal_path
from lao.editor.refusals import Conflicting, NotEditable, StaleVersion, UnknownFile
from lao.editor.workspace import Workspace
from lao.errors import InvalidWorkflow, LaoError, UsageError
from lao.examples import find_examples
from lao.workflow.edits import SpliceError

TEXT = """\
lao: 1
name: notes
steps:
  - id: summary  # the short one
    uses: summarize
    with: { text: "{{ inputs.text }}" }
"""


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "opened"
    folder.mkdir()
    (folder / "flow.yaml").write_text(TEXT)
    return folder


@pytest.fixture
def make(root, tmp_path):
    """Return a function that makes a workspace, with the list of what it told."""
    made = []

    def make():
        each = tmp_path / "home"
        folders = Folders(config=each, data=each, cache=each)
        told = []
        workspace = Workspace(
            Folder(root),
            Settings(folders=folders),
            lambda kind, facts: told.append((kind, facts.get("path"))),
        )
        made.append(workspace)
        return workspace, told

    yield make
    for workspace in made:
        workspace.close()


@pytest.fixture
def workspace(make):
    return make()[0]


def edit(workspace, *edits, path="flow.yaml", label="edit"):
    version = workspace.view(path).version
    request = EditsRequest(path=path, version=version, label=label, edits=[*edits])
    return workspace.edit(request).document


def typed(workspace, text, path="flow.yaml"):
    return edit(workspace, SetTextEdit(text=text), path=path, label="type")


def version_of(view):
    return VersionRequest(path=view.path, version=view.version)


def save(workspace, view, save_as=None):
    return workspace.save(
        SaveRequest(path=view.path, version=view.version, save_as=save_as)
    )


def code(refusal):
    return refusal.value.code


def test_a_file_is_shown_with_its_steps(workspace):
    view = workspace.view("flow.yaml")

    assert (view.text, view.name, view.is_saved, view.undo) == (
        TEXT,
        "notes",
        True,
        None,
    )
    assert [step.id for step in view.steps] == ["summary"]


def test_an_edit_changes_its_line_and_is_told(make, root):
    workspace, told = make()
    value = SetValueEdit(path=["name"], value="minutes")

    view = edit(workspace, value, label="rename")

    assert view.text == TEXT.replace("notes", "minutes")
    assert (view.is_saved, view.undo, view.redo) == (False, "rename", None)
    assert told == [("document", "flow.yaml")]
    assert (root / "flow.yaml").read_text() == TEXT


def test_edits_of_one_request_are_one_step_of_the_history(workspace):
    view = edit(
        workspace,
        SetValueEdit(path=["name"], value="minutes"),
        RenameStepEdit(old="summary", new="short"),
    )

    undone = workspace.undo(version_of(view))

    assert (undone.text, undone.redo) == (TEXT, "edit")
    assert undone.version > view.version
    assert workspace.redo(version_of(undone)).text == view.text


def test_a_request_whose_answer_was_lost_is_not_made_twice(make):
    workspace, _ = make()
    insert = InsertEdit(entry="reshape:json")
    view = workspace.view("flow.yaml")
    request = EditsRequest(
        path="flow.yaml", version=view.version, label="add", edits=[insert], key="k"
    )
    made = workspace.edit(request).document
    workspace.close()

    workspace, _ = make()
    again = workspace.edit(request).document
    assert again.text == made.text
    workspace.undo(version_of(again))
    assert workspace.edit(request).document.text == view.text


def test_if_one_edit_cannot_be_made_none_is(workspace):
    with pytest.raises((SpliceError, UsageError)):
        edit(
            workspace,
            SetValueEdit(path=["name"], value="minutes"),
            RenameStepEdit(old="nobody", new="short"),
        )

    view = workspace.view("flow.yaml")
    assert (view.text, view.undo) == (TEXT, None)


@pytest.mark.parametrize("act", ["edit", "undo", "redo", "revert", "save", "text_of"])
def test_what_was_meant_for_another_version_is_refused(workspace, act):
    typed(workspace, TEXT + "# more\n")
    path, version = "flow.yaml", 1
    requests = {
        "edit": [EditsRequest(path=path, version=version, label="", edits=[])],
        "save": [SaveRequest(path=path, version=version)],
        "text_of": [path, version],
    }
    asked = requests.get(act, [VersionRequest(path=path, version=version)])

    with pytest.raises(StaleVersion):
        getattr(workspace, act)(*asked)

    assert workspace.view(path).text == TEXT + "# more\n"


def test_no_version_comes_twice_even_after_a_restart(make):
    first, _ = make()
    view = typed(first, TEXT + "# one\n")
    first.close()

    again = make()[0].view("flow.yaml")

    assert again.version > view.version
    assert (again.text, again.is_saved, again.undo) == (view.text, False, "type")


def test_a_text_that_is_no_yaml_can_be_mended_in_the_text_view(workspace):
    broken = typed(workspace, "lao: [")
    assert broken.problems[0].code.startswith("yaml.")
    with pytest.raises((InvalidWorkflow, SpliceError)):
        edit(workspace, SetValueEdit(path=["name"], value="x"))

    assert save(workspace, broken).is_saved
    assert typed(workspace, TEXT).problems == []


def test_a_text_without_format_can_be_mended_in_the_text_view(root, workspace):
    (root / "flow.yaml").write_text("name: x\n")

    assert workspace.view("flow.yaml").read_only == ""
    assert typed(workspace, TEXT).text == TEXT


def test_a_file_of_a_newer_format_is_only_shown(root, workspace):
    (root / "flow.yaml").write_text(TEXT.replace("lao: 1", "lao: 2"))

    view = workspace.view("flow.yaml")

    assert "newer" in view.read_only
    assert [step.id for step in view.steps] == ["summary"]
    with pytest.raises(NotEditable):
        typed(workspace, TEXT)
    assert save(workspace, view).text == view.text


def test_a_format_typed_by_mistake_can_be_taken_back(workspace):
    view = typed(workspace, TEXT.replace("lao: 1", "lao: 12"))

    assert workspace.undo(version_of(view)).text == TEXT


def test_an_outside_change_is_told_and_shown(make, root):
    workspace, told = make()
    workspace.view("flow.yaml")
    (root / "flow.yaml").write_text(TEXT + "# theirs\n")

    workspace.poll()
    workspace.poll()

    assert told == [("document", "flow.yaml")]
    assert workspace.view("flow.yaml").undo == "Change made elsewhere"


def test_two_changes_are_merged_by_what_a_person_picks(root, workspace):
    view = typed(workspace, TEXT + "# mine\n")
    (root / "flow.yaml").write_text(TEXT.replace("notes", "theirs"))
    with pytest.raises(Conflicting):
        save(workspace, view)
    assert workspace.view("flow.yaml").is_conflicting

    shown = workspace.merge_view("flow.yaml")
    picks = ["theirs" if hunk.kind == "theirs" else "mine" for hunk in shown.hunks]
    merged = workspace.merge(
        MergeRequest(
            path="flow.yaml", version=shown.version, disk=shown.disk, picks=picks
        )
    )

    assert merged.text == TEXT.replace("notes", "theirs") + "# mine\n"
    assert (merged.is_conflicting, merged.is_saved) == (False, False)
    assert save(workspace, merged).is_saved


def test_saving_under_another_name_opens_that_file_and_leaves_this_one(root, workspace):
    view = typed(workspace, TEXT + "# mine\n")

    other = save(workspace, view, save_as="other ü.yaml")

    assert (other.path, other.text, other.is_saved) == ("other ü.yaml", view.text, True)
    assert (root / "flow.yaml").read_text() == TEXT
    assert not workspace.view("flow.yaml").is_saved


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("flow.yaml", "editor.exists"),
        ("flow.txt", "editor.bad-name"),
        ("../flow2.yaml", "editor.bad-path"),
        ("none/flow.yaml", "editor.not-saved"),
    ],
)
def test_a_new_file_needs_a_free_name_of_a_workflow(root, workspace, name, expected):
    view = workspace.view("flow.yaml")
    for create in (
        lambda: save(workspace, view, save_as=name),
        lambda: workspace.create(NewFileRequest(path=name)),
    ):
        with pytest.raises(LaoError) as refusal:
            create()
        assert code(refusal) == expected
    assert sorted(path.name for path in root.iterdir() if path.name[0] != ".") == [
        "flow.yaml"
    ]


@pytest.mark.parametrize("name", ["new", "yes", "it's: odd"])
def test_an_empty_file_has_its_name_and_takes_steps(workspace, name):
    view = workspace.create(NewFileRequest(path=f"{name}.yaml"))

    assert (view.name, view.is_saved, view.steps) == (name, True, [])
    step = {"id": "a", "uses": "summarize", "with": {"text": "x"}}
    edited = edit(workspace, SetValueEdit(path=["steps"], value=[step]), path=view.path)
    assert edited.problems == []


@pytest.mark.parametrize("example", find_examples())
def test_a_file_from_an_example_names_itself(workspace, example):
    view = workspace.create(NewFileRequest(path="my file.yaml", example=example))

    assert "'my file.yaml'" in view.text
    assert view.steps


def test_there_is_no_file_from_an_unknown_example(root, workspace):
    with pytest.raises(UsageError) as refusal:
        workspace.create(NewFileRequest(path="x.yaml", example="nothing"))

    assert code(refusal) == "editor.unknown-example"
    assert not (root / "x.yaml").exists()


def test_the_folder_shows_what_is_open_and_what_is_unsaved(make, root):
    (root / "notes.txt").write_text("x")
    (root / "other.yaml").write_text(TEXT)
    first, _ = make()
    typed(first, TEXT + "# mine\n")

    shown = first.look_around()

    assert [(f.path, f.is_open, f.has_unsaved) for f in shown.files] == [
        ("flow.yaml", True, True),
        ("other.yaml", False, False),
    ]
    assert [each.path for each in shown.material] == ["notes.txt"]
    first.close()
    later = make()[0].look_around().files[0]
    assert (later.is_open, later.has_unsaved) == (False, True)


def test_a_removed_file_with_unsaved_text_is_listed_and_keeps_its_name(make, root):
    first, _ = make()
    typed(first, TEXT + "# mine\n")
    first.close()
    (root / "flow.yaml").unlink()
    workspace, _ = make()

    (found,) = workspace.look_around().files

    assert (found.path, found.has_unsaved) == ("flow.yaml", True)
    with pytest.raises(UsageError) as refusal:
        workspace.create(NewFileRequest(path="flow.yaml"))
    assert code(refusal) == "editor.exists"
    assert workspace.view("flow.yaml").text == TEXT + "# mine\n"


def test_a_new_file_in_the_folder_is_told(make, root):
    workspace, told = make()
    workspace.look_around()
    (root / "other.yaml").write_text(TEXT)

    for _ in range(10):
        workspace.poll()

    assert told == [("folder", None)]


def test_a_second_server_on_the_folder_only_shows_the_file(make):
    first, second = make()[0], make()[0]
    first.view("flow.yaml")

    assert "another editor" in second.view("flow.yaml").read_only


def test_a_run_gets_the_text_as_it_is_here(root, workspace):
    view = typed(workspace, TEXT + "# mine\n")

    assert workspace.text_of("flow.yaml", view.version) == (
        view.text,
        root / "flow.yaml",
    )


def test_a_damaged_journal_is_a_note_on_the_file(root, workspace):
    journal_path(root / "flow.yaml").write_bytes(b"{}\n{}\n")

    (note,) = workspace.view("flow.yaml").problems

    assert (note.code, note.severity) == ("editor.journal-damaged", "note")


def test_only_so_many_files_stay_open_and_none_loses_its_text(
    root, workspace, monkeypatch
):
    monkeypatch.setattr("lao.editor.workspace.MOST_OPEN", 2)
    typed(workspace, TEXT + "# mine\n")
    for name in ("b.yaml", "c.yaml"):
        workspace.create(NewFileRequest(path=name))
    assert workspace.get("flow.yaml") is None

    assert workspace.view("flow.yaml").text == TEXT + "# mine\n"


def test_an_unknown_file_is_refused(workspace):
    with pytest.raises(UnknownFile):
        workspace.view("none.yaml")


def test_opening_imports_no_plugin(root, workspace, tmp_path):
    plugin = root / "evil"
    plugin.mkdir()
    (plugin / "__init__.py").write_text("raise SystemExit('imported')")
    text = TEXT.replace("uses: summarize", "uses: evil")
    (root / "flow.yaml").write_text(text)

    workspace.view("flow.yaml")

    assert "evil" not in sys.modules
