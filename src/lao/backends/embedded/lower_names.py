# SPDX-License-Identifier: Apache-2.0
# SIM905: a word list reads best as words.
# ruff: noqa: SIM905
"""Names in text without capitals: what a recogniser writes down."""

import re
from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from lao.backends.embedded.gazetteer import Gazetteer
from lao.backends.embedded.spans import Kind, Span
from lao.backends.embedded.tokens import PARTICLES, TITLES, Token, titled

_SURE_TITLES = frozenset("mister missus mr mrs ms herr senor senora sir".split())
_PLACE_WORDS = frozenset("in from to near at around aus nach en desde".split())
_NO_PLACE_AFTER = frozenset("the a an this that these those it them".split())
_NEVER_PLACES = frozenset(
    "reading nice bath mobile essen male hull deal phoenix".split()
)
_COMPANY_ENDS = frozenset(
    "incorporated inc ltd llc gmbh corporation university plc".split()
)
_CONTRACTION = re.compile(r"'(?<!\bo'(?=[a-z]{4}))|o'clock")
_SHORT_NAMES = frozenset(("ebay", "sony"))  # the others are initials
_VERB_ENDINGS = ("ed", "ing", "ly", "tion", "tions", "ness", "ment", "ments", "s")
_DETERMINERS = frozenset(
    "a the my your our her his their no any every this that".split()
)


def find_lower(flat: str, tokens: Sequence[Token], words: Gazetteer) -> Iterator[Span]:
    """Yield the names in a flat block."""
    reader = _Reader(flat, tokens, words)
    at = 0
    while at < len(tokens):
        found = reader.read(at) if tokens[at].is_free else None
        if found is None:
            at += 1
            continue
        span, at = found
        yield span


class _Reader:
    """Reads words one by one. Holds the block it reads."""

    def __init__(self, flat: str, tokens: Sequence[Token], words: Gazetteer) -> None:
        self._flat = flat
        self._tokens = tokens
        self._words = words

    def read(self, at: int) -> tuple[Span, int] | None:
        """Return the name that begins at a word and where to go on."""
        return self._several(at) or self._person(at) or self._single(at)

    def _follows(self, at: int) -> bool:
        """Whether a word stands directly after the one before it."""
        if not 0 < at < len(self._tokens) or not self._tokens[at].is_free:
            return False
        gap = self._flat[self._tokens[at - 1].end : self._tokens[at].start]
        left = self._tokens[at - 1].key
        return gap == " " or (gap == ". " and (left in TITLES or len(left) == 1))

    def _span(self, kind: Kind, first: int, last: int) -> tuple[Span, int]:
        chosen = self._tokens[first:last]
        name = titled([token.text for token in chosen])
        span = Span(kind=kind, start=chosen[0].start, end=chosen[-1].end, name=name)
        return span, last

    def _several(self, at: int) -> tuple[Span, int] | None:
        """Find a place or an organisation of several words."""
        words = self._words
        key = self._tokens[at].key
        if key in words.place_heads or key in words.organization_heads:
            for last in range(min(at + 4, len(self._tokens)), at + 1, -1):
                chosen = self._tokens[at:last]
                if not all(self._follows(k) for k in range(at + 1, last)):
                    continue
                joined = " ".join(token.key for token in chosen)
                if joined in words.places:
                    return self._span("places", at, last)
                if joined in words.organizations:
                    return self._span("organizations", at, last)
        return None

    def _person(self, at: int) -> tuple[Span, int] | None:
        words, key = self._words, self._tokens[at].key
        if key in TITLES:
            return self._after_title(at)
        if key not in words.given and key.split("-")[0] not in words.given:
            return None
        last = self._surname_end(at)
        if words.is_given(key) or words.is_given(key.split("-")[0]):
            is_place = key in words.places and self._word(at - 1) in _PLACE_WORDS
            return (
                None if last == at + 1 and is_place else self._span("people", at, last)
            )
        if last > at + 1 and words.is_surname(self._tokens[last - 1].key):
            return self._span("people", at, last)
        return None

    def _after_title(self, at: int) -> tuple[Span, int] | None:
        """Find "mister smith" and "doctor helen okafor", but not "a doctor visit"."""
        first = at + 1
        if not self._follows(first):
            return None
        words, key = self._words, self._tokens[first].key
        named = key in words.given or words.is_surname(key)
        sure = self._tokens[at].key in _SURE_TITLES
        if not named and not (
            self._may_be_surname(first)
            and (sure or self._word(at - 1) not in _DETERMINERS)
        ):
            return None
        if key in words.words and not (sure or self._surname_end(first) > first + 1):
            return None
        last = self._surname_end(first) if key in words.given else first + 1
        span, _ = self._span("people", first, last)
        if last == first + 1:
            name = titled([self._tokens[at].text, self._tokens[first].text])
            span = Span(kind="people", start=span.start, end=span.end, name=name)
        return span, last

    def _word(self, at: int) -> str:
        return self._tokens[at].key if at >= 0 else ""

    def _surname_end(self, at: int) -> int:
        """Return where a name ends that begins with a given name at `at`."""
        last = at + 1
        while self._follows(last) and self._is_inner(last):
            last += 1
        if not self._follows(last) or not self._may_be_surname(last):
            return at + 1
        last += 1
        if self._follows(last) and self._words.is_surname(self._tokens[last].key):
            last += 1
        return last

    def _is_inner(self, at: int) -> bool:
        """Whether a word stands between given name and surname."""
        if not self._follows(at + 1):
            return False
        key = self._tokens[at].key
        if len(key) == 1 and key not in {"a", "i"}:
            return True
        if key in PARTICLES and key not in {"y", "den", "das"}:
            return True
        return self._words.is_given(key) and self._words.is_surname(
            self._tokens[at + 1].key
        )

    def _may_be_surname(self, at: int) -> bool:
        """Whether a word is a known surname, or unknown and no verb or plural."""
        words, key = self._words, self._tokens[at].key
        if key in words.surnames:
            return True
        known = (words.words, words.places, words.given, words.organizations)
        if any(key in names for names in known) or words.is_function_word(key):
            return False
        is_odd = len(key) < 3 or any(c.isdecimal() for c in key)
        return not (is_odd or _CONTRACTION.search(key) or key.endswith(_VERB_ENDINGS))

    def _single(self, at: int) -> tuple[Span, int] | None:
        """Find a place or an organisation of one word, or a company by its form."""
        words, key = self._words, self._tokens[at].key
        if key in words.places and self._is_place(at):
            return self._span("places", at, at + 1)
        if key in words.organizations and key not in words.words and len(key) > 2:
            span, last = self._span("organizations", at, at + 1)
            is_short = len(key) <= 4 and key not in _SHORT_NAMES
            name = span.name.upper() if is_short else span.name
            return replace(span, name=name), last
        if self._has_company_end(at):
            return self._span("organizations", at, at + 2)
        return None

    def _has_company_end(self, at: int) -> bool:
        words, key = self._words, self._tokens[at].key
        if key in words.words or words.is_function_word(key):
            return False
        return self._follows(at + 1) and self._tokens[at + 1].key in _COMPANY_ENDS

    def _is_place(self, at: int) -> bool:
        words, key = self._words, self._tokens[at].key
        if self._follows(at + 1) and self._tokens[at + 1].key in _COMPANY_ENDS:
            return False
        if words.is_place(key):
            return True
        if key in _NEVER_PLACES or self._word(at - 1) not in _PLACE_WORDS:
            return False
        return not self._follows(at + 1) or self._word(at + 1) not in _NO_PLACE_AFTER
