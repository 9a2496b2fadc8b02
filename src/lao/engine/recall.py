# SPDX-License-Identifier: Apache-2.0
"""What a run that goes on takes over from its earlier events: finished work, once.

A step is taken over if it ended well and every step before it is taken over. A
failed step runs again, and with it whatever stands behind it: that may have gone on
with a default that the step will now replace.
"""

from collections.abc import Iterable, Mapping

from msgspec import Struct, field

from lao.engine.attempt import Result
from lao.engine.scheduler import Outcome
from lao.events import (
    Event,
    ItemFinished,
    RunResumed,
    StepFailed,
    StepFinished,
    StepSkipped,
)
from lao.planning.plan import Plan
from lao.workflow.inference import ModelReply
from lao.workflow.steps import StepId
from lao.workflow.values import Value

Items = Mapping[int, Result]


class Recalled(Struct, frozen=True, kw_only=True):
    """Outcomes and values of steps, and elements of lists that were cut off."""

    outcomes: Mapping[StepId, Outcome] = field(default_factory=dict)
    values: Mapping[StepId, Value] = field(default_factory=dict)
    items: Mapping[StepId, Items] = field(default_factory=dict)
    sequence: int = 0


def recall(plan: Plan, past: Iterable[Event]) -> Recalled:
    """Return what `past`, the events of an earlier part of the run, leaves to take over."""
    ended: dict[str, StepFinished | StepSkipped] = {}
    items: dict[str, dict[int, Result]] = {}
    sequence = 0
    for event in past:
        sequence = event.sequence
        match event.fact:
            case StepFinished() | StepSkipped() as fact:
                ended[fact.step] = fact
            case StepFailed() as fact:
                ended.pop(fact.step, None)
            case ItemFinished() as fact:
                items.setdefault(fact.step, {})[fact.item] = _result(fact)
            case RunResumed() as fact:
                ended = {name: ended[name] for name in fact.recalled if name in ended}
                items = {name: items[name] for name in fact.items if name in items}
            case _:
                pass
    return _taken_over(plan, ended, items, sequence)


def _taken_over(
    plan: Plan,
    ended: Mapping[str, StepFinished | StepSkipped],
    items: Mapping[str, Items],
    sequence: int,
) -> Recalled:
    outcomes: dict[StepId, Outcome] = {}
    values: dict[StepId, Value] = {}
    partial: dict[StepId, Items] = {}
    for name, step in plan.steps.items():  # in an order that respects their needs
        if not (step.needs | step.after) <= outcomes.keys():
            continue
        match ended.get(name):
            case StepFinished() as fact:
                outcomes[name], values[name] = Outcome.done, fact.value
            case StepSkipped(has_default=True) as fact:
                outcomes[name], values[name] = Outcome.done, fact.value
            case StepSkipped():
                outcomes[name] = Outcome.skipped
            case None if name in items and step.for_each is not None:
                partial[name] = items[name]
            case None:
                pass
    return Recalled(outcomes=outcomes, values=values, items=partial, sequence=sequence)


def _result(fact: ItemFinished) -> Result:
    reply = ModelReply(
        value=None,
        made_by=fact.made_by,
        tokens_in=fact.tokens_in,
        tokens_out=fact.tokens_out,
        seconds=fact.model_seconds,
    )
    return Result(
        value=fact.value,
        reply=reply if fact.made_by else None,
        cached=fact.cached,
    )
