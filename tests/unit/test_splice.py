# SPDX-License-Identifier: Apache-2.0
"""Edits of workflow texts: what they change, what they keep, what they refuse."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from lao.errors import InvalidWorkflow
from lao.workflow.document import read_workflow
from lao.workflow.edits import (
    AddConnection,
    AddStep,
    Edit,
    MoveStep,
    RemoveConnection,
    RemoveStep,
    RemoveValue,
    RenameStep,
    SetPosition,
    SetValue,
    SpliceError,
)
from lao.workflow.member_changes import Change, apply
from lao.workflow.shapes import plain_data
from lao.workflow.source import read_yaml
from lao.workflow.splice import splice, splice_all

EXAMPLES = Path(__file__).parents[2] / "examples"
NOTES = """\
# What the board said
lao: 1  # the format
name: notes

models:
  writer: { kind: ollama, model: llama3.2, options: { temperature: 0 } }  # calm

steps:
  # hears
  - id: transcript   # words
    input: "{{ inputs.recording }}"
    # timeout: 5m

  # --- writing ---

  # sums up
  - id: summary
    model: writer
    prompt_template: |   # five points
      Summarise:
      # {{ transcript }}
    retry: { attempts: 3, backoff: 2s }
  - {id: mood, model: 'writer', prompt_template: '{{ summary }}'}

outputs:
  notes: "{{ summary }}"
# the end
"""


def edited(text: str, *edits: Edit) -> str:
    return splice_all(text, edits, source="f.yaml")


def data(text: str) -> object:
    return plain_data(read_yaml(text, "f.yaml"))


def refusal_of(text: str, edit: Edit) -> str:
    with pytest.raises(SpliceError) as caught:
        edited(text, edit)
    assert caught.value.problem.mend
    return caught.value.code


def values(held: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple]:
    if isinstance(held, dict):
        for name, inner in held.items():
            yield from values(inner, (*path, name))
    elif isinstance(held, list):
        for index, inner in enumerate(held):
            yield from values(inner, (*path, index))
    else:
        yield path, held


def field(name: str, value: object, step: str = "summary") -> SetValue:
    return SetValue(path=("steps", step, name), value=value)


@pytest.mark.parametrize(
    ("edit", "old", "new"),
    [
        (SetValue(path=("name",), value="a: b"), "name: notes", 'name: "a: b"'),
        (SetValue(path=("name",), value="yes"), "name: notes", 'name: "yes"'),
        (SetValue(path=("name",), value="Tom, Ann"), "notes\n", "Tom, Ann\n"),
        (
            SetValue(path=("models", "writer", "options", "temperature"), value=0.5),
            "temperature: 0 }",
            "temperature: 0.5 }",
        ),
        (
            SetValue(path=("models", "writer", "options", "seed"), value=7),
            "temperature: 0 }",
            "temperature: 0, seed: 7 }",
        ),
        (field("model", "it's", "mood"), "'writer'", "'it''s'"),
        (field("model", "a\nb", "mood"), "'writer'", '"a\\nb"'),
        (field("timeout", "5m", "mood"), "}}'}", "}}', timeout: 5m}"),
        (field("retry", {"attempts": 2, "backoff": "2s"}), "attempts: 3", "attempts: 2"),
        (field("retry", 2), "{ attempts: 3, backoff: 2s }", "2"),
        (field("prompt_template", "Say:\n\tall\n"), "Summarise:\n      # {{ transcript }}", "Say:\n      \tall"),
        (field("prompt_template", "Say"), "|   # five points\n      Summarise:\n      # {{ transcript }}", "|-   # five points\n      Say"),
        (field("prompt_template", " Say\n"), "|   # five points\n      Summarise:\n      # {{ transcript }}", "|2   # five points\n       Say"),
        (field("prompt_template", 5), "|   # five points\n      Summarise:\n      # {{ transcript }}", "5   # five points"),
        (field("input", "a\nb", "transcript"), '"{{ inputs.recording }}"', "|-\n      a\n      b"),
        (RemoveValue(path=("steps", "summary", "retry", "backoff")), ", backoff: 2s", ""),
        (RemoveValue(path=("steps", "summary", "retry")), "    retry: { attempts: 3, backoff: 2s }\n", ""),
        (RemoveValue(path=("steps", "mood", "id")), "id: mood, ", ""),
        (RemoveValue(path=("outputs", "notes")), 'outputs:\n  notes: "{{ summary }}"\n', "outputs: {}\n"),
        (SetValue(path=("description",), value="x"), "name: notes\n", "name: notes\ndescription: x\n"),
        (SetPosition(step="mood", x=3, y=-4), "# the end", "ui:\n  mood: [3, -4]\n# the end"),
        (AddConnection(first="mood", second="summary"), "\noutputs:", "\nconnections: [[mood, summary]]\n\noutputs:"),
    ],
)  # fmt: skip
def test_an_edit_changes_its_own_place_alone(edit: Edit, old: str, new: str) -> None:
    assert NOTES.count(old) == 1
    assert edited(NOTES, edit) == NOTES.replace(old, new)


def test_a_removed_step_takes_its_comments_and_the_blank_line() -> None:
    text = edited(NOTES, RemoveStep(id="transcript"))
    start, end = NOTES.index("  # hears"), NOTES.index("  # --- writing")
    assert text == NOTES[:start] + NOTES[end:]
    assert edited(text, RemoveStep(id="mood"), RemoveStep(id="summary")).endswith(
        'steps: []\n  # --- writing ---\n\noutputs:\n  notes: "{{ summary }}"\n# the end\n'
    )


def test_a_moved_step_takes_its_comments_and_leaves_what_stands_between() -> None:
    text = edited(NOTES, MoveStep(id="summary"))
    assert text.index("# sums up") < text.index("# five") < text.index("# hears")
    assert text.index("# timeout: 5m") < text.index("  - {id: mood")
    assert edited(text, MoveStep(id="summary", after="transcript")) == NOTES


def test_a_new_step_stands_as_the_others_do() -> None:
    step = {"id": "last", "prompt_template": "a\nb", "retry": {"attempts": 2}}
    text = edited(NOTES, AddStep(step=step, after="transcript"))
    new = "  - id: last\n    prompt_template: |-\n      a\n      b\n    retry: { attempts: 2 }\n"
    place = NOTES.index("\n  # --- writing")
    assert text == f"{NOTES[:place]}\n{new}{NOTES[place:]}"
    assert edited(text, RemoveStep(id="last")) == NOTES


def test_a_renamed_step_is_renamed_where_it_is_read_and_nowhere_else() -> None:
    text = """\
