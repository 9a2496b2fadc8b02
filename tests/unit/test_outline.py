# SPDX-License-Identifier: Apache-2.0
"""What is shown of a workflow file that is not understood in full."""

import pytest

from lao.errors import InvalidWorkflow
from lao.workflow.outline import outline_workflow

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
connections: [[words, last], [gone, last], nothing]
"""


def test_an_unknown_step_is_a_placeholder_with_its_connections() -> None:
    outline = outline_workflow(TEXT, source="f.yaml")

    shown = [(step.id, step.line, step.is_known, step.reads) for step in outline.steps]
    assert shown == [
        ("words", 4, True, ()),
        ("later", 6, False, ("words",)),
        ("last", 10, True, ("later", "words")),
    ]
    assert outline.waits == (("words", "last"),)
    assert outline.is_editable


def test_a_newer_format_is_all_placeholders_and_not_edited() -> None:
    outline = outline_workflow(TEXT.replace("lao: 1", "lao: 2"), source="f.yaml")

    assert not outline.is_editable
    assert not any(step.is_known for step in outline.steps)
    assert outline.steps[2].reads == ("later", "words")


@pytest.mark.parametrize("text", ["- a\n", "lao: 1\nsteps: 5\n", "steps:\n"])
def test_a_file_without_steps_shows_nothing(text: str) -> None:
    assert outline_workflow(text, source="f.yaml").steps == ()


def test_a_file_that_is_no_yaml_says_so() -> None:
    with pytest.raises(InvalidWorkflow):
        outline_workflow("a: [", source="f.yaml")
