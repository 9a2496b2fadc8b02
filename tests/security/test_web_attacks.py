# SPDX-License-Identifier: Apache-2.0
"""What other pages, other users and other programs try at the editor's server: 0 accepted.

Each row is bytes on a connection and the answers that refuse them. For each group there
is a control, which differs from the attacks in nothing but what they get wrong.
"""

import asyncio
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest
import pytest_asyncio
from tests.web import editing, parse

from lao.config import load_settings
from lao.server.answers import INLINE_TYPES
from lao.server.protocol import BoundedProtocol

pytestmark = [pytest.mark.linux, pytest.mark.asyncio(loop_scope="module")]
needs_root = pytest.mark.skipif(
    os.geteuid() != 0, reason="only root can become somebody else"
)
SETTINGS = load_settings({"HOME": "/nowhere", "LAO_ENDPOINT": "http://127.0.0.1:1"})
WORKFLOW = "lao: 1\nname: w\nsteps:\n  - id: a\n    uses: summarize\n    with: { text: Hello. }\n"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HTML = b"<!doctype html><script>alert(1)</script><img src=http://evil.example/>"
NO_ANSWER = 0


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside")
    (outside / "secret.yaml").write_text(WORKFLOW)
    (outside / "secret.wav").write_bytes(b"RIFF\0\0\0\0WAVEsecret")
    root = tmp_path_factory.mktemp("a folder")
    (root / "w.yaml").write_text(WORKFLOW)
    (root / "sound.wav").write_bytes(b"RIFF\0\0\0\0WAVEfmt ")
    (root / "drawing.svg").write_bytes(SVG)
    (root / "page.html").write_bytes(HTML)
    (root / "page.png").write_bytes(HTML)
    (root / ".hidden.yaml").write_text(WORKFLOW)
    (root / "link.yaml").symlink_to(outside / "secret.yaml")
    (root / "link.wav").symlink_to(outside / "secret.wav")
    (root / "way").symlink_to(outside)
    os.mkfifo(root / "pipe.wav")
    return root


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def web(folder):
    async with editing(folder, SETTINGS) as running:
        yield running


# -- who asks -----------------------------------------------------------

