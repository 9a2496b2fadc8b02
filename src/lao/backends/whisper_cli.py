# SPDX-License-Identifier: Apache-2.0
"""Runs a `whisper-cli` of the user's own, and judges it by what it wrote.

Its exit code says nothing: 0 stands for unknown arguments, unknown languages and
undecodable audio too. So a transcript counts if a fresh JSON file has one.
"""

import re
from pathlib import Path

from msgspec import Struct

from lao.backends.subtitles import Segment
from lao.backends.whisper_options import WhisperOptions
from lao.errors import StepError
from lao.files import TooLargeError, read_beneath
from lao.isolation.launching import Launcher
from lao.policy import Proof, WorkerLimits
from lao.workers.folders import WorkerFolder
from lao.workers.programs import ProgramEnd, run_program
from lao.workflow.inference import Report
from lao.workflow.json_text import read_json
from lao.workflow.values import JsonValue

_LARGEST = 64 << 20  # bytes of JSON; a day of speech has a tenth of it
_PROGRESS = re.compile(r"progress\s*=\s*(\d{1,3})%", re.ASCII)


class Transcript(Struct, frozen=True, kw_only=True):
    """What a `whisper-cli` heard, and what its process proved of itself."""

    segments: tuple[Segment, ...]
    proof: Proof | None


class WhisperCli(Struct, frozen=True, kw_only=True):
    """A `whisper-cli` and the model that it is to use, both by absolute path."""

    program: Path
    model: Path
    limits: WorkerLimits
    launcher: Launcher | None = None

    async def transcribe(
        self,
        recording: str,
        options: WhisperOptions,
        *,
        folder: WorkerFolder,
        report: Report,
    ) -> Transcript:
        """Return what is said in a recording.

        Raises:
            StepError: `whisper.cli-failed`, or as `run_program`.
            ModelUnavailable, RefusedByPolicy: as `run_program`.
        """
        written = folder.scratch / "transcript.json"
        written.unlink(missing_ok=True)
        argv = [str(self.program), "-m", str(self.model), "-f", recording, "-oj"]
        # -of takes a path without suffix; by default it is that of the recording.
        argv += ["-of", str(written.with_suffix("")), "-np", "-pp"]
        argv += options.arguments()

        def hear(line: str) -> None:
            found = _PROGRESS.search(line)
            if found is not None:
                report.progress(min(int(found[1]), 100), 100, "%")

        end = await run_program(
            argv,
            folder=folder,
            readable=tuple(
                filter(None, (recording, str(self.model), options.vad_model))
            ),
            limits=self.limits,
            launcher=self.launcher,
            on_line=hear,
        )
        segments = _segments(_read(written, end), end)
        return Transcript(segments=tuple(segments), proof=end.proof)


def _read(written: Path, end: ProgramEnd) -> JsonValue:
    """Return the JSON that whisper-cli wrote; its writer escapes only quotes."""
    try:
        data = read_beneath(
            written.parent, written.name, limit=_LARGEST, sole_link=True
        )
    except TooLargeError:
        raise _failed("its transcript is too long", end) from None
    except OSError:
        raise _failed("it wrote no transcript", end) from None
    try:
        return read_json(data.decode(errors="replace"), bare_controls=True)
    except ValueError:
        raise _failed("its transcript is not JSON", end) from None


def _segments(found: JsonValue, end: ProgramEnd) -> list[Segment]:
    transcription = found.get("transcription") if isinstance(found, dict) else None
    if not isinstance(transcription, list):
        raise _failed("its JSON holds no transcription", end)
    segments = []
    reached = 0.0
    for item in transcription:
        segment = _segment(item, reached)
        if segment is None:
            raise _failed("its JSON has an unknown shape", end)
        reached = segment.end
        if segment.text:
            segments.append(segment)
    return segments


def _segment(item: JsonValue, reached: float) -> Segment | None:
    """Read one segment, whose times are not before `reached`; None if it is none."""
    match item:
        case {
            "offsets": {"from": int(first), "to": int(last)},
            "text": str(text),
        }:
            start = max(reached, first / 1000)
            return Segment(start=start, end=max(start, last / 1000), text=text.strip())
        case _:
            return None


def _failed(why: str, end: ProgramEnd) -> StepError:
    how = f"exit code {end.code}" if end.code >= 0 else f"ended by signal {-end.code}"
    said = f"; it last wrote: {end.last_line}" if end.last_line else ""
    return StepError(
        "whisper.cli-failed",
        f"whisper-cli failed: {why} ({how}){said}",
        mend="run it by hand on the same recording, or leave `program` out",
    )
