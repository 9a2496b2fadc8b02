# SPDX-License-Identifier: Apache-2.0
"""Reads what `runner.py` says about a list of attempts, up to where its process ended."""

import json
import signal
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from lao.isolation.lock import import_path
from lao.verify.attempt import Bait, Outcome

RUNNER: Final = str(Path(__file__).with_name("runner.py"))


@dataclass(slots=True)
class Listing:
    """The attempts that are wanted, and what is known about each so far."""

    wanted: tuple[str, ...]
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    proof: Mapping[str, Any] = field(default_factory=dict)
    begun: str = ""

    @property
    def missing(self) -> tuple[str, ...]:
        """The attempts without an outcome."""
        return tuple(name for name in self.wanted if name not in self.outcomes)

    def take(self, lines: Iterable[str]) -> None:
        """Take what a runner has said; what is no line of its own says nothing."""
        for line in lines:
            try:
                said: Any = json.loads(line)
            except ValueError:
                continue
            if not isinstance(said, dict):
                continue
            if "layers" in said:
                self.proof = said
            self.begun = str(said.get("begins", ""))
            if "ended" in said:
                self.outcomes[str(said["ended"])] = outcome_from(said.get("outcome"))

    def end(self, how: str) -> None:
        """Take the end of a runner: the attempt under way is what ended it."""
        if self.begun and self.begun not in self.outcomes:
            self.outcomes[self.begun] = Outcome(succeeded=False, errno=how)
        self.begun = ""


def outcome_from(said: object) -> Outcome:
    """Return the outcome that `asdict` wrote; it comes out of a hostile process."""
    match said:
        case {
            "succeeded": bool(succeeded),
            "errno": str(errno),
            "detail": str(detail),
            "cannot": str(cannot),
        }:
            return Outcome(
                succeeded=succeeded, errno=errno, detail=detail, cannot=cannot
            )
        case _:
            return Outcome(succeeded=False, detail="it answered nonsense")


def runner_order(
    names: tuple[str, ...], bait: Bait, *, lock: Literal["", "orchestrator"] = ""
) -> str:
    """Return the argument of a runner."""
    return json.dumps(
        {
            "lock": lock,
            "bait": asdict(bait),
            "attempts": names,
            "packages": import_path(),
        }
    )


def how_it_ended(code: int) -> str:
    """Return the name of the signal that ended a process, or its exit code."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
