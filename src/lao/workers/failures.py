# SPDX-License-Identifier: Apache-2.0
"""How a worker fails, in words for a person: codes, what to do, its last lines."""

import re
import signal
import tempfile
from collections import deque
from collections.abc import Mapping

from msgspec import Struct

from lao.errors import (
    LaoError,
    ModelUnavailable,
    RefusedByPolicy,
    StepError,
)
from lao.workflow.values import JsonValue

KEPT_BYTES = 8192
_SHOWN_LINES = 3
_SHOWN_WORDS = 2000
_CODE = re.compile(r"[a-z][a-z0-9-]{0,40}\.[a-z][a-z0-9-]{0,60}", re.ASCII)
_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|.)?")
_CRASHED = "try again; if it happens each time, the model may be damaged or too large"
_LOCK_FAILED = (112, 113)  # exit codes of boot: a layer, the self-check
_EXTRAS = {
    "pocketsphinx": "speech-lite",
    "soundfile": "speech-lite",
    "numpy": "speech-lite",
    "pywhispercpp": "whisper",
    "xllamacpp": "llama",
}


class Failure(Struct, frozen=True, kw_only=True):
    """Why requests failed; one value makes a fresh error for each of them."""

    code: str
    what: str
    mend: str = ""
    unavailable: bool = False
    retryable: bool = False
    refused: bool = False

    def error(self) -> LaoError:
        """Return the error that a caller gets."""
        if self.refused:
            return RefusedByPolicy(self.code, self.what, mend=self.mend)
        kind = ModelUnavailable if self.unavailable else StepError
        return kind(self.code, self.what, mend=self.mend, retryable=self.retryable)


class LastWords:
    """The end of what a worker printed: a ring of bytes, shown cleaned."""

    def __init__(self) -> None:
        self._parts: deque[bytes] = deque()
        self._size = 0

    def add(self, data: bytes) -> None:
        """Keep `data`, forgetting the oldest past the bound."""
        self._parts.append(data[-KEPT_BYTES:])
        self._size += len(self._parts[-1])
        while self._size - len(self._parts[0]) >= KEPT_BYTES:
            self._size -= len(self._parts.popleft())

    def __str__(self) -> str:
        """Return the last lines, or nothing; with a lead-in to end a sentence."""
        text = b"".join(self._parts)[-KEPT_BYTES:].decode(errors="replace")
        lines = [line for line in map(clean, text.splitlines()) if line.strip()]
        if not lines:
            return ""
        return "; it last wrote: " + " / ".join(lines[-_SHOWN_LINES:])


def clean(text: str) -> str:
    """Return text without escape sequences, control or direction characters."""
    plain = _ESCAPE.sub("", text[: _SHOWN_WORDS * 2])
    kept = "".join(c if c.isprintable() else " " for c in plain)
    return kept.strip()[:_SHOWN_WORDS]


def crashed(returncode: int | None, last_words: LastWords) -> Failure:
    """The process ended, or closed its pipe, without being asked to."""
    if is_lock_failure(returncode, str(last_words)):
        return lock_failed(str(last_words))
    what = f"the model's worker process {_how(returncode)}{last_words}"
    return Failure(code="worker.crashed", what=what, mend=_CRASHED, retryable=True)


def lost_with_its_worker() -> Failure:
    """Another request ended the worker that also held this one."""
    what = "the model's worker process was ended because of another request"
    return Failure(code="worker.crashed", what=what, mend=_CRASHED, retryable=True)


def bad_frame(why: str, last_words: LastWords) -> Failure:
    """The worker broke the protocol."""
    what = f"the model's worker process broke the protocol: {clean(why)}{last_words}"
    mend = "if this is a model of yours, it must not touch the pipes it inherits"
    return Failure(code="worker.bad-frame", what=what, mend=mend, retryable=True)


def flood(limit: int) -> Failure:
    """One request got more of an answer than it may."""
    what = f"the model answered more than {limit} bytes to one request"
    mend = "make the model stop sooner"
    return Failure(code="worker.flood", what=what, mend=mend)


def not_sendable(why: str) -> Failure:
    """The request itself cannot go to a worker."""
    what = f"the request cannot be sent to the model: {clean(why)}"
    return Failure(code="worker.bad-request", what=what)


