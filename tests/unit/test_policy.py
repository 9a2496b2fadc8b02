# SPDX-License-Identifier: Apache-2.0
"""An endpoint is an address of this machine, whatever its text looks like."""

import os
import re

import pytest
from hypothesis import given, strategies as st

from lao.errors import RefusedByPolicy
from lao.policy import DEFAULT_ENDPOINT, LoopbackEndpoint

FORMS = re.compile(
    r"http://127\.0\.0\.1:[0-9]+|http://\[::1\]:[0-9]+|unix:(?:/[^/\x00-\x1f]+)+",
    re.ASCII,
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
    "unix:/" + "é" * 60,  # short in characters, too long in bytes
    "unix://run/ollama.sock",
    "unix:/run//ollama.sock",
    "unix:/run/ollama.sock/",
    "unix:/run/../tmp/evil.sock",
    "unix:/run/./ollama.sock",
    "unix:/..",
    "unix:/run/\x7fevil",
    "unix:/run/\x9bevil",
    "unix:/run/\ud800",
    "unix:@abstract",
    "unix:\x00abstract",
    "http+unix://%2Frun%2Follama.sock",
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
            assert path == text.removeprefix("unix:") == os.path.abspath(path)  # noqa: PTH100
            assert len(os.fsencode(path)) <= 107


PORTS = st.integers(1, 65535).map(str)


@given(PORTS)
def test_every_port_of_this_machine_has_one_text_for_each_family(port):
    for host in ("127.0.0.1", "[::1]"):
        endpoint = LoopbackEndpoint(f"http://{host}:{port}")
        assert endpoint.address == (host.strip("[]"), int(port))
        for other in (
            f"0{port}",
            f"+{port}",
            f"{port} ",
            f"{int(port):_}",
            f"{port}.0",
        ):
            if other != port:
                with pytest.raises(RefusedByPolicy):
                    LoopbackEndpoint(f"http://{host}:{other}")


@given(
    st.characters(categories=["Nd", "Nl", "No"], min_codepoint=0x80), st.integers(0, 4)
)
def test_no_digit_but_ascii_is_one(digit, at):
    port = "11434"
    with pytest.raises(RefusedByPolicy):
        LoopbackEndpoint(f"http://127.0.0.1:{port[:at]}{digit}{port[at + 1 :]}")


@given(st.ip_addresses(), PORTS)
def test_no_other_address_is_this_machine(address, port):
    text = f"[{address}]" if address.version == 6 else str(address)
    if text not in ("127.0.0.1", "[::1]"):
        with pytest.raises(RefusedByPolicy):
            LoopbackEndpoint(f"http://{text}:{port}")


@given(st.sampled_from(["http://127.0.0.1:11434", "http://[::1]:1", "unix:/run/x"]),
       st.integers(0, 30), st.characters(codec=None))  # fmt: skip
def test_one_more_character_never_makes_another_host_of_it(text, at, character):
    """Whatever is accepted after the insertion still is this machine, word for word."""
    changed = text[:at] + character + text[at:]
    try:
        address = LoopbackEndpoint(changed).address
    except RefusedByPolicy:
        return
    if isinstance(address, tuple):
        host = f"[{address[0]}]" if ":" in address[0] else address[0]
        assert changed == f"http://{host}:{address[1]}"
    else:
        assert changed == f"unix:{address}"
