# SPDX-License-Identifier: Apache-2.0
"""Adding a plugin unpacks plain files within bounds, runs nothing, and is all or nothing."""

import io
import os
import stat
import struct
import time
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from tests.plugin_sources import (
    CODE,
    manifest_text,
    wheel_files,
    write_plugin,
    write_wheel,
)

from lao.errors import InvalidWorkflow, LaoError, RefusedByPolicy, UsageError
from lao.plugins import folder as bounds, unpacking, wheels
from lao.plugins.adding import Added, add_plugin, remove_plugin
from lao.plugins.installed import installed, trust
from lao.plugins.unpacking import Unpacker, checked_path

NAME = "word-count"


@pytest.fixture
def data(tmp_path):
    """A data folder that does not exist yet."""
    return tmp_path / "data"


def tree(folder):
    """Return every file below a folder, by its path."""
    return sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file()
    )


def refusal(source, data, **words):
    """Return the code of the refusal; nothing may be left of the attempt."""
    before = tree(data.parent) if data.parent.exists() else []
    with pytest.raises(LaoError) as raised:
        add_plugin(source, data, **words)
    left = [path for path in tree(data.parent) if path not in before]
    assert [path for path in left if not path.endswith("plugins/.lock")] == []
    return raised.value.code


def few(monkeypatch, *, most_bytes=1 << 30, files=20_000):
    """Lower the bounds."""
    for module in (bounds, unpacking, wheels):
        if hasattr(module, "MOST_BYTES"):
            monkeypatch.setattr(module, "MOST_BYTES", most_bytes)
        if hasattr(module, "MOST_FILES"):
            monkeypatch.setattr(module, "MOST_FILES", files)


# What is added


def test_a_folder_becomes_a_plugin_of_its_own(tmp_path, data):
    source = write_plugin(tmp_path / "source")
    (source / "README.md").write_text("Counts.")
    (source / ".git").mkdir()
    (source / ".git" / "config").touch()
    (source / "src" / "word_count" / "__pycache__").mkdir()
    (source / "src" / "word_count" / "__pycache__" / "x.pyc").touch()

    added = add_plugin(source, data)

    assert added == Added(name=NAME, version="1.0.0", previous=None, change="new")
    assert tree(data / "plugins" / NAME) == [
        "README.md",
        "lao-plugin.toml",
        "src/word_count/__init__.py",
    ]


def test_a_wheel_becomes_the_same_plugin(tmp_path, data):
    wheel = write_wheel(tmp_path / "word_count-1.0.0-py3-none-any.whl", wheel_files())
    assert add_plugin(wheel, data).name == NAME
    assert "word_count/__init__.py" in tree(data / "plugins" / NAME)


def test_further_wheels_go_into_its_vendor_folder(tmp_path, data):
    source = write_plugin(tmp_path / "source")
    (source / "wheels").mkdir()
    write_wheel(source / "wheels" / "one-1.whl", {"one/__init__.py": "1"})
    write_wheel(
        source / "wheels" / "three-1.whl", {"three-1.data/purelib/three.py": ""}
    )
    two = write_wheel(
        tmp_path / "two-1.whl",
        {"two.py": "2", "two-1.data/scripts/run.sh": "#!", "two-1.data/data/x": ""},
    )
    add_plugin(source, data, wheels=[two])
    assert [path for path in tree(data / "plugins" / NAME) if "lao" not in path] == [
        "src/word_count/__init__.py",
        "vendor/one/__init__.py",
        "vendor/three.py",
        "vendor/two.py",
    ]


def test_nothing_that_is_added_can_be_executed(tmp_path, data):
    source = write_plugin(tmp_path / "source")
    (source / "run").write_text("#!/bin/sh")
    (source / "run").chmod(0o6755)
    add_plugin(source, data)
    for path in (data / "plugins" / NAME).rglob("*"):
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), path


def test_no_code_of_it_runs(tmp_path, data):
    mark = tmp_path / "ran"
    files = wheel_files() | {
        "word_count/__init__.py": f"open({str(mark)!r}, 'w')",
        "evil.pth": f"import os; os.mkdir({str(mark)!r})",
        "sitecustomize.py": f"open({str(mark)!r}, 'w')",
        "setup.py": f"open({str(mark)!r}, 'w')",
    }
    add_plugin(write_wheel(tmp_path / "a.whl", files), data)
    assert not mark.exists()


