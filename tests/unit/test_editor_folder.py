# SPDX-License-Identifier: Apache-2.0
"""Only what lies below the opened folder is listed and reached."""

import os

import pytest

from lao.editor import folder
from lao.editor.folder import Folder
from lao.errors import UsageError

WORKFLOW = "# a comment\nlao: 1\nname: x\nsteps: []\n"


@pytest.fixture
def root(tmp_path):
    (tmp_path / "opened").mkdir()
    return tmp_path / "opened"


def listed(root):
    found = Folder(root).listed()
    return [each.path for each in found.workflows], [e.path for e in found.material]


@pytest.mark.parametrize(
    "path",
    [
        *("", "/", "/etc/passwd", "..", "../x.yaml", "a/../../x.yaml", "a//b", "a/"),
        *(".", "./a", ".git/config", "a/.env", "a\0b", "a\nb", "a\x1bb", "a\x85b"),
        *("a\ud800", "a\udcff.yaml"),
    ],
)
def test_a_path_that_is_not_below_the_folder_is_refused(root, path):
    with pytest.raises(UsageError) as refusal:
        Folder(root).resolve(path)

    assert refusal.value.code == "editor.bad-path"


@pytest.mark.parametrize("target", ["/etc", "..", ".", "loop"])
def test_a_link_that_leads_out_is_refused(root, target):
    (root / "loop").symlink_to(target)

    with pytest.raises(UsageError) as refusal:
        Folder(root).resolve("loop/a.yaml" if target != "." else "loop")

    assert refusal.value.code == "editor.outside-folder"


def test_a_link_within_the_folder_is_followed(root):
    (root / "real.yaml").write_text(WORKFLOW)
    (root / "link.yaml").symlink_to("real.yaml")
    opened = Folder(root)

    file = opened.resolve("link.yaml")

    assert (file.name, opened.real(file).name) == ("link.yaml", "real.yaml")
    assert opened.relative(file) == "link.yaml"
    assert listed(root)[0] == ["link.yaml", "real.yaml"]


def test_a_folder_reached_by_a_link_is_the_folder(root, tmp_path):
    (tmp_path / "other").symlink_to(root)

    assert Folder(tmp_path / "other").root == root


@pytest.mark.parametrize("name", ["missing", "file"])
def test_what_is_no_folder_cannot_be_opened(root, name):
    (root / "file").touch()

    with pytest.raises(UsageError) as refusal:
        Folder(root / name)

    assert refusal.value.code == "editor.bad-folder"


def test_workflows_are_told_from_other_yaml_by_their_first_keys(root):
    contents = {
        "a b ü.yaml": WORKFLOW,
        "broken.yml": "lao: 1\n\tsteps: {{\n",
        "ci.yaml": "jobs:\n  build:\n    steps: []\n",
        "compact.yaml": '{"lao": 1, "steps": []}',
        "config.yaml": "name: x\n",
        "empty.yaml": "",
        "json.yaml": '{\n  "lao": 1\n}',
        "notes.txt": WORKFLOW,
        "talk.WAV": "",
        "wav": "",
    }
    for name, content in contents.items():
        (root / name).write_text(content)

    workflows, material = listed(root)

    assert workflows == ["a b ü.yaml", "broken.yml", "compact.yaml", "json.yaml"]
    assert material == [
        "ci.yaml",
        "config.yaml",
        "empty.yaml",
        "notes.txt",
        "talk.WAV",
        "wav",
    ]
    types = {each.path: each.type for each in Folder(root).listed().material}
    assert (types["talk.WAV"], types["wav"], types["notes.txt"]) == (
        "audio",
        "file",
        "text",
    )


def test_what_is_hidden_or_somebody_elses_is_not_listed(root):
    for name in (".hidden", ".venv/x", "node_modules/x", "venv/y", "flows/a/x"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / f"{name}.yaml").write_text(WORKFLOW)
    os.mkfifo(root / "pipe.yaml")
    (root / "out.yaml").symlink_to("/etc/hostname")
    (root / "gone.yaml").symlink_to("nothing")
    (root / "flows" / "circle").symlink_to(root)
    (root / os.fsdecode(b"\xff.yaml")).write_text(WORKFLOW)

    assert listed(root) == (["flows/a/x.yaml"], [])


def test_a_listing_is_bounded(root, monkeypatch):
    deep = root.joinpath(*"abcdefghij")
    deep.mkdir(parents=True)
    (deep / "x.yaml").write_text(WORKFLOW)
    assert listed(root) == ([], [])
    assert not Folder(root).listed().is_whole

    monkeypatch.setattr(folder, "MOST_FILES", 20)
    for number in range(25):
        (root / f"{number}.txt").touch()
    found = Folder(root).listed()
    assert (len(found.material), found.is_whole) == (20, False)


def test_a_file_that_became_a_workflow_is_listed_as_one(root):
    opened = Folder(root)
    (root / "x.yaml").write_text("name: x\n")
    assert opened.listed().workflows == ()

    (root / "x.yaml").write_text(WORKFLOW)

    assert [each.path for each in opened.listed().workflows] == ["x.yaml"]
