# SPDX-License-Identifier: Apache-2.0
"""The one guard in front of everything: who may ask, from where, and how much.

`refuse` is pure: it judges a request's head. `Guard` adds the token and reads the body,
within its bounds, before anything behind it sees the request.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from msgspec import Struct

from lao.server.answers import Answer, Header, Send, error_answer
from lao.server.routes import Refusal
from lao.server.tokens import Tokens

Receive = Callable[[], Awaitable[Any]]  # ASGI's, whose messages are its server's type
App = Callable[[Mapping[str, Any], Receive, Send], Awaitable[None]]

SESSION: Final = "/api/session"
PROOF: Final = "/api/proof"
SIGNED_IN: Final = "lao.signed-in"
"""What the state of a request with a right token holds."""
LARGEST_BODY: Final = 8 << 20
_LARGEST_WITHOUT_TOKEN: Final = 1 << 10
_BODY_SECONDS: Final = 10.0
_LONGEST_QUERY: Final = 16 << 10
_LONGEST_PATH: Final = 1 << 10
_MOST_HEADERS: Final = 64
_LARGEST_HEADERS: Final = 16 << 10

# No "%", no backslash, no dots that lead upwards: what our paths are made of.
_PATH: Final = re.compile(rb"/(?:[A-Za-z0-9_-][A-Za-z0-9._-]*(?:/|$))*", re.ASCII)
_TUNNELLED: Final = re.compile(
    r"(?:127\.0\.0\.1|localhost|\[::1\])(?::[1-9][0-9]{0,4})?", re.ASCII
)
# What may not come twice: two readers could choose differently.
_ONCE: Final = (
    b"authorization",
    b"content-length",
    b"content-type",
    b"expect",
    b"host",
    b"origin",
    b"sec-fetch-dest",
    b"sec-fetch-mode",
    b"sec-fetch-site",
    b"transfer-encoding",
)


class Head(Struct, frozen=True, kw_only=True):
    """The head of a request; names of headers are in lower case."""

    method: str
    path: bytes
    query: bytes = b""
    headers: tuple[Header, ...] = ()

    def header(self, name: bytes) -> str | None:
        """Return the value of a header, None if it is absent."""
        for each, value in self.headers:
            if each == name:
                return value.decode("latin-1")
        return None

    @property
    def length(self) -> int:
        """The length of the body as it is announced."""
        return int(self.header(b"content-length") or 0)


class Address(Struct, frozen=True, kw_only=True):
    """The server's own address. Behind a unix socket a tunnel may have any port."""

    host: str | None

    def is_own(self, host: str | None) -> bool:
        """Whether a request asks for this server by its own name."""
        if host is None:
            return False
        if self.host is None:
            return _TUNNELLED.fullmatch(host) is not None
        return host == self.host


def refuse(head: Head, address: Address) -> Refusal | None:
    """Return why a request is refused for its head alone; None if it is not."""
    names = [name for name, _ in head.headers]
    size = sum(len(name) + len(value) for name, value in head.headers)
    if len(names) > _MOST_HEADERS or size > _LARGEST_HEADERS:
        return _refusal("server.too-large", "there are too many headers", 431)
    if any(names.count(name) > 1 for name in _ONCE):
        return _refusal("server.bad-request", "a header is given twice", 400)
    if not address.is_own(head.header(b"host")):
        return _refusal("server.wrong-host", "this server has another name", 421)
    is_long = len(head.path) > _LONGEST_PATH or len(head.query) > _LONGEST_QUERY
    if is_long or not _PATH.fullmatch(head.path):
        return _refusal("server.bad-request", "the address cannot be used", 400)
    if head.method not in ("GET", "POST"):
        return _refusal("server.bad-method", f"there is no {head.method} here", 405)
    if head.header(b"upgrade") is not None:
        return _refusal("server.bad-request", "there is no other protocol here", 400)
    return _refuse_origin(head) or _refuse_body(head)


def _refuse_origin(head: Head) -> Refusal | None:
    """Refuse what another page sends, or another site's link wants of the API."""
    own = f"http://{head.header(b'host')}"
    origin = head.header(b"origin")
    if origin != own and not (origin is None and head.method == "GET"):
        return _refusal("server.wrong-origin", "another page asks", 403)
    site = head.header(b"sec-fetch-site")
    if site in (None, "same-origin") or _opens_page(head):
        return None
    return _refusal("server.wrong-origin", "another site asks", 403)


def _opens_page(head: Head) -> bool:
    """Whether somebody opens the page itself: typed its address, or followed a link.

    The file that LAO has a browser open is a site of its own, so it must be allowed to
    lead here. The page does nothing without a token, and nobody can frame it.
    """
    is_navigation = head.header(b"sec-fetch-mode") == "navigate"
    is_whole = head.header(b"sec-fetch-dest") == "document"
    return head.method == "GET" and head.path == b"/" and is_navigation and is_whole


