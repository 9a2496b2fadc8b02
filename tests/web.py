# SPDX-License-Identifier: Apache-2.0
"""The editor's server on a port of its own, spoken to in raw bytes."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from lao.config import Settings
from lao.editor.folder import Folder
from lao.isolation.confinement import unconfined
from lao.server.answers import Answer
from lao.server.app import App
from lao.server.listening import Listener, listen
from lao.server.routes import Route
from lao.server.serving import answering
from lao.server.sessions import Links, session_routes
from lao.server.site import Site, serve
from lao.server.tokens import Tokens

PAGE = {
    "/": Answer(
        headers=((b"content-type", b"text/html; charset=utf-8"),), content=b"hi"
    ),
    "/assets/a-1.js": Answer(
        headers=((b"content-type", b"text/javascript; charset=utf-8"),), content=b"1"
    ),
}


@dataclass(frozen=True)
class Reply:
    """What came back; a status of 0 is a connection that ended without an answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> dict:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        return self.json["problems"][0]["code"]


def parse(data: bytes) -> Reply:
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    if not first:
        return Reply(0, {}, b"")
    pairs = (line.split(": ", 1) for line in lines)
    headers = {name.lower(): value for name, value in pairs}
    return Reply(int(first.split()[1]), headers, body)


@dataclass(frozen=True)
class Web:
    """A running server, its address, and a session that is open."""

    listener: Listener
    tokens: Tokens
    session: str
    signed_in: list[str]

    @property
    def host(self) -> str:
        return self.listener.host or "localhost"

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        address = self.listener.socket.getsockname()
        if isinstance(address, str):
            return await asyncio.open_unix_connection(address)
        return await asyncio.open_connection(*address)

    async def raw(self, data: bytes, *, within: float = 30) -> Reply:
        """Send bytes as they are; return the answer once the connection has ended."""
        reader, writer = await self.connect()
        try:
            async with asyncio.timeout(within):
                writer.write(data)
                await writer.drain()
                return parse(await reader.read())
        except ConnectionError:
            return parse(b"")
        finally:
            writer.close()

    def request(
        self,
        method: str,
        target: str,
        headers: Sequence[str] = (),
        body: bytes | None = None,
    ) -> bytes:
        """Return a request that is right in everything that is not said otherwise.

        A header of which only a name is given ("Host") is left out.
        """
        usual = {
            "Host": self.host,
            "Authorization": f"Bearer {self.session}",
            "Connection": "close",
        }
        if method == "POST":
            body = b"{}" if body is None else body
            usual |= {
                "Origin": f"http://{self.host}",
                "Content-Type": "application/json",
                "Content-Length": str(len(body)),
            }
        given = {each.partition(":")[0].strip().lower() for each in headers}
        lines = [f"{method} {target} HTTP/1.1"]
        lines += [f"{n}: {v}" for n, v in usual.items() if n.lower() not in given]
        lines += [each for each in headers if ":" in each]
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body or b"")

    async def get(self, target: str, *headers: str) -> Reply:
        return await self.raw(self.request("GET", target, headers))

    async def post(self, target: str, body: object = None, *headers: str) -> Reply:
        content = json.dumps({} if body is None else body).encode()
        return await self.raw(self.request("POST", target, headers, content))


@asynccontextmanager
async def serving(
    *routes: Route, path: Path | None = None, page: Mapping[str, Answer] = PAGE
) -> AsyncIterator[Web]:
    """Serve these routes, and those by which a page signs in."""
    tokens, signed_in = Tokens(), []
    with listen(path=path) as listener:
        session = tokens.open_session(tokens.new_link())
        assert session is not None
        links = Links(tokens=tokens, url=listener.url)
        own = session_routes(links, lambda: signed_in.append(""))
        app = App([*own, *routes], page)
        async with answering(app, listener, tokens):
            yield Web(listener, tokens, session, signed_in)


@asynccontextmanager
async def editing(root: Path, settings: Settings) -> AsyncIterator[Web]:
    """Serve the whole editor for a folder; this process is not locked, workers are."""
    tokens = Tokens()
    session = tokens.open_session(tokens.new_link())
    assert session is not None
    with listen() as listener:
        site = Site(
            folder=Folder(root),
            settings=settings,
            page=PAGE,
            listener=listener,
            links=Links(tokens=tokens, url=listener.url),
            signed_in=lambda: None,
        )
        serving_it = asyncio.create_task(
            serve(site, confinement=unconfined(), store=None)
        )
        try:
            yield Web(listener, tokens, session, [])
        finally:
            serving_it.cancel()
            with suppress(asyncio.CancelledError):
                await serving_it
