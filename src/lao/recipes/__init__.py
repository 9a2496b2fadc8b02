# SPDX-License-Identifier: Apache-2.0
"""Named, parameterised steps: finds the project's, the user's and the shipped ones."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from lao.errors import InvalidWorkflow, Problem
from lao.files import read_regular
from lao.recipes.document import read_recipe, reason_of
from lao.workflow.kept_nodes import KeptNodes
from lao.workflow.source import LARGEST_DOCUMENT
from lao.workflow.steps import Recipe

__all__ = ["SHIPPED", "Recipes", "find_recipes", "read_recipe"]

SHIPPED: Final = Path(__file__).parent
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


class Recipes(Mapping[str, Recipe]):
    """Recipes by name. A file is read when its recipe is asked for, and then kept."""

    def __init__(
        self, files: Mapping[str, Path], kept: KeptNodes | None = None
    ) -> None:
        self._files = files
        self._kept = kept
        self._read: dict[str, Recipe] = {}

    def __getitem__(self, name: str) -> Recipe:
        """Return the recipe.

        Raises:
            KeyError: there is none of that name.
            InvalidWorkflow: its file is wrong, with every problem found.
        """
        if name not in self._read:
            path = self._files[name]
            is_shipped = path.parent == SHIPPED
            self._read[name] = read_recipe(
                _text(path), str(path), is_shipped=is_shipped, kept=self._kept
            )
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)

    def __contains__(self, name: object) -> bool:
        """Whether there is a recipe of that name; its file is not read."""
        return name in self._files


def find_recipes(
    folders: Sequence[Path] = (), kept: KeptNodes | None = None
) -> Recipes:
    """Return the recipes in `folders` (the first one wins), then the shipped ones.

    Only names are read here. A folder that is not there holds no recipe.
    """
    files: dict[str, Path] = {}
    for folder in (*folders, SHIPPED):
        for path in sorted(folder.glob("*.yaml")):
            if _NAME.fullmatch(path.stem):
                files.setdefault(path.stem, path)
    return Recipes(dict(sorted(files.items())), kept)


def _text(path: Path) -> str:
    try:
        return read_regular(path, limit=LARGEST_DOCUMENT).decode()
    except (OSError, ValueError) as error:
        what = f"the recipe {path.stem!r} cannot be read: {reason_of(error)}"
        mend = f"look at {path}"
        problem = Problem(code="recipe.unreadable", what=what, mend=mend)
        raise InvalidWorkflow([problem]) from error
