# SPDX-License-Identifier: Apache-2.0
"""Which earlier batch an order continues, and when it must not."""

from collections.abc import Mapping
from pathlib import Path

from lao.batch.each import read_each
from lao.batch.job import Batch
from lao.durable import Prepared
from lao.errors import UsageError
from lao.store.opening import Store
from lao.store.runs import RunOrder, RunRecord
from lao.workflow.values import Value

_SAME = ("each", "nul", "base", "out")


def batch_flags(batch: Batch) -> dict[str, Value]:
    """Return a batch's own part of its order."""
    return {
        "each": batch.each.text,
        "nul": batch.each.nul,
        "base": str(batch.base),
        "out": None if batch.folder is None else str(batch.folder),
        "output": batch.output,
        "jobs": batch.jobs,
        "timeout": batch.timeout,
        "stop_on_failure": batch.stop_on_failure,
    }


def batch_of(prepared: Prepared, flags: Mapping[str, Value]) -> Batch:
    """Return the batch that an order describes.

    Raises:
        UsageError: the order is not a batch's.
    """
    match flags:
        case {"each": str(each), "base": str(base), "jobs": int(jobs)}:
            out, output, timeout = (
                flags.get(name) for name in ("out", "output", "timeout")
            )
            return Batch(
                prepared=prepared,
                each=read_each(
                    each,
                    prepared.plan.inputs,
                    prepared.inputs,
                    nul=flags.get("nul") is True,
                ),
                base=Path(base),
                jobs=jobs,
                folder=Path(out) if isinstance(out, str) else None,
                output=output if isinstance(output, str) else None,
                timeout=float(timeout) if isinstance(timeout, int | float) else None,
                stop_on_failure=flags.get("stop_on_failure") is True,
            )
        case _:
            raise UsageError(
                "batch.not-resumable",
                "the history does not say what the batch was to do",
                mend="start it anew: results that are still right come from the cache",
            )


def latest_batch(store: Store, batch: Batch, files: Mapping[str, str]) -> RunRecord:
    """Return the latest batch of the same workflow, inputs' source and folder.

    `files` are the digests of the files that all items share.

    Raises:
        UsageError: there is none, or it was to do something else with them.
    """
    wanted = batch_flags(batch)
    for record in store.runs.listed(workflow=batch.prepared.plan.name):
        order = store.runs.order(record) if record.kind == "batch" else None
        if order is None or record.source != batch.prepared.source:
            continue
        if all(order.flags.get(name) == wanted[name] for name in _SAME):
            if reason := _difference(store, record, order, batch, files):
                raise _changed(record, reason)
            return record
    raise UsageError(
        "batch.none-to-resume",
        f"no batch of this workflow with --each {batch.each.text!r} and this --out "
        "is in the history",
        mend="drop --resume to start one; `lao runs` lists the history",
    )


def _difference(
    store: Store,
    record: RunRecord,
    order: RunOrder,
    batch: Batch,
    files: Mapping[str, str],
) -> str:
    """Return in which way the earlier batch was to do something else; "" if in none."""
    prepared = batch.prepared
    if order.plan_digest != prepared.order.plan_digest:
        return "the workflow, a recipe or a model changed since it began"
    selection = prepared.selection.to_json()
    if any(order.flags.get(name) != each for name, each in selection.items()):
        return "it began with other steps (--from, --until, --refresh, --no-cache)"
    if order.flags.get("output") != batch.output:
        return "it began with another --output"
    before = store.runs.inputs(record)
    changed = [
        name
        for name in {**before, **prepared.inputs}
        if before.get(name) != prepared.inputs.get(name)
    ]
    if changed:
        return f"the input {changed[0]!r} is another than when it began"
    return _changed_file(store, record, files)


def check_files(store: Store, record: RunRecord, files: Mapping[str, str]) -> None:
    """Refuse to go on with a batch where a file that all items share changed.

    Raises:
        UsageError: it did.
    """
    if reason := _changed_file(store, record, files):
        raise _changed(record, reason)


def _changed_file(store: Store, record: RunRecord, files: Mapping[str, str]) -> str:
    for path, digest in store.runs.files(record).items():
        if files.get(path) != digest:
            return f"{path!r}, which all items share, changed since it began"
    return ""


def _changed(record: RunRecord, reason: str) -> UsageError:
    return UsageError(
        "batch.changed",
        f"batch {record.name} cannot go on: {reason}",
        mend="drop --resume to start anew: "
        "results that are still right come from the cache",
    )
