# SPDX-License-Identifier: Apache-2.0
"""The example plugins do what they say, alone and together in a workflow."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.running_lao import Lao

from lao.api import load, run
from lao.config import load_settings
from lao.plugins.adding import add_plugin
from lao.plugins.installed import trust

EXAMPLES = Path(__file__).parents[2] / "examples" / "plugins"
FOLDERS = sorted(each.parent for each in EXAMPLES.glob("*/lao-plugin.toml"))
DATA = ".local/share/lao"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return the home of somebody who has added and trusted all of them."""
    for folder in FOLDERS:
        trust(tmp_path / DATA, add_plugin(folder, tmp_path / DATA).name)
    return tmp_path


def test_their_own_tests_pass():
    sources = " ".join(str(each / "src") for each in FOLDERS)
    done = subprocess.run(
        [
            *(sys.executable, "-B", "-m", "pytest", "-q"),
            *("-p", "no:cacheprovider", "-p", "no:schemathesis"),  # slow to start
            *("--rootdir", str(EXAMPLES), "-c", os.devnull),
            *("-o", f"pythonpath={sources}", *map(str, FOLDERS)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout
    assert "29 passed" in done.stdout


def test_the_workflow_makes_the_minutes(home):
    settings = load_settings({"HOME": str(home)})
    result = run(load(EXAMPLES / "meeting-minutes.yaml"), settings=settings)

    assert result.status == "done"
    assert "[00:" not in result.outputs["text"]
    assert result.outputs["text"].count("\n") == 3  # four turns
    phrases = [each["phrase"] for each in result.outputs["topics"]]
    assert phrases[0] == "order new pier lights"
    assert "| people | Ana Ruiz, Bo Lee |\n" in result.outputs["table"]


def test_they_are_stages_of_a_chain(home):
    line = "'{}' | tidy-transcript | plugin:keyword-model | minutes-table --format csv"
    done = Lao(home)(
        "chain", line.format(EXAMPLES / "standup.txt"), "--json", "--ephemeral"
    )

    (table,) = json.loads(done.stdout)["outputs"].values()
    assert table.startswith("phrase,score\norder new pier lights,")


def test_every_one_of_them_is_listed():
    told = (EXAMPLES.parent / "README.md").read_text("utf-8")

    assert all(f"(plugins/{each.name})" in told for each in FOLDERS)
    assert "(plugins/meeting-minutes.yaml)" in told
