# SPDX-License-Identifier: Apache-2.0
"""The facts about a run: a closed set, in the past tense, and their fold.

Whatever LAO shows or keeps of a run (progress bars, the report, the journal)
folds these facts; nothing else is true. On the wire an event is one JSON object:
`{"run", "sequence", "time", "kind", …the fact's own fields}`.
"""

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
from lao.events.state import RunState, StepState, StepStatus, fold
from lao.events.wire import event_to_json, layers_of, value_to_json

__all__ = [
    "Event",
    "Fact",
    "FallbackChosen",
    "ItemFinished",
    "PolicyViolated",
    "ProgressMade",
    "RunFinished",
    "RunResumed",
    "RunStarted",
    "RunState",
    "RunStatus",
    "StepFailed",
    "StepFinished",
    "StepRetried",
    "StepSkipped",
    "StepStarted",
    "StepState",
    "StepStatus",
    "TextProduced",
    "WorkerLocked",
    "event_to_json",
    "fold",
    "layers_of",
    "value_to_json",
]
