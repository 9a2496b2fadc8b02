# SPDX-License-Identifier: Apache-2.0
"""Times and sizes as people write them: `500ms`, `5m`, `64KiB`, `8GiB`."""

import re

DURATION = r"([0-9]{1,9}(?:\.[0-9]{1,18})?)(ms|s|m|h)"
SIZE = r"([0-9]{1,9})(B|KiB|MiB|GiB)"
_BYTES = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def parse_duration(text: str) -> float | None:
    """Read `500ms`, `2s`, `5m` or `1h`; return seconds, or None if it is none."""
    match = re.fullmatch(DURATION, text.strip())
    return float(match[1]) * _SECONDS[match[2]] if match else None


def parse_size(text: str) -> int | None:
    """Read `64KiB` or `8GiB`; return bytes, or None if it is none."""
    match = re.fullmatch(SIZE, text.strip())
    return int(match[1]) * _BYTES[match[2]] if match else None
