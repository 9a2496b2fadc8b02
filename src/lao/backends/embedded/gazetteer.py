# SPDX-License-Identifier: Apache-2.0
# SIM905: a word list reads best as words.
# ruff: noqa: SIM905
"""The word lists behind the name rules, read from names.txt."""

from collections.abc import Mapping
from importlib.resources import files

from msgspec import Struct

from lao.backends.embedded.blocks import folded

_FUNCTION_WORDS = frozenset(
    "a able about above after again against all also am among an and any are as at "
    "away back be became because been before began being below between both but by "
    "can cannot could did do does done down during each either else ever every few "
    "fewer for from had has have he her here hers him his how however i if in into "
    "is it its just last later less let like made make makes many may me might more "
    "most much must my near never next no nor not now of off on once only onto or "
    "other our ours out over own per said same says see she should since so some "
    "still such than that the their them then there these they this those though "
    "through thus till to today too took toward under until up upon us use uses "
    "very via was we were what when where which while who whom whose why will with "
    "within without would yes yet you your goes gets needs runs was has does its "
    "this always perhaps times plus minus opens closes starts ends fails works "
    "shows means says takes gives becomes remains seems happens times der die das "
    "und oder mit von für auf aus bei nach ist sind war im am in an el la los las "
    "de del y o con por para es son fue".split()
)


class Gazetteer(Struct, frozen=True, kw_only=True):
    """Known names, all folded. `place_heads` begin places of several words."""

    given: frozenset[str]
    surnames: frozenset[str]
    places: frozenset[str]
    place_heads: frozenset[str]
    organizations: frozenset[str]
    organization_heads: frozenset[str]
    words: frozenset[str]

    def is_function_word(self, word: str) -> bool:
        """Whether a lower-case word only holds a sentence together."""
        return word in _FUNCTION_WORDS

    def is_given(self, word: str) -> bool:
        """Whether a word is a given name and nothing else."""
        return word in self.given and word not in self.words

    def is_surname(self, word: str) -> bool:
        """Whether a word is a surname and nothing else."""
        return word in self.surnames and word not in self.words

    def is_place(self, word: str) -> bool:
        """Whether a word is a place and nothing else."""
        return word in self.places and word not in self.words


def load_gazetteer() -> Gazetteer:
    """Read the lists that ship with LAO."""
    text = files("lao.backends.embedded").joinpath("names.txt").read_text("utf-8")
    sections = _sections(text)
    places = frozenset(_listed(sections["places"]))
    organizations = frozenset(_listed(sections["organizations"]))
    return Gazetteer(
        given=frozenset(sections["given"].split()),
        surnames=frozenset(sections["surnames"].split()),
        places=places,
        place_heads=_heads(places),
        organizations=organizations,
        organization_heads=_heads(organizations),
        words=frozenset(sections["words"].split()),
    )


def _sections(text: str) -> Mapping[str, str]:
    found: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in text.splitlines():
        if line.startswith("["):
            lines = found.setdefault(line.strip("[]"), [])
        elif not line.startswith("#"):
            lines.append(line)
    return {name: "\n".join(lines) for name, lines in found.items()}


def _listed(text: str) -> list[str]:
    entries = (" ".join(entry.split()) for entry in text.split(","))
    return [folded(entry) for entry in entries if entry]


def _heads(entries: frozenset[str]) -> frozenset[str]:
    return frozenset(entry.split()[0] for entry in entries if " " in entry)
