# SPDX-License-Identifier: Apache-2.0
"""Kinds of value: how they are written, what fits what, and how to mend what does not."""

from typing import get_args

import pytest
from hypothesis import given, strategies as st

from lao.workflow.values import (
    AUDIO,
    EMBEDDING,
    FILE,
    IMAGE,
    JSON,
    TEXT,
    Kind,
    ValueType,
    fits,
    how_to_mend,
    list_of,
    parse_type,
    place_in,
)

SIMPLE = [ValueType(kind) for kind in get_args(Kind) if kind != "list"]
types = st.recursive(st.sampled_from(SIMPLE), lambda inner: inner.map(list_of))


@given(types)
def test_a_type_is_read_as_it_is_written(type_):
    assert parse_type(str(type_)) == type_


@pytest.mark.parametrize("text", ["", "list", "list[]", "list[x]", "Text", "list[text"])
def test_what_is_no_type_is_none(text):
    assert parse_type(text) is None


@given(types, types)
def test_a_type_fits_only_itself_or_a_file(source, target):
    while source.item is not None and target.item is not None:
        source, target = source.item, target.item
    to_file = target == FILE and source.kind in ("audio", "image", "document", "file")
    assert fits(source, target) is (source == target or to_file)


def test_nothing_becomes_a_list_silently():
    assert not fits(TEXT, list_of(TEXT))
    assert not fits(list_of(TEXT), TEXT)
    assert fits(list_of(AUDIO), list_of(FILE))
    assert not fits(FILE, IMAGE)


@pytest.mark.parametrize(
    ("source", "target", "words"),
    [
        (AUDIO, TEXT, "transcribe"),
        (TEXT, JSON, "transform `json`"),
        (JSON, TEXT, "tojson"),
        (TEXT, AUDIO, "type: audio"),
        (list_of(TEXT), TEXT, "for_each"),
        (TEXT, list_of(TEXT), "lines"),
        (EMBEDDING, TEXT, "type text"),
    ],
)
def test_a_mismatch_has_a_mend(source, target, words):
    assert words in how_to_mend(source, target)


@given(st.text(max_size=8) | st.integers().map(str) | st.just("9" * 5000))
def test_a_place_in_a_list_is_found_or_not_whatever_the_name(name):
    place = place_in("abc", name)
    assert place is None or str(place) == name in ("0", "1", "2")


def test_digits_of_other_scripts_are_no_place():
    assert place_in("abc", "²") is None
    assert place_in("abc", "01") is None
