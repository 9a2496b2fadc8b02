# SPDX-License-Identifier: Apache-2.0
"""The short form of output schemas."""

import jsonschema_rs
import pytest
from hypothesis import given, strategies as st

from lao.workflow.schema_shorthand import ShorthandError, schema_from_shorthand


def test_fields_become_required_properties() -> None:
    assert schema_from_shorthand("name, age int, tags [str]") == {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "age": {"type": "integer"},
            "tags": {"type": "array", "items": {"type": "string"}},
        },
        "required": ["name", "age", "tags"],
        "additionalProperties": False,
    }


@pytest.mark.parametrize(
    ("word", "schema"),
    [
        ("str", {"type": "string"}),
        ("int", {"type": "integer"}),
        ("float", {"type": "number"}),
        ("bool", {"type": "boolean"}),
        ("date", {"type": "string", "format": "date"}),
        ("[ int ]", {"type": "array", "items": {"type": "integer"}}),
    ],
)
def test_each_type_has_a_schema(word: str, schema: object) -> None:
    assert schema_from_shorthand(f"x {word}")["properties"] == {"x": schema}


def test_a_description_follows_a_colon() -> None:
    found = schema_from_shorthand("name: who it is, age int: in years")["properties"]
    assert found == {
        "name": {"type": "string", "description": "who it is"},
        "age": {"type": "integer", "description": "in years"},
    }


def test_descriptions_on_lines_of_their_own_may_hold_commas() -> None:
    found = schema_from_shorthand("\nname: first, last\n\n  age int\n")["properties"]
    assert found["name"]["description"] == "first, last"
    assert list(found) == ["name", "age"]


@pytest.mark.parametrize(
    ("text", "position", "what"),
    [
        ("", 0, "the schema has no field"),
        ("  \n ", 0, "the schema has no field"),
        ("name, age in", 10, "there is no type 'in'"),
        ("tags [sr]", 6, "there is no type 'sr'"),
        ("name, 2x", 6, "'2x' is not a field"),
        ("name,, age", 5, "'' is not a field"),
        ("a b c", 0, "'a b c' is not a field"),
        ("name\n  na-me int", 7, "'na-me int' is not a field"),
        ("name, age, name", 11, "the field 'name' is here twice"),
    ],
)
def test_errors_say_where(text: str, position: int, what: str) -> None:
    with pytest.raises(ShorthandError) as caught:
        schema_from_shorthand(text)
    assert (caught.value.position, caught.value.what) == (position, what)


@given(st.text() | st.text("ab [],:\nint"))
def test_any_text_gives_a_schema_or_an_error_inside_it(text: str) -> None:
    try:
        jsonschema_rs.meta.validate(schema_from_shorthand(text))
        position = 0
    except ShorthandError as error:
        position = error.position
    assert 0 <= position <= len(text)
