# SPDX-License-Identifier: Apache-2.0
"""The page's edits: which lines they change, what they refuse."""

import difflib
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings as test_settings, strategies as st

from lao.config import load_settings
from lao.editor.edit_messages import (
    ConnectEdit,
    DisconnectEdit,
    EditMessage,
    InsertEdit,
    MoveStepEdit,
    PasteEdit,
    RemoveBoxEdit,
    RemoveStepEdit,
    RemoveValueEdit,
    RenameStepEdit,
    SetBoxEdit,
    SetPositionEdit,
    SetTextEdit,
    SetValueEdit,
)
from lao.editor.edit_words import to_edits
from lao.editor.graph import view_document
from lao.errors import InvalidWorkflow, LaoError
from lao.workflow.edits import SpliceError

SETTINGS = load_settings({"HOME": "/nowhere"})
PATH = Path("/nowhere/meeting.yaml")
MEETING = """\
# what was said
lao: 1          # the format
name: meeting

inputs:
  recording: audio   # from the phone
  notes: { type: text }

models:
  writer: { kind: ollama, model: m }  # calm

steps:
  # hears
  - id: words
    uses: transcribe
    with: { audio: "{{ inputs.recording }}" }   # all of it

  # sums up
  - id: short
    model: writer
    prompt_template: |    # the prompt
      Say it in short:
      {{ words }}
    retry: 3              # it is shy

  - id: shout
    model: 'writer'
    prompt_template: 'Louder: {{ short }}'

  - id: odd               # from a later LAO
    quantum: ["{{ shout }}"]

# nothing waits yet

ui:
  words: [10, -20]   # left
  note/1: [5, 6, 70, 80, "to do"]
# the end
"""


def edited(text: str, *messages: EditMessage) -> tuple[str, list[str]]:
    return to_edits(text, messages, path=PATH, settings=SETTINGS)


def changed(text: str, *messages: EditMessage) -> list[str]:
    """Return the lines that go and come, with their sign."""
    new, _ = edited(text, *messages)
    lines = difflib.ndiff(text.splitlines(), new.splitlines())
    return [line for line in lines if line[0] in "+-"]


def refused(text: str, *messages: EditMessage) -> tuple[str, str]:
    with pytest.raises(LaoError) as caught:
        edited(text, *messages)
    assert caught.value.problem.mend
    return caught.value.code, caught.value.problem.what


def connect(source: str, target: str, port: str = "") -> ConnectEdit:
    return ConnectEdit(source=source, target=target, port=port)


def disconnect(source: str, target: str, port: str = "") -> DisconnectEdit:
    return DisconnectEdit(source=source, target=target, port=port)


