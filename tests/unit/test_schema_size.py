# SPDX-License-Identifier: Apache-2.0
"""A schema that would keep the validator busy for ever is refused before it gets there."""

import time

import pytest
from hypothesis import given, strategies as st
from tests.plugin_sources import manifest_text

from lao.errors import InvalidWorkflow
from lao.plugins.manifest import decode_manifest
from lao.workflow.schema_size import is_too_large

TWO = ("allOf", "anyOf", "oneOf")


def doubling(levels, key="anyOf", refer="#/$defs/a{}", **more):
    """Return definitions that each refer twice to the next."""
    places = {
        f"a{level}": {
            key: [{"$ref": refer.format(level + 1)}] * 2,
            "$anchor": f"a{level}",
            **more,
        }
        for level in range(levels)
    }
    places[f"a{levels}"] = {"type": "string", "$anchor": f"a{levels}"}
    return {"$defs": places, "properties": {"x": {"$ref": refer.format(0)}}}


def nested(levels):
    """Return schemas in each other, each of which looks at all below it twice."""
    schema = {"type": "object"}
    for _ in range(levels):
        schema = {"unevaluatedProperties": False, "allOf": [schema]}
    return schema


@pytest.mark.parametrize("key", TWO)
@pytest.mark.parametrize("refer", ["#/$defs/a{}", "#a{}", "#/%24defs/a{}"])
def test_references_that_double_are_refused(key, refer):
    assert is_too_large(doubling(40, key, refer))
    assert not is_too_large(doubling(8, key, refer))


def test_so_are_those_of_a_schema_within():
    assert is_too_large({"properties": {"y": {"$id": "urn:y", **doubling(40)}}})


def test_so_is_what_looks_twice_at_what_is_below():
    assert is_too_large(nested(28))
    assert not is_too_large(nested(6))


def test_a_chain_without_end_is_refused():
    chain = {f"a{level}": {"$ref": f"#/$defs/a{level + 1}"} for level in range(5000)}
    assert is_too_large({"$defs": chain, "$ref": "#/$defs/a0"})


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {
            "$defs": {"a": {"properties": {"l": {"$ref": "#/$defs/a"}}}},
            "$ref": "#/$defs/a",
        },
        {"enum": list(range(100_000))},
        {"properties": {"default": {"type": "string"}, "enum": {"type": "string"}}},
        {"properties": {f"n{number}": {"type": "string"} for number in range(5000)}},
        {"$ref": "#/nowhere/0", "allOf": [True, False]},
    ],
)
def test_usual_and_recursive_schemas_are_not(schema):
    assert not is_too_large(schema)


@given(
    st.recursive(
        st.none() | st.sampled_from(["#", "#/$defs/a", "#a", "#/allOf/0", "a"]),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["$ref", "$defs", "allOf", "$anchor", "$id", "a"]),
                inner,
            )
        ),
    )
)
def test_it_stumbles_over_nothing(value):
    assert not is_too_large({"x": value})


def test_a_manifest_that_would_hang_every_list_of_plugins_is_refused_at_once():
    began = time.process_time()
    with pytest.raises(InvalidWorkflow) as raised:
        decode_manifest(manifest_text(parameters=doubling(60)).encode(), "here")
    assert "too large" in raised.value.problems[0].what
    assert time.process_time() - began < 5
