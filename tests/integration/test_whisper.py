# SPDX-License-Identifier: Apache-2.0
"""whisper.cpp on a tiny real model that hears one known sentence in every 30 s."""

import asyncio
import json
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
from tests.models import CANNED_TRANSCRIPT
from tests.promptness import promised, within

from lao.backends.whisper_cli import WhisperCli
from lao.backends.whisper_cpp import WhisperCppBackend
from lao.backends.whisper_options import WhisperOptions
from lao.errors import LaoError, ModelUnavailable, StepError
from lao.policy import WorkerLimits
from lao.workers.inbox import worker_folder
from lao.workers.pool import WorkerPool
from lao.workflow.inference import ModelRequest
from lao.workflow.local_models import WhisperCpp

RATE = 16_000


class Heard:
    """A `Report` that keeps what it is told."""

    cancelled = False

    def __init__(self):
        self.pieces = []
        self.steps = []
        self.first = asyncio.Event()

    def text(self, piece):
        self.pieces.append(piece)
        self.first.set()

    def progress(self, done, total, unit):
        self.steps.append((done, total, unit))


@pytest.fixture
async def pool():
    async with WorkerPool() as found:
        yield found


@pytest.fixture
def backend(tiny_whisper, pool):
    model = WhisperCpp(model_path=str(tiny_whisper), options={"num_thread": 1})
    return WhisperCppBackend(model, pool)


@pytest.fixture
def talk(tmp_path):
    """Return a maker of recordings: a tone stands for a voice."""

    def make(seconds, *, name="talk.wav", loud=0.3):
        tone = loud * np.sin(np.arange(int(seconds * RATE)) / 9)
        soundfile.write(tmp_path / name, tone, RATE, format="WAV")
        return str(tmp_path / name)

    return make


def asked(path, **options):
    return ModelRequest(input=path, options=options)


async def code_of(backend, request):
    with pytest.raises(LaoError) as caught:
        await backend.infer(request, Heard())
    return caught.value.code


async def test_the_known_sentence_is_heard_and_told(backend, talk):
    heard = Heard()
    reply = await backend.infer(asked(talk(5)), heard)
    assert reply.value == CANNED_TRANSCRIPT
    assert "".join(heard.pieces) == CANNED_TRANSCRIPT
    assert heard.steps[-1] == (5, 5, "s")
    assert reply.made_by.startswith("whisper.cpp ")
    assert reply.notes == ()


async def test_a_long_recording_has_segments_in_order_within_its_length(backend, talk):
    heard = Heard()
    reply = await backend.infer(asked(talk(65), output="segments"), heard)
    times = [time for s in reply.value for time in (s["start"], s["end"])]
    assert [segment["text"] for segment in reply.value] == [CANNED_TRANSCRIPT] * 3
    assert times == sorted(times)
    assert times[0] == 0
    assert times[-1] == 65
    assert all(s["start"] < s["end"] for s in reply.value)
    assert heard.steps[-1] == (65, 65, "s")
    assert heard.pieces == []


async def test_the_pieces_of_a_long_text_join_to_it(backend, talk):
    heard = Heard()
    reply = await backend.infer(asked(talk(40)), heard)
    assert reply.value == f"{CANNED_TRANSCRIPT}\n{CANNED_TRANSCRIPT}"
    assert "".join(heard.pieces) == reply.value


async def test_subtitles_have_times(backend, talk):
    srt = await backend.infer(asked(talk(5), output="srt"), Heard())
    assert srt.value == f"1\n00:00:00,000 --> 00:00:05,000\n{CANNED_TRANSCRIPT}\n"
    vtt = await backend.infer(asked(talk(5), output="vtt"), Heard())
    assert vtt.value.startswith("WEBVTT\n\n00:00:00.000 --> 00:00:05.000\n")


async def test_the_recording_may_be_among_the_files(backend, talk):
    reply = await backend.infer(ModelRequest(files=(talk(3),)), Heard())
    assert reply.value == CANNED_TRANSCRIPT


async def test_options_reach_the_model(backend, talk):
    request = asked(talk(3), beam_size=2, temperature=0.2, language="en")
    assert (await backend.infer(request, Heard())).value == CANNED_TRANSCRIPT
    request = asked(talk(3), language="de", translate=True)
    notes = (await backend.infer(request, Heard())).notes
    assert len(notes) == 2
    assert all("English only" in note for note in notes)