READ, WRITE = ("GET", "/api/server"), ("POST", "/api/links")
REQUESTS = {
    # name: (method, target, headers, the answers that refuse it)
    "a rebound name": (*READ, ["Host: evil.example:{port}"], {421}),
    "localhost": (*READ, ["Host: localhost:{port}"], {421}),
    "a trailing dot": (*READ, ["Host: 127.0.0.1.:{port}"], {421}),
    "userinfo in the host": (*READ, ["Host: 127.0.0.1:{port}@evil.example"], {421}),
    "another port": (*READ, ["Host: 127.0.0.1:1"], {421}),
    "no port": (*READ, ["Host: 127.0.0.1"], {421}),
    "all addresses": (*READ, ["Host: 0.0.0.0:{port}"], {421}),
    "a decimal address": (*READ, ["Host: 2130706433:{port}"], {421}),
    "an IPv6 name": (*READ, ["Host: [::1]:{port}"], {421}),
    "no host": (*READ, ["Host"], {400, 421}),
    "an empty host": (*READ, ["Host:"], {400, 421}),
    "two hosts": (*READ, ["Host: {host}", "Host: {host}"], {400}),
    "a second host": (*READ, ["Host: {host}", "Host: evil.example"], {400}),
    "another origin": (*WRITE, ["Origin: http://evil.example"], {403}),
    "an origin of nobody": (*WRITE, ["Origin: null"], {403}),
    "no origin": (*WRITE, ["Origin"], {403}),
    "an origin on another port": (*WRITE, ["Origin: http://127.0.0.1:1"], {403}),
    "an origin called localhost": (*WRITE, ["Origin: http://localhost:{port}"], {403}),
    "an origin with a tail": (*WRITE, ["Origin: http://{host}.evil.example"], {403}),
    "two origins": (*WRITE, ["Origin: http://{host}", "Origin: http://{host}"], {400}),
    "a read of nobody": (*READ, ["Origin: null"], {403}),
    "a read of another origin": (*READ, ["Origin: http://evil.example"], {403}),
    "another site": (*READ, ["Sec-Fetch-Site: cross-site"], {403}),
    "a sibling site": (*WRITE, ["Sec-Fetch-Site: same-site"], {403}),
    "two sites": (
        *READ,
        ["Sec-Fetch-Site: same-origin", "Sec-Fetch-Site: cross-site"],
        {400},
    ),
    "a link to the API": (
        *READ,
        [
            "Sec-Fetch-Site: cross-site",
            "Sec-Fetch-Mode: navigate",
            "Sec-Fetch-Dest: document",
        ],
        {403},
    ),
    "a frame of the page": (
        "GET",
        "/",
        [
            "Sec-Fetch-Site: cross-site",
            "Sec-Fetch-Mode: navigate",
            "Sec-Fetch-Dest: iframe",
        ],
        {403},
    ),
    "plain text": (*WRITE, ["Content-Type: text/plain"], {415}),
    "a form": (*WRITE, ["Content-Type: application/x-www-form-urlencoded"], {415}),
    "an upload": (*WRITE, ["Content-Type: multipart/form-data; boundary=a"], {415}),
    "JSON as text": (*WRITE, ["Content-Type: text/plain; application/json"], {415}),
    "no type": (*WRITE, ["Content-Type"], {415}),
    "no token": (*READ, ["Authorization"], {401}),
    "a wrong token": (*READ, ["Authorization: Bearer " + "A" * 43], {401}),
    "a part of a token": (*READ, ["Authorization: Bearer {part}"], {401}),
    "another scheme": (*READ, ["Authorization: Basic {session}"], {401}),
    "a token in a cookie": (*READ, ["Authorization", "Cookie: token={session}"], {401}),
    "two tokens": (
        *READ,
        ["Authorization: Bearer x", "Authorization: Bearer {session}"],
        {400},
    ),
    "a token in the address": (
        "GET",
        "/api/server?token={session}",
        ["Authorization"],
        {401},
    ),
    "a read that writes": ("GET", "/api/links", [], {405}),
    "a method in a header": (
        *WRITE[:1],
        "/api/folder",
        ["X-HTTP-Method-Override: GET"],
        {405},
    ),
    "OPTIONS": (
        "OPTIONS",
        "/api/links",
        ["Origin: http://evil.example", "Access-Control-Request-Method: POST"],
        {403, 405},
    ),
    "TRACE": ("TRACE", "/", [], {405}),
    "CONNECT": ("CONNECT", "evil.example:443", [], {400, 405}),
    "PUT": ("PUT", "/api/links", ["Origin: http://{host}"], {405}),
    "DELETE": ("DELETE", "/api/links", ["Origin: http://{host}"], {405}),
    "HEAD": ("HEAD", "/", [], {405}),
    "a WebSocket": (
        "GET",
        "/",
        [
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
        ],
        {400},
    ),
    "HTTP/2 over TCP": (
        "GET",
        "/",
        ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AA"],
        {400},
    ),
    "dots": ("GET", "/../../etc/passwd", [], {400}),
    "dots among the files": ("GET", "/assets/../../server/app.py", [], {400}),
    "encoded dots": ("GET", "/assets/%2e%2e/%2e%2e/app.py", [], {400}),
    "doubly encoded dots": ("GET", "/assets/%252e%252e/app.py", [], {400}),
    "an encoded slash": ("GET", "/assets%2f..%2fapp.py", [], {400}),
    "two slashes": ("GET", "//etc/passwd", [], {400}),
    "a backslash": ("GET", "/assets\\..\\app.py", [], {400}),
    "a NUL": ("GET", "/assets/a%00.js", [], {400}),
    "an absolute form": ("GET", "http://{host}/api/server", [], {400}),
    "somebody else's form": ("GET", "http://evil.example/", [], {400}),
    "an asterisk": ("GET", "*", [], {400}),
    "no path": ("GET", "?path=x", [], {400}),
    "a fragment": ("GET", "/#token", [], {400}),
    "the sources": ("GET", "/app.py", [], {404}),
    "a chunked body": (*WRITE, ["Transfer-Encoding: chunked"], {400, 411}),
    "a body with no length": (*WRITE, ["Content-Length"], {411}),
    "two lengths": (*WRITE, ["Content-Length: 2", "Content-Length: 3"], {400}),
    "a negative length": (*WRITE, ["Content-Length: -1"], {400}),
    "a huge length": (*WRITE, ["Content-Length: 99999999999"], {413}),
    "an endless length": (*WRITE, ["Content-Length: " + "9" * 99], {400, 413}),
    "too large a body": (*WRITE, [f"Content-Length: {(8 << 20) + 1}"], {413}),
    "a body of a read": (*READ, ["Content-Length: 2"], {400}),
    "a smuggled header": (*READ, ["X-A : b"], {400}),
    "a flood of headers": (*READ, [f"X-{n}: a" for n in range(100)], {431}),
    "a huge header": (*READ, ["X-A: " + "a" * 20_000], {400, 431}),
    "a long address": ("GET", "/" + "a" * 5000, [], {400}),
    "a long query": ("GET", "/api/server?a=" + "a" * 20_000, [], {400}),
    "an unknown parameter": ("GET", "/api/server?a=1", [], {400}),
    "a parameter twice": ("GET", "/api/document?path=w.yaml&path=w.yaml", [], {400}),
    "many parameters": ("GET", "/api/server?" + "a=1&" * 100, [], {400}),
}


