# SPDX-License-Identifier: Apache-2.0
"""What the server answers: JSON, files, errors; and the headers that all answers have."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import nullcontext
from io import FileIO
from typing import Any, Final

import msgspec
from msgspec import Struct

from lao.editor.messages import DocumentView, ProblemView
from lao.errors import (
    InvalidWorkflow,
    LaoError,
    ModelUnavailable,
    Place,
    Problem,
    RefusedByPolicy,
    StoreError,
    UsageError,
)
from lao.server.messages import ErrorReply
from lao.server.percent import encode
from lao.server.routes import FileReply, Refusal

_BLOCK: Final = 1 << 18  # bytes of a file that are held at once
Header = tuple[bytes, bytes]
Send = Callable[[Any], Awaitable[None]]  # ASGI's, whose messages are its server's type

_PAGE: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    "media-src 'self' blob:; connect-src 'self'; font-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
_FILE: Final = "default-src 'none'; frame-ancestors 'none'; sandbox"
_NO_POWERS: Final = ", ".join(
    f"{power}=()"
    for power in (
        "accelerometer",
        "camera",
        "display-capture",
        "geolocation",
        "gyroscope",
        "hid",
        "idle-detection",
        "magnetometer",
        "microphone",
        "midi",
        "payment",
        "publickey-credentials-get",
        "serial",
        "usb",
        "xr-spatial-tracking",
    )
)
SAFETY: Final[tuple[Header, ...]] = (
    (b"content-security-policy", _PAGE.encode()),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-embedder-policy", b"require-corp"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
    (b"x-dns-prefetch-control", b"off"),
    (b"permissions-policy", _NO_POWERS.encode()),
)

# Media that a page may show or play; whatever else a file is, it is only saved.
INLINE_TYPES: Final = frozenset(
    {
        "audio/wav",
        "audio/flac",
        "audio/mpeg",
        "audio/ogg",
        "audio/mp4",
        "audio/webm",
        "image/png",
        "image/jpeg",
        "image/gif",
        "image/webp",
    }
)

_STATUS_OF_CODE: Final[Mapping[str, int]] = {
    "editor.stale": 409,
    "editor.conflict": 409,
    "editor.exists": 409,
    "editor.unknown-file": 404,
}


class Answer(Struct, frozen=True, kw_only=True):
    """A whole answer. `headers` beat those that all answers have.

    Its body is `content`, or the first `size` bytes of an open `file`.
    """

    status: int = 200
    headers: tuple[Header, ...] = ()
    content: bytes = b""
    file: FileIO | None = None
    size: int = 0

    async def give(self, send: Send) -> None:
        """Send it."""
        size = len(self.content) if self.file is None else self.size
        length = (b"content-length", str(size).encode())
        headers = [*with_safety(self.headers), length]
        with self.file or nullcontext():
            await send(
                {
                    "type": "http.response.start",
                    "status": self.status,
                    "headers": headers,
                }
            )
            if self.file is not None:
                await _send_blocks(self.file, size, send)
        await send({"type": "http.response.body", "body": self.content})


async def _send_blocks(file: FileIO, size: int, send: Send) -> None:
    """Send what a file held when it was opened; less, if it shrinks meanwhile."""
    while size > 0:
        block = await asyncio.to_thread(file.read, min(_BLOCK, size))
        if not block:
            return
        size -= len(block)
        await send({"type": "http.response.body", "body": block, "more_body": True})


def with_safety(headers: Iterable[Header]) -> list[Header]:
    """Return headers, and those of safety that they do not set themselves."""
    own = list(headers)
    names = {name for name, _ in own}
    return own + [each for each in SAFETY if each[0] not in names]


def json_answer(
    reply: object, *, status: int = 200, headers: tuple[Header, ...] = ()
) -> Answer:
    """Return a message, or a list of them, as JSON."""
    kind = (b"content-type", b"application/json")
    return Answer(
        status=status, headers=(kind, *headers), content=msgspec.json.encode(reply)
    )


def file_answer(reply: FileReply) -> Answer:
    """Return a file: media of a few types as they are, all else only to be saved."""
    is_inline = reply.type in INLINE_TYPES
    kind = reply.type if is_inline else "application/octet-stream"
    name = encode(reply.name)
    disposition = f"{'inline' if is_inline else 'attachment'}; filename*=UTF-8''{name}"
    return Answer(
        headers=(
            (b"content-type", kind.encode()),
            (b"content-disposition", disposition.encode()),
            (b"content-security-policy", _FILE.encode()),
        ),
        file=reply.file,
        size=reply.size,
    )


def error_answer(error: LaoError, *, headers: tuple[Header, ...] = ()) -> Answer:
    """Return what went wrong."""
    document = error.document if isinstance(error, Refusal) else None
    return json_answer(
        error_reply(error.problems, document), status=status_of(error), headers=headers
    )


def error_reply(
    problems: Iterable[Problem], document: DocumentView | None = None
) -> ErrorReply:
    """Return problems as the page reads them."""
    return ErrorReply(problems=[_view(each) for each in problems], document=document)


def defect(error: Exception) -> LaoError:
    """Return a defect of LAO's own, without its traceback."""
    return LaoError(
        "lao.defect",
        f"LAO ran into a defect of its own: {type(error).__name__}: {error}",
        mend="please report it; `lao ui --debug` prints where it happened",
    )


def status_of(error: LaoError) -> int:
    """Return the HTTP status that an error is answered with."""
    if isinstance(error, Refusal):
        return error.status
    if error.code in _STATUS_OF_CODE:
        return _STATUS_OF_CODE[error.code]
    if error.code.endswith(".unknown"):
        return 404
    match error:
        case InvalidWorkflow():
            return 422
        case UsageError():
            return 400
        case RefusedByPolicy():
            return 403
        case ModelUnavailable():
            return 424
        case StoreError():
            return 507 if error.code == "store.full" else 500
        case _:
            return 500 if error.code == "lao.defect" else 422


def _view(problem: Problem) -> ProblemView:
    place = problem.where if isinstance(problem.where, Place) else None
    return ProblemView(
        code=problem.code,
        what=problem.what,
        mend=problem.mend,
        line=place.line if place else 0,
        column=place.column if place else 0,
    )
