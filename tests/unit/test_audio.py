# SPDX-License-Identifier: Apache-2.0
"""Recordings of every rate and format become the same stream of mono blocks."""

import os

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings, strategies as st

from lao.backends.audio import RATE, Block, open_recording, probe
from lao.backends.quiet_cuts import is_silent, pieces
from lao.backends.recording_file import sniff
from lao.backends.resampling import Resampler
from lao.workflow.inference import ModelProblem

RATES = [8000, 11025, 16000, 22050, 44100, 47999, 48000, 96000]


def sine(hertz, *, rate=RATE, seconds=2.0, loud=0.5):
    times = np.arange(round(rate * seconds)) / rate
    return (loud * np.sin(2 * np.pi * hertz * times)).astype(np.float32)


def written(path, samples, *, rate=RATE, **kind):
    soundfile.write(path, samples, rate, **kind)
    return str(path)


def heard(path, *, seconds=0.7):
    with open_recording(path) as recording:
        blocks = list(recording.blocks(seconds=seconds))
    return np.concatenate([block.samples for block in blocks])


def complaint(path):
    with pytest.raises(ModelProblem) as caught:
        heard(str(path))
    return caught.value.code


@pytest.mark.parametrize("rate", RATES)
def test_a_tone_keeps_its_pitch_its_energy_and_its_smoothness(tmp_path, rate):
    path = written(tmp_path / "tone.wav", sine(1000, rate=rate), rate=rate)
    found = heard(path)
    assert abs(len(found) - 2 * RATE) <= 1
    inner = found[RATE // 10 : -RATE // 10]
    wanted = sine(1000)[RATE // 10 : len(inner) + RATE // 10]
    # The same wave, sample by sample: pitch, phase, energy, and no clicks anywhere.
    assert np.abs(inner - wanted).max() < 0.005


@pytest.mark.parametrize("rate", [22050, 44100, 48000, 96000])
def test_a_tone_that_cannot_be_kept_is_not_folded_back(tmp_path, rate):
    path = written(tmp_path / "high.wav", sine(9500, rate=rate), rate=rate)
    assert np.abs(heard(path)[2000:-2000]).max() < 0.001


def test_an_odd_rate_does_not_drift():
    resampler = Resampler(44_101, RATE)
    made = [len(resampler.feed(np.zeros(44_101, np.float32))) for _ in range(20)]
    assert sum(made) + len(resampler.finish()) == 20 * RATE


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from([8000, 22050, 44100, 48000]),
    st.lists(st.integers(1, 5000), min_size=1, max_size=12),
)
def test_the_size_of_blocks_does_not_change_the_sound(rate, sizes):
    sound = np.random.default_rng(1).normal(size=sum(sizes)).astype(np.float32)
    whole, parts = Resampler(rate, RATE), Resampler(rate, RATE)
    at_once = np.concatenate([whole.feed(sound), whole.finish()])
    ends = np.cumsum(sizes)[:-1]
    fed = [parts.feed(part) for part in np.split(sound, ends)]
    in_parts = np.concatenate([*fed, parts.finish()])
    assert len(at_once) == round(len(sound) * RATE / rate)
    np.testing.assert_allclose(in_parts, at_once, atol=1e-5)


def test_blocks_are_of_one_size_and_follow_each_other(tmp_path):
    path = written(tmp_path / "a.wav", sine(300, rate=44100, seconds=3.3), rate=44100)
    with open_recording(path) as recording:
        blocks = list(recording.blocks(seconds=1.0))
    assert [block.start for block in blocks] == [0, 1, 2, 3]
    assert [len(block.samples) for block in blocks[:3]] == [RATE] * 3
    assert blocks[3].end == pytest.approx(3.3, abs=1e-3)


def test_channels_are_averaged(tmp_path):
    stereo = np.stack([sine(500), np.zeros(2 * RATE, np.float32)], axis=1)
    found = heard(written(tmp_path / "stereo.wav", stereo))
    np.testing.assert_allclose(found, sine(500) / 2, atol=1e-4)


@pytest.mark.parametrize(
    "kind",
    [
        {"format": "WAV"},
        {"format": "WAV", "subtype": "FLOAT"},
        {"format": "RF64"},
        {"format": "FLAC"},
        {"format": "MP3"},
        {"format": "OGG"},
        {"format": "OGG", "subtype": "OPUS"},
        {"format": "AIFF"},
        {"format": "AU"},
        {"format": "W64"},
    ],
    ids=lambda kind: "-".join(kind.values()),
)
@pytest.mark.parametrize("name", ["talk.wav", "talk.raw", "talk"])
def test_the_content_decides_the_format_and_not_the_name(tmp_path, kind, name):
    path = written(tmp_path / name, sine(440), **kind)
    info = probe(path)
    assert info.seconds == pytest.approx(2.0, abs=0.1)
    assert info.channels == 1
    middle = heard(path)[RATE // 2 : RATE + RATE // 2]
    assert np.sqrt(np.square(middle).mean()) == pytest.approx(0.354, abs=0.02)


def test_bad_numbers_in_a_recording_are_silence(tmp_path):
    sound = sine(440)
    sound[1000:1010] = [np.nan, np.inf, -np.inf, *[0] * 7]
    path = written(tmp_path / "nan.wav", sound, subtype="FLOAT")
    assert np.isfinite(heard(path)).all()


def test_files_that_are_no_recordings_are_told_apart(tmp_path):
    (tmp_path / "empty.wav").touch()
    (tmp_path / "text.wav").write_text("These are the minutes of the meeting. " * 9)
    (tmp_path / "folder.wav").mkdir()
    os.mkfifo(tmp_path / "fifo.wav")
    assert complaint(tmp_path / "empty.wav") == "audio.empty"
    assert complaint(tmp_path / "text.wav") == "audio.not-audio"
    assert complaint(tmp_path / "folder.wav") == "audio.not-a-file"
    assert complaint(tmp_path / "fifo.wav") == "audio.not-a-file"
    assert complaint("/dev/zero") == "audio.not-a-file"
    assert complaint(tmp_path / "missing.wav") == "audio.file-missing"
    assert complaint(tmp_path / "\0.wav") == "audio.unreadable"


def test_a_recording_without_sound_says_so(tmp_path):
    path = written(tmp_path / "none.wav", np.zeros(0, np.float32))
    assert complaint(path) == "audio.no-sound"


def test_an_impossible_rate_is_refused(tmp_path):
    path = written(tmp_path / "slow.wav", np.zeros(100, np.float32), rate=100)
    assert complaint(path) == "audio.unusual-rate"


@pytest.mark.parametrize("kind", ["WAV", "MP3"])
def test_a_cut_off_recording_is_read_as_far_as_it_goes(tmp_path, kind):
    path = tmp_path / "cut"
    written(path, sine(440, seconds=6), format=kind)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with open_recording(str(path)) as recording:
        found = sum(block.seconds for block in recording.blocks())
    assert 2.5 < found < 3.5
    assert "cut off" in recording.notes[0]


def test_a_recording_damaged_from_the_start_is_refused(tmp_path):
    path = tmp_path / "damaged.flac"
    written(path, sine(440), format="FLAC")
    path.write_bytes(path.read_bytes()[:20])
    assert complaint(path) == "audio.damaged"


@pytest.mark.parametrize(
    ("head", "demuxer"),
    [
        (b"\0\0\0\x20ftypM4A \0\0\0\0", "mov"),
        (b"\x1aE\xdf\xa3\x01\0\0\0", "matroska"),
        (b"\xff\xf1\x50\x80\x00\x1f\xfc", "aac"),
        (b"OggS\0\x02" + bytes(22) + b"Speex   ", "ogg"),
    ],
)
def test_other_formats_need_ffmpeg(tmp_path, head, demuxer):
    (tmp_path / "talk.wav").write_bytes(head + bytes(600))
    assert sniff(head).demuxer == demuxer
    assert complaint(tmp_path / "talk.wav") == "audio.needs-ffmpeg"


@pytest.mark.parametrize(
    "head", [b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd", b"ffconcat version 1.0", b"MZ"]
)
def test_playlists_and_programs_are_not_recordings(head):
    assert sniff(head) is None


@given(st.binary(max_size=600))
def test_any_bytes_are_a_recording_or_a_clear_complaint(head):
    found = sniff(head)
    assert found is None or found.name


def test_pieces_are_cut_where_it_is_quiet_and_lose_nothing():
    sound = sine(440, seconds=70)
    sound[26 * RATE : 26 * RATE + RATE // 2] = 0
    blocks = [Block(start=i, samples=s) for i, s in enumerate(np.split(sound, 70))]
    found = list(pieces(blocks, shortest=24.0, longest=29.5))
    assert [round(piece.start, 1) for piece in found][1] == pytest.approx(26.3, abs=0.2)
    assert len(found) == 3
    assert np.array_equal(np.concatenate([p.samples for p in found]), sound)


def test_silence_is_told_from_a_quiet_voice():
    noise = np.random.default_rng(0).normal(0, 1e-4, RATE).astype(np.float32)
    assert is_silent(np.zeros(10, np.float32))
    assert is_silent(noise)
    assert not is_silent(np.concatenate([noise, sine(200, loud=0.01, seconds=0.3)]))
