# SPDX-License-Identifier: Apache-2.0
"""The embedded summary: picks true sentences of the text; writes none."""

import re
from collections.abc import Iterator, Mapping

from msgspec import Struct

from lao.backends.embedded.blocks import is_punctuated
from lao.backends.embedded.ranking import Vector, central, likeness, vectors
from lao.backends.embedded.sentences import sentences
from lao.backends.embedded.text_requests import (
    bad_option,
    choice,
    merged_options,
    read_text,
    source_digest,
    stop_if_cancelled,
)
from lao.workflow.inference import (
    ModelDescription,
    ModelProblem,
    ModelReply,
    ModelRequest,
    Report,
)
from lao.workflow.values import JsonValue

_MADE_BY = "LAO summary: extractive, no language model"
_SOURCES = ("blocks.py", "ranking.py", "sentences.py", "summary.py")
_STYLES = ("bullets", "paragraph")
_MOST_CANDIDATES = 1_500
_FEWEST_WORDS = 5
_MOST_WORDS = 45
_CENTRALITY = 0.6
_SAME = 0.95

_ORDINAL = r"(?:first|second|third|fourth|fifth|sixth|seventh|last|final)(?:ly)?"
_CONNECTIVE = re.compile(
    rf"(?:(?:and|but|so) )?(?:{_ORDINAL}(?: of all)?|however|therefore|moreover|besides|"
    r"furthermore|hence|thus|consequently|meanwhile|nevertheless|nonetheless|similarly|"
    r"additionally|also|in addition|as a result|for example|for instance|likewise|"
    r"on the other hand|on the one hand|by contrast|in contrast|in other words|next|"
    r"that said|of course|then|still|yet|well|okay|ok|right|now|anyway|after that|"
    r"and|but|so)(?:, +| +(?=(?:the|an?|we|our|you|your|i|he|she|it|they|this|"
    r"there|every|all|each|it's|we're|i'm) )|: +)",
    re.IGNORECASE,
)
_DANGLING = re.compile(
    rf"[\"'“‘]|(?:this|it|its|it's|they|they're|their|these|those|that|that's|he|she|his|her|"
    r"him|them|such|otherwise|instead|if (?:so|not)|either way|or|nor|which|both|"
    r"neither|another|(?:a|the|one) (?:second|third|other|further|latter|former|same|"
    rf"others)|the others|the (?:first|next|last|other) (?:two|three|four|five)|{_ORDINAL},|however|therefore|but|and|so|because of (?:this|"
    r"that)|dies\w*|das|er|sie|es|außerdem|jedoch|esto|eso|ello|además|sin embargo)\b",
    re.IGNORECASE,
)
_COURTESY = re.compile(
    r"(?:good (?:morning|afternoon|evening)|hello|hi|hey|welcome|thank you|thanks|"
    r"dear|questions about|kind regards|best regards|sincerely)\b|.*\bplease\b|.*\?$",
    re.IGNORECASE,
)
_MONEY = re.compile(r"[£$€¥]|\b(?:dollars|euros?|pounds|budget)\b", re.IGNORECASE)
_COST = re.compile(
    r"\b(?:costs?|prices?|fees?|damages?|losses|estimated|in total|kosten|coste)\b",
    re.IGNORECASE,
)
_DECISION = re.compile(
    r"\b(?:decid\w+|decision|agree[ds]?|approv\w+|recommend\w*|must|deadline|concluded?|"
    r"will (?:be|have|finish|start|send|call|delay)|proposes?|caused?|resolved)\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(
    r"\d|\b(?:two|three|four|five|ten|twelve|twenty|thirty|forty|fifty|sixty|hundred|"
    r"thousand|million|percent|monday|tuesday|wednesday|thursday|friday)\b",
    re.IGNORECASE,
)
_GAINS = ((_MONEY, 1.3), (_COST, 1.3), (_DECISION, 1.15), (_NUMBER, 1.1))


class _Candidate(Struct, frozen=True, kw_only=True):
    """A sentence that may be shown. `place` is its number in the whole text."""

    place: int
    text: str
    weight: float
    needs_the_one_before: bool


class Summary:
    """LexRank over the sentences of a text, with a taste for facts."""

    def __init__(self) -> None:
        self._options: Mapping[str, JsonValue] = {}

    def describe(self) -> ModelDescription:
        """Name the model by the source of its rules."""
        return ModelDescription(
            name="embedded:summary",
            digest=source_digest(_SOURCES),
            made_by=_MADE_BY,
        )

    def load(self, options: Mapping[str, JsonValue]) -> None:
        """Keep the options that every request starts from."""
        _read_options(options, {})
        self._options = dict(options)

    def infer(self, request: ModelRequest, report: Report) -> ModelReply:
        """Return the sentences that say most, in the order of the text."""
        count, style = _read_options(self._options, request.options)
        text = read_text(request, model="the embedded summary")
        if not text.strip():
            raise ModelProblem(
                "embedded.empty-text",
                "there is no text to summarise",
                mend="look at what the step before this one gives",
            )
        found, seen = _candidates(text, count, report)
        picked = found if seen <= count else _pick(found, count, report)
        notes = [f"{len(picked)} of {seen} sentences"]
        if len(found) == _MOST_CANDIDATES < seen:
            notes.append(
                f"compared the {_MOST_CANDIDATES} most telling sentences only, "
                "chosen evenly over the text"
            )
        return ModelReply(
            value=_written(picked, style), made_by=_MADE_BY, notes=tuple(notes)
        )


