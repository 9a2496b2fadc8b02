# SPDX-License-Identifier: Apache-2.0
# SIM905: a word list reads best as words.
# ruff: noqa: SIM905
"""Names in text that is written with capitals."""

import re
from collections.abc import Iterator, Sequence

from lao.backends.embedded.gazetteer import Gazetteer
from lao.backends.embedded.organizations import (
    CONNECTORS,
    ENDS,
    is_sure_end,
    organization,
)
from lao.backends.embedded.spans import Kind, Span
from lao.backends.embedded.tokens import PARTICLES, TITLES, Token, titled

_MOST_WORDS = 5
_MONTHS = frozenset("april may june july august january march summer dawn".split())
_STREETS = frozenset(
    "street road avenue lane square drive boulevard way close court terrace gardens".split()
)
_ABBREVIATED = frozenset("st sta mt".split())
_STREET_ENDINGS = ("strasse", "platz", "allee", "gasse", "ufer")
_AFTER_PLACE_WORD = re.compile(
    r"\b(?:in|from|to|near|at|of|around|outside|across|towards?|via|aus|nach|en|desde) $",
    re.IGNORECASE,
)
_INSIDE = re.compile(
    r"\b(?:in|near|outside|visited|towards)(?: [A-Z][a-z]+(?:,| and))? $"
)
_PLACE_ENDS = re.compile(
    r"(?:[.,;:!?)]|$|\n| (?:and|on|was|is|with|had|for|to|at|where|when|last|this|next|by|in|who|"
    r"before|after|during|since|because|will)\b)"
)
_CUE_BEFORE = re.compile(
    r"(?:\b(?:dear|hi|hello|hey|liebe|lieber|querid[oa]|estimad[oa]|geehrter? (?:herr|frau)|"
    r"signed by|written by|called by|prepared by|met with|spoke (?:to|with)|contact|attn|"
    r"named|my name is|i am|cc|mit freundlichen grüßen|atentamente) "
    r"|\b(?:name|patient|client|customer|attn|attention|from|to|cc|author|signed|contact|"
    r"tenant|landlord|employee|witness|physician|nombre|paciente|kunde|sachbearbeiter)(?:'s name)?: {0,2})$",
    re.IGNORECASE,
)
_CUE_AFTER = re.compile(
    r"(?: (?:said|says|told|asked|wrote|writes|replied|agreed|explained|signed|testified|thinks|"
    r"believes|suggested|promised|confirmed|noted|added|called|joined|led|reported|complained)\b"
    r"|, (?:who|aged|\d\d\b|(?:the|our|a|an|his|her|my) [a-z]|ceo|cto|cfo|director|manager)"
    r"| \((?:aged )?\d\d\))",
    re.IGNORECASE,
)
_SPOKEN_TO = re.compile(
    r"\b(?:asked|told|met|called|emailed|thanked|thank|with|joined by|married|saw) $"
)
_FAREWELL = re.compile(
    r"(?:sincerely|faithfully|regards|wishes|thanks|truly|cheers|grüßen|grüssen|gruß|atentamente|"
    r"saludos|cordialmente),?\s*$",
    re.IGNORECASE,
)
_GERMAN = frozenset(
    "der die das und nicht ist mit von den ein eine auf fur sich wurde".split()
)


def find_cased(flat: str, tokens: Sequence[Token], words: Gazetteer) -> Iterator[Span]:
    """Yield the names in a flat block."""
    reader = _Reader(flat, tokens, words)
    at = 0
    while at < len(tokens):
        if not (tokens[at].is_capital and tokens[at].is_free):
            at += 1
            continue
        end = reader.run_end(at)
        yield from reader.read(at, end)
        at = end


