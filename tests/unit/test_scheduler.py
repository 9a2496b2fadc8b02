# SPDX-License-Identifier: Apache-2.0
"""The scheduler respects needs, whatever the order of endings."""

import pytest
from hypothesis import given, settings, strategies as st

from lao.engine.scheduler import Outcome, Scheduler


@st.composite
def schedulers(draw):
    """Steps s0..sn, each needing, or coming after, only earlier ones."""
    names = [f"s{i}" for i in range(draw(st.integers(1, 9)))]
    needs, after = {names[0]: set()}, {}
    for number, name in enumerate(names[1:], 1):
        needs[name] = draw(st.sets(st.sampled_from(names[:number])))
        after[name] = draw(st.sets(st.sampled_from(names[:number]))) - needs[name]
    defaults = draw(st.sets(st.sampled_from(names)))
    return Scheduler(needs=needs, after=after, defaults=defaults)


def play(scheduler, data, check=lambda step: None):
    """Run to the end with drawn endings; return each step in the order it settled."""
    limit = data.draw(st.integers(1, 4))
    settled = []
    while not scheduler.finished:
        for step in scheduler.start(limit - len(scheduler.running)):
            check(step)
        step = data.draw(st.sampled_from(sorted(scheduler.running)))
        outcome = data.draw(st.sampled_from(Outcome))
        if outcome is Outcome.skipped and step in scheduler.defaults:
            outcome = Outcome.done  # its default flows on
        settled += [step, *scheduler.settle(step, outcome)]
        assert len(scheduler.running) < limit
    return settled


@settings(max_examples=40)
@given(schedulers(), st.data())
def test_every_step_settles_exactly_once(scheduler, data):
    assert sorted(play(scheduler, data)) == sorted(scheduler.needs)


@settings(max_examples=40)
@given(schedulers(), st.data())
def test_a_step_starts_only_after_all_it_waits_for_and_with_all_it_needs(
    scheduler, data
):
    def has_value(step):
        if scheduler.settled[step] is Outcome.done:
            return True
        return scheduler.settled[step] is Outcome.skipped and step in scheduler.defaults

    def check(step):
        assert all(has_value(need) for need in scheduler.needs[step])
        assert all(
            scheduler.settled[other] is not Outcome.failed
            for other in scheduler.after.get(step, ())
        )

    play(scheduler, data, check)


@settings(max_examples=40)
@given(schedulers(), st.data())
def test_a_step_is_skipped_exactly_when_something_it_waits_for_did_not_work(
    scheduler, data
):
    ran = set()
    play(scheduler, data, ran.add)

    for step, needs in scheduler.needs.items():
        ended = {other: scheduler.settled[other] for other in needs}
        lost = {
            other
            for other, outcome in ended.items()
            if outcome is Outcome.skipped and other not in scheduler.defaults
        }
        failed = {
            other
            for other in {*needs, *scheduler.after.get(step, ())}
            if scheduler.settled[other] is Outcome.failed
        }
        assert (step in ran) is not bool(lost | failed)


@settings(max_examples=40)
@given(schedulers(), st.data())
def test_nothing_is_skipped_when_nothing_fails(scheduler, data):
    order = []
    while not scheduler.finished:
        step = data.draw(
            st.sampled_from(scheduler.start(99) or sorted(scheduler.running))
        )
        assert scheduler.settle(step, Outcome.done) == []
        order.append(step)
    assert len(order) == len(scheduler.needs)


def test_a_failed_step_skips_everything_that_needs_it():
    scheduler = Scheduler(
        {"transcript": set(), "summary": {"transcript"}, "title": {"summary"}}
    )
    scheduler.start(limit=1)

    assert scheduler.settle("transcript", Outcome.failed) == ["summary", "title"]
    assert scheduler.finished


def test_a_default_stops_the_skipping():
    needs = {"a": set(), "b": {"a"}, "c": {"b"}}
    scheduler = Scheduler(needs, defaults={"b"})
    scheduler.start(limit=1)

    assert scheduler.settle("a", Outcome.failed) == ["b"]
    assert scheduler.start(limit=9) == ["c"]


def test_a_skip_lets_those_go_on_that_only_come_after():
    scheduler = Scheduler({"a": set(), "b": set()}, after={"b": {"a"}})
    scheduler.start(limit=1)

    assert scheduler.settle("a", Outcome.skipped) == []
    assert scheduler.start(limit=9) == ["b"]


def test_ready_steps_start_in_order_and_never_above_the_limit():
    scheduler = Scheduler({"b": set(), "a": set(), "c": set()})

    assert scheduler.start(limit=-1) == []
    assert scheduler.start(limit=2) == ["b", "a"]
    assert scheduler.start(limit=2) == ["c"]


def test_only_a_running_step_can_settle():
    scheduler = Scheduler({"a": set()})
    with pytest.raises(KeyError):
        scheduler.settle("a", Outcome.done)


@pytest.mark.parametrize("outcome", [Outcome.done, Outcome.failed])
def test_a_chain_of_20_000_steps_settles_without_recursion(outcome):
    needs = {0: set()} | {step: {step - 1} for step in range(1, 20_000)}
    scheduler = Scheduler(needs)
    while not scheduler.finished:
        (step,) = scheduler.start(limit=1)
        scheduler.settle(step, outcome)
    assert len(scheduler.settled) == 20_000
