# SPDX-License-Identifier: Apache-2.0
"""Moments and ages as people write and read them: `today 14:03`, `30d`, `2026-11-20`.

Local time throughout. A clock may have jumped: nothing here minds the future, or a
number that is no date at all.
"""

import re
import time
from datetime import datetime, timedelta

from lao.errors import UsageError

UNKNOWN = "?"
_AGE = re.compile(r"([0-9]{1,6})(s|m|h|d|w)")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_DAYS_AGO = {"today": 0, "yesterday": 1}


class DayWords:
    """Writes moments as seen from `now`: `today 14:03`, `2026-11-20`.

    Remembers the day of the last one: in a list many moments in a row share it.
    """

    __slots__ = ("_begin", "_end", "_today", "_words")

    def __init__(self, now: float) -> None:
        self._begin = self._end = 0.0
        self._words = ""
        self._today = UNKNOWN
        self(now)
        self._today, self._begin, self._end = self._words, 0.0, 0.0

    def __call__(self, moment: float) -> str:
        """Return a moment in words; `?` for what is no date."""
        if self._begin <= moment < self._end:
            return self._words
        try:
            year, month, day, hour, minute, *_ = time.localtime(moment)
            words = f"{year:04}-{month:02}-{day:02}"
            if words == self._today:
                return f"today {hour:02}:{minute:02}"
            self._begin = time.mktime((year, month, day, 0, 0, 0, 0, 0, -1))
            self._end = time.mktime((year, month, day + 1, 0, 0, 0, 0, 0, -1))
        except (OverflowError, ValueError, OSError):
            return UNKNOWN
        self._words = words
        return words


def full_moment(moment: float) -> str:
    """Return a moment to the second: `2026-11-20 14:03:59`."""
    try:
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(moment))
    except (OverflowError, ValueError, OSError):
        return UNKNOWN


def read_age(text: str) -> float:
    """Read `30d`, `12h`, `2w`; return seconds.

    Raises:
        UsageError: it is no age.
    """
    match = _AGE.fullmatch(text.strip())
    if match is None:
        raise UsageError(
            "usage.bad-age",
            f"{text!r} is not an age",
            mend="write it as 45m, 12h, 30d or 2w",
        )
    return float(match[1]) * _SECONDS[match[2]]


def read_moment(text: str, now: float, *, ends: bool = False) -> float:
    """Read a date, `today`, `yesterday`, or an age before `now`; return its time.

    A day is meant from its beginning, or with `ends` until its end.

    Raises:
        UsageError: it is none of these.
    """
    word = text.strip()
    if _AGE.fullmatch(word):
        return now - read_age(word)
    try:
        if word in _DAYS_AGO:
            day = datetime.fromtimestamp(now) - timedelta(days=_DAYS_AGO[word])  # noqa: DTZ006  (local time is meant)
            word = day.strftime("%Y-%m-%d")
        moment = datetime.fromisoformat(word)
        if ends and len(word) == len("2026-11-20"):
            moment += timedelta(days=1)
        return moment.timestamp()
    except (ValueError, OverflowError, OSError):
        raise UsageError(
            "usage.bad-date",
            f"{text!r} is neither a date nor an age",
            mend="write it as 2026-11-20, 2026-11-20T14:00, today, yesterday or 7d",
        ) from None
