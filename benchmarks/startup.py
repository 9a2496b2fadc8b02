# SPDX-License-Identifier: Apache-2.0
"""What it costs to start: CPU time of whole processes, as ratios to bare Python.

    python benchmarks/startup.py [RUNS]

Runs each command RUNS times (default 15) in turns, so that a busy machine slows all
alike, and prints the median of user + system time. Source of the figures: `wait4`.
"""

import os
import statistics
import subprocess
import sys
import sysconfig
from pathlib import Path

LAO = str(Path(sysconfig.get_path("scripts"), "lao"))
COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "import asyncio, sqlite3": [sys.executable, "-c", "import asyncio, sqlite3"],
    "lao --version": [LAO, "--version"],
    "lao --help": [LAO, "--help"],
    "lao chain … --explain": [LAO, "chain", "'a text' | summarize", "--explain"],
    "lao chain … (one run)": [LAO, "chain", "'a text to sum up' | summarize", "-q"],
}


def cpu_seconds(command: list[str]) -> float:
    """Run a command; return its user + system time, children included."""
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, _, used = os.wait4(process.pid, 0)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Measure and print one table."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(runs + 1):
        for name, command in COMMANDS.items():
            times[name].append(cpu_seconds(command))
    floor = statistics.median(times["python -c pass"][1:])
    print(f"{'what':<26} {'CPU ms':>8} {'× bare Python':>14}")
    for name, found in times.items():
        median = statistics.median(found[1:])
        print(f"{name:<26} {median * 1000:>8.1f} {median / floor:>14.1f}")


if __name__ == "__main__":
    main()
