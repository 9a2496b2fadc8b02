# SPDX-License-Identifier: Apache-2.0
# SIM905: a word list reads best as words.
# ruff: noqa: SIM905
"""LexRank without the matrix: which sentences say what the others say.

LexRank (Erkan and Radev, 2004) is a random walk over a graph whose edges are the
TF-IDF cosines of sentences. The graph is V·Vᵀ for the rows V of normalised
vectors, so one step of the walk is two products with V. Time and memory grow with
the words of the text, and not with the square of its sentences.
"""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence

Vector = Mapping[str, float]

_TERM = re.compile(r"[^\W_]+(?:['’][^\W_]+)?|[£$€%]")
_LONGEST_SENTENCE = 200
_DAMPING = 0.85
_ROUNDS = 60
_ROUNDING = 1e-9
_ENDINGS = ("ations", "ation", "ments", "ment", "ings", "ing", "ies", "ed", "es", "s")
_FUNCTION_WORDS = frozenset(
    "a an and are as at be been but by can could did do does for from had has have "
    "he her his i if in into is it its me my no nor not of on one or our out over "
    "she should so some such than that the their them then there these they this "
    "those to too up us was we were what when where which while who whom why will "
    "with would you your also about after before during more most other only own "
    "same very must may might okay yeah um uh well just der die das den dem des ein "
    "eine einen einem einer und oder aber nicht ist sind war wird wurde hat haben "
    "mit von vom zum zur für auf aus bei nach im am in an zu el la los las un una y "
    "o de del al en que con por para es son fue se su sus no lo le les como más "
    "pero".split()
)


def vectors(sentences: Sequence[str]) -> list[Vector]:
    """Return the TF-IDF vector of each sentence, of length 1 (or empty)."""
    counts = [_terms(sentence) for sentence in sentences]
    documents = Counter(term for count in counts for term in count)
    return [_unit(count, documents, len(sentences)) for count in counts]


def _terms(sentence: str) -> Counter[str]:
    words = _TERM.findall(sentence.lower())[:_LONGEST_SENTENCE]
    return Counter(_stem(word) for word in words if word not in _FUNCTION_WORDS)


def _stem(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


def _unit(count: Counter[str], documents: Counter[str], total: int) -> Vector:
    weights = {
        term: (1 + math.log(times)) * math.log(1 + total / documents[term])
        for term, times in count.items()
    }
    length = math.sqrt(sum(weight * weight for weight in weights.values()))
    return {term: weight / length for term, weight in weights.items()} if length else {}


def likeness(left: Vector, right: Vector) -> float:
    """Return the cosine of two vectors of length 1."""
    if len(right) < len(left):
        left, right = right, left
    return sum(weight * right.get(term, 0.0) for term, weight in left.items())


def central(rows: Sequence[Vector]) -> list[float]:
    """Return how central each sentence is; the most central has 1."""
    total = len(rows)
    degrees = [
        degree if degree > _ROUNDING else 1.0
        for degree in _neighbours(rows, [1.0] * total)
    ]
    rank = [1.0 / total] * total
    for _ in range(_ROUNDS):
        flow = [share / degree for share, degree in zip(rank, degrees, strict=True)]
        moved = [
            (1 - _DAMPING) / total + _DAMPING * share
            for share in _neighbours(rows, flow)
        ]
        change = sum(abs(a - b) for a, b in zip(moved, rank, strict=True))
        rank = moved
        if change < 1e-6:
            break
    top = max(rank, default=1.0)
    return [share / top for share in rank]


def _neighbours(rows: Sequence[Vector], weights: Sequence[float]) -> list[float]:
    """Return (V·Vᵀ - I)·weights: what each sentence gets from all the others."""
    terms: dict[str, float] = {}
    for row, weight in zip(rows, weights, strict=True):
        for term, share in row.items():
            terms[term] = terms.get(term, 0.0) + share * weight
    return [
        max(0.0, sum(share * terms[term] for term, share in row.items()) - weight)
        if row
        else 0.0
        for row, weight in zip(rows, weights, strict=True)
    ]
