# SPDX-License-Identifier: Apache-2.0
"""Runs as the history keeps them: read whole, with the words that all commands use."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from lao.config import Settings
from lao.errors import UsageError
from lao.events import RunState
from lao.workflow.values import JsonValue, Value

if TYPE_CHECKING:
    from lao.store.opening import Store
    from lao.store.runs import RunOrder, RunRecord, Status

MARKS: Final[Mapping["Status", str]] = {
    "running": "…",
    "interrupted": "!",
    "done": "✓",
    "failed": "✗",
    "cancelled": "\N{EN DASH}",
}
RESUMABLE: Final = frozenset({"interrupted", "cancelled", "failed"})


class KeptRun(Struct, frozen=True, kw_only=True):
    """A run whole: its record, its facts folded, what it was given.

    `files` maps the path of an input file to the SHA-256 of its content then;
    `sequence` is the number of the last fact.
    """

    record: "RunRecord"
    state: RunState
    inputs: Mapping[str, Value]
    files: Mapping[str, str]
    order: "RunOrder | None"
    sequence: int = 0

    @property
    def pinned(self) -> Mapping[str, Value]:
        """The outputs that steps were given instead of being carried out."""
        held = None if self.order is None else self.order.flags.get("pinned")
        return held if isinstance(held, dict) else {}


def has_history(settings: Settings) -> bool:
    """Whether there may be runs: looking for them is not to make a store."""
    try:
        (settings.folders.data / "lao.db").lstat()
    except FileNotFoundError:
        return False
    except OSError:  # opening it says what is wrong
        return True
    return True


@contextmanager
def open_history(settings: Settings) -> Iterator["Store"]:
    """Open the store of the settings for as long as the block lasts.

    Raises:
        StoreError: there is something else in its place, or it cannot be read.
        UsageError: no run was ever kept.
    """
    # Not by way of `lao.runtime`, which brings the whole engine along.
    from lao.store.opening import open_store

    if not has_history(settings):
        raise UsageError(
            "run.unknown",
            "no runs are kept",
            mend="`lao run` and `lao chain` keep theirs, unless with --ephemeral",
        )
    with open_store(
        settings.folders.data,
        durability=settings.durability,
        cache_bytes=settings.cache_size,
    ) as store:
        yield store


def find_run(store: "Store", name: str) -> "RunRecord":
    """Return a run by its number, its id, or as `latest`.

    Raises:
        UsageError: there is none; says which one is the latest.
    """
    try:
        return store.runs.find(name)
    except UsageError as error:
        latest = next(store.runs.listed(limit=1), None)
        if error.code != "run.unknown" or latest is None:
            raise
        raise UsageError(
            error.code,
            error.problem.what,
            mend=f"the latest is {latest.name}; `lao runs` lists them",
        ) from error


def read_run(store: "Store", record: "RunRecord") -> KeptRun:
    """Return a run with everything that is known of it."""
    runs, state, sequence = store.runs, RunState(), 0
    for event in runs.each_event(record):
        state.apply(event)
        sequence = event.sequence
    return KeptRun(
        record=record,
        state=state,
        inputs=runs.inputs(record),
        files=runs.files(record),
        order=runs.order(record),
        sequence=sequence,
    )


def require_single(record: "RunRecord") -> "RunRecord":
    """Return a record unless it is a batch, which has items instead of steps.

    Raises:
        UsageError: it is a batch.
    """
    if record.kind == "batch":
        raise UsageError(
            "run.is-batch",
            f"run {record.name} is a batch, which has no steps of its own",
            mend=f"name one of its items, such as {record.name}.1",
        )
    return record


def status_words(status: "Status") -> str:
    """Return a status with its mark: `✓ done`."""
    return f"{MARKS[status]} {status}"


def seconds_of(record: "RunRecord") -> float | None:
    """Return how long a run took; None if it has not ended, or a clock jumped."""
    if record.ended is None:
        return None
    is_batch = record.kind == "batch"
    took = record.ended - record.started if is_batch else record.seconds
    return took if took >= 0 else None


def record_json(record: "RunRecord") -> dict[str, JsonValue]:
    """Return a run as it is listed; times in seconds since 1970."""
    return {
        "run": record.name,
        "kind": record.kind,
        "workflow": record.workflow,
        "source": record.source,
        "status": record.status,
        "started": record.started,
        "ended": record.ended,
        "seconds": seconds_of(record),
        "steps": record.steps,
        "steps_done": record.steps_done,
    }
