# SPDX-License-Identifier: Apache-2.0
# SIM905: a word list reads best as words.
# ruff: noqa: SIM905
"""Splits text into sentences: prose, lists, and what a recogniser writes."""

import re
from collections.abc import Iterator

from lao.backends.embedded.blocks import blocks, flatten, is_punctuated

_ABBREVIATIONS = frozenset(
    "dr mr mrs ms prof st no nos vs etc e.g i.e eg ie inc ltd jr sr fig figs al "
    "approx dept est gen gov hon rev sen rep col capt lt sgt vol pp cf ca art sec "
    "ch ed eds z.b d.h u.a bzw nr str tel evtl ggf usw inkl sra srta ud uds vda "
    "avda núm pág mme mlle".split()
)
_END = re.compile(r"(?<![.!?…])[.!?…]++[\"'”’)\]]*+[ \n]++(?=[\"'“‘(\[¿¡]?(\w|[£$€¥]))")
_MONTH_NEXT = re.compile(
    r"(?:jan|feb|mär|apr|ma[iy]|jun|jul|aug|sep|o[ck]t|nov|de[cz])\w*", re.IGNORECASE
)
_HARD_BREAK = re.compile(r"\n+")
_LINE_MARK = re.compile(
    r"(?:[-*•–>]+ +|#{1,6} +|\(?\d{1,3}[.)] +|\[?\d{1,2}:\d\d(?::\d\d)?(?:[.,]\d+)?\]? +)"
)
_PAUSE = re.compile(r" (?=(?:and|but|so|then|because|okay|well|und|aber|y|pero) )")
_LONGEST = 120
_PIECE_WORDS = 12
_WORD = re.compile(r"\S+")


def sentences(text: str) -> Iterator[tuple[int, str]]:
    """Yield `(offset, sentence)` in order, with single spaces inside.

    A line is a sentence where the text has no sentence punctuation. A stretch
    without any break is cut before words such as "and" or "so".
    """
    marked = is_punctuated(text)
    for offset, block in blocks(text):
        flat = flatten(block, wrapped=marked)
        start = 0
        for stop in [*(m.end() for m in _HARD_BREAK.finditer(flat)), len(flat)]:
            for at, sentence in _of_line(flat[start:stop]):
                yield offset + start + at, sentence
            start = stop


def _of_line(line: str) -> Iterator[tuple[int, str]]:
    mark = _LINE_MARK.match(line.lstrip())
    start = len(line) - len(line.lstrip()) + (mark.end() if mark else 0)
    for end in _ends(line, start):
        sentence = " ".join(line[start:end].split())
        if sentence.count(" ") < _LONGEST:
            if sentence:
                yield start, sentence
        else:
            yield from ((start, piece) for piece in _pieces(sentence))
        start = end


def _ends(line: str, start: int) -> Iterator[int]:
    lower_case = line.islower()
    for match in _END.finditer(line, start):
        if not _is_inside(line, start, match, lower_case=lower_case):
            yield match.end()
            start = match.end()
    yield len(line)


def _is_inside(
    line: str, start: int, match: re.Match[str], *, lower_case: bool
) -> bool:
    """Whether what looks like an end belongs to an abbreviation or a number."""
    following = match[1]
    if following.islower() and not lower_case:
        return True
    if line[match.start()] != "." or line.startswith("..", match.start()):
        return False
    words = line[max(start, match.start() - 24) : match.start()].rsplit(None, 1)
    word = words[-1].lower().lstrip("(\"'“‘[") if words else ""
    if word in _ABBREVIATIONS or (len(word) == 1 and word.isalpha()):
        return True
    is_day = word.isdecimal() and len(word) <= 2
    return is_day and _MONTH_NEXT.match(line, match.end()) is not None


def _pieces(sentence: str) -> Iterator[str]:
    """Cut an endless sentence into pieces of a readable length."""
    words: list[str] = []
    for part in _PAUSE.split(sentence):
        for match in _WORD.finditer(part):
            words.append(match[0])
            if len(words) == 4 * _PIECE_WORDS:
                yield " ".join(words)
                words = []
        if len(words) >= _PIECE_WORDS:
            yield " ".join(words)
            words = []
    if words:
        yield " ".join(words)
