# SPDX-License-Identifier: Apache-2.0
"""Reading YAML text into nodes with places."""

import math

import pytest
import yaml
from hypothesis import given, settings, strategies as st

from lao.errors import InvalidWorkflow
from lao.workflow import yaml_nodes
from lao.workflow.shapes import plain_data
from lao.workflow.source import LARGEST_DOCUMENT, Node, Problems, read_yaml, walk


def problems_of(text: str | bytes) -> list[tuple[str, int, int]]:
    with pytest.raises(InvalidWorkflow) as caught:
        read_yaml(text, "f.yaml")
    return [(p.code, p.where.line, p.where.column) for p in caught.value.problems]


def data(text: str | bytes) -> object:
    return plain_data(read_yaml(text, "f.yaml"))


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("off", "off"),
        ("true", True),
        ("False", False),
        ("tRue", "tRue"),
        ("null", None),
        ("~", None),
        ("", None),
        ("12", 12),
        ("-7", -7),
        ("+7", 7),
        ("012", 12),
        ("0o17", 15),
        ("0x1F", 31),
        ("1_000", "1_000"),
        ("1:30", "1:30"),
        ("190:20:30", "190:20:30"),
        ("2001-12-14", "2001-12-14"),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("-1.5E-2", -0.015),
        ("<<", "<<"),
        ("=", "="),
        ("'12'", "12"),
        ('"true"', "true"),
        ("! 12", "12"),
        ("5m", "5m"),
        ("text # comment", "text"),
    ],
)
def test_scalars_follow_the_core_schema(written: str, value: object) -> None:
    found = data(f"a: {written}\n")
    assert found == {"a": value}
    assert type(found["a"]) is type(value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [("yaml.empty", 0, 0)]),
        ("# nothing\n", [("yaml.empty", 0, 0)]),
        ("---\n", [("yaml.empty", 0, 0)]),
        ("a: &x 1\nb: *x\n", [("yaml.alias", 1, 4), ("yaml.alias", 2, 4)]),
        ("a: &x [1]\n", [("yaml.alias", 1, 4)]),
        ("a: !!str 1\n", [("yaml.tag", 1, 4)]),
        ("a: !!python/object:os.system {}\n", [("yaml.tag", 1, 4)]),
        ("a: !mine [1]\n", [("yaml.tag", 1, 4)]),
        ("a: 1\nb: 2\n  \na: 3\n", [("yaml.duplicate-key", 4, 1)]),
        ("a: 1\n'a': 3\n", [("yaml.duplicate-key", 2, 1)]),
        ("a:\n\tb: 1\n", [("yaml.tab", 2, 1)]),
        ("- a: 1\n\tb: 2\n", [("yaml.tab", 2, 1)]),
        ("a: |\n\ttext\n", [("yaml.tab", 2, 1)]),
        ("a: \tb: 1\n", [("yaml.syntax", 1, 6)]),
        ("a: 1\n---\nb: 2\n", [("yaml.documents", 2, 1)]),
        ("1: a\n", [("yaml.key", 1, 1)]),
        ("true: a\n", [("yaml.key", 1, 1)]),
        ("? [a]\n: b\n", [("yaml.key", 1, 3)]),
        ("a: {{ x }}\n", [("yaml.unquoted-template", 1, 4)]),
        ("a: {{ x }} text\n", [("yaml.unquoted-template", 1, 4)]),
        ("a: b: c\n", [("yaml.syntax", 1, 5)]),
        ("a: 'b\n", [("yaml.syntax", 1, 4)]),
        ("a: @b\n", [("yaml.syntax", 1, 4)]),
        ("a: [1, 2\n", [("yaml.syntax", 2, 1)]),
        ("a: .inf\nb: 1e999\n", [("yaml.number", 1, 4), ("yaml.number", 2, 4)]),
        ("a: .nan\n", [("yaml.number", 1, 4)]),
        ("a: " + "9" * 5000, [("yaml.number", 1, 4)]),
        ("a: 1\nb: x\x00y\n", [("yaml.not-text", 2, 5)]),
        ("a: \x1b[31m\n", [("yaml.not-text", 1, 4)]),
        ("a: \ud800\n", [("yaml.not-text", 1, 4)]),
        (b"a: 1\nb: \xff\n", [("yaml.not-text", 2, 4)]),
        (b"\x7fELF\x02\x01\x01\x00", [("yaml.not-text", 1, 1)]),
        ("a: 1\n".encode("utf-16"), [("yaml.not-text", 1, 1)]),
        ("x" * (LARGEST_DOCUMENT + 1), [("yaml.too-large", 0, 0)]),
    ],
)
def test_what_is_not_plain_data_is_refused_where_it_stands(
    text: str | bytes, expected: list[tuple[str, int, int]]
) -> None:
    assert problems_of(text) == expected


