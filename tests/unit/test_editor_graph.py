# SPDX-License-Identifier: Apache-2.0
"""What the page shows of a workflow's text, right or wrong."""

from pathlib import Path

import pytest

from lao.config import Settings, load_settings
from lao.editor.graph import Parts, view_document
from lao.errors import LaoError, Place
from lao.runtime import make_plan
from lao.workflow.document import read_workflow_file

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.yaml"))
MEETING = """\
# what was said
lao: 1
name: meeting
description: A meeting
inputs:
  recording: { type: audio, description: The talk }
  most: { type: json, default: 3 }
models:
  writer: { kind: ollama, model: m }
steps:
  - id: words
    uses: transcribe
    with: { audio: "{{ inputs.recording }}" }
  - id: short
    model: writer
    prompt_template: |
      Say it in {{ inputs.most }} words:
      {{ words }}
    when: "{{ words | length > 10 }}"
  - id: lines
    input: "{{ short }}"
    input_transforms: [lines]
  - id: each
    for_each: "{{ lines }}"
    model: writer
    prompt_template: "{{ item }} {{ short }}"
connections: [[words, each]]
outputs:
  all: "{{ each }} of {{ inputs.recording }}"
ui:
  words: [10, -20]
  inputs/recording: [0, 0]
  note/1: [5, 6, 70, 80, "what\\nto do"]
  group/2: [0, 0, 300, 200, Speech]
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings({"HOME": str(tmp_path)})


def view(text: str, settings: Settings, folder: Path) -> Parts:
    return view_document(text, path=folder / "f.yaml", settings=settings)


def edges(parts: Parts) -> list[tuple[str, str, str, str]]:
    return [(each.source, each.target, each.port, each.kind) for each in parts.edges]


def test_every_step_has_its_sort_its_model_and_its_type(
    settings: Settings, tmp_path: Path
) -> None:
    parts = view(MEETING, settings, tmp_path)
    assert [
        (step.id, step.line, step.sort, step.title, step.model, step.output)
        for step in parts.steps
    ] == [
        ("words", 11, "recipe", "transcribe", "embedded:speech", "text"),
        ("short", 14, "model", "writer", "ollama:m", "text"),
        ("lines", 20, "reshape", "reshape", "", "list[text]"),
        ("each", 23, "model", "writer", "ollama:m", "list[text]"),
    ]
    assert parts.problems == ()
    assert (parts.name, parts.description) == ("meeting", "A meeting")
    assert parts.steps[0].position == (10, -20)
    assert parts.steps[0].data["with"] == {"audio": "{{ inputs.recording }}"}
    assert parts.models == {"writer": {"kind": "ollama", "model": "m"}}


def test_edges_follow_the_templates_and_the_listed_connections(
    settings: Settings, tmp_path: Path
) -> None:
    assert edges(view(MEETING, settings, tmp_path)) == [
        ("inputs.recording", "words", "with.audio", "data"),
        ("inputs.most", "short", "prompt", "data"),
        ("words", "short", "prompt", "data"),
        ("words", "short", "when", "data"),
        ("short", "lines", "input", "data"),
        ("lines", "each", "for_each", "data"),
        ("short", "each", "prompt", "data"),
        ("words", "each", "", "wait"),
    ]


def test_each_edge_ends_at_a_port(settings: Settings, tmp_path: Path) -> None:
    parts = view(
        MEETING.replace("id: lines", "id: lines\n    odd: [1]"), settings, tmp_path
    )
    ports = {step.id: {port.name for port in step.inputs} for step in parts.steps}
    assert all(each.port in {*ports[each.target], ""} for each in parts.edges)


def test_inputs_outputs_and_boxes_are_shown(settings: Settings, tmp_path: Path) -> None:
    parts = view(MEETING, settings, tmp_path)
    assert [
        (each.name, each.type, each.is_required, each.position) for each in parts.inputs
    ] == [
        ("recording", "audio", True, (0, 0)),
        ("most", "json", False, None),
    ]
    assert [(each.name, each.reads) for each in parts.outputs] == [
        ("all", ["each", "inputs.recording"])
    ]
    assert [(each.id, each.kind, each.width, each.text) for each in parts.boxes] == [
        ("note/1", "note", 70, "what\nto do"),
        ("group/2", "group", 300, "Speech"),
    ]


def test_inputs_that_are_only_read_are_shown_as_text(
    settings: Settings, tmp_path: Path
) -> None:
    parts = view(
        'lao: 1\nname: w\nsteps: [{ id: a, input: "{{ inputs.x }}" }]\n',
        settings,
        tmp_path,
    )
    assert [(each.name, each.type) for each in parts.inputs] == [("x", "text")]


BROKEN = [
    ("id: lines", "id: lines\n    quantum: 1"),
    ("name: meeting\n", ""),
    ("lao: 1", "lao: one"),
    ("model: m }", "modle: m }"),
    ("when:", "wenn:"),
    ("words: [10, -20]", "words: [10]"),
    ("note/1", "notes/1"),
    ("[[words, each]]", "[[words, each], [gone, each]]"),
    ("{ type: audio, description: The talk }", "{ type: sound }"),
    ("{{ short }}", "{{ shrt }}"),
    ("uses: transcribe", "uses: transcrybe"),
    ('audio: "{{ inputs', 'sound: "{{ inputs'),
    ("id: each", "id: lines"),
    ("{{ words | length > 10 }}", "{{ words | length > }}"),
    ("type: audio", "type: image"),
]


@pytest.mark.parametrize(("old", "new"), BROKEN)
def test_a_file_with_one_mistake_still_shows_all_the_rest(
    old: str, new: str, settings: Settings, tmp_path: Path
) -> None:
    assert old in MEETING
    right = view(MEETING, settings, tmp_path)
    wrong = view(MEETING.replace(old, new, 1), settings, tmp_path)
    assert wrong.problems
    kept = {step.id for step in wrong.steps}
    assert len(kept) >= 3
    assert len(set(edges(wrong)) & set(edges(right))) >= len(right.edges) - 4
    assert sum(step.output is not None for step in wrong.steps) >= 2


@pytest.mark.parametrize(("old", "new"), [("", ""), *BROKEN])
def test_the_problems_are_those_of_a_check(
    old: str, new: str, settings: Settings, tmp_path: Path
) -> None:
    path = tmp_path / "f.yaml"
    path.write_text(MEETING.replace(old, new, 1))
    try:
        document = read_workflow_file(path)
        make_plan(document.workflow, settings, locate=document.locate_line)
        expected = []
    except LaoError as error:
        expected = [
            (each.code, each.what, each.mend, each.where.line, each.where.column)
            for each in error.problems
            if isinstance(each.where, Place)
        ]
    found = view_document(path.read_text(), path=path, settings=settings).problems
    assert [
        (each.code, each.what, each.mend, each.line, each.column) for each in found
    ] == expected


def test_a_problem_names_the_step_it_stands_in(
    settings: Settings, tmp_path: Path
) -> None:
    text = MEETING.replace("{{ short }}", "{{ shrt }}").replace(
        "type: json", "type: jsn"
    )
    assert [each.step for each in view(text, settings, tmp_path).problems] == [""]
    text = MEETING.replace("{{ short }}", "{{ shrt }}")
    steps = [each.step for each in view(text, settings, tmp_path).problems]
    assert steps == ["lines", "each"]


def test_a_newer_format_is_all_placeholders(settings: Settings, tmp_path: Path) -> None:
    parts = view(MEETING.replace("lao: 1", "lao: 2"), settings, tmp_path)
    assert {step.sort for step in parts.steps} == {"unknown"}
    assert edges(parts) == edges(view(MEETING, settings, tmp_path))
    assert [each.code for each in parts.problems] == ["workflow.newer-format"]


def test_a_placeholder_has_the_ports_that_it_uses(
    settings: Settings, tmp_path: Path
) -> None:
    text = MEETING.replace("id: lines", 'id: lines\n    quantum: ["{{ words }}"]')
    [step] = [
        each for each in view(text, settings, tmp_path).steps if each.sort == "unknown"
    ]
    assert [port.name for port in step.inputs] == ["quantum", "input"]
    assert step.data["quantum"] == ["{{ words }}"]


@pytest.mark.parametrize("text", ["", "# only a word\n", "a: [", "- 1\n", "just words"])
def test_what_is_no_workflow_shows_its_problem_alone(
    text: str, settings: Settings, tmp_path: Path
) -> None:
    parts = view(text, settings, tmp_path)
    assert parts.problems
    assert not parts.steps


def test_a_recipe_with_a_broken_file_hides_nothing_else(
    settings: Settings, tmp_path: Path
) -> None:
    recipes = tmp_path / "recipes"
    recipes.mkdir()
    (recipes / "transcribe.yaml").write_text("main: nothing\n")
    parts = view(MEETING, settings, tmp_path)
    assert parts.steps[0].output is None
    assert parts.steps[1].output == "text"
    assert edges(parts) == edges(view(MEETING, settings, tmp_path / "elsewhere"))
    assert {each.line for each in parts.problems} == {0}
    assert all("recipes/transcribe.yaml" in each.mend for each in parts.problems)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_are_shown_in_full(path: Path, settings: Settings) -> None:
    parts = view_document(path.read_text(), path=path, settings=settings)
    assert parts.steps
    assert not any(step.sort == "unknown" for step in parts.steps)
    assert parts.edges
