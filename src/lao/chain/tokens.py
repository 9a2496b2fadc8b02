# SPDX-License-Identifier: Apache-2.0
"""The chain line as stages of words, each with its span; quoting as in a POSIX shell.

A word ends at white space or a pipe; inside braces also at a comma or a brace. A
brace opens a fan-out only where a stage starts; elsewhere outside braces, commas and
braces are text.
"""

import re
import sys
from typing import Final, Literal, assert_never

from msgspec import Struct, field

from lao.errors import Problem, Span

LONGEST_CHAIN: Final = 64 << 10
MOST_STAGES: Final = 10_000
_MOST_PROBLEMS: Final = 20
_SAFE = re.compile(r"[\w./:@+*-]+", re.ASCII)
_AFTER_BACKSLASH = '$`"\\'  # what a backslash escapes inside double quotes


class Token(Struct, frozen=True):
    """A word or a mark. `plain` counts the unquoted characters that `value` starts with."""

    kind: Literal["word", "|", "{", "}", ","]
    start: int
    end: int
    value: str = ""
    plain: int = 0

    @property
    def is_quoted(self) -> bool:
        """Whether the word starts with a quotation."""
        return self.plain == 0


Words = tuple[Token, ...]


class Stage(Struct, frozen=True, kw_only=True):
    """What stands between two pipes: one call, or several in braces."""

    calls: tuple[Words, ...]
    braces: bool
    start: int
    end: int


class Faults(Struct):
    """Collects problems in one chain text.

    From `broken` on, the text cannot be understood, so nothing is noted there.
    """

    text: str
    found: list[Problem] = field(default_factory=list)
    broken: int = sys.maxsize

    def add(
        self, code: str, what: str, span: tuple[int, int], *, mend: str = ""
    ) -> None:
        """Note a problem at a stretch of the text; beyond twenty, that there are more."""
        if span[0] >= self.broken or len(self.found) > _MOST_PROBLEMS:
            return
        if len(self.found) == _MOST_PROBLEMS:
            code, what = "more-problems", "there are more problems than are shown"
            mend = "mend these first"
        where = Span(self.text, *span)
        code = f"chain.{code}"
        self.found.append(Problem(code=code, what=what, where=where, mend=mend))

    def breaks(self, code: str, what: str, span: tuple[int, int], *, mend: str) -> None:
        """Note a problem that makes the rest unreadable."""
        self.add(code, what, span, mend=mend)
        self.broken = min(self.broken, span[0])


def quote(word: str) -> str:
    """Return `word` so that a chain reads it as one positional word of that text."""
    if _SAFE.fullmatch(word) and not word.startswith("--"):
        return word
    return "'" + word.replace("'", "'\"'\"'") + "'"


def read_stages(text: str, faults: Faults) -> list[Stage]:
    """Cut a chain into stages; what is malformed is noted and left out."""
    if len(text) > LONGEST_CHAIN:
        what = f"the chain is over {LONGEST_CHAIN >> 10} KiB long"
        faults.add("too-long", what, (0, 0), mend="write it as a workflow file")
        return []
    if not text.strip():
        mend = "write a recipe, such as `summarize notes.txt` (see `lao recipes`)"
        faults.add("empty", "the chain is empty", (0, len(text)), mend=mend)
        return []
    scanner = _Scanner(text, faults)
    stages = [stage for group in scanner.groups() if (stage := _stage(group, faults))]
    if len(stages) > MOST_STAGES:
        what = f"the chain has over {MOST_STAGES:,} stages"
        faults.add("too-many-stages", what, (0, 0), mend="use fewer stages")
        return []
    return stages


class _Group(Struct, frozen=True):
    """The tokens between two pipes, and where they stand."""

    tokens: list[Token]
    start: int
    end: int


