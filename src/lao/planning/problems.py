# SPDX-License-Identifier: Apache-2.0
"""Collecting what is wrong with a workflow, each problem with its place."""

from collections.abc import Callable

from msgspec import Struct, field

from lao.errors import Problem, Where
from lao.workflow.template import TemplateError, Tree, parse_tree
from lao.workflow.values import JsonValue

Path = tuple[str | int, ...]
Locate = Callable[[Path, int], Where]
"""Finds the place of a part, such as `("steps", 2, "when")`, and a line in its text."""


def nowhere(path: Path, line: int) -> Where:
    """Locate nothing: for workflows made in Python."""
    del path, line
    return None


class Problems(Struct):
    """The problems found so far."""

    locate: Locate = nowhere
    found: list[Problem] = field(default_factory=list)

    def add(
        self, code: str, what: str, path: Path, *, mend: str = "", line: int = 1
    ) -> None:
        """Note one more problem."""
        where = self.locate(path, line)
        self.found.append(Problem(code=code, what=what, where=where, mend=mend))

    def parse(self, value: JsonValue, path: Path) -> Tree:
        """Parse the templates in a value; a broken one is noted and becomes None."""
        if value is None:
            return None
        try:
            return parse_tree(value)
        except TemplateError as error:
            self.add(
                "template.syntax",
                f"the template is not well formed: {error.what}",
                path,
                mend="a template holds {{ name }}, {{ step.field }} or Jinja expressions",
                line=error.line,
            )
            return None
