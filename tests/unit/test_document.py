# SPDX-License-Identifier: Apache-2.0
"""Workflow files: what they mean, and every way they can be wrong."""

import json
import os
import socket
from contextlib import suppress
from pathlib import Path

import jsonschema_rs
import pytest
from hypothesis import given, settings, strategies as st

from lao.errors import InvalidWorkflow, UsageError
from lao.policy import LoopbackEndpoint
from lao.workflow.document import (
    Document,
    read_regular_file,
    read_workflow,
    read_workflow_file,
    workflow_json_schema,
)
from lao.workflow.drawing import Box
from lao.workflow.local_models import Custom, Embedded, LlamaCpp, Ollama, WhisperCpp
from lao.workflow.shapes import plain_data
from lao.workflow.source import LARGEST_DOCUMENT, read_yaml
from lao.workflow.steps import (
    Default,
    Input,
    OnError,
    Output,
    Retry,
    Workflow,
    WorkflowStep,
)
from lao.workflow.transforms import (
    Join,
    Lines,
    ParseJson,
    Regex,
    Select,
    Split,
    Strip,
    Truncate,
    UsePlugin,
)
from lao.workflow.values import AUDIO, EMBEDDING, JSON, TEXT, list_of

MEETING = """\
lao: 1                                  # format version
name: meeting-notes
description: Transcribe a meeting, summarise it, list who and what it mentions.

inputs:
  recording: { type: audio, description: The recording }

models:                                 # optional names for local backends
  ears:   { kind: whisper.cpp, model_path: ~/models/ggml-base.en.bin }
  writer: { kind: ollama, model: llama3.2, options: { temperature: 0 } }

steps:
  - id: transcript
    model: ears
    input: "{{ inputs.recording }}"

  - id: summary
    model: writer
    prompt_template: |
      Summarise in five bullet points:
      {{ transcript }}
    retry: { attempts: 3, backoff: 2s }
    timeout: 5m

  - id: entities
    uses: extract-entities
    with: { text: "{{ transcript }}", model: writer }

  - id: alarm
    when: "{{ entities.people | length > 10 }}"
    model: { kind: ollama, model: llama3.2, endpoint: "http://127.0.0.1:11434" }
    prompt_template: "Write a one-line warning about: {{ summary }}"

outputs:
  notes: "{{ summary }}"
  entities: "{{ entities }}"
"""
VALIDATOR = jsonschema_rs.Draft202012Validator(workflow_json_schema(), offline=True)


def read(text: str) -> Document:
    return read_workflow(text, source="f.yaml")


def with_step(lines: str) -> str:
    """Return a workflow whose one step has these lines, from line 5 on."""
    body = "".join(f"    {line}\n" for line in lines.splitlines())
    return f"lao: 1\nname: w\nsteps:\n  - id: a\n{body}"


def step_of(lines: str) -> WorkflowStep:
    return read(with_step(lines)).workflow.steps[0]


def problems_of(text: str) -> list[str]:
    with pytest.raises(InvalidWorkflow) as caught:
        read(text)
    return [f"{p.where.line}:{p.where.column} {p.code}" for p in caught.value.problems]


def schema_accepts(text: str) -> bool:
    return VALIDATOR.is_valid(plain_data(read_yaml(text, "f.yaml")))


