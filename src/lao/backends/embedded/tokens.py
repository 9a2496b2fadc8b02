# SPDX-License-Identifier: Apache-2.0
# SIM905: a word list reads best as words.
# ruff: noqa: SIM905
"""The words of a block as the name rules see them."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from lao.backends.embedded.blocks import folded
from lao.backends.embedded.spans import Taken

TITLES = frozenset(
    "dr mr mrs ms mx miss mister missus prof professor doctor sir lady lord judge "
    "justice president senator minister captain colonel rev reverend chancellor "
    "prince princess queen pope dame herr frau hr fr dr-ing rechtsanwalt "
    "rechtsanwaltin richterin notar oberarzt chefarzt senor senora senorita sr sra "
    "dra don dona doctora profesor profesora licenciado abogado abogada monsieur "
    "madame mme mlle".split()
)
PARTICLES = frozenset(
    "de la las los del della di da dos das du le van von der den zu bin ibn".split()
)
_WORD = re.compile(r"[^\W\d_](?:\w|['’-](?=[^\W\d_]))*+")
_POSSESSIVE = ("'s", "’s", "'S", "’S")
_INNER_CAPITAL = re.compile(
    r"^(?:Mc|Mac|O['’]|D['’]|De|Di|Del|La|Le|Van|Von|Fitz|St)?[A-ZÀ-Þ]?[^A-ZÀ-Þ]+$"
)
_LOWER_SHARE = 33
_ENOUGH_WORDS = 25


class Token(NamedTuple):
    """A word at `start:end` of its block. `key` is folded; `text` is as written.

    A tuple, since a frozen dataclass takes four times as long to make, and a text
    has one for each word.
    """

    start: int
    end: int
    text: str
    key: str
    is_capital: bool
    is_free: bool

    @property
    def is_plain_name(self) -> bool:
        """Whether it is written as a name is: `Berg`, `McDonald`, `Jean-Luc`, `ANA`."""
        if not self.is_capital or any(c.isdecimal() or c == "_" for c in self.text):
            return False
        if self.text.isupper():
            return True
        parts = self.text.split("-")
        return all(_INNER_CAPITAL.match(part) or part.isupper() for part in parts)


def tokens_of(flat: str, taken: Taken) -> list[Token]:
    """Return the words of a block, without "'s"."""
    return [_token(match, taken) for match in _WORD.finditer(flat)]


def _token(match: re.Match[str], taken: Taken) -> Token:
    text = match[0]
    start, end = match.span()
    if text.endswith(_POSSESSIVE):
        text, end = text[:-2], end - 2
    key = text.lower() if text.isascii() else folded(text)
    return Token(start, end, text, key, text[0].isupper(), taken.is_free(start, end))


def is_lower_case(flat: str, tokens: Sequence[Token]) -> bool:
    """Whether names are written in lower case here, as a recogniser writes them.

    Some recognisers capitalise the first word of a sentence all the same. In a text
    long enough to tell, those capitals do not count.
    """
    free = [token for token in tokens if token.is_free and token.text != "I"]
    inner = [token for token in free if not _begins_sentence(flat, token)]
    judged = inner if len(inner) >= _ENOUGH_WORDS else free
    capitals = sum(1 for token in judged if token.is_capital)
    return capitals * _LOWER_SHARE < len(judged)


def _begins_sentence(flat: str, token: Token) -> bool:
    before = flat[max(0, token.start - 4) : token.start].rstrip(" \"'“‘(-•")
    return not before or before[-1] in ".!?:\n"


def titled(words: Sequence[str]) -> str:
    """Return a lower-case name as people write it: `Maria de la Cruz`, `O'Brien`."""
    shown = [
        word if k and folded(word) in PARTICLES else _capitalised(word)
        for k, word in enumerate(words)
    ]
    return " ".join(shown)


def _capitalised(word: str) -> str:
    word = "-".join(part[:1].upper() + part[1:].lower() for part in word.split("-"))
    if word.startswith("Mc") and len(word) > 4:
        return "Mc" + word[2].upper() + word[3:]
    if word[1:2] in {"'", "’"} and len(word) > 3:
        return word[:2] + word[2].upper() + word[3:]
    return word
