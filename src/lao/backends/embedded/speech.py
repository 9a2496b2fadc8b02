# SPDX-License-Identifier: Apache-2.0
"""The recogniser that comes with LAO: pocketsphinx and its English model.

It needs no download and no server, and is what that suggests: fine on clear, evenly
read English, with a wrong word in three or worse on ordinary recordings.
"""

import importlib.metadata
import time
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path

import numpy as np
import pocketsphinx

from lao.backends.audio import RATE, Block, open_recording
from lao.backends.quiet_cuts import is_silent, pieces
from lao.backends.recording_file import recording_of
from lao.backends.subtitles import Segment, joint, render, wanted_output
from lao.workflow.inference import (
    ModelDescription,
    ModelProblem,
    ModelReply,
    ModelRequest,
    Report,
)
from lao.workflow.values import JsonValue

_MADE_BY = "LAO speech: pocketsphinx, basic recogniser, expect wrong words"
_ENGLISH = {"", "auto", "en", "en-us", "english"}
_SHORTEST, _LONGEST = 20.0, 40.0  # seconds decoded at once: bounds memory and delay
_STEP = RATE // 2  # samples between two looks at `cancelled`
_PAUSE_FRAMES = 15  # 0.15 s of silence end a sentence
_FRAMES = 100  # a second
_NOT_WORDS = ("<", "[", "+")  # <sil>, [NOISE], ++SMACK++


class SpeechModel:
    """A `LocalModel`: a recording in, English text out.

    Options: `output` ("text", "segments", "srt", "vtt"), `language` (English only).
    """

    def load(self, options: Mapping[str, JsonValue]) -> None:
        """Find the model; decoders are made for each recording."""
        self._options = options
        self._folder = Path(pocketsphinx.get_model_path("en-us"))

    def describe(self) -> ModelDescription:
        """Say what the model is. The digest is of names and sizes: they are fixed."""
        version = importlib.metadata.version("pocketsphinx")
        files = sorted(path for path in self._folder.rglob("*") if path.is_file())
        sizes = {
            path.relative_to(self._folder).as_posix(): path.stat().st_size
            for path in files
        }
        digest = sha256(repr((version, sizes)).encode()).hexdigest()
        return ModelDescription(
            name="speech",
            digest=f"sha256:{digest}",
            made_by=_MADE_BY,
            size=sum(sizes.values()),
            details={"engine": f"pocketsphinx {version}", "language": "en-us"},
        )

    def infer(self, request: ModelRequest, report: Report) -> ModelReply:
        """Transcribe one recording."""
        options = {**self._options, **request.options}
        output = wanted_output(options)
        _require_english(options)
        started = time.monotonic()
        with open_recording(recording_of(request)) as recording:
            listener = _Listener(report, tells=output == "text")
            blocks = pieces(recording.blocks(), shortest=_SHORTEST, longest=_LONGEST)
            segments = listener.listen(blocks, total=recording.info.seconds)
            notes = [*recording.notes]
        if not segments:
            what = "is silent" if listener.is_silent else "has no words it recognised"
            notes.append(f"the recording {what}")
        return ModelReply(
            value=render(segments, output),
            made_by=_MADE_BY,
            seconds=time.monotonic() - started,
            notes=tuple(notes),
        )


class _Listener:
    """Transcribes one recording; its decoder adapts to the sound as it goes on.

    A decoder is never used for two recordings: it would carry what it adapted to
    into the second, and the text would depend on what was heard before.
    """

    def __init__(self, report: Report, *, tells: bool) -> None:
        self._decoder = pocketsphinx.Decoder(loglevel="FATAL")
        self._report = report
        self._tells = tells
        self._last_told = ""
        self.is_silent = True

    def listen(self, blocks: Iterable[Block], *, total: float) -> list[Segment]:
        """Return all sentences, telling each piece's when it is done."""
        found: list[Segment] = []
        for block in blocks:
            if not is_silent(block.samples):
                self.is_silent = False
                self._decode(block, total)
                sentences = list(_sentences(self._decoder.seg(), block.start))
                self._tell(sentences)
                found += sentences
            self._report.progress(min(block.end, total), total, "s")
        return found

    def _decode(self, block: Block, total: float) -> None:
        sound = np.clip(block.samples * 32768, -32768, 32767).astype("<i2")
        self._decoder.start_utt()
        for start in range(0, len(sound), _STEP):
            if self._report.cancelled:
                raise ModelProblem("worker.cancelled", "the request was cancelled")
            self._decoder.process_raw(sound[start : start + _STEP].tobytes())
            done = min(block.start + start / RATE, total)
            self._report.progress(done, total, "s")
        self._decoder.end_utt()

    def _tell(self, sentences: Iterable[Segment]) -> None:
        for sentence in sentences if self._tells else ():
            self._report.text(joint(self._last_told, sentence.text) + sentence.text)
            self._last_told = sentence.text


def _sentences(
    words: "Iterable[pocketsphinx.Segment] | None", offset: float
) -> Iterator[Segment]:
    """Join words up to a pause: a capital letter at the start, a full stop after."""
    said: list[str] = []
    start = end = 0
    for word in words or ():
        is_pause = word.word.startswith(_NOT_WORDS)
        if not is_pause:
            start = start if said else word.start_frame
            end = word.end_frame + 1
            said.append(word.word.partition("(")[0])
        elif said and word.end_frame - word.start_frame + 1 >= _PAUSE_FRAMES:
            yield _sentence(said, offset + start / _FRAMES, offset + end / _FRAMES)
            said = []
    if said:
        yield _sentence(said, offset + start / _FRAMES, offset + end / _FRAMES)


def _sentence(words: list[str], start: float, end: float) -> Segment:
    text = " ".join(words)
    return Segment(start=start, end=end, text=f"{text[:1].upper()}{text[1:]}.")


def _require_english(options: Mapping[str, JsonValue]) -> None:
    language = options.get("language") or ""
    if str(language).lower().replace("_", "-") not in _ENGLISH:
        raise ModelProblem(
            "speech.language",
            f"the recogniser that comes with LAO knows English only, not {language!r}",
            mend="use a whisper.cpp model for other languages: "
            "`kind: whisper.cpp` with the `model_path` of a ggml-….bin file",
        )
