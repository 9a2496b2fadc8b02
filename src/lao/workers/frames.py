# SPDX-License-Identifier: Apache-2.0
"""Frames on a pipe: a fixed prefix, a JSON header, raw bytes; every bound is checked first.

    frame  = header length (u32, big-endian), body length (u32), header, body
    header = one JSON object in UTF-8

The other side may be hostile: a length is believed only below its bound, before
anything is allocated, and JSON is read strictly. Both sides of the pipe use this
module, so it needs only the standard library and no asyncio.
"""

import json
import math
import re
import struct
from collections.abc import Callable, Mapping
from typing import NoReturn, Protocol

from msgspec import Struct

from lao.workflow.values import JsonValue

PREFIX = struct.Struct(">II")
HEADER_BYTES = 1 << 20
BODY_BYTES = 16 << 20
DEPTH = 64
CONTAINERS = (
    1 << 20
)  # lists and objects: an empty one takes 3 bytes, and then 64 or more
_INTEGER_DIGITS = 40  # enough for every 128-bit integer and its sign

# Possessive, and the closing quote is optional: linear in any garbage.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.?)*+"?', re.DOTALL)
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_SURROGATE = re.compile(r"\\u[dD]")


class FrameError(Exception):
    """The bytes are not a frame that this side accepts; the text says why."""


class TruncatedFrame(FrameError):
    """The stream ended inside a frame."""


class Frame(Struct, frozen=True, kw_only=True):
    """One message: what it is, and bytes that go with it.

    `size` is what it took on the pipe, where it was read from one.
    """

    header: Mapping[str, JsonValue]
    body: bytes = b""
    size: int = 0


class FrameBounds(Struct, frozen=True, kw_only=True):
    """How long the two parts of a frame may be, in bytes."""

    header: int = HEADER_BYTES
    body: int = BODY_BYTES


BOUNDS = FrameBounds()


class ByteStream(Protocol):
    """What `read_frame` needs of an `asyncio.StreamReader`."""

    async def readexactly(self, n: int, /) -> bytes:
        """Return `n` bytes, or raise EOFError with what came as `partial`."""
        ...


def encode(frame: Frame, bounds: FrameBounds = BOUNDS) -> bytes:
    """Return the bytes of a frame; FrameError if the other side would refuse it."""
    header = encode_json(dict(frame.header))
    _check_lengths(len(header), len(frame.body), bounds)
    return PREFIX.pack(len(header), len(frame.body)) + header + frame.body


def decode(data: bytes, bounds: FrameBounds = BOUNDS) -> Frame:
    """Read the bytes of exactly one frame."""
    if len(data) < PREFIX.size:
        raise TruncatedFrame("the frame ends inside its prefix")
    header, body = _lengths(data[: PREFIX.size], bounds)
    middle = PREFIX.size + header
    if len(data) < middle + body:
        raise TruncatedFrame("the frame is shorter than it says")
    if len(data) > middle + body:
        raise FrameError("the frame is longer than it says")
    return _frame(data[PREFIX.size : middle], data[middle:])


async def read_frame(stream: ByteStream, bounds: FrameBounds = BOUNDS) -> Frame | None:
    """Read the next frame; None where the stream ends between two frames."""
    try:
        prefix = await stream.readexactly(PREFIX.size)
    except EOFError as error:
        if getattr(error, "partial", b""):
            raise TruncatedFrame("the stream ends inside a prefix") from None
        return None
    header, body = _lengths(prefix, bounds)
    try:
        head = await stream.readexactly(header)
        tail = await stream.readexactly(body)
    except EOFError:
        raise TruncatedFrame("the stream ends inside a frame") from None
    return _frame(head, tail)


def read_frame_blocking(
    read: Callable[[int], bytes], bounds: FrameBounds = BOUNDS
) -> Frame | None:
    """Like `read_frame`; `read(n)` returns at most `n` bytes, none at the end."""
    prefix = _read_exactly(read, PREFIX.size)
    if not prefix:
        return None
    header, body = _lengths(prefix, bounds)
    head = _read_exactly(read, header)
    tail = _read_exactly(read, body)
    if len(head) < header or len(tail) < body:
        raise TruncatedFrame("the stream ends inside a frame")
    return _frame(head, tail)


def encode_json(value: JsonValue) -> bytes:
    """Return compact JSON; FrameError for what JSON or UTF-8 cannot hold."""
    try:
        return _ENCODER.encode(value).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise FrameError(f"not JSON: {error}") from None


def decode_json(data: bytes) -> JsonValue:
    """Read JSON strictly.

    Refused: invalid UTF-8, lone surrogates, NaN and infinities, duplicate keys,
    integers past 128 bits or so, more than `DEPTH` levels or `CONTAINERS` parts.
    """
    _check_depth(data)
    try:
        text = data.decode()
        value: JsonValue = _DECODER.decode(text)
        if _SURROGATE.search(text):
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise FrameError(f"not the JSON we accept: {error}") from None
    return value


def _frame(header: bytes, body: bytes) -> Frame:
    found = decode_json(header)
    if not isinstance(found, dict):
        raise FrameError("the header is not a JSON object")
    return Frame(header=found, body=body, size=PREFIX.size + len(header) + len(body))


def _lengths(prefix: bytes, bounds: FrameBounds) -> tuple[int, int]:
    if len(prefix) < PREFIX.size:
        raise TruncatedFrame("the stream ends inside a prefix")
    header, body = PREFIX.unpack(prefix)
    _check_lengths(header, body, bounds)
    return header, body


def _check_lengths(header: int, body: int, bounds: FrameBounds) -> None:
    if header > bounds.header:
        raise FrameError(f"a header of {header} bytes; at most {bounds.header}")
    if body > bounds.body:
        raise FrameError(f"a body of {body} bytes; at most {bounds.body}")


def _read_exactly(read: Callable[[int], bytes], count: int) -> bytes:
    parts = bytearray()
    while len(parts) < count:
        part = read(min(count - len(parts), 1 << 20))
        if not part:
            break
        parts += part
    return bytes(parts)


def _check_depth(data: bytes) -> None:
    if data.count(b"[") + data.count(b"{") <= DEPTH:
        return
    brackets = _STRING.sub(b"", data).translate(None, _NOT_BRACKETS)
    if len(brackets) > 2 * CONTAINERS:
        raise FrameError(f"JSON of more than {CONTAINERS} lists and objects")
    depth = 0
    for bracket in brackets:
        depth += 1 if bracket in b"[{" else -1
        if depth > DEPTH:
            raise FrameError(f"JSON nested deeper than {DEPTH} levels")


def _object(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key occurs twice in one object")
    return found


def _integer(text: str) -> int:
    if len(text) > _INTEGER_DIGITS:
        raise ValueError(f"an integer of {len(text)} digits")
    return int(text)


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("a number too large for a float")
    return value


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")


# Made once: building them costs as much as a short frame does.
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_DECODER = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_int=_integer,
    parse_float=_number,
    parse_constant=_constant,
)
