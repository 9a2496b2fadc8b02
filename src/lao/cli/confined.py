# SPDX-License-Identifier: Apache-2.0
"""Locks the process of a command before it works: what it may reach is known by then."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, assert_never

from lao.config import Settings
from lao.policy import LoopbackEndpoint
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
    from lao.isolation.confinement import Confinement


@contextmanager
def confined(
    settings: Settings, models: Iterable[ModelBackend], *, asks_server: bool = False
) -> Iterator["Confinement"]:
    """Lock this process for good; it reaches only what `models` need.

    With `asks_server` that includes the configured model server.

    Call it from the only thread, before asyncio starts. The helpers that it leaves
    outside of the lock (one connects, one starts workers) end with the block.

    Raises:
        RefusedByPolicy: the kernel can lock nothing here (`isolation.none`).
        LaoError: a lock that the kernel has did not hold.
    """
    from lao.isolation.confinement import confine

    models = tuple(models)
    endpoints = _endpoints(settings, models)
    if asks_server:
        endpoints = tuple(dict.fromkeys((settings.endpoint, *endpoints)))
    with confine(
        endpoints=endpoints,
        programs=_programs(models),
        accept_none=settings.accept_no_isolation,
    ) as confinement:
        yield confinement


def _endpoints(
    settings: Settings, models: Iterable[ModelBackend]
) -> tuple[LoopbackEndpoint, ...]:
    found = [
        each.endpoint or settings.endpoint
        for each in models
        if isinstance(each, Ollama)
    ]
    return tuple(dict.fromkeys(found))


def _programs(models: Iterable[ModelBackend]) -> tuple[str, ...]:
    """Return the programs that models need: whisper-cli, and ffmpeg for recordings."""
    from lao.backends.recordings import find_ffmpeg

    found: dict[str, None] = {}
    for model in models:
        match model:
            case WhisperCpp(program=str(program)):
                found[program] = None
            case WhisperCpp() | Embedded(name="speech"):
                pass
            case Ollama() | LlamaCpp() | Embedded() | Custom() | Installed():
                continue
            case _:
                assert_never(model)
        if ffmpeg := find_ffmpeg():
            found[str(ffmpeg)] = None
    return tuple(found)