@pytest.mark.parametrize(
    ("message", "lines"),
    [
        (
            SetValueEdit(path=["steps", "short", "timeout"], value="5m"),
            ["+     timeout: 5m"],
        ),
        (
            SetValueEdit(path=["steps", "short", "retry", "attempts"], value=4),
            ["-     retry: 3              # it is shy", "+     retry: 4              # it is shy"],
        ),
        (
            SetValueEdit(path=["steps", "short", "retry", "backoff"], value="2s"),
            [
                "-     retry: 3              # it is shy",
                "+     retry: { attempts: 3, backoff: 2s }              # it is shy",
            ],
        ),
        (
            SetValueEdit(path=["inputs", "recording", "description"], value="Talk"),
            [
                "-   recording: audio   # from the phone",
                "+   recording: { type: audio, description: Talk }   # from the phone",
            ],
        ),
        (
            SetValueEdit(path=["inputs", "recording", "type"], value="image"),
            ["-   recording: audio   # from the phone", "+   recording: image   # from the phone"],
        ),
        (
            RemoveValueEdit(path=["steps", "words", "with", "audio"]),
            ['-     with: { audio: "{{ inputs.recording }}" }   # all of it'],
        ),
        (RemoveValueEdit(path=["inputs", "notes"]), ["-   notes: { type: text }"]),
        (
            RenameStepEdit(old="shout", new="loud"),
            [
                "-   - id: shout",
                "+   - id: loud",
                '-     quantum: ["{{ shout }}"]',
                '+     quantum: ["{{ loud }}"]',
            ],
        ),
        (
            SetPositionEdit(node="words", x=11, y=-20),
            ["-   words: [10, -20]   # left", "+   words: [11, -20]   # left"],
        ),
        (SetPositionEdit(node="shout", x=1, y=2), ["+   shout: [1, 2]"]),
        (SetPositionEdit(node="odd", x=1, y=2), ["+   odd: [1, 2]"]),
        (
            SetPositionEdit(node="inputs.recording", x=1, y=2),
            ["+   inputs/recording: [1, 2]"],
        ),
        (
            SetPositionEdit(node="note/1", x=7, y=6),
            ['-   note/1: [5, 6, 70, 80, "to do"]', '+   note/1: [7, 6, 70, 80, "to do"]'],
        ),
        (
            SetBoxEdit(id="note/1", box="note", x=5, y=6, width=70, height=80, text="do:\nit"),
            ['-   note/1: [5, 6, 70, 80, "to do"]', '+   note/1: [5, 6, 70, 80, "do:\\nit"]'],
        ),
        (
            SetBoxEdit(box="note", x=0, y=0, width=9, height=9, text="x" * 99),
            [f"+   note/2: [0, 0, 9, 9, {'x' * 99}]"],
        ),
        (
            SetBoxEdit(box="group", x=0, y=0, width=9, height=9, text="A"),
            ["+   group/1: [0, 0, 9, 9, A]"],
        ),
        (RemoveBoxEdit(id="note/1"), ['-   note/1: [5, 6, 70, 80, "to do"]']),
        (connect("words", "shout"), ["+ connections: [[words, shout]]", "+ "]),
        (
            connect("words", "shout", "prompt"),
            [
                "-     prompt_template: 'Louder: {{ short }}'",
                "+     prompt_template: 'Louder: {{ short }} {{ words }}'",
            ],
        ),
        (
            connect("inputs.notes", "short", "prompt"),
            ["+       {{ inputs.notes }}"],
        ),
        (connect("words", "shout", "input"), ['+     input: "{{ words }}"']),
        (connect("words", "shout", "when"), ['+     when: "{{ words }}"']),
        (connect("inputs.notes", "shout", "system"), ['+     system: "{{ inputs.notes }}"']),
        (
            connect("inputs.notes", "words", "with.language"),
            [
                '-     with: { audio: "{{ inputs.recording }}" }   # all of it',
                '+     with: { audio: "{{ inputs.recording }}", language: "{{ inputs.notes }}" }   # all of it',
            ],
        ),
        (disconnect("words", "short", "prompt"), ["-       {{ words }}"]),
        (
            disconnect("short", "shout", "prompt"),
            ["-     prompt_template: 'Louder: {{ short }}'", "+     prompt_template: 'Louder:'"],
        ),
        (
            disconnect("inputs.recording", "words", "with.audio"),
            ['-     with: { audio: "{{ inputs.recording }}" }   # all of it'],
        ),
    ],
)  # fmt: skip
def test_an_edit_changes_its_own_lines_alone(
    message: EditMessage, lines: Sequence[str]
) -> None:
    found = changed(MEETING, message)
    assert sorted(found) == sorted(lines)


def test_steps_come_go_and_move_with_their_comments() -> None:
    assert changed(MEETING, RemoveStepEdit(id="words")) == [
        "-   # hears",
        "-   - id: words",
        "-     uses: transcribe",
        '-     with: { audio: "{{ inputs.recording }}" }   # all of it',
        "- ",
        "-   words: [10, -20]   # left",
    ]
    moved, _ = edited(MEETING, MoveStepEdit(id="words", after="odd"))
    assert sorted(moved.splitlines()) == sorted(MEETING.splitlines())
    assert moved.index("# sums up") < moved.index("# hears")


def test_a_step_from_the_palette_comes_behind_what_it_reads() -> None:
    new, created = edited(
        MEETING, InsertEdit(entry="recipe:summarize", source="short", x=4, y=5)
    )
    assert created == ["summarize"]
    assert (
        """\
    retry: 3              # it is shy

  - id: summarize
    uses: summarize
    with: { text: "{{ short }}" }

  - id: shout
"""
        in new
    )
    assert "  summarize: [4, 5]\n# the end" in new


