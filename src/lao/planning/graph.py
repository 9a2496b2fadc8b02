# SPDX-License-Identifier: Apache-2.0
"""The graph of steps: an order that respects needs, or the cycle that forbids it."""

from collections import deque
from collections.abc import Mapping, Set as AbstractSet

from lao.workflow.steps import StepId

Needs = Mapping[StepId, AbstractSet[StepId]]


def in_order(needs: Needs) -> list[StepId] | None:
    """Return the steps so that each follows what it needs; None if there is a cycle.

    Among steps that could come next, the order of `needs` decides (Kahn's algorithm).
    """
    missing = {step: len(some) for step, some in needs.items()}
    dependents: dict[StepId, list[StepId]] = {step: [] for step in needs}
    for step, some in needs.items():
        for need in some:
            dependents[need].append(step)
    ready = deque(step for step, count in missing.items() if not count)
    order: list[StepId] = []
    while ready:
        step = ready.popleft()
        order.append(step)
        for dependent in dependents[step]:
            missing[dependent] -= 1
            if not missing[dependent]:
                ready.append(dependent)
    return order if len(order) == len(needs) else None


def find_cycle(needs: Needs) -> list[StepId]:
    """Return the steps of one cycle, each needing the next; the first comes last again.

    Only called when `in_order` found that there is one.
    """
    left = {step: set(some) for step, some in needs.items()}
    free = deque(step for step, some in left.items() if not some)
    dependents: dict[StepId, list[StepId]] = {step: [] for step in needs}
    for step, some in needs.items():
        for need in some:
            dependents[need].append(step)
    while free:
        step = free.popleft()
        del left[step]
        for dependent in dependents[step]:
            left[dependent].discard(step)
            if not left[dependent]:
                free.append(dependent)
    # Whatever is left needs something that is left: following needs must repeat.
    path: dict[StepId, None] = {}
    step = next(iter(left))
    while step not in path:
        path[step] = None
        step = min(left[step])
    walked = list(path)
    return [*walked[walked.index(step) :], step]


def draw_cycle(cycle: list[StepId]) -> str:
    """Draw a cycle in one line: `a → b → a`; long ones are cut in the middle."""
    shown = [str(step) for step in cycle]
    if len(shown) > 12:
        shown = [*shown[:6], f"… {len(shown) - 11} more …", *shown[-5:]]
    return " → ".join(shown)
