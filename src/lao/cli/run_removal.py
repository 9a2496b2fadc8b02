# SPDX-License-Identifier: Apache-2.0
"""`lao runs rm` and `lao runs prune`: forgetting runs, and every trace of them."""

import re
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from msgspec import Struct

from lao.cli.run_list import counts_in, run_table
from lao.cli.terminal import write_answer, write_note
from lao.config import Settings
from lao.errors import UsageError
from lao.history.kept_runs import find_run, has_history, open_history

if TYPE_CHECKING:
    from lao.store.opening import Store
    from lao.store.runs import RunRecord

_RANGE = re.compile(r"([0-9]{1,18})-([0-9]{1,18})")


class Pruning(Struct, frozen=True, kw_only=True):
    """Which runs go: those older than `older_than` (seconds), beyond the `keep` newest.

    With both, only runs that both say.
    """

    older_than: float | None = None
    keep: int | None = None


def remove(names: Sequence[str], settings: Settings, *, quiet: bool) -> int:
    """Forget the runs that are named, such as `18`, `3-9`, `latest`.

    Raises:
        UsageError: there is none of that name, or it is being carried out.
    """
    from lao.store.removal import still_running

    with open_history(settings) as store:
        chosen = {
            record.row: record for name in names for record in _named(store, name)
        }
        for record in chosen.values():
            if record.status == "running":
                raise still_running(record)
        _forget(store, list(chosen.values()), quiet=quiet)
    return 0


def _named(store: "Store", name: str) -> Iterable["RunRecord"]:
    match = _RANGE.fullmatch(name)
    if match is None:
        return [find_run(store, name)]
    first, last = int(match[1]), int(match[2])
    found = [r for r in store.runs.listed() if first <= (r.number or 0) <= last]
    if not found:
        raise UsageError(
            "run.unknown",
            f"there is no run from {first} to {last}",
            mend="`lao runs` lists those that are kept",
        )
    return found


def prune(
    settings: Settings, pruning: Pruning, *, dry_run: bool, quiet: bool = False
) -> int:
    """Forget old runs, but for those that are being carried out."""
    if pruning.older_than is None and pruning.keep is None:
        raise UsageError(
            "runs.no-rule",
            "`lao runs prune` is not told which runs to forget",
            mend="give --older-than 30d, --keep 100, or both",
        )
    if not has_history(settings):
        write_note("no runs are kept yet")
        return 0
    now = time.time()
    with open_history(settings) as store:
        chosen = list(_old(store, pruning, now))
        if dry_run:
            lines = run_table(chosen, counts_in(store), now=now)
            write_answer("".join(f"{line}\n" for line in lines))
            write_note(f"would forget {_runs(len(chosen))}")
        else:
            _forget(store, chosen, quiet=quiet)
    return 0


def _old(store: "Store", pruning: Pruning, now: float) -> Iterator["RunRecord"]:
    before = None if pruning.older_than is None else now - pruning.older_than
    for record in islice(store.runs.listed(), pruning.keep or 0, None):
        is_old = before is None or record.started < before
        if is_old and record.status != "running":
            yield record


def _forget(store: "Store", records: Sequence["RunRecord"], *, quiet: bool) -> None:
    if not records:
        if not quiet:
            write_note("there is nothing to forget")
        return
    try:
        removed = store.runs.remove(records)
    finally:  # what went before one that is being carried out is to go wholly, too
        is_clean = store.forget()
    if quiet:
        return
    words = [_runs(removed.runs)] if removed.runs else []
    words += [_counted(removed.items, "item")] if removed.items else []
    words += [_counted(removed.results, "kept result")] if removed.results else []
    write_note(f"forgot {', '.join(words) or 'nothing'}")
    if not is_clean:
        write_note(
            "note[store.read-elsewhere]: another lao process still reads what was there; "
            "its last trace goes with the next `lao runs rm` or `lao cache prune`"
        )


def _runs(count: int) -> str:
    return _counted(count, "run")


def _counted(count: int, thing: str) -> str:
    return f"{count:,} {thing}{'' if count == 1 else 's'}"
