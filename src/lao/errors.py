# SPDX-License-Identifier: Apache-2.0
"""Everything LAO can complain about: one tree, stable codes; what, where, mend."""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import ClassVar

from msgspec import Struct
from msgspec.structs import replace


class Place(Struct, frozen=True):
    """A spot in a file. Lines and columns count from 1; 0 means unknown."""

    source: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        """Return `file:line:column`, as editors and compilers write it."""
        if not self.line:
            return self.source
        return f"{self.source}:{self.line}:{self.column}"


class Span(Struct, frozen=True):
    """A stretch `start:end` (character offsets) of a one-line text."""

    text: str
    start: int
    end: int

    def __str__(self) -> str:
        """Return the text with the stretch underlined."""
        line_start = self.text.rfind("\n", 0, self.start) + 1
        line_end = self.text.find("\n", self.start)
        line = self.text[line_start : line_end if line_end >= 0 else None]
        width = max(1, min(self.end, line_start + len(line)) - self.start)
        return f"{line}\n{' ' * (self.start - line_start)}{'^' * width}"


Where = Place | Span | None


class Problem(Struct, frozen=True, kw_only=True):
    """One thing that is wrong.

    `code` is stable and documented (docs/reference/errors.md). `what` is a
    sentence without a full stop. `mend` says what to do about it.
    """

    code: str
    what: str
    where: Where = None
    mend: str = ""

    def __str__(self) -> str:
        """Return the problem as the command line prints it.

        All lines but the first are indented, so that nobody's words can pass for
        another problem, or for a line of LAO's own.
        """
        lines = [f"error[{self.code}]: {self.what}"]
        if self.where is not None:
            lines.append(str(self.where))
        if self.mend:
            lines.append(f"mend: {self.mend}")
        return "\n".join(lines).replace("\n", "\n  ")


class LaoError(Exception):
    """The root. `problems` holds at least one problem; `exit_code` is the shell's."""

    exit_code: ClassVar[int] = 1

    def __init__(
        self, code: str, what: str, *, where: Where = None, mend: str = ""
    ) -> None:
        self.problems: tuple[Problem, ...] = (
            Problem(code=code, what=what, where=where, mend=mend),
        )
        super().__init__(what)

    @property
    def problem(self) -> Problem:
        """The first problem, usually the only one."""
        return self.problems[0]

    @property
    def code(self) -> str:
        """The stable code of the first problem."""
        return self.problem.code

    def __str__(self) -> str:
        """Return every problem as the command line prints it."""
        return "\n".join(map(str, self.problems))


class UsageError(LaoError):
    """The command or its input cannot be used as given."""

    exit_code = 2


class InvalidWorkflow(LaoError):
    """A workflow, chain or recipe is wrong; every problem is listed."""

    exit_code = 2

    def __init__(self, problems: Iterable[Problem]) -> None:
        found = tuple(problems)
        first = found[0]
        super().__init__(first.code, first.what, where=first.where, mend=first.mend)
        self.problems = found


class AttemptError(LaoError):
    """An attempt at a step failed. `retryable`: another one may succeed."""

    exit_code = 3

    def __init__(
        self,
        code: str,
        what: str,
        *,
        where: Where = None,
        mend: str = "",
        retryable: bool = False,
    ) -> None:
        super().__init__(code, what, where=where, mend=mend)
        self.retryable = retryable


class StepError(AttemptError):
    """A step could not do its work."""


class ModelUnavailable(AttemptError):
    """A model, its runtime or its server is not there."""

    exit_code = 6


class RefusedByPolicy(LaoError):
    """Something would have left the machine or the sandbox. Never retried."""

    exit_code = 5


class StoreError(LaoError):
    """The data folder cannot be opened, read or written."""


class SchemaMismatch(LaoError):
    """A model's output does not fit the schema that the step asks for."""

    exit_code = 7


def at(problem: Problem, where: Where) -> Problem:
    """Return `problem` with a place, unless it has one already."""
    return problem if problem.where is not None else replace(problem, where=where)


_MOST_COMPARED = 200  # names; a file may hold thousands, and as many mistakes


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that `name` most likely meant, or None."""
    from difflib import get_close_matches  # noqa: PLC0415  (only on the way to an error)

    folded = {other.lower(): other for other in islice(known, _MOST_COMPARED)}
    matches: Sequence[str] = get_close_matches(name.lower(), folded, n=1, cutoff=0.6)
    return folded[matches[0]] if matches else None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a mend: the nearest known name, or the list of them."""
    names = sorted(known)
    close = nearest(name, names)
    if close is not None:
        return f"did you mean {close!r}?"
    if not names:
        return "there is none to choose from"
    shown = ", ".join(names[:12])
    return f"one of: {shown}{', …' if len(names) > 12 else ''}"
