# SPDX-License-Identifier: Apache-2.0
"""The worker's end of the pipe of requests: whoever has time reads it."""

import os
import subprocess
import sys
import threading
from contextlib import contextmanager

import pytest

from lao.workers.frames import Frame, encode
from lao.workers.incoming import Incoming

pytestmark = pytest.mark.linux


@contextmanager
def pipe():
    source, sink = os.pipe()
    try:
        yield Incoming(source, lambda _frame: None), sink
    finally:
        os.close(source)
        os.close(sink)


def send(sink, op, number=0):
    os.write(sink, encode(Frame(header={"op": op, "id": number})))


def test_who_asks_its_report_hears_of_a_cancel_that_nobody_has_read():
    with pipe() as (incoming, sink):
        send(sink, "infer", 1)
        _, report = incoming.next()
        assert not report.cancelled
        send(sink, "cancel", 1)
        assert report.cancelled


def test_a_cancel_in_pieces_is_heard_once_it_is_whole():
    data = encode(Frame(header={"op": "cancel", "id": 1}))
    with pipe() as (incoming, sink):
        send(sink, "infer", 1)
        _, report = incoming.next()
        os.write(sink, data[:9])
        assert not report.cancelled
        os.write(sink, data[9:])
        assert report.cancelled


def test_who_waits_for_the_next_request_reads_the_cancel_of_another():
    with pipe() as (incoming, sink):
        send(sink, "infer", 1)
        _, report = incoming.next()
        waiting = threading.Thread(target=incoming.next)
        waiting.start()
        send(sink, "cancel", 1)
        send(sink, "infer", 2)
        waiting.join()
        assert report._cancelled


def test_a_request_that_comes_while_a_model_looks_is_kept_for_its_turn():
    with pipe() as (incoming, sink):
        send(sink, "infer", 1)
        _, report = incoming.next()
        send(sink, "infer", 2)
        assert not report.cancelled
        frame, second = incoming.next()
        assert (frame.header["id"], second.request) == (2, 2)


def test_a_cancel_of_what_is_answered_already_means_nobody():
    with pipe() as (incoming, sink):
        send(sink, "infer", 1)
        _, first = incoming.next()
        incoming.forget(first)
        send(sink, "cancel", 1)
        send(sink, "infer", 2)
        _, second = incoming.next()
        assert not first._cancelled
        assert not second.cancelled


def test_after_close_there_is_no_more():
    with pipe() as (incoming, sink):
        send(sink, "infer", 1)
        send(sink, "close")
        assert incoming.next() is not None
        assert incoming.next() is None
        assert incoming.next() is None


@pytest.mark.parametrize("how", ["leave_with_the_parent(0)", "look()"])
def test_a_model_that_works_on_ends_with_its_parent(how):
    script = f"""if True:
        import time
        from lao.workers.incoming import Incoming, leave_with_the_parent
        look = Incoming(0, None).look
        print("begun", flush=True)
        while True:
            {how}
            time.sleep(0.001)
    """
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=pipe, stdout=pipe
    ) as it:
        it.stdout.readline()
        assert it.poll() is None
        it.stdin.close()
        assert it.wait(30) == 0