def _refuse_body(head: Head) -> Refusal | None:
    if head.header(b"transfer-encoding") is not None:
        return _refusal("server.bad-request", "a body must say its length", 411)
    length = head.header(b"content-length")
    if head.method == "GET":
        if length not in (None, "0"):
            return _refusal("server.bad-request", "a GET has no body", 400)
        return None
    if length is None:
        return _refusal("server.bad-request", "a body must say its length", 411)
    if head.header(b"content-type") != "application/json":
        return _refusal("server.not-json", "a body must be application/json", 415)
    most = _LARGEST_WITHOUT_TOKEN if _needs_no_token(head) else LARGEST_BODY
    if not (length.isascii() and length.isdigit()):
        return _refusal("server.bad-request", "a length is a number", 400)
    if len(length) > 16 or int(length) > most:
        return _refusal("server.too-large", f"a body has at most {most} bytes", 413)
    return None


def _refusal(code: str, what: str, status: int) -> Refusal:
    return Refusal(code, what, status=status)


class Guard:
    """Lets a request through that comes from the page, with a token, whole and in time.

    What is behind it gets the whole body in one message. Only the page itself, and the
    requests by which both sides come to know each other, need no token.
    """

    def __init__(
        self,
        app: App,
        *,
        address: Address,
        tokens: Tokens,
        body_seconds: float = _BODY_SECONDS,
    ) -> None:
        self._app = app
        self._address = address
        self._tokens = tokens
        self._body_seconds = body_seconds

    async def __call__(
        self, scope: Mapping[str, Any], receive: Receive, send: Send
    ) -> None:
        """Answer a request, or let the app answer it."""
        head = Head(
            method=scope["method"],
            path=scope["raw_path"],
            query=scope["query_string"],
            headers=tuple(scope["headers"]),
        )
        refusal = refuse(head, self._address) or self._refuse_token(head)
        if refusal is None and not _needs_no_token(head):
            scope.get("state", {})[SIGNED_IN] = True
        if refusal is not None:
            await _closing(refusal).give(send)
            return
        try:
            async with asyncio.timeout(self._body_seconds):
                content = await _read(head.length, receive)
        except TimeoutError:
            late = _refusal("server.too-slow", "the body did not come in time", 408)
            await _closing(late).give(send)
            return
        if content is not None:
            await self._app(scope, _with_body(content, receive), send)

    def _refuse_token(self, head: Head) -> Refusal | None:
        """Refuse a request without a session's token, before its body is read."""
        if _needs_no_token(head):
            return None
        kind, _, token = (head.header(b"authorization") or "").partition(" ")
        if kind == "Bearer" and self._tokens.is_open(token.encode("latin-1")):
            return None
        return wrong_token(self._tokens)


def _needs_no_token(head: Head) -> bool:
    path = head.path.decode()
    return not path.startswith("/api/") or path in (SESSION, PROOF)


def wrong_token(tokens: Tokens) -> Refusal:
    """Count a wrong token; return the refusal of whoever gave it."""
    if tokens.count_wrong():
        what = "too many requests without a right token"
        return Refusal("server.too-many", what, status=429, mend="wait a minute")
    return Refusal(
        "server.no-token",
        "this page is not signed in",
        status=401,
        mend="open a new link: press Enter in the terminal where `lao ui` runs",
    )


def _closing(refusal: Refusal) -> Answer:
    """Return a refusal that ends the connection: its body is left unread."""
    headers: list[Header] = [(b"connection", b"close")]
    match refusal.status:
        case 401:
            headers.append((b"www-authenticate", b"Bearer"))
        case 405:
            headers.append((b"allow", b"GET, POST"))
        case 429:
            headers.append((b"retry-after", b"60"))
        case _:
            pass
    return error_answer(refusal, headers=tuple(headers))


async def _read(length: int, receive: Receive) -> bytes | None:
    """Return a body; None if its sender left before its end.

    Its length was announced and bounded; h11 lets no more through.
    """
    content = bytearray()
    while len(content) < length:
        message = await receive()
        if message["type"] != "http.request":
            return None
        content += message["body"]
        if not message["more_body"] and len(content) < length:
            return None
    return bytes(content)


def _with_body(content: bytes, receive: Receive) -> Receive:
    """Return a way to receive a body that is here already, and then the rest."""
    waiting: list[dict[str, object]] = [
        {"type": "http.request", "body": content, "more_body": False}
    ]

    async def receive_next() -> object:
        if waiting:
            return waiting.pop()
        while (message := await receive())["type"] == "http.request":
            continue
        return message

    return receive_next
