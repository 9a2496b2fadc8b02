# SPDX-License-Identifier: Apache-2.0
"""A text that was read before gives the same nodes, and only that text does."""

import pytest
from hypothesis import given, strategies as st

from lao.errors import InvalidWorkflow
from lao.workflow import yaml_nodes
from lao.workflow.document import read_workflow
from lao.workflow.kept_nodes import KeptNodes
from lao.workflow.source import read_yaml

TEXT = """\
lao: 1
name: greets
steps:
  - id: greeting  # says hello
    prompt_template: |
      Greet {{ inputs.name }}
    options: { temperature: 0.5, seed: 1, stop: ["a", 'b'] }
"""


class Memory:
    """Keeps in memory."""

    def __init__(self) -> None:
        self.held: dict[str, bytes] = {}

    def find(self, name: str) -> bytes | None:
        return self.held.get(name)

    def keep(self, name: str, content: bytes) -> None:
        self.held[name] = content


@pytest.fixture
def memory() -> Memory:
    return Memory()


@pytest.fixture
def kept(memory: Memory) -> KeptNodes:
    return KeptNodes(memory, "1.0")


def test_a_known_text_is_not_parsed_again(
    kept: KeptNodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = read_yaml(TEXT, "f.yaml", kept)
    monkeypatch.delattr(yaml_nodes, "parse_yaml")
    assert read_yaml(TEXT, "f.yaml", kept) == first
    assert read_yaml(TEXT.encode(), "f.yaml", kept) == first


@pytest.mark.parametrize(
    ("text", "source", "version"),
    [
        (TEXT.replace("hello", "hallo"), "f.yaml", "1.0"),
        (TEXT, "g.yaml", "1.0"),
        (TEXT, "f.yaml", "1.1"),
        (TEXT[1:], "f.yamll", "1.0"),
    ],
)
def test_whatever_differs_is_read_anew(
    memory: Memory, kept: KeptNodes, text: str, source: str, version: str
) -> None:
    read_yaml(TEXT, "f.yaml", kept)
    other = KeptNodes(memory, version)
    assert other.find(text, source) is None
    assert read_yaml(text, source, other) == read_yaml(text, source)
    assert len(memory.held) == 2


def test_a_wrong_text_is_not_kept(memory: Memory, kept: KeptNodes) -> None:
    for _ in range(2):
        with pytest.raises(InvalidWorkflow) as found:
            read_yaml("a: *b\n", "f.yaml", kept)
        assert found.value.code == "yaml.alias"
    assert not memory.held


def test_a_known_text_is_checked_again_with_the_same_problems(kept: KeptNodes) -> None:
    text = TEXT.replace("options", "optoins")
    told = []
    for _ in range(2):
        with pytest.raises(InvalidWorkflow) as found:
            read_workflow(text, source="f.yaml", kept=kept)
        told.append(str(found.value))
    assert told[0] == told[1]
    assert "f.yaml:7:5" in told[0]
    assert "did you mean 'options'?" in told[0]


def test_a_number_too_long_to_keep_is_read_all_the_same(
    memory: Memory, kept: KeptNodes
) -> None:
    number = 10**30
    for _ in range(2):
        assert read_yaml(f"[{number}]", "f", kept).value[0].value == number
    assert not memory.held


@pytest.mark.parametrize(
    "content", [b"", b"\xc1", b"\x01", b"\x97", b"\x91" * 100_000, b"\x80"]
)
def test_what_is_no_node_is_read_anew(
    memory: Memory, kept: KeptNodes, content: bytes
) -> None:
    node = read_yaml(TEXT, "f.yaml", kept)
    [name] = memory.held
    for damaged in (content, memory.held[name][:-1], memory.held[name] + b"\x00"):
        memory.held[name] = damaged
        assert read_yaml(TEXT, "f.yaml", kept) == node


SCALARS = st.sampled_from(
    [
        "1",
        "1.0",
        "-0.0",
        "true",
        "'true'",
        "null",
        "~",
        '"\\e"',
        "é",
        "1e3",
        "0x10",
        "''",
        "x y",
        "'{{ a }}'",
        "9223372036854775807",
        "18446744073709551615",
        "-9223372036854775808",
    ]
)
FLOWS = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda each: f"[{', '.join(each)}]")
        | st.lists(inner, max_size=3).map(
            lambda each: f"{{{', '.join(f'k{i}: {v}' for i, v in enumerate(each))}}}"
        )
    ),
    max_leaves=12,
)


@given(FLOWS)
def test_any_nodes_are_kept_as_they_were(text: str) -> None:
    memory = Memory()
    first = read_yaml(f"v: {text}", "f", KeptNodes(memory, "1"))
    assert memory.held
    again = read_yaml(f"v: {text}", "f", KeptNodes(memory, "1"))
    assert repr(again) == repr(first)  # tells 1 from 1.0 and from true


def test_a_source_that_is_no_unicode_is_read_all_the_same(
    kept: KeptNodes, memory: Memory
) -> None:
    source = "odd\udc9b.yaml"
    assert read_yaml(TEXT, source, kept) == read_yaml(TEXT, source)
    assert not memory.held
