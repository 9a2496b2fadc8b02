# SPDX-License-Identifier: Apache-2.0
"""Frames: a round trip for what is right, FrameError and no allocation for the rest."""

import asyncio
import contextlib
import io
import json
import time
import tracemalloc

import pytest
from hypothesis import given, settings, strategies as st

from lao.workers.frames import (
    CONTAINERS,
    DEPTH,
    PREFIX,
    Frame,
    FrameBounds,
    FrameError,
    TruncatedFrame,
    decode,
    decode_json,
    encode,
    encode_json,
    read_frame,
    read_frame_blocking,
)

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(min_value=-(2**127), max_value=2**127)
    | st.floats(allow_nan=False, allow_infinity=False)
    | words,
    lambda inner: (
        st.lists(inner, max_size=5) | st.dictionaries(words, inner, max_size=5)
    ),
    max_leaves=8,
)
frames = st.builds(
    lambda header, body: Frame(header=header, body=body),
    st.dictionaries(words, json_values, max_size=5),
    st.binary(max_size=200),
)


class Bytes:
    """A stream of bytes that records the largest read it was asked for."""

    def __init__(self, data):
        self.stream = io.BytesIO(data)
        self.largest = 0

    def read(self, n):
        self.largest = max(self.largest, n)
        return self.stream.read(n)


async def read_all(data):
    reader = asyncio.StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    found = []
    while (frame := await read_frame(reader)) is not None:
        found.append(frame)
    return found


@settings(max_examples=40)
@given(frames)
def test_a_frame_survives_a_round_trip(frame):
    assert decode(encode(frame)) == frame


@settings(max_examples=25)
@given(st.lists(frames, max_size=3))
def test_frames_in_a_row_are_read_one_by_one_by_both_readers(many):
    data = b"".join(map(encode, many))
    stream = Bytes(data)
    blocking = list(iter(lambda: read_frame_blocking(stream.read), None))
    assert blocking == many
    assert asyncio.run(read_all(data)) == many


@settings(max_examples=40)
@given(frames, st.data())
def test_every_cut_frame_is_truncated(frame, data):
    whole = encode(frame)
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
    with pytest.raises(TruncatedFrame):
        decode(cut)
    if cut:
        with pytest.raises(TruncatedFrame):
            asyncio.run(read_all(cut))
        with pytest.raises(TruncatedFrame):
            read_frame_blocking(Bytes(cut).read)


@settings(max_examples=400)
@given(st.binary(max_size=300) | st.binary(max_size=60).map(lambda b: bytes(8) + b))
def test_garbage_raises_nothing_but_frame_errors(data):
    stream = Bytes(data)
    for reader in (decode, lambda _: read_frame_blocking(stream.read)):
        with contextlib.suppress(FrameError):
            reader(data)
    assert stream.largest <= 1 << 20


@given(st.binary(max_size=60) | st.text('[]{}",:\\u0dD8eE+-.0123456789', max_size=60))
def test_strict_json_gives_a_value_or_a_frame_error(text):
    try:
        value = decode_json(text if isinstance(text, bytes) else text.encode())
    except FrameError:
        return
    assert decode_json(encode_json(value)) == value


@pytest.mark.parametrize(
    "lengths", [(2**32 - 1, 0), (2, 2**32 - 1), (101, 0), (2, 201)]
)
def test_lengths_past_their_bound_are_refused_before_anything_is_allocated(lengths):
    data = PREFIX.pack(*lengths) + b"{}"
    bounds = FrameBounds(header=100, body=200)
    tracemalloc.start()
    for attempt in (decode, lambda d, b: read_frame_blocking(Bytes(d).read, b)):
        with pytest.raises(FrameError, match="at most"):
            attempt(data, bounds)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20


@pytest.mark.parametrize(
    "text",
    [
        '{"a": NaN}', '{"a": Infinity}', '{"a": -Infinity}', '{"a": 1e999}',
        '{"a": 1, "a": 2}', '{"a": {"b": 1, "b": 1}}', '{"a": ' + "9" * 41 + "}",
        '{"a": ' + "1" * 5000 + "}", '{"a": "\\ud800"}', "[]", "1", "null", "", "{", "{}x",
        '{"a": ' + "[" * 100_000, '{"a":' * 65 + "1" + "}" * 65, "\ufeff{}",
    ],
)  # fmt: skip
def test_headers_that_are_not_strict_json_objects_are_refused(text):
    header = text.encode()
    with pytest.raises(FrameError):
        decode(PREFIX.pack(len(header), 0) + header)


def test_invalid_utf8_is_refused():
    with pytest.raises(FrameError):
        decode(PREFIX.pack(9, 0) + b'{"a":"\xff"}'[:9])
    with pytest.raises(FrameError):
        decode_json(b'"\xff"')


def test_depth_counts_brackets_outside_strings_only():
    deep = "[" * DEPTH + "]" * DEPTH
    assert decode_json(deep.encode())
    assert decode_json(json.dumps(['[{\\"' * 100] * 100).encode())
    with pytest.raises(FrameError, match="nested"):
        decode_json(f"[{deep}]".encode())


def test_few_bytes_do_not_become_much_memory():
    """An empty list takes 3 bytes here, and 64 once it is read."""
    brackets = json.dumps("[]{}" * CONTAINERS)
    assert decode_json(brackets.encode()) == "[]{}" * CONTAINERS
    with pytest.raises(FrameError, match="lists and objects"):
        decode_json(b"[" + b"[]," * CONTAINERS + b"0]")


def test_the_depth_check_is_linear_in_hostile_quotes():
    started = time.perf_counter()
    with pytest.raises(FrameError):
        decode_json(b"[" * 65 + b'\\"' * (1 << 19))
    assert time.perf_counter() - started < 2


@pytest.mark.parametrize("value", [float("nan"), "\ud800", {1: object()}, b"x"])
def test_what_json_cannot_hold_is_refused_when_sending(value):
    with pytest.raises(FrameError):
        encode(Frame(header={"a": value}))


def test_a_frame_that_is_too_long_is_refused_when_sending():
    with pytest.raises(FrameError, match="at most"):
        encode(Frame(header={}, body=b"123"), FrameBounds(body=2))