def test_code_that_python_would_take_for_the_compiled_source_is_left_out(
    tmp_path, data
):
    hidden = {
        "word_count/__pycache__/__init__.cpython-311.pyc": "x",
        "word_count-1.data/purelib/word_count/__pycache__/a.pyc": "x",
    }
    add_plugin(write_wheel(tmp_path / "a.whl", wheel_files() | hidden), data)
    assert not [path for path in tree(data) if "pyc" in path]


def test_removing_leaves_nothing_of_it(tmp_path, data):
    add_plugin(write_plugin(tmp_path / "source"), data)
    trust(data, NAME)
    remove_plugin(data, NAME)
    assert tree(data) == ["plugins/.lock"]
    with pytest.raises(UsageError) as raised:
        remove_plugin(data, NAME)
    assert raised.value.code == "plugin.unknown"


# Versions


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [("1.0", "1.1", "upgrade"), ("1.0", "1.0.0", "same"), ("1.10", "1.9", "downgrade")],
)
def test_versions_are_told_apart(tmp_path, data, before, after, change):
    add_plugin(write_plugin(tmp_path / "old", version=before), data)
    source = write_plugin(tmp_path / "new", version=after)
    added = add_plugin(source, data, allow_downgrade=True)
    assert (added.previous, added.version, added.change) == (before, after, change)
    assert installed(data)[NAME].manifest.version == after


def test_an_older_version_is_added_only_if_it_is_wanted(tmp_path, data):
    add_plugin(write_plugin(tmp_path / "new", version="2.0"), data)
    assert refusal(write_plugin(tmp_path / "old"), data) == "plugin.downgrade"
    assert installed(data)[NAME].manifest.version == "2.0"


def test_trust_ends_with_another_content_and_stays_with_the_same(tmp_path, data):
    source = write_plugin(tmp_path / "source")
    add_plugin(source, data)
    trust(data, NAME)
    add_plugin(source, data)
    assert installed(data)[NAME].trust == "trusted"
    add_plugin(write_plugin(source, CODE + "#"), data)
    assert installed(data)[NAME].trust == "untrusted"


# What is no plugin


@pytest.mark.parametrize("name", ["summarize", "haiku"])
def test_a_recipes_name_is_taken(tmp_path, data, name):
    source = write_plugin(tmp_path / "source", name=name)
    assert refusal(source, data, taken=["haiku"]) == "plugin.name-taken"


@pytest.mark.parametrize("module", ["not_there", "json", "lao"])
def test_an_entry_that_cannot_be_there_is_told(tmp_path, data, module):
    source = write_plugin(tmp_path / "source")
    text = manifest_text(entry=f"{module}:Entry")
    (source / "lao-plugin.toml").write_text(text)
    assert refusal(source, data) == "plugin.no-entry"


def test_what_is_neither_a_folder_nor_a_wheel_is_told(tmp_path, data):
    (tmp_path / "a.txt").touch()
    assert refusal(tmp_path / "a.txt", data) == "plugin.bad-source"
    assert refusal(tmp_path / "not-there", data) == "plugin.bad-source"
    assert refusal(tmp_path / "not-there.whl", data) == "plugin.unreadable"
    (tmp_path / "empty").mkdir()
    assert refusal(tmp_path / "empty", data) == "plugin.no-manifest"


def test_a_wrong_manifest_is_not_added(tmp_path, data):
    source = write_plugin(tmp_path / "source", kind="nothing")
    with pytest.raises(InvalidWorkflow):
        add_plugin(source, data)
    assert dict(installed(data)) == {}


@pytest.mark.parametrize("kind", ["link", "folder link", "pipe"])
def test_a_folder_with_links_or_pipes_is_refused(tmp_path, data, kind):
    source = write_plugin(tmp_path / "source")
    match kind:
        case "link":
            (source / "x").symlink_to("/etc/passwd")
        case "folder link":
            (source / "x").symlink_to("/etc")
        case _:
            os.mkfifo(source / "x")
    assert refusal(source, data) == "plugin.odd-file"


