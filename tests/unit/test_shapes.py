# SPDX-License-Identifier: Apache-2.0
"""Decoding by shape, and the JSON Schema of the same shape."""

import json
from dataclasses import dataclass

import jsonschema_rs
import pytest
from hypothesis import given, strategies as st

from lao.workflow.shapes import (
    FAILED,
    Choice,
    Duration,
    Either,
    Field,
    Flag,
    Integer,
    Into,
    Json,
    ListOf,
    MapOf,
    Number,
    OneKeyOf,
    OneOfByKind,
    Record,
    Reference,
    Refined,
    Refusal,
    Shape,
    Text,
    ValueTypeShape,
    bad_value,
    plain_data,
)
from lao.workflow.source import Problems, read_yaml
from lao.workflow.values import TEXT, list_of


@dataclass(frozen=True)
class Point:
    x: int
    y: int = 7


POINT = Record(
    Point,
    [Field("x", Integer(), "Across", required=True), Field("up", Integer(), to="y")],
)
KINDS = OneOfByKind({"point": POINT, "name": Record(dict, [Field("text", Text())])})


def decode(shape: Shape[object], text: str) -> tuple[object, list[str]]:
    """Return the value and the problems of the value of `v`."""
    problems = Problems()
    node = read_yaml(f"v: {text}\n", "f").value["v"]
    value = shape.decode(node, problems)
    assert (value is FAILED) == bool(problems.found)
    return value, [f"{p.where.line}:{p.where.column} {p.what}" for p in problems.found]


GOOD = [
    (Text(), "abc", "abc"),
    (Text(pattern="a+"), "aa", "aa"),
    (Integer(least=1), "1", 1),
    (Number(), "1", 1),
    (Number(most=2), "1.5", 1.5),
    (Flag(), "true", True),
    (Duration(), "500ms", 0.5),
    (Duration(), "2s", 2.0),
    (Duration(), "1.5m", 90.0),
    (Duration(), "1h", 3600.0),
    (Duration(), "0s", 0.0),
    (Choice(("on", "off")), "off", "off"),
    (ValueTypeShape(), "list[text]", list_of(TEXT)),
    (Json(), "{a: [1, null, 'x']}", {"a": [1, None, "x"]}),
    (ListOf(Integer()), "[1, 2]", (1, 2)),
    (MapOf(Integer()), "{a: 1}", {"a": 1}),
    (POINT, "{x: 1}", Point(1)),
    (POINT, "{x: 1, up: 2}", Point(1, 2)),
    (KINDS, "{kind: point, x: 3}", Point(3)),
    (KINDS, "{kind: name}", {}),
    (OneKeyOf({"a": Integer()}), "{a: 1}", 1),
    (Either({"text": Text(), "mapping": POINT}), "{x: 2}", Point(2)),
    (Into(Integer(), str), "5", "5"),
    (Reference("r", Integer()), "5", 5),
]
BAD = [
    (Text(), "5", "1:4 expected text; found 5"),
    (Text(expects="a path"), "[]", "1:4 expected a path; found a list"),
    (Text(pattern="a+", expects="an a"), "ab", "1:4 'ab' is not an a"),
    (Text(min_length=1), "''", "1:4 text must not be empty"),
    (Text(max_length=2), "abc", "1:4 'abc' is longer than 2 characters"),
    (Integer(), "1.0", "1:4 expected a whole number; found 1.0"),
    (Integer(), "true", "1:4 expected a whole number; found true"),
    (Integer(), "'1'", "1:4 expected a whole number; found '1'"),
    (Integer(least=1), "0", "1:4 0 is too small; the least is 1"),
    (Number(most=2), "2.5", "1:4 2.5 is too large; the most is 2"),
    (Number(), "true", "1:4 expected a number; found true"),
    (Flag(), "yes", "1:4 expected true or false; found 'yes'"),
    (Flag(), "1", "1:4 expected true or false; found 1"),
    (Duration(), "5", "1:4 expected a duration, such as 2s; found 5"),
    (Duration(), "5 s", "1:4 expected a duration, such as 2s; found '5 s'"),
    (Duration(), "5d", "1:4 expected a duration, such as 2s; found '5d'"),
    (Duration(), "-5s", "1:4 expected a duration, such as 2s; found '-5s'"),
    (Duration(), "true", "1:4 expected a duration, such as 2s; found true"),
    (Duration(positive=True), "0s", "1:4 this time must be longer than zero"),
    (Choice(("a", "b", "c")), "d", "1:4 expected a, b or c; found 'd'"),
    (
        ValueTypeShape(),
        "list",
        "1:4 expected a type, such as text or list[text]; found 'list'",
    ),
    (ListOf(Text()), "a", "1:4 expected a list; found 'a'"),
    (ListOf(Text(), 1), "[]", "1:4 expected a list; found a list of 0"),
    (ListOf(Text(), 1, 2), "[a, b, c]", "1:4 expected a list; found a list of 3"),
    (MapOf(Text()), "", "1:3 expected a mapping; found nothing"),
    (MapOf(Text(), Text(pattern="a", expects="an a")), "{b: c}", "1:5 'b' is not an a"),
    (POINT, "{up: 1}", "1:4 the key `x` is missing"),
    (POINT, "{x: 1, z: 1}", "1:11 there is no key `z` here"),
    (POINT, "[]", "1:4 expected a mapping; found a list"),
    (KINDS, "{x: 1}", "1:4 the key `kind` is missing"),
    (KINDS, "{kind: poind}", "1:11 there is no kind 'poind'"),
    (KINDS, "{kind: 4}", "1:11 expected the name of a kind; found 4"),
    (KINDS, "point", "1:4 expected a mapping with a `kind`; found 'point'"),
    (OneKeyOf({"a": Text()}), "{b: 1}", "1:5 there is no 'b' here"),
    (
        OneKeyOf({"a": Text()}),
        "{a: b, b: 1}",
        "1:4 expected a mapping with one key; found a mapping",
    ),
    (
        Either({"text": Text(), "mapping": POINT}),
        "3",
        "1:4 expected text or a mapping; found 3",
    ),
]