async def test_silence_is_noted_because_models_invent_words_in_it(backend, talk):
    path = talk(4, loud=0)
    reply = await backend.infer(asked(path), Heard())
    assert "may invent words" in reply.notes[0]


async def test_vad_leaves_silence_out(backend, talk):
    reply = await backend.infer(asked(talk(4, loud=0), vad=True), Heard())
    assert reply.value == ""
    assert reply.notes == ("4 s of silence were skipped", "no words were recognised")


@promised
async def test_a_cancelled_request_stops_within_a_second(backend, talk):
    heard = Heard()
    running = asyncio.create_task(backend.infer(asked(talk(1200)), heard))
    await heard.first.wait()
    running.cancel()
    with within(1.0), pytest.raises(asyncio.CancelledError):
        await running


async def test_a_description_names_the_content(backend, tiny_whisper):
    description = await backend.describe()
    assert re.fullmatch("sha256:[0-9a-f]{64}", description.digest)
    assert description.size == tiny_whisper.stat().st_size
    assert description.name == "tiny.en"


async def test_a_model_that_cannot_be_is_unavailable(tmp_path, pool, talk):
    (tmp_path / "other.bin").write_bytes(b"GGUF" + bytes(100))
    for name, code in (
        ("missing.bin", "model.file-missing"),
        ("other.bin", "model.not-whisper"),
    ):
        backend = WhisperCppBackend(WhisperCpp(model_path=str(tmp_path / name)), pool)
        with pytest.raises(ModelUnavailable) as caught:
            await backend.describe()
        assert caught.value.code == code
        assert await code_of(backend, asked(talk(1))) == code
    assert pool.live() == ()


@pytest.mark.parametrize("kept", [20_000, 1_000_000])
async def test_a_half_copied_model_is_damaged(tmp_path, tiny_whisper, pool, talk, kept):
    half = tmp_path / "half.bin"
    half.write_bytes(tiny_whisper.read_bytes()[:kept])
    backend = WhisperCppBackend(WhisperCpp(model_path=str(half)), pool)
    for _ in range(2):
        assert await code_of(backend, asked(talk(1))) == "model.damaged"


async def test_what_a_step_asks_wrongly_is_told(backend, talk, tiny_whisper, tmp_path):
    path = talk(1)
    vad = {"vad_model_path": str(tiny_whisper)}  # whisper.cpp would hang on it
    assert await code_of(backend, asked(path, **vad)) == "whisper.not-a-vad-model"
    no_vad = {"vad_model_path": str(tmp_path / "none.bin")}
    assert await code_of(backend, asked(path, **no_vad)) == "model.file-missing"
    wrong = asked(path, language="klingon")
    assert await code_of(backend, wrong) == "whisper.unknown-language"
    assert await code_of(backend, asked(path, beam=3)) == "whisper.unknown-option"
    assert await code_of(backend, asked(path, vad="yes")) == "whisper.bad-option"
    assert await code_of(backend, asked(path, temperature=7)) == "whisper.bad-option"
    assert await code_of(backend, asked(path, output="doc")) == "speech.unknown-output"
    assert await code_of(backend, ModelRequest()) == "audio.no-recording"


async def test_what_is_no_recording_is_told_before_a_worker_starts(
    backend, pool, tmp_path
):
    (tmp_path / "text.wav").write_text("Minutes of the meeting")
    assert (
        await code_of(backend, asked(str(tmp_path / "text.wav"))) == "audio.not-audio"
    )
    assert await code_of(backend, asked("/nowhere.wav")) == "audio.file-missing"
    (tmp_path / "film.mp4").write_bytes(b"\0\0\0\x20ftypisom" + bytes(99))
    film = asked(str(tmp_path / "film.mp4"))
    assert await code_of(backend, film) == "audio.needs-ffmpeg"
    assert pool.live() == ()


async def test_closing_twice_is_safe_and_ends_the_worker(backend, pool, talk):
    await backend.infer(asked(talk(1)), Heard())
    assert len(pool.live()) == 1
    await backend.close()
    await backend.close()
    assert pool.live() == ()


# -- whisper-cli: a script that lies as the real one does ----------------------

GOOD = {
    "transcription": [
        {"offsets": {"from": 0, "to": 1500}, "text": " Hello there."},
        {"offsets": {"from": 1500, "to": 1500}, "text": "  "},
        {"offsets": {"from": 1200, "to": 2500}, "text": ' He said "no".'},
    ]
}
WRITES = """
all=$*; while [ $# -gt 0 ]; do [ "$1" = -of ] && out=$2; shift; done
copy() { while IFS= read -r line; do printf '%s\\n' "$line"; done; }
"""


