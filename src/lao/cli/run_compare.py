# SPDX-License-Identifier: Apache-2.0
"""`lao runs compare A B`: what differs between two runs, for people and programs."""

import json
import time
from collections.abc import Callable, Iterator, Sequence

from lao.cli.moments import DayWords
from lao.cli.run_words import one_line, seconds_words
from lao.cli.tables import table
from lao.cli.terminal import neutralised, write_answer
from lao.cli.value_words import value_line
from lao.config import Settings
from lao.events import StepState, value_to_json
from lao.history.comparison import Comparison, StepPair, compare_runs
from lao.history.differences import Change
from lao.history.kept_runs import (
    KeptRun,
    find_run,
    open_history,
    read_run,
    require_single,
    seconds_of,
    status_words,
)
from lao.workflow.values import JsonValue

_MOST_LINES = 40
_WIDEST = 300


def compare(first: str, second: str, settings: Settings, *, as_json: bool) -> int:
    """Print what differs between two runs; that something does is no failure."""
    with open_history(settings) as store:
        records = [require_single(find_run(store, name)) for name in (first, second)]
        comparison = compare_runs(*(read_run(store, record) for record in records))
    if as_json:
        report = comparison_json(comparison)
        write_answer(json.dumps(report, ensure_ascii=False, indent=2) + "\n")
    else:
        write_answer(comparison_page(comparison, time.time()))
    return 0


def comparison_page(found: Comparison, now: float) -> str:
    """Return the comparison as people read it; bounded."""
    names = found.before.record.name, found.after.record.name
    lines = [_heading(run, now) for run in (found.before, found.after)]
    if found.is_same:
        lines += ["", f"nothing differs between {names[0]} and {names[1]}"]
    lines += _section("workflow", found.workflow)
    lines += _section("inputs", found.inputs)
    lines += [f"  {one_line(path)}: another content" for path in found.files]
    text = "\n".join(lines) + "\n\n" + _step_table(found.steps, names)
    outputs = _section("outputs", found.outputs)
    return text + "".join(f"{line}\n" for line in outputs)


def _heading(run: KeptRun, now: float) -> str:
    record = run.record
    words = [
        f"run {record.name}",
        one_line(record.workflow, 40),
        status_words(record.status),
        DayWords(now)(record.started),
    ]
    seconds = seconds_of(record)
    if seconds is not None:
        words.append(seconds_words(seconds))
    return " · ".join(words)


def _section(title: str, found: Sequence[Change]) -> list[str]:
    if not found:
        return []
    lines = ["", title]
    for each in found:
        lines.append(f"  {one_line(each.name)} {_how(each)}")
        shown = list(_difference(each))
        lines += [f"    {line}" for line in shown[:_MOST_LINES]]
        if len(shown) > _MOST_LINES:
            left = len(shown) - _MOST_LINES
            lines.append(f"    … and {left:,} lines more (--json has more)")
    return lines


def _how(change: Change) -> str:
    match change.how:
        case "added":
            return f"is new: {value_line(change.after)}"
        case "removed":
            return f"is gone: {value_line(change.before)}"
        case "changed":
            return "differs"


def _difference(change: Change) -> Iterator[str]:
    for line in change.lines:
        yield neutralised(line[:_WIDEST].replace("\n", " "))
    for leaf in change.leaves:
        old = "nothing" if leaf.before is None else one_line(leaf.before, 60)
        new = "nothing" if leaf.after is None else one_line(leaf.after, 60)
        path = f"{one_line(leaf.path)}: " if leaf.path else ""
        yield f"{path}{old} → {new}"


# -- steps ----------------------------------------------------------------------


def _step_table(pairs: Sequence[StepPair], names: tuple[str, str]) -> str:
    header = ("STEP", "TOOK", "TOKENS IN", "TOKENS OUT", "MODEL", "DIFFERS")
    rows = [
        (
            pair.name,
            _both(pair, _took),
            _both(pair, _tokens_in),
            _both(pair, _tokens_out),
            _model(pair),
            _differing(pair, names),
        )
        for pair in pairs
    ]
    return table(header, rows)