class _Scanner:
    """Reads tokens; `inside` says whether a brace is open, `at` where it is."""

    def __init__(self, text: str, faults: Faults) -> None:
        self.text = text
        self.faults = faults
        self.at = 0
        self.inside = False
        self.opened = 0

    def groups(self) -> list[_Group]:
        """Return the tokens of each stage."""
        groups = [_Group([], 0, 0)]
        while (token := self._next(groups[-1].tokens)) is not None:
            if token.kind == "|" and not self.inside:
                last = groups.pop()
                groups += [
                    _Group(last.tokens, last.start, token.start),
                    _Group([], token.end, token.end),
                ]
            else:
                groups[-1].tokens.append(token)
        last = groups.pop()
        if self.inside:
            span = (self.opened, self.opened + 1)
            what = "this brace is not closed"
            self.faults.add("unclosed-brace", what, span, mend="add `}`")
        return [*groups, _Group(last.tokens, last.start, len(self.text))]

    def _next(self, before: list[Token]) -> Token | None:
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1
        if self.at >= len(self.text):
            return None
        sign = self.text[self.at]
        if sign == "|":
            return self._mark("|")
        if self.inside and sign == ",":
            return self._mark(",")
        if self.inside and sign == "}":
            self.inside = False
            return self._mark("}")
        if sign == "{" and (self.inside or not before):
            return self._open()
        return self._word()

    def _mark(self, kind: Literal["|", "{", "}", ","]) -> Token:
        self.at += 1
        return Token(kind, self.at - 1, self.at)

    def _open(self) -> Token:
        if self.inside:
            what = "braces do not nest"
            mend = "save the inner chain as a recipe, or quote a brace that is text"
            self.faults.breaks("nested-braces", what, (self.at, self.at + 1), mend=mend)
        else:
            self.inside, self.opened = True, self.at
        return self._mark("{")

    def _word(self) -> Token:
        start, plain = self.at, -1
        pieces: list[str] = []
        length = 0
        while self.at < len(self.text) and not self._ends(self.text[self.at]):
            sign = self.text[self.at]
            if sign in "'\"\\" and plain < 0:
                plain = length
            match sign:
                case "'":
                    piece = self._single()
                case '"':
                    piece = self._double()
                case "\\":
                    piece = self._escaped()
                case _:
                    piece = sign
                    self.at += 1
            pieces.append(piece)
            length += len(piece)
        value = "".join(pieces)
        return Token("word", start, self.at, value, length if plain < 0 else plain)

    def _ends(self, sign: str) -> bool:
        return sign.isspace() or sign == "|" or (self.inside and sign in ",{}")

    def _single(self) -> str:
        close = self.text.find("'", self.at + 1)
        if close < 0:
            return self._unclosed(self.at)
        piece = self.text[self.at + 1 : close]
        self.at = close + 1
        return piece

    def _double(self) -> str:
        start, pieces = self.at, []
        self.at += 1
        while self.at < len(self.text) and self.text[self.at] != '"':
            sign = self.text[self.at]
            following = self.text[self.at + 1 : self.at + 2]
            if sign == "\\" and following and following in _AFTER_BACKSLASH + "\n":
                sign = following if following != "\n" else ""
                self.at += 1
            pieces.append(sign)
            self.at += 1
        if self.at >= len(self.text):
            return self._unclosed(start)
        self.at += 1
        return "".join(pieces)

    def _escaped(self) -> str:
        piece = self.text[self.at + 1 : self.at + 2]
        if not piece:
            span = (self.at, self.at + 1)
            what = "nothing follows this backslash"
            self.faults.add("unfinished-escape", what, span, mend="write `\\\\`")
        self.at += 1 + len(piece)
        return piece if piece != "\n" else ""

    def _unclosed(self, start: int) -> str:
        sign = self.text[start]
        what = f"this {sign} quotation is not closed"
        span = (start, len(self.text))
        self.faults.breaks("unclosed-quote", what, span, mend=f"add a closing {sign}")
        self.at = len(self.text)
        return self.text[start + 1 :]


def _stage(group: _Group, faults: Faults) -> Stage | None:
    tokens = group.tokens
    if not tokens:
        what = "there is no step here"
        span = (max(0, group.start - 1), min(len(faults.text), group.end + 1))
        faults.add("empty-stage", what, span, mend="remove the extra pipe")
        return None
    start, end = tokens[0].start, tokens[-1].end
    if tokens[0].kind != "{":
        return Stage(calls=(tuple(tokens),), braces=False, start=start, end=end)
    calls = _branches(tokens[1:], (start, end), faults)
    return Stage(calls=calls, braces=True, start=start, end=end)


def _branches(
    tokens: list[Token], span: tuple[int, int], faults: Faults
) -> tuple[Words, ...]:
    branches: list[list[Token]] = [[]]
    for number, token in enumerate(tokens):
        match token.kind:
            case "word" | "{":
                branches[-1].append(token)
            case ",":
                branches.append([])
            case "}":
                _refuse_rest(tokens[number + 1 :], faults)
                break
            case "|":
                what = "a pipe cannot stand inside braces"
                mend = "give each branch one step, and pipe the braces as a whole"
                place = (token.start, token.end)
                faults.breaks("pipe-in-braces", what, place, mend=mend)
            case _:
                assert_never(token.kind)
    if not all(branches):
        what = "a branch of these braces is empty"
        mend = "write steps with a comma between each two"
        faults.add("empty-branch", what, span, mend=mend)
    return tuple(tuple(branch) for branch in branches if branch)


def _refuse_rest(tokens: list[Token], faults: Faults) -> None:
    if tokens:
        what = "nothing may follow the closing brace but a pipe"
        span = (tokens[0].start, tokens[-1].end)
        mend = "add a pipe, or put the words inside the braces"
        faults.add("words-after-braces", what, span, mend=mend)