@pytest.mark.parametrize(
    "bomb", ["[" * 50_000, "{" * 50_000, "- " * 50_000, "? " * 50_000, "[{a: " * 9_000]
)
def test_a_depth_bomb_ends_at_once(bomb: str) -> None:
    assert [code for code, *_ in problems_of(bomb)] == ["yaml.too-deep"]


def test_sixty_four_levels_are_allowed() -> None:
    assert data("[" * 64 + "]" * 64) is not None


def test_a_flood_of_values_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert yaml_nodes._MOST_VALUES <= 500_000
    monkeypatch.setattr(yaml_nodes, "_MOST_VALUES", 5_000)
    assert problems_of("[" + "a," * 5_000 + "]")[0][0] == "yaml.too-large"
    assert data("[" + "a," * 4_999 + "]") == ["a"] * 4_999


def test_a_flood_of_problems_is_cut_short() -> None:
    with pytest.raises(InvalidWorkflow) as caught:
        read_yaml("a: 1\n" * 1_000, "f.yaml")
    assert len(caught.value.problems) == 101
    assert caught.value.problems[-1].what == "899 more problems are not shown"


def test_a_syntax_error_keeps_the_problems_before_it() -> None:
    codes = [code for code, *_ in problems_of("a: &x 1\nb: [\n")]
    assert codes == ["yaml.alias", "yaml.syntax"]


def test_an_unquoted_template_is_explained() -> None:
    with pytest.raises(InvalidWorkflow) as caught:
        read_yaml("input: {{ x }} and more\n", "f.yaml")
    assert "quotes" in caught.value.problem.mend


def test_nodes_know_their_places_and_those_of_their_keys() -> None:
    root = read_yaml("a:\n  - b: 1\n    è: {c: 2}\n", "f.yaml")
    inner = walk(root, ("a", 0, "è", "c"))
    assert str(inner.place) == "f.yaml:3:12"
    assert str(inner.key_place) == "f.yaml:3:9"
    assert str(walk(root, ("a", 0)).key_place) == "f.yaml:2:5"


def test_a_walk_ends_at_the_nearest_node() -> None:
    root = read_yaml("a:\n  b: 1\n", "f.yaml")
    assert walk(root, ("a", "c", 4)) is walk(root, ("a",))
    assert walk(root, (0,)) is root
    assert walk(read_yaml("[1]", "f"), (-1,)).value != 1


def test_lines_of_a_block_text_are_found() -> None:
    root = read_yaml("a: |-\n\n  two\n  three\nb: >\n  x\n  y\nc: z\n", "f.yaml")
    block, folded, plain = (walk(root, (name,)) for name in "abc")
    assert (block.value, block.style, block.text_line) == ("\ntwo\nthree", "literal", 2)
    assert block.place_of_line(3).line == 4
    assert (folded.style, folded.text_line, folded.place_of_line(1).line) == (
        "folded",
        6,
        5,
    )
    assert plain.text_line == plain.place_of_line(1).line == 8


def test_windows_line_ends_and_a_byte_order_mark_are_fine() -> None:
    assert data(b"\xef\xbb\xbfa: 1\r\nb: |\r\n  x\r\n") == {"a": 1, "b": "x\n"}


def test_json_is_yaml() -> None:
    assert data('{"a": [1, 2.5, null],\n\t"b": {"c": "\\u00e8"}}') == {
        "a": [1, 2.5, None],
        "b": {"c": "è"},
    }


def test_pure_python_reads_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "a: |\n  x\nb: [1, 'two', {c: null}]\n"
    fast = read_yaml(text, "f.yaml")
    monkeypatch.setattr(yaml_nodes, "_Loader", yaml.SafeLoader)
    assert read_yaml(text, "f.yaml") == fast
    assert problems_of("a:\n\tb: 1\n") == [("yaml.tab", 2, 1)]


def test_problems_past_the_limit_do_not_compute_mends() -> None:
    problems = Problems()
    where = Node(None, "f", 1, 1).place
    for _ in range(100):
        problems.add("x.y", "what", where)
    problems.add("x.y", "what", where, lambda: pytest.fail("a mend nobody sees"))
    assert problems.more == 1


def codes_of(text: str | bytes) -> set[str]:
    try:
        read_yaml(text, "f.yaml")
    except InvalidWorkflow as error:
        return {problem.code.partition(".")[0] for problem in error.problems}
    return {"yaml"}


@settings(max_examples=100)
@given(st.text() | st.text(alphabet="ab:-?[]{}&*!|>'\"#%@`, \n\t~0."))
def test_any_text_gives_nodes_or_invalid_workflow(text: str) -> None:
    assert codes_of(text) == {"yaml"}


@given(st.binary(max_size=200))
def test_any_bytes_give_nodes_or_invalid_workflow(text: bytes) -> None:
    assert codes_of(text) == {"yaml"}


@given(st.text("0123456789+-.eExo_infa", min_size=1))
def test_numbers_are_finite(text: str) -> None:
    try:
        value = read_yaml(text, "f.yaml").value
    except InvalidWorkflow:
        return
    assert not isinstance(value, float) or math.isfinite(value)
