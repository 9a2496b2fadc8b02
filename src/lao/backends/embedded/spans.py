# SPDX-License-Identifier: Apache-2.0
"""What the rules find: stretches of a block, and which stretches are taken."""

import re
from collections.abc import Callable, Iterator
from typing import Literal

from msgspec import Struct

Kind = Literal[
    "people",
    "organizations",
    "places",
    "dates",
    "times",
    "money",
    "percentages",
    "durations",
    "quantities",
    "emails",
    "phones",
    "urls",
    "ips",
]


class Span(Struct, frozen=True, kw_only=True):
    """One find, `start:end` of a block. `name` is its written form, if it differs."""

    kind: Kind
    start: int
    end: int
    name: str = ""


class Taken:
    """The characters of a block that belong to a find already."""

    def __init__(self, length: int) -> None:
        self._marks = bytearray(length)

    def is_free(self, start: int, end: int) -> bool:
        """Whether nothing between `start` and `end` is taken."""
        return self._marks.find(1, start, end) < 0

    def take(self, start: int, end: int) -> bool:
        """Take a stretch if it is free; return whether it was."""
        if start >= end or not self.is_free(start, end):
            return False
        self._marks[start:end] = b"\1" * (end - start)
        return True


Accept = Callable[[re.Match[str]], int | None]


def scan(
    pattern: re.Pattern[str], text: str, accept: Accept
) -> Iterator[tuple[int, int]]:
    """Yield `(start, end)` of the matches that `accept` gives an end for.

    After a refusal the search goes on one character later, so that a find is not
    lost inside a longer run that is none. Patterns here match a bounded length,
    which keeps the whole linear.
    """
    at = 0
    while (match := pattern.search(text, at)) is not None:
        end = accept(match)
        if end is None:
            at = match.start() + 1
        else:
            yield match.start(), end
            at = max(end, match.start() + 1)
