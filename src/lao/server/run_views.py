# SPDX-License-Identifier: Apache-2.0
"""Runs and their facts as the page sees them: everything bounded, values in previews."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import replace

from lao.durable import Selection
from lao.events import (
    Event,
    Fact,
    ItemFinished,
    RunFinished,
    RunState,
    StepFinished,
    StepSkipped,
    StepState,
    value_to_json,
)
from lao.history.comparison import Comparison, StepPair
from lao.history.differences import Change
from lao.history.kept_runs import KeptRun, seconds_of
from lao.isolation.levels import NAMES
from lao.server.messages import (
    ChangeView,
    ComparisonView,
    RunMessage,
    RunSummary,
    RunView,
    StepComparisonView,
    StepRunView,
    ValueView,
)
from lao.server.values import SHOWN, Values, plain, printable, text_of
from lao.store.records import RunOrder, RunRecord
from lao.workflow.values import FileValue, JsonValue, Value

_ALL_VALUES: Final = 4 << 20  # characters that the values of one view have together
_LEAST: Final = 2 << 10
_OF_ITEM: Final = 4 << 10
_OF_CHANGE: Final = 16 << 10
_MOST_CHANGES: Final = 500
_PINNED: Final = "its output was pinned"
_OWN_VIEW: Final = frozenset({"kind", "value", "outputs"})


def summary_of(record: RunRecord, order: RunOrder | None) -> RunSummary:
    """Return a run as it is listed."""
    before = _selection(order).before if record.status == "done" else ()
    return RunSummary(
        id=record.id,
        name=record.name,
        workflow=printable(record.workflow),
        status=record.status,
        started=record.started,
        seconds=seconds_of(record),
        steps=record.steps or 0,
        done=record.steps_done,
        paused_before=list(before),
    )


def message_of(event: Event, values: Values) -> RunMessage:
    """Return a fact as the page follows it."""
    fact = event.fact
    told: dict[str, JsonValue] = {
        name: plain(value_to_json(getattr(fact, name)))
        for name in fact.__struct_fields__
        if name not in _OWN_VIEW
    }
    if isinstance(fact, RunFinished):
        outputs = _views(fact.outputs, values, _OF_ITEM)
        told["outputs"] = msgspec.to_builtins(outputs)
    return RunMessage(
        sequence=event.sequence,
        time=event.time,
        kind=fact.kind,
        fact=told,
        output=_output_of(fact, values),
    )


def _output_of(fact: Fact, values: Values) -> ValueView | None:
    match fact:
        case StepFinished(value=value):
            return values.view(value)
        case ItemFinished(value=value):
            return values.view(value, _OF_ITEM)
        case StepSkipped(has_default=True, value=value):
            return values.view(value)
        case _:
            return None


def view_run(
    run: KeptRun, values: Values, said: Mapping[str, str] | None = None
) -> RunView:
    """Return a run with its steps; `said` is what the models of steps say just now."""
    state, texts = run.state, said or {}
    share = _ALL_VALUES // max(1, len(state.steps) + len(run.inputs))
    most = max(_LEAST, min(SHOWN, share))
    given = {name: _given_again(each, values) for name, each in run.inputs.items()}
    steps = {
        name: replace(
            view_step(step, values, most),
            text=printable(texts.get(name, step.text)),
            worker=_worker(step, state),
        )
        for name, step in state.steps.items()
    }
    for name in steps.keys() & run.pinned.keys():
        steps[name] = replace(steps[name], notes=[_PINNED, *steps[name].notes])
    return RunView(
        summary=summary_of(run.record, run.order),
        sequence=run.sequence,
        locality=state.locality,
        level=state.level,
        layers={name: plain(each) for name, each in state.layers.items()},
        inputs=_views(run.inputs, values, most),
        given={name: each for name, each in given.items() if each is not None},
        steps=steps,
        outputs=_views(state.outputs, values, most),
        violations=[
            printable(f"{each.step}: {each.what} [{each.code}]")
            for each in state.violations
        ],
    )


def view_step(step: StepState, values: Values, most: int = SHOWN) -> StepRunView:
    """Return what is known of a step."""
    view = StepRunView(
        status=step.status,
        model=printable(step.model),
        retries=step.retries,
        items=step.items,
        items_done=step.items_done,
        progress=step.progress,
    )
    if step.finished is not None:
        done = step.finished
        return replace(
            view,
            model=printable(done.made_by or step.model),
            seconds=done.seconds,
            tokens_in=done.tokens_in,
            tokens_out=done.tokens_out,
            is_cached=done.cached,
            attempts=done.attempts,
            notes=[printable(each) for each in done.notes],
            output=values.view(done.value, most),
        )
    if step.failed is not None:
        failed = step.failed
        why, mend = printable(failed.what), printable(failed.mend)
        return replace(view, code=failed.code, why=why, mend=mend)
    if step.skipped is not None:
        skipped = step.skipped
        output = values.view(skipped.value, most) if skipped.has_default else None
        return replace(view, why=printable(skipped.reason), output=output)
    return view


def _selection(order: RunOrder | None) -> Selection:
    return Selection.from_json(order.flags if order is not None else {})


def _worker(step: StepState, state: RunState) -> str:
    """Return how the worker of a step's model is locked, once it has proved it."""
    locked = state.workers.get(step.model)
    if locked is None:
        return ""
    name = next((name for level, name in NAMES.items() if level == locked.level), "")
    return f"{locked.level} {name}".rstrip()


