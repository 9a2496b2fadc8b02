# SPDX-License-Identifier: Apache-2.0
"""Key phrases by RAKE: the words between stop words, scored by the company they keep.

After Rose, Engel, Cramer and Cowley, "Automatic keyword extraction from individual
documents" (2010): a word's score is its degree (the length of the phrases it is in,
summed) over its frequency; a phrase's score is the sum over its words.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator

_PART = re.compile(r"[^.,;:!?()\[\]{}\"“”\n–—|]+")
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_LONGEST = 4  # words in a phrase

Phrase = tuple[str, ...]


def candidates(
    text: str, stop_words: Collection[str], tell: Callable[[int], None]
) -> Iterator[Phrase]:
    """Yield every run of words without a stop word; `tell` hears how far it is."""
    for part in _PART.finditer(text):
        tell(part.end())
        run: list[str] = []
        for word in [*_WORD.findall(part[0].lower()), ""]:
            if word and word not in stop_words and not word.isdigit():
                run.append(word)
                continue
            if 0 < len(run) <= _LONGEST:
                yield tuple(run)
            run = []


def ranked(phrases: Iterable[Phrase]) -> list[tuple[str, float]]:
    """Return each phrase once with its score, the best first.

    Equal scores: the more frequent first, then by the alphabet.
    """
    counts = Counter(phrases)
    frequency: Counter[str] = Counter()
    degree: Counter[str] = Counter()
    for phrase, count in counts.items():
        for word in phrase:
            frequency[word] += count
            degree[word] += count * len(phrase)
    scores = {
        phrase: sum(degree[word] / frequency[word] for word in phrase)
        for phrase in counts
    }
    order = sorted(counts, key=lambda each: (-scores[each], -counts[each], each))
    return [(" ".join(each), round(scores[each], 3)) for each in order]
