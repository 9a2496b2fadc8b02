# SPDX-License-Identifier: Apache-2.0
"""What a batch says in JSON: a line for each item, and a summary."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Protocol

from lao.batch.job import Batch, BatchStatus, ItemReport, Tally
from lao.cli.batch_progress import BatchProgress
from lao.cli.terminal import open_lines, write_answer
from lao.errors import Problem, UsageError
from lao.events import value_to_json
from lao.policy import Locality
from lao.workflow.values import JsonValue

_MOST_FAILURES = 100


class LineWriter(Protocol):
    """Writes one line."""

    def __call__(self, line: str, /) -> None:
        """Write it at once."""
        ...


@contextmanager
def line_writer(target: str) -> Iterator[LineWriter]:
    """Write lines to a file; `-` is stdout.

    Raises:
        UsageError: the file cannot be written.
    """
    if target == "-":
        yield write_answer
        return
    with ExitStack() as stack:
        try:
            write = stack.enter_context(open_lines(target))
        except (OSError, ValueError) as error:
            raise UsageError(
                "batch.bad-report",
                f"cannot write {target!r}: {getattr(error, 'strerror', None) or error}",
                mend="check the folder and its rights",
            ) from error
        yield write


class Telling:
    """Hears a batch, shows it, and writes a line for each item in its turn.

    `results` are told what was made, `report` how it went. State: the counts, and
    the first failures.
    """

    def __init__(
        self,
        batch: Batch,
        progress: BatchProgress,
        *,
        results: LineWriter | None = None,
        report: LineWriter | None = None,
        locality: Locality | None = None,
    ) -> None:
        self.run = ""
        self.tally = Tally()
        self._batch = batch
        self._progress = progress
        self._results = results
        self._report = report
        self._locality = locality or Locality()
        self._failures: list[JsonValue] = []
        self._total: int | None = None
        self._done = 0

    def began(self, run: str, total: int | None) -> None:
        """Take the batch's name and size."""
        self.run, self._total = run, total
        self._progress.began(total)

    def started(self, position: int, label: str) -> None:
        """Show an item that runs."""
        self._progress.started(position, label)

    def ended(self, report: ItemReport) -> None:
        """Show an item that ended."""
        self._done += report.status == "done"
        self._progress.ended(report)

    def told(self, report: ItemReport) -> None:
        """Write the lines of an item."""
        self.tally.count(report)
        if self._results is not None:
            self._results(_line(result_json(report, len(self._batch.outputs))))
        if self._report is not None:
            self._report(_line(report_json(report)))
        if report.status == "failed" and len(self._failures) < _MOST_FAILURES:
            self._failures.append(report_json(report))

    def progress_words(self) -> str:
        """Return how many items are done, told or not."""
        of = "" if self._total is None else f" of {self._total}"
        return f"{self._done}{of} items are done, and kept"

    def summary(
        self, status: BatchStatus, exit_code: int, seconds: float
    ) -> dict[str, JsonValue]:
        """Return the batch in a few numbers, and write that into the report."""
        folder = self._batch.folder
        found: dict[str, JsonValue] = {
            "batch": self.run,
            "workflow": self._batch.prepared.plan.name,
            "status": status,
            "exit_code": exit_code,
            "items": self._total if self._total is not None else self.tally.total,
            "done": self.tally.done,
            "failed": self.tally.failed,
            "known": self.tally.known,
            "seconds": round(seconds, 3),
            "out": None if folder is None else str(folder),
            "locality": self._locality.words,
            "level": self._locality.level,
        }
        if self._report is not None:
            self._report(_line(found))
        return {**found, "failures": self._failures}


def result_json(report: ItemReport, wanted: int) -> dict[str, JsonValue]:
    """Return what an item made, as a line on stdout says it."""
    line: dict[str, JsonValue] = {"item": report.label, "status": report.status}
    made = report.outputs or {}
    if wanted == 1:
        line["output"] = next((value_to_json(each) for each in made.values()), None)
    else:
        line["outputs"] = value_to_json(made)
    if report.problem is not None:
        line["error"] = _error(report.problem)
    return line


def report_json(report: ItemReport) -> dict[str, JsonValue]:
    """Return how an item went, as a line of the report says it."""
    line: dict[str, JsonValue] = {
        "item": report.label,
        "status": report.status,
        "run": report.run,
        "output": None if report.path is None else str(report.path),
        "seconds": round(report.seconds, 3),
        "known": report.was_known,
    }
    if report.problem is not None:
        line["error"] = _error(report.problem)
    if report.note:
        line["note"] = report.note
    return line


def _error(problem: Problem) -> dict[str, JsonValue]:
    return {"code": problem.code, "what": problem.what, "mend": problem.mend}


def _line(document: dict[str, JsonValue]) -> str:
    text = json.dumps(document, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:  # a path that is not UTF-8
        text = json.dumps(document)
    return text + "\n"
