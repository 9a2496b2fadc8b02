# SPDX-License-Identifier: Apache-2.0
"""`lao demo` does the main job with the embedded models, or says what it cannot do."""

import json
import subprocess
import sys
from importlib.util import find_spec

import pytest
from tests.running_lao import Lao


@pytest.mark.timeout(240)
@pytest.mark.skipif(find_spec("pocketsphinx") is None, reason="needs pocketsphinx")
def test_the_demo_transcribes_sums_up_and_lists(tmp_path):
    lao = Lao(tmp_path, {"LAO_MODEL": "never-asked"})
    done = lao("demo", "--json", seconds=200)

    report = json.loads(done.stdout)
    found = report["outputs"]["entities"]
    assert done.returncode == 0
    assert "children's clinic" in report["outputs"]["transcript"]
    assert report["outputs"]["summary"].startswith("- ")
    assert len(found["people"]) >= 2
    assert "the fifth of september" in [date.lower() for date in found["dates"]]
    assert {"four hundred thousand dollars", "fifty thousand dollars"} <= set(
        found["money"]
    )
    assert all("LAO" in step["made_by"] for step in report["steps"].values())
    assert "locality: " in done.stderr


_WITHOUT_RECOGNISER = """\
import sys
import lao.cli.demo
from lao.cli.dispatch import dispatch
lao.cli.demo.find_spec = lambda name: None
sys.exit(dispatch("demo", []))
"""


def test_without_the_recogniser_the_demo_says_so_and_shows_the_rest(tmp_path):
    shown = subprocess.run(  # in a process of its own, which is locked for good
        [sys.executable, "-c", _WITHOUT_RECOGNISER],
        cwd=tmp_path,
        env=Lao(tmp_path).environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=50,
    )

    assert shown.returncode == 0
    assert "nothing was transcribed" in shown.stderr
    assert "lao-orchestrator[speech-lite]" in shown.stderr
    assert shown.stdout.startswith("Text · bundled with LAO, not transcribed\n")
    assert "Transcript" not in shown.stdout
    assert "Summary · LAO summary: extractive, no language model" in shown.stdout
    assert "Mentioned · LAO entities: rules, no language model" in shown.stdout
    assert "Susan Taylor" in shown.stdout
    assert "\x1b" not in shown.stdout + shown.stderr
