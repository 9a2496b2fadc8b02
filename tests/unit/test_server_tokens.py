# SPDX-License-Identifier: Apache-2.0
"""Links work once, sessions until the end, and wrong tokens are counted."""

from base64 import urlsafe_b64decode

from lao.server.tokens import Tokens


def test_a_link_works_once():
    tokens = Tokens()
    link = tokens.new_link()
    session = tokens.open_session(link)

    assert session is not None
    assert tokens.is_open(session.encode())
    assert tokens.open_session(link) is None


def test_a_link_is_no_session_and_a_session_no_link():
    tokens = Tokens()
    link = tokens.new_link()

    assert not tokens.is_open(link.encode())
    session = tokens.open_session(link)
    assert tokens.open_session(session) is None


def test_a_token_has_256_bits_and_no_two_are_alike():
    tokens = Tokens()
    found = {tokens.new_link() for _ in range(50)}

    assert {len(urlsafe_b64decode(each + "=")) for each in found} == {32}
    assert len(found) == 50


def test_nothing_is_not_a_token():
    tokens = Tokens()
    tokens.new_link()

    assert tokens.open_session("") is None
    assert tokens.open_session("\ud800") is None
    assert not tokens.is_open(b"")


def test_only_the_latest_links_work():
    tokens = Tokens()
    first, *later = [tokens.new_link() for _ in range(65)]

    assert tokens.open_session(first) is None
    assert tokens.open_session(later[0]) is not None


def test_more_than_sixty_wrong_tokens_a_minute_are_a_flood():
    now = 1000.0
    tokens = Tokens(lambda: now)

    assert [tokens.count_wrong() for _ in range(61)] == [False] * 60 + [True]
    now += 61
    assert tokens.count_wrong() is False