def test_a_folder_that_is_too_large_is_refused(tmp_path, data, monkeypatch):
    source = write_plugin(tmp_path / "source")
    with (source / "large").open("wb") as file:
        file.truncate(2 << 30)  # of no blocks: what counts is what would be copied
    assert refusal(source, data) == "plugin.too-large"
    (source / "large").unlink()
    few(monkeypatch, files=3)
    assert refusal(source, data) == "plugin.too-large"


def test_a_folder_that_is_too_deep_is_refused(tmp_path, data):
    source = write_plugin(tmp_path / "source")
    source.joinpath(*"a" * 40).mkdir(parents=True)
    assert refusal(source, data) == "plugin.too-large"


# Hostile wheels


OUTSIDE = {
    "upwards": "../evil.py",
    "upwards within": "word_count/../../evil.py",
    "absolute": "/etc/evil.py",
    "backslashes": "..\\evil.py",
    "a drive": "C:evil.py",
    "nothing": "a//evil.py",
    "here": "./evil.py",
    "a line": "a\nb.py",
    "escapes": "\x1b[2J.py",
    "right to left": "a\u202eyp.exe",
    "a long part": f"{'a' * 250}.py",
    "a long path": "/".join(["a" * 100] * 11),
    "letters of four bytes": "\U00020000" * 60,
}


@pytest.mark.parametrize("name", OUTSIDE.values(), ids=OUTSIDE)
def test_a_name_that_is_no_plain_relative_path_is_refused(tmp_path, data, name):
    wheel = write_wheel(tmp_path / "a.whl", wheel_files() | {name: "x"})
    assert refusal(wheel, data) == "plugin.bad-path"


@pytest.mark.parametrize("name", OUTSIDE.values(), ids=OUTSIDE)
def test_neither_is_one_of_a_wheel_that_it_brings(tmp_path, data, name):
    source = write_plugin(tmp_path / "source")
    wheel = write_wheel(tmp_path / "a.whl", {name: "x"})
    assert refusal(source, data, wheels=[wheel]) == "plugin.bad-path"


KINDS = {
    "link": stat.S_IFLNK | 0o777,
    "device": stat.S_IFCHR | 0o600,
    "disk": stat.S_IFBLK | 0o600,
    "pipe": stat.S_IFIFO | 0o600,
    "socket": stat.S_IFSOCK | 0o600,
}


@pytest.mark.parametrize("mode", KINDS.values(), ids=KINDS)
def test_a_link_or_a_device_is_refused(tmp_path, data, mode):
    files = wheel_files() | {"word_count/passwd": "/etc/passwd"}
    wheel = write_wheel(tmp_path / "a.whl", files, modes={"word_count/passwd": mode})
    assert refusal(wheel, data) == "plugin.odd-file"


CLASHES = {
    "twice": ["word_count/a.py", "word_count/a.py"],
    "case": ["word_count/a.py", "word_count/A.py"],
    "case of a folder": ["a/b.py", "A/c.py"],
    "sharp s": ["straße.py", "STRASSE.py"],
    "composed": ["caf\u00e9.py", "cafe\u0301.py"],
    "wide": ["a.py", "\uff41.py"],
    "file and folder": ["a", "a/b.py"],
    "folder and file": ["a/b.py", "a"],
    "manifest": ["Lao-Plugin.toml"],
}


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("names", CLASHES.values(), ids=CLASHES)
def test_names_that_some_disk_takes_for_one_are_refused(tmp_path, data, names):
    pairs = [*wheel_files().items(), *((name, "x") for name in names)]
    wheel = write_wheel(tmp_path / "a.whl", pairs)
    assert refusal(wheel, data) == "plugin.clashing-names"


def test_a_bomb_is_bounded_by_its_real_bytes(tmp_path, data, monkeypatch):
    few(monkeypatch, most_bytes=1 << 20)
    files = wheel_files() | {"word_count/zeros": b"\0" * (2 << 20)}
    wheel = write_wheel(tmp_path / "a.whl", files)
    assert wheel.stat().st_size < 10_000
    assert refusal(wheel, data) == "plugin.too-large"