def _views(
    found: Mapping[str, Value], values: Values, most: int
) -> dict[str, ValueView]:
    return {name: values.view(each, most) for name, each in found.items()}


def _given_again(value: Value, values: Values) -> JsonValue:
    """Return an input as a request would give it; None if it is too long for that."""
    match value:
        case FileValue(path=path):
            return values.folder.relative(Path(path)) or None
        case list() if any(isinstance(each, FileValue) for each in value):
            paths = [_given_again(each, values) for each in value]
            return None if None in paths or len(paths) > _MOST_CHANGES else paths
        case str():
            return printable(value) if len(value) <= SHOWN else None
        case _:
            view = values.view(value)
            return view.data if view.is_whole else None


# --- comparing


def view_comparison(found: Comparison, values: Values) -> ComparisonView:
    """Return what differs between two runs."""
    before, after = found.before, found.after
    files = [
        ChangeView(
            where=printable(path),
            before=before.files[path] or "unreadable",
            after=after.files[path] or "unreadable",
        )
        for path in found.files[:_MOST_CHANGES]
    ]
    steps = len(found.steps) or 1
    most = max(_LEAST, min(SHOWN, _ALL_VALUES // (2 * steps)))
    return ComparisonView(
        before=summary_of(before.record, before.order),
        after=summary_of(after.record, after.order),
        is_same=found.is_same,
        workflow=_changes(found.workflow),
        inputs=_changes(found.inputs) + files,
        outputs=_changes(found.outputs),
        steps=[_pair(each, values, most) for each in found.steps],
    )


def _pair(pair: StepPair, values: Values, most: int) -> StepComparisonView:
    sides = [
        None if side is None else view_step(side, values, most)
        for side in (pair.before, pair.after)
    ]
    return StepComparisonView(
        name=pair.name,
        is_same=pair.is_same,
        ingredients=list(pair.ingredients),
        before=sides[0],
        after=sides[1],
    )


def _changes(found: Sequence[Change]) -> list[ChangeView]:
    views = [view for change in found for view in _views_of(change)]
    return views[:_MOST_CHANGES]


def _views_of(change: Change) -> Iterator[ChangeView]:
    """Yield a change as both sides; of JSON, each place that differs."""
    for leaf in change.leaves:
        yield ChangeView(
            where=printable(_place(change.name, leaf.path)),
            before=_shown(leaf.before or ""),
            after=_shown(leaf.after or ""),
        )
    if not change.leaves:
        is_new, is_gone = change.how == "added", change.how == "removed"
        yield ChangeView(
            where=printable(change.name),
            before="" if is_new else _shown(text_of(change.before)),
            after="" if is_gone else _shown(text_of(change.after)),
        )


def _place(name: str, path: str) -> str:
    return f"{name}{path}" if path[:1] in ("", "[") else f"{name}.{path}"


def _shown(text: str) -> str:
    is_long = len(text) > _OF_CHANGE
    return printable(f"{text[:_OF_CHANGE]}…" if is_long else text)
