# SPDX-License-Identifier: Apache-2.0
"""What a route of the server is: the app serves from it and the API is described by it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from io import FileIO
from typing import Final, Literal, TypeVar

import msgspec
from msgspec import Struct, field

from lao.editor.messages import DocumentView, Message
from lao.errors import LaoError

M = TypeVar("M", bound=Message)

LONGEST_TEXT: Final = 4096  # characters of a value in a query
_LARGEST_NUMBER: Final = 1 << 53  # what JavaScript counts without a gap


class Refusal(LaoError):
    """An answer with a status of its own; with 409 the `document` as it is now."""

    def __init__(
        self,
        code: str,
        what: str,
        *,
        status: int,
        mend: str = "",
        document: DocumentView | None = None,
    ) -> None:
        super().__init__(code, what, mend=mend)
        self.status = status
        self.document = document


class Parameter(Struct, frozen=True, kw_only=True):
    """A value in a query. A number is whole and not negative."""

    name: str
    about: str
    type: Literal["text", "number"] = "text"
    is_required: bool = True

    def read(self, text: str) -> str | int:
        """Return the value that a text stands for.

        Raises:
            ValueError: it stands for none.
        """
        if self.type == "text":
            if len(text) > LONGEST_TEXT:
                raise ValueError(f"it has more than {LONGEST_TEXT} characters")
            return text
        if not (text.isascii() and text.isdigit() and len(text) <= 16):
            raise ValueError("it must be a whole number")
        if int(text) > _LARGEST_NUMBER:
            raise ValueError("it is too large")
        return int(text)


class Call(Struct, frozen=True, kw_only=True):
    """One request, decoded: what the query says, and the body (None for a GET)."""

    query: Mapping[str, str | int] = field(default_factory=dict)
    body: Message | None = None

    def text(self, name: str) -> str:
        """Return a text of the query; "" if it was left out."""
        return str(self.query.get(name, ""))

    def number(self, name: str, default: int = 0) -> int:
        """Return a number of the query."""
        return int(self.query.get(name, default))

    def asks(self, kind: type[M]) -> M:
        """Return the body, which the app has decoded as the route says."""
        if not isinstance(self.body, kind):
            raise TypeError(f"the route's body is no {kind.__name__}")
        return self.body


class FileReply(Struct, frozen=True, kw_only=True):
    """An open file of `size` bytes, to be sent block by block and closed.

    `type` is its media type where a page may show it, else "".
    """

    file: FileIO
    size: int
    name: str
    type: str = ""


Handler = Callable[[Call], Awaitable[object]]


class Route(Struct, frozen=True, kw_only=True):
    """One thing that the page can ask for.

    A "json" handler returns a `reply`; an "events" handler an async iterator of
    `reply`, each with its `sequence`, which the app closes when the page leaves; a
    "file" handler a `FileReply`. They raise `LaoError`, which the app answers with.
    """

    method: Literal["GET", "POST"]
    path: str
    handler: Handler
    about: str
    reply: object
    kind: Literal["json", "events", "file"] = "json"
    query: Sequence[Parameter] = ()
    body: type[Message] | None = None

    def read_query(self, pairs: Sequence[tuple[str, str]]) -> dict[str, str | int]:
        """Return the values of a query, each known and given once.

        Raises:
            Refusal: it cannot be read so (`server.bad-query`).
        """
        known = {each.name: each for each in self.query}
        found: dict[str, str | int] = {}
        for name, text in pairs:
            if name not in known or name in found:
                why = "is given twice" if name in found else "is not known here"
                raise _bad_query(f"{name[:80]!r} {why}")
            try:
                found[name] = known[name].read(text)
            except ValueError as error:
                raise _bad_query(f"{name!r} cannot be used: {error}") from error
        missing = [
            n for n, each in known.items() if each.is_required and n not in found
        ]
        if missing:
            raise _bad_query(f"{missing[0]!r} is missing")
        return found

    def read_body(self, content: bytes) -> Message | None:
        """Return the body, decoded strictly.

        Raises:
            Refusal: it is no such message (`server.bad-body`).
        """
        if self.body is None:
            if content not in (b"", b"{}"):
                raise _bad_body("this takes no body but {}")
            return None
        try:
            return msgspec.json.decode(content, type=self.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise _bad_body(str(error)) from error


def _bad_query(what: str) -> Refusal:
    return Refusal("server.bad-query", f"the query: {what}", status=400)


def _bad_body(what: str) -> Refusal:
    return Refusal("server.bad-body", f"the body: {what}", status=400)
