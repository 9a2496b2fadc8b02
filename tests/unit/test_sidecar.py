# SPDX-License-Identifier: Apache-2.0
"""A sidecar says what made a result, and gives nothing of its content away."""

import json
from hashlib import sha256

import pytest
from tests.history import History, done, step

from lao.cli.sidecar import FORMAT, digest_of, sidecar, without_folders
from lao.events import StepFailed, StepSkipped, StepStarted
from lao.store.runs import RunOrder
from lao.workflow.values import FileValue

SECRETS = (
    "Ana Ruiz",
    "swordfish",
    "/home/ana",
    "private",
    "ask for the secret",
    "out of swordfish",
    "custom says swordfish",
)
WORKFLOW = """\
lao: 1
name: meeting
inputs: { notes: text, talk: audio }
models:
  ears: { kind: whisper.cpp, model_path: /home/ana/private models/b.bin,
          options: { language: en, initial_prompt: Ana Ruiz } }
steps:
  - id: hear
    model: ears
    input: "{{ inputs.talk }}"
    options: { beam_size: 3 }
  - id: write
    model: { kind: ollama, model: llama3.2 }
    prompt_template: "ask for the secret {{ inputs.notes }} {{ hear }}"
    options: { temperature: 0.5, stop: [swordfish] }
    timeout: 5m
"""


@pytest.fixture
def run(tmp_path):
    history = History(tmp_path / "data")
    hear = step(
        "hear",
        "Ana Ruiz said swordfish",
        made_by="whisper.cpp /home/ana/private models/b.bin",
        model_digest="sha256:12",
        notes=("the recording swordfish.wav is stereo",),
        seconds=1.5,
    )
    write = step("write", {"names": ["Ana Ruiz"]}, ingredients={"prompt": "77"})
    facts = done(hear, write, status="failed", summary="swordfish", people=["Ana Ruiz"])
    name = history.keep(
        *facts[:-1],
        StepStarted(step="own", model="custom:/home/ana/private/own.py:Model"),
        step("own", 1, made_by="custom says swordfish"),
        StepFailed(step="save", code="save.failed", what="/home/ana out of swordfish"),
        StepSkipped(step="late", reason="swordfish"),
        facts[-1],
        source="/home/ana/private/meeting.yaml",
        inputs={
            "notes": "swordfish",
            "talk": FileValue("/home/ana/private/t.wav", "audio"),
        },
        files={"/home/ana/private/t.wav": "sha256:99"},
        order=RunOrder(workflow=WORKFLOW, base="/home/ana/private"),
    )
    return history.read(name)


def test_nothing_of_the_content_is_in_it(run):
    text = json.dumps(sidecar(run, with_content=False), ensure_ascii=False)

    assert [secret for secret in SECRETS if secret in text] == []


def test_with_content_everything_is_in_it(run):
    text = json.dumps(sidecar(run, with_content=True), ensure_ascii=False)

    assert [secret for secret in SECRETS if secret not in text] == [
        "custom says swordfish"
    ]


def test_it_says_what_made_the_result(run):
    found = sidecar(run, with_content=False)

    assert found["format"] == FORMAT
    assert found["status"] == "failed"
    assert found["enforcement"] == "loopback only"
    assert (
        found["workflow"]["sha256"] == f"sha256:{sha256(WORKFLOW.encode()).hexdigest()}"
    )
    assert found["inputs"]["talk"] == {"type": "audio", "sha256": "sha256:99"}
    hear = found["steps"]["hear"]
    assert (hear["made_by"], hear["model_digest"]) == ("whisper.cpp b.bin", "sha256:12")
    assert hear["options"]["beam_size"] == 3
    assert hear["options"]["language"] == "en"
    assert list(hear["options"]["initial_prompt"]) == ["sha256"]
    assert found["steps"]["write"]["ingredients"] == {"prompt": "77"}
    assert found["steps"]["write"]["timeout"] == 300
    assert found["steps"]["own"]["made_by"] == "custom:own.py:Model"
    assert found["steps"]["save"] == {
        "status": "failed",
        "retries": 0,
        "code": "save.failed",
    }


def test_a_digest_can_be_checked_with_other_tools(run):
    found = sidecar(run, with_content=False)

    assert (
        found["inputs"]["notes"]["sha256"]
        == f"sha256:{sha256(b'swordfish').hexdigest()}"
    )
    people = sha256(b'["Ana Ruiz"]').hexdigest()
    assert found["outputs"]["people"]["sha256"] == f"sha256:{people}"


def test_a_file_inside_a_value_counts_by_its_content():
    here = {"f": FileValue("/a/t.wav", "audio")}
    there = {"f": FileValue("/b/t.wav", "audio")}

    assert digest_of(here, {"/a/t.wav": "1"}) == digest_of(there, {"/b/t.wav": "1"})
    assert digest_of(here, {"/a/t.wav": "1"}) != digest_of(here, {"/a/t.wav": "2"})
    assert digest_of(FileValue("/a"), {}) is None


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("ollama:hf.co/user/model:Q4", "ollama:hf.co/user/model:Q4"),
        ("llama.cpp:/home/ana/my models/x.gguf", "llama.cpp:x.gguf"),
        ("llama.cpp:models/mine/x.gguf", "llama.cpp:x.gguf"),
        ("custom:/home/a b/c.py:Own", "custom:c.py:Own"),
        ("whisper-cli ~/m/base.bin", "whisper-cli base.bin"),
        (
            "LAO summary: extractive, no language model",
            "LAO summary: extractive, no language model",
        ),
    ],
)
def test_models_are_named_without_folders(words, expected):
    assert without_folders(words) == expected


def test_a_run_without_a_kept_workflow_has_a_sidecar(tmp_path):
    history = History(tmp_path / "data")
    plain = history.read(history.keep(*done(step())))
    broken = RunOrder(workflow="lao: 99\n", base="/")
    older = history.read(history.keep(*done(step()), order=broken, started=1e300))

    assert sidecar(plain, with_content=True)["content"]["workflow"] is None
    assert sidecar(older, with_content=False)["started"] is None
    assert "options" not in sidecar(older, with_content=False)["steps"]["a"]
