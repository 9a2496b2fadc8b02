# SPDX-License-Identifier: Apache-2.0
"""What differs between two runs: the workflow, inputs, each step's making, outputs."""

from msgspec import Struct

from lao.events import StepState
from lao.history.differences import Change, changes
from lao.history.kept_runs import KeptRun
from lao.workflow.values import Value


class StepPair(Struct, frozen=True, kw_only=True):
    """One step in both runs; None where a run has no such step.

    `ingredients` names what went in and differs; of a step whose output was pinned in
    one of the runs, that alone is known. `is_same` is whether the step ended
    in the same way with the same result.
    """

    name: str
    before: StepState | None
    after: StepState | None
    ingredients: tuple[str, ...] = ()
    is_same: bool = True

    @property
    def is_unexplained(self) -> bool:
        """Whether the result differs though nothing that went in is known to."""
        both = self.before is not None and self.after is not None
        return both and not self.is_same and not self.ingredients


class Comparison(Struct, frozen=True, kw_only=True):
    """Everything that differs between two runs. Times never count as a difference."""

    before: KeptRun
    after: KeptRun
    workflow: tuple[Change, ...]
    inputs: tuple[Change, ...]
    files: tuple[str, ...]
    steps: tuple[StepPair, ...]
    outputs: tuple[Change, ...]

    @property
    def is_same(self) -> bool:
        """Whether nothing differs."""
        changed = self.workflow or self.inputs or self.files or self.outputs
        same = all(each.is_same and not each.ingredients for each in self.steps)
        return same and not changed


def compare_runs(before: KeptRun, after: KeptRun) -> Comparison:
    """Return what differs between two runs."""
    return Comparison(
        before=before,
        after=after,
        workflow=changes(_workflow(before), _workflow(after)),
        inputs=changes(before.inputs, after.inputs),
        files=_changed_files(before, after),
        steps=_pairs(before, after),
        outputs=changes(before.state.outputs, after.state.outputs),
    )


def _workflow(run: KeptRun) -> dict[str, Value]:
    found: dict[str, Value] = {"name": run.record.workflow}
    if run.order is not None:
        found["text"] = run.order.workflow
    return found


def _changed_files(before: KeptRun, after: KeptRun) -> tuple[str, ...]:
    """Return the paths that both runs read, with another content each."""
    both = before.files.keys() & after.files.keys()
    return tuple(sorted(p for p in both if before.files[p] != after.files[p]))


def _pairs(first: KeptRun, second: KeptRun) -> tuple[StepPair, ...]:
    before, after = first.state.steps, second.state.steps
    differently = first.pinned.keys() ^ second.pinned.keys()
    return tuple(
        _pair(
            name, before.get(name), after.get(name), is_pinned_once=name in differently
        )
        for name in {**before, **after}
    )


def _pair(
    name: str,
    before: StepState | None,
    after: StepState | None,
    *,
    is_pinned_once: bool,
) -> StepPair:
    if before is None or after is None:
        return StepPair(name=name, before=before, after=after, is_same=False)
    changed = ("pinned",) if is_pinned_once else _changed_ingredients(before, after)
    return StepPair(
        name=name,
        before=before,
        after=after,
        ingredients=changed,
        is_same=before.status == after.status and _result(before) == _result(after),
    )


def _changed_ingredients(before: StepState, after: StepState) -> tuple[str, ...]:
    if before.finished is None or after.finished is None:
        return ()
    old, new = before.finished.ingredients, after.finished.ingredients
    return tuple(name for name in {**old, **new} if old.get(name) != new.get(name))


def _result(step: StepState) -> tuple[Value, str]:
    """Return what a step came to: its value, or the code of its failure."""
    if step.finished is not None:
        return step.finished.value, ""
    if step.failed is not None:
        return None, step.failed.code
    return (step.skipped.value if step.skipped else None), ""
