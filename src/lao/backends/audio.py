# SPDX-License-Identifier: Apache-2.0
"""Reads recordings as a stream of mono blocks, whatever their length. Runs in workers.

wav, flac, mp3, ogg (Vorbis, Opus), aiff, au and w64 are read by libsndfile. The
orchestrator converts all others before a worker sees them (`lao.backends.recordings`).
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
import soundfile
from msgspec import Struct

from lao.backends.recording_file import AudioFormat, open_recording_file
from lao.backends.resampling import Resampler
from lao.workflow.inference import ModelProblem

Samples = npt.NDArray[np.float32]

RATE = 16_000  # what speech models hear
_RATES = range(4_000, 400_000)
_READ_SAMPLES = 1 << 18  # at a time, over all channels
_TOO_LARGE_TO_BE_SILENCE = 16_384  # bytes; no format's mere header is so long


class AudioInfo(Struct, frozen=True, kw_only=True):
    """What a recording says about itself; `rate` in Hz."""

    seconds: float
    rate: int
    channels: int
    format: str


class Block(Struct, frozen=True, kw_only=True):
    """A stretch of mono sound; `start` in seconds of the recording."""

    start: float
    samples: Samples
    rate: int = RATE

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.samples) / self.rate

    @property
    def end(self) -> float:
        """Where it ends, in seconds of the recording."""
        return self.start + self.seconds


class Recording:
    """An open recording. `notes` grow while `blocks` is consumed, once."""

    def __init__(self, sound: soundfile.SoundFile, info: AudioInfo) -> None:
        self._sound = sound
        self.info = info
        self.notes: list[str] = []

    def blocks(self, *, rate: int = RATE, seconds: float = 30.0) -> Iterator[Block]:
        """Yield the sound, `seconds` at a time; only the last block is shorter.

        Where the data break off the stream ends, and a note says so.
        """
        size = max(1, round(rate * seconds))
        waiting: list[Samples] = []
        held = given = 0
        for samples in self._resampled(rate):
            waiting.append(samples)
            held += len(samples)
            if held < size:
                continue
            joined = np.concatenate(waiting)
            whole = held - held % size
            for start in range(0, whole, size):
                yield _block(joined[start : start + size], given + start, rate)
            given += whole
            held -= whole
            waiting = [joined[whole:]]
        if held:
            yield _block(np.concatenate(waiting), given, rate)

    def _resampled(self, rate: int) -> Iterator[Samples]:
        if self.info.rate == rate:
            yield from self._mono()
            return
        resampler = Resampler(self.info.rate, rate)
        for samples in self._mono():
            yield resampler.feed(samples)
        yield resampler.finish()

    def _mono(self) -> Iterator[Samples]:
        """Yield what can be decoded, the channels averaged."""
        frames = max(1, _READ_SAMPLES // self.info.channels)
        done = 0
        try:
            while len(read := self._sound.read(frames, "float32", always_2d=True)):
                done += len(read)
                yield np.nan_to_num(read.mean(axis=1), posinf=0.0, neginf=0.0)
        except soundfile.LibsndfileError:
            if not done:
                raise _damaged(self.info.format) from None
        self._compare(done / self.info.rate)

    def _compare(self, seconds: float) -> None:
        """Note where less could be read than the file declares."""
        if seconds < self.info.seconds - 0.5:
            self.notes.append(
                f"the recording is damaged or cut off: {seconds:.1f} s of "
                f"{self.info.seconds:.1f} s could be read"
            )


def probe(path: str) -> AudioInfo:
    """Say what a recording is; fails as `open_recording` does."""
    with open_recording(path) as recording:
        return recording.info


@contextmanager
def open_recording(path: str) -> Iterator[Recording]:
    """Open a recording for reading.

    Raises:
        ModelProblem: `audio.file-missing`, `.unreadable`, `.not-a-file`, `.empty`,
            `.not-audio`, `.needs-ffmpeg`, `.damaged`, `.no-sound`, `.unusual-rate`.
    """
    with open_recording_file(path) as (file, found):
        size = os.fstat(file.fileno()).st_size
        with _decoder(file.fileno(), found) as sound:
            info = _info(sound, found.name)
            if not sound.frames:
                if size > _TOO_LARGE_TO_BE_SILENCE:
                    raise _damaged(found.name)
                raise ModelProblem(
                    "audio.no-sound",
                    f"the recording {path!r} holds no sound: 0 seconds",
                    mend="record or copy it again",
                )
            recording = Recording(sound, info)
            if found.name == "wav" and _is_cut_off(file.fileno(), size):
                recording.notes.append("the recording is cut off: its end is missing")
            yield recording


def _decoder(descriptor: int, found: AudioFormat) -> soundfile.SoundFile:
    """Open by descriptor: a name such as `x.raw` would decide the format."""
    try:
        return soundfile.SoundFile(os.dup(descriptor), closefd=True)
    except soundfile.LibsndfileError:
        if found.demuxer is None:
            raise _damaged(found.name) from None
        raise ModelProblem(
            "audio.needs-ffmpeg",
            f"the recording is {found.name}, which LAO reads with the help of ffmpeg",
            mend="install ffmpeg, or convert the recording to wav, flac, mp3 or ogg",
        ) from None


def _info(sound: soundfile.SoundFile, name: str) -> AudioInfo:
    rate = sound.samplerate
    if rate not in _RATES:
        raise ModelProblem(
            "audio.unusual-rate",
            f"the recording has {rate} samples a second; LAO takes "
            f"{_RATES.start} to {_RATES.stop}",
            mend="convert it to 16000 Hz",
        )
    return AudioInfo(
        seconds=sound.frames / rate, rate=rate, channels=sound.channels, format=name
    )


def _is_cut_off(descriptor: int, size: int) -> bool:
    """Whether a RIFF file is shorter than it says; programs that stream say 0 or -1."""
    head = os.pread(descriptor, 8, 0)
    declared = int.from_bytes(head[4:8], "little")
    is_known = head[:4] == b"RIFF" and 0 < declared < 0xFFFFFF00
    return is_known and declared + 8 > size + 1  # the last pad byte is often missing


def _block(samples: Samples, before: int, rate: int) -> Block:
    return Block(start=before / rate, samples=samples, rate=rate)


def _damaged(name: str) -> ModelProblem:
    return ModelProblem(
        "audio.damaged",
        f"the recording is {name}, but damaged: it cannot be decoded",
        mend="copy or export it again; a player such as VLC may tell more",
    )
