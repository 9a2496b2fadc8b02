# SPDX-License-Identifier: Apache-2.0
"""The facts about a run: a closed set, in the past tense, and their fold.

Whatever LAO shows or keeps of a run (progress bars, the report, the journal)
folds these facts; nothing else is true. On the wire an event is one JSON object:
`{"run", "sequence", "time", "kind", …the fact's own fields}`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Literal

from lao.workflow.values import FileValue, JsonValue, Value


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """A run began. `steps` in the order of the plan; `locality` in words."""

    workflow: str
    steps: tuple[str, ...]
    locality: str = ""
    kind: Literal["run-started"] = "run-started"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResumed:
    """A run goes on. `recalled` steps ended before and are taken over as they are.

    `items` says, for a list that was cut off, how many of its elements are.
    """

    recalled: tuple[str, ...] = ()
    items: Mapping[str, int] = field(default_factory=dict)
    locality: str = ""
    kind: Literal["run-resumed"] = "run-resumed"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepStarted:
    """A step began. `model` is a label for people; `items` the length of a list."""

    step: str
    model: str = ""
    items: int | None = None
    kind: Literal["step-started"] = "step-started"


@dataclass(frozen=True, slots=True, kw_only=True)
class TextProduced:
    """A model said the next piece of its answer. Not kept in journals."""

    step: str
    text: str
    item: int | None = None
    kind: Literal["text-produced"] = "text-produced"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressMade:
    """A step is `done` of `total` `unit`s along. Not kept in journals."""

    step: str
    done: float
    total: float
    unit: str
    item: int | None = None
    kind: Literal["progress-made"] = "progress-made"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRetried:
    """Attempt number `attempt` failed; the next follows after `delay` seconds."""

    step: str
    attempt: int
    code: str
    what: str
    delay: float
    item: int | None = None
    kind: Literal["step-retried"] = "step-retried"


@dataclass(frozen=True, slots=True, kw_only=True)
class FallbackChosen:
    """A step's model failed for good; `model` takes its place."""

    step: str
    model: str
    code: str
    what: str
    item: int | None = None
    kind: Literal["fallback-chosen"] = "fallback-chosen"


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemFinished:
    """One element of a `for_each` step is done. The rest as in `StepFinished`."""

    step: str
    item: int
    value: Value
    made_by: str = ""
    tokens_in: int | None = None
    tokens_out: int | None = None
    model_seconds: float | None = None
    cached: bool = False
    key: str = ""
    kind: Literal["item-finished"] = "item-finished"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFinished:
    """A step is done; `value` is its output. Tokens and times where known.

    `key` names the result in the cache; `ingredients` holds a short digest of each
    thing that could change it. It is not `reproducible` if it was sampled without a
    seed: asking again would give something else.
    """

    step: str
    value: Value
    made_by: str = ""
    seconds: float = 0.0
    tokens_in: int | None = None
    tokens_out: int | None = None
    model_seconds: float | None = None
    attempts: int = 1
    cached: bool = False
    notes: tuple[str, ...] = ()
    key: str = ""
    ingredients: Mapping[str, str] = field(default_factory=dict)
    model_digest: str = ""
    reproducible: bool = True
    kind: Literal["step-finished"] = "step-finished"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFailed:
    """A step gave up. `exit_code` is what the command line would end with."""

    step: str
    code: str
    what: str
    mend: str = ""
    exit_code: int = 3
    kind: Literal["step-failed"] = "step-failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepSkipped:
    """A step did not run, and why. `value` is its declared default, if it has one."""

    step: str
    reason: str
    has_default: bool = False
    value: Value = None
    kind: Literal["step-skipped"] = "step-skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyViolated:
    """Something tried to leave the machine or the sandbox, and was stopped."""

    step: str
    code: str
    what: str
    kind: Literal["policy-violated"] = "policy-violated"


RunStatus = Literal["running", "done", "failed", "cancelled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished:
    """A run ended. `outputs` holds those that could be made."""

    status: RunStatus
    outputs: Mapping[str, Value] = field(default_factory=dict)
    seconds: float = 0.0
    kind: Literal["run-finished"] = "run-finished"


Fact = (
    RunStarted
    | RunResumed
    | StepStarted
    | TextProduced
    | ProgressMade
    | StepRetried
    | FallbackChosen
    | ItemFinished
    | StepFinished
    | StepFailed
    | StepSkipped
    | PolicyViolated
    | RunFinished
)


@dataclass(frozen=True, slots=True)
class Event:
    """A fact, with the run it belongs to, its number there (from 1) and its time."""

    run: str
    sequence: int
    time: float
    fact: Fact


_KEPT_TEXT = 8192  # characters; joining a whole long answer anew each time is quadratic

StepStatus = Literal["waiting", "running", "done", "failed", "skipped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepState:
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


@dataclass(slots=True, kw_only=True)
class RunState:
    """What is known of a run: the fold of its events. `apply` is the only way in."""

    run: str = ""
    workflow: str = ""
    locality: str = ""
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
                self.steps = dict.fromkeys(fact.steps, StepState())
            case RunResumed() as fact:
                self._resume(fact)
            case RunFinished() as fact:
                self.status, self.outputs = fact.status, fact.outputs
                self.seconds += fact.seconds
            case PolicyViolated() as fact:
                self.violations.append(fact)
            case fact:
                state = self.steps.get(fact.step, StepState())
                self.steps[fact.step] = _after(state, fact)

    def _resume(self, fact: RunResumed) -> None:
        """Keep what is taken over; the rest waits again."""
        self.status, self.locality, self.outputs = "running", fact.locality, {}
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
        case RunStarted() | RunResumed() | RunFinished() | PolicyViolated():
            return state


def fold(events: Iterable[Event]) -> RunState:
    """Rebuild the state of a run from its events, in order."""
    state = RunState()
    for event in events:
        state.apply(event)
    return state


def event_to_json(event: Event) -> dict[str, JsonValue]:
    """Return the event as the JSON object described at the top of this file."""
    line: dict[str, JsonValue] = {
        "run": event.run,
        "sequence": event.sequence,
        "time": round(event.time, 6),
        "kind": event.fact.kind,
    }
    for each in fields(event.fact):
        if each.name != "kind":
            line[each.name] = value_to_json(getattr(event.fact, each.name))
    return line


def value_to_json(value: object) -> JsonValue:
    """Return a value as JSON; a file becomes `{"file": path, "type": kind}`."""
    match value:
        case FileValue():
            return {"file": value.path, "type": value.kind}
        case Mapping():
            return {str(key): value_to_json(item) for key, item in value.items()}
        case list() | tuple():
            return [value_to_json(item) for item in value]
        case str() | int() | float() | bool() | None:
            return value
        case _:
            raise TypeError(f"{type(value).__name__} is not a value")
