# SPDX-License-Identifier: Apache-2.0
"""Percent-encoding, strictly: of file names in headers, of values in a query."""

import re
from collections.abc import Iterator
from typing import Final

_PLAIN: Final = frozenset(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
)
_ENCODED: Final = re.compile(rb"(?:[^%]|%[0-9A-Fa-f]{2})*", re.DOTALL)
_ESCAPE: Final = re.compile(rb"%(..)", re.DOTALL)


def encode(text: str) -> str:
    """Return a text in UTF-8, with all but letters, digits and `-._~` encoded."""
    data = text.encode("utf-8", "surrogateescape")
    return "".join(chr(each) if each in _PLAIN else f"%{each:02X}" for each in data)


def decode_query(query: bytes, *, most: int) -> Iterator[tuple[str, str]]:
    """Yield the names and values of a query; `+` is a space.

    Raises:
        ValueError: there are more than `most`, or one of them cannot be read.
    """
    parts = query.split(b"&") if query else []
    if len(parts) > most:
        raise ValueError("there are too many")
    for part in parts:
        name, equals, value = part.partition(b"=")
        if not equals:
            raise ValueError("one has no value")
        yield _decoded(name), _decoded(value)


def _decoded(data: bytes) -> str:
    if not _ENCODED.fullmatch(data):
        raise ValueError("a percent sign stands alone")
    plain = data.replace(b"+", b" ")
    return _ESCAPE.sub(lambda found: bytes([int(found[1], 16)]), plain).decode()
