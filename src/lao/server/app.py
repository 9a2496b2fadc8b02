# SPDX-License-Identifier: Apache-2.0
"""The app behind the guard: finds the route, decodes, answers; the edge for errors."""

import asyncio
import sys
import traceback
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping
from contextlib import aclosing
from typing import Any, Final

from lao.errors import LaoError
from lao.server.answers import (
    Answer,
    Send,
    defect,
    error_answer,
    file_answer,
    json_answer,
    with_safety,
)
from lao.server.guard import Receive
from lao.server.percent import decode_query
from lao.server.routes import Call, FileReply, Refusal, Route
from lao.server.streams import Numbered, as_event_stream

_MOST_PARAMETERS: Final = 16


class App:
    """Answers requests that the guard let through: files of the page, and the API.

    `shows_traces` prints the traceback of a defect to the terminal; a page never sees
    one. `close` ends every stream.
    """

    def __init__(
        self,
        routes: Iterable[Route],
        page: Mapping[str, Answer],
        *,
        shows_traces: bool = False,
    ) -> None:
        self._routes: dict[str, dict[str, Route]] = {}
        for route in routes:
            self._routes.setdefault(route.path, {})[route.method] = route
        self._page = page
        self._shows_traces = shows_traces
        self._closed = asyncio.Event()

    def close(self) -> None:
        """End every stream, and those that begin."""
        self._closed.set()

    async def __call__(
        self, scope: Mapping[str, Any], receive: Receive, send: Send
    ) -> None:
        """Answer one request; whatever goes wrong becomes an answer too."""
        try:
            answer = await self._answer(scope, receive)
        except LaoError as error:
            answer = error_answer(error)
        except Exception as error:  # noqa: BLE001  (the edge: a request is no reason to end)
            if self._shows_traces:
                traceback.print_exception(error, file=sys.stderr)
            answer = error_answer(defect(error))
        if isinstance(answer, Answer):
            await answer.give(send)
        else:
            await self._stream(answer, receive, send)

    async def _answer(
        self, scope: Mapping[str, Any], receive: Receive
    ) -> Answer | AsyncIterator[Numbered]:
        path, method = scope["path"], scope["method"]
        if path in self._page:
            return self._page[path] if method == "GET" else _no_method("GET")
        methods = self._routes.get(path)
        if methods is None:
            raise Refusal("server.unknown", f"there is no {path!r} here", status=404)
        route = methods.get(method)
        if route is None:
            return _no_method(", ".join(methods))
        content = (await receive())["body"]
        call = Call(
            query=route.read_query(_pairs(scope["query_string"])),
            body=route.read_body(content),
        )
        return _as_answer(route, await route.handler(call))

    async def _stream(
        self, messages: AsyncIterator[Numbered], receive: Receive, send: Send
    ) -> None:
        """Send events until they end, the page leaves, or the server closes."""
        kind = (b"content-type", b"text/event-stream")
        headers = with_safety((kind,))
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        async with asyncio.TaskGroup() as tasks:
            writing = tasks.create_task(_write(as_event_stream(messages), send))
            ends = [
                tasks.create_task(_until_gone(receive)),
                tasks.create_task(self._closed.wait()),
            ]
            for each in ends:
                each.add_done_callback(lambda _: writing.cancel())
            writing.add_done_callback(lambda _: [each.cancel() for each in ends])
        await send({"type": "http.response.body", "body": b""})


def _as_answer(route: Route, found: object) -> Answer | AsyncIterator[Numbered]:
    match found:
        case FileReply() if route.kind == "file":
            return file_answer(found)
        case AsyncIterator() if route.kind == "events":
            return found
        case _ if route.kind == "json":
            return json_answer(found)
        case _:
            raise TypeError(f"{route.path} gave a {type(found).__name__}")


def _no_method(allowed: str) -> Answer:
    refusal = Refusal("server.bad-method", f"only {allowed} here", status=405)
    return error_answer(refusal, headers=((b"allow", allowed.encode()),))


def _pairs(query: bytes) -> list[tuple[str, str]]:
    """Return the names and values of a query.

    Raises:
        Refusal: it cannot be read.
    """
    try:
        return list(decode_query(query, most=_MOST_PARAMETERS))
    except ValueError as error:  # UnicodeDecodeError is one
        what = "the query cannot be read"
        raise Refusal("server.bad-query", what, status=400) from error


async def _write(chunks: AsyncGenerator[bytes, None], send: Send) -> None:
    async with aclosing(chunks):
        async for chunk in chunks:
            message = {"type": "http.response.body", "body": chunk, "more_body": True}
            await send(message)


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue
