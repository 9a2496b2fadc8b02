# SPDX-License-Identifier: Apache-2.0
"""Trust is in every byte, path and mode of a plugin; any change ends it."""

import os
import shutil
import socket
from pathlib import Path

import pytest
from tests.plugin_sources import write_plugin

from lao.errors import InvalidWorkflow, RefusedByPolicy, UsageError
from lao.plugins.adding import add_plugin
from lao.plugins.backend import PluginBackend
from lao.plugins.identity import FolderIdentity
from lao.plugins.installed import (
    Manifests,
    installed,
    manifest_of,
    require_listable,
    require_plugin,
    trust,
)
from lao.plugins.trust import digest_of_folder
from lao.policy import WorkerLimits
from lao.workflow.local_models import Installed

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


# What no trust gives


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home folder, which is not the one that the data folder is in."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


REACH = {
    "its data folder": lambda data: data,
    "a file in it": lambda data: data / "lao.sqlite3",
    "the folder around it": lambda data: data.parent,
    "the home folder, by a link": lambda data: link(data, Path.home()),
    "everything, by a link": lambda data: link(data, Path("/")),
    "processes, by a link": lambda data: link(data, Path("/proc/self/root")),
    "the data folder, by a link": lambda data: link(data, data),
}


def link(data, target):
    place = data.parent.parent / "looks-harmless"
    place.symlink_to(target)
    return place


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("wanted", REACH.values(), ids=REACH)
def test_nobody_can_let_it_read_everything_or_what_lao_keeps(tmp_path, wanted):
    data = tmp_path / "share" / "data"
    data.parent.mkdir()
    read = str(wanted(data))
    source = write_plugin(tmp_path / "source", permissions={"read": [read]})
    with pytest.raises(RefusedByPolicy) as raised:
        add_plugin(source, data)
    assert raised.value.code == "plugin.reads-too-much"


@pytest.mark.usefixtures("home")
def test_a_link_that_is_bent_after_the_trust_gives_nothing_more(tmp_path):
    (tmp_path / "models").mkdir()
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "models")
    source = write_plugin(tmp_path / "source", permissions={"read": [str(link)]})
    add_plugin(source, tmp_path / "data")
    trust(tmp_path / "data", NAME)
    link.unlink()
    link.symlink_to("/")
    with pytest.raises(RefusedByPolicy) as raised:
        look(tmp_path / "data")
    assert raised.value.code == "plugin.reads-too-much"


def look(data):
    backend = PluginBackend(
        model=Installed(name=NAME), data=data, pool=None, limits=WorkerLimits()
    )
    return backend._look()


@pytest.mark.parametrize("folder", ["", "plugins"])
def test_a_folder_that_others_can_write_holds_no_trust(data, folder):
    trust(data, NAME)
    (data / folder).chmod(0o777)
    for act in (lambda: look(data), lambda: trust(data, NAME)):
        with pytest.raises(RefusedByPolicy) as raised:
            act()
        assert raised.value.code == "plugin.exposed-folder"
    (data / folder).chmod(0o755)
    assert look(data).digest.startswith("sha256:")


def test_a_manifest_that_is_replaced_while_it_is_read_is_noticed(data, monkeypatch):
    trust(data, NAME)
    place = data / "plugins" / NAME / "lao-plugin.toml"

    def swapped(folder, name):
        place.write_text(place.read_text() + '[permissions]\nread = ["/opt"]\n')
        return manifest_of(folder, name)

    monkeypatch.setattr("lao.plugins.backend.manifest_of", swapped)
    with pytest.raises(RefusedByPolicy) as raised:
        look(data)
    assert raised.value.code == "plugin.changed"


def test_plugins_that_cannot_be_looked_at_are_told_from_none(data, monkeypatch):
    def refuse(path, **_):
        raise PermissionError(13, "Permission denied", str(path))

    require_listable(data / "nothing")
    require_listable(data / "plugins")
    monkeypatch.setattr(Path, "lstat", refuse)
    monkeypatch.setattr(Path, "is_symlink", refuse)
    assert list(installed(data)) == []
    for act in (
        lambda: require_listable(data / "plugins"),
        lambda: require_plugin(data / "plugins", NAME),
        lambda: look(data),
    ):
        with pytest.raises(UsageError) as raised:
            act()
        assert raised.value.code == "plugin.unreadable"
