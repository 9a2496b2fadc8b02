# SPDX-License-Identifier: Apache-2.0
"""What the guard refuses for a request's head alone: each row is one way to be wrong."""

import pytest
from hypothesis import given, strategies as st

from lao.server.guard import Address, Head, refuse

HOST = "127.0.0.1:4711"
OWN = (("host", HOST), ("origin", f"http://{HOST}"))
TCP = Address(host=HOST)
SOCKET = Address(host=None)


def head(method, path, *headers):
    pairs = tuple((n.encode(), v.encode("latin-1")) for n, v in headers)
    return Head(method=method, path=path.encode("latin-1"), headers=pairs)


def get(path, *headers, host=HOST):
    return head("GET", path, ("host", host), *headers)


def post(*headers, origin=f"http://{HOST}", kind="application/json", length="2"):
    usual = (("content-type", kind), ("content-length", length), ("origin", origin))
    kept = tuple(each for each in usual if each[1] is not None)
    return head("POST", "/api/runs", ("host", HOST), *kept, *headers)


def status(request, address=TCP):
    refusal = refuse(request, address)
    return None if refusal is None else refusal.status


NAVIGATE = (("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document"))
RIGHT = {
    "the page": get("/"),
    "an asset": get("/assets/index-BdS3_x.js"),
    "the page, by a link elsewhere": get(
        "/", ("sec-fetch-site", "cross-site"), *NAVIGATE
    ),
    "the page, typed": get("/", ("sec-fetch-site", "none"), *NAVIGATE),
    "a read": get("/api/server", ("sec-fetch-site", "same-origin")),
    "a read with its origin": get("/api/server", OWN[1]),
    "an empty body": get("/api/server", ("content-length", "0")),
    "a write": post(),
}
WRONG = {
    "many headers": (get("/", *(("x-a", "") for _ in range(64))), 431),
    "large headers": (get("/", ("x-a", "a" * (16 << 10))), 431),
    "a long path": (get("/" + "a" * 1024), 400),
    "no host": (head("GET", "/"), 421),
    "a rebound name": (get("/", host="evil.example:4711"), 421),
    "localhost": (get("/", host="localhost:4711"), 421),
    "a trailing dot": (get("/", host="127.0.0.1.:4711"), 421),
    "userinfo": (get("/", host=f"a@{HOST}"), 421),
    "another port": (get("/", host="127.0.0.1:4712"), 421),
    "no port": (get("/", host="127.0.0.1"), 421),
    "a short address": (get("/", host="127.1:4711"), 421),
    "capital letters after it": (get("/", host=f"{HOST}X"), 421),
    "two hosts": (head("GET", "/", *OWN[:1], *OWN[:1]), 400),
    "two origins": (get("/", OWN[1], OWN[1]), 400),
    "two tokens": (get("/", ("authorization", "a"), ("authorization", "b")), 400),
    "two lengths": (post(("content-length", "2")), 400),
    "two types": (post(("content-type", "application/json")), 400),
    "two encodings": (
        post(("transfer-encoding", "a"), ("transfer-encoding", "b")),
        400,
    ),
    "dots": (get("/../etc/passwd"), 400),
    "dots within": (get("/assets/../../etc/passwd"), 400),
    "encoded dots": (get("/%2e%2e/etc/passwd"), 400),
    "an encoded slash": (get("/assets%2f..%2f"), 400),
    "two slashes": (get("//etc/passwd"), 400),
    "a backslash": (get("/assets\\..\\x"), 400),
    "a hidden name": (get("/.git/config"), 400),
    "a semicolon": (get("/api/server;x"), 400),
    "an absolute form": (get(f"http://{HOST}/"), 400),
    "an asterisk": (get("*"), 400),
    "nothing": (get(""), 400),
    "letters beyond ASCII": (get("/\xe9"), 400),
    "a line break": (get("/a\n"), 400),
    "OPTIONS": (head("OPTIONS", "/api/runs", *OWN), 405),
    "TRACE": (head("TRACE", "/", *OWN), 405),
    "PUT": (head("PUT", "/api/runs", *OWN), 405),
    "HEAD": (head("HEAD", "/", *OWN), 405),
    "another protocol": (get("/", ("upgrade", "websocket")), 400),
    "another origin": (post(origin="http://evil.example"), 403),
    "another origin's read": (
        get("/api/server", ("origin", "http://evil.example")),
        403,
    ),
    "an origin of nobody": (post(origin="null"), 403),
    "a read of nobody": (get("/api/server", ("origin", "null")), 403),
    "no origin": (post(origin=None), 403),
    "an origin's other port": (post(origin="http://127.0.0.1:1"), 403),
    "an origin with TLS": (post(origin=f"https://{HOST}"), 403),
    "another site": (get("/api/server", ("sec-fetch-site", "cross-site")), 403),
    "a sibling site": (post(("sec-fetch-site", "same-site")), 403),
    "no site": (get("/api/server", ("sec-fetch-site", "none")), 403),
    "a frame of the page": (
        get(
            "/",
            ("sec-fetch-site", "cross-site"),
            NAVIGATE[0],
            ("sec-fetch-dest", "iframe"),
        ),
        403,
    ),
    "an API in a window": (
        get("/api/file", ("sec-fetch-site", "cross-site"), *NAVIGATE),
        403,
    ),
    "a form": (post(kind="application/x-www-form-urlencoded"), 415),
    "plain text": (post(kind="text/plain"), 415),
    "JSON and more": (post(kind="application/json; charset=utf-8"), 415),
    "no type": (post(kind=None), 415),
    "no length": (post(length=None), 411),
    "chunks": (post(("transfer-encoding", "chunked")), 411),
    "chunks without length": (
        post(("transfer-encoding", "chunked"), length=None),
        411,
    ),
    "a body of a read": (get("/", ("content-length", "1")), 400),
    "too long": (post(length=str((8 << 20) + 1)), 413),
    "far too long": (post(length="9" * 30), 413),
    "a negative length": (post(length="-1"), 400),
    "a length in words": (post(length="two"), 400),
}


@pytest.mark.parametrize("request_", RIGHT.values(), ids=RIGHT)
def test_what_the_page_sends_passes(request_):
    assert status(request_) is None


@pytest.mark.parametrize(("request_", "expected"), WRONG.values(), ids=WRONG)
def test_what_anybody_else_sends_is_refused(request_, expected):
    assert status(request_) == expected


def test_a_token_of_a_link_comes_in_a_small_body():
    large = head(
        "POST",
        "/api/session",
        *OWN,
        ("content-type", "application/json"),
        ("content-length", "1025"),
    )
    assert status(large) == 413


@pytest.mark.parametrize(
    "name", ["127.0.0.1:8080", "localhost", "localhost:1", "[::1]:9"]
)
def test_a_tunnel_to_a_unix_socket_may_have_any_port_of_this_machine(name):
    assert status(get("/", host=name), SOCKET) is None


@pytest.mark.parametrize(
    "name", ["evil.example:8080", "127.0.0.1.evil.example", "a@localhost"]
)
def test_a_tunnel_has_no_other_name(name):
    assert status(get("/", host=name), SOCKET) == 421


@given(st.text(alphabet=st.characters(max_codepoint=255), max_size=30))
def test_a_path_that_passes_leads_nowhere_but_down(path):
    if status(get(path)) is None:
        parts = path.split("/")[1:]
        assert path.startswith("/")
        assert "" not in parts[:-1]
        assert not any(part.startswith(".") for part in parts)
        assert not set("%\\;?#") & set(path)
