# SPDX-License-Identifier: Apache-2.0
"""The embedded redaction: masks what points to a person, by rules."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal, get_args

from msgspec import Struct

from lao.backends.embedded.blocks import blocks, flatten, is_punctuated, lowered
from lao.backends.embedded.contacts import emails, ips, phones
from lao.backends.embedded.dates import find_dates
from lao.backends.embedded.entities import SOURCES
from lao.backends.embedded.gazetteer import Gazetteer, load_gazetteer
from lao.backends.embedded.identifiers import cards, ibans, ids
from lao.backends.embedded.names import Names
from lao.backends.embedded.spans import Taken
from lao.backends.embedded.text_requests import (
    bad_option,
    choice,
    merged_options,
    read_text,
    source_digest,
    stop_if_cancelled,
)
from lao.errors import did_you_mean
from lao.workflow.inference import (
    ModelDescription,
    ModelProblem,
    ModelReply,
    ModelRequest,
    Report,
)
from lao.workflow.values import JsonValue

_MADE_BY = "LAO redact: rules, no language model; check the result"
_SOURCES = (*SOURCES, "identifiers.py", "redact.py")
_MASKS = ("label", "block")
_BLOCK = "█████"
_MOST_PASSES = 30

Masked = Literal["people", "emails", "phones", "cards", "ibans", "ids", "ips"]
_KINDS: tuple[Masked, ...] = get_args(Masked)
_LABELS: Mapping[Masked, str] = {
    "people": "PERSON",
    "emails": "EMAIL",
    "phones": "PHONE",
    "cards": "CARD",
    "ibans": "IBAN",
    "ids": "ID",
    "ips": "IP",
}
_LABEL = re.compile(rf"\[({'|'.join(_LABELS.values())}) (\d{{1,9}})\]")
_ALSO_CALLED: Mapping[str, Masked] = {
    **{kind.removesuffix("s"): kind for kind in _KINDS},
    **{kind: kind for kind in _KINDS},
    "person": "people",
    "name": "people",
    "names": "people",
}
_FINDERS: tuple[tuple[Masked, Callable[[str], Iterator[tuple[int, int]]]], ...] = (
    ("ibans", ibans),
    ("cards", cards),
    ("emails", emails),
    ("ids", ids),
    ("phones", phones),
    ("ips", ips),
)


class _Find(Struct, frozen=True, kw_only=True):
    """A stretch of a block to mask. Finds with one `key` get one label."""

    kind: Masked
    start: int
    end: int
    key: str


class Redact:
    """Masks, looks again at what it wrote, and ends when it finds nothing more."""

    def __init__(self) -> None:
        self._options: Mapping[str, JsonValue] = {}
        self._words: Gazetteer | None = None

    def describe(self) -> ModelDescription:
        """Name the model by the source of its rules."""
        return ModelDescription(
            name="embedded:redact", digest=source_digest(_SOURCES), made_by=_MADE_BY
        )

    def load(self, options: Mapping[str, JsonValue]) -> None:
        """Keep the options that every request starts from; read the names."""
        _read_options(options, {})
        self._options = dict(options)
        self._words = load_gazetteer()

    def infer(self, request: ModelRequest, report: Report) -> ModelReply:
        """Return the text with masks; what is not masked stays as it is."""
        kinds, mask = _read_options(self._options, request.options)
        text = read_text(request, model="the embedded redaction")
        words = self._words or load_gazetteer()
        redaction = _Redaction(kinds, mask, Names(words), text)
        for _ in range(_MOST_PASSES):
            masked = redaction.pass_over(text, report)
            if masked == text:
                notes = redaction.notes()
                return ModelReply(value=text, made_by=_MADE_BY, notes=notes)
            text = masked
        raise ModelProblem(
            "embedded.cannot-redact",
            f"after {_MOST_PASSES} passes there is still something to mask",
            mend="the text is made of digits or names without end; split it first",
        )


def _read_options(
    loaded: Mapping[str, JsonValue], asked: Mapping[str, JsonValue]
) -> tuple[tuple[Masked, ...], str]:
    options = merged_options(loaded, asked, ("kinds", "mask"))
    return _read_kinds(options.get("kinds")), choice(options, "mask", _MASKS)


def _read_kinds(value: JsonValue) -> tuple[Masked, ...]:
    if isinstance(value, str):
        value = [*value.replace(",", " ").split()]
    if value is None or value == []:
        return _KINDS
    if not isinstance(value, list):
        raise bad_option("kinds", value, "a list of: " + ", ".join(_KINDS))
    return tuple(_kind_named(name) for name in value)


def _kind_named(name: JsonValue) -> Masked:
    found = _ALSO_CALLED.get(name.strip().lower()) if isinstance(name, str) else None
    if found is None:
        raise bad_option("kinds", name, did_you_mean(str(name), _KINDS))
    return found


class _Redaction:
    """One request: which labels are given out, and how much was masked."""

    def __init__(
        self, kinds: Sequence[Masked], mask: str, names: Names, text: str
    ) -> None:
        self._kinds = kinds
        self._mask = mask
        self._names = names
        self._labels: dict[tuple[Masked, str], str] = {}
        self._counts = dict.fromkeys(_KINDS, 0)
        self._last = dict.fromkeys(_LABELS.values(), 0)
        for match in _LABEL.finditer(text):
            self._last[match[1]] = max(self._last[match[1]], int(match[2]))

    def notes(self) -> tuple[str, ...]:
        """Say how many masks of each kind there are, and never what is under them."""
        notes = [f"{kind}: {count}" for kind, count in self._counts.items() if count]
        return tuple(notes) or ("found nothing to mask",)

    def pass_over(self, text: str, report: Report) -> str:
        """Return the text with everything masked that one look finds."""
        wrapped = is_punctuated(text)
        pieces: list[str] = []
        for offset, block in blocks(text):
            stop_if_cancelled(report)
            report.progress(offset, len(text), "characters")
            at = 0
            for find in self._finds(flatten(block, wrapped=wrapped)):
                pieces += (block[at : find.start], self._masked(find))
                at = find.end
            pieces.append(block[at:])
        return "".join(pieces)

    def _finds(self, flat: str) -> list[_Find]:
        """Return what to mask in a flat block, in order; none overlaps another."""
        low = lowered(flat)
        taken = Taken(len(flat))
        for label in _LABEL.finditer(flat):
            taken.take(label.start(), label.end())
        found = [
            _Find(kind=kind, start=start, end=end, key=_key(low[start:end]))
            for kind, finder in _FINDERS
            if kind in self._kinds
            for start, end in finder(low)
            if taken.take(start, end)
        ]
        if "people" in self._kinds:
            for date in find_dates(low):
                taken.take(date.start, date.end)
            found += [
                _Find(kind="people", start=s.start, end=s.end, key=s.name.casefold())
                for s in self._names.find(flat, taken)
                if s.kind == "people"
            ]
        return sorted(found, key=lambda find: find.start)

    def _masked(self, find: _Find) -> str:
        self._counts[find.kind] += 1
        if self._mask == "block":
            return _BLOCK
        key = (find.kind, find.key)
        if key not in self._labels:
            word = _LABELS[find.kind]
            self._last[word] += 1
            self._labels[key] = f"[{word} {self._last[word]}]"
        return self._labels[key]


def _key(low: str) -> str:
    return "".join(c for c in low if c.isalnum() or c in "@+")
