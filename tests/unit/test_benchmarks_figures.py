# SPDX-License-Identifier: Apache-2.0
"""The tables of the benchmarks, and how much is measured while there is time."""

from math import inf

import pytest
from benchmarks.figures import (
    Effort,
    Figure,
    Verdict,
    ratio_of,
    summary,
    table,
    verdict_of,
)

FLOOR = Figure(group="engine", name="floor", unit="µs", samples=(10.0, 12.0, 11.0))


def figure(*samples: float, **more) -> Figure:
    given = {"group": "engine", "name": "LAO", "unit": "µs", "floor": "floor", **more}
    return Figure(samples=samples, **given)


def test_a_figure_is_the_median_of_its_samples_as_a_ratio_to_that_of_its_floor():
    assert ratio_of(figure(33.0, 99.0, 22.0), [FLOOR]) == 3.0


def test_a_floor_of_another_group_is_none():
    assert ratio_of(figure(33.0, group="http"), [FLOOR]) is None


@pytest.mark.parametrize(
    ("more", "verdict"),
    [
        ({"target": 3.0}, Verdict.MET),
        ({"target": 2.9}, Verdict.MISSED),
        ({"target": 3.0, "at_least": True}, Verdict.MET),
        ({"target": 3.1, "at_least": True}, Verdict.MISSED),
        ({"absolute": 33.0}, Verdict.MET),
        ({"absolute": 32.0}, Verdict.MISSED),
        ({"target": 3.0, "absolute": 32.0}, Verdict.MISSED),
        ({}, Verdict.NONE),
    ],
)
def test_a_target_is_met_up_to_its_bound(more, verdict):
    assert verdict_of(figure(33.0, **more), [FLOOR]) is verdict


def test_a_target_without_its_floor_is_not_judged():
    assert verdict_of(figure(33.0, target=3.0), []) is Verdict.NONE


def test_each_group_has_a_table_of_its_own_with_ratio_target_and_verdict():
    other = Figure(group="http", name="a line", unit="CPU µs", samples=(5.0,))
    lines = list(table([FLOOR, figure(33.0, 44.0, 22.0, target=1.5), other]))
    assert [line.strip() for line in lines if "###" in line] == [
        "### engine",
        "### http",
    ]
    row = next(line for line in lines if line.startswith("| LAO"))
    assert row == (
        "| LAO | 33.0 µs | 22.0 | floor | 3.00 | ≤ 1.5 \N{MULTIPLICATION SIGN} "
        "| missed | 3 |  |"
    )
    assert len({line.count("|") for line in lines if line.startswith("|")}) == 1


def test_the_summary_names_what_was_missed():
    found = [FLOOR, figure(33.0, target=3.0), figure(44.0, name="slow", target=3.0)]
    assert summary(found) == "1 of 2 targets met; missed:\n- engine: slow"


def test_all_rounds_are_taken_while_there_is_time():
    assert list(Effort(quick=False, rounds=3, until=inf).turns()) == [0, 1, 2]


def test_one_round_is_taken_although_time_is_over_and_that_is_told():
    told: list[str] = []
    effort = Effort(quick=False, rounds=3, until=-1.0, tell=told.append)
    assert list(effort.turns("engine")) == [0]
    assert told == ["time ran short: engine 1 of 3 rounds"]