def test_the_documented_example_means_what_it_says() -> None:
    llama = Ollama(
        model="llama3.2", endpoint=LoopbackEndpoint("http://127.0.0.1:11434")
    )
    assert read(MEETING).workflow == Workflow(
        name="meeting-notes",
        description="Transcribe a meeting, summarise it, list who and what it "
        "mentions.",
        inputs={"recording": Input(type=AUDIO, description="The recording")},
        models={
            "ears": WhisperCpp(model_path="~/models/ggml-base.en.bin"),
            "writer": Ollama(model="llama3.2", options={"temperature": 0}),
        },
        steps=(
            WorkflowStep(id="transcript", model="ears", input="{{ inputs.recording }}"),
            WorkflowStep(
                id="summary",
                model="writer",
                prompt_template="Summarise in five bullet points:\n{{ transcript }}\n",
                retry=Retry(attempts=3, backoff=2.0),
                timeout=300.0,
            ),
            WorkflowStep(
                id="entities",
                uses="extract-entities",
                arguments={"text": "{{ transcript }}", "model": "writer"},
            ),
            WorkflowStep(
                id="alarm",
                when="{{ entities.people | length > 10 }}",
                model=llama,
                prompt_template="Write a one-line warning about: {{ summary }}",
            ),
        ),
        outputs={"notes": "{{ summary }}", "entities": "{{ entities }}"},
    )


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ("retry: 4", "retry", Retry(attempts=4)),
        ("retry: { longest: 5m }", "retry", Retry(longest=300.0)),
        ("on_error: skip", "on_error", OnError(action="skip")),
        ("on_error: fail", "on_error", OnError()),
        ("on_error: { use: b }", "on_error", OnError(action="use", models=("b",))),
        (
            "on_error: { use: [b, { kind: embedded, name: summary }] }",
            "on_error",
            OnError(action="use", models=("b", Embedded(name="summary"))),
        ),
        (
            "on_error: { use: { kind: llama.cpp, model_path: x.gguf } }",
            "on_error",
            OnError(action="use", models=(LlamaCpp(model_path="x.gguf"),)),
        ),
        ("default: null", "default", Default(None)),
        ("default: { a: [1] }", "default", Default({"a": [1]})),
        ("cache: off", "cache", "off"),
        ("timeout: 500ms", "timeout", 0.5),
        ("output: json", "output", Output(type=JSON)),
        ("output: embedding", "output", Output(type=EMBEDDING)),
        ("output: list[text]", "output", Output(type=list_of(TEXT))),
        (
            "output: { schema: { type: string } }",
            "output",
            Output(type=JSON, schema={"type": "string"}),
        ),
        ("model: { kind: custom, plugin: m.py }", "model", Custom(plugin="m.py")),
        (
            "model: { kind: ollama, model: m, keep_alive: 5m, think: low }",
            "model",
            Ollama(model="m", keep_alive="5m", think="low"),
        ),
        (
            "model: { kind: ollama, model: m, keep_alive: -1, think: false }",
            "model",
            Ollama(model="m", keep_alive=-1, think=False),
        ),
        (
            "input: { a: '{{ x }}', b: [1, null] }",
            "input",
            {"a": "{{ x }}", "b": [1, None]},
        ),
    ],
)
def test_each_form_of_a_step_key_is_understood(
    line: str, field: str, value: object
) -> None:
    assert getattr(step_of(line), field) == value
    assert schema_accepts(with_step(line))


@pytest.mark.parametrize(
    ("written", "transform"),
    [
        ("strip", Strip()),
        ("lines", Lines()),
        ("json", ParseJson()),
        ("join", Join()),
        ("{ truncate: 4000 }", Truncate(characters=4000)),
        (
            "{ truncate: { characters: 4, keep: end } }",
            Truncate(characters=4, keep="end"),
        ),
        ('{ split: "\\n\\n" }', Split(separator="\n\n")),
        ("{ split: { characters: 8000 } }", Split(characters=8000)),
        ('{ join: ", " }', Join(separator=", ")),
        ("{ select: /people }", Select(pointer="/people")),
        ("{ regex: a+ }", Regex(pattern="a+")),
        ("{ regex: { pattern: a, replace: '' } }", Regex(pattern="a", replace="")),
        ("{ plugin: tidy }", UsePlugin(plugin="tidy")),
        (
            "{ plugin: a, with: { b: [1] } }",
            UsePlugin(plugin="a", parameters={"b": [1]}),
        ),
    ],
)
def test_each_form_of_a_transform_is_understood(
    written: str, transform: object
) -> None:
    line = f"input_transforms: [{written}]"
    assert step_of(line).input_transforms == (transform,)
    assert schema_accepts(with_step(line))


def test_the_short_form_of_a_schema_stands_for_a_json_schema() -> None:
    output = step_of("output: { type: json, schema: 'name, tags [str]' }").output
    assert output is not None
    assert output.schema is not None
    assert output.schema["required"] == ["name", "tags"]


def test_an_input_may_be_just_its_type() -> None:
    text = with_step("model: m") + "inputs: { a: audio, b: 'list[text]' }\n"
    inputs = read(text).workflow.inputs
    assert inputs == {"a": Input(type=AUDIO), "b": Input(type=list_of(TEXT))}


def test_no_inputs_and_undeclared_inputs_are_two_things() -> None:
    assert read(with_step("model: m")).workflow.inputs is None
    assert read(with_step("model: m") + "inputs: {}\n").workflow.inputs == {}


def test_connections_are_pairs() -> None:
    text = with_step("model: m") + "connections: [[a, b], [b, c]]\n"
    assert read(text).workflow.connections == (("a", "b"), ("b", "c"))


