# SPDX-License-Identifier: Apache-2.0
"""The main job, on real models: chains, workflow files, and what they print."""

import io
import json
import wave
from pathlib import Path

import pytest
import soundfile
from tests.e2e.running_lao import Lao
from tests.models import CANNED_ANSWER, CANNED_TRANSCRIPT
from tests.ollama_double import running_double
from tests.real_ollama import needs_ollama, running_ollama

import lao as package

MEETING = Path(package.__file__).parent / "examples" / "meeting.flac"
SECONDS = 12
DOCUMENT = """\
lao: 1
name: notes
inputs: { text: { type: text } }
models: { writer: { kind: embedded, name: summary } }
steps:
  - id: summary
    uses: summarize
    with: { text: "{{ inputs.text }}", model: writer }
  - id: entities
    uses: extract-entities
    with: { text: "{{ inputs.text }}" }
outputs: { summary: "{{ summary }}", entities: "{{ entities }}" }
"""
ONE_STEP = """\
lao: 1
name: document
inputs: { text: { type: text } }
steps:
  - id: summary
    model: { kind: ollama, model: llama3.2 }
    prompt_template: "Do this: {{ inputs.text }}"
"""
LETTER = (
    "Ana Ruiz met Tom Baker in Paris on 3 May 2024. They will pay $400 to Acme Inc."
)


# -- The main job -------------------------------------------------------------


@pytest.mark.timeout(240)
def test_a_recording_is_transcribed_summarised_and_read_for_names(lao):
    """Speech is recognised for real: that takes some seconds even of its beginning."""
    rate = soundfile.info(MEETING).samplerate
    sound, _ = soundfile.read(MEETING, stop=rate * SECONDS)
    soundfile.write(lao.folder / "clip.flac", sound, rate)
    line = "transcribe clip.flac | summarize | extract-entities"
    ended = lao("chain", line, "--json", seconds=200)
    assert ended.code == 0, ended.told
    report = ended.report
    assert [step["status"] for step in report["steps"].values()] == ["done"] * 3
    assert "Peter Brown" in report["outputs"]["output"]["people"]
    assert all(step["made_by"] for step in report["steps"].values())


@pytest.fixture
def listening(tiny_whisper):
    return f"transcribe --model whisper.cpp:{tiny_whisper}"


@pytest.fixture
def tone():
    """Return a second of sound, as a wav file."""
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setparams((1, 2, 16_000, 16_000, "NONE", ""))
        file.writeframes(bytes([0, 40, 0, 200]) * 8_000)
    return content.getvalue()


def test_a_recording_comes_through_a_pipe(lao, listening, tone):
    ended = lao("chain", f"{listening} | extract-entities", stdin=tone)
    assert ended.code == 0, ended.told
    assert ended.report["people"] == []
    assert "whisper.cpp" in ended.told


def test_a_saved_chain_runs_identically_here_and_from_another_folder(
    lao, listening, tone
):
    lao.file("clip.wav", tone)
    line = f"clip.wav | {listening} | summarize"
    chained = lao("chain", line, "--save", "w.yaml")
    assert CANNED_TRANSCRIPT in chained.answer
    (lao.folder / "else where").mkdir()
    moved = lao("chain", line, "--save", "else where/w.yaml", "--explain")
    assert "`lao run 'else where/w.yaml'`" in moved.told
    assert lao("run", "w.yaml").out == chained.out
    there = Lao(folder=lao.folder / "else where")
    assert there("run", "w.yaml").out == chained.out


SOURCES = {
    "a quoted text": f"'{LETTER}' | extract-entities",
    "a file": "letter.txt | summarize",
    "a glob": "'*.txt' | summarize",
    "braces": "letter.txt | { summarize --style sentence, extract-entities }",
    "after braces": "letter.txt | { summarize, redact } | extract-entities",
}


@pytest.mark.parametrize("line", SOURCES.values(), ids=SOURCES)
def test_a_chain_gives_what_its_saved_workflow_gives(lao, line):
    lao.file("letter.txt", LETTER)
    lao.file("other.txt", "The second letter is short. It says nothing.")
    chained = lao("chain", line, "--save", "saved.yaml")
    assert (chained.code, bool(chained.out)) == (0, True), chained.told
    assert lao("run", "saved.yaml").out == chained.out


def test_a_template_and_a_pipe_feed_a_language_model(lao, tiny_gguf):
    lao.file("ask.md", "Who is it about?\n\n{{ input }}")
    options = ("--model", tiny_gguf, "--save", "saved.yaml")
    chained = lao("chain", "@ask.md | save out/answer.txt", *options, stdin=b"A letter")
    assert chained.code == 0, chained.told
    assert CANNED_ANSWER in chained.answer
    assert CANNED_ANSWER in (lao.folder / "out/answer.txt").read_text()
    (lao.folder / "out/answer.txt").unlink()
    assert lao("run", "saved.yaml", stdin=b"A letter").out == chained.out


