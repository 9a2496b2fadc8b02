# SPDX-License-Identifier: Apache-2.0
"""The embedded entities model: finds who, where, when and how much, by rules."""

from collections.abc import Iterator, Mapping
from typing import get_args

from lao.backends.embedded.blocks import blocks, flatten, is_punctuated, lowered
from lao.backends.embedded.contacts import emails, ips, phones, urls
from lao.backends.embedded.dates import find_dates
from lao.backends.embedded.gazetteer import Gazetteer, load_gazetteer
from lao.backends.embedded.names import Names
from lao.backends.embedded.patterns import find_numeric
from lao.backends.embedded.spans import Kind, Span, Taken
from lao.backends.embedded.text_requests import (
    merged_options,
    read_text,
    source_digest,
    stop_if_cancelled,
)
from lao.workflow.inference import (
    ModelDescription,
    ModelReply,
    ModelRequest,
    Report,
)
from lao.workflow.values import JsonValue

_MADE_BY = "LAO entities: rules, no language model"
SOURCES = (
    "blocks.py",
    "cased_names.py",
    "contacts.py",
    "dates.py",
    "entities.py",
    "gazetteer.py",
    "lower_names.py",
    "names.py",
    "names.txt",
    "organizations.py",
    "patterns.py",
    "spans.py",
    "tokens.py",
)
"""The files that decide what is found."""

_MOST_OF_A_KIND = 10_000
_KINDS: tuple[Kind, ...] = get_args(Kind)


class Entities:
    """Rules over the text, and lists of names that ship with LAO."""

    def __init__(self) -> None:
        self._words: Gazetteer | None = None

    def describe(self) -> ModelDescription:
        """Name the model by the source of its rules."""
        return ModelDescription(
            name="embedded:entities", digest=source_digest(SOURCES), made_by=_MADE_BY
        )

    def load(self, options: Mapping[str, JsonValue]) -> None:
        """Read the lists of names. There are no options."""
        merged_options(options, {}, ())
        self._words = load_gazetteer()

    def infer(self, request: ModelRequest, report: Report) -> ModelReply:
        """Return an object with one list of distinct strings for each kind."""
        merged_options({}, request.options, ())
        text = read_text(request, model="the embedded entities model")
        words = self._words or load_gazetteer()
        found: dict[Kind, dict[str, str]] = {kind: {} for kind in _KINDS}
        for kind, name in _named(text, words, report):
            names = found[kind]
            if len(names) < _MOST_OF_A_KIND:
                names.setdefault(name.casefold(), name)
        found["people"] = _without_short_forms(found["people"])
        value: dict[str, JsonValue] = {k: list(found[k].values()) for k in _KINDS}
        return ModelReply(value=value, made_by=_MADE_BY, notes=_notes(found))


def _notes(found: Mapping[Kind, Mapping[str, str]]) -> tuple[str, ...]:
    return tuple(
        f"{kind}: only the first {_MOST_OF_A_KIND} are listed"
        for kind, names in found.items()
        if len(names) >= _MOST_OF_A_KIND
    )


def _named(text: str, words: Gazetteer, report: Report) -> Iterator[tuple[Kind, str]]:
    wrapped = is_punctuated(text)
    names = Names(words)
    for offset, block in blocks(text):
        stop_if_cancelled(report)
        report.progress(offset, len(text), "characters")
        for span in find_entities(flatten(block, wrapped=wrapped), words, names):
            shown = span.name or " ".join(block[span.start : span.end].split())
            yield span.kind, shown


def find_entities(flat: str, words: Gazetteer, names: Names) -> list[Span]:
    """Return the finds in a flat block, in order; none overlaps another."""
    low = lowered(flat)
    taken = Taken(len(flat))
    numeric = list(find_numeric(low, words))
    kept = [
        span
        for span in (*_contacts(low), *find_dates(low), *numeric)
        if span.kind != "quantities" and taken.take(span.start, span.end)
    ]
    kept += names.find(flat, taken)
    kept += [
        span
        for span in numeric
        if span.kind == "quantities" and taken.take(span.start, span.end)
    ]
    return sorted(kept, key=lambda span: span.start)


def _contacts(low: str) -> Iterator[Span]:
    finders: tuple[tuple[Kind, Iterator[tuple[int, int]]], ...] = (
        ("urls", urls(low)),
        ("emails", emails(low)),
        ("ips", ips(low)),
        ("phones", phones(low)),
    )
    for kind, found in finders:
        for start, end in found:
            yield Span(kind=kind, start=start, end=end)


def _without_short_forms(people: Mapping[str, str]) -> dict[str, str]:
    """Leave out "Maria" where one person of the list is called "Maria Lopez"."""
    owners: dict[str, int] = {}
    for key in people:
        for part in set(key.split()):
            owners[part] = owners.get(part, 0) + (" " in key)
    return {
        key: name
        for key, name in people.items()
        if " " in key or owners.get(key, 0) != 1
    }
