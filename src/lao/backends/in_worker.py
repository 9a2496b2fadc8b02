# SPDX-License-Identifier: Apache-2.0
"""A model that is a `LocalModel` class in a worker process: embedded or the user's own."""

from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

from lao.backends.opening import open_model_file
from lao.errors import ModelUnavailable
from lao.policy import WorkerLimits
from lao.workers.pool import WorkerPool
from lao.workers.spec import WorkerSpec
from lao.workflow.inference import ModelDescription, ModelReply, ModelRequest, Report
from lao.workflow.local_models import Custom, Embedded


@dataclass(frozen=True, slots=True)
class InWorker:
    """A `Backend` whose model lives in a worker process of its own."""

    spec: WorkerSpec
    pool: WorkerPool

    async def describe(self) -> ModelDescription:
        """Say what the model is, loading it if need be."""
        return await self.pool.describe(self.spec)

    async def infer(self, request: ModelRequest, report: Report) -> ModelReply:
        """Answer one request."""
        return await self.pool.infer(self.spec, request, report)

    async def close(self) -> None:
        """End the worker."""
        await self.pool.release(self.spec)


def embedded_spec(model: Embedded, limits: WorkerLimits) -> WorkerSpec:
    """Return the worker of an embedded model."""
    match model.name:
        case "speech":
            entry = "lao.backends.embedded.speech:SpeechModel"
        case "summary":
            entry = "lao.backends.embedded.summary:Summary"
        case "entities":
            entry = "lao.backends.embedded.entities:Entities"
        case "redact":
            entry = "lao.backends.embedded.redact:Redact"
        case _:
            assert_never(model.name)
    return WorkerSpec(entry=entry, limits=limits)


def custom_spec(model: Custom, limits: WorkerLimits) -> WorkerSpec:
    """Return the worker of a custom model, whose options go to its `load`.

    Raises:
        ModelUnavailable: there is no such file.
    """
    path, _, name = model.plugin.partition(".py:")
    whole = f"{path}.py" if name else path
    try:
        with open_model_file(Path(whole)):
            pass
    except ModelUnavailable as error:
        raise ModelUnavailable(
            error.code,
            f"the custom model {whole!r} cannot be used: {error.problem.what}",
            mend="give the path of a Python file: custom:path/to/model.py",
        ) from error
    return WorkerSpec(
        entry=model.plugin,
        config=dict(model.options),
        readable=(whole,),
        limits=limits,
    )
