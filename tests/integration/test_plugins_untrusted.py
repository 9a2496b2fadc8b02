# SPDX-License-Identifier: Apache-2.0
"""What is done with a plugin before anybody trusts it gives it nothing of the user's."""

import asyncio
import json
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.running_lao import Lao

from lao.cli.plugin_check import Asked, Looks, _check
from lao.config import Folders, Settings
from lao.isolation.confinement import unconfined
from lao.isolation.launching import ChildLauncher
from lao.isolation.levels import Machine
from lao.plugins.starting import start_plugin

MANIFEST = "lao-plugin.toml"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Return the folder of a new plugin, `word-count`."""
    start_plugin(tmp_path / "word-count", "word-count", "step")
    return tmp_path / "word-count"


def checked(source: Path, *options: str) -> tuple[int, dict[str, dict], str]:
    """Run `lao plugin check`; return its exit code, what it looked at, and stderr."""
    done = Lao(source.parent)("plugin", "check", source.name, "--json", *options)
    looks = {each["name"]: each for each in json.loads(done.stdout)}
    return done.returncode, looks, done.stderr


def test_nothing_of_a_plugin_that_nobody_trusts_sees_what_it_asks_for(source):
    secret = source.parent / "secret"
    secret.write_text("mine")
    with (source / MANIFEST).open("a") as manifest:
        manifest.write(f'[permissions]\nread = ["{secret}"]\n')

    code, looks, _ = checked(source)
    assert (code, looks["dry call"]["status"]) == (0, "skipped")
    assert f"(to read {secret})" in looks["dry call"]["what"]

    code, looks, _ = checked(source, "--grant", "-i", "some words")
    assert (code, looks["dry call"]["status"]) == (0, "ok")


def test_without_a_call_no_code_of_it_runs_in_mypy_either(source):
    (source / "pyproject.toml").write_text('[tool.mypy]\nplugins = ["own.py"]\n')
    (source / "own.py").write_text('print("own.py:1: error: it ran")\n')

    _, looks, _ = checked(source)
    assert looks["types"]["status"] == "failed"
    code, looks, _ = checked(source, "--no-call")
    assert (code, looks["types"]["status"]) == (0, "ok")


def test_where_the_kernel_would_let_it_change_files_nothing_of_it_runs(source):
    weak = Machine(arch="x86_64", landlock_abi=0, seccomp=True, bwrap=None)
    looks = Looks(as_json=True)

    confined = replace(unconfined(), launcher=ChildLauncher(weak))
    folders = Folders(config=source, data=source / "data", cache=source)

    asyncio.run(_check(source, Asked(), confined, looks, Settings(folders=folders)))

    found = {each.name: each.problems[0].code for each in looks.found if each.problems}
    assert found == dict.fromkeys(["types", "dry call"], "plugin.needs-isolation")


def test_models_are_listed_among_the_models_with_what_they_lack(tmp_path):
    lao = Lao(tmp_path)
    start_plugin(lao.folder / "gist", "gist", "model")
    start_plugin(lao.folder / "word-count", "word-count", "step")
    for name in ("gist", "word-count"):
        assert lao("plugin", "add", name).returncode == 0

    def told():
        listed = lao("models", "--json", "--quiet")
        models = json.loads(listed.stdout)["models"]
        return [(m["name"], m["problem"]) for m in models if m["kind"] == "plugin"]

    assert told() == [("plugin:gist", "not trusted yet: lao plugin trust gist")]
    lao("plugin", "trust", "gist", "--yes")
    assert told() == [("plugin:gist", "")]
    (lao.folder / ".local/share/lao/plugins/gist/README.md").write_text("new")
    ((_, problem),) = told()
    assert problem.startswith("its files have changed")
