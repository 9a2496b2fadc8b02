# SPDX-License-Identifier: Apache-2.0
"""The running server bounds what a connection may cost, and answers only in its own way."""

import asyncio
import os
import socket
import stat
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from tests.web import serving

from lao.errors import LaoError, UsageError
from lao.server import guard as guards
from lao.server.answers import SAFETY
from lao.server.listening import listen
from lao.server.messages import LinkReply, SessionRequest, WorkspaceMessage
from lao.server.protocol import MOST_CONNECTIONS, BoundedProtocol
from lao.server.routes import FileReply, Parameter, Route
from lao.server.streams import Feed
from lao.server.tokens import Tokens

pytestmark = pytest.mark.linux
needs_root = pytest.mark.skipif(
    os.geteuid() != 0, reason="only root can become somebody else"
)


def route(path, handler, **more):
    kinds = {"method": "GET", "about": "", "reply": LinkReply, **more}
    return Route(path=path, handler=handler, **kinds)


async def fail(_):
    raise RuntimeError("nobody thought of this")


async def refuse(_):
    raise UsageError("file.not-found", "there is none", mend="look elsewhere")


async def echo(call):
    return LinkReply(link=call.asks(SessionRequest).link)


_AFTER = Parameter(name="after", about="", type="number", is_required=False)
ROUTES = (
    route("/api/defect", fail),
    route("/api/refused", refuse),
    route("/api/echo", echo, method="POST", body=SessionRequest),
)


async def until(holds):
    """Wait until something holds, as nothing here would tell."""
    async with asyncio.timeout(30):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


@pytest.fixture
async def web():
    async with serving(*ROUTES) as running:
        yield running


async def test_the_page_needs_no_token_and_the_api_one(web):
    assert (await web.get("/", "Authorization")).body == b"hi"
    assert (await web.get("/assets/a-1.js", "Authorization")).status == 200
    assert (await web.post("/api/echo", {"link": "x"}, "Authorization")).status == 401
    assert (await web.post("/api/echo", {"link": "x"})).json == {"link": "x"}


async def test_a_page_signs_in_once_with_a_link(web):
    link = web.tokens.new_link()
    signed = await web.post("/api/session", {"link": link}, "Authorization")
    again = await web.post("/api/session", {"link": link}, "Authorization")
    bearer = f"Authorization: Bearer {signed.json['token']}"

    assert web.signed_in == [""]
    assert (await web.post("/api/links", {}, bearer)).json["link"].startswith("http://")
    assert (again.status, again.code) == (401, "server.no-token")


@pytest.mark.parametrize(
    ("target", "status", "code"),
    [
        ("/api/nothing", 404, "server.unknown"),
        ("/assets/nothing.js", 404, "server.unknown"),
        ("/api/echo", 405, "server.bad-method"),
        ("/api/refused", 400, "file.not-found"),
        ("/api/refused?a=1", 400, "server.bad-query"),
        ("/api/defect", 500, "lao.defect"),
        ("/../x", 400, "server.bad-request"),
    ],
)
async def test_an_error_is_an_answer_with_all_headers_of_safety(
    web, target, status, code
):
    reply = await web.get(target)

    assert (reply.status, reply.code) == (status, code)
    assert b"Traceback" not in reply.body
    for name, value in SAFETY:
        assert reply.headers[name.decode()] == value.decode()
    assert "access-control-allow-origin" not in reply.headers
    assert "server" not in reply.headers


async def test_what_is_no_http_is_refused_in_the_same_words(web):
    reply = await web.raw(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n")

    assert (reply.status, reply.code) == (400, "server.bad-request")
    assert reply.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"link":1}', b'{"link":"a","b":1}']
)
async def test_a_body_that_is_not_as_described_is_refused(web, body):
    reply = await web.raw(web.request("POST", "/api/echo", (), body))
    assert (reply.status, reply.code) == (400, "server.bad-body")


async def test_a_nesting_bomb_is_refused(web):
    bomb = b'{"link":' + b"[" * 100_000
    reply = await web.raw(web.request("POST", "/api/echo", (), bomb))
    assert reply.code == "server.bad-body"


