# SPDX-License-Identifier: Apache-2.0
"""A whisper.cpp model inside a worker process.

The recording is heard in pieces of at most 30 s, the length of the model's own
window, cut at quiet moments: memory stays bounded, and a cancelled request ends
inside a piece.
"""

import time
from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from pywhispercpp.model import Model, Segment as HeardSegment

from lao.backends.audio import RATE, Block, Samples, open_recording
from lao.backends.gguf import WhisperHeader, read_whisper_header
from lao.backends.quiet_cuts import is_silent, pieces
from lao.backends.recording_file import recording_of
from lao.backends.stderr_capture import StderrCapture
from lao.backends.subtitles import Segment, joint, render, wanted_output
from lao.backends.whisper_options import WhisperOptions, as_problem, read_options
from lao.errors import ModelUnavailable
from lao.workflow.inference import (
    ModelDescription,
    ModelProblem,
    ModelReply,
    ModelRequest,
    Report,
)
from lao.workflow.values import JsonValue

_SHORTEST, _LONGEST = 24.0, 29.5  # seconds; a piece past 30 s would take two windows
_LEAST = RATE  # samples; whisper.cpp says nothing about much less
_CENTISECONDS = 100
_NOT_SPEECH = {"[BLANK_AUDIO]", "[ Silence ]", "(silence)"}
# Without tensors whisper.cpp goes on, "for testing", and throws at the first use.
_FAILED = ("failed to load model", "no tensors loaded")


class WhisperModel:
    """A `LocalModel`; `load` takes `model_path`."""

    def load(self, options: Mapping[str, JsonValue]) -> None:
        """Read the file. Given a path it exists, so nothing is ever downloaded."""
        self._path = Path(str(options["model_path"]))
        self._header = _header(self._path)
        with StderrCapture() as said:
            self._model = Model(str(self._path), print_progress=False)
            failed = any(words in said.text() for words in _FAILED)
        if failed:  # pywhispercpp does not look, and would crash at the first use
            raise ModelProblem(
                "model.damaged",
                f"whisper.cpp cannot load {str(self._path)!r}: it is damaged or cut off",
                mend="copy or download the model file again",
                unavailable=True,
            )

    def describe(self) -> ModelDescription:
        """Say what the model is."""
        return ModelDescription(
            name=self._header.name, made_by=self._made_by, size=self._header.size
        )

    def infer(self, request: ModelRequest, report: Report) -> ModelReply:
        """Transcribe one recording."""
        options = read_options(request.options)
        output = wanted_output(request.options)
        started = time.monotonic()
        hearing = _Hearing(self._model, self._header, options, report)
        with open_recording(recording_of(request)) as recording:
            blocks = pieces(recording.blocks(), shortest=_SHORTEST, longest=_LONGEST)
            segments: list[Segment] = []
            said = ""
            for found, done in hearing.listen(blocks):
                for segment in found if output == "text" else ():
                    report.text(joint(said, segment.text) + segment.text)
                    said = segment.text
                segments += found
                total = recording.info.seconds
                report.progress(min(done, total), total, "s")
        return ModelReply(
            value=render(segments, output),
            made_by=self._made_by,
            seconds=time.monotonic() - started,
            notes=(*recording.notes, *hearing.notes(said_nothing=not segments)),
        )

    @property
    def _made_by(self) -> str:
        return f"whisper.cpp {self._header.name}"


class _Hearing:
    """One recording being heard. Times never go back, whatever the model says."""

    def __init__(
        self,
        model: Model,
        header: WhisperHeader,
        options: WhisperOptions,
        report: Report,
    ) -> None:
        self._model = model
        self._header = header
        self._options = options
        self._report = report
        self._language = options.language if header.multilingual else "en"
        self._reached = 0.0
        self._silent = self._skipped = 0.0

    def listen(self, blocks: Iterable[Block]) -> Iterator[tuple[list[Segment], float]]:
        """Yield each piece's segments, and the second that they reach to."""
        for block in blocks:
            if self._report.cancelled:
                raise _cancelled()
            if not is_silent(block.samples):
                yield self._hear(block), block.end
            elif self._options.vad:
                self._skipped += block.seconds
                yield [], block.end
            else:
                self._silent += block.seconds
                yield self._hear(block), block.end

    def notes(self, *, said_nothing: bool) -> Iterator[str]:
        """Tell what a person should know about the transcript."""
        if self._silent:
            yield (
                f"{self._silent:.0f} s of the recording are silent; whisper models "
                "may invent words there (`vad: true` skips them)"
            )
        if self._skipped:
            yield f"{self._skipped:.0f} s of silence were skipped"
        if said_nothing:
            yield "no words were recognised"
        if not self._header.multilingual:
            if self._options.language not in {"auto", "en"}:
                yield f"the model knows English only, not {self._options.language!r}"
            if self._options.translate:
                yield "the model knows English only; `translate` has no effect"
        elif self._options.language == "auto" and self._language != "auto":
            yield f"the language was recognised as {self._language!r}"

    def _hear(self, block: Block) -> list[Segment]:
        samples = _padded(block.samples)
        if self._language == "auto":
            # Once, on the first piece: whisper.cpp would decide anew for each.
            (self._language, _), _ = self._model.auto_detect_language(
                samples, offset_ms=0, n_threads=self._options.threads
            )
        heard = self._model.transcribe(
            samples,
            abort_callback=lambda: self._report.cancelled,
            **_strategy(self._options),
            **self._options.parameters(
                language=self._language, multilingual=self._header.multilingual
            ),
        )
        if self._report.cancelled:
            raise _cancelled()
        return list(self._timed(heard, block))

    def _timed(self, heard: Iterable[HeardSegment], block: Block) -> Iterator[Segment]:
        for segment in heard:
            text = segment.text.strip()
            start = min(block.start + segment.t0 / _CENTISECONDS, block.end)
            end = min(block.start + segment.t1 / _CENTISECONDS, block.end)
            start = max(start, self._reached)
            self._reached = end = max(start, end)
            if text and text not in _NOT_SPEECH:
                yield Segment(start=start, end=end, text=text)


def _header(path: Path) -> WhisperHeader:
    try:
        return read_whisper_header(path)
    except ModelUnavailable as error:
        raise as_problem(error) from error


def _strategy(options: WhisperOptions) -> dict[str, Any]:
    """Return how to search; `greedy` and `beam_search` keep pywhispercpp's defaults."""
    kinds = import_module("_pywhispercpp").whisper_sampling_strategy
    if options.beam_size < 2:
        return {"strategy": kinds.WHISPER_SAMPLING_GREEDY}
    beams = {"beam_size": options.beam_size, "patience": -1.0}
    return {"strategy": kinds.WHISPER_SAMPLING_BEAM_SEARCH, "beam_search": beams}


def _padded(samples: Samples) -> Samples:
    return np.pad(samples, (0, max(0, _LEAST - len(samples))))


def _cancelled() -> ModelProblem:
    return ModelProblem("worker.cancelled", "the request was cancelled")
