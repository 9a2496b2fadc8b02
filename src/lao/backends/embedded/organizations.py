# SPDX-License-Identifier: Apache-2.0
# SIM905: a word list reads best as words.
# ruff: noqa: SIM905
"""How the name of an organisation is recognised: by its last or its first word."""

from collections.abc import Sequence

from lao.backends.embedded.gazetteer import Gazetteer
from lao.backends.embedded.tokens import Token

ENDS = frozenset(
    "inc incorporated ltd limited llc llp plc corp corporation company gmbh group "
    "holding holdings partners systems networks network university institute bank "
    "ministry council hospital clinic clinics agency committee association "
    "foundation department labs lab laboratories technologies technology solutions "
    "software industries services service consulting college school academy society "
    "federation commission union trust authority museum library church court "
    "parliament media press studios airlines airways motors energy insurance "
    "pharmaceuticals pharma capital ventures logistics telecom orchestra fund "
    "universitat hochschule klinik klinikum krankenhaus sparkasse versicherung "
    "verein stiftung verlag werke universidad clinica".split()
)
_SHORT_ENDS = frozenset("AG KG SE SA SL NV BV AB UG LP Co KGaA SpA eV".split())
_SURE_ENDS = frozenset("inc incorporated ltd llc llp plc corp corporation gmbh".split())
_HEADS = frozenset(
    "university bank ministry department institute college church court museum "
    "hospital office board council school bureau society universitat universidad "
    "banco ministerio klinik clinica amtsgericht landgericht stadtwerke "
    "ayuntamiento".split()
)
_NAMED_AFTER = frozenset(
    "stadtwerke amtsgericht landgericht universitat universidad klinikum banco".split()
)
_JOINS = frozenset("of for the fur de del zu and".split())
CONNECTORS = frozenset("of for the fur".split())


def organization(run: Sequence[Token], words: Gazetteer) -> tuple[int, int] | None:
    """Return which words of a run of capitals name an organisation, as `(from, to)`."""
    ends = (k for k in range(len(run)) if _is_end(run[k]) or _is_dotted_form(run, k))
    last = max(ends, default=0)
    if last:
        first = _first(run, last, words)
        if last > first and _is_particular(run[first : last + 1], words):
            return first, last + 1
    for k, token in enumerate(run[:-2]):
        if token.key in _HEADS and run[k + 1].key in _JOINS:
            return k, len(run)
    for k, token in enumerate(run[:-1]):
        if token.key in _NAMED_AFTER and run[k + 1].is_capital:
            return k, len(run)
    return None


def _is_end(token: Token) -> bool:
    if not token.is_capital and token.text not in _SHORT_ENDS:
        return False
    return token.key in ENDS or token.text in _SHORT_ENDS


def _is_dotted_form(run: Sequence[Token], k: int) -> bool:
    """Whether a word is the end of "S.A." or "S.L."."""
    return k > 1 and run[k].text in {"A", "L"} and run[k - 1].text == "S"


def is_sure_end(token: Token) -> bool:
    """Whether a word is a legal form, which may follow a comma."""
    return token.key in _SURE_ENDS or token.text in _SHORT_ENDS


def _first(run: Sequence[Token], last: int, words: Gazetteer) -> int:
    """Return where the name begins: after "The" and other words that hold no name."""
    first = 0
    for k in range(1, last):
        if run[k].key in CONNECTORS and run[k - 1].key not in _HEADS | ENDS:
            first = k
    while first < last and (
        words.is_function_word(run[first].key) or run[first].key in CONNECTORS
    ):
        first += 1
    return first


def _is_particular(run: Sequence[Token], words: Gazetteer) -> bool:
    """Whether the words are more than "Finance Department"."""
    if any(is_sure_end(token) for token in run) or run[-2].text == "S":
        return True
    return len(run) > 2 or any(t.key not in words.words for t in run[:-1])