async def test_wrong_tokens_are_slowed_down_and_right_ones_are_not(web):
    for _ in range(60):
        web.tokens.count_wrong()
    wrong = await web.post("/api/echo", {"link": "x"}, "Authorization: Bearer no")

    assert (wrong.status, wrong.headers["retry-after"]) == (429, "60")
    assert (await web.post("/api/echo", {"link": "x"})).status == 200


async def test_a_slow_head_is_cut(web, monkeypatch):
    monkeypatch.setattr(BoundedProtocol, "head_seconds", 0.2)
    assert (await web.raw(b"GET / HTTP/1.1\r\nHost:")).status == 0
    assert (await web.raw(b"")).status == 0


async def test_a_slow_head_behind_a_request_is_cut_too(web, monkeypatch):
    monkeypatch.setattr(BoundedProtocol, "head_seconds", 0.2)
    reader, writer = await web.connect()
    writer.write(web.request("GET", "/", ("Connection",)))
    await reader.readuntil(b"\r\n\r\nhi")
    writer.write(b"GET / HT")
    async with asyncio.timeout(30):
        with suppress(ConnectionError):
            assert await reader.read() == b""
    writer.close()


async def test_a_head_in_pieces_is_whole_in_the_end(web):
    reader, writer = await web.connect()
    for piece in (b"GET / HTTP/1.1\r\nHo", f"st: {web.host}\r\n\r\n".encode()):
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0.02)
    assert (await reader.readline()).startswith(b"HTTP/1.1 200")
    writer.close()


async def test_a_slow_body_is_cut(monkeypatch):
    monkeypatch.setattr(guards.Guard.__init__, "__kwdefaults__", {"body_seconds": 0.2})
    async with serving(*ROUTES) as web:
        request = web.request("POST", "/api/echo", ["Content-Length: 20"], b"{")
        reply = await web.raw(request)
    assert (reply.status, reply.code) == (408, "server.too-slow")


async def test_a_flood_of_headers_is_refused(web):
    many = [f"X-{number}: {'a' * 100}" for number in range(400)]
    assert (await web.get("/", *many)).status == 431
    endless = b"GET / HTTP/1.1\r\n" + b"X: a\r\n" * 4000
    assert (await web.raw(endless)).status == 400


async def test_of_too_many_connections_the_oldest_stranger_makes_way(web):
    held = [await web.connect() for _ in range(MOST_CONNECTIONS)]
    try:
        assert (await web.get("/")).status == 200
        assert await asyncio.wait_for(held[0][0].read(), 30) == b""
        assert not held[1][0].at_eof()
    finally:
        for _, writer in held:
            writer.close()


async def test_who_does_not_read_is_cut(tmp_path, monkeypatch):
    monkeypatch.setattr(BoundedProtocol, "read_seconds", 0.3)
    large = tmp_path / "large"
    large.write_bytes(b"x")
    os.truncate(large, 64 << 20)

    opened = []

    async def give(_):
        opened.append(large.open("rb", buffering=0))
        return FileReply(file=opened[0], size=64 << 20, name="l")

    async with serving(route("/api/large", give, kind="file")) as web:
        reader, writer = await web.connect()
        writer.write(web.request("GET", "/api/large"))
        await until(lambda: opened and opened[0].closed)  # it has given up
        received = 0
        with suppress(ConnectionError):
            while block := await reader.read(1 << 20):
                received += len(block)
        assert received < 64 << 20
        writer.close()


async def test_a_stream_goes_on_where_it_broke_and_ends_with_the_server():
    feed = Feed()

    async def follow(call):
        return feed.follow(call.number("after"))

    for number in (1, 2):
        feed.publish(WorkspaceMessage(sequence=number, kind="folder"))
    async with serving(
        route("/api/events", follow, kind="events", query=(_AFTER,))
    ) as web:
        reading = asyncio.create_task(web.get("/api/events?after=1"))
        await until(lambda: feed._followers)
        feed.publish(WorkspaceMessage(sequence=3, kind="folder"))
        await asyncio.sleep(0.02)
    reply = await reading

    assert reply.headers["content-type"] == "text/event-stream"
    assert b"id: 1\n" not in reply.body
    assert b"id: 2\n" in reply.body
    assert b"id: 3\n" in reply.body
    assert not feed._followers


