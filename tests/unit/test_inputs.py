# SPDX-License-Identifier: Apache-2.0
"""What a person gives becomes the values of a workflow's inputs, each checked."""

import os
from pathlib import Path

import pytest

from lao.engine import inputs
from lao.engine.inputs import as_input, bind_inputs, from_bytes, from_text, glob_input
from lao.errors import UsageError
from lao.workflow.steps import Input
from lao.workflow.values import AUDIO, EMBEDDING, FILE, JSON, TEXT, FileValue, list_of


def complaint(call, *args):
    with pytest.raises(UsageError) as caught:
        call(*args)
    return caught.value


def bind(declared, given=None, base="/"):
    return bind_inputs(declared, given or {}, Path(base))


@pytest.fixture
def recording(tmp_path):
    path = tmp_path / "talk.wav"
    path.write_bytes(b"RIFF")
    return path


def test_what_is_given_beats_the_default():
    declared = {
        "a": Input(default="x"),
        "b": Input(default="y"),
        "c": Input(optional=True),
    }
    assert bind(declared, {"a": "z"}) == {"a": "z", "b": "y", "c": None}


def test_an_unknown_input_is_told_with_the_nearest_one():
    error = complaint(bind, {"text": Input(default="x")}, {"txt": "x"})
    assert error.code == "input.unknown"
    assert error.problem.mend == "did you mean 'text'?"


def test_a_missing_input_is_told_with_how_to_give_it():
    declared = {"talk": Input(type=AUDIO, description="The recording")}
    error = complaint(bind, declared)
    assert error.code == "input.missing"
    assert "'talk' (audio)" in str(error)
    assert error.problem.mend == "add --input talk=… (The recording)"


def test_paths_in_defaults_are_relative_to_the_workflow(recording):
    base = recording.parent
    declared = {
        "a": Input(type=AUDIO, default="talk.wav"),
        "b": Input(default={"file": "talk.wav"}),
        "c": Input(type=list_of(FILE), default={"glob": "*.wav"}),
    }
    assert bind(declared, base=base) == {
        "a": FileValue(str(recording), "audio"),
        "b": "RIFF",
        "c": [FileValue(str(recording), "file")],
    }


@pytest.mark.parametrize(
    ("wanted", "given", "value"),
    [
        (TEXT, "x", "x"),
        (JSON, {"a": [1, None]}, {"a": [1, None]}),
        (JSON, "x", "x"),
        (list_of(TEXT), ("a", "b"), ["a", "b"]),
        (list_of(JSON), [], []),
    ],
)
def test_a_python_value_of_the_right_type_is_taken(wanted, given, value):
    assert as_input("x", wanted, given) == value


@pytest.mark.parametrize(
    ("wanted", "given"),
    [
        (TEXT, 5),
        (TEXT, None),
        (JSON, object()),
        (JSON, {1: 2}),
        (list_of(TEXT), "x"),
        (list_of(TEXT), ["a", 1]),
        (AUDIO, b"RIFF"),
        (EMBEDDING, "x"),
    ],
)
def test_a_python_value_of_another_type_is_told(wanted, given):
    assert complaint(as_input, "x", wanted, given).code == "input.wrong-type"


def test_a_file_is_taken_by_its_absolute_path(recording, monkeypatch):
    monkeypatch.chdir(recording.parent)
    value = FileValue(str(recording), "audio")
    assert as_input("x", AUDIO, "talk.wav") == value
    assert as_input("x", AUDIO, recording) == value
    assert from_text("x", list_of(AUDIO), "talk.wav") == [value]


def test_a_path_for_a_text_is_read(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('{"a": 1}')
    assert as_input("x", TEXT, path) == '{"a": 1}'
    assert as_input("x", JSON, path) == {"a": 1}


def test_a_missing_file_is_told_with_the_nearest_name(recording):
    error = complaint(as_input, "x", AUDIO, recording.with_name("talk.wave"))
    assert error.code == "input.missing-file"
    assert error.problem.mend == "did you mean 'talk.wav'?"


def test_what_is_not_a_regular_file_is_refused_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/proc/self/environ")
    for path in (
        *(tmp_path, tmp_path / "pipe", tmp_path / "link"),
        *map(Path, ("/dev/null", "/dev/zero", "/proc/self/environ", "/proc/self/mem")),
    ):
        assert complaint(as_input, "x", AUDIO, path).code == "input.not-a-file"
        assert complaint(as_input, "x", TEXT, path).code == "input.not-a-file"


def test_a_workflow_cannot_ask_for_our_environment(tmp_path):
    declared = {"x": Input(type=TEXT, default={"file": "/proc/self/environ"})}
    error = complaint(bind_inputs, declared, {}, tmp_path)
    assert error.code == "input.not-a-file"
    assert "`-` stands for standard input" in error.problem.mend


@pytest.mark.parametrize("path", ["a\0b", "a" * 5000])
def test_a_path_that_the_system_refuses_is_told(path):
    assert complaint(as_input, "x", AUDIO, path).code == "input.unreadable"


def test_what_is_typed_is_read_by_its_type():
    assert from_text("x", TEXT, "[1]") == "[1]"
    assert from_text("x", JSON, "[1]") == [1]
    assert from_text("x", list_of(TEXT), "one") == ["one"]
    assert from_text("x", list_of(TEXT), '["one", "two"]') == ["one", "two"]


@pytest.mark.parametrize("text", ["{", "NaN", "[" * 9999, "9" * 9999])
def test_what_is_not_json_is_told(text):
    assert complaint(from_text, "x", JSON, text).code == "input.not-json"


@pytest.mark.parametrize(
    "data", ["Grüße".encode(), "\ufeffGrüße".encode(), "Grüße".encode("utf-16")]
)
def test_text_is_utf_8_or_marked_utf_16(data):
    assert from_bytes("x", TEXT, data) == "Grüße"


def test_what_is_not_text_is_told():
    error = complaint(from_bytes, "x", TEXT, b"abc\xff")
    assert error.code == "input.not-text"
    assert "byte 3" in str(error)


def test_a_pattern_gives_its_files_in_order_of_name(tmp_path):
    for name in ("b.txt", "a.txt", "sub/c.txt", "d.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "folder.txt").mkdir()
    texts = glob_input("x", list_of(TEXT), "**/*.txt", tmp_path)
    assert texts == ["a.txt", "b.txt", "sub/c.txt"]


def test_a_pattern_without_a_match_is_told(tmp_path):
    error = complaint(glob_input, "x", list_of(TEXT), "*.txt", tmp_path)
    assert error.code == "input.no-match"
    assert "'*.txt'" in str(error)


def test_a_text_over_the_limit_is_refused_unread(tmp_path, monkeypatch):
    assert inputs._TEXT_LIMIT <= 256 << 20
    monkeypatch.setattr(inputs, "_TEXT_LIMIT", 4 << 20)
    path = tmp_path / "huge"
    with path.open("wb") as file:
        file.truncate((4 << 20) + 1)
    assert complaint(as_input, "x", TEXT, path).code == "input.too-large"
