# SPDX-License-Identifier: Apache-2.0
"""`lao runs`: the list of runs, latest first; ten thousand of them at once."""

import json
import time
from collections.abc import Callable, Iterable, Mapping, Set as AbstractSet
from typing import TYPE_CHECKING, TypeAlias, TypedDict

from msgspec import Struct

from lao.cli.moments import DayWords
from lao.cli.run_words import one_line, seconds_words
from lao.cli.tables import width_of
from lao.cli.terminal import write_answer, write_note
from lao.config import Settings
from lao.history.kept_runs import (
    MARKS,
    has_history,
    open_history,
    record_json,
    seconds_of,
    status_words,
)

if TYPE_CHECKING:
    from lao.store.opening import Store
    from lao.store.runs import RunRecord, Status

CountsOf: TypeAlias = "Callable[[RunRecord], Mapping[Status, int] | None]"
"""How many items of each status a batch has; None for what is no batch."""

_WIDEST_NAME = 24


class Filters(TypedDict):
    """What the store is asked for."""

    workflow: str | None
    status: "Status | None"
    since: float | None
    until: float | None


class Wanted(Struct, frozen=True, kw_only=True):
    """Which runs are listed; moments in seconds since 1970. No `limit` means all."""

    workflow: str | None = None
    status: "Status | None" = None
    since: float | None = None
    until: float | None = None
    limit: int | None = None

    @property
    def is_everything(self) -> bool:
        """Whether no run is left out for what it is."""
        return (self.workflow, self.status, self.since, self.until) == (None,) * 4


def list_runs(settings: Settings, wanted: Wanted, *, as_json: bool, quiet: bool) -> int:
    """Print the runs; that there are none is no failure."""
    lines: list[str] = []
    left = 0
    if has_history(settings):
        with open_history(settings) as store:
            lines, left = _listed(store, wanted, as_json=as_json)
    if as_json:
        write_answer("[\n" + ",\n".join(lines) + "\n]\n" if lines else "[]\n")
    elif lines:
        write_answer("\n".join(lines) + "\n")
    if not quiet and not lines:
        any_at_all = wanted.is_everything
        write_note("no runs are kept yet" if any_at_all else "no run is like that")
    elif not quiet and left:
        write_note(f"… and {left:,} more (--all lists them)")
    return 0


def _listed(store: "Store", wanted: Wanted, *, as_json: bool) -> tuple[list[str], int]:
    """Return a line for each run (below a header unless JSON), and how many are left."""
    filters: Filters = {
        "workflow": wanted.workflow,
        "status": wanted.status,
        "since": wanted.since,
        "until": wanted.until,
    }
    records = store.runs.listed(**filters, limit=wanted.limit)
    counts = counts_in(store)
    if as_json:
        lines = run_lines(records, counts)
    else:
        lines = run_table(records, counts, now=time.time())
    found = len(lines) - (not as_json)
    if wanted.limit is None or found < wanted.limit:
        return lines, 0
    return lines, store.runs.count(**filters) - found


def counts_in(store: "Store") -> CountsOf:
    """Return what tells the items of a batch, and nothing of other runs."""
    return lambda record: (
        store.runs.item_counts(record.row) if record.kind == "batch" else None
    )


def run_lines(records: Iterable["RunRecord"], counts: CountsOf) -> list[str]:
    """Return each run as JSON."""
    write = json.JSONEncoder(ensure_ascii=False).encode
    lines: list[str] = []
    for record in records:
        told = record_json(record)
        items = counts(record)
        if items is not None:
            told["items"] = {str(status): n for status, n in items.items()}
        lines.append(write(told))
    return lines


# -- the table ------------------------------------------------------------------
# Not by `tables.table`, which looks at every character of every cell: ten thousand
# runs have few names between them. No record is held: for ten thousand of them the
# garbage collector would walk over everything that was imported, again and again.


def run_table(
    records: Iterable["RunRecord"], counts: CountsOf, *, now: float
) -> list[str]:
    """Return runs as aligned lines below a header; no line if there are none."""
    when = DayWords(now)
    statuses = {status: status_words(status).ljust(13) for status in MARKS}
    names: list[str] = []
    workflows: list[str] = []
    rests: list[str] = []
    for record in records:
        status, done = statuses[record.status], _progress(record, counts(record))
        began, took = when(record.started).ljust(11), _took(record).rjust(11)
        names.append(record.name)
        workflows.append(record.workflow)
        rests.append(f"{status}  {began}  {took}  {done}")
    if not names:
        return []
    shown = _padded("WORKFLOW", set(workflows))
    first = max(len("RUN"), *map(len, names))
    rest = f"{'STATUS':<13}  {'WHEN':<11}  {'TOOK':>11}  STEPS"
    lines = [f"{'RUN':>{first}}  {shown['WORKFLOW']}  {rest}"]
    for name, workflow, rest in zip(names, workflows, rests, strict=True):
        lines.append(f"{name.rjust(first)}  {shown[workflow]}  {rest}")
    return lines


def _padded(header: str, names: AbstractSet[str]) -> dict[str, str]:
    """Return a header and each name as they are shown, all equally wide."""
    shown = {name: one_line(name, _WIDEST_NAME) for name in names} | {header: header}
    widest = max(width_of(each) for each in shown.values())
    return {
        name: each + " " * (widest - width_of(each)) for name, each in shown.items()
    }


def _took(record: "RunRecord") -> str:
    seconds = seconds_of(record)
    return "" if seconds is None else seconds_words(seconds)


def _progress(record: "RunRecord", items: "Mapping[Status, int] | None") -> str:
    """Return how much of a run is done, and what there is to say about the rest."""
    if items is not None:
        left = [f"{n:,} {status}" for status, n in items.items() if status != "done"]
        done = f"{items.get('done', 0)}/{sum(items.values())} items"
        words = " · ".join([done, *left])
    else:
        of = f"/{record.steps}" if record.steps else ""
        words = f"{record.steps_done}{of}"
    if record.status == "interrupted":
        words += f" · lao runs resume {record.name}"
    return words
