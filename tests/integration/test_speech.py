# SPDX-License-Identifier: Apache-2.0
"""The recogniser that comes with LAO, on the recording that comes with LAO."""

import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

import lao
from lao.backends.embedded.speech import SpeechModel, _sentences
from lao.workflow.inference import ModelProblem, ModelRequest

EXAMPLES = Path(lao.__file__).parent / "examples"


class Heard:
    """A `Report` that keeps what it is told."""

    def __init__(self, *, cancel_after=None):
        self.pieces = []
        self.steps = []
        self._cancel_after = cancel_after

    @property
    def cancelled(self):
        return self._cancel_after is not None and len(self.steps) >= self._cancel_after

    def text(self, piece):
        self.pieces.append(piece)

    def progress(self, done, total, unit):
        self.steps.append((done, total, unit))


@pytest.fixture(scope="module")
def model():
    found = SpeechModel()
    found.load({})
    return found


@pytest.fixture(scope="module")
def meeting(model):
    """Return the reply for the bundled recording, and what was told on the way."""
    heard = Heard()
    request = ModelRequest(input=str(EXAMPLES / "meeting.flac"))
    return SimpleNamespace(reply=model.infer(request, heard), heard=heard)


def words(text):
    return re.sub(r"[^a-z' ]", " ", text.lower()).split()


def error_rate(true, found):
    """Return substitutions, insertions and deletions per true word."""
    row = list(range(len(found) + 1))
    for i, word in enumerate(true, start=1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(found, start=1):
            cheapest = min(row[j] + 1, row[j - 1] + 1, diagonal + (word != other))
            diagonal, row[j] = row[j], cheapest
    return row[-1] / len(true)


@pytest.mark.timeout(300)  # 10 s of work on an idle machine
def test_the_bundled_recording_is_read_nearly_without_error(meeting):
    true = words((EXAMPLES / "meeting.txt").read_text("utf-8"))
    assert error_rate(true, words(meeting.reply.value)) <= 0.15


def test_what_the_demo_shows_is_in_the_transcript(meeting):
    said = meeting.reply.value.lower()
    for wanted in (
        *("peter brown", "david johnson", "susan taylor", "boston", "chicago"),
        *("third of june", "fifth of september"),
        *("four hundred thousand dollars", "fifty thousand dollars"),
    ):
        assert wanted in said


def test_pauses_make_sentences(meeting):
    lines = meeting.reply.value.splitlines()
    assert len(lines) == 8
    assert all(line[0].isupper() and line.endswith(".") for line in lines)


def test_pieces_and_progress_are_told_on_the_way(meeting):
    assert "".join(meeting.heard.pieces) == meeting.reply.value
    done = [step[0] for step in meeting.heard.steps]
    assert done == sorted(done)
    assert len(done) > 30
    done, total, unit = meeting.heard.steps[-1]
    assert (done, unit) == (total, "s")
    assert total == pytest.approx(35.95, abs=0.01)


def test_the_result_says_that_it_is_basic(meeting):
    assert "basic recogniser" in meeting.reply.made_by
    assert meeting.reply.notes == ()


@pytest.mark.timeout(120)
def test_segments_have_times_in_order(model, tmp_path):
    sound, rate = soundfile.read(EXAMPLES / "meeting.flac", stop=16_000 * 11)
    clip = tmp_path / "clip.wav"
    soundfile.write(clip, np.repeat(sound, 2), rate * 2)
    request = ModelRequest(input=str(clip), options={"output": "segments"})
    heard = Heard()
    found = model.infer(request, heard).value
    times = [time for segment in found for time in (segment["start"], segment["end"])]
    assert times == sorted(times)
    assert found[0]["text"].startswith("Good afternoon")
    assert found[1]["start"] == pytest.approx(5.1, abs=0.5)
    assert heard.pieces == []


def test_silence_has_no_words_and_says_why(model, tmp_path):
    path = tmp_path / "silence.wav"
    soundfile.write(path, np.zeros(16_000 * 3), 16_000)
    reply = model.infer(ModelRequest(input=str(path)), Heard())
    assert reply.value == ""
    assert reply.notes == ("the recording is silent",)


def test_a_cancelled_request_stops_at_once(model):
    heard = Heard(cancel_after=2)
    with pytest.raises(ModelProblem) as caught:
        model.infer(ModelRequest(input=str(EXAMPLES / "meeting.flac")), heard)
    assert caught.value.code == "worker.cancelled"
    assert len(heard.steps) == 2


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (ModelRequest(input="/nowhere.wav"), "audio.file-missing"),
        (ModelRequest(), "audio.no-recording"),
        (ModelRequest(input="talk.wav"), "audio.no-recording"),
        (ModelRequest(input="/a.wav", options={"language": "de"}), "speech.language"),
        (ModelRequest(input="/a", options={"output": "pdf"}), "speech.unknown-output"),
    ],
)
def test_what_it_cannot_do_is_a_clear_problem(model, request_, code):
    with pytest.raises(ModelProblem) as caught:
        model.infer(request_, Heard())
    assert caught.value.code == code


def test_english_by_any_name_is_taken(model):
    for language in ("en", "auto", "en-us", "en_US", None):
        request = ModelRequest(input="/none.wav", options={"language": language})
        with pytest.raises(ModelProblem, match="there is no file"):
            model.infer(request, Heard())


def test_the_digest_is_stable_and_the_size_is_known(model):
    description = model.describe()
    again = SpeechModel()
    again.load({})
    assert description.digest == again.describe().digest
    assert description.digest.startswith("sha256:")
    assert description.size > 20_000_000


def test_noises_and_spellings_are_left_out_of_sentences():
    def word(text, start, end):
        return SimpleNamespace(word=text, start_frame=start, end_frame=end)

    said = [
        word("<s>", 0, 20),
        word("good", 21, 40),
        word("[NOISE]", 41, 45),
        word("day(2)", 46, 60),
        word("<sil>", 61, 75),
        word("bye", 76, 99),
        word("</s>", 100, 130),
    ]
    found = [(s.text, s.start, s.end) for s in _sentences(said, 100.0)]
    assert found == [("Good day.", 100.21, 100.61), ("Bye.", 100.76, 101.0)]
