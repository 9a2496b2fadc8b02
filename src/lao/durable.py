# SPDX-License-Identifier: Apache-2.0
"""Runs that are kept: entering one, going on with one, and when that is refused."""

import os
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from lao.config import Settings
from lao.engine.runner import RunResult
from lao.errors import LaoError, UsageError
from lao.files import read_regular
from lao.planning.fingerprint import fingerprint
from lao.planning.plan import Plan
from lao.planning.selection import (
    from_step,
    pinned,
    refreshing,
    stopping_before,
    until_step,
    without_cache,
)
from lao.runtime import RunOptions, Session, make_plan
from lao.workflow.source import LARGEST_DOCUMENT
from lao.workflow.steps import Workflow
from lao.workflow.values import FileValue, Value

if TYPE_CHECKING:
    from lao.store.opening import Store
    from lao.store.runs import RunOrder, RunRecord


class Selection(Struct, frozen=True, kw_only=True):
    """Which steps run, and which of them although their result is known.

    `pinned` holds the output of steps that do not run; the run stops `before` some.
    """

    no_cache: bool = False
    refresh: tuple[str, ...] = ()
    start: str | None = None
    until: str | None = None
    before: tuple[str, ...] = ()
    pinned: Mapping[str, Value] = field(default_factory=dict)

    def apply(self, plan: Plan) -> Plan:
        """Return the plan that runs those steps.

        Raises:
            UsageError: a name is no step of the plan, or a value does not fit.
        """
        if self.pinned:
            plan = pinned(plan, self.pinned)
        if self.until is not None:
            plan = until_step(plan, self.until)
        if self.start is not None:
            plan = from_step(plan, self.start)
        if self.refresh:
            plan = refreshing(plan, self.refresh)
        if self.before:  # at last: what the others name may be what it leaves out
            plan = stopping_before(plan, self.before)
        return without_cache(plan) if self.no_cache else plan

    def to_json(self) -> dict[str, Value]:
        """Return it as the flags of an order; what is not used is not among them."""
        flags: dict[str, Value] = {
            "no_cache": self.no_cache,
            "refresh": list(self.refresh),
            "from": self.start,
            "until": self.until,
        }
        if self.before:
            flags["before"] = list(self.before)
        if self.pinned:
            flags["pinned"] = dict(self.pinned)
        return flags

    @classmethod
    def from_json(cls, flags: Mapping[str, Value]) -> "Selection":
        """Read the flags of an order."""
        values = flags.get("pinned")
        return cls(
            no_cache=flags.get("no_cache") is True,
            refresh=_texts(flags.get("refresh")),
            start=_text_or_none(flags.get("from")),
            until=_text_or_none(flags.get("until")),
            before=_texts(flags.get("before")),
            pinned=values if isinstance(values, dict) else {},
        )


def _texts(flag: Value) -> tuple[str, ...]:
    if isinstance(flag, str):  # an order of a time when a run stopped before one step
        return (flag,)
    return tuple(map(str, flag)) if isinstance(flag, list) else ()


def _text_or_none(flag: Value) -> str | None:
    return flag if isinstance(flag, str) else None


class Prepared(Struct, frozen=True, kw_only=True, dict=True):
    """A plan with its inputs, and what its run is entered with.

    `whole` is the plan before a selection: it names what a later part must equal.
    `source` is the workflow's file, with its digest, or the words of a chain.
    """

    workflow: Workflow
    whole: Plan
    plan: Plan
    inputs: Mapping[str, Value] = field(default_factory=dict)
    source: str = ""
    source_digest: str = ""
    selection: Selection = field(default_factory=Selection)
    output_folder: Path = field(default_factory=Path.cwd)

    @cached_property
    def order(self) -> "RunOrder":
        """What a later process needs to go on with the run."""
        from lao.store.runs import RunOrder
        from lao.workflow.writer import write_workflow

        return RunOrder(
            workflow=write_workflow(self.workflow),
            base=self.workflow.base,
            source=self.source,
            source_digest=self.source_digest,
            plan_digest=fingerprint(self.whole),
            output_folder=str(self.output_folder),
            flags=self.selection.to_json(),
        )


def settled_base(workflow: Workflow) -> Workflow:
    """Return the workflow with an absolute base: it may go on from another folder."""
    return replace(workflow, base=os.path.abspath(workflow.base))  # noqa: PTH100  (keeps symlinks)


def prepare(
    workflow: Workflow,
    whole: Plan,
    selection: Selection,
    *,
    file: Path | None = None,
    words: str = "",
) -> Prepared:
    """Return a plan, ready but for its inputs; it came from a file or from words."""
    source = words if file is None else os.path.abspath(file)  # noqa: PTH100
    return Prepared(
        workflow=workflow,
        whole=whole,
        plan=selection.apply(whole),
        source=source,
        source_digest="" if file is None else file_digest(source),
        selection=selection,
    )


