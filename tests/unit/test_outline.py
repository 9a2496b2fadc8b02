# SPDX-License-Identifier: Apache-2.0
"""What is shown of a workflow file that is not understood in full."""

import pytest

from lao.workflow.outline import Outline, outline_workflow
from lao.workflow.source import read_yaml

TEXT = """\
lao: 1
name: w
steps:
  - id: words
    input: "{{ inputs.text }}"
  - id: later
    quantum: { of: ["{{ words.people | length }}", "{% broken"] }
  - { no: id }
  - just text
  - id: last
    prompt_template: "{{ later }} {{ words }} {{ gone }}"
  - id: words
    input: again
connections: [[words, last], [gone, last], nothing]
"""


def outlined(text: str) -> Outline:
    return outline_workflow(read_yaml(text, "f.yaml"))


def test_an_unknown_step_is_a_placeholder_with_its_connections() -> None:
    outline = outlined(TEXT)

    shown = [
        (
            step.id,
            step.number,
            step.node.line,
            step.step is not None,
            [(link.source, link.port) for link in step.links],
        )
        for step in outline.steps
    ]
    prompt = "prompt_template"
    assert shown == [
        ("words", 0, 4, True, [("inputs.text", "input")]),
        ("later", 1, 6, False, [("words", "quantum")]),
        ("last", 4, 10, True, [("later", prompt), ("words", prompt)]),
    ]
    assert outline.waits == (("words", "last"),)


def test_a_newer_format_is_all_placeholders() -> None:
    outline = outlined(TEXT.replace("lao: 1", "lao: 2"))

    assert all(step.step is None for step in outline.steps)
    assert [link.source for link in outline.steps[2].links] == ["later", "words"]


def test_what_a_recipe_is_told_is_linked_name_by_name() -> None:
    outline = outlined("""\
steps:
  - { id: a, input: x }
  - id: b
    uses: summarize
    with: { text: "{{ a }}", length: "{{ inputs.n.most }}" }
    options: { seed: "{{ a }}" }
""")

    links = outline.steps[1].links
    assert [(link.source, link.port) for link in links] == [
        ("a", "with.text"),
        ("inputs.n", "with.length"),
    ]


@pytest.mark.parametrize("text", ["- a\n", "lao: 1\nsteps: 5\n", "steps:\n"])
def test_a_file_without_steps_shows_nothing(text: str) -> None:
    assert outlined(text).steps == ()
