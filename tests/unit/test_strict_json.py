# SPDX-License-Identifier: Apache-2.0
"""Strict JSON: what is written can be read; what is read is what the rules allow."""

import enum
import json
import time

import pytest
from hypothesis import example, given, settings, strategies as st
from tests.unit.plain_json_reader import read

from lao.workers.strict_json import (
    CONTAINERS,
    DEPTH,
    FrameError,
    decode_json,
    encode_json,
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
PIECES = [
    '"a"', '"a:b"', '"\\u003a"', '"\\u003A:"', '"\\\\u003a"', '"\\""', '"é"', '""', "{", "}",
    "[", "]", ":", ",", "1", "-1", "1.5", "1e999", "-0", "9" * 40, "9" * 41, "-" + "9" * 39,
    "-" + "9" * 40, "1e5", "true", "null", "NaN", "Infinity", " ", '"\\ud800"', '"\\ud83d\\ude00"',
    '{"a":1,', '"a":2}', '{"a":{', '"a":{}}', '"a":"\\u003a"}', '{"\\u0061":1,',
]  # fmt: skip
texts = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)


def outcome(reader, data):
    """What a reader makes of some bytes, with the types; None where it refuses."""
    try:
        return repr(reader(data))
    except (FrameError, ValueError):
        return None


@settings(max_examples=400)
@given(texts.map(str.encode) | st.binary(max_size=60))
@example(b'{"a":1,"a":2}')
@example(b'{"a":1,"a":"\\u003a"}')
@example(b'{"a":"\\u003a","b":1}')
@example(b'{"a":{"b":1,"b":":"},"c":"::"}')
@example(b'[{"a":"' + b"x" * 40 + b'","a":":"}]')
@example(b"-" + b"9" * 40)
@example(b'{"n":-' + b"9" * 39 + b"}")
@example(b"[" * 64 + b"]" * 64)
@example(b"[" * 65 + b"]" * 65)
@example(b'{"a":' * 64 + b"1" + b"}" * 64)
@example(b'{"a":' * 65 + b"1" + b"}" * 65)
@example(b'"\xed\xa0\x80"')
def test_it_reads_and_refuses_what_the_plain_reader_does(data):
    assert outcome(decode_json, data) == outcome(read, data)


@st.composite
def written(draw):
    """JSON as another writer puts it: with escapes, spaces and repeated keys."""
    pairs = st.lists(st.tuples(words, json_values), max_size=4)
    value = draw(pairs)
    if draw(st.booleans()):
        value = value + value[:1]
    escapes = draw(st.booleans())
    text = ",".join(
        f"{json.dumps(key, ensure_ascii=escapes)} :{json.dumps(each, ensure_ascii=escapes)}"
        for key, each in value
    )
    text = "{" + text + "}"
    if draw(st.booleans()):
        text = text.replace(":", "\\u003a", draw(st.integers(0, 3)))
    return text.encode()


@settings(max_examples=300)
@given(written())
def test_repeated_keys_are_found_however_they_are_written(data):
    assert outcome(decode_json, data) == outcome(read, data)


@given(json_values)
def test_what_is_written_is_read_as_it_was(value):
    assert decode_json(encode_json(value)) == value == read(encode_json(value))


odd_values = st.recursive(
    st.none()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.binary(max_size=3)
    | st.sampled_from([object(), 10**40, -(10**39), enum.IntEnum("E", "A").A]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner)
        | st.dictionaries(st.integers() | st.text(max_size=3) | st.none(), inner)
        | st.sets(st.integers(), max_size=2)
    ),
    max_leaves=6,
)


@settings(max_examples=300)
@given(odd_values)
def test_whatever_is_written_at_all_can_be_read(value):
    try:
        data = encode_json(value)
    except FrameError:
        return
    assert json.loads(data) == json.loads(json.dumps(value))
    assert decode_json(data) == read(data)


@pytest.mark.parametrize(
    "value",
    [float("nan"), [float("inf")], "\ud800", {"\ud800": 1}, {1: object()}, b"x", {1},
     10**40, [10**5000], {1: "a", "1": "b"}, [[10**40]]],
)  # fmt: skip
def test_what_json_cannot_hold_is_refused(value):
    with pytest.raises(FrameError):
        encode_json(value)


def test_what_holds_itself_is_refused():
    value = []
    value += [value, value]
    with pytest.raises(FrameError):
        encode_json(value)


def nested(levels):
    value = 1
    for _ in range(levels):
        value = [value]
    return value


def test_depth_has_one_bound_for_writing_and_reading():
    assert decode_json(encode_json(nested(DEPTH))) == nested(DEPTH)
    with pytest.raises(FrameError, match="nested"):
        encode_json(nested(DEPTH + 1))
    with pytest.raises(FrameError, match="nested"):
        decode_json(b"[" * (DEPTH + 1) + b"]" * (DEPTH + 1))


def test_brackets_in_strings_are_neither_depth_nor_parts():
    assert decode_json(json.dumps(['[{\\"' * 100] * 100).encode())
    brackets = json.dumps("[]{}" * CONTAINERS)
    assert decode_json(brackets.encode()) == "[]{}" * CONTAINERS


def test_few_bytes_do_not_become_much_memory():
    """An empty list takes 3 bytes here, and 64 once it is read."""
    with pytest.raises(FrameError, match="lists and objects"):
        decode_json(b"[" + b"[]," * CONTAINERS + b"0]")
    with pytest.raises(FrameError, match="lists and objects"):
        encode_json([[]] * (CONTAINERS + 1))


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 65 + b'\\"' * (1 << 21),
        b"[" * (4 << 20),
        b'{"a":' * (1 << 20),
        b"[" + b"9" * (4 << 20) + b"]",
        b'{"a":"\\u003a","b":"' + b":" * (4 << 20) + b'"}',
        b'{"a":"\\u003a","b":"' + b'\\"' * (2 << 20),
    ],
)
def test_hostile_bytes_take_no_longer_than_their_number(data):
    began = time.process_time()
    outcome(decode_json, data)
    assert time.process_time() - began < 2