def test_a_second_step_of_a_kind_gets_a_number() -> None:
    insert = InsertEdit(entry="recipe:extract-entities", after="words")
    _, created = edited(MEETING, insert, insert, insert)
    assert created == ["extract_entities", "extract_entities_2", "extract_entities_3"]


def test_a_source_that_fits_no_port_is_left_unconnected() -> None:
    new, [name] = edited(
        MEETING, InsertEdit(entry="recipe:summarize", source="inputs.recording")
    )
    parts = view_document(new, path=PATH, settings=SETTINGS)
    assert not [each for each in parts.edges if each.target == name]


def test_a_picture_goes_to_the_input_and_a_text_to_the_prompt() -> None:
    text = "lao: 1\nname: w\ninputs: { p: image, t: text }\nsteps: []\n"
    insert = [
        InsertEdit(entry="model:ollama", source=f"inputs.{name}") for name in "pt"
    ]
    parts = view_document(edited(text, *insert)[0], path=PATH, settings=SETTINGS)
    assert [each.port for each in parts.edges] == ["input", "prompt"]


def test_a_converter_goes_between_two_steps_in_one_request() -> None:
    new, created = edited(
        MEETING,
        InsertEdit(entry="recipe:transcribe", source="inputs.recording"),
        connect("+1", "shout", "input"),
    )
    assert created == ["transcribe"]
    assert '    input: "{{ transcribe }}"\n' in new


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# mine\n",
        "lao: 1\nname: w\n",
        "lao: 1\nname: w\nsteps: []\n",
        "lao: 1\nname: w\nsteps:\n",
    ],
)
def test_the_first_step_of_an_empty_file(text: str) -> None:
    new, created = edited(
        text,
        SetValueEdit(path=["inputs", "talk"], value={"type": "audio"}),
        InsertEdit(entry="recipe:transcribe", source="inputs.talk", x=1, y=2),
    )
    assert created == ["transcribe"]
    assert new.startswith(text.removesuffix("steps: []\n").removesuffix("steps:\n"))
    assert (
        """\
  - id: transcribe
    uses: transcribe
    with: { audio: "{{ inputs.talk }}" }
"""
        in new
    )
    assert view_document(new, path=PATH, settings=SETTINGS).problems == ()


PAIRS = [
    ("words", "shout", ""),
    ("words", "shout", "prompt"),
    ("words", "shout", "input"),
    ("words", "shout", "when"),
    ("inputs.notes", "shout", "system"),
    ("inputs.notes", "short", "prompt"),
    ("inputs.notes", "words", "with.language"),
]


@pytest.mark.parametrize(("source", "target", "port"), PAIRS)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_what_is_connected_and_disconnected_is_as_before(
    source: str, target: str, port: str, end: str
) -> None:
    text = MEETING.replace("\n", end)
    new, _ = edited(text, connect(source, target, port))
    assert new != text
    assert edited(new, disconnect(source, target, port))[0] == text


@test_settings(max_examples=25, deadline=None)
@given(
    prompt=st.text(alphabet=st.sampled_from('ab {}"\n#:é'), min_size=1, max_size=12),
    ends=st.booleans(),
)
def test_any_prompt_is_as_before(prompt: str, ends: bool) -> None:
    start = MEETING[: MEETING.index("steps:")]
    try:
        text, _ = edited(
            start + "steps:\n  - { id: a, input: x }\n",
            PasteEdit(
                steps=[
                    {
                        "id": "b",
                        "model": "writer",
                        "prompt_template": prompt + "\n" * ends,
                    }
                ]
            ),
        )
        view = view_document(text, path=PATH, settings=SETTINGS)
    except SpliceError:
        return
    if view.problems or not prompt.strip():
        return
    new, _ = edited(text, connect("a", "b", "prompt"))
    assert [
        each.source for each in view_document(new, path=PATH, settings=SETTINGS).edges
    ] == ["a"]
    assert edited(new, disconnect("a", "b", "prompt"))[0] == text


