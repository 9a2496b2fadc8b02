# SPDX-License-Identifier: Apache-2.0
"""Opens models: the only place that knows which class answers for which kind."""

import os
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Self, assert_never

from lao.config import Settings
from lao.policy import LoopbackEndpoint, WorkerLimits
from lao.roles import Backend
from lao.workflow.local_models import (
    Custom,
    Embedded,
    Installed,
    LlamaCpp,
    ModelBackend,
    Ollama,
    WhisperCpp,
)

if TYPE_CHECKING:
    from lao.backends.loopback import LoopbackClient
    from lao.isolation.confinement import Confinement
    from lao.workers.pool import WorkerPool


class Backends:
    """Opens each model once, and closes them all. Used as `async with`.

    `confinement` starts the workers and connects to model servers: without one, this
    process does both itself.
    """

    def __init__(
        self, settings: Settings, confinement: "Confinement | None" = None
    ) -> None:
        self._settings = settings
        self._confinement = confinement
        self._limits = worker_limits(settings)
        self._cache = None if settings.ephemeral else settings.folders.cache
        self._open: dict[str, Backend] = {}
        self._known: dict[int, tuple[ModelBackend, Backend]] = {}
        self._clients: dict[LoopbackEndpoint, LoopbackClient] = {}
        self._pool: WorkerPool | None = None
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Open nothing yet: models load when they are asked."""
        from lao.workers.pool import WorkerPool

        pool = WorkerPool(launcher=self.confinement.launcher)
        self._pool = await self._stack.enter_async_context(pool)
        return self

    async def __aexit__(self, *failure: object) -> None:
        """Close every model, whatever happened."""
        self._open.clear()
        self._known.clear()
        for client in self._clients.values():
            await client.close()
        await self._stack.aclose()

    def __call__(self, model: ModelBackend) -> Backend:
        """Return the backend of a model: the same one for the same model."""
        known = self._known.get(id(model))
        if known is None:
            key = repr(model)
            if key not in self._open:
                self._open[key] = self._backend(model)
            # With the model itself, so that its id stays its own.
            known = self._known[id(model)] = model, self._open[key]
        return known[1]

    @property
    def confinement(self) -> "Confinement":
        """What starts the workers and connects to model servers."""
        if self._confinement is None:
            from lao.isolation.confinement import unconfined

            accept_none = self._settings.accept_no_isolation
            self._confinement = unconfined(accept_none=accept_none)
        return self._confinement

    def client(self, endpoint: LoopbackEndpoint | None) -> "LoopbackClient":
        """Return the HTTP client of an endpoint."""
        where = endpoint or self._settings.endpoint
        if where not in self._clients:
            self._clients[where] = client_of(where, self.confinement)
        return self._clients[where]

    def _backend(self, model: ModelBackend) -> Backend:
        pool, settings, limits = self._pool, self._settings, self._limits
        assert pool is not None, "use `async with Backends(…)`"  # noqa: S101
        match model:
            case Ollama():
                from lao.backends.ollama import OllamaBackend

                return OllamaBackend(
                    model,
                    self.client(model.endpoint),
                    require_no_cloud=settings.require_no_cloud,
                )
            case LlamaCpp():
                from lao.backends.llama_cpp import LlamaCppBackend

                return LlamaCppBackend(
                    model,
                    pool,
                    parallel=settings.per_model,
                    limits=limits,
                    cache_folder=self._cache,
                )
            case WhisperCpp():
                from lao.backends.recordings import find_ffmpeg
                from lao.backends.whisper_cpp import WhisperCppBackend

                return WhisperCppBackend(
                    model,
                    pool,
                    ffmpeg=find_ffmpeg(),
                    limits=limits,
                    cache_folder=self._cache,
                )
            case Embedded():
                return _embedded(model, pool, limits)
            case Custom():
                from lao.backends.in_worker import (
                    InWorker,
                    custom_spec,
                )

                return InWorker(custom_spec(model, limits), pool)
            case Installed():
                return self._plugin(model, pool)
            case _:
                assert_never(model)

    def _plugin(self, model: Installed, pool: "WorkerPool") -> Backend:
        from lao.plugins.backend import PluginBackend, require_isolation

        settings = self._settings
        require_isolation(
            model.name,
            self.confinement.launcher.machine.level,
            accept_none=settings.accept_no_isolation,
        )
        return PluginBackend(
            model=model, data=settings.folders.data, pool=pool, limits=self._limits
        )


def _embedded(model: Embedded, pool: "WorkerPool", limits: WorkerLimits) -> Backend:
    from lao.backends.in_worker import InWorker, embedded_spec

    backend = InWorker(embedded_spec(model, limits), pool)
    if model.name != "speech":
        return backend
    from lao.backends.recordings import WithRecordings, find_ffmpeg

    return WithRecordings(backend, ffmpeg=find_ffmpeg(), launcher=pool.launcher)


def client_of(
    endpoint: LoopbackEndpoint, confinement: "Confinement"
) -> "LoopbackClient":
    """Return an HTTP client that connects as this process may."""
    from lao.backends.loopback import LoopbackClient

    if confinement.connect is None:
        return LoopbackClient(endpoint)
    return LoopbackClient(endpoint, connect=confinement.connect)


def worker_limits(settings: Settings) -> WorkerLimits:
    """Return what each worker may use: without a setting, 90 % of the memory.

    A model may well need most of a machine; what runs away must not take all of it.
    """
    memory = settings.worker_memory
    if memory is None and hasattr(os, "sysconf"):
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * 9 // 10
    return WorkerLimits(memory=memory)
