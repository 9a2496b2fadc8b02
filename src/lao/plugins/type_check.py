# SPDX-License-Identifier: Apache-2.0
"""Runs mypy over a plugin, where it is installed beside LAO: in a locked process.

A plugin's own settings may name plugins of mypy, which are code: they run where the
plugin itself would, without a network and without the user's files.
"""

import re
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from lao.errors import Place, Problem, StepError
from lao.isolation.launching import Launcher
from lao.plugins.installed import import_roots
from lao.policy import WorkerLimits
from lao.workers.inbox import worker_folder
from lao.workers.programs import run_program
from lao.workflow.plugins import PluginManifest

_SOURCE: Final = Path(__file__).resolve().parents[2]  # where mypy finds `lao`
_ERROR: Final = re.compile(
    r"(?P<file>.+?):(?P<line>\d+):(?:(?P<column>\d+):)? error: (?P<what>.+)"
)
_OPTIONS: Final = (
    *("--strict", "--show-column-numbers"),
    *("--no-color-output", "--no-error-summary", "--hide-error-context"),
    *("--cache-dir", "types"),
)


def type_checker() -> str | None:
    """Return the program that checks types, or None if mypy is not installed here."""
    return sys.executable if find_spec("mypy") is not None else None


async def find_type_problems(
    folder: Path,
    manifest: PluginManifest,
    *,
    launcher: Launcher,
    own_settings: bool = True,
) -> tuple[Problem, ...]:
    """Return what `mypy --strict` says of a plugin's package.

    Without `own_settings` nothing of the plugin can run.

    Raises:
        StepError: mypy itself failed (`plugin.type-check-failed`), or its process.
        RefusedByPolicy: this machine cannot lock it.
    """
    root = import_roots(folder)[0]
    top = root / manifest.entry.partition(":")[0].partition(".")[0]
    target = top if top.is_dir() else top.with_suffix(".py")
    settings = folder / "pyproject.toml"
    is_used = own_settings and settings.is_file()
    found: list[str] = []
    with worker_folder() as private:
        end = await run_program(
            (
                *(sys.executable, "-I", "-m", "mypy", *_OPTIONS),
                *("--config-file", str(settings) if is_used else ""),
                *("--", str(target)),
            ),
            folder=private,
            readable=(str(folder), str(_SOURCE), *_environment()),
            limits=WorkerLimits(cpu_seconds=300),
            launcher=launcher,
            on_line=found.append,
        )
    problems = tuple(
        Problem(
            code="plugin.type-error",
            what=match["what"],
            where=Place(
                match["file"].removeprefix(f"{folder}/"),
                int(match["line"]),
                int(match["column"] or 0),
            ),
        )
        for match in map(_ERROR.fullmatch, found)
        if match
    )
    if end.code not in (0, 1) and not problems:
        raise StepError(
            "plugin.type-check-failed",
            f"mypy ended with code {end.code}: {end.last_line}",
            mend="run `mypy --strict` yourself to see why",
        )
    return problems


def _environment() -> tuple[str, ...]:
    """Return what an interpreter of a virtual environment finds its packages by."""
    if sys.prefix == sys.base_prefix:
        return ()
    return str(Path(sys.prefix, "pyvenv.cfg")), str(Path(sys.executable).parent)