@pytest.mark.parametrize(("shape", "text", "value"), GOOD)
def test_a_right_value_is_decoded_without_conversion(
    shape: Shape[object], text: str, value: object
) -> None:
    found, problems = decode(shape, text)
    assert (found, type(found), problems) == (value, type(value), [])


@pytest.mark.parametrize(("shape", "text", "problem"), BAD)
def test_a_wrong_value_is_refused_with_words_and_place(
    shape: Shape[object], text: str, problem: str
) -> None:
    assert decode(shape, text) == (FAILED, [problem])


@pytest.mark.parametrize(
    ("shape", "text"), [case[:2] for case in GOOD if not isinstance(case[0], Reference)]
)
def test_json_schema_accepts_what_decodes(shape: Shape[object], text: str) -> None:
    instance = plain_data(read_yaml(f"v: {text}\n", "f"))["v"]
    jsonschema_rs.Draft202012Validator(shape.json_schema()).validate(instance)


@pytest.mark.parametrize(
    ("shape", "text"),
    [case[:2] for case in BAD if case[1] not in ("1.0", "0s")],
)
def test_json_schema_refuses_what_does_not_decode(
    shape: Shape[object], text: str
) -> None:
    instance = plain_data(read_yaml(f"v: {text}\n", "f"))["v"]
    assert not jsonschema_rs.Draft202012Validator(shape.json_schema()).is_valid(
        instance
    )


def test_every_problem_is_found_at_once() -> None:
    shape = ListOf(POINT)
    _, problems = decode(shape, "[{x: a, up: b}, {z: 1}, 5, {x: 1}]")
    assert problems == [
        "1:9 expected a whole number; found 'a'",
        "1:16 expected a whole number; found 'b'",
        "1:21 there is no key `z` here",
        "1:20 the key `x` is missing",
        "1:28 expected a mapping; found 5",
    ]


def test_near_names_are_suggested() -> None:
    problems = Problems()
    POINT.decode(read_yaml("{x: 1, upp: 2}", "f"), problems)
    assert problems.found[0].mend == "did you mean 'up'?"


def test_a_number_for_a_duration_is_mended() -> None:
    problems = Problems()
    Duration().decode(read_yaml("5", "f"), problems)
    assert problems.found[0].mend.startswith("write 5s")


def test_an_unknown_kind_may_be_refused_in_words_of_its_own() -> None:
    refusal = Refusal("policy.no", "never", "write something else")
    shape = OneOfByKind({"point": POINT}, lambda kind: refusal)
    problems = Problems()
    shape.decode(read_yaml("kind: other", "f"), problems)
    assert (problems.found[0].code, problems.found[0].what) == ("policy.no", "never")


def test_a_refined_value_is_looked_at_only_when_it_decodes() -> None:
    shape = Refined(Integer(), lambda value, node, problems: value + 1)
    assert decode(shape, "1") == (2, [])
    assert decode(shape, "a")[1] == ["1:4 expected a whole number; found 'a'"]
    refuse = Refined(
        Integer(), lambda value, node, problems: bad_value(node, problems, "no")
    )
    assert decode(refuse, "1") == (FAILED, ["1:4 no"])


def test_a_record_describes_its_keys() -> None:
    schema = POINT.json_schema()
    assert schema["properties"]["x"] == {"type": "integer", "description": "Across"}
    assert schema["required"] == ["x"]


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**70), 2**70)
        | st.text("ab5s", max_size=4),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["x", "up", "kind", "z"]), inner, max_size=3
            )
        ),
        max_leaves=8,
    )
)
def test_a_shape_gives_a_value_or_a_problem_never_both(data: object) -> None:
    node = read_yaml(f"v: {json.dumps(data)}", "f")
    for shape, *_ in GOOD:
        problems = Problems()
        value = shape.decode(node.value["v"], problems)
        assert (value is FAILED) == bool(problems.found)
