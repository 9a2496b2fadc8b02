# SPDX-License-Identifier: Apache-2.0
"""A workflow as text: readable, and read back to the same workflow."""

import pytest
import yaml
from hypothesis import example, given, settings, strategies as st

from lao.policy import LoopbackEndpoint
from lao.workflow.document import read_workflow
from lao.workflow.local_models import (
    Custom,
    Embedded,
    Installed,
    LlamaCpp,
    Ollama,
    WhisperCpp,
)
from lao.workflow.shapes import plain_data
from lao.workflow.source import read_yaml
from lao.workflow.steps import (
    Default,
    Input,
    OnError,
    Output,
    Retry,
    StepId,
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
from lao.workflow.values import JSON, TEXT, ValueType, list_of
from lao.workflow.writer import write_workflow
from lao.workflow.yaml_text import entry

ODD_TEXTS = [
    "", " ", "yes", "No", "on", "y", "true", "NULL", "~", "1e3", "0x1F", "012", "1:30",
    ".inf", "-", "- x", "? x", ": ", "a: b", "a:b", "a #b", "#", "&a", "*a", "!a", "@a",
    "`", "%a", "{a}", "[a", "a,b", "{{ x }}", "'", '"', "\\", "a ", " a", "a\t", "\ta",
    "\n", "a\n", "a\n\n", "\na", "a\n\nb", " a\nb", "a\n b", "a \nb", "a\n ", "a\n\t",
    "a\n   \nb\n", "a\r\nb", "a\rb", "a\x85b", "a\u2028b\n", "\ufeffa\nb", "a\x07b",
    "a\x1b[31m\nb", "---", "...", "--- a\nb", "#a\nb", "a\n#b", "- a\n- b", "e\u0301",
    "\U0001f600", "x" * 200, "x\n" * 30, "<<", "=", "2001-12-14", "5m", "a\n---\nb",
    "/",  "~/x", "/a b", "null\nx", "a'", "a\u00a0", "\u00a0\nb", "a\n\u3000",
]  # fmt: skip
TEXTS = (
    st.sampled_from(ODD_TEXTS)
    | st.text(max_size=12)
    | st.text(" ab:#-\n\t'\"{}", max_size=12)
)
NAMES = st.sampled_from(["a", "_b", "true_", "no", "y", "résumé_1", "要約", "n" * 90])
LABELS = NAMES | st.sampled_from(["1e3", "0", "a-b", "a.b", "2001-12-14", "0x1"])
JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**64), 2**64)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4)
    ),
    max_leaves=12,
)
SMALL = st.sampled_from([None, False, 0, 1.5, "", "a\nb", ["x", None], {"k": "1e3"}])
OBJECTS = st.dictionaries(st.sampled_from(ODD_TEXTS), SMALL, max_size=2)
ODD = st.sampled_from(ODD_TEXTS)
FULL = st.sampled_from(ODD_TEXTS[1:])
SECONDS = st.integers(0, 10**7).map(lambda n: n / 1000) | st.floats(0, 1e6).map(
    lambda n: float(f"{n:.6f}")
)
TYPES = st.sampled_from([ValueType("audio"), TEXT, JSON, list_of(list_of(JSON))])
MODELS = (
    st.builds(
        Ollama,
        model=FULL,
        endpoint=st.none()
        | st.sampled_from(["http://127.0.0.1:1", "http://[::1]:2", "unix:/a b"]).map(
            LoopbackEndpoint
        ),
        options=OBJECTS,
        keep_alive=st.sampled_from([None, "5m", "-1s", 0, -1]),
        think=st.sampled_from([None, True, False, "low"]),
        mode=st.sampled_from(["chat", "generate"]),
    )
    | st.builds(WhisperCpp, model_path=FULL, program=st.none() | FULL, options=OBJECTS)
    | st.builds(LlamaCpp, model_path=FULL, options=OBJECTS)
    | st.builds(Embedded, name=st.sampled_from(["speech", "redact"]), options=OBJECTS)
    | st.builds(Custom, plugin=FULL, options=OBJECTS)
    | st.builds(Installed, name=FULL, options=OBJECTS)
)
SIZES = st.integers(1, 10**6)
TRANSFORMS = (
    st.sampled_from([Strip(), Lines(), ParseJson(), Regex(pattern=r"\d+: #")])
    | st.builds(Truncate, characters=SIZES, keep=st.sampled_from(["start", "end"]))
    | st.builds(Split, separator=st.none() | FULL, characters=st.none() | SIZES)
    | st.builds(Join, separator=ODD)
    | st.builds(Select, pointer=st.sampled_from(["", "/a", "/a/0/ b", "/~1#\n"]))
    | st.builds(Regex, pattern=st.just("a|- b"), replace=ODD)
    | st.builds(UsePlugin, plugin=FULL, parameters=OBJECTS)
)
STEPS = st.builds(
    WorkflowStep,
    id=NAMES,
    model=st.none() | FULL | MODELS,
    uses=st.none() | FULL,
    arguments=OBJECTS,
    prompt_template=st.none() | ODD,
    system=st.none() | ODD,
    input=SMALL,
    input_transforms=st.lists(TRANSFORMS, max_size=3).map(tuple),
    options=OBJECTS,
    output=st.none()
    | st.builds(Output, type=TYPES)
    | st.just(Output(type=JSON, schema={"type": "object", "title": "a\nb"})),
    when=st.none() | ODD,
    for_each=st.none() | ODD,
    retry=st.builds(
        Retry, attempts=st.integers(1, 100), backoff=SECONDS, longest=SECONDS
    ),
    timeout=st.none() | SECONDS.filter(bool),
    on_error=st.sampled_from([OnError(), OnError(action="skip")])
    | st.builds(
        OnError,
        action=st.just("use"),
        models=st.lists(FULL | MODELS, min_size=1, max_size=2).map(tuple),
    ),
    default=st.none() | st.builds(Default, SMALL),
    cache=st.sampled_from(["auto", "off", "refresh"]),
)
INPUTS = st.builds(
    Input, type=TYPES, description=ODD, default=SMALL, optional=st.booleans()
)
WORKFLOWS = st.builds(
    Workflow,
    name=FULL,
    description=ODD,
    inputs=st.none() | st.dictionaries(NAMES, INPUTS, max_size=2),
    models=st.dictionaries(LABELS, MODELS, max_size=2),
    steps=st.lists(STEPS, min_size=1, max_size=2).map(tuple),
    connections=st.lists(
        st.tuples(NAMES.map(StepId), NAMES.map(StepId)), max_size=2
    ).map(tuple),
    outputs=st.dictionaries(LABELS, ODD, max_size=2),
)


