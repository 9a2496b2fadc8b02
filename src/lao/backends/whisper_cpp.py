# SPDX-License-Identifier: Apache-2.0
"""Speech models of whisper.cpp, run in a worker process or by a `whisper-cli`."""

import asyncio
import time
from hashlib import sha256
from pathlib import Path

from msgspec.structs import replace

from lao.backends.file_identity import FileIdentity
from lao.backends.gguf import WhisperHeader, read_whisper_header
from lao.backends.model_files import digest_of
from lao.backends.packages import require_package
from lao.backends.recording_file import recording_of
from lao.backends.recordings import as_error, readable_recording
from lao.backends.subtitles import render, wanted_output
from lao.backends.whisper_cli import WhisperCli
from lao.backends.whisper_options import read_options
from lao.policy import Proof, WorkerLimits
from lao.workers.inbox import worker_folder
from lao.workers.pool import WorkerPool
from lao.workers.programs import require_program
from lao.workers.spec import WorkerSpec
from lao.workflow.inference import (
    ModelDescription,
    ModelProblem,
    ModelReply,
    ModelRequest,
    Report,
)
from lao.workflow.local_models import WhisperCpp


class WhisperCppBackend:
    """One whisper.cpp model file; a `lao.roles.Backend`.

    Takes the path of a recording, gives text, subtitles, or a list of segments
    (option `output`). `ffmpeg` reads what LAO cannot read alone.
    """

    def __init__(
        self,
        model: WhisperCpp,
        pool: WorkerPool,
        *,
        ffmpeg: Path | None = None,
        limits: WorkerLimits | None = None,
        cache_folder: Path | None = None,
    ) -> None:
        self._model = model
        self._path = Path(model.model_path).absolute()
        self._pool = pool
        self._ffmpeg = ffmpeg
        self._limits = limits or WorkerLimits()
        self._cache_folder = cache_folder
        self._identity = FileIdentity(
            path=self._path,
            check=_check if model.program is None else read_whisper_header,
            cache_folder=cache_folder,
        )
        self._cli = (
            None
            if model.program is None
            else WhisperCli(
                program=Path(model.program).absolute(),
                model=self._path,
                limits=self._limits,
                launcher=pool.launcher,
            )
        )
        self._program = (
            None
            if self._cli is None
            else FileIdentity(
                path=self._cli.program,
                check=require_program,
                cache_folder=cache_folder,
            )
        )
        self._header: tuple[str, WhisperHeader] | None = None
        self._used: dict[str, WorkerSpec] = {}
        self._proof: Proof | None = None

    async def describe(self) -> ModelDescription:
        """Say what the model is, without loading it."""
        header = await self._read_header()
        return ModelDescription(
            name=header.name,
            digest=await digest_of(self._path, self._cache_folder),
            made_by=f"whisper.cpp {header.name}",
            size=header.size,
            details={
                "multilingual": header.multilingual,
                "quantization": header.quantisation,
            },
        )

    async def identify(self) -> str:
        """Name the model's content, together with that of the program that runs it."""
        model = await self._identity.digest()
        if self._program is None:
            return model
        both = f"{model} {await self._program.digest()}"
        return f"sha256:{sha256(both.encode()).hexdigest()}"

    async def infer(self, request: ModelRequest, report: Report) -> ModelReply:
        """Transcribe one recording."""
        await self._read_header()  # complains before a process is started
        options = {**self._model.options, **request.options}
        try:
            vad_model = read_options(options).vad_model
            wanted_output(options)
            recording = recording_of(request)
        except ModelProblem as problem:
            raise as_error(problem) from problem
        async with readable_recording(
            recording,
            ffmpeg=self._ffmpeg,
            limits=self._limits,
            launcher=self._pool.launcher,
        ) as readable:
            request = replace(
                request, input=readable, files=(readable,), options=options
            )
            if self._cli is not None:
                return await self._run_program(self._cli, request, report)
            return await self._run_worker(vad_model, request, report)

    def proof(self) -> Proof | None:
        """Return what the process that transcribed last has proved of itself."""
        return self._proof

    async def close(self) -> None:
        """End the model's processes."""
        while self._used:
            _, spec = self._used.popitem()
            await self._pool.release(spec)

    async def _run_worker(
        self, vad_model: str, request: ModelRequest, report: Report
    ) -> ModelReply:
        spec = WorkerSpec(
            entry="lao.backends.whisper_worker:WhisperModel",
            config={"model_path": str(self._path)},
            readable=tuple(filter(None, (str(self._path), vad_model))),
            limits=self._limits,
            content=self._identity.mark(),
        )
        self._used[spec.key] = spec
        try:
            return await self._pool.infer(spec, request, report)
        finally:
            self._proof = self._pool.proof(spec)

    async def _run_program(
        self, cli: WhisperCli, request: ModelRequest, report: Report
    ) -> ModelReply:
        started = time.monotonic()
        output = wanted_output(request.options)
        with worker_folder() as folder:
            transcript = await cli.transcribe(
                recording_of(request),
                read_options(request.options),
                folder=folder,
                report=report,
            )
        self._proof = transcript.proof
        value = render(transcript.segments, output)
        if output == "text":
            report.text(str(value))
        return ModelReply(
            value=value,
            made_by=f"whisper-cli {(await self._read_header()).name}",
            seconds=time.monotonic() - started,
            notes=() if transcript.segments else ("no words were recognised",),
        )

    async def _read_header(self) -> WhisperHeader:
        mark = self._identity.mark()
        if self._header is None or self._header[0] != mark:
            header = await asyncio.to_thread(read_whisper_header, self._path)
            self._header = mark, header
        return self._header[1]


def _check(path: Path) -> None:
    """Complain if a model cannot be used in a worker process."""
    read_whisper_header(path)
    require_package("whisper.cpp")
