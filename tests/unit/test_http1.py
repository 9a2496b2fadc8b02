# SPDX-License-Identifier: Apache-2.0
"""A connection hears what comes unasked, holds a fast server up, and bounds silence."""

import asyncio
import contextlib
import socket

import pytest

from lao.backends.http1 import Connection, HttpLimits, TransportError
from lao.backends.loopback import LoopbackClient
from lao.policy import LoopbackEndpoint

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
STREAM = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
CHUNK = b"4000\r\n" + b"x" * 0x4000 + b"\r\n"
REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"


@pytest.fixture
def pair():
    """Yield both ends of a connection: the client's and the server's."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        theirs.settimeout(30)
        yield ours, theirs


async def opened(ours, limits=None):
    loop = asyncio.get_running_loop()
    limits = limits or HttpLimits()
    return (await loop.create_connection(lambda: Connection(limits), sock=ours))[1]


async def passed_by():
    """Wait until every callback that is due has run."""
    for _ in range(10):
        await asyncio.sleep(0)


async def sent_until_blocked(theirs):
    """Send chunks while anybody takes them; return how many bytes were taken."""
    theirs.setblocking(False)
    sent = 0
    with contextlib.suppress(BlockingIOError):
        while True:
            sent += theirs.send(CHUNK)
            await passed_by()
    return sent


async def fault_of(waiting):
    with pytest.raises(TransportError) as caught:
        await waiting
    return caught.value.fault


async def test_what_comes_unasked_drops_an_idle_connection(pair):
    ours, theirs = pair
    another, server = socket.socketpair()
    sockets = [another, ours]

    async def connect(endpoint):
        return sockets.pop()

    client = LoopbackClient(LoopbackEndpoint("http://127.0.0.1:9"), connect=connect)
    theirs.send(OK)
    assert await client.request_json("GET", "/", within=30) == (200, {})
    theirs.send(OK.replace(b"200", b"500"))
    await passed_by()
    theirs.recv(1000)
    assert theirs.recv(1000) == b""

    with server:
        server.send(OK)
        assert await client.request_json("GET", "/", within=30) == (200, {})
        await client.close()


async def test_a_connection_that_the_server_dropped_is_not_ready(pair):
    ours, theirs = pair
    connection = await opened(ours)
    theirs.send(OK)
    await connection.ask(REQUEST)
    assert (connection.status, await connection.read_all()) == (200, b"{}")
    assert connection.is_ready
    theirs.close()
    await passed_by()
    assert not connection.is_ready


async def test_a_server_that_is_faster_than_its_reader_has_to_wait(pair):
    ours, theirs = pair
    connection = await opened(ours)
    theirs.send(STREAM)
    await connection.ask(REQUEST)
    sent = await sent_until_blocked(theirs)
    assert connection._answer.held < 1 << 18
    got = 0
    while got < sent // len(CHUNK) * 0x4000:
        got += len(await connection.read())
    connection.close()


async def test_silence_is_counted_once_an_answer_began_and_somebody_waits(pair):
    ours, theirs = pair
    connection = await opened(ours, HttpLimits(silence=1000))

    def time_passes():
        connection._waits_since -= 2000
        connection._end_silence()

    asking = asyncio.create_task(connection.ask(REQUEST))
    await passed_by()
    time_passes()  # the server may be loading a model
    theirs.send(STREAM)
    await asking
    time_passes()  # the reader is busy
    reading = asyncio.create_task(connection.read())
    await passed_by()
    assert connection._silence.when() > asyncio.get_running_loop().time() + 900
    connection._end_silence()  # set for something before, and not long ago
    assert connection._silence.when() > asyncio.get_running_loop().time() + 900
    assert not reading.done()
    time_passes()
    assert await fault_of(reading) == "stalled"
    theirs.recv(1000)
    assert theirs.recv(1000) == b""


async def test_bytes_before_any_request_are_no_answer(pair):
    ours, theirs = pair
    connection = await opened(ours)
    theirs.send(OK)
    await passed_by()
    assert await fault_of(connection.ask(REQUEST)) == "malformed"
