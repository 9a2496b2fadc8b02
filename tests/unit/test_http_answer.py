# SPDX-License-Identifier: Apache-2.0
"""The reader of HTTP answers reads what h11 reads, or refuses: h11 is the oracle."""

import h11
import pytest
from hypothesis import example, given, settings, strategies as st

from lao.backends.http_answer import Answer, MalformedAnswer

LIMIT = 1000
PIECES = [
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.1 404\r\n",
    b"HTTP/1.0 200 OK\r\n",
    b"HTTP/1.1 204 No\r\n",
    b"HTTP/1.1 304 No\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.1 101 Switch\r\nUpgrade: a\r\nConnection: upgrade\r\n\r\n",
    b"HTTP/2.0 200 OK\r\n",
    b"ICE/1.0 200 OK\r\n",
    b"Content-Length: 5\r\n",
    b"content-length:3 \r\n",
    b"Content-Length: 5, 5\r\n",
    b"Content-Length: +5\r\n",
    b"Content-Length : 5\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding:\tChunked \r\n",
    b"Transfer-Encoding: gzip, chunked\r\n",
    b"Transfer-Encoding: identity\r\n",
    b"Connection: close\r\n",
    b"Connection: keep-alive, x\r\n",
    b"X-Empty:\r\n",
    b"X: a\r\n folded\r\n",
    b"X: " + b"y" * 300 + b"\r\n",
    b"\r\n",
    b"\n",
    b"hello",
    b"5\r\nhello\r\n",
    b"00003;a=b\r\nabc\r\n",
    b"3 \r\nabc\r\n",
    b"A\r\n0123456789\r\n",
    b"0\r\n",
    b"0\r\n\r\n",
    b"0\r\nX-Trailer: 1\r\n\r\n",
    b"-1\r\n",
    b"\x00",
    b" ",
]
SIZED = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"
CODED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
WHOLE = [
    SIZED + b"\r\nhello",
    CODED + b"\r\n5\r\nhello\r\n0\r\n\r\n",
    b"HTTP/1.1 500 Oh\r\nX: a\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n\r\nuntil the end",
    b"HTTP/1.1 204 No\r\nX:\r\n\r\n",
]


@st.composite
def mutated(draw):
    """Return an answer of which a few bytes were replaced, removed, put in, or cut."""
    content = bytearray(draw(st.sampled_from(WHOLE)))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(content)))
        gone = draw(st.integers(0, 2))
        content[at : at + gone] = draw(
            st.sampled_from(PIECES) | st.binary(max_size=2) | st.just(content[at:][:30])
        )
    return bytes(content)


assembled = st.lists(st.sampled_from(PIECES), max_size=9).map(b"".join)
answers = st.sampled_from(WHOLE) | assembled | mutated()


def read_by_h11(content):
    """Return status, body and h11's reader; None where it is refused."""
    reader = h11.Connection(h11.CLIENT, max_incomplete_event_size=LIMIT)
    reader.send(h11.Request(method="GET", target="/", headers=[("Host", "x")]))
    reader.send(h11.EndOfMessage())
    status, body = 0, b""
    try:
        reader.receive_data(content)
        while not isinstance(event := reader.next_event(), h11.EndOfMessage):
            match event:
                case h11.Response():
                    status = event.status_code
                case h11.Data():
                    body += event.data
                case h11.NEED_DATA:
                    reader.receive_data(b"")
                case _:  # an interim answer, another protocol: LAO wants neither
                    return None
    except h11.RemoteProtocolError:
        return None
    return status, body, reader


def is_over_for_h11(content):
    """Whether h11 would go on to another request after this answer."""
    *_, reader = read_by_h11(content)
    return reader.their_state is h11.DONE and reader.trailing_data == (b"", False)


def read_by_us(content, size):
    """Return status, body, and whether the connection could serve on; None likewise."""
    answer, body = Answer(LIMIT), b""
    try:
        for at in range(0, len(content), size):
            answer.feed(memoryview(content)[at : at + size])
            body += answer.take()
            if answer.is_complete:  # a connection takes nothing after this
                is_last = at + size >= len(content)
                return answer.status, body, answer.can_be_followed and is_last
    except MalformedAnswer:
        return None
    return (answer.status, body, False) if answer.end_with_connection() else None


@given(answers, st.integers(1, 40) | st.just(10_000))
@settings(max_examples=200)
@example(WHOLE[0] + b"\r\n", 10_000)
@example(b"\r\n" + WHOLE[0], 10_000)
@example(b"HTTP/1.1 200 O\x00K\r\nContent-Length: 0\r\n\r\n", 10_000)
@example(CODED + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 10_000)
@example(CODED + b"\r\n0\r\nTransfer-Encoding: identity\r\n\r\n", 10_000)
def test_what_is_read_is_what_h11_reads(content, size):
    ours = read_by_us(content, size)
    if ours is None:
        return
    assert ours[:2] == (read_by_h11(content) or ())[:2]
    assert not ours[2] or is_over_for_h11(content)


