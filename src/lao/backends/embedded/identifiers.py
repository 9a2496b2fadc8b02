# SPDX-License-Identifier: Apache-2.0
"""Finds numbers that stand for a person: cards, bank accounts, identity numbers."""

import re
from collections.abc import Iterator

from lao.backends.embedded.contacts import Stretch
from lao.backends.embedded.spans import scan

_CARD_RUN = re.compile(r"(?<!\d)\d++(?:[ -]\d++)*+")
_DIGITS = re.compile(r"\d+")
_MOST_CARD_GROUPS = 8
_FIRST_OF_SHORT_CARD = {13: "4", 14: "3", 15: "13"}
_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)

_IBAN = re.compile(r"(?<![a-z0-9])[a-z]{2}\d\d(?:[ -]?[a-z0-9]){11,30}")
_WORD_END = re.compile(r"(?<=[a-z0-9])(?![a-z0-9])")
_IBAN_LENGTHS = range(15, 35)

_SSN = re.compile(
    r"(?<![\w-])(?!000|666|9)\d{3}([- ])(?!00)\d\d\1(?!0000)\d{4}(?![\w-])"
)
_INSURANCE = re.compile(r"(?<!\w)[a-z]{2} ?\d\d ?\d\d ?\d\d ?[a-d](?!\w)")
_SPANISH = re.compile(r"(?<!\w)([xyz]\d{7}|\d{8})-?([a-z])(?!\w)")
_SPANISH_LETTERS = "trwagmyfpdxbnjzsqvhlcke"
_VALUE = (
    r"([a-z0-9]{1,20}(?:[-/.][a-z0-9]{1,20}){0,5}(?: \d[\d-]{0,10}(?![\w])){0,5})(?!\w)"
)
_SURE_CUE = (
    r"\b(?:passport|reisepass|personalausweis|ausweis|pasaporte|ssn|social security|nhs|dni|nie|nif|"
    r"national insurance|mrn|medical record|driv(?:er|er's|ers|ing) licen[cs]e|"
    r"identity card|id card|steuer-?id|tax id|versichertennummer|passnummer)"
)
_LOOSE_CUE = (
    r"\b(?:patient|case|customer|client|member|membership|account|acct|policy|insurance|tax|"
    r"licen[cs]e|employee|student|user|identity|identification|personal|kunden|konto|"
    r"versicherungs?|matrikel|cuenta|expediente|id)"
)
_MARK = r"(?:[ -]?(?:no\b\.?|nr\b\.?|number|nummer|num\b\.?|número|n[º°]|id|code|#))"
_SURE_ID = re.compile(
    rf"{_SURE_CUE}{_MARK}{{0,2}}(?: (?:is|was|ist|es))?[ :#=.]{{0,4}}{_VALUE}"
)
_MARKED_ID = re.compile(
    rf"{_LOOSE_CUE}{_MARK}(?: (?:is|was|ist|es))?[ :#=.]{{0,4}}{_VALUE}"
)
_LISTED_ID = re.compile(rf"{_LOOSE_CUE} ?[:#=] ?{_VALUE}")
_DATE = re.compile(r"\d{1,4}([-/.])\d{1,2}\1\d{1,4}$")


def cards(low: str) -> Iterator[Stretch]:
    """Find payment cards: 13 to 19 digits whose check digit is right (Luhn)."""
    for run in _CARD_RUN.finditer(low):
        if run.end() - run.start() >= 13:
            groups = list(_DIGITS.finditer(low, run.start(), run.end()))
            yield from _cards_among(groups)


def _cards_among(groups: list[re.Match[str]]) -> Iterator[Stretch]:
    """Yield the cards in groups of digits, whatever digits stand around them."""
    at = 0
    while at < len(groups):
        last = _last_of_card(groups, at)
        if last is None:
            at += 1
            continue
        yield groups[at].start(), groups[last].end()
        at = last + 1


def _last_of_card(groups: list[re.Match[str]], at: int) -> int | None:
    """Return the last group of the longest card that begins with a group."""
    found = None
    digits = ""
    for k in range(at, min(at + _MOST_CARD_GROUPS, len(groups))):
        digits += groups[k][0]
        if len(digits) > 19:
            break
        if _is_card(digits):
            found = k
    return found


def _is_card(digits: str) -> bool:
    if not 13 <= len(digits) <= 19 or digits[0] == "0":
        return False
    if digits[0] not in _FIRST_OF_SHORT_CARD.get(len(digits), "123456789"):
        return False
    if not digits.isascii():
        return False
    plain = sum(map(int, digits[-1::-2]))
    return (plain + sum(_DOUBLED[int(digit)] for digit in digits[-2::-2])) % 10 == 0


def ibans(low: str) -> Iterator[Stretch]:
    """Find account numbers whose check digits are right (ISO 13616, mod 97)."""
    yield from scan(_IBAN, low, _end_of_iban)


def _end_of_iban(match: re.Match[str]) -> int | None:
    """Return the last end of a word up to which the check digits are right."""
    ends = [m.start() for m in _WORD_END.finditer(match.string, *match.span())]
    for end in reversed([*ends, match.end()]):
        following = match.string[end : end + 1]
        if following.isalnum() and following.isascii():
            continue
        compact = match.string[match.start() : end].replace(" ", "").replace("-", "")
        if len(compact) in _IBAN_LENGTHS and _has_right_check(compact):
            return end
    return None


def _has_right_check(compact: str) -> bool:
    if not compact.isascii():
        return False
    turned = compact[4:] + compact[:4]
    return int("".join(str(int(c, 36)) for c in turned)) % 97 == 1


def ids(low: str) -> Iterator[Stretch]:
    """Find identity numbers: by their shape, or after words such as "passport no."."""
    for pattern in (_SSN, _INSURANCE):
        for match in pattern.finditer(low):
            yield match.span()
    for match in _SPANISH.finditer(low):
        if _is_spanish(match[1], match[2]):
            yield match.span()
    for pattern, least in ((_SURE_ID, 4), (_MARKED_ID, 3), (_LISTED_ID, 5)):
        for match in pattern.finditer(low):
            if _is_identifier(match[1], least):
                yield match.span(1)


def _is_spanish(number: str, letter: str) -> bool:
    if not number.isascii():
        return False
    digits = number.translate({120: "0", 121: "1", 122: "2"})
    return _SPANISH_LETTERS[int(digits) % 23] == letter


def _is_identifier(value: str, least: int) -> bool:
    length = sum(1 for c in value if c.isalnum())
    digits = sum(1 for c in value if c.isdecimal())
    return length >= least and digits >= 2 and not _DATE.match(value)
