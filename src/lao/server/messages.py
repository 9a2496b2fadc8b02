# SPDX-License-Identifier: Apache-2.0
"""What the editor's page and its server tell each other of runs, and of the server."""

from typing import Literal

from lao.editor.messages import DocumentView, Json, Message, ProblemView
from lao.editor.palette_messages import ExampleView


class ErrorReply(Message, frozen=True, kw_only=True):
    """Why a request was refused. `document` is the newer version, where that is why."""

    problems: list[ProblemView]
    document: DocumentView | None = None


class SessionRequest(Message, frozen=True, kw_only=True):
    """The token of a one-time link."""

    link: str


class SessionReply(Message, frozen=True, kw_only=True):
    """The token that every request carries from now on.

    By `key` the page knows this server again: see `ProofRequest`.
    """

    token: str
    key: str


class ProofRequest(Message, frozen=True, kw_only=True):
    """A text that was never used before.

    Asked after a break: another user's program may have taken the port of a server
    that is gone, and must not be told what people write.
    """

    nonce: str


class ProofReply(Message, frozen=True, kw_only=True):
    """The HMAC-SHA256 of the nonce (in UTF-8) with the key, both in hexadecimal."""

    proof: str


class LinkReply(Message, frozen=True, kw_only=True):
    """The address of a one-time link, for another window."""

    link: str


class LocalityView(Message, frozen=True, kw_only=True):
    """What the kernel enforces of this server and of its workers.

    `layers` is what the server's own self-check read back. `attempts` counts what was
    reported as stopped since the start, `endpoints` the model servers in reach.
    """

    level: str
    name: str
    words: str
    is_enforced: bool
    layers: dict[str, Json] = {}
    endpoints: list[str] = []
    attempts: int = 0


class ServerView(Message, frozen=True, kw_only=True):
    """What the page is told at its start."""

    version: str
    folder: str
    locality: LocalityView
    is_kept: bool
    model: str = ""
    speech_model: str = ""
    examples: list[ExampleView] = []


# --- values


class MediaView(Message, frozen=True, kw_only=True):
    """A file in a value. `path` is relative to the folder; "" if it lies outside.

    `type` is its media type if a page may show or play it, "" otherwise.
    """

    name: str
    path: str = ""
    kind: Literal["audio", "image", "document", "file"] = "file"
    type: str = ""
    size: int | None = None


class ValueView(Message, frozen=True, kw_only=True):
    """A value, or its beginning: `size` in characters of its text or JSON.

    `text` holds texts; `data` JSON, where that is small; `files` every file in it.
    """

    kind: Literal["text", "json", "file", "none"]
    size: int = 0
    is_whole: bool = True
    text: str = ""
    data: Json = None
    files: list[MediaView] = []


class ValuePage(Message, frozen=True, kw_only=True):
    """A stretch of a long value's text from `offset`; `next` is None at its end."""

    text: str
    offset: int
    next: int | None = None


# --- runs

RunStatusWord = Literal["running", "done", "failed", "cancelled", "interrupted"]


class StepRunView(Message, frozen=True, kw_only=True):
    """What is known of one step of a run. `why` says why it failed or was skipped."""

    status: Literal["waiting", "running", "done", "failed", "skipped"] = "waiting"
    model: str = ""
    seconds: float = 0.0
    tokens_in: int | None = None
    tokens_out: int | None = None
    is_cached: bool = False
    attempts: int = 1
    retries: int = 0
    items: int | None = None
    items_done: int = 0
    progress: tuple[float, float, str] | None = None
    code: str = ""
    why: str = ""
    mend: str = ""
    notes: list[str] = []
    text: str = ""
    output: ValueView | None = None
    worker: str = ""


class RunSummary(Message, frozen=True, kw_only=True):
    """A run in a list. `name` is what people call it ("18").

    `paused_before` are the steps before which it stopped.
    """

    id: str
    name: str
    workflow: str
    status: RunStatusWord
    started: float
    seconds: float | None = None
    steps: int = 0
    done: int = 0
    paused_before: list[str] = []


class RunView(Message, frozen=True, kw_only=True):
    """A run with its steps. `sequence` is the number of the last fact in it."""

    summary: RunSummary
    sequence: int
    locality: str = ""
    level: str = ""
    layers: dict[str, Json] = {}
    inputs: dict[str, ValueView] = {}
    given: dict[str, Json] = {}
    steps: dict[str, StepRunView] = {}
    outputs: dict[str, ValueView] = {}
    violations: list[str] = []


class RunRequest(Message, frozen=True, kw_only=True):
    """Run a version of an open file. Inputs are text, JSON, or paths in the folder.

    `start` runs that step anew and what follows; `until` only that step and what it
    needs. `pause_before` stops before steps; `continues` goes on from such a run,
    where `edited` replaces the outputs of steps.
    """

    path: str
    version: int
    inputs: dict[str, Json] = {}
    start: str | None = None
    until: str | None = None
    refresh: list[str] = []
    no_cache: bool = False
    pause_before: list[str] = []
    continues: str | None = None
    edited: dict[str, Json] = {}


class RunReply(Message, frozen=True, kw_only=True):
    """The run that began."""

    run: str


class CancelRequest(Message, frozen=True, kw_only=True):
    """Stop a run."""

    run: str


class StepForecastView(Message, frozen=True, kw_only=True):
    """What would become of a step, and why."""

    status: Literal["cached", "will run", "blocked", "skipped", "pinned"]
    reason: str = ""
    changed: list[str] = []


class ForecastView(Message, frozen=True, kw_only=True):
    """What a run would do. `problems` say what stands in its way."""

    steps: dict[str, StepForecastView] = {}
    problems: list[ProblemView] = []


class PinRequest(Message, frozen=True, kw_only=True):
    """Use the output that a step had in a run until further notice; None to stop."""

    path: str
    step: str
    run: str | None = None


class PinsView(Message, frozen=True, kw_only=True):
    """The pins of a file: the run whose output each pinned step gives."""

    pins: dict[str, str] = {}


class ChangeView(Message, frozen=True, kw_only=True):
    """One difference: where, and both sides as people read them."""

    where: str
    before: str
    after: str


class StepComparisonView(Message, frozen=True, kw_only=True):
    """A step in two runs. `ingredients` names what went in and differs."""

    name: str
    is_same: bool
    ingredients: list[str] = []
    before: StepRunView | None = None
    after: StepRunView | None = None


class ComparisonView(Message, frozen=True, kw_only=True):
    """Two runs, side by side."""

    before: RunSummary
    after: RunSummary
    is_same: bool
    workflow: list[ChangeView] = []
    inputs: list[ChangeView] = []
    outputs: list[ChangeView] = []
    steps: list[StepComparisonView] = []


# --- events that the page follows


class RunMessage(Message, frozen=True, kw_only=True):
    """A fact of a run as `lao --events` tells it, its values as `ValueView`.

    Text that comes quickly is joined. `sequence` is where to go on after a break.
    """

    sequence: int
    time: float
    kind: str
    fact: dict[str, Json] = {}
    output: ValueView | None = None


class WorkspaceMessage(Message, frozen=True, kw_only=True):
    """Something that changed: a file's version, the folder, a run's beginning or end."""

    sequence: int
    kind: Literal["document", "folder", "run"]
    path: str = ""
    version: int = 0
    run: str = ""
    status: str = ""
