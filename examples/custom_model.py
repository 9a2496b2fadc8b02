# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: INP001  (a file on its own; no package needs it)
"""Word statistics: a custom model in one file, with every part that one can have.

A workflow names it by path: `{ kind: custom, plugin: custom_model.py }`. LAO imports
it in a worker process only.
"""

import re
from collections import Counter
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from lao import ModelDescription, ModelProblem, ModelReply, ModelRequest, Report

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_MADE_BY = "word statistics"
_STRIDE = 10_000  # words between two looks at `report.cancelled`


class WordStatistics:
    """Counts words. Options: `top`, how many of the commonest to name (5)."""

    def load(self, options: Mapping[str, object]) -> None:
        """Get ready: called once in a worker's life, before the first request."""
        self._top = _top(options, usual=5)

    def describe(self) -> ModelDescription:
        """Say what the model is; a digest names its content."""
        content = Path(__file__).read_bytes()
        return ModelDescription(
            name="word-statistics",
            digest=f"sha256:{sha256(content).hexdigest()}",
            made_by=_MADE_BY,
            size=len(content),
        )

    def infer(self, request: ModelRequest, report: Report) -> ModelReply:
        """Answer one request: an object where JSON is wanted, else lines of text."""
        text = request.input if request.input is not None else request.prompt
        if not isinstance(text, str) or not text.strip():
            raise ModelProblem(
                "words.no-text",
                "there is no text to count",
                mend="give the step an `input` of type text",
            )
        counts = _count(text, report)
        commonest = counts.most_common(_top(request.options, usual=self._top))
        if request.wants == "json":
            return ModelReply(
                value={
                    "words": counts.total(),
                    "distinct": len(counts),
                    "commonest": [word for word, _ in commonest],
                },
                made_by=_MADE_BY,
            )
        lines = [f"{counts.total()} words, {len(counts)} distinct\n"]
        lines += [f"{number:>6} {word}\n" for word, number in commonest]
        for line in lines:
            report.text(line)
        return ModelReply(value="".join(lines), made_by=_MADE_BY)


def _count(text: str, report: Report) -> Counter[str]:
    """Return how often each word occurs, telling how far the count is."""
    counts: Counter[str] = Counter()
    for number, match in enumerate(_WORD.finditer(text)):
        if number % _STRIDE == 0:
            if report.cancelled:
                raise ModelProblem("words.cancelled", "nobody waits for the count")
            report.progress(match.start(), len(text), "characters")
        counts[match[0].lower()] += 1
    report.progress(len(text), len(text), "characters")
    return counts


def _top(options: Mapping[str, object], *, usual: int) -> int:
    top = options.get("top", usual)
    if not isinstance(top, int) or isinstance(top, bool) or top < 1:
        raise ModelProblem(
            "words.bad-option",
            f"the option 'top' is {top!r}",
            mend="give a whole number from 1",
        )
    return top