async def test_a_page_that_leaves_ends_its_stream():
    feed = Feed()

    async def follow(call):
        return feed.follow(0)

    async with serving(route("/api/events", follow, kind="events")) as web:
        reader, writer = await web.connect()
        writer.write(web.request("GET", "/api/events"))
        await reader.readline()
        await until(lambda: feed._followers)
        writer.close()
        await until(lambda: not feed._followers)


# -- where it listens ---------------------------------------------------


def test_it_listens_on_loopback_alone_and_hands_the_listener_to_nobody():
    with listen() as listener:
        assert listener.socket.getsockname()[0] == "127.0.0.1"
        assert not listener.socket.get_inheritable()


def test_a_port_that_is_taken_is_told():
    with listen() as first:
        port = first.socket.getsockname()[1]
        with pytest.raises(LaoError) as caught, listen(port=port):
            pass
    assert caught.value.code == "ui.cannot-listen"
    assert "another program has it" in caught.value.problem.what


@pytest.fixture
def private(tmp_path):
    tmp_path.chmod(0o700)
    return tmp_path


async def test_a_unix_socket_is_its_owners_alone_and_goes_with_the_server(private):
    path = private / "lao.sock"
    async with serving(*ROUTES, path=path) as web:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        host = "Host: localhost:8080"
        own = "Origin: http://localhost:8080"
        get = web.request("GET", "/", [host])
        post = web.request("POST", "/api/echo", [host, own], b'{"link":"x"}')
        assert (await web.raw(get)).status == 200
        assert (await web.raw(post)).status == 200
    assert not path.exists()


@needs_root
async def test_somebody_else_is_not_heard_behind_a_unix_socket(private):
    path = private / "lao.sock"
    async with serving(path=path) as web:
        private.chmod(0o755)  # as if the folder's rights had failed
        path.chmod(0o777)
        await asyncio.to_thread(os.path.exists, path)
        got = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", _AS_NOBODY, str(path)),
            stdout=subprocess.PIPE,
            cwd="/",
        )
        out, _ = await asyncio.wait_for(got.communicate(), 30)
        control = await web.raw(web.request("GET", "/", ["Host: localhost"]))
    assert out == b"''\n"
    assert control.status == 200


_AS_NOBODY = """
import os, socket, sys
caller = socket.socket(socket.AF_UNIX)
for folder in list(map(str, __import__("pathlib").Path(sys.argv[1]).parents))[:-2]:
    os.chmod(folder, os.stat(folder).st_mode | 0o711)
os.setgid(65534); os.setuid(65534)
caller.connect(sys.argv[1])
try:
    caller.sendall(b"GET / HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n")
    print(repr(caller.recv(100).decode()))
except ConnectionError:
    print("''")
"""


def test_a_socket_in_a_folder_of_others_is_refused(tmp_path):
    tmp_path.chmod(0o755)
    with pytest.raises(UsageError) as caught, listen(path=tmp_path / "lao.sock"):
        pass
    assert caught.value.code == "ui.socket-not-private"


@pytest.mark.parametrize("name", ["gone/lao.sock", "a" * 120, "file"])
def test_a_socket_that_cannot_be_is_told(private, name):
    (private / "file").write_text("mine")
    with pytest.raises(UsageError) as caught, listen(path=private / name):
        pass
    assert caught.value.code == "ui.cannot-listen"
    assert (private / "file").read_text() == "mine"


def test_the_socket_of_a_killed_server_makes_way_and_that_of_a_live_one_does_not(
    private,
):
    path = private / "lao.sock"
    with socket.socket(socket.AF_UNIX) as killed:
        killed.bind(str(path))
    with listen(path=path):
        with pytest.raises(UsageError), listen(path=path):
            pass
        assert path.exists()


def test_tokens_of_one_server_mean_nothing_to_another():
    link = Tokens().new_link()
    assert Tokens().open_session(link) is None


def test_nothing_listens_on_a_relative_path_elsewhere(private, monkeypatch):
    monkeypatch.chdir(private)
    with listen(path=Path("lao.sock")):
        assert (private / "lao.sock").is_socket()
