# SPDX-License-Identifier: Apache-2.0
"""Frames of a worker's pipe: handed over as they come, and no faster than is fair."""

import asyncio
import os
from contextlib import contextmanager
from io import FileIO

import pytest

from lao.workers import frame_reader
from lao.workers.frame_reader import FrameReader
from lao.workers.frames import Frame, FrameBounds, TruncatedFrame, encode
from lao.workers.strict_json import FrameError

pytestmark = pytest.mark.linux

FAIR = int(frame_reader._MOST)


def frame(number, body=b""):
    return encode(Frame(header={"id": number}, body=body))


@contextmanager
def pipe():
    source, sink = os.pipe()
    with FileIO(source) as reading, FileIO(sink, "w") as writing:
        yield FrameReader(reading), writing


def count_sleeps(monkeypatch):
    """Let pauses take no time; return a list that gets each of them."""
    paused = []
    loop = asyncio.get_running_loop()

    def soon(seconds, act, *arguments):
        paused.append(seconds)
        return loop.call_soon(act, *arguments)

    monkeypatch.setattr(loop, "call_later", soon)
    return paused


async def test_frames_come_in_order_one_by_one_or_to_whoever_takes_them():
    with pipe() as (reader, writing):
        for number in range(5):
            writing.write(frame(number))
        assert (await reader.next()).header == {"id": 0}
        taken = []

        def take_two(found):
            taken.append(found.header["id"])
            return len(taken) < 2

        await reader.each(take_two)
        assert taken == [1, 2]
        assert (await reader.next()).header == {"id": 3}
        writing.close()
        assert (await reader.next()).header == {"id": 4}
        assert await reader.next() is None


async def test_who_gives_up_waiting_loses_nothing():
    with pipe() as (reader, writing):
        data = frame(7, b"x" * 100)
        writing.write(data[:20])
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.next(), 0.01)
        writing.write(data[20:])
        assert (await reader.next()).body == b"x" * 100


async def test_an_end_inside_a_frame_is_told():
    with pipe() as (reader, writing):
        writing.write(frame(1)[:-1])
        writing.close()
        with pytest.raises(TruncatedFrame):
            await reader.next()


async def test_what_is_no_frame_is_told_and_so_is_what_its_taker_raises():
    with pipe() as (reader, writing):
        writing.write(frame(1, b"too long"))
        with pytest.raises(FrameError, match="at most"):
            await reader.each(lambda _: True, FrameBounds(body=3))
    with pipe() as (reader, writing):
        writing.write(frame(1))
        with pytest.raises(ZeroDivisionError):
            await reader.each(lambda found: 1 / (found.header["id"] - 1))


async def test_answers_to_requests_are_never_late(monkeypatch):
    with pipe() as (reader, writing):
        paused = count_sleeps(monkeypatch)
        for number in range(4 * FAIR):
            reader.expect()
            writing.write(frame(number))
            assert (await reader.next()).header == {"id": number}
    assert paused == []


async def test_more_than_is_fair_waits(monkeypatch):
    monkeypatch.setattr(frame_reader, "monotonic", lambda: 0.0)
    with pipe() as (reader, writing):
        monkeypatch.setattr(reader, "_credited", 0.0)
        writing.write(frame(1) * (FAIR + 10))
        taken = []
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.each(lambda f: not taken.append(f)), 0.2)
        assert len(taken) == FAIR
        monkeypatch.setattr(frame_reader, "monotonic", lambda: 1.0)
        writing.close()
        await reader.each(lambda found: not taken.append(found))
        assert len(taken) == FAIR + 10


async def test_single_bytes_are_no_way_around_it(monkeypatch):
    monkeypatch.setattr(frame_reader, "monotonic", lambda: 0.0)
    data, reads = frame(1, b"x" * (2 * FAIR)), []
    with pipe() as (reader, writing):
        monkeypatch.setattr(reader, "_credited", 0.0)

        def read_one(descriptor, _count, original=os.read):
            reads.append(descriptor)
            return original(descriptor, 1)

        monkeypatch.setattr(os, "read", read_one)
        writing.write(data)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.next(), 0.2)
        assert len(reads) == FAIR
