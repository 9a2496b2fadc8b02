# SPDX-License-Identifier: Apache-2.0
"""What `lao doctor` finds: one thing that was looked at, and what to do about it."""

from typing import Literal

from msgspec import Struct

Status = Literal["ok", "note", "gap", "broken"]


class Finding(Struct, frozen=True, kw_only=True):
    """One thing that was looked at. "broken": LAO cannot work without it."""

    area: str
    name: str
    status: Status
    what: str
    mend: str = ""


def finding(area: str, name: str, status: Status, what: str, mend: str = "") -> Finding:
    """Return a finding, written in one line."""
    return Finding(area=area, name=name, status=status, what=what, mend=mend)