def test_what_the_editor_keeps_stays_out_of_the_workflow() -> None:
    document = read(with_step("model: m") + "ui: { a: [120, -80], gone: [0, 0] }\n")
    assert document.ui == {"a": (120, -80), "gone": (0, 0)}
    assert document.workflow == read(with_step("model: m")).workflow
    assert read(with_step("model: m")).ui == {}


@pytest.mark.parametrize(
    ("ui", "problem"),
    [
        ("{ a: { x: 1 } }", "6:10 workflow.wrong-type"),
        ("{ a: [1] }", "6:10 workflow.bad-value"),
        ("{ a: [1, 2, 3] }", "6:10 workflow.bad-value"),
        ("{ a: [1.5, 2] }", "6:11 workflow.wrong-type"),
        ("{ a: [1, 1000001] }", "6:14 workflow.bad-value"),
        ("{ a-b: [1, 2] }", "6:7 workflow.bad-value"),
        ("[]", "6:5 workflow.wrong-type"),
    ],
)
def test_a_place_is_two_whole_numbers(ui: str, problem: str) -> None:
    text = with_step("model: m") + f"ui: {ui}\n"
    assert problems_of(text) == [problem]
    assert not schema_accepts(text)


def test_inputs_notes_and_groups_are_drawn_too() -> None:
    text = with_step("model: m") + (
        'ui: { a: [1, 2], inputs/b: [3, 4], note/1: [5, 6, 70, 80, "x\\ny"], '
        "group/12: [0, 0, 1, 1, Speech] }\n"
    )
    assert read(text).ui == {
        "a": (1, 2),
        "inputs/b": (3, 4),
        "note/1": Box(x=5, y=6, width=70, height=80, text="x\ny"),
        "group/12": Box(x=0, y=0, width=1, height=1, text="Speech"),
    }
    assert schema_accepts(text)


@pytest.mark.parametrize(
    ("ui", "problem"),
    [
        ("{ note/1: [1, 2] }", "6:15 workflow.bad-value"),
        ("{ note/1: [1, 2, 0, 4, x] }", "6:22 workflow.bad-value"),
        ("{ note/1: [1, 2, 3, 4, 5] }", "6:28 workflow.wrong-type"),
        ("{ note/1: { x: 1 } }", "6:15 workflow.wrong-type"),
        ("{ note/0: [1, 2, 3, 4, x] }", "6:7 workflow.bad-value"),
        ("{ note/a: [1, 2, 3, 4, x] }", "6:7 workflow.bad-value"),
        ("{ inputs/a/b: [1, 2] }", "6:7 workflow.bad-value"),
        ("{ inputs/a-b: [1, 2] }", "6:7 workflow.bad-value"),
        ("{ inputs/a: [1, 2, 3, 4, x] }", "6:17 workflow.bad-value"),
        ("{ sketch/1: [1, 2] }", "6:7 workflow.bad-value"),
    ],
)
def test_what_is_drawn_has_a_strict_shape(ui: str, problem: str) -> None:
    text = with_step("model: m") + f"ui: {ui}\n"
    assert problems_of(text) == [problem]
    assert not schema_accepts(text)


def test_json_is_a_workflow_file_too() -> None:
    text = json.dumps({"lao": 1, "name": "w", "steps": [{"id": "a", "retry": 2}]})
    assert read(text).workflow.steps[0].retry == Retry(attempts=2)