token = st.from_regex(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,9}", fullmatch=True)
text = st.from_regex(
    rb"([!-~\x80-\xff]([!-~\x80-\xff \t]{0,9}[!-~])?)?", fullmatch=True
)
FRAMING = {b"content-length", b"transfer-encoding", b"connection", b"upgrade"}
fields = st.lists(
    st.tuples(token.filter(lambda n: n.lower() not in FRAMING), text), max_size=4
).map(lambda pairs: b"".join(b"%s: %s\r\n" % pair for pair in pairs))


@st.composite
def well_formed(draw):
    """Return an answer as RFC 9112 wants it."""
    status = draw(st.integers(200, 599).filter(lambda n: n not in {204, 304}))
    head = b"HTTP/1.1 %d %s\r\n%s" % (status, draw(text), draw(fields))
    parts = draw(st.lists(st.binary(min_size=1, max_size=40), max_size=4))
    match draw(st.sampled_from(["length", "chunks", "until closed"])):
        case "length":
            body = b"".join(parts)
            return head + b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
        case "chunks":
            chunks = b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in parts)
            coded = b"Transfer-Encoding: chunked\r\n\r\n"
            return head + coded + chunks + b"0\r\n" + draw(fields) + b"\r\n"
        case _:
            return head + b"\r\n" + b"".join(parts)


@given(well_formed(), st.integers(1, 40) | st.just(10_000))
@settings(max_examples=100)
def test_a_well_formed_answer_is_read_however_it_comes(content, size):
    ours = read_by_us(content, size)
    assert ours is not None
    assert ours[:2] == read_by_h11(content)[:2]
    assert ours[2] == is_over_for_h11(content)


STRICTER = {
    "lines that end in LF": b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
    "a folded field": SIZED + b"X: a\r\n b\r\n\r\nhello",
    "a length twice": SIZED + b"Content-Length: 5\r\n\r\nhello",
    "a list of lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello",
    "a length and chunks": SIZED + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a control character": SIZED + b"X: \x01\r\n\r\nhello",
    "one in the status line": b"HTTP/1.1 200 O\x01K\r\nContent-Length: 0\r\n\r\n",
    "a size and a space": CODED + b"\r\n5 \r\nhello\r\n0\r\n\r\n",
    "another version": b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
}


@pytest.mark.parametrize("name", STRICTER)
def test_what_h11_reads_and_no_server_of_models_sends_is_refused(name):
    assert read_by_h11(STRICTER[name]) is not None
    assert read_by_us(STRICTER[name], 10_000) is None


@pytest.mark.parametrize(
    "content", [WHOLE[0] + b"\r\n", WHOLE[1] + b"\r\n", WHOLE[0] + WHOLE[0]]
)
def test_a_connection_is_not_used_after_anything_behind_an_answer(content):
    status, body, is_reusable = read_by_us(content, 10_000)
    assert (status, body, is_reusable) == (200, b"hello", False)


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n",
        b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n",
        SIZED + b"Connection: x, Close\r\n",
        b"HTTP/1.1 200 OK\r\n",
    ],
)
def test_a_connection_is_not_used_after_the_server_said_so(head):
    assert read_by_us(head + b"\r\nhello", 10_000) == (200, b"hello", False)


ENDLESS = {
    "a head": (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
    "a field": (b"HTTP/1.1 200 OK\r\nX: ", b"yyyyyyyy"),
    "a reason": (b"HTTP/1.1 200 ", b"yyyyyyyy"),
    "a chunk's extension": (CODED + b"\r\n5;", b"a=b;"),
    "a trailer": (WHOLE[1][:-2], b"X: y\r\n"),
}


def flood(start, more):
    answer = Answer(LIMIT)
    answer.feed(memoryview(start))
    for _ in range(LIMIT):
        answer.feed(memoryview(more))


@pytest.mark.parametrize("name", ENDLESS)
def test_what_is_no_body_has_a_bound(name):
    with pytest.raises(MalformedAnswer, match="bytes without a body"):
        flood(*ENDLESS[name])


def test_a_connection_is_not_used_before_an_answer_was_taken():
    answer = Answer(LIMIT)
    answer.feed(memoryview(WHOLE[0]))
    assert not answer.can_be_followed
    assert (answer.take(), answer.can_be_followed) == (b"hello", True)


def test_a_body_has_no_bound_here():
    answer = Answer(LIMIT)
    answer.feed(memoryview(CODED + b"\r\n"))
    for _ in range(LIMIT):
        answer.feed(memoryview(b"5\r\nhello\r\n"))
    assert answer.take() == b"hello" * LIMIT
    assert (answer.take(), answer.held) == (b"", 0)
