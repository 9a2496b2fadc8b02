# SPDX-License-Identifier: Apache-2.0
"""What the parent makes of the numbers that it watches."""

from hypothesis import given, strategies as st

from lao.isolation.limits import fills_the_disk
from lao.policy import WorkerLimits

LIMITS = WorkerLimits(file_size=2 << 30)
GIB = 1 << 30
rooms = st.integers(0, 1 << 50)


@given(before=rooms, now=st.integers(GIB, 1 << 50))
def test_nobody_is_to_blame_while_there_is_room(before, now):
    assert not fills_the_disk(before, now, LIMITS)


@given(rooms)
def test_nobody_is_to_blame_for_a_disk_that_was_full_before(room):
    assert not fills_the_disk(room, room, LIMITS)


def test_what_is_nearly_full_and_was_not_is_too_much():
    """Files that are open and have no name are in no folder: only the disk shows them."""
    assert fills_the_disk(100 * GIB, GIB // 8, LIMITS)
    assert fills_the_disk(GIB, GIB // 8, LIMITS)  # a small one, in memory
    assert not fills_the_disk(GIB // 4, GIB // 5, LIMITS)
