# SPDX-License-Identifier: Apache-2.0
"""What is percent-encoded is read as it was meant, or not at all."""

from urllib.parse import parse_qsl, quote

import pytest
from hypothesis import given, strategies as st

from lao.server.percent import decode_query, encode

TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=40)


@given(TEXT)
def test_it_encodes_as_others_do(text):
    assert encode(text) == quote(text, safe="")


@given(st.lists(st.tuples(TEXT, TEXT), max_size=5))
def test_what_was_encoded_is_read(pairs):
    query = "&".join(f"{encode(name)}={encode(value)}" for name, value in pairs)
    assert list(decode_query(query.encode(), most=5)) == pairs


@given(st.binary(max_size=30))
def test_it_reads_nothing_that_others_read_otherwise(query):
    try:
        found = list(decode_query(query, most=40))
    except ValueError:
        return
    known = parse_qsl(query.decode("utf-8", "replace"), keep_blank_values=True)
    assert found == known or b";" in query or "\ufffd" in str(known)


@pytest.mark.parametrize(
    "query", [b"a", b"a=%", b"a=%4", b"a=%zz", b"a=%ff", b"&", b"a=1&"]
)
def test_what_is_malformed_is_refused(query):
    with pytest.raises(ValueError):  # noqa: PT011
        list(decode_query(query, most=5))


def test_there_may_not_be_too_many():
    with pytest.raises(ValueError, match="too many"):
        list(decode_query(b"a=1&" * 5 + b"a=1", most=5))
