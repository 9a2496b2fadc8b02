# SPDX-License-Identifier: Apache-2.0
"""Finds people, organisations and places in a block of text."""

from collections.abc import Iterable, Iterator, Sequence

from lao.backends.embedded.blocks import folded
from lao.backends.embedded.cased_names import find_cased
from lao.backends.embedded.gazetteer import Gazetteer
from lao.backends.embedded.lower_names import find_lower
from lao.backends.embedded.spans import Span, Taken
from lao.backends.embedded.tokens import (
    TITLES,
    Token,
    is_lower_case,
    titled,
    tokens_of,
)

_MOST_PEOPLE = 100_000


class Names:
    """Finds names block by block.

    Holds the people met so far: after "Maria Lopez", "Lopez" alone is her, unless
    two people are called so.
    """

    def __init__(self, words: Gazetteer) -> None:
        self._words = words
        self._known: dict[str, str | None] = {}

    def find(self, flat: str, taken: Taken) -> list[Span]:
        """Return the names of a flat block, and take their characters."""
        tokens = tokens_of(flat, taken)
        lower = is_lower_case(flat, tokens)
        rules = find_lower if lower else find_cased
        found = [
            span
            for span in rules(flat, tokens, self._words)
            if taken.take(span.start, span.end)
        ]
        self._remember(found)
        found += self._mentions(tokens, taken, lower=lower)
        return [self._resolved(span) for span in sorted(found, key=lambda s: s.start)]

    def _remember(self, found: Iterable[Span]) -> None:
        people = [span.name for span in found if span.kind == "people"]
        for name in people:
            parts = name.lower().split()
            if len(parts) > 1 and not _is_titled(parts) and self._has_room:
                for part in {parts[0], parts[-1]}:
                    if self._known.setdefault(part, name) != name:
                        self._known[part] = None
        for name in people:
            parts = name.lower().split()
            if _is_titled(parts) and self._has_room:
                self._known.setdefault(parts[-1], name)

    @property
    def _has_room(self) -> bool:
        return len(self._known) < _MOST_PEOPLE

    def _mentions(
        self, tokens: Iterable[Token], taken: Taken, *, lower: bool
    ) -> Iterator[Span]:
        """Yield people who are named again, by one word."""
        for token in tokens:
            word = token.text.lower()
            if word not in self._known or (lower and token.key in self._words.words):
                continue
            if not lower and not token.is_plain_name:
                continue
            if token.key in self._words.words and token.key not in self._words.surnames:
                continue
            if taken.take(token.start, token.end):
                name = self._known[word] or titled([token.text])
                yield Span(kind="people", start=token.start, end=token.end, name=name)

    def _resolved(self, span: Span) -> Span:
        """Return a person named by one word or by title as the person known by it."""
        parts = span.name.lower().split()
        if span.kind != "people" or not (len(parts) == 1 or _is_titled(parts)):
            return span
        name = self._known.get(parts[-1]) or span.name
        return Span(kind="people", start=span.start, end=span.end, name=name)


def _is_titled(parts: Sequence[str]) -> bool:
    """Whether a name is a title and one word: "mr osei"."""
    return len(parts) == 2 and folded(parts[0].rstrip(".")) in TITLES
