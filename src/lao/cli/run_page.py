# SPDX-License-Identifier: Apache-2.0
"""A kept run as a page: what it was given, what each step did, what came out."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from lao.cli.moments import full_moment
from lao.cli.run_words import SKIPPED, one_line, seconds_words, short_model
from lao.cli.tables import width_of
from lao.cli.value_words import value_line
from lao.events import StepFinished, StepState, StepStatus
from lao.history.kept_runs import MARKS, RESUMABLE, KeptRun, seconds_of, status_words
from lao.workflow.values import Value

_MOST_STEPS = 30
_MOST_VALUES = 20
_WIDEST_NAME = 24
_SHORT_DIGEST = 12
_STEP_MARKS: Mapping[StepStatus, str] = {
    "waiting": " ",
    "running": "…",
    "done": "✓",
    "failed": "✗",
    "skipped": SKIPPED,
}


def run_page(run: KeptRun, *, every_step: bool) -> str:
    """Return the page of one run; of a long one the steps that matter most."""
    lines = [*head_lines(run), *_values("inputs", run.inputs)]
    lines += _steps(run, every_step=every_step)
    if run.state.locality:
        lines += ["", f"locality: {one_line(run.state.locality)}"]
    lines += [
        f"violation: {one_line(each.step)}: {one_line(each.what)} [{each.code}]"
        for each in run.state.violations
    ]
    outputs = run.state.outputs
    lines += _values("outputs", outputs)
    if outputs:
        name = run.record.name
        lines.append(f"  (one whole: lao runs show {name} --output NAME)")
    return "".join(f"{line}\n" for line in lines)


def head_lines(run: KeptRun) -> Iterator[str]:
    """Yield what identifies a run, when it was, and how it ended."""
    record = run.record
    workflow = one_line(record.workflow, 60)
    yield f"run {record.name} · {workflow} · {status_words(record.status)}"
    if record.source:
        yield f"  source   {one_line(record.source)}"
    if record.key:
        yield f"  item     {one_line(record.key)}"
    if record.output:
        yield f"  written  {one_line(record.output)}"
    seconds = seconds_of(record)
    took = "" if seconds is None else f", took {seconds_words(seconds)}"
    yield f"  started  {full_moment(record.started)}{took}"
    if record.status in RESUMABLE and run.order is not None:
        yield f"  go on    lao runs resume {record.name}"


def _values(title: str, values: Mapping[str, Value]) -> Iterator[str]:
    if not values:
        return
    yield ""
    yield title
    width = _width(values)
    for name, value in islice(values.items(), _MOST_VALUES):
        yield f"  {_padded(name, width)}  {value_line(value)}"
    if len(values) > _MOST_VALUES:
        yield f"  … and {len(values) - _MOST_VALUES:,} more"


def _width(names: Mapping[str, object]) -> int:
    return max((width_of(one_line(name, _WIDEST_NAME)) for name in names), default=0)


def _padded(name: str, width: int) -> str:
    shown = one_line(name, _WIDEST_NAME)
    return shown + " " * (width - width_of(shown))


# -- steps ----------------------------------------------------------------------


def _steps(run: KeptRun, *, every_step: bool) -> Iterator[str]:
    steps = run.state.steps
    if not steps:
        return
    yield ""
    yield f"steps ({_counted(list(steps.values()))})"
    shown = dict(steps) if every_step else _most_telling(steps)
    width = _width(shown)
    for name, step in shown.items():
        yield from _step(_padded(name, width), step, with_value=every_step)
    if len(shown) < len(steps):
        yield f"  … and {len(steps) - len(shown):,} more: --steps shows all"


def _counted(steps: Sequence[StepState]) -> str:
    order: tuple[StepStatus, ...] = ("done", "failed", "skipped", "running", "waiting")
    counts = {status: sum(s.status == status for s in steps) for status in order}
    words = [f"{count:,} {status}" for status, count in counts.items() if count]
    cached = sum(s.finished is not None and s.finished.cached for s in steps)
    return ", ".join(words) + (f"; {cached:,} from the cache" if cached else "")


def _most_telling(steps: Mapping[str, StepState]) -> dict[str, StepState]:
    """Return the steps to show of many: what failed or is under way first, in order."""
    telling = [n for n, s in steps.items() if s.status in ("failed", "running")]
    chosen = set(telling[:_MOST_STEPS])
    chosen |= set(
        islice((n for n in steps if n not in chosen), _MOST_STEPS - len(chosen))
    )
    return {name: step for name, step in steps.items() if name in chosen}


def _step(name: str, step: StepState, *, with_value: bool) -> Iterator[str]:
    words = " · ".join(_doings(step))
    yield f"  {_STEP_MARKS[step.status]} {name}  {words}".rstrip()
    yield from (f"      {line}" for line in _details(step))
    if with_value and step.finished is not None:
        yield f"      = {value_line(step.finished.value)}"


def _doings(step: StepState) -> Iterator[str]:
    if step.finished is not None:
        yield from _finished(step.finished, step.retries)
    elif step.failed is not None:
        yield one_line(f"{step.failed.what} [{step.failed.code}]")
    elif step.skipped is not None:
        yield one_line(f"skipped: {step.skipped.reason}")
    else:
        yield step.status
    if step.items is not None:
        yield f"{min(step.items_done, step.items):,} of {step.items:,} items"


def _finished(done: StepFinished, retries: int) -> Iterator[str]:
    yield "from the cache" if done.cached else seconds_words(done.seconds)
    if done.tokens_in is not None or done.tokens_out is not None:
        yield f"{_count(done.tokens_in)} → {_count(done.tokens_out)} tokens"
    if done.tokens_out and done.model_seconds:
        yield f"{done.tokens_out / done.model_seconds:.0f} tok/s"
    if done.attempts > 1:
        yield f"attempt {done.attempts}"
    elif retries:
        yield f"{retries} retries" if retries > 1 else "1 retry"


def _count(tokens: int | None) -> str:
    return "?" if tokens is None else f"{tokens:,}"


def _details(step: StepState) -> Iterator[str]:
    done = step.finished
    if done is None:
        if step.failed is not None and step.failed.mend:
            yield f"mend: {one_line(step.failed.mend)}"
        return
    digest = done.model_digest.removeprefix("sha256:")[:_SHORT_DIGEST]
    model = one_line(done.made_by, 60) or short_model(step.model)
    sampled = "" if done.reproducible else "not reproducible (no seed)"
    words = [word for word in (model, one_line(digest), sampled) if word]
    if words:
        yield " · ".join(words)
    yield from (f"note: {one_line(note)}" for note in done.notes)


# -- batches --------------------------------------------------------------------


def batch_page(
    run: KeptRun,
    counts: Mapping[str, int],
    failed: Sequence[tuple[str, str, str]],
) -> str:
    """Return the page of a batch. `failed` holds name, key and reason of items."""
    lines = [*head_lines(run), *_values("inputs", run.inputs)]
    total = sum(counts.values())
    lines += ["", f"items ({total:,})"]
    width = max((len(status) for status in counts), default=0)
    for status, mark in MARKS.items():
        if counts.get(status):
            lines.append(f"  {mark} {status:<{width}}  {counts[status]:>7,}")
    if failed:
        lines += ["", "failed items"]
    for name, key, reason in failed:
        lines.append(f"  {name}  {one_line(key, 60)}")
        lines.append(f"      {one_line(reason)}")
    left = counts.get("failed", 0) - len(failed)
    if left > 0:
        lines.append(f"  … and {left:,} more (--json has them)")
    return "".join(f"{line}\n" for line in lines)