class _Reader:
    """Reads runs of capitalised words. Holds the block it reads."""

    def __init__(self, flat: str, tokens: Sequence[Token], words: Gazetteer) -> None:
        self._flat = flat
        self._tokens = tokens
        self._words = words
        german = sum(1 for token in tokens[:400] if token.key in _GERMAN)
        self._nouns_are_capital = german * 12 > min(len(tokens), 400)

    def run_end(self, at: int) -> int:
        """Return where a run of capitals ends that begins at `at`."""
        end = at + 1
        while end < len(self._tokens) and self._tokens[end].is_free:
            if not self._joins(end):
                break
            if self._tokens[end].is_capital:
                end += 1
                continue
            after = self._after_connectors(end)
            if after == end:
                break
            end = after
        return end

    def _after_connectors(self, at: int) -> int:
        """Return where the run goes on after "de la" or "of the"; `at` if it does not."""
        for end in range(at, min(at + 3, len(self._tokens))):
            token = self._tokens[end]
            if not (self._joins(end) and token.is_free):
                return at
            if token.is_capital:
                return end
            if token.key not in PARTICLES and token.key not in CONNECTORS:
                return at
        return at

    def _joins(self, at: int) -> bool:
        """Whether a word belongs to the one before it by what stands between them."""
        left, right = self._tokens[at - 1], self._tokens[at]
        gap = self._flat[left.end : right.start]
        if gap in {" ", " & "}:
            return True
        if gap in {". ", "."}:
            short = left.key in _ABBREVIATED or left.key in TITLES
            return short or (len(left.text) == 1 and left.is_capital)
        if gap in {"'s ", "’s "}:
            return right.key in ENDS
        return gap == ", " and is_sure_end(right)

    def read(self, at: int, end: int) -> Iterator[Span]:
        """Yield what a run names."""
        found = organization(self._tokens[at:end], self._words)
        if found is not None:
            first, last = at + found[0], at + found[1]
            yield from self._read_people_and_places(at, first)
            yield self._span("organizations", first, last)
            at = last
        yield from self._read_people_and_places(at, end)

    def _read_people_and_places(self, at: int, end: int) -> Iterator[Span]:
        while at < end:
            found = self._listed(at, end) or self._one(at, end)
            if found is None:
                at += 1
                continue
            span, at = found
            yield span

    def _span(self, kind: Kind, first: int, last: int) -> Span:
        chosen = self._tokens[first:last]
        start, end = chosen[0].start, chosen[-1].end
        if self._flat[end - 2 : end - 1] == "." == self._flat[end : end + 1]:
            end += 1  # the last full stop of "S.A."
        name = " ".join(self._flat[start:end].split())
        if kind == "people" and name.isupper():
            name = titled([token.text.lower() for token in chosen])
        return Span(kind=kind, start=start, end=end, name=name)

    def _begins_sentence(self, at: int) -> bool:
        if at == 0:
            return True
        gap = self._flat[self._tokens[at - 1].end : self._tokens[at].start]
        return any(mark in gap for mark in ".!?:\n")

    def _before(self, at: int) -> str:
        start = self._tokens[at].start
        return self._flat[max(0, start - 40) : start]

    def _listed(self, at: int, end: int) -> tuple[Span, int] | None:
        """Find a place or an organisation of several words, and known organisations."""
        words = self._words
        key = self._tokens[at].key
        if key in words.place_heads or key in words.organization_heads:
            for last in range(min(end, at + 5), at + 1, -1):
                joined = " ".join(token.key for token in self._tokens[at:last])
                if joined in words.places:
                    return self._span("places", at, last), last
                if joined in words.organizations:
                    return self._span("organizations", at, last), last
        if key in words.organizations and self._is_known_organization(at):
            return self._span("organizations", at, at + 1), at + 1
        return None

    def _is_known_organization(self, at: int) -> bool:
        token = self._tokens[at]
        if len(token.key) <= 4 and token.key not in {"ebay", "sony", "ikea", "meta"}:
            return token.text.isupper()
        return token.key not in self._words.words or not self._begins_sentence(at)

    def _one(self, at: int, end: int) -> tuple[Span, int] | None:
        """Find the name that begins with one word, by the first rule that fits."""
        if self._tokens[at].key in TITLES:
            return self._titled(at, end)
        if at and self._tokens[at - 1].key in TITLES and self._joins(at):
            return self._titled(at - 1, end)
        last = self._name_end(at, end)
        if last == at:
            return self._place(at)
        street = self._street(at, end)
        if street:
            return self._span("places", at, street), street
        if self._is_person(at, last):
            return self._span("people", at, last), last
        return self._place(at) or self._by_cue(at, last)

    def _titled(self, at: int, end: int) -> tuple[Span, int] | None:
        first = at + 1
        while first < min(end, at + 4) and self._tokens[first].key in TITLES:
            first += 1
        last = self._name_end(first, end)
        if last == first:
            return None
        span = self._span("people", first, last)
        if last - first == 1:
            title = self._flat[self._tokens[first - 1].start : span.start].strip()
            name = f"{title.rstrip('.')}. {span.name}"
            name = name if title.endswith(".") else f"{title} {span.name}"
            span = Span(kind="people", start=span.start, end=span.end, name=name)
        return span, last

    def _name_end(self, at: int, end: int) -> int:
        """Return where the words that may be a person's name end."""
        last = at
        while last < min(end, at + _MOST_WORDS):
            token = self._tokens[last]
            if (
                token.key in PARTICLES and at < last < end - 1 and not token.is_capital
            ) or self._may_be_name(token, first=last == at):
                last += 1
            else:
                break
        while last > at and not self._tokens[last - 1].is_capital:
            last -= 1
        return last

    def _may_be_name(self, token: Token, *, first: bool) -> bool:
        if not token.is_plain_name or token.key in TITLES:
            return False
        words = self._words
        if token.key in words.words:
            return token.key in words.given or (
                token.key in words.surnames and not first
            )
        return token.key not in ENDS and (first or not words.is_place(token.key))

    def _is_person(self, at: int, last: int) -> bool:
        words, token = self._words, self._tokens[at]
        key = token.key.split("-")[0]
        if words.is_given(key):
            return last - at > 1 or not (
                token.text.isupper()
                or (words.is_place(key) and _AFTER_PLACE_WORD.search(self._before(at)))
            )
        if last - at < 2:
            is_named = key in words.given and key not in _MONTHS
            return is_named and _SPOKEN_TO.search(self._before(at)) is not None
        if key in words.given:
            return self._is_ambiguous_person(at)
        parts = self._tokens[last - 1].key.split("-")
        return not words.is_place(key) and any(map(words.is_surname, parts))

    def _is_ambiguous_person(self, at: int) -> bool:
        """Whether "Will Turner" is a name: by the surname, or by where it stands."""
        key, surname = self._tokens[at].key, self._tokens[at + 1].key
        if self._words.is_surname(surname):
            return True
        if key in _MONTHS:
            return False
        if surname in self._words.surnames:
            return True
        return not self._begins_sentence(at) and surname not in self._words.words

    def _street(self, at: int, end: int) -> int:
        key = self._tokens[at].key
        if key.endswith(_STREET_ENDINGS) and len(key) > 8:
            return at + 1
        for last in range(at + 1, min(end, at + 4)):
            if self._tokens[last].key in _STREETS:
                return last + 1
        return 0

    def _place(self, at: int) -> tuple[Span, int] | None:
        token = self._tokens[at]
        if not any(
            part in self._words.places for part in (token.key, token.key.split("-")[0])
        ):
            return None
        if token.key in self._words.words and not _AFTER_PLACE_WORD.search(
            self._before(at)
        ):
            return None
        return self._span("places", at, at + 1), at + 1

    def _by_cue(self, at: int, last: int) -> tuple[Span, int] | None:
        """Find an unknown name by the words around it."""
        tokens, words = self._tokens[at:last], self._words
        if any(token.text.isupper() and len(token.text) > 1 for token in tokens):
            return None
        before = self._before(at) if self._begins_name(at) else ""
        known = any(
            t.key in words.words and t.key not in words.surnames for t in tokens
        )
        if _CUE_BEFORE.search(before) and not (known and len(tokens) == 1):
            return self._span("people", at, last), last
        if known or self._nouns_are_capital:
            return None
        if len(tokens) in {2, 3} and self._is_said_to_be_person(before, last):
            return self._span("people", at, last), last
        if len(tokens) == 1 and self._is_said_to_be_place(tokens[0], before):
            return self._span("places", at, last), last
        return None

    def _is_said_to_be_place(self, token: Token, before: str) -> bool:
        if len(token.text) < 4 or not _INSIDE.search(before):
            return False
        return _PLACE_ENDS.match(self._flat, token.end) is not None

    def _begins_name(self, at: int) -> bool:
        """Whether no unknown capitalised word stands directly before."""
        if at == 0 or not self._joins(at):
            return True
        left = self._tokens[at - 1]
        return not left.is_capital or left.key in self._words.words

    def _is_said_to_be_person(self, before: str, last: int) -> bool:
        end = self._tokens[last - 1].end
        if _CUE_AFTER.match(self._flat, end):
            return True
        is_line_end = self._flat[end : end + 1] in {"", "\n"}
        return is_line_end and _FAREWELL.search(before) is not None
