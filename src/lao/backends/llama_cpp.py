# SPDX-License-Identifier: Apache-2.0
"""Language models in GGUF files, run by llama.cpp in worker processes."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from msgspec.structs import replace

from lao.backends.file_identity import FileIdentity
from lao.backends.gguf import read_gguf_header
from lao.backends.llama_options import LOAD_OPTIONS
from lao.backends.model_files import digest_of, model_parts, model_size
from lao.backends.packages import require_package
from lao.errors import SchemaMismatch, StepError
from lao.policy import Proof, WorkerLimits
from lao.workers.pool import WorkerPool
from lao.workers.spec import WorkerSpec
from lao.workflow.inference import ModelDescription, ModelReply, ModelRequest, Report
from lao.workflow.local_models import LlamaCpp
from lao.workflow.values import JsonValue


class LlamaCppBackend:
    """One GGUF file; a `lao.roles.Backend`.

    The model stays loaded between requests, once for each set of load options (such
    as `num_ctx`) that they ask for. It serves `parallel` requests at a time, each
    with a whole context of its own.
    """

    def __init__(
        self,
        model: LlamaCpp,
        pool: WorkerPool,
        *,
        parallel: int = 1,
        limits: WorkerLimits | None = None,
        cache_folder: Path | None = None,
    ) -> None:
        self._model = model
        self._path = Path(model.model_path).absolute()
        self._pool = pool
        self._parallel = parallel
        self._limits = limits or WorkerLimits()
        self._cache_folder = cache_folder
        self._identity = FileIdentity(
            path=self._path, check=_check, cache_folder=cache_folder
        )
        self._used: dict[str, WorkerSpec] = {}

    async def describe(self) -> ModelDescription:
        """Say what the model is, without loading it."""
        header = await asyncio.to_thread(read_gguf_header, self._path)
        size = await asyncio.to_thread(model_size, self._path)
        digest = await digest_of(self._path, self._cache_folder)
        return ModelDescription(
            name=header.name,
            digest=digest,
            made_by=f"llama.cpp {header.name}",
            context_length=header.context_length,
            size=size,
            details={
                "architecture": header.architecture,
                "embedding": header.embedding,
                "parameters": header.parameters,
                "quantization": header.quantisation,
                "vocabulary_size": header.vocabulary_size,
            },
        )

    async def identify(self) -> str:
        """Name the model's content."""
        return await self._identity.digest()

    async def infer(self, request: ModelRequest, report: Report) -> ModelReply:
        """Answer one request, telling pieces and progress on the way."""
        options = {**self._model.options, **request.options}
        spec = self._spec(options)
        if spec.key not in self._used:  # complain before a process is started
            await asyncio.to_thread(read_gguf_header, self._path)
            self._used[spec.key] = spec
        chosen = {k: v for k, v in options.items() if k not in LOAD_OPTIONS}
        asked = replace(request, options=chosen)
        try:
            return await self._pool.infer(spec, asked, report)
        except StepError as error:
            if request.schema is None or error.code != "llama.bad-request":
                raise
            raise SchemaMismatch(
                "output.impossible-schema",
                f"the model cannot answer by the step's schema: {error.problem.what}",
                mend="look for a schema that nothing fits, such as minimum > maximum",
            ) from error

    def proof(self) -> Proof | None:
        """Return what a process of the model has proved of itself."""
        found = map(self._pool.proof, self._used.values())
        return next(filter(None, found), None)

    async def close(self) -> None:
        """End the model's processes."""
        while self._used:
            _, spec = self._used.popitem()
            await self._pool.release(spec)

    def _spec(self, options: Mapping[str, JsonValue]) -> WorkerSpec:
        config: dict[str, JsonValue] = {
            "model_path": str(self._path),
            "parallel": self._parallel,
        }
        return WorkerSpec(
            entry="lao.backends.llama_worker:LlamaModel",
            config=config | {k: v for k, v in options.items() if k in LOAD_OPTIONS},
            readable=tuple(map(str, model_parts(self._path))),
            limits=self._limits,
            profile="serves-unix",
            parallel=self._parallel,
            content=self._identity.mark(),
        )


def _check(path: Path) -> None:
    """Complain if a model cannot be used."""
    read_gguf_header(path, brief=True)
    require_package("llama.cpp")
