# SPDX-License-Identifier: Apache-2.0
"""Everything that is measured, in one run: a report, or a judgement of what changed.

    python -m benchmarks.suite [--only PART…] [--rounds N] [--no-peers] [--json FILE]
    python -m benchmarks.suite --quick [--record] [--only PART…] [--rounds N]

The report takes at most twenty minutes of two cores, beside the peers' environments,
which are made once. When time runs short it measures fewer rounds and says so. With
`--quick` a few rows run, and it fails if a ratio left its band in `bands.json` and did
so again when it was measured once more; `--record` writes the bands.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from benchmarks import (
    documents,
    engine,
    http_streaming,
    machine,
    memory,
    startup,
    tokens,
    worker_round_trips,
)
from benchmarks.bands import (
    Breach,
    breaches,
    group_in,
    part_of,
    read_bands,
    write_bands,
)
from benchmarks.cells import Failed
from benchmarks.figures import Effort, Figure, Measure
from benchmarks.peer_environments import (
    Environment,
    NoEnvironment,
    made_environments,
)
from benchmarks.report import Report

LATEST = Path(__file__).parent / "results" / "latest.json"

PARTS: Mapping[str, Measure] = {
    "engine": engine.measure,
    "start-up": startup.measure,
    "http": http_streaming.measure,
    "workers": worker_round_trips.measure,
    "documents": documents.measure,
    "memory": memory.measure,
    "tokens": tokens.measure,
}
QUICK = ("engine", "start-up", "workers", "documents")

SHARES: Mapping[str, float] = {"engine": 12.0, "memory": 2.0, "tokens": 1.5}
QUICK_SHARES: Mapping[str, float] = {"engine": 4.0}
"""The shares of the time that parts get; the others get 1."""

SECONDS, QUICK_SECONDS = 19 * 60.0, 75.0
"""What is shared out of 20 minutes, and of 90 seconds: a last round may take longer."""
ROUNDS, QUICK_ROUNDS = 5, 2


def seconds_for(
    part: str, later: Iterable[str], left: float, *, shares: Mapping[str, float]
) -> float:
    """Return how long a part may take: its share of what is left for it and the later.

    What one part did not need is there for the others, and what it overdrew is not.
    """
    weights = [shares.get(each, 1.0) for each in (part, *later)]
    return max(0.0, left) * weights[0] / sum(weights)


def measure_parts(parts: Mapping[str, Measure], effort: Effort, report: Report) -> None:
    """Measure the parts one after the other, each in its share until `effort.until`."""
    names = list(parts)
    shares = QUICK_SHARES if effort.quick else SHARES
    for at, (part, measure) in enumerate(parts.items(), start=1):
        began = time.monotonic()
        share = seconds_for(part, names[at:], effort.until - began, shares=shares)
        print(f"{part}: up to {share:.0f} s", file=sys.stderr, flush=True)
        _measure_part(part, measure, replace(effort, until=began + share), report)
        took = time.monotonic() - began
        report.seconds[part] = report.seconds.get(part, 0.0) + took


def _measure_part(part: str, measure: Measure, effort: Effort, report: Report) -> None:
    found: list[Figure] = []
    try:
        for figure in measure(effort):
            found.append(figure)  # noqa: PERF402  (what came before a failure counts)
    except (Failed, OSError, SystemExit, ValueError, subprocess.SubprocessError) as why:
        report.tell(f"{part} FAILED after {len(found)} figures: {why}")
    report.replace(found)


def judge(parts: Mapping[str, Measure], effort: Effort, report: Report) -> list[Breach]:
    """Return the bands that were left twice: whole parts are measured once more."""
    bands = read_bands()
    first = list(breaches(report.figures, bands, parts=parts))
    if not first:
        return []
    for breach in first:
        report.tell(f"measured once more: {breach}")
    again = {part_of(group_in(each.key)) for each in first}
    chosen = {part: each for part, each in parts.items() if part in again}
    measure_parts(chosen, replace(effort, until=_in(QUICK_SECONDS)), report)
    keys = {each.key for each in first}
    second = breaches(report.figures, bands, parts=chosen)
    return [each for each in second if each.key in keys]


def _in(seconds: float) -> float:
    return time.monotonic() + seconds


def peers(report: Report) -> Mapping[str, Environment | NoEnvironment]:
    """Return the peers' environments; those that could not be made are told."""
    began = time.monotonic()
    print("peers: their environments", file=sys.stderr, flush=True)
    made = dict(made_environments())
    for family, found in made.items():
        match found:
            case Environment():
                pass
            case NoEnvironment():
                report.tell(f"no rows of {family}: no environment for it: {found}")
    took = time.monotonic() - began
    print(f"peers: ready after {took:.0f} s, not counted", file=sys.stderr, flush=True)
    return made


def quick_run(chosen: argparse.Namespace, report: Report) -> int:
    """Measure the quick rows and judge them; return 1 if a ratio left its band."""
    parts = {part: PARTS[part] for part in chosen.only or QUICK}
    effort = Effort(
        quick=True,
        rounds=chosen.rounds or QUICK_ROUNDS,
        until=_in(QUICK_SECONDS),
        tell=report.tell,
    )
    measure_parts(parts, effort, report)
    if chosen.record:
        write_bands(report.figures)
        left: Sequence[Breach] = ()
    else:
        left = judge(parts, effort, report)
    _finish(chosen, report)
    for breach in left:
        print(f"\nFAILED: {breach}")
    return 1 if left else 0


def full_run(chosen: argparse.Namespace, report: Report) -> int:
    """Measure everything and report it: whatever is missed, that is no failure."""
    parts = {part: PARTS[part] for part in chosen.only or PARTS}
    if "engine" in parts and not chosen.no_peers:
        parts["engine"] = partial(engine.measure, peers=peers(report))
    effort = Effort(
        quick=False,
        rounds=chosen.rounds or ROUNDS,
        until=_in(SECONDS),
        tell=report.tell,
    )
    measure_parts(parts, effort, report)
    _finish(chosen, report)
    return 0


def _finish(chosen: argparse.Namespace, report: Report) -> None:
    report.after = machine.busyness()
    report.keep(chosen.json)
    print("\n".join(report.lines()), flush=True)


def main() -> int:
    """Measure as the arguments say."""
    parser = argparse.ArgumentParser(description="LAO's benchmarks")
    parser.add_argument(
        "--quick", action="store_true", help="few rows, and a judgement"
    )
    parser.add_argument("--record", action="store_true", help="write the bands")
    parser.add_argument("--only", nargs="+", choices=PARTS, metavar="PART")
    parser.add_argument("--rounds", type=int, help="over all rows")
    parser.add_argument("--json", type=Path, default=LATEST, metavar="FILE")
    parser.add_argument("--no-peers", action="store_true", help="LAO and its floors")
    chosen = parser.parse_args()
    if chosen.record and not chosen.quick:
        parser.error("--record needs --quick: the bands are those of the quick rows")
    report = Report(machine=machine.facts(), before=machine.busyness())
    return quick_run(chosen, report) if chosen.quick else full_run(chosen, report)


if __name__ == "__main__":
    sys.exit(main())
