# SPDX-License-Identifier: Apache-2.0
"""The reading end of a worker's pipe: every byte, in order, to the end."""

import asyncio
import os
from contextlib import contextmanager
from io import FileIO

import pytest

from lao.workers.pipes import PIECE, PipeReader

pytestmark = pytest.mark.linux


@contextmanager
def pipe(hasty=1):
    source, sink = os.pipe()
    with FileIO(source) as reading, FileIO(sink, "w") as writing:
        yield PipeReader(reading, hasty=hasty), writing


async def whole(reader):
    return b"".join([part async for part in parts(reader)])


async def parts(reader):
    while data := await reader.read():
        yield data


async def test_bytes_come_in_order_however_they_are_cut():
    data = bytes(range(256)) * 20
    with pipe(hasty=PIECE + 1) as (reader, writing):
        for start in range(0, len(data), 100):
            writing.write(data[start : start + 100])
        writing.close()
        assert await whole(reader) == data
        assert await reader.read() == b""


async def test_it_waits_for_what_has_not_come():
    with pipe() as (reader, writing):
        asked = asyncio.create_task(reader.read())
        await asyncio.sleep(0)
        assert not asked.done()
        writing.write(b"ab")
        assert await asked == b"ab"


async def test_who_gives_up_waiting_loses_nothing():
    with pipe() as (reader, writing):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(), 0.01)
        writing.write(b"ab")
        assert await reader.read() == b"ab"
