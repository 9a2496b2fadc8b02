# SPDX-License-Identifier: Apache-2.0
"""The facts about a run, each with its number and time."""

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct, field

from lao.workflow.values import JsonValue, Value


class RunStarted(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A run began. `steps` in the order of the plan; `locality` in words.

    No worker of the run begins to work before the kernel has proved `level` of it;
    `layers` is what it proved of the process that carries out the run.
    """

    workflow: str
    steps: tuple[str, ...]
    locality: str = ""
    level: str = ""
    layers: Mapping[str, JsonValue] = field(default_factory=dict)
    kind: Literal["run-started"] = "run-started"


class RunResumed(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A run goes on. `recalled` steps ended before and are taken over as they are.

    `items` says, for a list that was cut off, how many of its elements are. The rest
    as in `RunStarted`.
    """

    recalled: tuple[str, ...] = ()
    items: Mapping[str, int] = field(default_factory=dict)
    locality: str = ""
    level: str = ""
    layers: Mapping[str, JsonValue] = field(default_factory=dict)
    kind: Literal["run-resumed"] = "run-resumed"


class StepStarted(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A step began. `model` is a label for people; `items` the length of a list."""

    step: str
    model: str = ""
    items: int | None = None
    kind: Literal["step-started"] = "step-started"


class WorkerLocked(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A worker answered for the first time in this run; `layers` is what it proved.

    `worker` is the label of its model.
    """

    step: str
    worker: str
    level: str
    layers: Mapping[str, JsonValue] = field(default_factory=dict)
    kind: Literal["worker-locked"] = "worker-locked"


class TextProduced(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A model said the next piece of its answer. Not kept in journals."""

    step: str
    text: str
    item: int | None = None
    kind: Literal["text-produced"] = "text-produced"


class ProgressMade(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A step is `done` of `total` `unit`s along. Not kept in journals."""

    step: str
    done: float
    total: float
    unit: str
    item: int | None = None
    kind: Literal["progress-made"] = "progress-made"


class StepRetried(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Attempt number `attempt` failed; the next follows after `delay` seconds."""

    step: str
    attempt: int
    code: str
    what: str
    delay: float
    item: int | None = None
    kind: Literal["step-retried"] = "step-retried"


class FallbackChosen(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A step's model failed for good; `model` takes its place."""

    step: str
    model: str
    code: str
    what: str
    item: int | None = None
    kind: Literal["fallback-chosen"] = "fallback-chosen"


class ItemFinished(Struct, frozen=True, kw_only=True, omit_defaults=True):
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


class StepFinished(Struct, frozen=True, kw_only=True, omit_defaults=True):
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


class StepFailed(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A step gave up. `exit_code` is what the command line would end with."""

    step: str
    code: str
    what: str
    mend: str = ""
    exit_code: int = 3
    kind: Literal["step-failed"] = "step-failed"


class StepSkipped(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A step did not run, and why. `value` is its declared default, if it has one."""

    step: str
    reason: str
    has_default: bool = False
    value: Value = None
    kind: Literal["step-skipped"] = "step-skipped"


class PolicyViolated(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something tried to leave the machine or the sandbox, and was stopped."""

    step: str
    code: str
    what: str
    kind: Literal["policy-violated"] = "policy-violated"


RunStatus = Literal["running", "done", "failed", "cancelled"]


class RunFinished(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A run ended. `outputs` holds those that could be made."""

    status: RunStatus
    outputs: Mapping[str, Value] = field(default_factory=dict)
    seconds: float = 0.0
    kind: Literal["run-finished"] = "run-finished"


Fact = (
    RunStarted
    | RunResumed
    | StepStarted
    | WorkerLocked
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


class Event(Struct, frozen=True):
    """A fact, with the run it belongs to, its number there (from 1) and its time."""

    run: str
    sequence: int
    time: float
    fact: Fact
