# SPDX-License-Identifier: Apache-2.0
"""What a model answered becomes a value, or a complaint that says why not."""

import json
import time

import pytest
from hypothesis import given, settings, strategies as st

from lao.engine.answers import read_answer
from lao.errors import LaoError
from lao.planning.plan import Engine
from lao.policy import RunLimits
from lao.workflow.inference import ModelReply
from lao.workflow.local_models import Ollama
from lao.workflow.steps import Output
from lao.workflow.values import EMBEDDING, JSON, TEXT, list_of

AGE = {
    "type": "object",
    "properties": {"age": {"type": "integer"}},
    "required": ["age"],
}


def read(value, type_=JSON, schema=None, **limits):
    engine = Engine(model=Ollama(model="m"), output=Output(type=type_, schema=schema))
    return read_answer(
        engine, ModelReply(value=value, made_by="m"), RunLimits(**limits)
    )


def complaint(*args, **words):
    with pytest.raises(LaoError) as caught:
        read(*args, **words)
    return caught.value


@given(st.text())
def test_text_stays_as_it_is(text):
    assert read(text, TEXT) == text


@settings(max_examples=40)
@given(st.recursive(st.none() | st.integers() | st.text(), st.lists))
def test_json_is_read_from_text_or_taken_as_it_is(value):
    assert read(json.dumps(value)) == value
    if not isinstance(value, str):
        assert read(value) == value


@pytest.mark.parametrize(
    "text",
    [
        '{"age": 5}',
        ' {"age": 5}\n',
        '```json\n{"age": 5}\n```',
        '```\n{"age": 5}```',
        '\n``` json\r\n{"age": 5}\r\n```\n\n'.replace("``` ", "```"),
    ],
)
def test_a_code_fence_around_json_is_taken_off(text):
    assert read(text, schema=AGE) == {"age": 5}


@pytest.mark.parametrize(
    "text",
    ["", "```", "``````", "Here: {}", "```python\n{}\n```", "NaN", "[1,", "[" * 9999],
)
def test_what_is_not_json_is_said(text):
    error = complaint(text)
    assert (error.code, error.exit_code) == ("output.not-json", 7)


def test_endless_newlines_in_a_fence_are_refused_at_once():
    """A pattern took a cube of their number: minutes for what models do produce."""
    begun = time.process_time()
    complaint("```json\n" + "\n" * 1_000_000 + "x")
    assert time.process_time() - begun < 5


def test_a_mismatch_says_where():
    error = complaint('{"people": [{"age": "five"}]}', schema={
        "properties": {"people": {"type": "array", "items": AGE}},
    })  # fmt: skip
    assert (error.code, error.exit_code) == ("output.schema-mismatch", 7)
    assert "at /people/0/age: " in str(error)
    assert "integer" in str(error)


def test_a_schema_that_is_none_is_said():
    error = complaint("{}", schema={"type": "no-such-type"})
    assert (error.code, error.exit_code) == ("output.bad-schema", 3)


def test_a_schema_is_never_looked_up_elsewhere(tmp_path):
    path = tmp_path / "schema.json"
    path.write_text("{}")  # read, it would accept everything
    for reference in (path.as_uri(), "http://127.0.0.1:9/schema.json"):
        error = complaint("{}", schema={"$ref": reference})
        assert error.code == "output.bad-schema"


def test_text_is_wanted_and_something_else_came():
    assert complaint({"a": 1}, TEXT).code == "step.not-text"


def test_an_answer_over_the_limit_is_refused():
    assert read("abc", TEXT, output_bytes=3) == "abc"
    assert complaint("abcd", TEXT, output_bytes=3).code == "step.output-too-large"


def test_an_embedding_is_a_list_of_numbers_or_a_list_of_those():
    assert read([0.5, 1], EMBEDDING) == [0.5, 1]
    assert read([[0.5], [1]], list_of(EMBEDDING)) == [[0.5], [1]]


@pytest.mark.parametrize(
    "value", ["text", None, ["a"], [float("nan")], [1, "a"], [[1], "a"], {"a": 1}]
)
def test_what_is_no_embedding_is_said(value):
    assert complaint(value, EMBEDDING).code == "step.not-an-embedding"
