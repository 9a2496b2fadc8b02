# SPDX-License-Identifier: Apache-2.0
"""Frames on a pipe: a fixed prefix, a JSON header, raw bytes; every bound is checked first.

    frame  = header length (u32, big-endian), body length (u32), header, body
    header = one JSON object in UTF-8

The other side may be hostile: a length is believed only below its bound, before
anything is allocated, and JSON is read strictly. Both sides of the pipe use this
module, so it needs no asyncio.
"""

import struct
from collections.abc import Callable

from msgspec import Struct

from lao.workers.strict_json import FrameError, decode_json, encode_json
from lao.workflow.values import JsonValue

PREFIX = struct.Struct(">II")
PIECE = 1 << 16  # what a pipe holds
HEADER_BYTES = 1 << 20
BODY_BYTES = 16 << 20


class TruncatedFrame(FrameError):
    """The stream ended inside a frame."""


class Frame(Struct, frozen=True, kw_only=True):
    """One message: what it is, and bytes that go with it.

    `size` is what it took on the pipe, where it was read from one.
    """

    header: dict[str, JsonValue]
    body: bytes = b""
    size: int = 0


class FrameBounds(Struct, frozen=True, kw_only=True):
    """How long the two parts of a frame may be, in bytes."""

    header: int = HEADER_BYTES
    body: int = BODY_BYTES


BOUNDS = FrameBounds()


def encode(frame: Frame, bounds: FrameBounds = BOUNDS) -> bytes:
    """Return the bytes of a frame; FrameError if the other side would refuse it."""
    header = encode_json(frame.header)
    _check_lengths(len(header), len(frame.body), bounds)
    return PREFIX.pack(len(header), len(frame.body)) + header + frame.body


class FrameSplitter:
    """Cuts the bytes of a stream into frames; they may come in any pieces.

    `read` reads a header. State: the bytes that came, and where among them the next
    frame begins. They are never more than the longest frame and the last piece, if
    every frame is taken as soon as it is whole.
    """

    def __init__(self, read: Callable[[bytes], JsonValue] = decode_json) -> None:
        self.bounds = BOUNDS
        self._read = read
        self._left: bytes | bytearray = b""
        self._at = 0

    def add(self, data: bytes) -> None:
        """Take the next piece of the stream."""
        if self._at == len(self._left):
            self._left = data
        elif self._at or isinstance(self._left, bytes):
            self._left = bytearray(self._left[self._at :]) + data
        else:
            self._left += data
        self._at = 0

    def next(self) -> Frame | None:
        """Return the next frame; None while it is not whole.

        Raises:
            FrameError: its lengths are past their bounds, or its header is refused.
        """
        start = self._at + PREFIX.size
        if len(self._left) < start:
            return None
        header, body = PREFIX.unpack_from(self._left, self._at)
        _check_lengths(header, body, self.bounds)
        middle = start + header
        end = middle + body
        if len(self._left) < end:
            return None
        with memoryview(self._left) as whole:
            head, tail = bytes(whole[start:middle]), bytes(whole[middle:end])
        found = self._read(head)
        if not isinstance(found, dict):
            raise FrameError("the header is not a JSON object")
        self._at = end
        return Frame(header=found, body=tail, size=PREFIX.size + header + body)

    def end(self) -> None:
        """Hear that the stream is over; TruncatedFrame if that was inside a frame."""
        if self._at < len(self._left):
            raise TruncatedFrame("the stream ends inside a frame")


def read_frame(read: Callable[[int], bytes], splitter: FrameSplitter) -> Frame | None:
    """Return the next frame, waiting for it; None where the stream ends before it.

    `read(n)` returns at most `n` bytes, none at the end. What it returns past the frame
    is kept in `splitter`.
    """
    while (frame := splitter.next()) is None:
        data = read(PIECE)
        if not data:
            splitter.end()
            return None
        splitter.add(data)
    return frame


def _check_lengths(header: int, body: int, bounds: FrameBounds) -> None:
    if header > bounds.header:
        raise FrameError(f"a header of {header} bytes; at most {bounds.header}")
    if body > bounds.body:
        raise FrameError(f"a body of {body} bytes; at most {bounds.body}")
