# SPDX-License-Identifier: Apache-2.0
"""What goes into a model and what comes out: the words every runtime shares.

Workers import this module before anything else, so it needs only the standard
library and stays small.
"""

from collections.abc import Mapping
from typing import Literal, Protocol

from msgspec import Struct, field

from lao.workflow.values import JsonValue, ValueType

Wanted = Literal["text", "json", "embedding"]


def wanted_for(output: ValueType) -> Wanted:
    """Return the sort of answer that gives an output of that type."""
    if output.kind == "embedding":
        return "embedding"
    if output.item is not None:
        return "embedding" if output.item.kind == "embedding" else "json"
    return "text" if output.kind == "text" else "json"


class ModelRequest(Struct, frozen=True, kw_only=True):
    """One inference.

    `prompt` and `system` are for language models, `input` is what the other models
    work on (text, JSON, or an absolute path), `files` are absolute paths of what
    the request refers to (a recording, images). `options` use Ollama's names where
    it has one. `schema` is a JSON Schema that the answer must fit.
    """

    prompt: str = ""
    system: str = ""
    input: JsonValue = None
    files: tuple[str, ...] = ()
    options: Mapping[str, JsonValue] = field(default_factory=dict)
    schema: Mapping[str, JsonValue] | None = None
    wants: Wanted = "text"


class ModelReply(Struct, frozen=True, kw_only=True):
    """What a model answered.

    `value` is text for `wants="text"`; JSON text or decoded JSON for "json"; a list
    of floats for "embedding". `made_by` says what made it, in words for a person.
    Token counts and seconds are None where the runtime does not tell.
    """

    value: JsonValue
    made_by: str
    tokens_in: int | None = None
    tokens_out: int | None = None
    seconds: float | None = None
    notes: tuple[str, ...] = ()


class ModelDescription(Struct, frozen=True, kw_only=True):
    """What a model is. `digest` names its content ("sha256:…"); sizes in bytes."""

    name: str
    digest: str = ""
    made_by: str = ""
    context_length: int | None = None
    size: int | None = None
    details: Mapping[str, JsonValue] = field(default_factory=dict)


class Report(Protocol):
    """How a model tells what it is doing while it does it."""

    @property
    def cancelled(self) -> bool:
        """Whether the caller no longer wants the answer; stop soon."""
        ...

    def text(self, piece: str) -> None:
        """Tell the next piece of the answer."""
        ...

    def progress(self, done: float, total: float, unit: str) -> None:
        """Tell how far it is, for example 31 of 124 "s" of audio."""
        ...


class LocalModel(Protocol):
    """A model that runs inside a worker process. One instance serves many requests."""

    def describe(self) -> ModelDescription:
        """Say what the model is. Called after `load`."""
        ...

    def load(self, options: Mapping[str, JsonValue]) -> None:
        """Make the model ready. Called once, before the first `infer`."""
        ...

    def infer(self, request: ModelRequest, report: Report) -> ModelReply:
        """Answer one request; look at `report.cancelled` now and then."""
        ...


class ModelProblem(Exception):
    """A model's own clear complaint; becomes the step's error.

    `code` is of the form `area.problem`. `unavailable` means the model or its
    runtime cannot be used at all (exit code 6 instead of 3).
    """

    def __init__(
        self, code: str, what: str, *, mend: str = "", unavailable: bool = False
    ) -> None:
        super().__init__(what)
        self.code = code
        self.what = what
        self.mend = mend
        self.unavailable = unavailable
