# SPDX-License-Identifier: Apache-2.0
"""A model that is a `LocalModel` class in a worker process: embedded or the user's own."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import assert_never

from msgspec.structs import replace

from lao.backends.embedded_identity import embedded_digest
from lao.backends.file_identity import FileIdentity
from lao.backends.opening import open_model_file
from lao.errors import ModelUnavailable
from lao.files import mark_of
from lao.policy import Proof, WorkerLimits
from lao.workers.entry import split_entry
from lao.workers.pool import WorkerPool
from lao.workers.spec import WorkerSpec
from lao.workflow.inference import ModelDescription, ModelReply, ModelRequest, Report
from lao.workflow.local_models import Custom, Embedded


class InWorker:
    """A `Backend` whose model lives in a worker process of its own.

    State: what the model's file was when it was last used, and LAO's own digest.
    """

    def __init__(self, spec: WorkerSpec, pool: WorkerPool) -> None:
        """Find the file of a model that is not LAO's own."""
        self.spec = spec
        self.pool = pool
        self._digest = ""
        place, _ = split_entry(spec.entry)
        is_own = not place.startswith("/")
        self._file = None if is_own else FileIdentity(path=Path(place), check=_check)

    async def describe(self) -> ModelDescription:
        """Say what the model is, loading it if need be."""
        return await self.pool.describe(self._current())

    async def identify(self) -> str:
        """Name the sources: LAO's own cannot change while it runs."""
        if self._file is not None:
            source = await self._file.digest()
            if not self.spec.readable:
                return source
            rest = await asyncio.to_thread(_marks, self.spec.readable)
            return f"sha256:{sha256(f'{source} {rest}'.encode()).hexdigest()}"
        if not self._digest:
            module = split_entry(self.spec.entry)[0].rpartition(".")[2]
            self._digest = await asyncio.to_thread(embedded_digest, module)
        return self._digest

    async def infer(self, request: ModelRequest, report: Report) -> ModelReply:
        """Answer one request."""
        return await self.pool.infer(self._current(), request, report)

    def proof(self) -> Proof | None:
        """Return what the model's worker has proved of itself."""
        return self.pool.proof(self.spec)

    async def close(self) -> None:
        """End the worker."""
        await self.pool.release(self.spec)

    def _current(self) -> WorkerSpec:
        """Return the worker of what the file holds now; another one is on its way out."""
        if self._file is None:
            return self.spec
        now = " ".join((self._file.mark(), *_marks(self.spec.readable)))
        if self.spec.content != now:
            self.spec = replace(self.spec, content=now)
        return self.spec


def _marks(paths: Sequence[str]) -> list[str]:
    """Return what changes when one of these files does, or one in these folders."""
    found = []
    for path in map(Path, paths):
        for each in (path, *sorted(path.rglob("*"))):
            with suppress(OSError):
                found.append(f"{each} {mark_of(each.stat())}")
    return found


def _check(path: Path) -> None:
    """Complain if there is no such file."""
    with open_model_file(path):
        pass


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
        readable=model.readable,
        limits=limits,
    )