WRONG_STEPS = [
    ("promt_template: x", "5:5 workflow.unknown-key"),
    ("timeout: 5", "5:14 workflow.wrong-type"),
    ("timeout: 0s", "5:14 workflow.bad-value"),
    ("timeout:", "5:13 workflow.wrong-type"),
    ("retry: 0", "5:12 workflow.bad-value"),
    ("retry: { attempts: 1.5 }", "5:24 workflow.wrong-type"),
    ("retry: { backof: 1s }", "5:14 workflow.unknown-key"),
    ("on_error: retry", "5:15 workflow.wrong-type"),
    ("on_error: { use: [] }", "5:22 workflow.bad-value"),
    ("on_error: {}", "5:15 workflow.missing-key"),
    ("cache: never", "5:12 workflow.wrong-type"),
    ("when: true", "5:11 workflow.wrong-type"),
    ("with: [1]", "5:11 workflow.wrong-type"),
    ("model: [m]", "5:12 workflow.wrong-type"),
    ("model: { kind: openai }", "5:20 policy.no-remote-kind"),
    ("model: { kind: anthropic, model: x }", "5:20 policy.no-remote-kind"),
    ("model: { kind: http }", "5:20 policy.no-remote-kind"),
    ("model: { kind: azure-openai }", "5:20 policy.no-remote-kind"),
    ("model: { kind: 'https://x/' }", "5:20 policy.no-remote-kind"),
    ("model: { kind: olama, model: x }", "5:20 workflow.unknown-kind"),
    ("model: { model: x }", "5:12 workflow.missing-key"),
    ("model: { kind: ollama }", "5:12 workflow.missing-key"),
    ("model: { kind: embedded, name: speach }", "5:36 workflow.wrong-type"),
    ("model: { kind: ollama, model: x, keep_alive: soon }", "5:50 workflow.bad-value"),
    ("output: jsno", "5:13 workflow.wrong-type"),
    ("output: { type: text, schema: a }", "5:13 workflow.bad-value"),
    ("output: { schema: 'a, b in' }", "5:29 workflow.bad-schema"),
    ("output: { schema: { type: objekt } }", "5:31 workflow.bad-schema"),
    ("output: { schema: { $ref: 'http://h/s' } }", "5:31 workflow.schema-ref"),
    ("output: { schema: { $ref: 'other.json' } }", "5:31 workflow.schema-ref"),
    ("output: { schema: { $dynamicRef: 'x' } }", "5:38 workflow.schema-ref"),
    ("output: { schema: { $ref: '#/$defs/no' } }", "5:23 workflow.bad-schema"),
    ("output: { schema: { $schema: 'http://h/s' } }", "5:23 workflow.bad-value"),
    ("output: { schema: { pattern: '(' } }", "5:34 workflow.bad-schema"),
    ("input_transforms: strip", "5:23 workflow.wrong-type"),
    ("input_transforms: [trim]", "5:24 workflow.unknown-transform"),
    ("input_transforms: [truncate]", "5:24 workflow.unknown-transform"),
    ("input_transforms: [{ truncat: 4 }]", "5:26 workflow.unknown-key"),
    ("input_transforms: [plugin]", "5:24 workflow.unknown-transform"),
    ("input_transforms: [{ plugin: a, using: 4 }]", "5:37 workflow.unknown-key"),
    ("input_transforms: [{ plugin: a, with: 4 }]", "5:43 workflow.wrong-type"),
    ("input_transforms: [{ truncate: 0 }]", "5:36 workflow.bad-value"),
    ("input_transforms: [{ truncate: 4, keep: end }]", "5:24 workflow.wrong-type"),
    ("input_transforms: [{ split: '' }]", "5:33 workflow.bad-value"),
    ("input_transforms: [{ regex: '(' }]", "5:33 workflow.bad-value"),
    ("input_transforms: [{ select: people }]", "5:34 workflow.bad-value"),
]
SCHEMA_CANNOT_SAY = (
    "timeout: 0s",
    "output: { schema",
    "{ regex: '('",
    "type: text, schema",
)


@pytest.mark.parametrize(("line", "problem"), WRONG_STEPS)
def test_a_wrong_step_key_is_reported_where_it_stands(line: str, problem: str) -> None:
    assert problems_of(with_step(line)) == [problem]


