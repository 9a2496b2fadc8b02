# SPDX-License-Identifier: Apache-2.0
"""A document as nodes that know where they stand, and the problems found in it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, TypeAlias

from msgspec import Struct, field

from lao.errors import InvalidWorkflow, Place, Problem

Scalar: TypeAlias = str | int | float | bool | None
Style = Literal["plain", "quoted", "literal", "folded"]

_MOST_PROBLEMS = 100


class Node(Struct, frozen=True, array_like=True, gc=False):
    """A value of a YAML file and the place where it starts.

    `value` is a scalar, a tuple of nodes, or a mapping from text to nodes. `key` is
    the line and column of the key, for a node that is the value of one. `end` is the
    line and column after it; what is indented ends with the last thing in it.
    Nodes form a tree, so the collector need not look for circles among them.
    """

    value: "Scalar | tuple[Node, ...] | Mapping[str, Node]"
    source: str = ""
    line: int = 0
    column: int = 0
    style: Style = "plain"
    key: tuple[int, int] | None = None
    end: tuple[int, int] = (0, 0)

    @property
    def place(self) -> Place:
        """Where the value starts."""
        return Place(self.source, self.line, self.column)

    @property
    def key_place(self) -> Place:
        """Where the key of this value starts, or the value if it has no key."""
        line, column = self.key or (self.line, self.column)
        return Place(self.source, line, column)

    @property
    def text_line(self) -> int:
        """The line of the text's first line: the next one for `|` and `>`."""
        return self.line + (self.style in ("literal", "folded"))

    def place_of_line(self, line: int) -> Place:
        """Where line `line` (from 1) of this text stands, as nearly as is known."""
        if self.style == "literal":
            return Place(self.source, self.text_line + line - 1, 1)
        return self.place


def walk(node: Node, path: Sequence[str | int]) -> Node:
    """Return the node at `path`, or the nearest one around it that exists."""
    for part in path:
        match node.value, part:
            case Mapping() as entries, str() if part in entries:
                node = entries[part]
            case tuple() as items, int() if 0 <= part < len(items):
                node = items[part]
            case _:
                return node
    return node


class Problems(Struct):
    """The problems found so far; beyond a hundred they are only counted."""

    found: list[Problem] = field(default_factory=list)
    more: int = 0

    def add(
        self, code: str, what: str, where: Place, mend: str | Callable[[], str] = ""
    ) -> None:
        """Note a problem. A mend that takes time to find is given as a function."""
        if len(self.found) >= _MOST_PROBLEMS:
            self.more += 1
            return
        mend = mend if isinstance(mend, str) else mend()
        self.found.append(Problem(code=code, what=what, where=where, mend=mend))

    def in_order(self) -> list[Problem]:
        """Return the problems as they stand in the file."""
        found = sorted(self.found, key=_position)
        if self.more:
            what = f"{self.more} more problems are not shown"
            found.append(Problem(code="workflow.more-problems", what=what))
        return found

    def raise_if_any(self) -> None:
        """Raise every problem at once.

        Raises:
            InvalidWorkflow: there is at least one.
        """
        if self.found:
            raise InvalidWorkflow(self.in_order())


def _position(problem: Problem) -> tuple[int, int]:
    where = problem.where
    return (where.line, where.column) if isinstance(where, Place) else (0, 0)
