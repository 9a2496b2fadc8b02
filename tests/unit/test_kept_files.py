# SPDX-License-Identifier: Apache-2.0
"""Kept files are private, bounded and whole, or they are not there."""

import os
from pathlib import Path

import pytest

from lao.kept_files import KeptFiles


@pytest.fixture
def files(tmp_path: Path) -> KeptFiles:
    return KeptFiles(folder=tmp_path / "cache" / "documents")


def kept(files: KeptFiles) -> set[str]:
    return {each.name for each in files.folder.iterdir()}


def test_what_is_kept_is_found_and_private(files: KeptFiles) -> None:
    assert files.find("a") is None
    files.keep("a", b"first")
    files.keep("a", b"second")
    assert files.find("a") == b"second"
    assert kept(files) == {"a"}
    modes = [(files.folder / "a").stat().st_mode, files.folder.stat().st_mode]
    assert [mode & 0o777 for mode in modes] == [0o600, 0o700]


def test_each_damage_is_seen(files: KeptFiles) -> None:
    files.keep("a", b"content")
    path = files.folder / "a"
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place])
        assert files.find("a") is None
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert files.find("a") is None
    path.write_bytes(whole + b"x")
    assert files.find("a") is None


@pytest.mark.parametrize("mode", [0o701, 0o710, 0o770, 0o777, 0o755])
def test_a_folder_that_others_can_reach_is_not_used(
    files: KeptFiles, mode: int
) -> None:
    files.keep("a", b"content")
    files.folder.chmod(mode)
    assert files.find("a") is None
    files.keep("b", b"content")
    assert kept(files) == {"a"}


def test_a_file_that_others_can_reach_is_not_used(files: KeptFiles) -> None:
    files.keep("a", b"content")
    (files.folder / "a").chmod(0o620)
    assert files.find("a") is None


def test_what_another_user_owns_is_not_used(
    files: KeptFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.keep("a", b"content")
    other = os.geteuid() + 1
    monkeypatch.setattr(os, "geteuid", lambda: other)
    assert files.find("a") is None
    files.keep("b", b"content")
    assert kept(files) == {"a"}


def test_links_and_pipes_lead_nowhere(files: KeptFiles, tmp_path: Path) -> None:
    files.keep("a", b"content")
    (files.folder / "link").symlink_to("a")
    os.mkfifo(files.folder / "pipe", 0o600)
    (tmp_path / "other").symlink_to(files.folder)
    assert files.find("link") is files.find("pipe") is None
    assert KeptFiles(folder=tmp_path / "other").find("a") is None


def test_a_file_that_takes_the_place_of_a_link_leaves_its_target(
    files: KeptFiles, tmp_path: Path
) -> None:
    (tmp_path / "mine").write_text("mine")
    files.keep("a", b"content")
    (files.folder / "b").symlink_to(tmp_path / "mine")
    files.keep("b", b"content")
    assert (tmp_path / "mine").read_text() == "mine"
    assert files.find("b") == b"content"


def test_a_folder_that_cannot_be_made_is_not_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    files = KeptFiles(folder=tmp_path / "file" / "documents")
    files.keep("a", b"content")
    assert files.find("a") is None


def test_nothing_is_written_where_nothing_may_be(files: KeptFiles) -> None:
    silent = KeptFiles(folder=files.folder, writes=False)
    silent.keep("a", b"content")
    assert not files.folder.parent.exists()
    files.keep("a", b"content")
    assert silent.find("a") == b"content"


def test_the_oldest_go_when_there_are_too_many(tmp_path: Path) -> None:
    files = KeptFiles(folder=tmp_path / "f", most_files=3)
    for age, name in enumerate("dcba"):
        files.keep(name, b"content")
        os.utime(files.folder / name, (1_000 + age, 1_000 + age))
    assert kept(files) == set("abc")
    files.keep("e", b"content")
    assert kept(files) == set("abe")


def test_the_oldest_go_when_they_are_too_large(tmp_path: Path) -> None:
    files = KeptFiles(folder=tmp_path / "f", most_bytes=1_000)
    for age, name in enumerate("abcdef"):
        files.keep(name, b"x" * 200)  # 232 with its digest
        os.utime(files.folder / name, (1_000 + age, 1_000 + age))
    assert kept(files) == set("cdef")
    files.keep("large", b"x" * 251)
    assert kept(files) == set("cdef")


def test_what_a_killed_process_left_goes_in_its_turn(tmp_path: Path) -> None:
    files = KeptFiles(folder=tmp_path / "f", most_files=2)
    files.keep("a", b"content")
    (files.folder / ".part").write_bytes(b"half")
    os.utime(files.folder / ".part", (1, 1))
    files.keep("b", b"content")
    assert kept(files) == {"a", "b"}
