# SPDX-License-Identifier: Apache-2.0
"""An endpoint is an address of this machine, whatever its text looks like."""

import re

import pytest
from hypothesis import given, strategies as st

from lao.errors import RefusedByPolicy
from lao.policy import DEFAULT_ENDPOINT, LoopbackEndpoint

FORMS = re.compile(
    r"http://127\.0\.0\.1:[0-9]+|http://\[::1\]:[0-9]+|unix:/[^\x00-\x1f]+", re.ASCII
)
TRICKS = [
    "",
    "localhost",
    "127.0.0.1:11434",
    "http://127.0.0.1",
    "http://127.0.0.1:",
    "http://localhost:11434",
    "http://localhost.attacker.example:11434",
    "http://LOCALHOST:11434",
    "http://127.0.0.1:11434@evil.example",
    "http://evil.example@127.0.0.1:11434",
    "http://user:password@127.0.0.1:11434",
    "http://127.0.0.1:80@evil.example:11434",
    "http://0.0.0.0:11434",
    "http://0:11434",
    "http://[::]:11434",
    "http://[::ffff:127.0.0.1]:11434",
    "http://[::ffff:8.8.8.8]:11434",
    "http://[0:0:0:0:0:0:0:1]:11434",
    "http://[::1%eth0]:11434",
    "http://[fe80::1%25lo]:11434",
    "http://[::1:11434",
    "http://::1:11434",
    "http://2130706433:11434",
    "http://017700000001:11434",
    "http://0177.0.0.1:11434",
    "http://0x7f000001:11434",
    "http://0x7f.0.0.1:11434",
    "http://127.1:11434",
    "http://127.0.1:11434",
    "http://127.0.0.2:11434",
    "http://127.0.0.1.:11434",
    "http://127.0.0.1.evil.example:11434",
    "http://127.0.0.1evil:11434",
    "http://①②⑦.⓪.⓪.①:11434",
    "http://127。0。0。1:11434",
    "http://127.0.0.1:\uff11\uff11434",  # full-width digits
    "http://127.0.0.1:\u0661\u0661",  # Arabic digits
    "http://\uff11\uff12\uff17.0.0.1:11434",
    "http://127.0.0.1:0",
    "http://127.0.0.1:01",
    "http://127.0.0.1:65536",
    "http://127.0.0.1:99999",
    "http://127.0.0.1:-1",
    "http://127.0.0.1:+80",
    "http://127.0.0.1: 80",
    "https://127.0.0.1:11434",
    "HTTP://127.0.0.1:11434",
    "ftp://127.0.0.1:11434",
    "//127.0.0.1:11434",
    "http:///127.0.0.1:11434",
    "http:\\\\127.0.0.1:11434",
    "http://127.0.0.1:11434/",
    "http://127.0.0.1:11434/api",
    "http://127.0.0.1:11434#evil",
    "http://127.0.0.1:11434?evil",
    "http://127.0.0.1:11434\\@evil.example",
    "http://evil.example#@127.0.0.1:11434",
    "http://127.0.0.1:11434\r\nHost: evil.example",
    "http://127.0.0.1:11434\n",
    "\nhttp://127.0.0.1:11434",
    "http://127.0.0.1:11434 ",
    " http://127.0.0.1:11434",
    "http://127.0.0.1%00.evil.example:11434",
    "http://127.0.0.1\x00:11434",
    "http://127.0.0.1\t:11434",
    "http://evil.example:11434",
    "unix:",
    "unix:relative.sock",
    "unix:/",
    "unix:/a\nb",
    "unix:/a\x00b",
    "unix:/a\n",
    "unix:/" + "a" * 108,
    "UNIX:/run/ollama.sock",
    "file:///etc/passwd",
]


@pytest.mark.parametrize("text", TRICKS, ids=ascii)
def test_an_endpoint_trick_is_refused(text):
    with pytest.raises(RefusedByPolicy) as caught:
        LoopbackEndpoint(text)

    assert caught.value.code == "policy.endpoint-not-loopback"
    assert repr(text) in str(caught.value)
    assert "127.0.0.1:PORT" in caught.value.problem.mend
    assert caught.value.exit_code == 5


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("http://127.0.0.1:11434", ("127.0.0.1", 11434)),
        ("http://127.0.0.1:1", ("127.0.0.1", 1)),
        ("http://[::1]:65535", ("::1", 65535)),
        ("unix:/run/user/1000/ollama.sock", "/run/user/1000/ollama.sock"),
    ],
)
def test_the_three_forms_give_an_address_that_needs_no_resolver(text, address):
    assert LoopbackEndpoint(text).address == address
    assert str(LoopbackEndpoint(text)) == text


def test_the_default_is_ollama_on_this_machine():
    assert DEFAULT_ENDPOINT.address == ("127.0.0.1", 11434)


def _near_misses():
    """Texts made of the pieces that endpoints are made of, so that some are accepted."""
    pieces = st.sampled_from(
        [
            "http://",
            "https://",
            "unix:",
            "127.0.0.1",
            "[::1]",
            "localhost",
            "@",
            ":",
            "/",
            "/run/x",
            "80",
            "11434",
            "65536",
            "\n",
            " ",
            "1",
            "0",
            ".",
            "evil",
        ]
    )
    return st.lists(pieces | st.text(max_size=2), max_size=6).map("".join)


@given(st.text(max_size=40) | _near_misses() | st.from_regex(FORMS, fullmatch=True))
def test_whatever_is_accepted_is_exactly_one_of_the_three_forms(text):
    try:
        endpoint = LoopbackEndpoint(text)
    except RefusedByPolicy:
        return

    assert FORMS.fullmatch(text)
    match endpoint.address:
        case (host, port):
            assert host in ("127.0.0.1", "::1")
            assert 1 <= port <= 65535
        case path:
            assert path.startswith("/")
            assert path == text.removeprefix("unix:")
