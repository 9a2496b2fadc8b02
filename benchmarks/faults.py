# SPDX-License-Identifier: Apache-2.0
"""Every fault at every system call of a durable run, and whether the store kept its word.

    python -m benchmarks.faults [--every N] [--jobs N] [--only CALL[:ACT]] [--full]

A victim runs a workflow of twelve steps (branches side by side, a `for_each`, a large
value, a cached twin) while strace makes its Nth write, fsync, rename, … fail or kills
it there. Then the rig looks at what is left, lets a second process go on, and compares.
Needs Linux and strace; the tests run a sample of the same.
"""

import argparse
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.fault_rig import (
    Case,
    Fault,
    Place,
    Undisturbed,
    can_inject,
    faults,
    run_undisturbed,
    survey,
)

ACTS = ("signal=SIGKILL", "error=ENOSPC", "error=EIO")


def inject(fault: Fault, folder: Path, undisturbed: Undisturbed) -> list[str]:
    """Break one run; return the promises that were broken."""
    place = Place(folder / f"{fault.call}-{fault.act}-{fault.at}-{fault.lasts}")
    first = place.break_down(fault)
    wrong = Case(place, first, undisturbed).judge(*fault.arguments)
    if not wrong:
        for each in folder.glob(f"{place.folder.name}*"):
            shutil.rmtree(each)
    return wrong


def row_of(fault: Fault) -> tuple[str, str]:
    """Return the row and the column of the table that a fault counts in."""
    act = fault.act.partition("=")[2]
    return fault.call, f"{act}, lasting" if fault.lasts else act


def print_table(injected: Counter[tuple[str, str]], broken: Iterable[Fault]) -> None:
    """Print how many faults were injected and survived, by call and kind."""
    bad = Counter(map(row_of, broken))
    columns = sorted({column for _, column in injected})
    print("| system call | " + " | ".join(columns) + " |")
    print("|---" * (len(columns) + 1) + "|")
    for call in sorted({call for call, _ in injected}):
        cells = [
            f"{injected[call, each] - bad[call, each]}/{injected[call, each]}"
            for each in columns
        ]
        print(f"| {call} | " + " | ".join(cells) + " |")
    total, violations = injected.total(), bad.total()
    print(f"\n{total} injected, {total - violations} survived, {violations} violations")


def sweep(chosen: Sequence[Fault], folder: Path, *, jobs: int) -> int:
    """Inject the faults; print what broke at once and the table at the end."""
    undisturbed = run_undisturbed(folder / "undisturbed", *chosen[0].arguments)
    injected: Counter[tuple[str, str]] = Counter(map(row_of, chosen))
    broken: list[Fault] = []
    with ThreadPoolExecutor(jobs) as pool:
        results = pool.map(lambda each: inject(each, folder, undisturbed), chosen)
        for fault, wrong in zip(chosen, results, strict=True):
            if wrong:
                broken.append(fault)
                print(f"VIOLATION {fault}: {'; '.join(wrong)}", flush=True)
    print_table(injected, broken)
    return 1 if broken else 0


def main() -> int:
    """Sweep as the arguments say."""
    parser = argparse.ArgumentParser(description="faults at every system call")
    parser.add_argument("--every", type=int, default=1, help="only every Nth fault")
    parser.add_argument("--jobs", type=int, default=2, help="victims side by side")
    parser.add_argument("--only", default="", help="such as fsync or fsync:error=EIO")
    parser.add_argument("--full", action="store_true", help="with durability: full")
    chosen = parser.parse_args()
    if not can_inject():
        sys.exit("strace is missing (on Debian: apt install strace), or may not trace")
    folder = Path(tempfile.mkdtemp(prefix="faults-")).resolve()
    arguments = ("--durability", "full") if chosen.full else ()
    calls = survey(folder / "survey", *arguments)
    all_faults = [
        fault
        for fault in faults(calls, ACTS, *arguments)
        if f"{fault.call}:{fault.act}".startswith(chosen.only)
    ][:: chosen.every]
    began = time.monotonic()
    code = sweep(all_faults, folder, jobs=chosen.jobs)
    print(f"{time.monotonic() - began:.0f} s")
    if code:
        print(f"what the broken ones left is in {folder}")
    else:
        shutil.rmtree(folder)
    return code


if __name__ == "__main__":
    sys.exit(main())
