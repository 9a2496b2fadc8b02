# SPDX-License-Identifier: Apache-2.0
"""Decide which step may start next. No I/O, no clock, no tasks.

State, for a plan of steps:

    waiting   step -> what it still waits for   {"summary": {"transcript"}}
    ready     steps that wait for nothing       ["transcript"]
    running   steps handed out by `start`       {"transcript"}
    settled   step -> outcome                   {"transcript": Outcome.done}

A step *needs* another (it reads its output) or merely comes *after* it. A failure
skips both kinds of followers, a skip only those that need the output; and a step
with a default stops the skipping, because its default flows on.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Set as AbstractSet
from enum import Enum

from msgspec import Struct, field

from lao.workflow.steps import StepId

_NONE: Mapping[StepId, AbstractSet[StepId]] = {}


class Outcome(Enum):
    """How a step ended."""

    done = "done"
    failed = "failed"
    skipped = "skipped"


class Scheduler(Struct):
    """Hand out steps in an order that respects their needs.

    `waiting` says for how many others a step still waits.
    """

    needs: Mapping[StepId, AbstractSet[StepId]]
    after: Mapping[StepId, AbstractSet[StepId]] = field(default_factory=lambda: _NONE)
    defaults: AbstractSet[StepId] = frozenset()
    ready: deque[StepId] = field(default_factory=deque)
    running: set[StepId] = field(default_factory=set)
    settled: dict[StepId, Outcome] = field(default_factory=dict)
    waiting: dict[StepId, int] = field(default_factory=dict)
    followers: dict[StepId, list[StepId]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Work out who waits for whom."""
        followers, waiting = self.followers, self.waiting
        for step in self.needs:
            followers[step] = []
        for step, needs in self.needs.items():
            before = needs | self.after[step] if step in self.after else needs
            for other in before:
                followers[other].append(step)
            if before:
                waiting[step] = len(before)
            else:
                self.ready.append(step)

    @property
    def finished(self) -> bool:
        """Whether every step has an outcome."""
        return len(self.settled) == len(self.needs)

    def start(self, limit: int) -> list[StepId]:
        """Move up to `limit` ready steps to running and return them."""
        if not self.ready:
            return []
        if limit >= len(self.ready):
            started = list(self.ready)
            self.ready.clear()
        else:
            started = [self.ready.popleft() for _ in range(max(0, limit))]
        self.running.update(started)
        return started

    def recall(self, ended: Mapping[StepId, Outcome]) -> list[StepId]:
        """Settle what ended in an earlier process; return the steps that this skips.

        `ended` holds, with each step, every step before it. To be called first.
        """
        skipped: list[StepId] = []
        for step in self.needs:
            if step in ended and step not in self.settled:
                self.waiting.pop(step, None)
                self.running.add(step)
                skipped += self.settle(step, ended[step])
        self.ready = deque(step for step in self.ready if step not in self.settled)
        return [step for step in skipped if step not in ended]

    def settle(self, step: StepId, outcome: Outcome) -> list[StepId]:
        """Record how a step ended; return the steps that this skips, in order.

        A step skipped by its own condition, with a default, is `Outcome.done` here:
        its value exists.

        Raises:
            KeyError: `step` is not running.
        """
        self.running.remove(step)
        self.settled[step] = outcome
        if outcome is Outcome.done:
            self._release(self.followers[step])
            return []
        skipped: list[StepId] = []
        ended: deque[tuple[StepId, Outcome]] = deque([(step, outcome)])
        while ended:
            step, outcome = ended.popleft()
            if outcome is Outcome.done:
                self._release(self.followers[step])
                continue
            for follower in self.followers[step]:
                if follower not in self.waiting:
                    continue
                if outcome is Outcome.failed or step in self.needs[follower]:
                    del self.waiting[follower]
                    self.settled[follower] = Outcome.skipped
                    skipped.append(follower)
                    flows_on = follower in self.defaults
                    after = Outcome.done if flows_on else Outcome.skipped
                    ended.append((follower, after))
                else:
                    self._release([follower])
        return skipped

    def _release(self, followers: Iterable[StepId]) -> None:
        """Count one step less that each of them waits for, if it still waits."""
        waiting = self.waiting
        for follower in followers:
            left = waiting.get(follower, 0) - 1
            if left > 0:
                waiting[follower] = left
            elif left == 0:
                del waiting[follower]
                self.ready.append(follower)
