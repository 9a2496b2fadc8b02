# SPDX-License-Identifier: Apache-2.0
"""When a benchmark says that something became slower."""

from dataclasses import replace

import pytest
from benchmarks.bands import ROOM, bands_of, breaches, read_bands, write_bands
from benchmarks.figures import Figure
from hypothesis import given, strategies as st

PARTS = ("engine",)
GROUP = "engine, chain1000"
KEY = f"{GROUP}: LAO"


def figures(lao: float, *, floor: float = 10.0, at_least: bool = False):
    ours = Figure(
        group=GROUP,
        name="LAO",
        unit="µs",
        samples=(lao,),
        floor="floor",
        at_least=at_least,
    )
    stands_on = Figure(
        group=GROUP, name="floor", unit="µs", samples=(floor,), at_least=at_least
    )
    return [ours, stands_on]


def left(found, bands, parts=PARTS):
    return [each.key for each in breaches(found, bands, parts=parts)]


@given(st.floats(0.01, 1e6), st.floats(0.01, 1e6), st.booleans())
def test_what_was_recorded_is_within_its_band(lao, floor, at_least):
    found = figures(lao, floor=floor, at_least=at_least)
    assert not left(found, bands_of(found))


@pytest.mark.parametrize("faster", [0.1, 1.0, 10.0])
def test_a_ratio_is_judged_and_never_a_time(faster):
    bands = bands_of(figures(30.0))
    assert not left(figures(30.0 * faster, floor=10.0 * faster), bands)
    worse = 30.0 * ROOM * 1.01
    assert left(figures(worse * faster, floor=10.0 * faster), bands) == [KEY]


def test_less_of_what_there_should_be_more_of_leaves_the_band():
    bands = bands_of(figures(9.7, at_least=True))
    assert not left(figures(12.0, at_least=True), bands)
    assert left(figures(9.7 / ROOM / 1.02, at_least=True), bands) == [KEY]


def test_a_disturbed_sample_beside_a_good_one_leaves_no_band():
    ours, floor = figures(30.0)
    disturbed = Figure(
        group=GROUP, name="LAO", unit="µs", samples=(300.0, 30.0, 300.0), floor="floor"
    )
    assert not left([disturbed, floor], bands_of([ours, floor]))


def test_a_row_that_was_not_measured_counts_unless_its_part_was_not_asked():
    bands = bands_of(figures(30.0))
    assert left([], bands) == [KEY]
    assert left([], bands, parts=("documents",)) == []


def test_wall_times_have_no_band():
    ours, floor = figures(30.0)
    assert not bands_of([replace(ours, unit="wall ms"), replace(floor, unit="wall ms")])


def test_what_others_stand_on_has_no_band():
    ours, floor = figures(30.0)
    ground = replace(floor, name="ground")
    assert list(bands_of([ours, replace(floor, floor="ground"), ground])) == [KEY]


def test_recording_a_group_keeps_the_bands_of_the_others(tmp_path):
    path = tmp_path / "bands.json"
    path.write_text(f'{{"http: a line": 2.0, "{GROUP}: gone": 3.0}}')
    write_bands(figures(30.0), path)
    kept = read_bands(path)
    assert kept == {"http: a line": 2.0, KEY: pytest.approx(3 * ROOM, abs=0.02)}