lao: 1
name: a
steps:
  - id: a
    model: a
    input: a {{ inputs.a }}
  - id: b
    default: "{{ a }}"
    system: >
      folded {{ a }}
      and {{ b.a }}

      kept
      apart
    prompt_template: '{{ a.x
      }} "{{ "a" }}" {% if a %}{% raw %}{{ a }}{% endraw %}{# a #}{{ f(a=a) }}{% endif %}'
connections: [[a, b]]
outputs: { a: "{{ a | upper }}" }  # a
ui:
  a: [1, 2]   # a
"""
    expected = text
    for old, new in [
        ("- id: a", "- id: z"),
        ("folded {{ a }}", "folded {{ z }}"),
        ("{{ a.x", "{{ z.x"),
        ("if a %}", "if z %}"),
        ("a=a", "a=z"),
        ("[[a, b]]", "[[z, b]]"),
        ("a | upper", "z | upper"),
        ("  a: [1, 2]", "  z: [1, 2]"),
    ]:
        assert expected.count(old) == 1
        expected = expected.replace(old, new)
    assert edited(text, RenameStep(old="a", new="z")) == expected
    assert edited(expected, RenameStep(old="z", new="a")) == text


@pytest.mark.parametrize(
    "template",
    [
        "{% for w in transcript %}{{ transcript }}{% endfor %}",
        "{% for w in [1] %}{{ w }}{{ transcript }}{% endfor %}",
        "{{ transcript }}{% set transcript = 1 %}{{ transcript }}",
        "{{ transcript }}{{ w }}",
    ],
)
def test_a_rename_that_a_template_would_misread_is_refused(template: str) -> None:
    text = NOTES.replace("Summarise:", template)
    rename = RenameStep(old="transcript", new="w")
    assert refusal_of(text, rename) == "splice.unclear-rename"


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        (field("timeout", "5m", "sumary"), "splice.unknown-place"),
        (SetValue(path=("name", "x"), value=1), "splice.unknown-place"),
        (SetValue(path=(), value=1), "splice.unknown-place"),
        (SetValue(path=("steps", 7, "x"), value=1), "splice.unknown-place"),
        (RemoveValue(path=("description",)), "splice.unknown-place"),
        (RemoveStep(id="x"), "splice.unknown-place"),
        (MoveStep(id="mood", after="x"), "splice.unknown-place"),
        (RemoveConnection(first="mood", second="summary"), "splice.unknown-place"),
        (AddConnection(first="mood", second="x"), "splice.unknown-place"),
        (SetPosition(step="x", x=1, y=1), "splice.unknown-place"),
        (AddStep(step={"id": "mood"}), "splice.name-taken"),
        (AddStep(step={"model": "writer"}), "splice.bad-value"),
        (RenameStep(old="mood", new="summary"), "splice.name-taken"),
        (RenameStep(old="mood", new="in"), "splice.bad-name"),
        (RenameStep(old="mood", new="a-b"), "splice.bad-name"),
        (field("timeout", float("nan")), "splice.bad-value"),
        (field("timeout", 10**50), "splice.bad-value"),
        (field("timeout", "\ud800"), "splice.bad-value"),
        (field("timeout", {1: 2}), "splice.bad-value"),
        (field("timeout", b"x"), "splice.bad-value"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_refused(edit: Edit, code: str) -> None:
    assert refusal_of(NOTES, edit) == code


def test_a_text_that_would_mean_something_else_is_never_returned() -> None:
    text = "lao: 1\nname: w\nsteps:\n  - id: a\n    with: [k: 1, 2]\n"
    edit = SetValue(path=("steps", "a", "with", 0, "new"), value=2)
    assert refusal_of(text, edit) == "splice.not-the-same"


def test_a_text_that_lost_a_comment_is_never_returned(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def careless(text: str, changes: Sequence[Change]) -> str:
        return apply(text, changes).replace("# --- writing ---", "")

    monkeypatch.setattr("lao.workflow.splice.apply", careless)
    assert refusal_of(NOTES, field("timeout", "5m")) == "splice.not-the-same"


def test_a_value_that_is_nested_too_deep_is_refused() -> None:
    value: object = 1
    for _ in range(5000):
        value = [value]
    assert refusal_of(NOTES, field("with", value)) == "splice.bad-value"


def test_a_newer_format_is_not_edited_and_stays_as_it_is() -> None:
    text = NOTES.replace("lao: 1", "lao: 2")
    assert edited(text) == text
    assert refusal_of(text, SetPosition(step="mood", x=1, y=1)) == "splice.newer-format"


def test_an_unknown_kind_of_step_is_edited_around_and_stays_as_it_is() -> None:
    strange = "  - id: later   # who knows\n    quantum: { of: ['{{ mood }}', 1e3] }\n"
    text = NOTES.replace("\noutputs:", f"{strange}\noutputs:")
    new = edited(text, SetPosition(step="later", x=1, y=2), field("timeout", "1m"))
    assert strange in new
    renamed = edited(new, RenameStep(old="mood", new="tone"))
    assert strange.replace("mood", "tone") in renamed


@pytest.mark.parametrize("end", ["", "\n"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_and_byte_order_marks_stay(mark: str, newline: str, end: str) -> None:
    text = mark + NOTES.rstrip("\n").replace("\n", newline) + end.replace("\n", newline)
    new = edited(
        text,
        SetPosition(step="mood", x=1, y=1),
        field("prompt_template", "one\ntwo\n"),
        AddStep(step={"id": "new", "system": "a\nb"}),
    )
    assert new.startswith(mark + "# What")
    assert new.count("\n") == new.count(newline)
    assert new.endswith("# the end" + end.replace("\n", newline))
    back = edited(new, RemoveStep(id="new"), RemoveStep(id="mood"))
    assert back.count("\n") == back.count(newline)


@pytest.mark.parametrize("header", ["|", "|-", "|+", ">"])
def test_what_follows_a_block_text_at_the_very_end_does_not_change_it(
    header: str,
) -> None:
    text = f"lao: 1\nname: w\nsteps:\n  - id: a\n    system: {header}\n      text"
    new = edited(text, SetPosition(step="a", x=1, y=2))
    assert data(new)["steps"] == data(text)["steps"]
    assert data(new)["ui"] == {"a": [1, 2]}


@pytest.mark.parametrize("margin", [0, 2, 4, 6, 8, 12])
def test_a_new_block_text_takes_no_comment_below_it_in(margin: int) -> None:
    comment = f"{' ' * margin}# stays"
    text = f"lao: 1\nname: w\nsteps:\n  - id: a\n    system: x\n\n{comment}\n"
    for edit in [
        field("system", "a\nb\n", "a"),
        AddStep(step={"id": "b", "system": "a\nb\n"}, after="a"),
    ]:
        new = edited(text, edit)
        assert f"\n{comment}\n" in new
        assert "stays" not in repr(data(new))


def test_json_stays_json() -> None:
    import json

    text = json.dumps(data(NOTES), indent=2)
    new = edited(
        text,
        field("timeout", "5m"),
        field("prompt_template", 'a\n"b" {{ transcript }} \x85'),
        AddStep(step={"id": "new", "with": {"k": [1, "yes"]}}, after="mood"),
        MoveStep(id="new"),
        RenameStep(old="transcript", new="words"),
        SetPosition(step="new", x=1, y=2),
        SetPosition(step="mood", x=1, y=2),
        AddConnection(first="new", second="mood"),
        RemoveStep(id="summary"),
        RemoveValue(path=("models",)),
    )
    assert json.loads(new) == data(new)
    assert [step["id"] for step in data(new)["steps"]] == ["new", "words", "mood"]
    one_line = json.dumps(data(NOTES))
    assert (
        json.loads(edited(one_line, RemoveStep(id="mood")))["steps"][-1]["id"]
        == "summary"
    )


@pytest.mark.parametrize(
    "path", sorted(EXAMPLES.glob("**/*.yaml")), ids=lambda p: p.stem
)
def test_every_example_can_be_edited_everywhere(path: Path) -> None:
    text = path.read_text("utf-8")
    if "lao" not in data(text):
        pytest.skip("no workflow")
    for place, value in values(data(text)):
        if isinstance(value, str):
            new = edited(text, SetValue(path=place, value=f"{value} {{{{ # }}}}"))
            assert edited(new, SetValue(path=place, value=value)).count(
                "\n"
            ) == text.count("\n")
    first = data(text)["steps"][0]["id"]
    new = edited(text, SetPosition(step=first, x=1, y=2))
    assert (
        read_workflow(new, source="f").workflow
        == read_workflow(text, source="f").workflow
    )


def test_a_file_that_is_no_yaml_says_so() -> None:
    with pytest.raises(InvalidWorkflow):
        splice("a: [", SetPosition(step="a", x=1, y=1), source="f.yaml")


@pytest.mark.parametrize("text", ["- a\n", "just text\n"])
def test_a_file_that_is_no_mapping_is_refused(text: str) -> None:
    assert (
        refusal_of(text, SetValue(path=("name",), value="x")) == "splice.unknown-place"
    )


def test_what_is_drawn_takes_one_line_each_however_long_it_is() -> None:
    note = [0, 0, 300, 200, "to do:\n" + "more " * 30]
    lines = edited(NOTES, SetValue(path=("ui", "note/1"), value=note)).splitlines()
    assert lines[-3:] == [
        "ui:",
        f"  note/1: {json.dumps(note)}",
        "# the end",
    ]
    both = {"summary": [1, 2], "note/1": note}
    new = edited(NOTES, SetValue(path=("ui",), value=both))
    assert new.splitlines()[-4:-1] == ["ui:", "  summary: [1, 2]", lines[-2]]
    longer = SetValue(path=("ui", "note/1"), value=[*note[:4], "x" * 200])
    assert len(edited(new, longer).splitlines()) == len(new.splitlines())


def test_the_first_members_of_a_file_stand_on_lines_of_their_own() -> None:
    text = "lao: 1\nname: w\n"
    step = {"id": "a", "input": "x"}
    models = {"m": {"kind": "ollama", "model": "m"}}
    edits = (
        SetValue(path=("models",), value=models),
        AddStep(step=step),
        SetValue(path=("inputs", "t"), value="text"),
    )
    assert edited(text, *edits) == text + (
        "inputs:\n  t: text\n"
        "models:\n  m: { kind: ollama, model: m }\n"
        "steps:\n  - id: a\n    input: x\n"
    )


def test_many_steps_are_added_as_one_by_one() -> None:
    steps = data(NOTES)["steps"]
    added = [{"id": f"s{number}", "input": "x"} for number in range(3)]
    together = edited(NOTES, SetValue(path=("steps",), value=[*steps, *added]))
    alone = edited(
        NOTES,
        *(
            AddStep(step=step, after=after)
            for step, after in zip(added, ("mood", "s0", "s1"), strict=True)
        ),
    )
    assert together == alone