def test_a_bomb_that_lies_about_its_size_is_refused(tmp_path, data, monkeypatch):
    few(monkeypatch, most_bytes=1 << 20)
    files = wheel_files() | {"word_count/zeros": b"\0" * (2 << 20)}
    wheel = write_wheel(tmp_path / "a.whl", files)
    honest, lie = (2 << 20).to_bytes(4, "little"), (10).to_bytes(4, "little")
    wheel.write_bytes(wheel.read_bytes().replace(honest, lie))
    assert refusal(wheel, data) in ("plugin.bad-wheel", "plugin.too-large")


def test_a_hundred_thousand_files_are_not_even_listed(tmp_path, data, monkeypatch):
    members = b"".join(
        b"PK\x01\x02" + bytes(24) + b"\x06" + bytes(17) + b"%06d" % number
        for number in range(100_000)
    )
    end = b"\xff\xff\xff\xff" + struct.pack("<II", len(members), 0)
    (tmp_path / "a.whl").write_bytes(
        members + b"PK\x05\x06" + bytes(4) + end + bytes(2)
    )
    listed = []
    monkeypatch.setattr(zipfile.ZipFile, "infolist", lambda self: listed.append(1))
    assert refusal(tmp_path / "a.whl", data) == "plugin.too-large"
    assert listed == []


def test_too_many_files_are_refused_on_the_way(tmp_path, data, monkeypatch):
    few(monkeypatch, files=50)
    files = wheel_files() | {f"word_count/f{number}": "" for number in range(60)}
    wheel = write_wheel(tmp_path / "a.whl", files)
    assert refusal(wheel, data) == "plugin.too-large"


def with_flag(data, bit):
    """Set a flag of the first member, in both its headers."""
    changed = bytearray(data)
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        changed[changed.index(mark) + offset] |= bit
    return bytes(changed)


