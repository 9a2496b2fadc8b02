# SPDX-License-Identifier: Apache-2.0
"""Streams are resumed where they broke, stay alive, and cut who does not read."""

import asyncio

import pytest

from lao.errors import StepError
from lao.server.messages import WorkspaceMessage
from lao.server.streams import Feed, as_event_stream


def message(number):
    return WorkspaceMessage(sequence=number, kind="folder")


def feed_of(*numbers, most=1000):
    feed = Feed(most)
    for number in numbers:
        feed.publish(message(number))
    return feed


async def numbers(messages):
    return [each.sequence async for each in messages]


async def test_who_comes_back_gets_what_came_meanwhile():
    feed = feed_of(1, 2, 3)
    feed.end()

    assert await numbers(feed.follow(0)) == [1, 2, 3]
    assert await numbers(feed.follow(2)) == [3]


async def test_none_comes_twice_and_none_is_lost_while_it_catches_up():
    feed = feed_of(1, 2)
    following = feed.follow(0)
    assert (await anext(following)).sequence == 1
    feed.publish(message(3))
    feed.end()

    assert await numbers(following) == [2, 3]


async def test_who_does_not_read_is_cut_and_may_come_back():
    feed = feed_of(1, most=3)
    slow = feed.follow(0)
    await anext(slow)
    for number in range(2, 7):
        feed.publish(message(number))

    assert await numbers(slow) == [2, 3, 4]
    feed.end()
    assert await numbers(feed.follow(4)) == [5, 6]


@pytest.mark.parametrize(
    ("after", "misses"), [(0, True), (1, True), (2, False), (9, True)]
)
async def test_a_gap_is_known(after, misses):
    assert feed_of(1, 2, 3, 4, most=2).misses(after) == misses


async def test_a_stream_numbers_its_events_and_stays_alive():
    feed = feed_of(7)
    stream = as_event_stream(feed.follow(0), keep_alive=0.01)

    assert await anext(stream) == b":\n\n"
    assert (await anext(stream)).startswith(b'id: 7\ndata: {"sequence":7,')
    assert await anext(stream) == b":\n\n"
    await stream.aclose()
    assert not feed._followers


async def test_a_stream_that_is_left_lets_go_of_what_it_follows():
    feed = feed_of()
    reading = asyncio.create_task(numbers_of_bytes(as_event_stream(feed.follow(0))))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert not feed._followers


async def numbers_of_bytes(stream):
    return [chunk async for chunk in stream]


async def test_what_goes_wrong_is_the_last_event():
    async def broken():
        yield message(1)
        raise StepError("store.damaged", "the journal is damaged")

    *_, last = [chunk async for chunk in as_event_stream(broken())]

    assert last.startswith(b"event: error\ndata: {")
    assert b"store.damaged" in last