@pytest.mark.parametrize(
    "line",
    [line for line, _ in WRONG_STEPS if not any(s in line for s in SCHEMA_CANNOT_SAY)],
)
def test_the_json_schema_refuses_it_too(line: str) -> None:
    assert not schema_accepts(with_step(line))


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("lao: 1\n", ["1:1 workflow.missing-key", "1:1 workflow.missing-key"]),
        ("name: w\nsteps: [{id: a}]\n", ["1:1 workflow.missing-key"]),
        ("lao: 2\nnoise: x\n", ["1:6 workflow.newer-format"]),
        ("lao: 0\nname: w\nsteps: [{id: a}]\n", ["1:6 workflow.bad-value"]),
        ("lao: '1'\nname: w\nsteps: [{id: a}]\n", ["1:6 workflow.bad-value"]),
        ("lao: true\nname: w\nsteps: [{id: a}]\n", ["1:6 workflow.bad-value"]),
        ("lao: 1\nname: w\nsteps: []\n", ["3:8 workflow.bad-value"]),
        ("lao: 1\nname: w\nsteps: [{}]\n", ["3:9 workflow.missing-key"]),
        ("lao: 1\nname: w\nsteps: [{id: a-b}]\n", ["3:14 workflow.bad-value"]),
        ("lao: 1\nname: w\nsteps: [{id: 1a}]\n", ["3:14 workflow.bad-value"]),
        ("lao: 1\nname: w\nsteps: [{id: item}]\n", ["3:14 workflow.bad-value"]),
        (
            "lao: 1\nname: w\nstep: [{id: a}]\n",
            ["1:1 workflow.missing-key", "3:1 workflow.unknown-key"],
        ),
        ("- a\n", ["1:1 workflow.wrong-type"]),
        ("text\n", ["1:1 workflow.wrong-type"]),
        (with_step("model: m") + "inputs: [a]\n", ["6:9 workflow.wrong-type"]),
        (
            with_step("model: m") + "inputs: { a-b: text }\n",
            ["6:11 workflow.bad-value"],
        ),
        (with_step("model: m") + "inputs: { a: txt }\n", ["6:14 workflow.wrong-type"]),
        (with_step("model: m") + "connections: [[a]]\n", ["6:15 workflow.bad-value"]),
        (with_step("model: m") + "outputs: { a: 1 }\n", ["6:15 workflow.wrong-type"]),
        (
            with_step("model: m")
            + "models: { m: { kind: ollama, model: x, endpoint: 'http://h:1' } }\n",
            ["6:50 policy.endpoint-not-loopback"],
        ),
    ],
)
def test_a_wrong_file_is_reported_where_it_is_wrong(
    text: str, problems: list[str]
) -> None:
    assert problems_of(text) == problems
    assert not schema_accepts(text)


def test_every_problem_is_reported_at_once_in_the_order_of_the_file() -> None:
    text = with_step("timeout: 5\nretyr: 1") + "inputs: { a: txt }\nxyz: 1\n"
    assert problems_of(text.replace("name: w\n", "")) == [
        "1:1 workflow.missing-key",
        "4:14 workflow.wrong-type",
        "5:5 workflow.unknown-key",
        "6:14 workflow.wrong-type",
        "7:1 workflow.unknown-key",
    ]


@pytest.mark.parametrize(
    ("line", "mend"),
    [
        ("promt_template: x", "did you mean 'prompt_template'?"),
        ("model: { kind: olama }", "did you mean 'ollama'?"),
        ("timeout: 5", "write 5s for seconds, or use ms, m or h"),
        ("input_transforms: [trim]", "did you mean 'strip'?"),
    ],
)
def test_a_mend_is_offered(line: str, mend: str) -> None:
    with pytest.raises(InvalidWorkflow) as caught:
        read(with_step(line))
    assert caught.value.problem.mend == mend


def test_a_dash_in_an_id_is_mended_with_an_underscore() -> None:
    with pytest.raises(InvalidWorkflow) as caught:
        read("lao: 1\nname: w\nsteps: [{id: my-step}]\n")
    assert caught.value.problem.mend == "write it with an underscore: my_step"


def test_ids_may_be_written_in_any_script() -> None:
    text = "lao: 1\nname: w\nsteps: [{id: résumé_1}, {id: 要約}]\n"
    assert [step.id for step in read(text).workflow.steps] == ["résumé_1", "要約"]


def test_checking_a_schema_opens_no_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.0)
        url = f"http://127.0.0.1:{server.getsockname()[1]}/s"
        for schema in (
            f"{{ $ref: '{url}' }}",
            f"{{ $id: '{url}', properties: {{ a: {{ $ref: 'b' }} }} }}",
            f"{{ $schema: '{url}' }}",
            f"{{ $defs: {{ a: {{ $id: '{url}', $schema: '{url}' }} }} }}",
            f"{{ $id: '{url}', $ref: '#no' }}",
        ):
            with suppress(InvalidWorkflow):
                read(with_step(f"output: {{ schema: {schema} }}"))
            with pytest.raises(BlockingIOError):
                server.accept()


@pytest.mark.parametrize(
    ("path", "place"),
    [
        (("steps", 1, "prompt_template"), "f.yaml:19:22"),
        (("steps", 1, "timeout"), "f.yaml:23:14"),
        (("steps", 1, "retry", "backoff"), "f.yaml:22:36"),
        (("steps", 1, "when"), "f.yaml:17:5"),
        (("steps", 99), "f.yaml:12:1"),
        (("models", "writer", "endpoint"), "f.yaml:10:3"),
        (("models", "writer", "model"), "f.yaml:10:34"),
        (("inputs", "recording"), "f.yaml:6:3"),
        (("connections", 0), "f.yaml:1:1"),
        (("outputs", "notes"), "f.yaml:35:10"),
        ((), "f.yaml:1:1"),
    ],
)
def test_a_spot_is_located_or_the_nearest_around_it(
    path: tuple[str | int, ...], place: str
) -> None:
    assert str(read(MEETING).locate(path)) == place