def test_saving_a_chain_never_replaces_a_file_by_accident(lao):
    lao.file("w.yaml", "mine")
    refused = lao("chain", "'a b' | summarize", "--save", "w.yaml")
    assert refused.complains(2, "save.exists")
    assert (lao.folder / "w.yaml").read_text() == "mine"
    assert lao("chain", "'a b' | summarize", "--save", "w.yaml", "--force").code == 0


# -- A workflow file on each kind of model ------------------------------------


@pytest.fixture
def workflow(lao):
    return lao.file("workflow.yaml", ONE_STEP)


ASK = ("--input", "Summarize this document")


@pytest.mark.usefixtures("workflow")
def test_a_workflow_runs_on_llama_cpp(lao, tiny_gguf):
    ended = lao("run", "workflow.yaml", *ASK, "--model", tiny_gguf)
    assert (ended.code, ended.answer) == (0, f"{CANNED_ANSWER}\n"), ended.told
    assert "summary: llama.cpp" in ended.told


@pytest.mark.usefixtures("workflow")
@pytest.mark.parametrize("name", ["LAO_ENDPOINT", "OLLAMA_HOST"])
def test_a_workflow_runs_on_a_server_that_speaks_ollama(lao, double, name):
    where = double if name == "LAO_ENDPOINT" else double.removeprefix("http://")
    ended = lao.having(**{name: where})("run", "workflow.yaml", *ASK, "--model", "tiny")
    assert (ended.code, ended.answer) == (0, f"{CANNED_ANSWER}\n"), ended.told


@needs_ollama
@pytest.mark.usefixtures("workflow")
def test_a_workflow_runs_on_a_real_ollama(lao, tiny_gguf, tmp_path):
    with running_ollama(tmp_path, tiny_gguf) as port:
        there = lao.having(OLLAMA_HOST=f"127.0.0.1:{port}")
        ended = there("run", "workflow.yaml", *ASK, "--model", "tiny")
        assert (ended.code, ended.answer) == (0, f"{CANNED_ANSWER}\n"), ended.told


@pytest.fixture(scope="module")
def double(tiny_gguf):
    with running_double(tiny_gguf, "tiny") as url:
        yield url


def test_a_flag_beats_the_environment_and_the_environment_the_default(lao, tiny_gguf):
    there = lao.having(LAO_MODEL=f"llama.cpp:{tiny_gguf}")
    assert there("chain", "'a b' | summarize").answer == f"{CANNED_ANSWER}\n"
    lost = there("chain", "'a b' | summarize", "--model", "llama.cpp:gone.gguf")
    assert lost.complains(6, "model.file-missing")
    assert lao("chain", "'a b' | summarize").answer == "- a b\n"


# -- What is printed -----------------------------------------------------------


@pytest.fixture
def notes(lao):
    return lao.file("notes.yaml", DOCUMENT)


@pytest.mark.usefixtures("notes")
def test_several_outputs_are_one_object_or_the_one_asked_for(lao):
    whole = lao("run", "notes.yaml", "--input", LETTER)
    assert set(whole.report) == {"summary", "entities"}
    one = lao("run", "notes.yaml", "--input", f"text={LETTER}", "--output", "summary")
    assert one.answer == whole.report["summary"] + "\n"
    none = lao("run", "notes.yaml", "--input", LETTER, "--output", "sumary")
    assert none.complains(2, "output.unknown")
    assert "did you mean 'summary'?" in none.told


@pytest.mark.usefixtures("notes")
def test_events_come_in_sequence_and_fold_to_the_report(lao):
    options = ("--input", LETTER, "--events", "events.ndjson", "--json")
    report = lao("run", "notes.yaml", *options).report
    lines = (lao.folder / "events.ndjson").read_text().splitlines()
    events = [json.loads(line) for line in lines]
    assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))
    assert {event["run"] for event in events} == {report["run"]}
    assert events[0]["kind"], events[-1]["kind"] == ("run-started", "run-finished")
    for key in ("status", "outputs", "seconds"):
        assert events[-1][key] == report[key]
    finished = {e["step"]: e for e in events if e["kind"] == "step-finished"}
    for step, told in report["steps"].items():
        shared = told.keys() & finished[step].keys()
        assert {key: finished[step][key] for key in shared} == {
            key: told[key] for key in shared
        }


@pytest.mark.usefixtures("notes")
def test_events_may_be_the_whole_of_stdout(lao):
    ended = lao("run", "notes.yaml", "--input", LETTER, "--events", "-")
    kinds = [json.loads(line)["kind"] for line in ended.answer.splitlines()]
    assert (ended.code, kinds[0], kinds[-1]) == (0, "run-started", "run-finished")


@pytest.mark.usefixtures("notes")
def test_a_failed_run_reports_each_failure_and_keeps_the_other_outputs(lao):
    lost = ("--model", "writer=llama.cpp:gone.gguf")
    ended = lao("run", "notes.yaml", "--input", LETTER, *lost, "--json")
    report = ended.report
    assert (ended.code, report["exit_code"], report["status"]) == (6, 6, "failed")
    assert report["steps"]["summary"]["status"] == "failed"
    assert report["steps"]["summary"]["mend"]
    assert report["outputs"]["entities"]["people"]
