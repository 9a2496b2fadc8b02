# SPDX-License-Identifier: Apache-2.0
"""How far a ratio may go: what was recorded once, and the room that noise needs.

`bands.json` holds a bound for each figure that stands on a floor: the most that the
ratio of their best samples may be, or the least of a figure where more is better.
Nothing here knows an absolute time, nor a ratio of wall times: those depend on whatever
else the machine does. Nor does it judge what others stand on: that is not LAO's.
"""

import json
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figures import Figure, best_ratio_of

PATH = Path(__file__).with_name("bands.json")
ROOM = 1.6
"""What a ratio may grow by: a busy machine of two cores moves it by a fifth."""

Bands = Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """A figure outside its band; without a ratio where it was not measured at all."""

    key: str
    band: float
    ratio: float | None = None

    def __str__(self) -> str:
        if self.ratio is None:
            return f"{self.key}: not measured (its band is {self.band:g})"
        return (
            f"{self.key}: {self.ratio:.2f} × its floor, outside its band {self.band:g}"
        )


def read_bands(path: Path = PATH) -> Bands:
    """Return what was recorded; nothing if nothing was."""
    if not path.exists():
        return {}
    bands: dict[str, float] = json.loads(path.read_text("utf-8"))
    return bands


def bands_of(figures: Sequence[Figure]) -> Bands:
    """Return the bands to record for what was measured."""
    return dict(_bands_of(figures))


def _bands_of(figures: Sequence[Figure]) -> Iterator[tuple[str, float]]:
    floors = {(each.group, each.floor) for each in figures}
    for figure in figures:
        ratio = best_ratio_of(figure, figures)
        is_floor = (figure.group, figure.name) in floors
        if ratio is None or is_floor or figure.unit.startswith("wall "):
            continue
        # Rounded away from the ratio: a band is never narrower than the room.
        if figure.at_least:
            yield figure.key, math.floor(ratio / ROOM * 100) / 100
        else:
            yield figure.key, math.ceil(ratio * ROOM * 100) / 100


def write_bands(figures: Sequence[Figure], path: Path = PATH) -> None:
    """Record the bands of these figures; those of other groups stay."""
    groups = {each.group for each in figures}
    earlier = read_bands(path).items()
    kept = {key: band for key, band in earlier if group_in(key) not in groups}
    recorded = {**kept, **bands_of(figures)}
    text = json.dumps(recorded, indent=1, sort_keys=True, ensure_ascii=False)
    path.write_text(f"{text}\n", "utf-8")


def group_in(key: str) -> str:
    """Return the group of a figure's key."""
    return key.partition(": ")[0]


def breaches(
    figures: Sequence[Figure], bands: Bands, *, parts: Collection[str]
) -> Iterator[Breach]:
    """Yield each band that a figure leaves, or that has no figure.

    Judged are the figures of the `parts` that were measured: "engine" is the part of
    the group "engine, chain1000".
    """
    by_key = {each.key: each for each in figures}
    for key, band in bands.items():
        if part_of(group_in(key)) not in parts:
            continue
        figure = by_key.get(key)
        ratio = best_ratio_of(figure, figures) if figure else None
        if figure is None or ratio is None:
            yield Breach(key=key, band=band)
        elif ratio < band if figure.at_least else ratio > band:
            yield Breach(key=key, band=band, ratio=ratio)


def part_of(group: str) -> str:
    """Return the part of the suite that measures a group."""
    return group.partition(", ")[0]
