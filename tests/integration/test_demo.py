# SPDX-License-Identifier: Apache-2.0
"""`lao demo` does the main job with the embedded models, or says what it cannot do."""

import json
from importlib.util import find_spec

import pytest
from tests.running_lao import Lao

from lao.cli.dispatch import dispatch


@pytest.mark.skipif(find_spec("pocketsphinx") is None, reason="needs pocketsphinx")
def test_the_demo_transcribes_sums_up_and_lists(tmp_path):
    done = Lao(tmp_path, {"LAO_MODEL": "never-asked"})("demo", "--json")

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


def test_without_the_recogniser_the_demo_says_so_and_shows_the_rest(
    monkeypatch, capfd, tmp_path
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("lao.cli.demo.find_spec", lambda name: None)

    code = dispatch("demo", [])

    shown = capfd.readouterr()
    assert code == 0
    assert "nothing was transcribed" in shown.err
    assert "lao-orchestrator[speech-lite]" in shown.err
    assert shown.out.startswith("Text · bundled with LAO, not transcribed\n")
    assert "Transcript" not in shown.out
    assert "Summary · LAO summary: extractive, no language model" in shown.out
    assert "Mentioned · LAO entities: rules, no language model" in shown.out
    assert "Susan Taylor" in shown.out
    assert "\x1b" not in shown.out + shown.err