def filled(text, web):
    port = web.host.rpartition(":")[2]
    return text.format(
        host=web.host, port=port, session=web.session, part=web.session[:-1]
    )


@pytest.mark.parametrize(
    ("method", "target", "headers", "refusals"), REQUESTS.values(), ids=REQUESTS
)
async def test_a_request_that_is_wrong_in_one_thing_is_refused(
    web, method, target, headers, refusals
):
    given = [filled(each, web) for each in headers]
    reply = await web.raw(web.request(method, filled(target, web), given))

    assert reply.status in refusals, reply.body
    assert "access-control-allow-origin" not in reply.headers
    assert web.session.encode() not in reply.body


@pytest.mark.parametrize(("method", "target"), [READ, WRITE, ("GET", "/")])
async def test_the_same_requests_are_right_without_it(web, method, target):
    same_origin = ["Sec-Fetch-Site: same-origin"]
    assert (await web.raw(web.request(method, target, same_origin))).status == 200


async def test_the_page_is_opened_by_a_link_and_by_hand(web):
    for site in ("none", "cross-site"):
        headers = [
            f"Sec-Fetch-Site: {site}",
            "Sec-Fetch-Mode: navigate",
            "Sec-Fetch-Dest: document",
            "Authorization",
        ]
        assert (await web.get("/", *headers)).status == 200


async def test_length_and_chunks_at_once_are_no_two_requests(web):
    smuggled = b"0\r\n\r\n" + web.request("GET", "/api/server")
    request = web.request(
        "POST", "/api/links", ["Transfer-Encoding: chunked"], smuggled
    )
    reply = await web.raw(request)

    assert reply.status in {400, 411}
    assert b"HTTP/1.1 200" not in reply.body


async def test_a_link_works_once_whoever_tries(web):
    link = web.tokens.new_link()
    attempts = [
        web.post("/api/session", {"link": link}, "Authorization") for _ in range(8)
    ]
    replies = await asyncio.gather(*attempts)
    assert sorted(each.status for each in replies) == [200] + [401] * 7


@pytest.mark.parametrize("link", ["", "x", "\0", "A" * 43, "a" * 5000])
async def test_a_wrong_link_opens_nothing(web, link):
    reply = await web.post("/api/session", {"link": link}, "Authorization")
    assert reply.status in {401, 413}


async def test_tokens_cannot_be_tried_out(folder):
    async with editing(folder, SETTINGS) as web:
        wrong = web.request("GET", "/api/server", ["Authorization: Bearer x"])
        statuses = [(await web.raw(wrong)).status for _ in range(62)]
        assert statuses == [401] * 60 + [429] * 2
        assert (await web.get("/api/server")).status == 200


# -- how it is sent -----------------------------------------------------


async def test_a_body_that_never_ends_is_not_waited_for_without_a_token(web):
    request = web.request(
        "POST", "/api/links", ["Authorization", "Content-Length: 8000000"], b"{"
    )
    assert (await web.raw(request)).status == 401


async def test_what_follows_a_body_is_no_part_of_it(web):
    request = web.request("POST", "/api/links", ["Content-Length: 2"], b"{}garbage")
    assert (await web.raw(request)).status in {200, 400}


async def test_many_slow_heads_keep_nobody_out(web, monkeypatch):
    monkeypatch.setattr(BoundedProtocol, "head_seconds", 0.3)
    slow = [web.raw(b"GET / HTTP/1.1\r\nX-A: ") for _ in range(40)]
    attack = asyncio.gather(*slow)
    assert (await web.get("/api/server")).status == 200
    assert {each.status for each in await attack} == {NO_ANSWER}


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/0.9\r\n\r\n",
        b"GET /\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x00\x00\r\n\r\n",
        b"GET / HTTP/1.1\nHost: x\n\n",
        b"GET /\x00 HTTP/1.1\r\n\r\n",
        b"\r\n" * 50 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: \xff\xfe\r\n\r\n",
    ],
)
async def test_what_is_no_request_of_ours_is_not_answered_as_one(
    web, data, monkeypatch
):
    monkeypatch.setattr(BoundedProtocol, "head_seconds", 0.3)
    assert (await web.raw(data)).status in {NO_ANSWER, 400, 421}


# -- what is asked for --------------------------------------------------


def short(path):
    return repr(path[:30])


OUTSIDE = [
    "../outside/secret.yaml",
    "..",
    ".",
    "",
    "/etc/passwd",
    "//etc/passwd",
    "a/../../x.yaml",
    "w.yaml/",
    "./w.yaml",
    ".hidden.yaml",
    "link.yaml",
    "link.wav",
    "way/secret.yaml",
    "w.yaml\0.wav",
    "w.yaml\n",
    "\\..\\x",
    "file:///etc/passwd",
    "http://evil.example/x.yaml",
    "/proc/self/environ",
    "~/x.yaml",
    "a" * 5000,
    "a/" * 2000 + "x.yaml",
    "pipe.wav",
]


