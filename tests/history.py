# SPDX-License-Identifier: Apache-2.0
"""Writes runs straight into a data folder, as if they had been carried out."""

import asyncio
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from lao.events import Event, RunFinished, RunStarted, StepFinished
from lao.history.kept_runs import KeptRun, read_run
from lao.store.opening import Store, open_store
from lao.store.runs import NewRun, RunRecord

NOON = 1_764_158_400.0  # 26 November 2025, 12:00 UTC


@dataclass(frozen=True)
class History:
    """The runs of one data folder."""

    folder: Path

    def open(self) -> Store:
        return open_store(self.folder)

    def keep(self, *facts, started=NOON, **entered) -> str:
        """Keep a run with these facts; one without an end is interrupted."""
        with self.open() as store:
            return self._keep(store, facts, started, entered).name

    def keep_batch(self, *items, status=None, started=NOON, **entered) -> str:
        """Keep a batch; each item is a mapping with `facts` and what it is entered as."""
        with self.open() as store:
            batch = self._keep(store, (), started, {"kind": "batch", **entered})
            for position, item in enumerate(items, start=1):
                place = {"kind": "item", "batch": batch.row, "position": position}
                facts = item.pop("facts")
                self._keep(store, facts, started, {**place, **item})
            if status is not None:
                store.runs.finish(batch, status, NOON + 60)
            return batch.name

    def _keep(self, store, facts, started, entered) -> RunRecord:
        run = NewRun(
            id=entered.pop("id", f"r{next(_IDS)}"),
            workflow=entered.pop("workflow", "meeting"),
            started=started,
            **entered,
        )
        record = store.runs.begin(run)

        async def tell() -> None:
            for sequence, fact in enumerate(facts, start=1):
                time = started + sequence
                await store.runs.append(Event(run.id, sequence, time, fact))

        asyncio.run(tell())
        store.runs.release(run.id)
        return record

    def read(self, name: str) -> KeptRun:
        with self.open() as store:
            return read_run(store, store.runs.find(name))

    def holds(self, marker: str) -> bool:
        """Whether a text is anywhere in the folder."""
        found = (path.read_bytes() for path in self.folder.rglob("*") if path.is_file())
        return any(marker.encode() in content for content in found)


_IDS = count(1)


def done(*steps: StepFinished, status="done", seconds=2.5, **outputs):
    """Return the facts of a run of those steps."""
    return (
        RunStarted(
            workflow="meeting",
            steps=tuple(each.step for each in steps),
            locality="loopback only",
        ),
        *steps,
        RunFinished(status=status, outputs=outputs, seconds=seconds),
    )


def step(name="a", value="fine", **known) -> StepFinished:
    """Return the fact that a step is done."""
    return StepFinished(step=name, value=value, **known)
