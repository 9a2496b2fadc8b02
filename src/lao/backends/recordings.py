# SPDX-License-Identifier: Apache-2.0
"""Makes recordings readable for workers: what LAO cannot decode, ffmpeg converts.

Runs in the orchestrator, because workers start no programs. ffmpeg is told the
format that the content shows, and may open nothing but the one file: otherwise a
playlist that calls itself a recording could name other files, or addresses.
"""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from msgspec.structs import replace

from lao.backends.recording_file import open_recording_file, recording_of
from lao.errors import LaoError, ModelUnavailable, StepError
from lao.files import open_beneath
from lao.isolation.launching import Launcher
from lao.policy import Proof, WorkerLimits
from lao.roles import Backend
from lao.workers.inbox import worker_folder
from lao.workers.programs import ProgramEnd, run_program
from lao.workflow.inference import (
    ModelDescription,
    ModelProblem,
    ModelReply,
    ModelRequest,
    Report,
)

_FOLDERS = "/usr/bin:/usr/local/bin:/opt/homebrew/bin:/bin"
_FILE_SIZE_SIGNAL = -25  # SIGXFSZ
_LARGEST_COPY = 4 << 30  # a WAV file's sizes have 32 bits


def find_ffmpeg() -> Path | None:
    """Return the ffmpeg of this machine, if it has one in a usual place."""
    found = shutil.which("ffmpeg", path=_FOLDERS)
    return None if found is None else Path(found)


def as_error(problem: ModelProblem) -> LaoError:
    """Return a model's complaint as the error that a step reports."""
    kind = ModelUnavailable if problem.unavailable else StepError
    return kind(problem.code, problem.what, mend=problem.mend)


@asynccontextmanager
async def readable_recording(
    path: str,
    *,
    ffmpeg: Path | None,
    limits: WorkerLimits | None = None,
    scratch_parent: Path | None = None,
    launcher: Launcher | None = None,
) -> AsyncIterator[str]:
    """Give the path of a recording that workers can read: `path`, or a converted copy.

    The copy is gone at the end of the block.

    Raises:
        StepError: the recording cannot be used; codes as `open_recording_file`, and
            `audio.needs-ffmpeg`, `.no-sound`, `.damaged`, `.too-long`.
    """
    try:
        with open_recording_file(path) as (_, found):
            pass
    except ModelProblem as problem:
        raise as_error(problem) from problem
    if found.demuxer is None:
        yield path
        return
    if ffmpeg is None:
        raise _needs_ffmpeg(path, found.name)
    with worker_folder(scratch_parent) as folder:
        copy = folder.scratch / "recording.wav"
        argv = _arguments(ffmpeg, demuxer=found.demuxer, source=path, target=copy)
        end = await run_program(
            argv, folder=folder, readable=(path,), limits=limits, launcher=launcher
        )
        _require_copy(path, copy, end)
        yield str(copy)


class WithRecordings:
    """A `Backend` in front of another, which gets only recordings it can read."""

    def __init__(
        self,
        inner: Backend,
        *,
        ffmpeg: Path | None = None,
        launcher: Launcher | None = None,
    ) -> None:
        self._inner = inner
        self._ffmpeg = ffmpeg
        self._launcher = launcher

    async def describe(self) -> ModelDescription:
        """Say what the model is."""
        return await self._inner.describe()

    async def identify(self) -> str:
        """Name the model's content."""
        return await self._inner.identify()

    async def infer(self, request: ModelRequest, report: Report) -> ModelReply:
        """Answer one request about a recording."""
        try:
            path = recording_of(request)
        except ModelProblem as problem:
            raise as_error(problem) from problem
        async with readable_recording(
            path, ffmpeg=self._ffmpeg, launcher=self._launcher
        ) as readable:
            request = replace(request, input=readable, files=(readable,))
            return await self._inner.infer(request, report)

    def proof(self) -> Proof | None:
        """Return what the worker that answers has proved of itself."""
        return self._inner.proof()

    async def close(self) -> None:
        """Let go of the model."""
        await self._inner.close()


def _arguments(ffmpeg: Path, *, demuxer: str, source: str, target: Path) -> list[str]:
    """Return the arguments: one input, its first sound, as 16 kHz mono WAV."""
    before = ["-nostdin", "-hide_banner", "-loglevel", "error"]
    reading = [
        "-protocol_whitelist",
        "file,pipe",
        "-f",
        demuxer,
        "-i",
        f"file:{source}",
    ]
    writing = ["-map", "0:a:0", "-ac", "1", "-ar", "16000", "-c:a", "pcm_s16le"]
    return [str(ffmpeg), *before, *reading, *writing, "-f", "wav", f"file:{target}"]


def _require_copy(path: str, copy: Path, end: ProgramEnd) -> None:
    """Raise what went wrong. A copy with some sound is used, whatever ffmpeg says."""
    if end.code == _FILE_SIZE_SIGNAL or "File too large" in " ".join(end.lines):
        raise StepError(
            "audio.too-long",
            f"the recording {path!r} is too long to be converted",
            mend="cut it into parts",
        )
    if any("matches no streams" in line for line in end.lines):
        raise StepError(
            "audio.no-sound",
            f"the recording {path!r} holds no sound",
            mend="choose a file with a sound track",
        )
    if not _has_content(copy):
        said = f": {end.last_line}" if end.last_line else ""
        raise StepError(
            "audio.damaged",
            f"ffmpeg cannot decode the recording {path!r}{said}",
            mend="copy or export it again",
        )


def _has_content(copy: Path) -> bool:
    try:
        with open_beneath(
            copy.parent, copy.name, limit=_LARGEST_COPY, sole_link=True
        ) as file:
            return bool(file.read(1))
    except OSError:
        return False


def _needs_ffmpeg(path: str, name: str) -> StepError:
    return StepError(
        "audio.needs-ffmpeg",
        f"the recording {path!r} is {name}, which LAO reads with the help of ffmpeg, "
        "and there is no ffmpeg on this machine",
        mend="install ffmpeg, or convert the recording to wav, flac, mp3 or ogg",
    )