@pytest.mark.parametrize(
    ("message", "code", "words"),
    [
        (connect("inputs.recording", "short", "prompt"), "workflow.type-mismatch", "'inputs.recording' is audio, but the prompt_template takes text"),
        (connect("inputs.notes", "words", "with.audio"), "workflow.type-mismatch", "'inputs.notes' is text, but 'transcribe''s 'audio' takes audio"),
        (connect("words", "shout", "for_each"), "workflow.type-mismatch", "'words' is text, but `for_each` takes list[text]"),
        (connect("shout", "short", "prompt"), "workflow.cycle", "these steps wait for each other: short → shout → short"),
        (connect("shout", "words"), "workflow.cycle", "these steps wait for each other: words → short → shout → words"),
        (connect("shout", "shout", "input"), "workflow.cycle", "these steps wait for each other: shout → shout"),
        (connect("shout", "gone"), "splice.unknown-place", "there is no step 'gone'"),
        (connect("gone", "shout"), "splice.unknown-place", "there is no step 'gone'"),
        (connect("inputs.note", "shout", "input"), "splice.unknown-place", "there is no 'inputs.note'"),
        (connect("inputs.notes", "shout"), "editor.unknown-port", "no step waits for an input, and 'inputs.notes' is one"),
        (connect("words", "shout", "with.text"), "editor.unknown-port", "the step 'shout' has no port 'with.text'"),
        (connect("shout", "odd", "quantum"), "editor.unknown-step", "LAO does not understand the step 'odd', so it leaves it alone"),
        (connect("+1", "shout"), "splice.unknown-place", "no step '+1' was added before this edit"),
        (disconnect("words", "shout"), "splice.unknown-place", "no connection from 'words' to 'shout' is listed"),
        (disconnect("words", "shout", "prompt"), "splice.unknown-place", "the port 'prompt' of 'shout' does not read 'words'"),
        (InsertEdit(entry="recipe:sumarize"), "editor.unknown-entry", "the palette has no 'recipe:sumarize'"),
        (SetPositionEdit(node="gone", x=1, y=2), "splice.unknown-place", "there is no step 'gone'"),
        (SetPositionEdit(node="words", x=10**7, y=2), "splice.bad-value", "10000000 is too large; the most is 1000000"),
        (SetBoxEdit(id="group/1", box="note", x=1, y=1, width=1, height=1, text=""), "splice.unknown-place", "'group/1' is no such note or group"),
        (RemoveBoxEdit(id="words"), "splice.unknown-place", "'words' is no such note or group"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(
    message: EditMessage, code: str, words: str
) -> None:
    found, what = refused(MEETING, message)
    assert (found, what) == (code, words)


def test_a_text_that_reads_two_things_at_once_is_left_to_a_person() -> None:
    text = MEETING.replace("{{ short }}", "{{ short ~ words }}")
    code, _ = refused(text, disconnect("short", "shout", "prompt"))
    assert code == "editor.cannot-disconnect"


def test_nothing_is_changed_when_one_edit_cannot_be_made() -> None:
    refused(MEETING, SetPositionEdit(node="short", x=1, y=1), connect("shout", "words"))


def test_a_mismatch_elsewhere_is_no_reason_to_refuse() -> None:
    text = MEETING.replace("'Louder: {{ short }}'", "'{{ inputs.recording }}'")
    assert changed(text, connect("words", "shout")) != []


def test_a_port_that_transforms_its_input_takes_what_they_take() -> None:
    step = {"id": "cut", "input": "x", "input_transforms": ["json", {"select": "/a"}]}
    text, _ = edited(MEETING, PasteEdit(steps=[step]))
    assert edited(text, connect("words", "cut", "input"))
    json = SetValueEdit(path=["steps", "short", "output"], value="json")
    code, _ = refused(text, json, connect("short", "cut", "input"))
    assert code == "workflow.transform-mismatch"


def test_copies_read_copies_and_get_ids_of_their_own() -> None:
    new, created = edited(
        MEETING,
        PasteEdit(
            steps=[
                {
                    "id": "words",
                    "uses": "transcribe",
                    "with": {"audio": "{{ inputs.recording }}"},
                },
                {
                    "id": "short",
                    "model": "writer",
                    "prompt_template": "{{ words }} {{ shout }}",
                },
                {"id": "free", "input": "{{ short }}"},
            ],
            positions={"words": (1, 2), "free": (3, 4), "gone": (5, 6)},
            connections=[("words", "free"), ("shout", "free"), ("gone", "free")],
        ),
    )
    assert created == ["words_2", "short_2", "free"]
    assert (
        """\
  - id: short_2
    model: writer
    prompt_template: "{{ words_2 }} {{ shout }}"

  - id: free
    input: "{{ short_2 }}"
"""
        in new
    )
    assert "connections: [[words_2, free], [shout, free]]\n" in new
    assert "  words_2: [1, 2]\n  free: [3, 4]\n# the end" in new


def test_two_copies_of_one_step_get_two_ids() -> None:
    step = {"id": "words", "input": "x"}
    assert edited(MEETING, PasteEdit(steps=[step, step]))[1] == ["words_2", "words_3"]


def test_to_declare_one_input_declares_those_that_are_read() -> None:
    text = 'lao: 1\nname: w\nsteps:\n  - { id: a, input: "{{ inputs.x }} {{ inputs.y }}" }\n'
    new, _ = edited(
        text, SetValueEdit(path=["inputs", "y", "description"], value="Why")
    )
    parts = view_document(new, path=PATH, settings=SETTINGS)
    assert [(each.name, each.description) for each in parts.inputs] == [
        ("x", ""),
        ("y", "Why"),
    ]
    assert parts.problems == ()


def test_an_input_that_is_only_read_is_connected_without_a_declaration() -> None:
    text = "lao: 1\nname: w\nsteps:\n  - { id: a, input: x }\n"
    assert changed(text, connect("inputs.new", "a", "input")) == [
        "-   - { id: a, input: x }",
        '+   - { id: a, input: "{{ inputs.new }}" }',
    ]


def test_an_input_takes_its_place_along() -> None:
    text, _ = edited(MEETING, SetPositionEdit(node="inputs.notes", x=1, y=2))
    assert edited(text, RemoveValueEdit(path=["inputs", "notes"])) == edited(
        MEETING, RemoveValueEdit(path=["inputs", "notes"])
    )


def test_many_places_are_one_line_each_and_the_last_counts() -> None:
    moves = [SetPositionEdit(node="short", x=x, y=0) for x in range(50)]
    lines = changed(MEETING, *moves, SetPositionEdit(node="shout", x=1, y=1))
    assert lines == ["+   short: [49, 0]", "+   shout: [1, 1]"]


def test_edits_follow_each_other() -> None:
    new, _ = edited(
        MEETING,
        SetPositionEdit(node="shout", x=1, y=1),
        RenameStepEdit(old="shout", new="loud"),
        SetPositionEdit(node="loud", x=2, y=2),
        SetBoxEdit(box="note", x=0, y=0, width=1, height=1, text="a"),
        RemoveBoxEdit(id="note/2"),
    )
    assert "  loud: [2, 2]\n# the end" in new


def test_a_text_that_is_no_yaml_can_only_be_replaced() -> None:
    with pytest.raises(InvalidWorkflow):
        edited("a: [", SetPositionEdit(node="a", x=1, y=1))
    assert edited("a: [", SetTextEdit(text="b: [")) == ("b: [", [])
    assert edited("a: [") == ("a: [", [])


def test_a_newer_format_is_not_edited() -> None:
    text = MEETING.replace("lao: 1 ", "lao: 2 ")
    assert (
        refused(text, SetPositionEdit(node="words", x=1, y=1))[0]
        == "splice.newer-format"
    )


def test_a_file_with_a_broken_step_can_be_connected_elsewhere() -> None:
    text = MEETING.replace("retry: 3 ", "retry: many ")
    assert changed(text, connect("words", "shout", "input")) == [
        '+     input: "{{ words }}"'
    ]
    code, _ = refused(text, connect("inputs.recording", "shout", "input"))
    assert code == "workflow.type-mismatch"
