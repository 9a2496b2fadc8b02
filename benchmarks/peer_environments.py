# SPDX-License-Identifier: Apache-2.0
"""The peers' environments: one for each family, made once below `.bench/`.

    python -m benchmarks.peer_environments [--lock]

Each is made with `venv` and filled with what `benchmarks/peers/FAMILY.txt` names, every
hash checked, nothing resolved. `--lock` chooses the versions anew (needs uv). Some
peers send telemetry as they come: `QUIET` turns it off.
"""

import argparse
import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
PINS = ROOT / "benchmarks" / "peers"
HOME = ROOT / ".bench"
MAKING = 600.0
"""Seconds that an environment may take to be made."""

FAMILIES: Mapping[str, tuple[str, ...]] = {
    "langgraph": ("langgraph", "langgraph-checkpoint-sqlite"),
    "dbos": ("dbos",),
    "burr": ("burr",),
    "hamilton": ("sf-hamilton",),
    "haystack": ("haystack-ai",),
}
"""The distributions that a family's benchmark uses itself."""

QUIET = {
    "ANONYMIZED_TELEMETRY": "False",
    "DO_NOT_TRACK": "1",
    "HAMILTON_TELEMETRY_ENABLED": "false",
    "HAYSTACK_TELEMETRY_ENABLED": "False",
    "LANGCHAIN_TRACING_V2": "false",
    "LANGSMITH_TRACING": "false",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """A family's own Python, and the versions in it."""

    python: Path
    versions: str


class NoEnvironment(Exception):
    """An environment could not be made; the text says why."""


def environment_of(family: str) -> Environment:
    """Return the environment of a family; make it if it is not there or is outdated.

    Raises:
        NoEnvironment: it cannot be made (no network, no wheel for this Python).
    """
    folder = HOME / family
    python = folder / "bin" / "python"
    stamp = folder / "made-from"
    wanted = _stamp(family)
    if not stamp.is_file() or stamp.read_text() != wanted:
        stamp.unlink(missing_ok=True)
        _make(family, folder, python)
        stamp.write_text(wanted)
    return Environment(python=python, versions=_versions(family, python))


def _stamp(family: str) -> str:
    pins = hashlib.sha256((PINS / f"{family}.txt").read_bytes()).hexdigest()
    return f"{sys.executable} {sys.version}\n{pins}\n"


def _make(family: str, folder: Path, python: Path) -> None:
    _run(sys.executable, "-m", "venv", "--clear", str(folder))
    install = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    _run(
        str(python),
        *install,
        *("--require-hashes", "--no-deps", "--only-binary=:all:"),
        *("-r", str(PINS / f"{family}.txt")),
    )


def _versions(family: str, python: Path) -> str:
    ask = (
        "import json, sys; from importlib.metadata import version;"
        "print(json.dumps([f'{each} {version(each)}' for each in sys.argv[1:]]))"
    )
    names: list[str] = json.loads(_run(str(python), "-c", ask, *FAMILIES[family]))
    return ", ".join(names)


def _run(*command: str) -> str:
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
            timeout=MAKING,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoEnvironment(str(error)) from error
    if done.returncode:
        last = (done.stderr.strip() or "no message").splitlines()[-1]
        raise NoEnvironment(f"{last[:200]} (exit {done.returncode})")
    return done.stdout


def made_environments() -> Iterator[tuple[str, Environment | NoEnvironment]]:
    """Yield each family with its environment, or with why it has none."""
    for family in FAMILIES:
        try:
            yield family, environment_of(family)
        except NoEnvironment as error:
            yield family, error


def lock() -> None:
    """Choose the versions of all families anew."""
    options = (
        *("--quiet", "--upgrade", "--universal", "--python-version=3.11"),
        *("--generate-hashes", "--no-emit-index-url", "--no-emit-find-links"),
        *("--no-header", "--no-annotate"),
    )
    for family, names in FAMILIES.items():
        output = f"--output-file={PINS / f'{family}.txt'}"
        command = ("uv", "pip", "compile", *options, output, "-")
        subprocess.run(
            command,
            input="\n".join(names),
            encoding="utf-8",
            check=True,
            timeout=MAKING,
            stdout=subprocess.DEVNULL,
        )


def main() -> None:
    """Make all environments, or choose their versions anew."""
    parser = argparse.ArgumentParser(description="the peers' environments")
    parser.add_argument("--lock", action="store_true", help="choose versions anew")
    if parser.parse_args().lock:
        lock()
        return
    for family, found in made_environments():
        match found:
            case Environment(versions=versions):
                print(f"{family}: {versions}", flush=True)
            case NoEnvironment():
                print(f"{family}: not made: {found}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
