# SPDX-License-Identifier: Apache-2.0
"""Moments and ages as people write and read them, whatever the clock did."""

import math
import time

import pytest
from hypothesis import given, strategies as st

from lao.cli.moments import UNKNOWN, DayWords, full_moment, read_age, read_moment
from lao.errors import UsageError

DAY = 86_400


@pytest.fixture(params=["UTC", "America/St_Johns", "Asia/Kathmandu"], autouse=True)
def zone(request, monkeypatch):
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def at(text: str) -> float:
    return time.mktime(time.strptime(text, "%Y-%m-%d %H:%M"))


def test_a_moment_of_today_has_its_time_and_others_their_date():
    words = DayWords(at("2026-11-22 14:03"))

    assert words(at("2026-11-22 00:00")) == "today 00:00"
    assert words(at("2026-11-21 23:59")) == "2026-11-21"
    assert words(at("2026-11-23 00:00")) == "2026-11-23"
    assert words(at("2026-11-22 23:59")) == "today 23:59"


@pytest.mark.parametrize("moment", [1e300, -1e300, math.inf, math.nan])
def test_a_number_that_is_no_date_is_unknown(moment):
    assert DayWords(0.0)(moment) == UNKNOWN
    assert full_moment(moment) == UNKNOWN


@given(moments=st.lists(st.floats(0, 4e9), max_size=20), now=st.floats(0, 4e9))
def test_what_is_remembered_of_a_day_changes_nothing(moments, now):
    words = DayWords(now)

    assert [words(each) for each in moments] == [
        DayWords(now)(each) for each in moments
    ]


def test_an_age_is_read():
    assert [read_age(each) for each in ("90s", "45m", "12h", "30d", "2w")] == [
        90,
        45 * 60,
        12 * 3600,
        30 * DAY,
        14 * DAY,
    ]


@pytest.mark.parametrize(
    "text", ["", "30", "d", "-1d", "1.5d", "30 d", "3000000d", "1y"]
)
def test_what_is_no_age_is_refused(text):
    with pytest.raises(UsageError, match="is not an age"):
        read_age(text)


def test_a_day_begins_at_its_midnight_and_ends_at_the_next():
    now = at("2026-11-22 14:03")

    assert read_moment("2026-11-20", now) == at("2026-11-20 00:00")
    assert read_moment("2026-11-20", now, ends=True) == at("2026-11-21 00:00")
    assert read_moment("2026-11-20T14:00", now, ends=True) == at("2026-11-20 14:00")
    assert read_moment("today", now) == at("2026-11-22 00:00")
    assert read_moment("yesterday", now, ends=True) == at("2026-11-22 00:00")
    assert read_moment("2h", now) == at("2026-11-22 12:03")


@pytest.mark.parametrize("text", ["", "soon", "2026-13-01", "0000-00-00", "20th"])
def test_what_is_no_date_is_refused(text):
    with pytest.raises(UsageError, match="neither a date nor an age"):
        read_moment(text, 0.0)


def test_a_clock_that_was_never_set_is_borne():
    assert read_moment("today", 0.0) <= 0.0
    with pytest.raises(UsageError):
        read_moment("today", 1e300)