def _both(pair: StepPair, words: Callable[[StepState], str]) -> str:
    """Return a fact about both sides, once if it is the same."""
    old, new = _sides(pair, words)
    return old if old == new else f"{old or '-'} → {new or '-'}"


def _sides(pair: StepPair, words: Callable[[StepState], str]) -> tuple[str, str]:
    before, after = pair.before, pair.after
    return (words(before) if before else "", words(after) if after else "")


def _took(step: StepState) -> str:
    if step.finished is None:
        return step.status
    return "cached" if step.finished.cached else seconds_words(step.finished.seconds)


def _tokens_in(step: StepState) -> str:
    return _count(step.finished.tokens_in) if step.finished else ""


def _tokens_out(step: StepState) -> str:
    return _count(step.finished.tokens_out) if step.finished else ""


def _count(tokens: int | None) -> str:
    return "" if tokens is None else f"{tokens:,}"


def _made_by(step: StepState) -> str:
    return step.finished.made_by if step.finished else ""


def _model(pair: StepPair) -> str:
    """Return the models of both sides if they are not the same."""
    old, new = _sides(pair, _made_by)
    return "" if old == new else _both(pair, _made_by)


def _differing(pair: StepPair, names: tuple[str, str]) -> str:
    if pair.before is None or pair.after is None:
        return f"only in {names[0] if pair.after is None else names[1]}"
    words = [one_line(name, 20) for name in pair.ingredients]
    if pair.before.status != pair.after.status:
        words.append(f"{pair.before.status} → {pair.after.status}")
    elif not pair.is_same:
        words.append("result")
    if pair.is_unexplained and _is_sampled(pair):
        words.append("sampled without a seed")
    return ", ".join(words)


def _is_sampled(pair: StepPair) -> bool:
    both = (pair.before, pair.after)
    return any(s and s.finished and not s.finished.reproducible for s in both)


# -- JSON -----------------------------------------------------------------------


def comparison_json(found: Comparison) -> dict[str, JsonValue]:
    """Return the comparison as one JSON object."""
    return {
        "before": found.before.record.name,
        "after": found.after.record.name,
        "same": found.is_same,
        "workflow": [_change_json(each) for each in found.workflow],
        "inputs": [_change_json(each) for each in found.inputs],
        "files": list(found.files),
        "steps": {pair.name: _pair_json(pair) for pair in found.steps},
        "outputs": [_change_json(each) for each in found.outputs],
    }


def _change_json(change: Change) -> JsonValue:
    return {
        "name": change.name,
        "how": change.how,
        "before": value_to_json(change.before),
        "after": value_to_json(change.after),
        "diff": list(change.lines),
        "places": [
            {"path": leaf.path}
            | _side_json("before", leaf.before)
            | _side_json("after", leaf.after)
            for leaf in change.leaves
        ],
    }


def _side_json(name: str, written: str | None) -> dict[str, JsonValue]:
    """Return one side of a place; nothing where the place is not there."""
    return {} if written is None else {name: json.loads(written)}


def _pair_json(pair: StepPair) -> JsonValue:
    return {
        "same": pair.is_same,
        "ingredients": list(pair.ingredients),
        "before": _step_json(pair.before),
        "after": _step_json(pair.after),
    }


def _step_json(step: StepState | None) -> JsonValue:
    if step is None:
        return None
    told: dict[str, JsonValue] = {"status": step.status}
    if step.finished is not None:
        done = step.finished
        told |= {
            "cached": done.cached,
            "made_by": done.made_by,
            "model_digest": done.model_digest,
            "reproducible": done.reproducible,
            "seconds": done.seconds,
            "tokens_in": done.tokens_in,
            "tokens_out": done.tokens_out,
            "ingredients": dict(done.ingredients),
        }
    if step.failed is not None:
        told["code"] = step.failed.code
    return told
