# SPDX-License-Identifier: Apache-2.0
"""What an attempt and its control show together, and which layer it was that held."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, assert_never

from lao.verify.attempt import Area, Attempt, Kind, Layer, Outcome

Verdict = Literal["held", "open", "left open", "not shown"]
"""`open` is what should have held; `left open` is what nothing in force here promises."""

SOMETHING_ELSE = "something else"
_FILTER = frozenset({"EPERM", "ENOSYS", "SIGSYS"})
_RULES = frozenset({"EACCES", "EXDEV"})
_ABSENT = frozenset(
    {"ENOENT", "ESRCH", "ENETUNREACH", "ENXIO", "EIO", "EROFS"}
    | {"EINVAL"}  # a user that the namespace does not have
)
_NOT_GIVEN = frozenset({"EBADF", "ENODATA", "ENXIO"})
_LIMITED = frozenset({"EMFILE", "EFBIG", "EAGAIN", "ENOMEM", "ENOSPC", "EDQUOT"})
_WATCHED = ("worker.too-many-threads", "worker.out-of-memory", "worker.scratch-full")
_NAMES: Mapping[str, frozenset[str]] = {
    "seccomp": _FILTER,
    "landlock": _RULES,
    "namespaces": _ABSENT,
    "capabilities": frozenset({"EPERM"}),
    "limits": _LIMITED | frozenset(_WATCHED),
    "launch": _NOT_GIVEN,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """An attempt in one kind of process: the verdict, and how it came about.

    `layer` is the one that held, as far as the error tells; `why` says why nothing is
    shown. `phrase` is what was tried.
    """

    attempt: str
    area: Area | Literal["its lock", "its requests"]
    phrase: str
    kind: str
    verdict: Verdict
    layer: str = ""
    errno: str = ""
    why: str = ""


def layers_in_force(
    layers: Mapping[str, object], *, landlock_since: int = 1
) -> frozenset[Layer]:
    """Return the layers of a proof that count as promises in a process.

    Landlock counts from the version on that stops what is asked about. Limits and what a launcher withholds are in every worker; the others are proved by
    its own self-check.
    """
    found: set[Layer] = {"limits", "launch"}
    if layers.get("seccomp"):
        found.add("seccomp")
    abi = layers.get("landlock")
    if isinstance(abi, int) and abi >= landlock_since:
        found.add("landlock")
    if layers.get("namespaces"):
        found.add("namespaces")
    if layers.get("no_capabilities"):
        found.add("capabilities")
    return frozenset(found)


def judge(
    attempt: Attempt,
    kind: Kind,
    outcomes: tuple[Outcome, Outcome],
    *,
    layers: Mapping[str, object],
    had_effect: bool,
) -> Finding:
    """Say what the outcomes (unlocked, locked) of an attempt show under some layers.

    An attempt with an effect has succeeded, whatever it says of itself.
    """
    control, outcome = outcomes
    in_force = layers_in_force(layers, landlock_since=attempt.landlock_since)
    promised = not in_force.isdisjoint(attempt.stopped_by)
    verdict, why, layer = _verdict(control, outcome, had_effect=had_effect), "", ""
    match verdict:
        case "open":
            verdict = "open" if promised else "left open"
            why = "" if outcome.succeeded else "it said that it was refused"
        case "held":
            layer = layer_that_held(attempt, outcome, in_force)
        case "not shown":
            why = why_nothing_is_shown(control, outcome)
        case "left open":
            pass
        case _:
            assert_never(verdict)
    return Finding(
        attempt=attempt.name,
        area=attempt.area,
        phrase=attempt.phrase,
        kind=kind,
        verdict=verdict,
        layer=layer,
        errno=outcome.errno,
        why=why,
    )


def _verdict(control: Outcome, outcome: Outcome, *, had_effect: bool) -> Verdict:
    if outcome.succeeded or had_effect:
        return "open"
    if not control.succeeded or outcome.cannot or not _is_an_answer(outcome):
        return "not shown"
    return "held"


def _is_an_answer(outcome: Outcome) -> bool:
    """Whether the attempt came to an end that says something."""
    return bool(outcome.errno) and outcome.errno != "ETIMEDOUT"


def why_nothing_is_shown(control: Outcome, outcome: Outcome) -> str:
    """Return the reason, in words for a person."""
    if control.cannot:
        return control.cannot
    if not control.succeeded:
        words = f" ({control.detail})" if control.detail else ""
        return f"fails unlocked too: {control.errno}{words}"
    return outcome.cannot or outcome.detail or outcome.errno or "it did not answer"


def layer_that_held(
    attempt: Attempt, outcome: Outcome, in_force: frozenset[Layer]
) -> str:
    """Return which layer refused, by the error; "something else" where it is not clear.

    Only a layer that is in force, and that promises to stop this attempt, is named.
    """
    for layer in attempt.stopped_by:
        if layer in in_force and outcome.errno in _NAMES[layer]:
            return layer
    return SOMETHING_ELSE
