# SPDX-License-Identifier: Apache-2.0
"""What LAO cannot decode alone, ffmpeg converts before a worker sees it."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from lao.backends.audio import open_recording
from lao.backends.recordings import WithRecordings, find_ffmpeg, readable_recording
from lao.errors import LaoError
from lao.policy import WorkerLimits
from lao.workflow.inference import ModelReply, ModelRequest

FFMPEG = find_ffmpeg()
needs_ffmpeg = pytest.mark.skipif(
    FFMPEG is None, reason="ffmpeg is an optional program of the user's"
)
M4A = b"\0\0\0\x20ftypM4A \0\0\0\0" + bytes(600)


@pytest.fixture
def m4a(tmp_path):
    """Return a file that only claims to be m4a."""
    path = tmp_path / "talk ; echo.m4a"
    path.write_bytes(M4A)
    return str(path)


@pytest.fixture
def fake(tmp_path):
    """Return a maker of programs that stand in for ffmpeg."""

    def make(script):
        path = tmp_path / "ffmpeg"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path

    return make


def text_of(path):
    return Path(path).read_text()


def converted(source, target):
    """Make a recording of another format, as its owner would."""
    quiet = [str(FFMPEG), "-nostdin", "-loglevel", "error", "-i", str(source)]
    subprocess.run([*quiet, str(target)], check=True)
    return target


async def code_of(path, ffmpeg, **options):
    with pytest.raises(LaoError) as caught:
        async with readable_recording(path, ffmpeg=ffmpeg, **options):
            pass
    return caught.value.code


async def test_what_lao_reads_alone_is_not_converted(tmp_path, fake):
    path = str(tmp_path / "talk.m4a")
    soundfile.write(path, np.zeros(100), 16_000, format="WAV")
    async with readable_recording(path, ffmpeg=fake("exit 1")) as readable:
        assert readable == path


async def test_without_ffmpeg_the_mend_names_it(m4a):
    with pytest.raises(LaoError) as caught:
        async with readable_recording(m4a, ffmpeg=None):
            pass
    assert caught.value.code == "audio.needs-ffmpeg"
    assert "install ffmpeg" in caught.value.problem.mend


async def test_ffmpeg_is_told_the_format_and_may_open_only_files(m4a, fake):
    ffmpeg = fake('for last in "$@"; do :; done; echo "$*" > "${last#file:}"')
    async with readable_recording(m4a, ffmpeg=ffmpeg) as readable:
        said = text_of(readable)
    assert f"-protocol_whitelist file,pipe -f mov -i file:{m4a} -map 0:a:0" in said
    assert said.startswith("-nostdin ")
    with pytest.raises(FileNotFoundError):
        text_of(readable)


async def test_a_copy_that_does_not_come_is_damage(m4a, fake):
    failing = fake("echo moov atom not found >&2; exit 1")
    assert await code_of(m4a, failing) == "audio.damaged"
    silent = fake("echo 'Stream map matches no streams.' >&2; exit 1")
    assert await code_of(m4a, silent) == "audio.no-sound"


@pytest.mark.linux
async def test_a_copy_past_the_limit_is_refused_and_not_cut_silently(m4a, fake):
    script = """
        for last in "$@"; do :; done; exec > "${last#file:}"
        while :; do printf %09000d 0; done
    """
    limits = WorkerLimits(file_size=100_000)
    code = await code_of(m4a, fake(script), limits=limits)
    assert code in {"audio.too-long", "worker.scratch-full"}


@needs_ffmpeg
@pytest.mark.parametrize("name", ["talk.m4a", "talk.webm", "talk.mka", "talk.aac"])
async def test_a_real_conversion_keeps_the_sound(tmp_path, name):
    source = tmp_path / "tone.wav"
    tone = 0.4 * np.sin(np.arange(48_000 * 2) * 2 * np.pi * 440 / 48_000)
    soundfile.write(source, np.stack([tone, tone], axis=1), 48_000)
    renamed = converted(source, tmp_path / name).rename(tmp_path / "renamed.wav")
    async with readable_recording(str(renamed), ffmpeg=FFMPEG) as readable:
        with open_recording(readable) as recording:
            sound = np.concatenate([b.samples for b in recording.blocks()])
    assert len(sound) / 16_000 == pytest.approx(2.0, abs=0.15)
    middle = sound[8_000:24_000]
    assert np.sqrt(np.square(middle).mean()) == pytest.approx(0.283, rel=0.1)


@needs_ffmpeg
async def test_ffmpeg_says_what_it_cannot_decode(m4a):
    assert await code_of(m4a, FFMPEG) == "audio.damaged"


async def test_a_backend_behind_it_gets_the_readable_file_only(m4a, fake):
    class Inner:
        async def infer(self, request, report):
            assert request.files == (request.input,)
            return ModelReply(value=text_of(request.input), made_by="inner")

    ffmpeg = fake('for last in "$@"; do :; done; echo converted > "${last#file:}"')
    backend = WithRecordings(Inner(), ffmpeg=ffmpeg)
    reply = await backend.infer(ModelRequest(files=(m4a,)), None)
    assert reply.value == "converted\n"
    with pytest.raises(LaoError) as caught:
        await backend.infer(ModelRequest(), None)
    assert caught.value.code == "audio.no-recording"