BROKEN = {
    "no archive": lambda data: b"not a wheel",
    "empty": lambda data: b"",
    "cut": lambda data: data[: len(data) // 2],
    "something behind it": lambda data: data + b"x",
    "a comment": lambda data: data[:-2] + b"\x01\x00x",
    "no list": lambda data: data[:-6] + b"\xff\xff\xff\x00" + data[-2:],
    "encrypted": lambda data: with_flag(data, 0x1),
    "a damaged member": lambda data: data.replace(b"PK\x03\x04", b"PK\x03\x05", 1),
    "damaged bytes": lambda data: data[:70] + bytes(9) + data[79:],
}


@pytest.mark.parametrize("change", BROKEN.values(), ids=BROKEN)
def test_an_archive_that_is_no_wheel_is_told(tmp_path, data, change):
    wheel = write_wheel(tmp_path / "a.whl", wheel_files())
    wheel.write_bytes(change(wheel.read_bytes()))
    assert refusal(wheel, data) == "plugin.bad-wheel"


def test_a_list_of_members_that_is_too_long_is_not_read(tmp_path, data):
    wheel = write_wheel(tmp_path / "a.whl", wheel_files())
    content = wheel.read_bytes()
    wheel.write_bytes(content[:-10] + (64 << 20).to_bytes(4, "little") + content[-6:])
    assert refusal(wheel, data) == "plugin.too-large"


def test_an_archive_of_the_large_form_is_refused(tmp_path, data):
    content = write_wheel(tmp_path / "a.whl", wheel_files()).read_bytes()
    large = content[:-22] + b"PK\x06\x07" + bytes(16) + content[-22:]
    (tmp_path / "a.whl").write_bytes(large)
    assert refusal(tmp_path / "a.whl", data) == "plugin.too-large"


def test_a_member_with_a_nul_in_its_name_is_refused(tmp_path, data):
    wheel = write_wheel(tmp_path / "a.whl", wheel_files() | {"evilXpy": "x"})
    wheel.write_bytes(wheel.read_bytes().replace(b"evilXpy", b"evil\0py"))
    assert refusal(wheel, data) == "plugin.bad-wheel"


def test_an_unusual_packing_is_refused(tmp_path, data):
    with zipfile.ZipFile(tmp_path / "a.whl", "w", zipfile.ZIP_LZMA) as archive:
        for name, content in wheel_files().items():
            archive.writestr(name, content)
    assert refusal(tmp_path / "a.whl", data) == "plugin.bad-wheel"


# All or nothing


@pytest.mark.parametrize("existing", [False, True])
def test_an_attempt_that_fails_leaves_what_was_there(tmp_path, data, existing):
    if existing:
        add_plugin(write_plugin(tmp_path / "source"), data)
        trust(data, NAME)
    before = tree(data) if existing else ["plugins/.lock"]
    files = wheel_files(version="2.0") | {"../evil": "x"}
    refusal(write_wheel(tmp_path / "a.whl", files), data)
    assert tree(data) == before
    assert [p.trust for p in installed(data).values()] == ["trusted"] * existing


def test_what_a_process_left_halfway_is_undone_by_the_next(tmp_path, data):
    source = write_plugin(tmp_path / "source")
    add_plugin(source, data)
    plugins = data / "plugins"
    (plugins / NAME).rename(plugins / f".replaced-{NAME}")
    (plugins / ".adding-abc" / "new").mkdir(parents=True)
    for name, age in (("old", 3600), ("new", 0)):
        (plugins / f".trust-{name}").touch()
        then = time.time() - age
        os.utime(plugins / f".trust-{name}", (then, then))
    assert list(installed(data)) == []

    add_plugin(write_plugin(tmp_path / "other", name="other"), data)

    assert list(installed(data)) == ["other", NAME]
    assert [each.name for each in plugins.glob(".[art]*")] == [".trust-new"]


def test_what_a_process_left_halfway_can_be_removed(tmp_path, data):
    add_plugin(write_plugin(tmp_path / "source"), data)
    (data / "plugins" / NAME).rename(data / "plugins" / f".replaced-{NAME}")
    remove_plugin(data, NAME)
    assert tree(data) == ["plugins/.lock"]


def test_the_folder_of_plugins_is_for_its_owner_alone(tmp_path, data):
    add_plugin(write_plugin(tmp_path / "source"), data)
    for folder in (data, data / "plugins"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_data_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "data").touch()
    with pytest.raises(UsageError) as raised:
        add_plugin(write_plugin(tmp_path / "source"), tmp_path / "data")
    assert raised.value.code == "plugin.not-written"


NAMES = st.text(st.sampled_from("aAß./\\:~\0\n-é\u202e\ud800"), min_size=1, max_size=9)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.lists(NAMES, max_size=5))
def test_whatever_names_an_archive_has_nothing_is_written_elsewhere(tmp_path, names):
    folder = Path(os.path.realpath(tmp_path)) / "in" / str(os.urandom(8).hex())
    folder.mkdir(parents=True)
    unpacker = Unpacker(folder)
    written = set()
    for name in names:
        try:
            unpacker.write(name, [b"x"])
            written.add(name)
        except (RefusedByPolicy, UnicodeEncodeError):
            pass
    assert {*tree(folder)} == written
    assert tree(tmp_path) == [f"in/{path}" for path in tree(tmp_path / "in")]
    assert len({name.casefold() for name in written}) == len(written)


@given(st.text(max_size=30))
def test_a_checked_path_stays_below_its_folder(name):
    try:
        parts = checked_path(name)
    except RefusedByPolicy:
        return
    assert os.path.normpath(f"/top/{name}") == "/top/" + "/".join(parts)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 600), value=st.binary(min_size=1, max_size=4))
def test_no_damage_makes_it_stumble(tmp_path, place, value):
    memory = io.BytesIO()
    write_wheel(memory, wheel_files())
    content = bytearray(memory.getvalue())
    content[place : place + len(value)] = value
    wheel = tmp_path / "a.whl"
    wheel.write_bytes(content)
    try:
        add_plugin(wheel, tmp_path / "data", allow_downgrade=True)
    except LaoError:
        assert dict(installed(tmp_path / "data")).keys() <= {NAME}
