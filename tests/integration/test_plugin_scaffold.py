# SPDX-License-Identifier: Apache-2.0
"""A plugin that `lao plugin new` starts is right as it is: types, rules, tests, wheel."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import get_args

import pytest

from lao import LaoError
from lao.plugins.adding import add_plugin
from lao.plugins.starting import start_plugin
from lao.plugins.testing import PluginUnderTest
from lao.workflow.plugins import PluginKind

KINDS = get_args(PluginKind)
PARTS = ("src", "tests")
# What this interpreter happens to have: that of schemathesis takes two seconds to start.
WITHOUT = ("-p", "no:cacheprovider", "-p", "no:schemathesis")
ROOT = Path(__file__).parents[2]
EXAMPLES = [each.parent for each in ROOT.glob("examples/plugins/*/lao-plugin.toml")]


def run(folder: Path, *command: str) -> str:
    """Run a tool of this interpreter in a folder; return what it printed."""
    home = {"HOME": str(folder.parent), "PATH": os.defpath, "LANG": "C.UTF-8"}
    done = subprocess.run(
        [sys.executable, "-B", "-m", *command],
        cwd=folder,
        env=home,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def started(tmp_path_factory) -> dict[str, Path]:
    """Return the folder of a new plugin of each kind."""
    top = tmp_path_factory.mktemp("started")
    folders = {kind: top / f"my-{kind}" for kind in KINDS}
    for kind, folder in folders.items():
        start_plugin(folder, f"my-{kind}", kind)
    return folders


@pytest.mark.parametrize("kind", KINDS)
def test_its_own_tests_pass_in_the_sandbox(started, kind):
    told = run(started[kind], "pytest", "-q", *WITHOUT)

    assert " passed" in told
    assert "skipped" not in told


def test_mypy_strict_and_the_default_rules_of_ruff_find_nothing(started):
    top = started["step"].parent
    cache = f"--cache-dir={top / 'types'}"
    folders = [*started.values(), *EXAMPLES]
    sources = [str(folder / part) for folder in folders for part in PARTS]
    assert " in 17 source files" in run(top, "mypy", "--strict", cache, *sources)
    assert " in 2 source files" in run(started["model"], "mypy", cache)
    assert "strict = true\n" in (started["model"] / "pyproject.toml").read_text()
    run(top, "ruff", "check", "--isolated", "--no-cache", *map(str, started.values()))
    run(top, "ruff", "format", "--isolated", "--check", "--no-cache", str(top))


def test_its_wheel_is_a_plugin_too(started, tmp_path):
    folder = started["formatter"]

    run(folder, "hatchling", "build", "-t", "wheel")
    (wheel,) = (folder / "dist").glob("*.whl")
    added = add_plugin(wheel, tmp_path)

    with zipfile.ZipFile(wheel) as archive:
        assert "lao-plugin.toml" in archive.namelist()
        assert "my_formatter/py.typed" in archive.namelist()
    assert (added.name, added.version, added.change) == ("my-formatter", "0.1.0", "new")


# -- the harness ------------------------------------------------------------------


def changed(folder: Path, before: str, after: str) -> Path:
    """Change the text of a plugin's only module; return the plugin's folder."""
    (module,) = folder.glob("src/*/__init__.py")
    text = module.read_text()
    assert before in text
    module.write_text(text.replace(before, after))
    return folder


@pytest.fixture
def step(tmp_path) -> Path:
    start_plugin(tmp_path / "tried", "tried", "step")
    return tmp_path / "tried"


def test_the_harness_looks_at_types_and_parameters_as_a_run_does(step):
    with PluginUnderTest(step) as plugin:
        codes = []
        for value, parameters in [(1, {}), ("a", {"at_least": 0}), ("a", {"x": 1})]:
            with pytest.raises(LaoError) as raised:
                plugin.process(value, parameters=parameters)
            codes.append(raised.value.code)

    assert codes == ["plugin.wrong-input", *["plugin.bad-parameter"] * 2]


def test_the_harness_refuses_what_the_manifest_does_not_promise(step):
    with PluginUnderTest(
        changed(step, '"words": len(counted)', '"words": "4"')
    ) as plugin:
        with pytest.raises(LaoError) as raised:
            plugin.process("one two")

    assert raised.value.code == "plugin.wrong-output"


def test_in_the_harness_a_plugin_is_locked(step):
    reach = """
        import pathlib, socket
        failed = []
        for act in (
            lambda: socket.socket(),
            lambda: pathlib.Path("/etc/passwd").read_text(),
            lambda: pathlib.Path(__file__).write_text(""),
        ):
            try:
                act()
            except OSError:
                failed.append(act)
        return PluginOutput(value={"words": len(failed), "longest": ""})
"""
    with PluginUnderTest(
        changed(step, "        at_least =", f"{reach}        at_least =")
    ) as plugin:
        assert plugin.level in ("L2", "L3")
        assert plugin.process("x").value == {"words": 3, "longest": ""}


async def test_the_harness_works_inside_an_asynchronous_test_and_hears_the_plugin(step):
    telling = 'given.report.progress(1, 2, "words")\n        at_least ='
    with PluginUnderTest(changed(step, "at_least =", telling)) as plugin:
        done = plugin.process("one", parameters={"at_least": 3})

    assert done.value == {"words": 1, "longest": "one"}
    assert (done.made_by, done.heard.progresses) == ("tried 0.1.0", [(1, 2, "words")])


def test_a_crash_is_an_error_and_the_next_call_gets_a_new_process(step):
    crash = 'if given.value == "die":\n            import os; os._exit(9)\n        at_least ='
    with PluginUnderTest(changed(step, "at_least =", crash)) as plugin:
        with pytest.raises(LaoError) as raised:
            plugin.process("die")
        after = plugin.process("one").value

    assert raised.value.code == "worker.crashed"
    assert after == {"words": 1, "longest": "one"}


def test_what_is_no_plugin_is_said_at_once(tmp_path):
    with pytest.raises(LaoError) as raised, PluginUnderTest(tmp_path):
        pass

    assert raised.value.code == "plugin.no-manifest"
