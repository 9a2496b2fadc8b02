# SPDX-License-Identifier: Apache-2.0
"""`lao runs show N` and `lao runs events N`: one run, as a page, as JSON, as its facts."""

import json
from collections.abc import Iterator
from itertools import chain, islice
from typing import TYPE_CHECKING

from msgspec import Struct

from lao.cli.audience import event_line
from lao.cli.report import (
    answer_text,
    check_output_name,
    isolation_report,
    step_report,
)
from lao.cli.run_page import batch_page, run_page
from lao.cli.terminal import write_answer
from lao.config import Settings
from lao.events import StepState, value_to_json
from lao.history.kept_runs import (
    KeptRun,
    find_run,
    open_history,
    read_run,
    record_json,
)
from lao.workflow.values import JsonValue

if TYPE_CHECKING:
    from lao.store.opening import Store
    from lao.store.runs import RunRecord

_SHOWN_FAILURES = 20
_MOST_FAILURES = 10_000
_PIECE = 1 << 16  # characters that are written at once


class View(Struct, frozen=True, kw_only=True):
    """What of a run is shown. `output` names the one output to print whole."""

    as_json: bool = False
    every_step: bool = False
    output: str | None = None


def show(name: str, settings: Settings, view: View) -> int:
    """Print one run."""
    with open_history(settings) as store:
        run = read_run(store, find_run(store, name))
        if view.output is not None:
            text = _output(run, view.output)
        elif run.record.kind == "batch":
            text = _batch(store, run, as_json=view.as_json)
        elif view.as_json:
            text = _as_text(run_json(run))
        else:
            text = run_page(run, every_step=view.every_step)
    write_answer(text)
    return 0


def _output(run: KeptRun, name: str) -> str:
    outputs = run.state.outputs
    check_output_name(outputs, name)
    return answer_text(outputs[name])


def _as_text(report: JsonValue) -> str:
    return json.dumps(report, ensure_ascii=False, indent=2) + "\n"


def run_json(run: KeptRun) -> dict[str, JsonValue]:
    """Return everything that is known of a run, but for what each piece of it said."""
    state = run.state
    return record_json(run.record) | {
        "id": run.record.id,
        "locality": state.locality,
        "isolation": isolation_report(state),
        "inputs": value_to_json(run.inputs),
        "files": dict(run.files),
        "outputs": value_to_json(state.outputs),
        "steps": {name: _step_json(step) for name, step in state.steps.items()},
        "violations": [
            {"step": each.step, "code": each.code, "what": each.what}
            for each in state.violations
        ],
    }


def _step_json(step: StepState) -> dict[str, JsonValue]:
    told = step_report(step) | {"retries": step.retries}
    if step.items is not None:
        told |= {"items": step.items, "items_done": step.items_done}
    if step.finished is not None:
        done = step.finished
        told |= {
            "model_seconds": done.model_seconds,
            "model_digest": done.model_digest,
            "reproducible": done.reproducible,
            "key": done.key,
            "ingredients": dict(done.ingredients),
            "value": value_to_json(done.value),
        }
    return told


# -- batches --------------------------------------------------------------------


def _batch(store: "Store", run: KeptRun, *, as_json: bool) -> str:
    row = run.record.row
    counts = {str(status): n for status, n in store.runs.item_counts(row).items()}
    failed = store.runs.items(row, status="failed")
    if not as_json:
        shown = islice(failed, _SHOWN_FAILURES)
        reasons = [(each.name, each.key, _reason(store, each)) for each in shown]
        return batch_page(run, counts, reasons)
    listed: list[JsonValue] = [
        {
            "run": each.name,
            "key": each.key,
            "output": each.output,
            "reason": _reason(store, each),
        }
        for each in islice(failed, _MOST_FAILURES)
    ]
    report = record_json(run.record) | {"id": run.record.id}
    items: dict[str, JsonValue] = dict(counts)
    return _as_text(report | {"items": items, "failed": listed})


def _reason(store: "Store", record: "RunRecord") -> str:
    """Return why an item failed: what its first failed step says."""
    steps = read_run(store, record).state.steps.values()
    failed = next((step.failed for step in steps if step.failed is not None), None)
    return f"{failed.step}: {failed.what} [{failed.code}]" if failed else "unknown"


# -- events ---------------------------------------------------------------------


def replay(name: str, settings: Settings) -> int:
    """Print the facts of a run, or of each item of a batch, as `--events` wrote them."""
    with open_history(settings) as store:
        record = find_run(store, name)
        items = store.runs.items(record.row) if record.kind == "batch" else ()
        facts = chain.from_iterable(
            store.runs.each_event(each) for each in chain([record], items)
        )
        _write_in_pieces(event_line(event) for event in facts)
    return 0


def _write_in_pieces(lines: Iterator[str]) -> None:
    """Write lines without a system call for each, and without holding all of them."""
    held: list[str] = []
    size = 0
    for line in lines:
        held.append(line)
        size += len(line)
        if size >= _PIECE:
            write_answer("".join(held))
            held, size = [], 0
    write_answer("".join(held))
