# SPDX-License-Identifier: Apache-2.0
"""Versions of plugins, in order: `1.0.dev1`, `1.0a1`, `1.0rc1`, `1.0`, `1.0.post1`."""

import re
from typing import Final

_PARTS: Final = re.compile(
    r"(?P<release>[0-9.]*[0-9])(?:\.?(?P<phase>dev|a|b|rc|post)(?P<number>[0-9]+))?"
)
_PHASES: Final = ("dev", "a", "b", "rc", "", "post")

Order = tuple[tuple[int, ...], int, int]


def order_of(version: str) -> Order:
    """Return what sorts as versions do; `1.0` and `1.0.0` are the same one."""
    match = _PARTS.fullmatch(version)
    if match is None:  # no manifest says such a version
        return (), 0, 0
    numbers = [int(part) for part in match["release"].split(".")]
    while numbers and not numbers[-1]:
        numbers.pop()
    phase = _PHASES.index(match["phase"] or "")
    return tuple(numbers), phase, int(match["number"] or 0)
