# SPDX-License-Identifier: Apache-2.0
"""Orders to start a process: what is written is read again, and nothing else is."""

import json

import pytest
from hypothesis import given, settings, strategies as st
from msgspec.structs import asdict

from lao.isolation.orders import Order, OrderError, decode_order, encode_order
from lao.policy import WorkerLimits

PROGRAMS = ("/usr/bin/ffmpeg", "/opt/whisper-cli")
LIMITS = st.builds(
    WorkerLimits,
    memory=st.none() | st.integers(1, 1 << 60),
    threads=st.integers(1, 4096),
    start_seconds=st.floats(0.001, 1e6),
)
PATHS = st.text(max_size=40).map(lambda name: "/" + name.replace("\0", ""))
ORDERS = st.builds(
    lambda root, **given: Order(
        scratch=f"/{root}/scratch", inbox=f"/{root}/inbox", **given
    ),
    root=st.text(st.characters(exclude_characters="/\0."), min_size=1, max_size=40),
    run=st.sampled_from(["lao.workers.child", "lao.workers.program_child"]),
    limits=LIMITS,
    profile=st.sampled_from(["default", "serves-unix", "program"]),
    readable=st.lists(PATHS, max_size=3).map(tuple),
    program=st.none() | st.sampled_from(PROGRAMS),
    gpu=st.booleans(),
)
PLAIN = Order(run="lao.workers.child", scratch="/w/scratch", inbox="/w/inbox")


@settings(max_examples=50)
@given(ORDERS)
def test_what_is_written_is_read_again(order):
    assert decode_order(encode_order(order, PROGRAMS), PROGRAMS) == order


def changed(**fields):
    return json.dumps({**json.loads(encode_order(PLAIN, PROGRAMS)), **fields}).encode()


def limited(**fields):
    return changed(limits={**asdict(WorkerLimits()), **fields})


WRONG = {
    "empty": b"",
    "not-json": b"{",
    "not-utf-8": b"\xff",
    "a-list": b"[]",
    "nothing": b"{}",
    "nested": b"[" * 100_000,
    "not-a-number": limited(start_seconds=float("nan")),
    "more": changed(argv=["/bin/sh"]),
    "another-module": changed(run="os"),
    "another-profile": changed(profile="none"),
    "relative": changed(scratch="scratch"),
    "no-text": changed(inbox=None),
    "nul": changed(scratch="/a\0b"),
    "long-path": changed(scratch="/" + "a" * 5000),
    "surrogate": changed(scratch="/\ud800"),
    "scratch-elsewhere": changed(scratch="/etc"),
    "scratch-root": changed(scratch="/"),
    "scratch-upwards": changed(scratch="/w/../etc/scratch"),
    "scratch-of-another": changed(scratch="/v/scratch"),
    "inbox-elsewhere": changed(inbox="/proc"),
    "readable-text": changed(readable="/etc"),
    "readable-number": changed(readable=[1]),
    "many": changed(readable=["/a"] * 1001),
    "program-path": changed(program="/bin/sh"),
    "program-unknown": changed(program=2),
    "program-negative": changed(program=-1),
    "program-boolean": changed(program=True),
    "gpu-number": changed(gpu=1),
    "no-limits": changed(limits={}),
    "limit-zero": limited(threads=0),
    "limit-negative": limited(memory=-1),
    "limit-boolean": limited(open_files=True),
    "limit-huge": limited(file_size=1 << 64),
    "limit-text": limited(cancel_seconds="1"),
    "too-long": changed(scratch="/" + " " * (200 << 10)),
}


@pytest.mark.parametrize("data", WRONG.values(), ids=WRONG)
def test_anything_else_is_refused(data):
    with pytest.raises(OrderError):
        decode_order(data, PROGRAMS)


@settings(max_examples=100)
@given(st.binary(max_size=200))
def test_garbage_is_refused(data):
    with pytest.raises(OrderError):
        decode_order(data, PROGRAMS)


def test_a_program_outside_of_the_table_cannot_be_written():
    order = Order(
        run="lao.workers.child",
        scratch="/w/scratch",
        inbox="/w/inbox",
        program="/bin/sh",
    )
    with pytest.raises(OrderError):
        encode_order(order, PROGRAMS)


def test_an_order_that_no_message_holds_cannot_be_written():
    readable = tuple(f"/{number:04000}" for number in range(100))
    order = Order(
        run="lao.workers.child",
        scratch="/w/scratch",
        inbox="/w/inbox",
        readable=readable,
    )
    with pytest.raises(OrderError):
        encode_order(order, PROGRAMS)
