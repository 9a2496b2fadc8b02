# SPDX-License-Identifier: Apache-2.0
"""What a batch is to do, and what it tells while it goes on."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Protocol

from msgspec import Struct

from lao.batch.each import Each
from lao.durable import Prepared
from lao.errors import Problem
from lao.workflow.values import Value

ItemStatus = Literal["done", "failed"]
BatchStatus = Literal["done", "failed", "cancelled"]


class Batch(Struct, frozen=True, kw_only=True):
    """A plan for each of many inputs.

    `prepared.inputs` are the values that all items share. Relative paths start from
    `base`. Results go to files in `folder`, or without one to whoever listens.
    `timeout` is each item's.
    """

    prepared: Prepared
    each: Each
    base: Path
    jobs: int = 4
    folder: Path | None = None
    output: str | None = None
    timeout: float | None = None
    stop_on_failure: bool = False

    @property
    def outputs(self) -> tuple[str, ...]:
        """The outputs that are wanted of each item."""
        return (self.output,) if self.output else tuple(self.prepared.plan.outputs)


class ItemReport(Struct, frozen=True, kw_only=True):
    """How an item ended.

    `run` is its name in the history. `outputs` holds what was wanted and made, unless
    it went to the file `path`. `was_known`: an earlier part of the batch did it.
    `note` says what a person may not expect.
    """

    position: int
    label: str
    status: ItemStatus
    run: str = ""
    path: Path | None = None
    outputs: Mapping[str, Value] | None = None
    seconds: float = 0.0
    problem: Problem | None = None
    was_known: bool = False
    note: str = ""


class Tally(Struct, kw_only=True):
    """How many items ended how, so far."""

    done: int = 0
    failed: int = 0
    known: int = 0

    def count(self, report: ItemReport) -> None:
        """Count one more; `known` ones are done as well."""
        self.done += report.status == "done"
        self.failed += report.status == "failed"
        self.known += report.was_known

    @property
    def total(self) -> int:
        """All that ended."""
        return self.done + self.failed


class BatchResult(Struct, frozen=True, kw_only=True):
    """How a batch ended: "cancelled" if there are items that nobody has begun.

    `run` is its name in the history, if it is kept.
    """

    run: str
    status: BatchStatus
    tally: Tally
    seconds: float

    @property
    def exit_code(self) -> int:
        """What the command line ends with."""
        return 4 if self.tally.failed else 0


class Watcher(Protocol):
    """Hears how a batch goes on. None of its methods may block."""

    def began(self, run: str, total: int | None) -> None:
        """Take the batch's name, and the number of its items where it is known."""
        ...

    def started(self, position: int, label: str) -> None:
        """Take note that an item is being carried out."""
        ...

    def ended(self, report: ItemReport) -> None:
        """Take an item's end, at once: not in order."""
        ...

    def told(self, report: ItemReport) -> None:
        """Take an item's end in its turn: in the order of the input."""
        ...