def test_a_line_of_a_template_is_located() -> None:
    document = read(MEETING)
    assert document.locate_line(("steps", 1, "prompt_template"), 2).line == 21
    assert document.locate_line(("steps", 3, "prompt_template"), 1).line == 32


def test_the_json_schema_accepts_the_documented_example() -> None:
    VALIDATOR.validate(plain_data(read_yaml(MEETING, "f.yaml")))


def test_a_file_is_read_with_its_folder_as_base(tmp_path: Path) -> None:
    path = tmp_path / "w.yaml"
    path.write_text(with_step("model: m"), encoding="utf-8")
    document = read_workflow_file(path)
    assert document.workflow.base == str(tmp_path)
    assert document.locate(()).source == str(path)


def refusal_of(path: Path) -> tuple[str, str]:
    with pytest.raises(UsageError) as caught:
        read_workflow_file(path)
    assert str(caught.value.problem.where) == str(path)
    return caught.value.code, caught.value.problem.mend


def test_a_missing_file_names_its_nearest_neighbour(tmp_path: Path) -> None:
    near = tmp_path / "meeting.yaml"
    near.write_text("x", encoding="utf-8")
    mend = f"did you mean {str(near)!r}?"
    assert refusal_of(tmp_path / "meetin.yaml") == ("file.missing", mend)
    assert refusal_of(tmp_path / "none" / "x.yaml") == ("file.missing", "")
    assert refusal_of(near / "x.yaml") == ("file.missing", "")


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    for path in (tmp_path, fifo, Path("/dev/null"), Path("/dev/zero")):
        assert refusal_of(path)[0] == "file.not-a-file"


def test_an_unreadable_file_is_refused(tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    for path in (loop, tmp_path / ("x" * 300), Path("a\0b")):
        assert refusal_of(path)[0] == "file.unreadable"


def test_a_large_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "sparse.yaml"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    assert refusal_of(path)[0] == "file.too-large"
    path.write_bytes(b"x" * 10)
    assert read_regular_file(path, most=10) == b"x" * 10
    assert LARGEST_DOCUMENT > 4 << 20


def test_ten_thousand_steps_are_read() -> None:
    steps = "".join(
        f"  - id: s{n}\n    model: m\n    prompt_template: |\n      Read this:\n"
        f"      {{{{ inputs.x }}}}\n    retry: {{ attempts: 3, backoff: 2s }}\n"
        for n in range(10_000)
    )
    document = read(f"lao: 1\nname: w\nsteps:\n{steps}")
    assert len(document.workflow.steps) == 10_000


def damaged(text: str, where: float, cut: int, insert: str) -> str:
    start = int(where * len(text))
    return text[:start] + insert + text[start + cut :]


@settings(max_examples=100)
@given(
    st.floats(0, 1),
    st.integers(0, 40),
    st.text(max_size=4) | st.sampled_from(["{", "]", "\t", ": ", "- ", "&a ", "null"]),
)
def test_a_damaged_file_is_a_workflow_or_invalid(
    where: float, cut: int, insert: str
) -> None:
    try:
        found: object = read(damaged(MEETING, where, cut, insert))
    except InvalidWorkflow as error:
        found = error.problems
    assert found


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "id",
                    "model",
                    "uses",
                    "kind",
                    "use",
                    "schema",
                    "type",
                    "endpoint",
                    "$ref",
                ]
            )
            | st.text(max_size=5),
            inner,
            max_size=3,
        )
    ),
    max_leaves=10,
)


@settings(max_examples=80)
@given(
    st.dictionaries(
        st.sampled_from(
            [
                "model",
                "with",
                "input",
                "options",
                "output",
                "retry",
                "on_error",
                "default",
            ]
        ),
        JSON_VALUES,
    )
)
def test_a_step_of_anything_is_a_step_or_invalid(step: dict[str, object]) -> None:
    text = json.dumps({"lao": 1, "name": "w", "steps": [{"id": "a", **step}]})
    try:
        found: object = read(text)
    except InvalidWorkflow as error:
        found = error.problems
    assert found
