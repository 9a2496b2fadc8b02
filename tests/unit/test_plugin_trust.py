# SPDX-License-Identifier: Apache-2.0
"""Trust is in every byte, path and mode of a plugin; any change ends it."""

import os
import shutil
import socket

import pytest
from tests.plugin_sources import write_plugin

from lao.errors import InvalidWorkflow, RefusedByPolicy, UsageError
from lao.plugins.adding import add_plugin
from lao.plugins.identity import FolderIdentity
from lao.plugins.installed import Manifests, installed, trust
from lao.plugins.trust import digest_of_folder

NAME = "word-count"


@pytest.fixture
def data(tmp_path):
    """A data folder with one plugin, which nobody has trusted yet."""
    add_plugin(write_plugin(tmp_path / "source"), tmp_path / "data")
    return tmp_path / "data"


def state(data):
    return installed(data)[NAME].trust


def module(data):
    return data / "plugins" / NAME / "src" / "word_count" / "__init__.py"


def append(data):
    with module(data).open("a") as file:
        file.write("#")


CHANGES = {
    "a byte more": append,
    "same size": lambda data: module(data).write_bytes(
        module(data).read_bytes()[:-1] + b" "
    ),
    "a mode": lambda data: module(data).chmod(0o700),
    "another name": lambda data: module(data).rename(module(data).with_name("a.py")),
    "one file more": lambda data: module(data).with_name("b.py").touch(),
    "a folder more": lambda data: module(data).with_name("b").mkdir(),
    "one file less": lambda data: module(data).unlink(),
    "a link": lambda data: module(data).with_name("b.py").symlink_to("/etc/passwd"),
    "a link to itself": lambda data: module(data).with_name("b").symlink_to("."),
    "a pipe": lambda data: os.mkfifo(module(data).with_name("b.py")),
    "the manifest": lambda data: (
        data / "plugins" / NAME / "lao-plugin.toml"
    ).write_text((data / "plugins" / NAME / "lao-plugin.toml").read_text() + "#"),
}


def test_a_plugin_is_trusted_once_somebody_says_so(data):
    assert state(data) == "untrusted"
    digest = trust(data, NAME)
    assert (state(data), installed(data)[NAME].digest) == ("trusted", digest)
    assert digest == digest_of_folder(data / "plugins" / NAME)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_any_change_ends_the_trust(data, change):
    trust(data, NAME)
    change(data)
    assert state(data) == "changed"


def test_a_plugin_that_holds_a_socket_cannot_be_trusted(data, monkeypatch):
    monkeypatch.chdir(module(data).parent)  # its path may be too long for a socket's
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("s")
        with pytest.raises(RefusedByPolicy) as raised:
            trust(data, NAME)
    assert raised.value.code == "plugin.odd-file"


def test_only_what_was_shown_is_trusted(data):
    shown = installed(data)[NAME].digest
    append(data)
    with pytest.raises(RefusedByPolicy) as raised:
        trust(data, NAME, expected=shown)
    assert raised.value.code == "plugin.changed"
    assert state(data) == "untrusted"


@pytest.mark.parametrize(
    "record", ["", "[]", "{}", '{"digest": 1, "version": ""}', "[" * 50_000]
)
def test_a_record_that_cannot_be_read_is_no_trust(data, record):
    trust(data, NAME)
    (data / "plugins" / f"{NAME}.trust.json").write_text(record)
    assert state(data) == "untrusted"


def test_a_record_is_for_its_owner_alone(data):
    trust(data, NAME)
    mode = (data / "plugins" / f"{NAME}.trust.json").stat().st_mode
    assert mode & 0o777 == 0o600


def test_where_the_plugin_lies_does_not_matter(data, tmp_path):
    shutil.copytree(data / "plugins" / NAME, tmp_path / "copy")
    assert digest_of_folder(tmp_path / "copy") == installed(data)[NAME].digest


def test_names_that_are_no_plugins_are_not_listed(data):
    for name in (".adding-x", "Upper", "no-manifest"):
        (data / "plugins" / name).mkdir()
    (data / "plugins" / "file").touch()
    (data / "plugins" / "link").symlink_to(NAME)
    assert list(installed(data)) == list(Manifests(data)) == [NAME]
    assert "link" not in Manifests(data)
    assert "../plugins/word-count" not in Manifests(data)


def test_a_folder_cannot_call_itself_something_else(data):
    (data / "plugins" / NAME).rename(data / "plugins" / "other")
    with pytest.raises(RefusedByPolicy) as raised:
        installed(data)["other"]
    assert raised.value.code == "plugin.changed"


def test_looking_at_plugins_runs_nothing_of_them(tmp_path):
    mark = tmp_path / "ran"
    code = f"open({str(mark)!r}, 'w')"
    add_plugin(write_plugin(tmp_path / "source", code), tmp_path / "data")
    trust(tmp_path / "data", NAME)
    assert installed(tmp_path / "data")[NAME].manifest.name == NAME
    assert not mark.exists()


def test_a_plugin_that_is_not_there_is_told(tmp_path):
    assert dict(installed(tmp_path)) == {}
    assert len(Manifests(tmp_path)) == 0
    with pytest.raises(UsageError) as raised:
        trust(tmp_path, NAME)
    assert raised.value.code == "plugin.unknown"


def test_a_broken_manifest_is_told_when_the_plugin_is_asked_for(data):
    (data / "plugins" / NAME / "lao-plugin.toml").write_text("lao = 1")
    assert list(installed(data)) == [NAME]
    with pytest.raises(InvalidWorkflow):
        installed(data)[NAME]


def test_files_are_read_again_only_if_one_of_them_changed(data, monkeypatch):
    folder, reads = data / "plugins" / NAME, []

    def counted(path):
        reads.append(path)
        return digest_of_folder(path)

    monkeypatch.setattr("lao.plugins.identity.digest_of_folder", counted)
    later = module(data).stat().st_mtime + 60
    identity = FolderIdentity(folder=folder, now=lambda: later)
    first = identity.digest()
    assert (identity.digest(), len(reads)) == (first, 1)
    append(data)
    assert identity.digest() != first


def test_files_that_changed_just_now_are_read_each_time(data):
    now = module(data).stat().st_mtime
    identity = FolderIdentity(folder=data / "plugins" / NAME, now=lambda: now)
    first = identity.digest()
    found = module(data).stat()
    module(data).write_bytes(module(data).read_bytes()[:-1] + b" ")
    os.utime(module(data), ns=(found.st_atime_ns, found.st_mtime_ns))
    assert identity.digest() != first
