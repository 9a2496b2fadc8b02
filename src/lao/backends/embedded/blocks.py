# SPDX-License-Identifier: Apache-2.0
"""Cuts a long text into blocks and folds it, so that rules stay simple and bounded."""

import re
import unicodedata
from collections.abc import Iterator

BLOCK = 32_768
"""Characters in a block: much more than any name or date, little enough to hold."""

_CUTS = ("\n\n", ".\n", "\n", ". ", " that ", " is ", " was ", " ")
_SAMPLE = 65_536
_SENTENCE_END = re.compile(r"[.!?…](?=[\"'”’)\]]*(?:\s|$))")
_SOFT_BREAK = re.compile(
    r"(?<=[^\n]{45})(?<![.!?:;])(?<![.!?:;] )\n(?![-*•] |\d{1,3}[.)] )(?=[\w\"'(£$€¥+])"
)
_SPACES = {ord(space): " " for space in "\t\r\v\f\u00a0\u2007\u2009\u202f"}
_PLAIN_LETTERS = str.maketrans("øłđıðþ", "olditp")


def blocks(text: str) -> Iterator[tuple[int, str]]:
    """Yield `(offset, block)`, cut where no name or date is likely to be cut."""
    start = 0
    while start < len(text):
        end = len(text)
        if end - start > BLOCK:
            end = _cut(text, start, start + BLOCK)
        yield start, text[start:end]
        start = end


def _cut(text: str, start: int, end: int) -> int:
    for mark in _CUTS:
        found = text.rfind(mark, start + BLOCK // 2, end)
        if found >= 0:
            return found + len(mark)
    found = text.find(" ", end, end + 4 * BLOCK)
    return found + 1 if found >= 0 else min(len(text), end + 4 * BLOCK)


def is_punctuated(text: str) -> bool:
    """Whether the text marks its sentences; what a recogniser writes does not.

    Judged on the beginning: one sentence end per forty words is enough.
    """
    sample = text[:_SAMPLE]
    ends = sum(1 for _ in _SENTENCE_END.finditer(sample))
    return ends > 0 and ends * 40 >= len(sample.split())


def flatten(block: str, *, wrapped: bool) -> str:
    """Return the block, as long as before, with plain spaces.

    With `wrapped`, the line breaks inside a paragraph become spaces too; those
    that end a sentence, a heading or a list item stay.
    """
    flat = block.translate(_SPACES)
    return _SOFT_BREAK.sub(" ", flat) if wrapped else flat


def lowered(text: str) -> str:
    """Return the text in lower case, as long as before (`İ` would grow)."""
    low = text.lower()
    if len(low) == len(text):
        return low
    return "".join(c.lower() if len(c.lower()) == 1 else c for c in text)


def folded(word: str) -> str:
    """Return a word without case and accents: the key of the word lists."""
    if word.isascii():
        return word.lower()
    parts = unicodedata.normalize("NFKD", word.casefold())
    bare = "".join(c for c in parts if not unicodedata.combining(c))
    return bare.translate(_PLAIN_LETTERS).replace("’", "'")