@pytest.fixture
def cli(tiny_whisper, pool, tmp_path):
    """Return a maker of backends that run a fake whisper-cli."""

    def make(script, **options):
        program = tmp_path / "whisper-cli"
        program.write_text(f"#!/bin/sh\n{WRITES}\n{script}\n")
        program.chmod(0o755)
        model = WhisperCpp(
            model_path=str(tiny_whisper), program=str(program), options=options
        )
        return WhisperCppBackend(model, pool)

    return make


def writing(text):
    return f"copy > $out.json <<'END'\n{text}\nEND\n"


async def test_a_transcript_of_whisper_cli_is_read_whatever_its_exit_code(cli, talk):
    progress = 'echo "whisper_print_progress_callback: progress =  45%" >&2\n'
    backend = cli(progress + writing(json.dumps(GOOD)) + "exit 10")
    heard = Heard()
    reply = await backend.infer(asked(talk(3)), heard)
    assert reply.value == 'Hello there.\nHe said "no".'
    assert "".join(heard.pieces) == reply.value
    assert heard.steps == [(45, 100, "%")]
    found = (await backend.infer(asked(talk(3), output="segments"), Heard())).value
    assert [(s["start"], s["end"]) for s in found] == [(0, 1.5), (1.5, 2.5)]


async def test_broken_characters_in_its_json_do_no_harm(cli, talk):
    text = json.dumps(GOOD).replace("Hello", "H\\377\\tllo").replace('\\"', "'")
    backend = cli(f"printf '{text.replace(chr(39), '')}' > $out.json")
    reply = await backend.infer(asked(talk(3)), Heard())
    assert reply.value.startswith("H\ufffd llo there.")


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("echo 'error: unknown argument' >&2; exit 0", "it wrote no transcript"),
        (writing("{garbage") + "exit 0", "not JSON"),
        (writing("[]"), "holds no transcription"),
        (writing('{"transcription": [{"text": "no times"}]}'), "unknown shape"),
        ("kill -SEGV $$", "ended by signal 11"),
    ],
)
async def test_its_failures_are_told_though_it_says_success(cli, talk, script, why):
    with pytest.raises(StepError) as caught:
        await cli(script).infer(asked(talk(1)), Heard())
    assert caught.value.code == "whisper.cli-failed"
    assert why in caught.value.problem.what


async def test_its_last_words_are_shown(cli, talk):
    backend = cli("echo 'error: failed to read audio' >&2; exit 0")
    with pytest.raises(StepError, match="failed to read audio"):
        await backend.infer(asked(talk(1)), Heard())


async def test_a_stale_transcript_is_not_taken_for_a_new_one(cli, talk, tmp_path):
    cli("exit 0")
    program = WhisperCli(
        program=tmp_path / "whisper-cli",
        model=tmp_path / "model.bin",
        limits=WorkerLimits(),
    )
    path = talk(1)
    Path(path).with_suffix(".json").write_text(json.dumps(GOOD))
    with worker_folder(tmp_path) as folder:
        (folder.scratch / "transcript.json").write_text(json.dumps(GOOD))
        with pytest.raises(StepError, match="wrote no transcript"):
            await program.transcribe(
                path, WhisperOptions(), folder=folder, report=Heard()
            )


async def test_options_become_arguments(cli, talk, tiny_whisper):
    script = """copy > $out.json <<END
{"transcription": [{"offsets": {"from": 0, "to": 1}, "text": "$all"}]}
END"""
    backend = cli(script, language="de", translate=True)
    path = talk(1)
    reply = await backend.infer(asked(path, num_thread=1, beam_size=3), Heard())
    said = re.sub(r"/\S*/transcript", "OUT", reply.value)
    assert said == (
        f"-m {tiny_whisper} -f {path} -oj -of OUT -np -pp -l de -t 1 -bs 3 -tr"
    )


async def test_a_missing_program_is_unavailable(tiny_whisper, pool, talk):
    model = WhisperCpp(model_path=str(tiny_whisper), program="/nowhere/whisper-cli")
    backend = WhisperCppBackend(model, pool)
    assert await code_of(backend, asked(talk(1))) == "program.missing"
