# SPDX-License-Identifier: Apache-2.0
"""Frames: a round trip for what is right, FrameError and no allocation for the rest."""

import io
import tracemalloc

import pytest
from hypothesis import given, settings, strategies as st
from msgspec.structs import replace
from tests.unit.test_strict_json import json_values, words

from lao.workers.frames import (
    PIECE,
    PREFIX,
    Frame,
    FrameBounds,
    FrameSplitter,
    TruncatedFrame,
    encode,
    read_frame,
)
from lao.workers.strict_json import FrameError


def sized(frame):
    """What a reader makes of a frame: it knows how long it was."""
    return replace(frame, size=len(encode(frame)))


frames = st.builds(
    lambda header, body: sized(Frame(header=header, body=body)),
    st.dictionaries(words, json_values, max_size=5),
    st.binary(max_size=200),
)


def split(data, bounds=None):
    """Return the frames of a whole stream, which comes in one piece."""
    splitter = FrameSplitter()
    splitter.bounds = bounds or splitter.bounds
    splitter.add(data)
    found = list(iter(splitter.next, None))
    splitter.end()
    return found


@settings(max_examples=40)
@given(st.lists(frames, max_size=4), st.lists(st.integers(1, 90), min_size=1))
def test_frames_survive_however_their_bytes_come(many, sizes):
    stream = io.BytesIO(b"".join(map(encode, many)))
    splitter, found = FrameSplitter(), []
    while True:
        for size in sizes:
            splitter.add(stream.read(size))
            found += iter(splitter.next, None)
        if stream.tell() == len(stream.getbuffer()):
            break
    splitter.end()
    assert found == many == split(stream.getvalue())


@settings(max_examples=25)
@given(st.lists(frames, max_size=3))
def test_frames_in_a_row_are_read_one_by_one(many):
    stream, splitter = io.BytesIO(b"".join(map(encode, many))), FrameSplitter()
    assert list(iter(lambda: read_frame(stream.read, splitter), None)) == many


@settings(max_examples=40)
@given(frames, st.data())
def test_every_cut_frame_is_truncated(frame, data):
    whole = encode(frame)
    cut = whole[: data.draw(st.integers(1, len(whole) - 1))]
    with pytest.raises(TruncatedFrame):
        split(cut)
    with pytest.raises(TruncatedFrame):
        read_frame(io.BytesIO(cut).read, FrameSplitter())


@settings(max_examples=150)
@given(st.binary(max_size=300) | st.binary(max_size=60).map(lambda b: bytes(8) + b))
def test_garbage_gives_frames_or_frame_errors(data):
    try:
        found = split(data)
    except FrameError:
        return
    assert sum(frame.size for frame in found) == len(data)


def test_it_is_read_in_pieces_that_a_pipe_holds():
    frame, asked = Frame(header={}, body=b"x" * (3 * PIECE)), []
    stream = io.BytesIO(encode(frame))

    def read(count):
        asked.append(count)
        return stream.read(count)

    assert read_frame(read, FrameSplitter()).body == frame.body
    assert set(asked) == {PIECE}


@pytest.mark.parametrize(
    "lengths", [(2**32 - 1, 0), (2, 2**32 - 1), (101, 0), (2, 201)]
)
def test_lengths_past_their_bound_are_refused_before_anything_is_allocated(lengths):
    data = PREFIX.pack(*lengths) + b"{}"
    tracemalloc.start()
    with pytest.raises(FrameError, match="at most"):
        split(data, FrameBounds(header=100, body=200))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20


@pytest.mark.parametrize(
    "text",
    [
        '{"a": NaN}', '{"a": Infinity}', '{"a": -Infinity}', '{"a": 1e999}',
        '{"a": 1, "a": 2}', '{"a": {"b": 1, "b": 1}}', '{"a": ' + "9" * 41 + "}",
        '{"a": ' + "1" * 5000 + "}", '{"a": "\\ud800"}', "[]", "1", "null", "", "{", "{}x",
        '{"a": ' + "[" * 100_000, '{"a":' * 65 + "1" + "}" * 65, "\ufeff{}", '{"a":"\xff',
    ],
)  # fmt: skip
def test_headers_that_are_not_strict_json_objects_are_refused(text):
    header = text.encode("latin-1" if text.endswith("\xff") else "utf-8")
    with pytest.raises(FrameError):
        split(PREFIX.pack(len(header), 0) + header)


def test_a_frame_that_is_too_long_is_refused_when_sending():
    with pytest.raises(FrameError, match="at most"):
        encode(Frame(header={}, body=b"123"), FrameBounds(body=2))