@settings(deadline=None)
@given(WORKFLOWS)
def test_what_is_written_reads_back_the_same(workflow: Workflow) -> None:
    text = write_workflow(workflow)
    assert read_workflow(text, source="f.yaml").workflow == workflow


@settings(deadline=None)
@given(st.dictionaries(TEXTS, JSON_VALUES, min_size=1, max_size=3))
@example({"k" * 1500: {"v" * 1500: ["a\nb"]}})
@example({"a": [[], {}, [[["x\ny"]]], [{"b": "x" * 100}]]})
def test_any_json_reads_back_the_same(data: dict[str, object]) -> None:
    text = "".join(entry(name, value, 0) for name, value in data.items())
    found = plain_data(read_yaml(text, "f.yaml"))
    assert repr(found) == repr(data)


@pytest.mark.parametrize("text", ODD_TEXTS)
@pytest.mark.parametrize("indent", [0, 4])
def test_odd_texts_survive(text: str, indent: int) -> None:
    written = f"top:\n{entry(text, text, indent)}" if indent else entry(text, text, 0)
    found = plain_data(read_yaml(written, "f.yaml"))
    assert found == ({"top": {text: text}} if indent else {text: text})


@pytest.mark.parametrize("text", ODD_TEXTS)
def test_readers_of_older_yaml_see_texts_too(text: str) -> None:
    assert yaml.safe_load(entry("a", text, 0)) == {"a": text}


def test_a_workflow_is_written_as_a_person_would() -> None:
    workflow = Workflow(
        name="notes",
        inputs={
            "recording": Input(type=ValueType("audio")),
            "style": Input(optional=True),
        },
        models={"writer": Ollama(model="llama3.2", options={"temperature": 0})},
        steps=(
            WorkflowStep(
                id="summary",
                model="writer",
                prompt_template="Summarise:\n{{ transcript }}\n",
                retry=Retry(attempts=3, backoff=2.0),
                timeout=300.0,
            ),
            WorkflowStep(
                id="alarm",
                uses="notify",
                when="{{ summary }}",
                input_transforms=(Strip(), Truncate(characters=40)),
                default=Default(None),
                cache="off",
            ),
        ),
        connections=((StepId("summary"), StepId("alarm")),),
        outputs={"notes": "{{ summary }}"},
    )
    assert (
        write_workflow(workflow)
        == """\
lao: 1
name: notes

inputs:
  recording: audio
  style: { type: text, optional: true }

models:
  writer: { kind: ollama, model: llama3.2, options: { temperature: 0 } }

steps:
  - id: summary
    model: writer
    prompt_template: |
      Summarise:
      {{ transcript }}
    retry: { attempts: 3, backoff: 2s }
    timeout: 5m

  - id: alarm
    uses: notify
    input_transforms: [strip, { truncate: 40 }]
    when: "{{ summary }}"
    default: null
    cache: "off"

connections:
  - [summary, alarm]

outputs:
  notes: "{{ summary }}"
"""
    )


def test_long_values_stand_on_lines_of_their_own() -> None:
    schema = {"type": "object", "properties": {"a" * 40: {"type": "string"}}, "x": [1]}
    assert entry("schema", schema, 4) == (
        "    schema:\n"
        "      type: object\n"
        f"      properties: {{ {'a' * 40}: {{ type: string }} }}\n"
        "      x: [1]\n"
    )
