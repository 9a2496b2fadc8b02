# SPDX-License-Identifier: Apache-2.0
"""Steps are put in order, or the circle that forbids it is found and drawn."""

from itertools import pairwise

import pytest
from hypothesis import given, strategies as st

from lao.planning.graph import draw_cycle, find_cycle, in_order

NAMES = "abcdefg"
graphs = st.fixed_dictionaries(
    {name: st.sets(st.sampled_from(NAMES)) for name in NAMES}
)


@given(graphs)
def test_there_is_an_order_or_a_cycle(needs):
    order = in_order(needs)

    if order is None:
        cycle = find_cycle(needs)
        assert cycle[0] == cycle[-1]
        assert len(set(cycle)) == len(cycle) - 1
        assert all(b in needs[a] for a, b in pairwise(cycle))
    else:
        assert sorted(order) == sorted(needs)
        place = {step: number for number, step in enumerate(order)}
        assert all(place[b] < place[a] for a, some in needs.items() for b in some)


def test_independent_steps_keep_the_order_they_are_written_in():
    assert in_order({"b": set(), "c": {"a"}, "a": set()}) == ["b", "a", "c"]


@pytest.mark.parametrize("length", [5_000, 20_000])
def test_a_long_chain_needs_no_recursion(length):
    needs = {0: set()} | {step: {step - 1} for step in range(1, length)}
    assert in_order(needs) == list(range(length))

    needs[0] = {length - 1}
    assert in_order(needs) is None
    assert len(find_cycle(needs)) == length + 1


def test_a_cycle_is_drawn_in_one_line():
    assert draw_cycle(["a", "b", "a"]) == "a → b → a"
    assert draw_cycle(["a", "a"]) == "a → a"


def test_a_long_cycle_is_cut_in_the_middle():
    drawn = draw_cycle([str(n) for n in range(20)])
    assert drawn == "0 → 1 → 2 → 3 → 4 → 5 → … 9 more … → 15 → 16 → 17 → 18 → 19"
