# SPDX-License-Identifier: Apache-2.0
"""What is known of a run: the fold of its events."""

from collections.abc import Iterable, Mapping
from typing import Literal

from msgspec import Struct, field
from msgspec.structs import replace

from lao.events.facts import (
    Event,
    Fact,
    FallbackChosen,
    ItemFinished,
    PolicyViolated,
    ProgressMade,
    RunFinished,
    RunResumed,
    RunStarted,
    RunStatus,
    StepFailed,
    StepFinished,
    StepRetried,
    StepSkipped,
    StepStarted,
    TextProduced,
    WorkerLocked,
)
from lao.workflow.values import JsonValue, Value

_KEPT_TEXT = 8192  # characters; joining a whole long answer anew each time is quadratic

StepStatus = Literal["waiting", "running", "done", "failed", "skipped"]


class StepState(Struct, frozen=True, kw_only=True):
    """What is known of one step. `text` is the end of what its model said so far."""

    status: StepStatus = "waiting"
    model: str = ""
    items: int | None = None
    items_done: int = 0
    text: str = ""
    progress: tuple[float, float, str] | None = None
    finished: StepFinished | None = None
    failed: StepFailed | None = None
    skipped: StepSkipped | None = None
    retries: int = 0


class RunState(Struct, kw_only=True):
    """What is known of a run: the fold of its events. `apply` is the only way in."""

    run: str = ""
    workflow: str = ""
    locality: str = ""
    level: str = ""
    layers: Mapping[str, JsonValue] = field(default_factory=dict)
    workers: dict[str, WorkerLocked] = field(default_factory=dict)
    status: RunStatus = "running"
    steps: dict[str, StepState] = field(default_factory=dict)
    outputs: Mapping[str, Value] = field(default_factory=dict)
    violations: list[PolicyViolated] = field(default_factory=list)
    seconds: float = 0.0

    def apply(self, event: Event) -> None:
        """Take one more event."""
        self.run = event.run
        match event.fact:
            case RunStarted() as fact:
                self.workflow, self.locality = fact.workflow, fact.locality
                self.level, self.layers = fact.level, fact.layers
                self.steps = dict.fromkeys(fact.steps, StepState())
            case RunResumed() as fact:
                self._resume(fact)
            case RunFinished() as fact:
                self.status, self.outputs = fact.status, fact.outputs
                self.seconds += fact.seconds
            case PolicyViolated() as fact:
                self.violations.append(fact)
            case WorkerLocked() as fact:
                self.workers[fact.worker] = fact
            case fact:
                state = self.steps.get(fact.step, StepState())
                self.steps[fact.step] = _after(state, fact)

    def _resume(self, fact: RunResumed) -> None:
        """Keep what is taken over; the rest waits again."""
        self.status, self.locality, self.outputs = "running", fact.locality, {}
        self.level, self.layers = fact.level, fact.layers
        for name in self.steps.keys() - set(fact.recalled):
            self.steps[name] = StepState(items_done=fact.items.get(name, 0))


def _after(state: StepState, fact: Fact) -> StepState:
    """Return what is known of a step once `fact` is."""
    match fact:
        case StepStarted():
            return replace(state, status="running", model=fact.model, items=fact.items)
        case TextProduced():
            end = fact.text[-_KEPT_TEXT:]
            return replace(state, text=(state.text + end)[-_KEPT_TEXT:])
        case ProgressMade():
            return replace(state, progress=(fact.done, fact.total, fact.unit))
        case StepRetried():
            return replace(state, retries=state.retries + 1, text="", progress=None)
        case FallbackChosen():
            return replace(state, model=fact.model, text="", progress=None)
        case ItemFinished():
            return replace(state, items_done=state.items_done + 1)
        case StepFinished():
            return replace(state, status="done", finished=fact)
        case StepFailed():
            return replace(state, status="failed", failed=fact)
        case StepSkipped():
            return replace(state, status="skipped", skipped=fact)
        case (
            RunStarted()
            | RunResumed()
            | RunFinished()
            | PolicyViolated()
            | WorkerLocked()
        ):
            return state


def fold(events: Iterable[Event]) -> RunState:
    """Rebuild the state of a run from its events, in order."""
    state = RunState()
    for event in events:
        state.apply(event)
    return state