def out_of_memory(what: str) -> Failure:
    """The model needs more memory than there is, or than it may have."""
    mend = "use a smaller model or input, or raise LAO_WORKER_MEMORY"
    return Failure(code="worker.out-of-memory", what=clean(what), mend=mend)


def scratch_too_large() -> Failure:
    """The model filled its scratch directory."""
    what = "the model wrote more into its scratch directory than it may"
    mend = "make the model write less"
    return Failure(code="worker.scratch-full", what=what, mend=mend)


def disk_is_filling_up() -> Failure:
    """While it ran the disk lost more room than the model may use, and is nearly full."""
    what = "the disk of the model's scratch directory was nearly full, and it was ended"
    mend = f"make room in {tempfile.gettempdir()}, or have the model write less"
    return Failure(code="worker.scratch-full", what=what, mend=mend)


def ignored_cancel(seconds: float) -> Failure:
    """The model went on after it was told to stop."""
    what = f"the model did not stop within {seconds:g} s of being cancelled"
    return Failure(code="worker.ignored-cancel", what=what, retryable=True)


def closed() -> Failure:
    """The pool let go of the worker."""
    what = "the model's worker process was closed"
    return Failure(code="worker.closed", what=what, retryable=True)


def too_many_threads(limit: int) -> Failure:
    """The model started thread after thread."""
    what = f"the model has more than {limit} threads"
    mend = "have it use fewer; one for each processor is enough"
    return Failure(code="worker.too-many-threads", what=what, mend=mend)


def not_started(error: LaoError) -> Failure:
    """What starts workers refused, or is gone."""
    problem = error.problem
    return Failure(
        code=problem.code,
        what=problem.what,
        mend=problem.mend,
        unavailable=isinstance(error, ModelUnavailable),
        refused=isinstance(error, RefusedByPolicy),
    )


def is_lock_failure(returncode: int | None, last_words: str) -> bool:
    """Whether a process ended because boot could not lock it."""
    return returncode in _LOCK_FAILED and "lao-boot:" in last_words


def lock_failed(last_words: str) -> Failure:
    """The worker could not be locked, found that out itself, and ended."""
    what = f"the model's worker process could not be locked, so it ended{last_words}"
    mend = "`lao verify` tells which layers work here"
    return Failure(code="isolation.lock-failed", what=what, mend=mend, refused=True)


def start_failed(why: str, *, mend: str = "") -> Failure:
    """The worker never got as far as its first word."""
    what = f"the model's worker process did not start: {clean(why)}"
    return Failure(code="worker.start-failed", what=what, mend=mend, unavailable=True)


def as_start_failure(failure: Failure) -> Failure:
    """A worker that crashed, or whose model raised, before its hello did not start."""
    if failure.code not in {"worker.crashed", "worker.model-error"}:
        return failure
    return start_failed(failure.what, mend=failure.mend)


def told(
    header: Mapping[str, JsonValue], copies: Mapping[str, str] | None = None
) -> Failure:
    """Read an error frame. Its words come from a model: they are cleaned.

    Where they name one of `copies` they get the path that the user knows.
    """
    code = str(header.get("code"))
    what, mend = str(header.get("what", "")), str(header.get("mend", ""))
    for path, copy in (copies or {}).items():
        what, mend = what.replace(copy, path), mend.replace(copy, path)
    what, mend = clean(what) or "the model gave no reason", clean(mend)
    if code == "worker.out-of-memory":
        return out_of_memory(what)
    missing = header.get("missing")
    if isinstance(missing, str):
        return start_failed(what, mend=_how_to_install(missing))
    if not _CODE.fullmatch(code):
        code = "worker.model-error"
    if code == "worker.model-error":
        mend = mend or "this is an error in the model's own code; is its file whole?"
    unavailable = header.get("unavailable") is True
    return Failure(code=code, what=what, mend=mend, unavailable=unavailable)


def _how_to_install(module: str) -> str:
    extra = _EXTRAS.get(module.partition(".")[0])
    if extra is None:
        return "install what the model imports where LAO is installed"
    return f"pip install 'lao-orchestrator[{extra}]'"


def _how(returncode: int | None) -> str:
    if returncode is None:
        return "closed its pipe"
    if returncode >= 0:
        return f"ended with exit code {returncode}"
    try:
        return f"was ended by {signal.Signals(-returncode).name}"
    except ValueError:
        return f"was ended by signal {-returncode}"
