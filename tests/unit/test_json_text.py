# SPDX-License-Identifier: Apache-2.0
"""JSON that a person or a model wrote is read strictly, and never too deep."""

import json

import pytest
from hypothesis import given, settings, strategies as st

from lao.workflow.json_text import DEPTH, nests_deeper, read_json

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**127), 2**127) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5)
    ),
    max_leaves=15,
)


@settings(max_examples=40)
@given(values)
def test_what_json_writes_is_read_back(value):
    assert read_json(json.dumps(value)) == value


@pytest.mark.parametrize(("open_", "close"), [("[", "]"), ('{"a":', "}")])
def test_nesting_has_a_bound(open_, close):
    def nested(depth):
        return open_ * depth + "1" + close * depth

    read_json(nested(DEPTH))
    for depth in (DEPTH + 1, 5_000, 1_000_000):
        with pytest.raises(ValueError, match="deeper than 64"):
            read_json(nested(depth))


def test_brackets_in_texts_and_in_a_row_are_no_nesting():
    assert read_json(json.dumps("[" * 1000)) == "[" * 1000
    assert read_json(f"[{','.join(['[]'] * 1000)}]") == [[]] * 1000


@pytest.mark.parametrize(
    "text",
    [
        "NaN",
        "[Infinity]",
        "-Infinity",
        "1e999",
        "9" * 41,
        "-" + "9" * 5000,
        '"\\ud83d"',
        "",
        "{",
        "1 2",
    ],
)
def test_what_json_does_not_have_is_refused(text):
    with pytest.raises(ValueError):  # noqa: PT011  (each has words of its own)
        read_json(text)


def test_a_name_that_occurs_twice_is_refused_where_programs_talk():
    assert read_json('{"a": 1, "a": 2}') == {"a": 2}
    with pytest.raises(ValueError, match="twice"):
        read_json('[{"a": {"b": 1, "b": 2}}]', unique_names=True)


def test_a_bare_control_character_is_allowed_where_a_program_is_known_for_it():
    with pytest.raises(ValueError, match="control character"):
        read_json('"a\tb"')
    assert read_json('"a\tb"', bare_controls=True) == "a\tb"


@given(st.text('[]{}",:\\u0dD8eE+-.0123456789NaInfity ', max_size=60))
def test_any_text_is_json_or_a_value_error(text):
    for strictly in (True, False):
        try:
            value = read_json(text, unique_names=strictly, bare_controls=not strictly)
        except ValueError:
            continue
        assert read_json(json.dumps(value)) == value


def test_a_whole_surrogate_pair_is_a_character():
    assert read_json('"\\ud83d\\ude00"') == "😀"


def levels_of(value):
    if not isinstance(value, list | dict):
        return 0
    inner = value.values() if isinstance(value, dict) else value
    return 1 + max(map(levels_of, inner), default=0)


BRACKETS = st.text('[]{}"\\a', max_size=5)


@given(
    st.recursive(
        st.none() | BRACKETS,
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(BRACKETS, inner, max_size=3)
        ),
    ),
    st.integers(1, 6),
)
def test_levels_are_counted_without_the_brackets_in_texts(value, levels):
    assert nests_deeper(json.dumps(value).encode(), levels) == (
        levels_of(value) > levels
    )


def test_many_objects_side_by_side_are_not_deep():
    text = json.dumps([{"a": ["]", "{", '"', "\\"]}] * DEPTH)
    assert read_json(text) == json.loads(text)