async def carry_out(
    session: Session, store: "Store", prepared: Prepared, options: RunOptions
) -> RunResult:
    """Enter a run and carry it out.

    Raises:
        StoreError: it could not be entered; nothing ran.
        LaoError: a plugin may not run.
    """
    from lao.store.runs import NewRun

    await session.require_plugins(prepared.plan)
    files = await file_digests(session, prepared.inputs)
    store.runs.begin(
        NewRun(
            id=options.run,
            workflow=prepared.plan.name,
            source=prepared.source,
            started=session.clock.now(),
            order=prepared.order,
            inputs=prepared.inputs,
            files=files,
        )
    )
    try:
        return await session.run(prepared.plan, prepared.inputs, options)
    finally:
        store.runs.release(options.run)


async def go_on(
    session: Session,
    store: "Store",
    record: "RunRecord",
    prepared: Prepared,
    options: RunOptions,
) -> RunResult:
    """Go on with a run where it stopped.

    Raises:
        UsageError: an input changed, or the run is being carried out.
        StoreError: the journal cannot be read or written.
        LaoError: a plugin may not run.
    """
    await session.require_plugins(prepared.plan)
    _check_files(store.runs.files(record), await file_digests(session, prepared.inputs))
    store.runs.take_over(record)
    try:
        known = replace(
            options,
            run=record.id,
            past=store.runs.each_event(record),
            output_folder=prepared.output_folder,
        )
        return await session.run(prepared.plan, prepared.inputs, known)
    finally:
        store.runs.release(record.id)


def prepare_to_go_on(
    store: "Store", record: "RunRecord", settings: Settings
) -> Prepared:
    """Return the plan and the inputs of a run that stopped.

    Raises:
        UsageError: it is done, or its workflow, recipes or models changed.
    """
    order = store.runs.order(record)
    if record.status == "done":
        raise UsageError(
            "run.done",
            f"run {record.name} is done: there is nothing left to do",
            mend=f"`lao runs show {record.name}` shows it",
        )
    if order is None:
        raise UsageError(
            "run.not-resumable",
            f"run {record.name} belongs to a batch, which goes on as a whole",
            mend=f"lao runs resume {record.name.partition('.')[0]}",
        )
    if order.source_digest and file_digest(order.source) not in (
        "",
        order.source_digest,
    ):
        raise _changed(record, order, f"{order.source!r} changed since the run began")
    workflow = _workflow(order, record)
    whole = make_plan(workflow, settings)
    if fingerprint(whole) != order.plan_digest:
        what = "a recipe, a configured model or LAO itself changed since the run began"
        raise _changed(record, order, what)
    selection = Selection.from_json(order.flags)
    return Prepared(
        workflow=workflow,
        whole=whole,
        plan=selection.apply(whole),
        inputs=store.runs.inputs(record),
        source=order.source,
        source_digest=order.source_digest,
        selection=selection,
        output_folder=Path(order.output_folder),
    )


def _workflow(order: "RunOrder", record: "RunRecord") -> Workflow:
    from lao.workflow.document import read_workflow

    source = f"the workflow of run {record.name}"
    return read_workflow(order.workflow, source=source, base=order.base).workflow


def _changed(record: "RunRecord", order: "RunOrder", what: str) -> UsageError:
    is_file = bool(order.source_digest)
    again = f"`lao run {order.source}`" if is_file else "the command again"
    return UsageError(
        "run.changed",
        f"run {record.name} cannot go on: {what}",
        mend=f"start {again}: results that are still right come from the cache",
    )


def _check_files(before: Mapping[str, str], now: Mapping[str, str]) -> None:
    for path, digest in before.items():
        if digest != now.get(path):
            gone = "is gone" if not now.get(path) else "changed"
            raise UsageError(
                "run.input-changed",
                f"the run cannot go on: the input {path!r} {gone} since it began",
                mend="put the file back, or start a new run: "
                "results that are still right come from the cache",
            )


async def file_digests(session: Session, inputs: Mapping[str, Value]) -> dict[str, str]:
    """Return the digest of each file in the inputs, by path; "" if unreadable."""
    digests: dict[str, str] = {}
    for path in dict.fromkeys(_files(inputs.values())):
        try:
            digests[path] = await session.file_digest(path)
        except LaoError:
            digests[path] = ""
    return digests


def _files(values: Iterable[Value]) -> Iterator[str]:
    for value in values:
        match value:
            case FileValue(path=path):
                yield path
            case list():
                yield from _files(value)
            case dict():
                yield from _files(value.values())
            case _:
                pass


def file_digest(path: str) -> str:
    """Return the digest of a workflow file; "" if there is none to read."""
    try:
        return content_digest(read_regular(path, limit=LARGEST_DOCUMENT))
    except (OSError, ValueError):
        return ""


def content_digest(content: bytes) -> str:
    """Return the digest of a workflow file with that content."""
    return f"sha256:{sha256(content).hexdigest()}"
