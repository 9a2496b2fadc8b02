# SPDX-License-Identifier: Apache-2.0
"""What is kept is read back as it was: every kind of fact, every value."""

import json
import math
from typing import get_args, get_origin

import pytest
from hypothesis import given, settings, strategies as st
from msgspec.structs import fields

from lao.errors import StoreError
from lao.events import Fact, RunFinished, RunStarted, StepFinished, StepSkipped
from lao.store.blobs import BLOB_BYTES
from lao.store.codec import DEPTH, decode, encode
from lao.store.facts import decode_fact, encode_fact
from lao.workflow.values import FileValue

# Any text at all: halves of surrogate pairs, marks, and what is over 64 KiB.
TEXTS = st.one_of(
    st.text(st.characters(), max_size=20),
    st.sampled_from(["$", "$file", '"$', "\ud83d\ude00", "\udc80", "\0"]),
    st.builds(lambda text: text * BLOB_BYTES, st.sampled_from("aé😀")),
)
INTEGERS = st.one_of(
    st.integers(), st.builds(lambda n, up: n << up, st.integers(), st.just(20_000))
)
FILES = st.builds(
    FileValue, TEXTS, st.sampled_from(["audio", "image", "document", "file"])
)
LEAVES = st.one_of(
    st.none(), st.booleans(), INTEGERS, st.floats(allow_nan=False), TEXTS, FILES
)
KEYS = st.one_of(TEXTS, st.sampled_from(["$file", "$blob", "$object", "$int", "kind"]))
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=4)
    ),
    max_leaves=8,
)
FIELDS = {
    "value": VALUES,
    "outputs": st.dictionaries(KEYS, VALUES, max_size=3),
    "ingredients": st.dictionaries(TEXTS, TEXTS, max_size=3),
    "layers": st.dictionaries(KEYS, st.booleans() | st.integers(), max_size=3),
    "key": st.text("0123456789abcdef", max_size=64),
}


def strategy_of(field):
    if field.name in FIELDS:
        return FIELDS[field.name]
    if get_origin(field.type) is tuple:
        return st.lists(TEXTS, max_size=4).map(tuple)
    if field.type in (float, float | None):  # a NaN is no equal of itself
        return st.floats(allow_nan=False)
    return TEXTS if field.type is str else st.from_type(field.type)


def facts_of(kind):
    own = [each for each in fields(kind) if each.name != "kind"]
    is_required = {each.name: each.required for each in own}
    return st.fixed_dictionaries(
        {each.name: strategy_of(each) for each in own if is_required[each.name]},
        optional={
            each.name: strategy_of(each) for each in own if not is_required[each.name]
        },
    ).map(lambda given: kind(**given))


def through(document):
    body, held = encode(document)
    return decode(body, held.__getitem__)


@pytest.mark.parametrize("kind", get_args(Fact), ids=lambda kind: kind.__name__)
@settings(max_examples=25)
@given(data=st.data())
def test_every_fact_is_read_as_it_was_written(kind, data):
    fact = data.draw(facts_of(kind))
    key, (body, held) = encode_fact(fact)
    assert decode_fact(fact.kind, key, body, held.__getitem__) == fact


@given(st.dictionaries(TEXTS.filter(lambda text: text[:1] != "$"), VALUES, max_size=4))
def test_every_value_is_read_as_it_was_written(document):
    assert through(document) == document


@given(VALUES)
def test_what_is_written_fits_a_column_and_is_short(value):
    body, held = encode({"value": value})

    data = body.encode() if isinstance(body, str) else body
    assert len(data) <= BLOB_BYTES
    assert all(len(each) > BLOB_BYTES for each in held.values())


def test_infinities_and_nan_are_kept():
    found = through({"value": [math.inf, -math.inf, math.nan, -0.0]})["value"]

    assert found[:2] == [math.inf, -math.inf]
    assert math.isnan(found[2])
    assert math.copysign(1, found[3]) == -1


def test_fields_with_their_default_are_not_written():
    step = StepFinished(step="a", value="x", attempts=1, notes=(), ingredients={})

    assert encode_fact(step) == ("", ('{"step":"a","value":"x"}', {}))
    assert encode_fact(RunFinished(status="done"))[1][0] == '{"status":"done"}'


def test_a_fact_without_fields_of_its_own_is_an_empty_object():
    assert encode_fact(StepSkipped(step="", reason=""))[1][0] != "{}"
    assert json.loads(encode_fact(RunStarted(workflow="", steps=()))[1][0]) == {
        "workflow": "",
        "steps": [],
    }


def test_the_key_of_a_result_stands_apart():
    key, (body, _) = encode_fact(StepFinished(step="a", value=1, key="abc"))
    assert (key, "abc" in str(body)) == ("abc", False)


def test_the_same_large_text_is_one_blob():
    _, held = encode({"value": ["x" * BLOB_BYTES * 2, "x" * BLOB_BYTES * 2]})
    assert len(held) == 1


def test_many_small_texts_become_one_blob():
    value = ["word"] * BLOB_BYTES
    body, held = encode({"value": value})

    assert len(body) < 100
    assert decode(body, held.__getitem__) == {"value": value}


def test_a_large_text_in_a_large_list_is_a_blob_of_its_own():
    text = 'said "so" ' * BLOB_BYTES
    _, held = encode({"value": [["word"] * BLOB_BYTES, text]})

    assert text.encode() in held.values()


def test_a_large_list_of_numbers_is_one_blob():
    value = [[place / 7, None, True] for place in range(BLOB_BYTES)]
    body, held = encode({"value": value})

    assert (len(held), decode(body, held.__getitem__)) == (1, {"value": value})


@pytest.mark.parametrize("lost", [math.inf, -math.inf])
def test_an_infinite_time_is_kept(lost):
    fact = StepFinished(step="a", value=1, seconds=lost, model_seconds=lost)
    key, (body, held) = encode_fact(fact)

    assert decode_fact(fact.kind, key, body, held.__getitem__) == fact


@pytest.mark.parametrize(
    "make", [lambda inner: [inner], lambda inner: {"a": inner}], ids=["list", "object"]
)
def test_what_is_nested_too_deeply_is_refused(make):
    deep = ""
    for _ in range(DEPTH - 1):
        deep = make(deep)
    assert through({"value": deep}) == {"value": deep}

    for _ in range(20_000):
        deep = make(deep)
    with pytest.raises(StoreError) as refused:
        encode({"value": deep})
    assert refused.value.code == "store.not-a-value"
    while deep:  # or freeing it would nest as deeply
        deep = deep[0] if isinstance(deep, list) else deep["a"]


@pytest.mark.parametrize("value", [object(), {1, 2}, b"bytes", 1j])
def test_what_is_no_value_is_refused(value):
    with pytest.raises(StoreError) as refused:
        encode({"value": ["fine", value]})
    assert refused.value.code == "store.not-a-value"


def test_a_fact_of_a_newer_lao_is_read_as_far_as_it_is_known():
    body = '{"step":"a","value":"x","colour":"red"}'
    known = decode_fact("step-finished", "", body, bytes)

    assert known == StepFinished(step="a", value="x")
    assert decode_fact("step-painted", "", body, bytes) is None
