# SPDX-License-Identifier: Apache-2.0
"""The roles the engine sees. Each docstring is the contract; a suite runs it."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from msgspec import Struct

from lao.events import Event
from lao.policy import Proof
from lao.workflow.inference import ModelDescription, ModelReply, ModelRequest, Report
from lao.workflow.local_models import ModelBackend
from lao.workflow.values import Value


class Backend(Protocol):
    """One local model, ready to answer.

    `infer` may be cancelled at any time; the model has stopped within 1 s of it.
    Every complaint is a `LaoError`; nothing else escapes.
    """

    async def describe(self) -> ModelDescription:
        """Say what the model is; fails as `infer` would if it cannot be used."""
        ...

    async def identify(self) -> str:
        """Name the model's content ("sha256:…"). Cheap; loads nothing.

        Asked before each use of a kept result, so never from memory alone: a model
        may be exchanged under its name at any time.
        """
        ...

    async def infer(self, request: ModelRequest, report: Report) -> ModelReply:
        """Answer one request, telling pieces and progress on the way."""
        ...

    def proof(self) -> Proof | None:
        """Return what the worker that answers has proved of itself.

        None where no worker of LAO's does, or none is up.
        """
        ...

    async def close(self) -> None:
        """Let go of the model. Safe to call twice."""
        ...


BackendFactory = Callable[[ModelBackend], Backend]
"""Opens a backend. Cheap: loading happens at the first `infer` or `describe`."""


class EventSink(Protocol):
    """Takes every fact about a run, in order."""

    def __call__(self, event: Event, /) -> None:
        """Take one fact. Must not block."""
        ...


class RunStore(Protocol):
    """The journal of runs. A fact counts once `append` has returned."""

    async def append(self, event: Event) -> None:
        """Keep one fact."""
        ...

    async def events(self, run: str) -> tuple[Event, ...]:
        """Return the facts of one run, in order; empty if the run is unknown."""
        ...


class KnownResult(Struct, frozen=True, kw_only=True):
    """A result that was made before, and what made it."""

    value: Value
    made_by: str = ""


class ResultCache(Protocol):
    """Results by the digest of everything that can change them."""

    async def get(self, key: str) -> KnownResult | None:
        """Return the result with that key, or None."""
        ...

    async def put(self, key: str, result: KnownResult) -> None:
        """Keep a result; it is durable no later than the next fact of its run."""
        ...

    def claim(self, key: str) -> AbstractAsyncContextManager[None]:
        """Hold a key, which nobody else then does: in no process of this user."""
        ...


class Clock(Protocol):
    """The only source of time."""

    def now(self) -> float:
        """Return seconds since 1970 (may jump)."""
        ...

    def monotonic(self) -> float:
        """Return seconds since some fixed moment (never goes back)."""
        ...

    def sleep(self, seconds: float) -> Awaitable[None]:
        """Wait."""
        ...
