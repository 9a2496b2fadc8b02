# SPDX-License-Identifier: Apache-2.0
"""The HTTP client reaches one loopback endpoint and survives whatever answers there."""

import asyncio

import pytest
from tests.fake_ollama import (
    STREAM_END,
    STREAM_HEAD,
    Act,
    FakeOllama,
    Flood,
    answer,
    chunk,
    lines,
    stream,
    text_answer,
)

from lao.backends.http1 import HttpLimits, TransportError
from lao.backends.loopback import HttpStatusError, LoopbackClient, connect_directly
from lao.errors import RefusedByPolicy
from lao.policy import LoopbackEndpoint

OK = answer({"ok": True})
SMALL = HttpLimits(head=2000, json=1000, line=1000, stream=3000, silence=0.05)


async def ask(server, *, limits=None, within=30.0):
    client = LoopbackClient(server.endpoint, limits=limits)
    try:
        return await client.request_json("POST", "/x", {"a": 1}, within=within)
    finally:
        await client.close()


async def ask_stream(server, *, limits=None):
    client = LoopbackClient(server.endpoint, limits=limits)
    try:
        async with client.stream_lines("POST", "/x", {}) as values:
            return [value async for value in values]
    finally:
        await client.close()


async def fault_of(coroutine):
    with pytest.raises(TransportError) as caught:
        await coroutine
    return caught.value.fault


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "unix"])
async def test_it_reaches_every_kind_of_endpoint(host, tmp_path):
    where = str(tmp_path / "s") if host == "unix" else host
    async with FakeOllama({"/x": OK}, host=where) as server:
        assert await ask(server) == (200, {"ok": True})
        assert server.bodies("/x") == [{"a": 1}]


async def test_it_resolves_no_name(monkeypatch):
    def refuse(*names, **options):
        pytest.fail("a name was resolved")

    async with FakeOllama({"/x": OK}) as server:
        monkeypatch.setattr("socket.getaddrinfo", refuse)
        assert await ask(server) == (200, {"ok": True})


async def test_it_ignores_proxies_of_the_environment(monkeypatch):
    async with FakeOllama() as proxy, FakeOllama({"/x": OK}) as server:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, str(proxy.endpoint))
        assert await ask(server) == (200, {"ok": True})
        assert (proxy.connections, bytes(proxy.received)) == (0, b"")


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308])
async def test_a_redirect_is_refused_and_not_followed(status):
    async with FakeOllama() as elsewhere:
        there = f"HTTP/1.1 {status} X\r\nLocation: {elsewhere.endpoint}/x\r\n"
        reply = [f"{there}Content-Length: 0\r\n\r\n".encode()]
        async with FakeOllama({"/x": reply}) as server:
            with pytest.raises(RefusedByPolicy, match=r"http\.redirect-refused"):
                await ask(server)
            with pytest.raises(RefusedByPolicy, match=r"http\.redirect-refused"):
                await ask_stream(server)
        assert elsewhere.connections == 0


async def test_sockets_come_from_the_given_seam():
    dialled = []

    async def dial(endpoint):
        dialled.append(endpoint)
        return await connect_directly(endpoint)

    async with FakeOllama({"/x": OK}) as server:
        client = LoopbackClient(server.endpoint, connect=dial)
        await client.request_json("GET", "/x", within=30)
        await client.close()
        assert dialled == [server.endpoint]


# -- connections -------------------------------------------------------------


async def test_a_connection_serves_many_requests():
    async with FakeOllama({"/x": OK, "/s": stream({"n": 1})}) as server:
        client = LoopbackClient(server.endpoint)
        for _ in range(3):
            await client.request_json("GET", "/x", within=30)
            async with client.stream_lines("POST", "/s", {}) as values:
                assert [v async for v in values] == [{"n": 1}]
        await client.close()
        assert server.connections == 1


async def test_requests_at_the_same_time_use_connections_of_their_own():
    async with FakeOllama({"/x": OK}) as server:
        client = LoopbackClient(server.endpoint)
        asked = (client.request_json("GET", "/x", within=30) for _ in range(5))
        assert await asyncio.gather(*asked) == [(200, {"ok": True})] * 5
        await client.close()


@pytest.mark.parametrize("end", [Act.CLOSE, Act.RESET])
async def test_an_idle_connection_that_was_dropped_is_replaced(end):
    async with FakeOllama({"/x": [*OK, end]}) as server:
        client = LoopbackClient(server.endpoint)
        for _ in range(3):
            assert await client.request_json("GET", "/x", within=30) == (
                200,
                {"ok": True},
            )
        await client.close()
        assert server.connections == 3


