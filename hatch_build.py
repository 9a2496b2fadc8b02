# SPDX-License-Identifier: Apache-2.0
"""Sees to it that wheel and sdist hold the built page of `lao ui`.

An sdist holds it already, so that installing from one needs no Node. From a checkout
it is built here if it is missing or older than its sources.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PAGE = Path("src", "lao", "server", "static", "index.html")
NOT_SOURCES = {"node_modules", "test-results"}
MEND = (
    "install Node.js 20.19 or later, or install LAO from its sdist or wheel; "
    "LAO_WITHOUT_PAGE=1 builds one whose `lao ui` has no page"
)


class PageHook(BuildHookInterface):  # type: ignore[type-arg]  # its config is not ours
    """Builds the page before it is packed. Editable installations are left alone."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Called by hatchling before it collects the files."""
        root = Path(self.root)
        if version == "editable" or is_current(root):
            return
        if os.getenv("LAO_WITHOUT_PAGE") == "1":
            return
        build(root)


def is_current(root: Path) -> bool:
    """Whether the built page is there and no source is newer."""
    page = root / PAGE
    if not page.is_file():
        return False
    built = page.stat().st_mtime
    return all(each.stat().st_mtime <= built for each in sources(root / "web"))


def sources(folder: Path) -> Iterator[Path]:
    """Find every file that the page is built from."""
    for each in folder.iterdir() if folder.is_dir() else ():
        if each.is_dir() and each.name not in NOT_SOURCES:
            yield from sources(each)
        elif each.is_file():
            yield each


def build(root: Path) -> None:
    """Install what web/package-lock.json names, and build.

    Raises:
        RuntimeError: there is no npm, or it failed.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise RuntimeError(f"the page of `lao ui` is not built; mend: {MEND}")
    for words in (["ci", "--ignore-scripts"], ["run", "build"]):
        done = subprocess.run([npm, *words], cwd=root / "web", check=False)  # noqa: S603
        if done.returncode != 0:
            raise RuntimeError(f"`npm {' '.join(words)}` failed in web/; mend: {MEND}")
