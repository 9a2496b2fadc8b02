# SPDX-License-Identifier: Apache-2.0
"""What one run of the suite found, and what has to be said about it."""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from benchmarks.figures import (
    Figure,
    best_ratio_of,
    ratio_of,
    summary,
    table,
    verdict_of,
)


@dataclass(slots=True, kw_only=True)
class Report:
    """The figures, the notes, and how long each part took. State: it is filled."""

    machine: Mapping[str, str]
    before: str
    after: str = ""
    figures: list[Figure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    def tell(self, note: str) -> None:
        """Keep a note, and show it at once."""
        self.notes.append(note)
        print(f"  {note}", file=sys.stderr, flush=True)

    def replace(self, figures: Iterable[Figure]) -> None:
        """Take figures, each in the place of an earlier one of the same name."""
        by_key = {each.key: each for each in (*self.figures, *figures)}
        self.figures = list(by_key.values())

    def lines(self) -> Iterator[str]:
        """Yield it as Markdown."""
        yield "| machine | |\n|---|---|"
        for name, fact in self.machine.items():
            yield f"| {name} | {fact} |"
        yield f"| before | {self.before} |"
        yield f"| after | {self.after} |"
        took = (f"{part} {seconds:.0f}" for part, seconds in self.seconds.items())
        yield f"| seconds | {sum(self.seconds.values()):.0f}: {', '.join(took)} |"
        yield from table(self.figures)
        yield f"\n{summary(self.figures)}"
        for note in self.notes:
            yield f"\nNote: {note}"

    def keep(self, path: Path) -> None:
        """Write it to a file as JSON."""
        kept = {
            "machine": dict(self.machine),
            "busy": {"before": self.before, "after": self.after},
            "seconds": self.seconds,
            "notes": self.notes,
            "figures": [self._kept(figure) for figure in self.figures],
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", "utf-8")

    def _kept(self, figure: Figure) -> Mapping[str, object]:
        return {
            **asdict(figure),
            "value": figure.value,
            "best": figure.best,
            "ratio": ratio_of(figure, self.figures),
            "best_ratio": best_ratio_of(figure, self.figures),
            "verdict": verdict_of(figure, self.figures).value,
        }
