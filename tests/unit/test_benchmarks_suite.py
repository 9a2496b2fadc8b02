# SPDX-License-Identifier: Apache-2.0
"""How the suite shares out its time, and what it makes of what it finds."""

import json
import time
from pathlib import Path

import pytest
from benchmarks import suite
from benchmarks.bands import write_bands
from benchmarks.figures import Effort, Figure
from benchmarks.machine import filesystem_of
from benchmarks.peer_environments import FAMILIES, PINS
from benchmarks.report import Report
from hypothesis import given, strategies as st

NAMES = st.permutations(list(suite.PARTS))


def report() -> Report:
    return Report(machine={"cores": "2"}, before="load 0")


def effort(**more) -> Effort:
    return Effort(quick=True, rounds=1, until=time.monotonic() + 60, **more)


def figures(ratio: float):
    yield Figure(group="engine", name="floor", unit="µs", samples=(10.0,))
    yield Figure(
        group="engine", name="LAO", unit="µs", samples=(10.0 * ratio,), floor="floor"
    )


@given(NAMES, st.floats(1.0, 1e4))
def test_parts_that_take_their_share_take_all_the_time_and_no_more(names, seconds):
    left = seconds
    for at, name in enumerate(names, start=1):
        left -= suite.seconds_for(name, names[at:], left, shares=suite.SHARES)
    assert left == pytest.approx(0.0, abs=1e-6)


def test_what_a_part_does_not_need_is_there_for_the_next():
    assert suite.seconds_for("http", ["documents"], 100.0, shares={}) == 50.0
    assert suite.seconds_for("documents", [], 100.0, shares={}) == 100.0


def test_a_part_that_overdraws_leaves_nothing_but_no_debt():
    assert suite.seconds_for("documents", [], -5.0, shares={}) == 0.0


def test_a_part_that_fails_is_told_and_the_others_are_measured():
    def broken(_):
        yield from figures(2.0)
        raise SystemExit("wrong answer")

    found = report()
    suite.measure_parts({"http": broken, "engine": lambda _: []}, effort(), found)
    assert len(found.figures) == 2
    assert found.notes == ["http FAILED after 2 figures: wrong answer"]
    assert list(found.seconds) == ["http", "engine"]


@pytest.fixture
def bands(tmp_path, monkeypatch) -> Path:
    path = tmp_path / "bands.json"
    write_bands(list(figures(2.0)), path)
    monkeypatch.setattr(suite, "read_bands", lambda: json.loads(path.read_text()))
    return path


@pytest.mark.parametrize(
    ("ratios", "is_judged_slower"),
    [([2.0], False), ([9.0, 2.0], False), ([9.0, 9.0], True)],
)
def test_a_ratio_fails_only_if_it_is_out_of_its_band_twice(
    bands, ratios, is_judged_slower
):
    coming = iter(ratios)
    parts = {"engine": lambda _: figures(next(coming))}
    found = report()
    suite.measure_parts(parts, effort(), found)
    left = suite.judge(parts, effort(), found)
    assert bool(left) is is_judged_slower
    assert list(coming) == []


def test_a_report_is_kept_as_json_with_its_ratios(tmp_path):
    found = report()
    found.replace(figures(2.0))
    found.keep(tmp_path / "results" / "latest.json")
    kept = json.loads((tmp_path / "results" / "latest.json").read_text())
    assert [each["ratio"] for each in kept["figures"]] == [None, 2.0]
    assert kept["machine"] == {"cores": "2"}


def test_the_filesystem_is_that_of_the_nearest_mount():
    mounts = "/dev/a / ext4 rw 0 0\nx /var tmpfs rw 0 0\n/dev/b /varx xfs rw 0 0\n"
    assert filesystem_of(Path("/var/bench"), mounts) == "tmpfs"
    assert filesystem_of(Path("/home"), mounts) == "ext4"


@pytest.mark.parametrize("family", FAMILIES)
def test_every_peer_is_pinned_by_hash_and_no_address_is_named(family):
    pins = (PINS / f"{family}.txt").read_text("utf-8")
    requirements = pins.replace("\\\n", " ").splitlines()
    assert all("==" in each and "--hash=sha256:" in each for each in requirements)
    assert "://" not in pins
    for distribution in FAMILIES[family]:
        assert any(each.startswith(f"{distribution}==") for each in requirements)
