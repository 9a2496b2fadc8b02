# SPDX-License-Identifier: Apache-2.0
"""What a benchmark found, and the table that shows it.

Needs the standard library alone. A group is a module with `measure(effort)`, which
yields a `Figure` for each row; `run_alone` makes a command of it.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from math import inf


class Verdict(Enum):
    """What a target says of a figure."""

    MET = "met"
    MISSED = "missed"
    NONE = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One row: what was measured, in which unit, each sample of it.

    `floor` names the figure of the same group that it stands on; `target` bounds the
    ratio to it from above (from below with `at_least`), `absolute` the value itself.
    The samples of a figure and of its floor are taken in turns in one call.
    """

    group: str
    name: str
    unit: str
    samples: tuple[float, ...]
    floor: str = ""
    target: float | None = None
    at_least: bool = False
    absolute: float | None = None
    versions: str = ""
    note: str = ""

    @property
    def value(self) -> float:
        """The median of all samples."""
        return statistics.median(self.samples)

    @property
    def best(self) -> float:
        """The sample that the rest of the machine disturbed least."""
        return max(self.samples) if self.at_least else min(self.samples)

    @property
    def key(self) -> str:
        """What names it among the figures of all groups."""
        return f"{self.group}: {self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How much to measure: `rounds` over all subjects of a group, while there is time.

    `quick` asks for the few rows that judge a change: no peers, small sizes.
    """

    quick: bool
    rounds: int
    until: float = inf
    """When no further round may begin, on the monotonic clock."""
    tell: Callable[[str], None] = lambda text: print(text, file=sys.stderr, flush=True)

    def turns(self, what: str = "") -> Iterator[int]:
        """Yield the numbers of the rounds: all of them, or those that time allows.

        One is always yielded. A round begins only if the slowest so far would still
        end in time.
        """
        longest = 0.0
        for number in range(self.rounds):
            began = time.monotonic()
            if number and began + longest > self.until:
                self.tell(f"time ran short: {what} {number} of {self.rounds} rounds")
                return
            yield number
            longest = max(longest, time.monotonic() - began)


Measure = Callable[[Effort], Iterable[Figure]]


def floor_of(figure: Figure, figures: Iterable[Figure]) -> Figure | None:
    """Return the figure that another stands on; None if it was not measured."""
    if not figure.floor:
        return None
    wanted = figure.group, figure.floor
    return next((each for each in figures if (each.group, each.name) == wanted), None)


def ratio_of(figure: Figure, figures: Iterable[Figure]) -> float | None:
    """Return how many times its floor a figure is, by the medians."""
    floor = floor_of(figure, figures)
    return figure.value / floor.value if floor and floor.value else None


def best_ratio_of(figure: Figure, figures: Iterable[Figure]) -> float | None:
    """Return the same by the best samples: what a busy machine disturbs least."""
    floor = floor_of(figure, figures)
    return figure.best / floor.best if floor and floor.best else None


def verdict_of(figure: Figure, figures: Iterable[Figure]) -> Verdict:
    """Return whether a figure keeps to its targets."""
    ratio = ratio_of(figure, figures)
    judged = [
        found >= bound if figure.at_least else found <= bound
        for found, bound in ((ratio, figure.target), (figure.value, figure.absolute))
        if found is not None and bound is not None
    ]
    if not judged:
        return Verdict.NONE
    return Verdict.MET if all(judged) else Verdict.MISSED


def number(value: float) -> str:
    """Return a figure in as many digits as mean something."""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}"


def target_of(figure: Figure) -> str:
    """Return the targets of a figure as the table shows them."""
    sign = "≥" if figure.at_least else "≤"
    words = []
    if figure.target is not None:
        words.append(f"{sign} {figure.target:g} ×")
    if figure.absolute is not None:
        words.append(f"{sign} {figure.absolute:,g} {figure.unit.split()[-1]}")
    return ", ".join(words)


def row_of(figure: Figure, figures: Sequence[Figure]) -> str:
    """Return the line of the table that shows a figure."""
    ratio = ratio_of(figure, figures)
    cells = (
        figure.name,
        f"{number(figure.value)} {figure.unit}",
        f"{number(figure.best)}",
        figure.floor,
        "" if ratio is None else f"{ratio:.2f}",
        target_of(figure),
        verdict_of(figure, figures).value,
        f"{len(figure.samples)}",
        "; ".join(each for each in (figure.versions, figure.note) if each),
    )
    return "| " + " | ".join(cells) + " |"


def table(figures: Sequence[Figure]) -> Iterator[str]:
    """Yield the lines of one Markdown table for each group, in the order of arrival."""
    for group in dict.fromkeys(each.group for each in figures):
        yield f"\n### {group}\n"
        yield (
            "| what | median | best | its floor | ratio | target | | samples"
            " | remarks |"
        )
        yield "|---|---:|---:|---|---:|---:|---|---:|---|"
        for figure in figures:
            if figure.group == group:
                yield row_of(figure, figures)


def summary(figures: Sequence[Figure]) -> str:
    """Return how many targets there are, and which were missed."""
    verdicts = [(each.key, verdict_of(each, figures)) for each in figures]
    missed = [key for key, verdict in verdicts if verdict is Verdict.MISSED]
    judged = [key for key, verdict in verdicts if verdict is not Verdict.NONE]
    line = f"{len(judged) - len(missed)} of {len(judged)} targets met"
    return "\n- ".join([f"{line}; missed:", *missed] if missed else [line])


def run_alone(measure: Measure) -> None:
    """Measure one group as the command line says, and print its table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="few rows, small sizes")
    parser.add_argument("--rounds", type=int, default=3, help="over all rows")
    chosen = parser.parse_args()
    figures = list(measure(Effort(quick=chosen.quick, rounds=chosen.rounds)))
    print("\n".join(table(figures)))
    print(f"\n{summary(figures)}")
