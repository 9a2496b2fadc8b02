# SPDX-License-Identifier: Apache-2.0
"""What a worker leaves is removed, whatever it is; what another process holds is not."""

import os
from pathlib import Path

import pytest

from lao.workers.clearing import held_folder, remove_tree, sweep

DEEPER_THAN_A_STACK_AND_A_PATH = 2500


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "root"
    folder.mkdir()
    return folder


@pytest.fixture
def deep(root, monkeypatch):
    """Make folders in folders, and a file at the end."""
    monkeypatch.chdir(root)
    for _ in range(DEEPER_THAN_A_STACK_AND_A_PATH):
        os.mkdir("d")  # noqa: PTH102  (no path is that long)
        os.chdir("d")
    Path("file").touch()


@pytest.mark.usefixtures("deep")
def test_folders_however_deep_are_removed(root, monkeypatch):
    monkeypatch.undo()
    remove_tree(root)
    assert not root.exists()


def test_folders_that_nobody_may_enter_are_removed(root):
    (root / "a/locked").mkdir(parents=True)
    (root / "a/locked/file").touch()
    (root / "a/locked").chmod(0)
    (root / "a").chmod(0)
    remove_tree(root)
    assert not root.exists()


def test_links_are_removed_and_not_followed(root, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o750)
    (outside / "kept").touch()
    (root / "a").mkdir()
    (root / "a/folder").symlink_to(outside)
    (root / "a/file").symlink_to(outside / "kept")
    (root / "a/loop").symlink_to(root)
    remove_tree(root)
    assert not root.exists()
    assert (outside / "kept").exists()
    assert outside.stat().st_mode & 0o777 == 0o750


def test_names_that_are_no_text_are_removed(root):
    (root / "a").mkdir()
    os.close(os.open(os.fsencode(root) + b"/a/\xff\n", os.O_CREAT))
    remove_tree(root)
    assert not root.exists()


def test_a_sweep_removes_what_nobody_holds_and_nothing_else(tmp_path):
    left, other = tmp_path / "lao-worker-left", tmp_path / "lao-worker"
    (left / "scratch").mkdir(parents=True)
    other.mkdir()
    (tmp_path / "lao-worker-link").symlink_to(other)
    (tmp_path / "lao-worker-file").touch()
    with held_folder(tmp_path) as held:
        sweep(tmp_path)
        assert held.name.startswith("lao-worker-")
        kept = {"lao-worker", "lao-worker-link", "lao-worker-file", held.name}
        assert {each.name for each in tmp_path.iterdir()} == kept
    assert not held.exists()


def test_a_sweep_of_a_folder_that_is_not_there_does_nothing(tmp_path):
    sweep(tmp_path / "missing")
