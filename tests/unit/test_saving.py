# SPDX-License-Identifier: Apache-2.0
"""A value is saved whole or not at all, never over another file by accident."""

import errno
import os
import socket
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from lao.engine.saving import save, target_path
from lao.errors import RefusedByPolicy, StepError
from lao.workflow.template import parse_template
from lao.workflow.values import FileValue


def target(source, folder, **scope):
    template = parse_template(source)
    return target_path(template, template.render(scope), folder)


def failure(value, path, **words):
    with pytest.raises(StepError) as caught:
        save(value, path, **{"overwrite": False, **words})
    return caught.value.code


def names(folder):
    return sorted(path.name for path in folder.iterdir())


# Where


def test_the_author_may_name_any_folder(tmp_path):
    assert target("out/a.txt", tmp_path) == tmp_path / "out" / "a.txt"
    assert target("/other/a.txt", tmp_path) == Path("/other/a.txt")
    assert target("~/a.txt", tmp_path) == Path.home() / "a.txt"
    assert target("../a.txt", tmp_path) == tmp_path / ".." / "a.txt"


def test_a_value_names_a_file_in_the_author_s_folder(tmp_path):
    assert target("{{ x }}.txt", tmp_path, x="a") == tmp_path / "a.txt"
    assert target("/other/{{ x }}", tmp_path, x="a/b") == Path("/other/a/b")
    assert target("/other/n-{{ x }}", tmp_path, x="1") == Path("/other/n-1")


@pytest.mark.parametrize(
    "source", ["{{ x }}", "out/{{ x }}", "/other/n{{ x }}", "out{{ x }}"]
)
@pytest.mark.parametrize("x", ["/../../evil", "/x/../../../evil", "/../../out/../evil"])
def test_a_value_cannot_leave_the_author_s_folder(tmp_path, source, x):
    with pytest.raises(RefusedByPolicy) as caught:
        target(source, tmp_path, x=x)
    assert (caught.value.code, caught.value.exit_code) == ("policy.path-outside", 5)


@pytest.mark.parametrize(
    "x", ["/etc/passwd", "~/.ssh/authorized_keys", "../evil", ".."]
)
def test_a_value_cannot_name_a_place_of_its_own(tmp_path, x):
    with pytest.raises(RefusedByPolicy):
        target("{{ x }}", tmp_path, x=x)


def test_a_value_cannot_leave_through_a_link(tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "link").symlink_to(tmp_path)
    with pytest.raises(RefusedByPolicy):
        target("{{ x }}", folder, x="link/evil")


@given(st.text(alphabet="./~ab\\\0\ud800", max_size=12))
def test_whatever_the_value_the_target_is_inside_or_it_is_refused(x):
    folder = Path("/nowhere/out")
    try:
        path = target("{{ x }}", folder, x=x)
    except (StepError, RefusedByPolicy):
        return
    assert path.resolve().is_relative_to(folder)


@pytest.mark.parametrize("x", ["", " ", "out/", "a\0b", "\ud800"])
def test_what_is_no_file_name_is_said(tmp_path, x):
    with pytest.raises(StepError) as caught:
        target("{{ x }}", tmp_path, x=x)
    assert caught.value.code == "save.bad-path"


# What


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("Grüße", "Grüße\n"),
        ("line\n", "line\n"),
        ("", "\n"),
        ({"é": [1, None]}, '{\n  "é": [\n    1,\n    null\n  ]\n}\n'),
        ([FileValue("/a.wav")], '[\n  "/a.wav"\n]\n'),
        ("half \ud83d", "half ?\n"),
    ],
)
def test_a_value_is_written_as_text_or_as_indented_json(tmp_path, value, text):
    save(value, tmp_path / "a", overwrite=False)
    assert (tmp_path / "a").read_text("utf-8") == text


def test_a_file_is_copied_byte_by_byte(tmp_path):
    (tmp_path / "a.wav").write_bytes(b"\x00\xff")
    save(FileValue(str(tmp_path / "a.wav")), tmp_path / "b.wav", overwrite=False)
    assert (tmp_path / "b.wav").read_bytes() == b"\x00\xff"


def test_missing_folders_are_made(tmp_path):
    save("x", tmp_path / "a" / "b" / "c.txt", overwrite=False)
    assert (tmp_path / "a" / "b" / "c.txt").read_text() == "x\n"


# How


def test_a_file_that_is_there_stays_unless_it_is_to_be_replaced(tmp_path):
    path = tmp_path / "a"
    path.write_text("old")
    assert failure("new", path) == "save.exists"
    assert path.read_text() == "old"

    save("new", path, overwrite=True)
    assert path.read_text() == "new\n"
    assert names(tmp_path) == ["a"]


def test_a_dangling_link_is_a_file_that_is_there(tmp_path):
    (tmp_path / "a").symlink_to(tmp_path / "elsewhere")
    assert failure("x", tmp_path / "a") == "save.exists"
    assert names(tmp_path) == ["a"]


@pytest.mark.parametrize("there", [False, True])
def test_a_file_system_without_links_serves_as_well(tmp_path, monkeypatch, there):
    def no_links(*_):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    path = tmp_path / "a"
    if there:
        path.write_text("old")
        assert failure("new", path) == "save.exists"
    else:
        save("old", path, overwrite=False)
    assert path.read_text().strip() == "old"
    assert names(tmp_path) == ["a"]


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_full_disk_leaves_nothing_behind_and_the_old_file_whole(
    tmp_path, monkeypatch, overwrite
):
    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    path = tmp_path / "a"
    if overwrite:
        path.write_text("old")
    with pytest.raises(StepError, match="No space left") as caught:
        save("new", path, overwrite=overwrite)

    assert caught.value.code == "save.failed"
    assert names(tmp_path) == (["a"] if overwrite else [])
    assert not overwrite or path.read_text() == "old"


def test_a_folder_that_is_a_file_is_said(tmp_path):
    (tmp_path / "a").write_text("x")
    assert failure("x", tmp_path / "a" / "b") in ("save.failed", "save.exists")
    assert failure("x", tmp_path, overwrite=True) == "save.failed"


def test_a_file_that_holds_the_very_same_is_left_as_it_is(tmp_path):
    path = tmp_path / "a.txt"
    save("same", path, overwrite=False)
    before = path.stat()
    save("same", path, overwrite=False)
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (
        before.st_ino,
        before.st_mtime_ns,
    )


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, None], ids=str)
def test_what_is_no_file_never_gives_way_to_one(tmp_path, make):
    """As root, a text would else take the place of a device such as /dev/null."""
    path = tmp_path / "special"
    if make is None:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
    else:
        make(path)
    before = path.stat()
    assert failure("text", path, overwrite=True) == "save.failed"
    assert (path.stat(), names(tmp_path)) == (before, ["special"])


def test_a_value_that_is_no_file_any_more_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "recording")
    value = FileValue(str(tmp_path / "recording"), "audio")
    assert failure(value, tmp_path / "copy") == "save.failed"