async def test_a_request_dropped_on_a_used_connection_is_sent_once_more():
    async with FakeOllama({"/x": OK}) as server:
        server.scripts["/x"] = [OK, [Act.CLOSE], OK]
        client = LoopbackClient(server.endpoint)
        await client.request_json("GET", "/x", within=30)
        assert await client.request_json("GET", "/x", within=30) == (200, {"ok": True})
        await client.close()
        assert len(server.requests) == 3


async def test_a_request_is_sent_twice_at_most():
    async with FakeOllama({"/x": OK}) as server:
        server.scripts["/x"] = [OK, [Act.CLOSE]]
        client = LoopbackClient(server.endpoint)
        await client.request_json("GET", "/x", within=30)
        assert await fault_of(client.request_json("GET", "/x", within=30)) == "cut"
        assert len(server.requests) == 3


@pytest.mark.parametrize("reply", [[Act.CLOSE], [Act.RESET]])
async def test_a_request_dropped_on_a_new_connection_is_not_sent_again(reply):
    async with FakeOllama({"/x": reply}) as server:
        assert await fault_of(ask(server)) == "cut"
        assert len(server.requests) == 1


async def test_a_request_is_not_sent_again_once_an_answer_began():
    async with FakeOllama({"/x": OK}) as server:
        server.scripts["/x"] = [OK, [b"HTTP/1.1 2", Act.CLOSE]]
        client = LoopbackClient(server.endpoint)
        await client.request_json("GET", "/x", within=30)
        assert await fault_of(client.request_json("GET", "/x", within=30)) == "cut"
        assert len(server.requests) == 2


async def test_what_follows_an_answer_unasked_spoils_the_connection():
    async with FakeOllama({"/x": [OK[0] + OK[0]]}) as server:
        client = LoopbackClient(server.endpoint)
        for _ in range(2):
            assert await client.request_json("GET", "/x", within=30) == (
                200,
                {"ok": True},
            )
        await client.close()
        assert server.connections == 2


async def test_a_path_cannot_smuggle_a_request():
    client = LoopbackClient(LoopbackEndpoint("http://127.0.0.1:9"))
    for path in ("/a b", "/a\r\nX: y", "", "/ä"):
        with pytest.raises(ValueError, match="no request target"):
            await client.request_json("GET", path, within=30)


async def test_a_cancelled_request_drops_its_connection_at_once():
    async with FakeOllama({"/x": [STREAM_HEAD, Act.HANG]}) as server:
        asking = asyncio.create_task(ask_stream(server))
        while not server.requests:  # noqa: ASYNC110  (the request has arrived)
            await asyncio.sleep(0)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await asyncio.wait_for(server.client_left.wait(), 30)


async def test_leaving_a_stream_early_drops_its_connection():
    reply = [STREAM_HEAD, *lines({"n": 1}, {"n": 2}), Act.HANG]
    async with FakeOllama({"/x": reply}) as server:
        client = LoopbackClient(server.endpoint)
        async with client.stream_lines("POST", "/x", {}) as values:
            assert await anext(values) == {"n": 1}
        await asyncio.wait_for(server.client_left.wait(), 30)


async def test_nobody_listens():
    async with FakeOllama() as server:
        endpoint = server.endpoint
    client = LoopbackClient(endpoint)
    assert await fault_of(client.request_json("GET", "/x", within=30)) == "unreachable"


async def test_there_is_no_such_socket(tmp_path):
    client = LoopbackClient(LoopbackEndpoint(f"unix:{tmp_path}/none"))
    assert await fault_of(client.request_json("GET", "/x", within=30)) == "unreachable"


# -- answers -----------------------------------------------------------------