@pytest.mark.parametrize("path", OUTSIDE, ids=short)
@pytest.mark.parametrize(
    "target", ["/api/document", "/api/document/merge", "/api/file"]
)
async def test_no_path_leads_out_of_the_folder(web, target, path):
    reply = await web.get(f"{target}?path={quote(path, safe='')}")
    assert reply.status in {400, 403, 404, 422}, reply.body
    assert b"secret" not in reply.body.replace(path.encode(), b"")


async def test_paths_in_the_folder_are_given(web):
    assert (await web.get("/api/document?path=w.yaml")).status == 200
    assert (await web.get("/api/file?path=sound.wav")).status == 200


@pytest.mark.parametrize("path", [*OUTSIDE, "way/new.yaml", "new.sh", "new"], ids=short)
async def test_nothing_is_written_outside_or_under_another_kind_of_name(
    web, path, folder
):
    before = sorted(folder.parent.rglob("*"))
    created = await web.post("/api/files", {"path": path})
    opened = (await web.get("/api/document?path=w.yaml")).json
    order = {"path": "w.yaml", "version": opened["version"], "save_as": path}
    saved = await web.post("/api/document/save", order)

    assert created.status in {400, 403, 404, 409, 422}, created.body
    assert saved.status in {400, 403, 404, 409, 422}, saved.body
    made = set(folder.parent.rglob("*")) - set(before)
    assert {each.name for each in made} <= {".w.yaml.lao-journal"}


@pytest.mark.parametrize("name", ["drawing.svg", "page.html", "page.png", "w.yaml"])
async def test_what_could_run_in_a_page_is_only_ever_saved(web, name):
    reply = await web.get(f"/api/file?path={name}")

    assert reply.status == 200
    assert reply.headers["content-type"] == "application/octet-stream"
    assert reply.headers["content-disposition"].startswith("attachment")
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in reply.headers["content-security-policy"]


async def test_what_is_shown_is_of_a_closed_list(web):
    reply = await web.get("/api/file?path=sound.wav")
    assert reply.headers["content-type"] == "audio/wav"
    assert reply.headers["content-disposition"].startswith("inline")
    assert "sandbox" in reply.headers["content-security-policy"]
    assert not any("svg" in kind or "html" in kind for kind in INLINE_TYPES)


@pytest.mark.parametrize("value", ["1e999", "-1.5", '"\\ud800"', "[" * 20_000])
async def test_a_number_a_text_or_a_nest_that_no_page_sends_is_refused(web, value):
    body = f'{{"path":"w.yaml","version":{value}}}'.encode()
    reply = await web.raw(web.request("POST", "/api/document/undo", (), body))
    assert (reply.status, reply.code) == (400, "server.bad-body")


async def test_names_of_code_are_not_taken(web):
    for key in ("__class__", "argv", "module", "url", "env"):
        body = json.dumps({"path": "w.yaml", "version": 1, key: "os.system"}).encode()
        reply = await web.raw(web.request("POST", "/api/runs", (), body))
        assert reply.code == "server.bad-body"


# -- another user of this machine ---------------------------------------

_AS_NOBODY = """
import os, socket, sys
"127.0.0.1".encode("idna")  # nobody may not be able to read Python's own files
os.setgid(65534); os.setuid(65534)
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as caller:
    caller.sendall(sys.stdin.buffer.read())
    sys.stdout.buffer.write(b"".join(iter(lambda: caller.recv(65536), b"")))
"""


@needs_root
async def test_another_user_sees_the_page_and_nothing_behind_it(web):
    def ask(data):
        ended = subprocess.run(
            [sys.executable, "-I", "-c", _AS_NOBODY, web.host.rpartition(":")[2]],
            input=data,
            capture_output=True,
            cwd="/",
            check=True,
        )
        return parse(ended.stdout)

    without = web.request("GET", "/api/server", ["Authorization"])
    page = web.request("GET", "/", ["Authorization"])

    assert (await asyncio.to_thread(ask, without)).status == 401
    assert (await asyncio.to_thread(ask, page)).status == 200


def listeners():
    return Path("/proc/net/tcp").read_text("ascii").splitlines()[1:]


async def test_nobody_else_on_the_network_reaches_it(web):
    port = int(web.host.rpartition(":")[2])
    lines = await asyncio.to_thread(listeners)
    local = {line.split()[1] for line in lines if line.split()[3] == "0A"}
    assert {each for each in local if each.endswith(f":{port:04X}")} == {
        f"{socket.htonl(0x7F000001):08X}:{port:04X}"
    }