def _read_options(
    loaded: Mapping[str, JsonValue], asked: Mapping[str, JsonValue]
) -> tuple[int, str]:
    options = merged_options(loaded, asked, ("sentences", "style"))
    count = options.get("sentences", 5)
    if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= 50:
        raise bad_option("sentences", count, "a whole number from 1 to 50")
    return count, choice(options, "style", _STYLES)


def _candidates(text: str, wanted: int, report: Report) -> tuple[list[_Candidate], int]:
    """Return what may be shown, in order, and how many sentences there are.

    Holds the best sentence of each of 1,500 equal stretches once a text has more
    sentences than that, so that memory does not grow with the text.
    """
    kept: list[_Candidate] = []
    best: dict[int, _Candidate] = {}
    seen = 0
    for offset, candidate in _weighed(text):
        if not seen % 256:
            stop_if_cancelled(report)
            report.progress(offset, len(text), "characters")
        seen += 1
        if len(kept) < _MOST_CANDIDATES:
            kept.append(candidate)
        stretch = offset * _MOST_CANDIDATES // len(text)
        if stretch not in best or candidate.weight > best[stretch].weight:
            best[stretch] = candidate
    if seen > _MOST_CANDIDATES:
        kept = list(best.values())
    telling = [candidate for candidate in kept if candidate.weight > 0]
    return (telling if len(telling) >= wanted else kept), seen


def _weighed(text: str) -> Iterator[tuple[int, _Candidate]]:
    marked = is_punctuated(text)
    for place, (offset, sentence) in enumerate(sentences(text)):
        shown = without_connective(sentence)
        yield (
            offset,
            _Candidate(
                place=place,
                text=shown,
                weight=_weight(shown, place, marked=marked),
                needs_the_one_before=_DANGLING.match(shown) is not None,
            ),
        )


def without_connective(sentence: str) -> str:
    """Return the sentence without its "Second, " or "However, "."""
    match = _CONNECTIVE.match(sentence)
    if match is None or match.end() == len(sentence):
        return sentence
    rest = sentence[match.end() :]
    return rest[0].upper() + rest[1:] if sentence[0].isupper() else rest


def _weight(sentence: str, place: int, *, marked: bool) -> float:
    """Return how much a sentence is worth before it is compared; 0 for headings."""
    words = sentence.count(" ") + 1
    if words < _FEWEST_WORDS or (
        marked and sentence.rstrip("\"'”’)]")[-1:] not in ".!?…"
    ):
        return 0.0
    weight = 1.25 if place <= 1 else 1.0
    weight *= 0.4 if _COURTESY.match(sentence) else 1.0
    weight *= 0.8 if words > _MOST_WORDS else 1.0
    weight *= 0.75 if _DANGLING.match(sentence) else 1.0
    for cue, gain in _GAINS:
        weight *= gain if cue.search(sentence) else 1.0
    return weight


def _pick(found: list[_Candidate], count: int, report: Report) -> list[_Candidate]:
    """Take the best sentences one by one, each unlike those before it (MMR)."""
    rows = vectors([candidate.text for candidate in found])
    stop_if_cancelled(report)
    worth = [
        rank * candidate.weight
        for rank, candidate in zip(central(rows), found, strict=True)
    ]
    top = max(worth) or 1.0
    repeats = [0.0] * len(found)
    picked: set[int] = set()
    while len(picked) < count:
        stop_if_cancelled(report)
        new = [
            k for k, repeat in enumerate(repeats) if k not in picked and repeat < _SAME
        ]
        if not new:
            break
        chosen = max(
            [k for k in new if _stands(found, k, picked)] or new,
            key=lambda k: _CENTRALITY * worth[k] / top - (1 - _CENTRALITY) * repeats[k],
        )
        picked.add(chosen)
        _note_repeats(repeats, rows, chosen)
    return [found[k] for k in sorted(picked)]


def _stands(found: list[_Candidate], k: int, picked: set[int]) -> bool:
    """Whether a sentence can be understood beside those picked so far."""
    candidate = found[k]
    if not candidate.needs_the_one_before:
        return True
    return k - 1 in picked and found[k - 1].place == candidate.place - 1


def _note_repeats(repeats: list[float], rows: list[Vector], chosen: int) -> None:
    for k, row in enumerate(rows):
        repeats[k] = max(repeats[k], likeness(row, rows[chosen]))


def _written(picked: list[_Candidate], style: str) -> str:
    if style == "bullets":
        return "\n".join(f"- {candidate.text}" for candidate in picked)
    ended = (
        text if text[-1] in ".!?…\"'”’)]" else f"{text}."
        for text in (candidate.text for candidate in picked)
    )
    return " ".join(ended)
