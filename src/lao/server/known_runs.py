# SPDX-License-Identifier: Apache-2.0
"""Every run that can be told of: those that go on here, and those that are kept."""

from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from lao.durable import Prepared
from lao.errors import LaoError
from lao.history.earlier import Ingredients, earlier_ingredients, ingredients_of
from lao.history.kept_runs import KeptRun, find_run, read_run, require_single
from lao.server.live_run import LiveRun
from lao.server.messages import RunSummary
from lao.server.run_views import summary_of
from lao.store.listing import unknown

if TYPE_CHECKING:
    from lao.store.opening import Store
    from lao.store.records import RunRecord

_REMEMBERED: Final = 20  # runs that are over, where no store keeps them
_READ: Final = 4  # runs that are over and stay read


class KnownRuns:
    """Finds runs. State: those that go on, the last that ended, what was read.

    Runs that are over come from the store; without one, the last of them from memory.
    """

    def __init__(self, store: "Store | None") -> None:
        self._store = store
        self._live: dict[str, LiveRun] = {}
        self._past: OrderedDict[str, LiveRun] = OrderedDict()
        self._read: OrderedDict[tuple[str, str], KeptRun] = OrderedDict()
        self._made_of: OrderedDict[str, Ingredients] = OrderedDict()

    @property
    def going_on(self) -> tuple[LiveRun, ...]:
        """The runs that this process carries out."""
        return tuple(self._live.values())

    def enter(self, live: LiveRun) -> None:
        """Know a run that begins."""
        self._live[live.id] = live

    def leave(self, live: LiveRun) -> None:
        """Know that a run is over; one that never began is forgotten."""
        self._live.pop(live.id, None)
        if self._store is None and live.sequence:
            self._past[live.id] = live
            if len(self._past) > _REMEMBERED:
                self._past.popitem(last=False)

    def live(self, name: str) -> LiveRun | None:
        """Return a run whose facts are here, by its id or what people call it."""
        if self._store is not None:
            return self._live.get(name) or self._live.get(self._id_of(name))
        known = [*self._past.values(), *self._live.values()]
        if name == "latest" and known:
            return known[-1]
        return next((one for one in known if name in (one.id, one.record.name)), None)

    def record(self, name: str) -> "RunRecord":
        """Return what is listed of a run.

        Raises:
            UsageError: there is none (`run.unknown`), or it is a batch.
        """
        if self._store is not None:
            return require_single(find_run(self._store, name))
        live = self.live(name)
        if live is None:
            raise unknown(name)
        return live.own_record()

    def kept(self, name: str) -> KeptRun:
        """Return a run with everything that is known of it. Raises as `record`."""
        record = self.record(name)
        live = self.live(record.id)
        if live is not None and self._store is not None:
            return replace(live.kept(record), files=self._store.runs.files(record))
        if live is not None:
            return live.kept(record)
        assert self._store is not None  # noqa: S101  (else it would be alive in memory)
        key = record.id, f"{record.status} {record.ended}"
        if key not in self._read:
            found = read_run(self._store, record)
            if record.status == "running":  # by another process
                return found
            self._read[key] = found
            if len(self._read) > _READ:
                self._read.popitem(last=False)
        return self._read[key]

    def listed(self, source: Path, limit: int) -> list[RunSummary]:
        """Return the runs of a workflow file, the latest first."""
        if self._store is not None:
            runs = self._store.runs
            return [
                summary_of(record, runs.order(record))
                for record in runs.of_source(str(source), limit=limit)
                if record.kind == "run"
            ]
        known = [*self._past.values(), *self._live.values()]
        found = [one for one in reversed(known) if one.record.source == str(source)]
        return [
            summary_of(one.own_record(), one.prepared.order) for one in found[:limit]
        ]

    def ingredients(self, prepared: Prepared) -> Ingredients:
        """Return what each step's latest result was made of."""
        if self._store is None:
            return {}
        return earlier_ingredients(self._store, prepared, self._ingredients_of)

    def _ingredients_of(self, store: "Store", record: "RunRecord") -> Ingredients:
        if record.ended is None:
            return ingredients_of(store, record)
        key = f"{record.id} {record.ended}"
        if key not in self._made_of:
            self._made_of[key] = ingredients_of(store, record)
            if len(self._made_of) > 10 * _REMEMBERED:
                self._made_of.popitem(last=False)
        return self._made_of[key]

    def _id_of(self, name: str) -> str:
        try:
            return self.record(name).id
        except LaoError:
            return ""
