# SPDX-License-Identifier: Apache-2.0
"""Times and sizes are a number and its unit, and nothing else."""

import pytest

from lao.units import parse_duration, parse_size


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("500ms", 0.5), ("2s", 2), ("5m", 300), ("1h", 3600), (" 1.5h ", 5400), ("0s", 0)],
)
def test_a_duration_is_read(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    ("text", "size"),
    [("512B", 512), ("64KiB", 65536), ("3MiB", 3 << 20), ("8GiB", 8 << 30)],
)
def test_a_size_is_read(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize(
    "text", ["", "5", "s", "-1s", "1d", "1s 2s", "٣s", "1e3s", "1KB", "1.5GiB", "GiB"]
)
def test_what_is_neither_is_none(text):
    assert parse_duration(text) is None
    assert parse_size(text) is None