LENGTH = b"HTTP/1.1 200 OK\r\nContent-Length: "
BAD_ANSWERS = {
    "no HTTP": ([b"SSH-2.0-OpenSSH_9\r\n\r\n"], "malformed"),
    "an endless head": (
        [b"HTTP/1.1 200 OK\r\n", Flood(b"A: b\r\n" * 100)],
        "malformed",
    ),
    "an interim answer": ([b"HTTP/1.1 103 Early\r\n\r\n"], "malformed"),
    "two lengths": ([LENGTH + b"2\r\nContent-Length: 3\r\n\r\n{}"], "malformed"),
    "a length that is none": ([LENGTH + b"-5\r\n\r\n{}"], "malformed"),
    "a length too short": ([LENGTH + b"1\r\n\r\n{}"], "malformed"),
    "a length too long": ([LENGTH + b"9\r\n\r\n{}", Act.CLOSE], "cut"),
    "half a head": ([b"HTTP/1.1 200 OK\r\nContent", Act.CLOSE], "cut"),
    "half a chunk": ([STREAM_HEAD, b"9\r\n{", Act.CLOSE], "cut"),
    "no last chunk": ([STREAM_HEAD, chunk(b"{}"), Act.CLOSE], "cut"),
    "a broken chunk": ([STREAM_HEAD, b"zz\r\n{}\r\n"], "malformed"),
    "nothing": (text_answer(""), "malformed"),
    "HTML": (text_answer("<html><body>It works!", kind="text/html"), "malformed"),
    "NaN": (text_answer('{"a": NaN}'), "malformed"),
    "a name twice": (text_answer('{"a": 1, "a": 2}'), "malformed"),
    "a bottomless list": (text_answer("[" * 900), "malformed"),
    "too deep a list": (text_answer("[" * 66 + "]" * 66), "malformed"),
    "a giant number": (text_answer("9" * 5000), "too-large"),
    "a number no count has": (text_answer("9" * 41), "malformed"),
    "an infinite number": (text_answer('{"a": 1e999}'), "malformed"),
    "half a character": (text_answer('{"a": "\\ud800"}'), "malformed"),
    "invalid UTF-8": ([LENGTH + b'4\r\n\r\n"\xc3"x'], "malformed"),
    "too much": ([STREAM_HEAD, Flood(chunk(b" " * 500))], "too-large"),
    "a stall": ([LENGTH + b"9\r\n\r\n{}", Act.HANG], "stalled"),
    "half a head and a stall": ([b"HTTP/1.1 200 OK\r\nCon", Act.HANG], "stalled"),
}


@pytest.mark.parametrize("name", BAD_ANSWERS)
async def test_a_bad_answer_is_a_clear_fault(name):
    reply, fault = BAD_ANSWERS[name]
    async with FakeOllama({"/x": reply}) as server:
        assert await fault_of(ask(server, limits=SMALL)) == fault


async def test_deep_nesting_is_refused_within_the_usual_bounds():
    async with FakeOllama({"/x": text_answer("[" * 1_000_000)}) as server:
        assert await fault_of(ask(server)) == "malformed"


async def test_a_whole_exchange_is_bounded_in_time():
    async with FakeOllama({"/x": [Act.HANG]}) as server:
        assert await fault_of(ask(server, within=0.05)) == "stalled"
        await asyncio.wait_for(server.client_left.wait(), 30)


async def test_the_body_of_a_failure_may_be_any_text():
    async with FakeOllama() as server:
        assert await ask(server) == (404, "404 page not found")


# -- streams -----------------------------------------------------------------

TEXT = '{"t": "naïve 日本語 🦙"}\n'.encode()


@pytest.mark.parametrize("size", [1, 2, 3, 5])
async def test_characters_may_be_split_over_chunks(size):
    parts = [chunk(TEXT[i : i + size]) for i in range(0, len(TEXT), size)]
    async with FakeOllama({"/x": [STREAM_HEAD, *parts, STREAM_END]}) as server:
        assert await ask_stream(server) == [{"t": "naïve 日本語 🦙"}]


async def test_the_last_line_may_lack_its_end_and_lines_may_be_blank():
    parts = [STREAM_HEAD, chunk(b'{"n":1}\n\r\n\n{"n":'), chunk(b"2}"), STREAM_END]
    async with FakeOllama({"/x": parts}) as server:
        assert await ask_stream(server) == [{"n": 1}, {"n": 2}]


BAD_STREAMS = {
    "an endless line": ([STREAM_HEAD, Flood(chunk(b"x" * 500))], "too-large"),
    "an endless stream": ([STREAM_HEAD, Flood(chunk(b"{}\n" * 100))], "too-large"),
    "half a line": ([STREAM_HEAD, chunk(b'{"n":'), STREAM_END], "malformed"),
    "a line that is not JSON": (
        [STREAM_HEAD, chunk(b"<p>\n"), STREAM_END],
        "malformed",
    ),
    "a dropped connection": ([STREAM_HEAD, *lines({}), Act.RESET], "cut"),
    "a stall": ([STREAM_HEAD, *lines({}), Act.HANG], "stalled"),
}


@pytest.mark.parametrize("name", BAD_STREAMS)
async def test_a_bad_stream_is_a_clear_fault(name):
    reply, fault = BAD_STREAMS[name]
    async with FakeOllama({"/x": reply}) as server:
        assert await fault_of(ask_stream(server, limits=SMALL)) == fault


async def test_a_line_without_end_stops_at_the_usual_bound():
    flood = [STREAM_HEAD, Flood(chunk(b"x" * (1 << 20)))]
    async with FakeOllama({"/x": flood}) as server:
        assert await fault_of(ask_stream(server)) == "too-large"


async def test_a_failed_stream_tells_its_status_and_reason():
    async with FakeOllama({"/x": answer({"error": "no"}, 400)}) as server:
        with pytest.raises(HttpStatusError) as caught:
            await ask_stream(server)
        assert (caught.value.status, caught.value.answer) == (400, {"error": "no"})
