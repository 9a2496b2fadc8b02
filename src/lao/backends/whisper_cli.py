# SPDX-License-Identifier: Apache-2.0
"""Runs a `whisper-cli` of the user's own, and judges it by what it wrote.

Its exit code says nothing: 0 stands for unknown arguments, unknown languages and
undecodable audio too. So a transcript counts if a fresh JSON file has one.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from lao.backends.subtitles import Segment
from lao.backends.whisper_options import WhisperOptions
from lao.errors import StepError
from lao.policy import WorkerLimits
from lao.workers.programs import ProgramEnd, run_program
from lao.workflow.inference import Report
from lao.workflow.values import JsonValue

_LARGEST = 64 << 20  # bytes of JSON; a day of speech has a tenth of it
_PROGRESS = re.compile(r"progress\s*=\s*(\d{1,3})%", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class WhisperCli:
    """A `whisper-cli` and the model that it is to use, both by absolute path."""

    program: Path
    model: Path
    limits: WorkerLimits

    async def transcribe(
        self, recording: str, options: WhisperOptions, *, scratch: Path, report: Report
    ) -> list[Segment]:
        """Return what is said in a recording.

        Raises:
            StepError: `whisper.cli-failed`, or as `run_program`.
            ModelUnavailable: as `run_program`.
        """
        written = scratch / "transcript.json"
        written.unlink(missing_ok=True)
        argv = [str(self.program), "-m", str(self.model), "-f", recording, "-oj"]
        # -of takes a path without suffix; by default it is that of the recording.
        argv += ["-of", str(written.with_suffix("")), "-np", "-pp"]
        argv += options.arguments()

        def hear(line: str) -> None:
            found = _PROGRESS.search(line)
            if found is not None:
                report.progress(min(int(found[1]), 100), 100, "%")

        end = await run_program(argv, scratch=scratch, limits=self.limits, on_line=hear)
        return _segments(_read(written, end), end)


def _read(written: Path, end: ProgramEnd) -> JsonValue:
    """Return the JSON that whisper-cli wrote; its writer escapes only quotes."""
    if not written.is_file() or written.is_symlink():
        raise _failed("it wrote no transcript", end)
    with written.open("rb") as file:
        data = file.read(_LARGEST + 1)
    if len(data) > _LARGEST:
        raise _failed("its transcript is too long", end)
    try:
        found: JsonValue = json.loads(data.decode(errors="replace"), strict=False)
    except (ValueError, RecursionError):
        raise _failed("its transcript is not JSON", end) from None
    return found


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
