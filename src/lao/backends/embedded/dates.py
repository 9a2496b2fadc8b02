# SPDX-License-Identifier: Apache-2.0
"""Finds dates in words and in figures; reads the text in lower case."""

import re
from collections.abc import Iterator

from lao.backends.embedded.spans import Span

_MONTH = (
    r"(?:jan(?:uary|uar|vier)?|feb(?:ruary|ruar|rero)?|mar(?:ch|zo|s)?|märz|apr(?:il)?|abril|"
    r"mayo?|mai|june?|juni|juin|junio|july?|juli|juillet|julio|aug(?:ust)?|agosto|août|"
    r"sept?(?:ember|iembre|embre)?|oct(?:ober|ubre|obre)?|oktober|nov(?:ember|iembre|embre)?|"
    r"de[cz](?:ember)?|diciembre|décembre|enero|février)\b\.?"
)
_FULL_MONTH = (
    r"(?:january|february|march|april|may|june|july|august|september|october|november|"
    r"december|januar|februar|märz|juni|juli|oktober|dezember|enero|febrero|marzo|abril|mayo|"
    r"junio|julio|agosto|septiembre|octubre|noviembre|diciembre)\b"
)
_DAY = (
    r"(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day|montag|dienstag|mittwoch|donnerstag|freitag|"
    r"samstag|sonntag|lunes|miércoles|jueves|viernes|sábado|domingo)\b"
)
_SHORT_DAY = r"(?:mon|tues?|wed|thur?s?|fri|sat|sun|martes)\b\.?"
_UNIT_ORDINAL = r"(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth)"
_ORDINAL = (
    rf"(?:{_UNIT_ORDINAL}|tenth|eleventh|twelfth|thirteenth|fourteenth|fifteenth|sixteenth|"
    rf"seventeenth|eighteenth|nineteenth|twentieth|thirtieth|thirty[- ]first|"
    rf"twenty[- ]{_UNIT_ORDINAL})\b"
)
_NUMBER_OF_DAY = rf"(?:(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th|º)?(?![\d:%])|{_ORDINAL})"
_YEAR = (
    r"(?:(?:19|20)\d\d(?![\d.,]\d|\d)|(?:nineteen|twenty)(?: oh)?(?:[ -](?:one|two|three|four|five|"
    r"six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|"
    r"nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)\b){1,2}"
    r"|two thousand(?: and)?(?: (?:twenty|one|two|three|four|five|six|seven|eight|nine|ten)\b){1,2})"
)
_LEAD = rf"(?:(?:{_DAY}|{_SHORT_DAY}),? )?"

_NUMERIC = re.compile(
    r"(?<![\w./-])(?:"
    r"(?:19|20)\d\d([-/.])(?:0[1-9]|1[0-2])\1(?:0[1-9]|[12]\d|3[01])(?=t\d|_|(?!\w))"
    r"|(?:0?[1-9]|[12]\d|3[01])([-/.])(?:0?[1-9]|1[0-2])\2(?:(?:19|20)\d\d|\d\d)(?![\w/])"
    r"|(?:0?[1-9]|1[0-2])/(?:1[3-9]|2\d|3[01])/(?:(?:19|20)\d\d|\d\d)(?!\w)"
    rf"|(?:0?[1-9]|[12]\d|3[01])([-/]){_FULL_MONTH[:-2]}\3(?:19|20)\d\d"
    r"|(?:0?[1-9]|[12]\d|3[01])/(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)/(?:19|20)\d\d"
    r")(?!-\d|\.\d)"
)
_WRITTEN = re.compile(
    rf"\b{_LEAD}(?:the )?(?:\d{{1,2}} ?[-–] ?)?{_NUMBER_OF_DAY}\.?(?: of| de)? {_MONTH}"
    rf"(?:,?(?: del?)? {_YEAR})?"
    rf"|\b{_LEAD}{_MONTH} {{1,2}}(?:the )?{_NUMBER_OF_DAY}(?:,? {_YEAR})?"
    rf"|\b{_MONTH}(?: of| de| del)?,? (?:19|20)\d\d(?!\d)"
)
_RELATIVE = re.compile(
    rf"\b(?:(?:last|next|this|coming|nächsten|letzten) )?{_DAY}(?:,? the {_ORDINAL})?"
    r"|\b(?:last|next|this|previous|coming) (?:week|weekend|month|year|quarter|spring|summer|"
    r"autumn|winter)\b|\b(?:today|tomorrow|yesterday)\b"
    r"|\bthe day (?:after tomorrow|before yesterday)\b"
    r"|\b(?:the )?(?:end|beginning|start|middle) of (?:(?:the|this|next|last) (?:day|week|month|"
    rf"quarter|year)\b|{_FULL_MONTH}(?: \d{{4}})?)"
    r"|\bq[1-4](?: (?:of )?(?:19|20)\d\d)?\b|\b(?:first|second|third|fourth) quarter"
    r"(?: of (?:19|20)\d\d)?\b|\b(?:19|20)\d0s\b"
)
_BARE = re.compile(
    r"\b(?:in|since|until|till|before|after|during|by|of|for|from|last|next|this|early|late|mid|"
    rf"im|seit|bis|en|desde) ({_FULL_MONTH})"
    r"|\b(?:in|since|until|till|before|after|during|early|late|mid|seit|desde|en)[ -]((?:19|20)\d\d)(?![\w%]|[.,:]\d"
    r"| (?!was\b|is\b|has\b|its\b|this\b|as\b|us\b)[a-z]{2,30}s\b| people\b)"
)
_MAY_OR_MARCH = re.compile(r"(?:may|march|mar) ")
_BEFORE_A_MONTH = re.compile(
    r"\b(?:on|by|until|till|from|before|after|since|of|for|this|next|last|and|to|is|the|"
    r"in|day),? $"
)


def find_dates(low: str) -> Iterator[Span]:
    """Yield dates; finds may overlap, first is best."""
    for pattern in (_NUMERIC, _WRITTEN, _RELATIVE):
        for match in pattern.finditer(low):
            if not _is_a_verb(low, match):
                yield Span(kind="dates", start=match.start(), end=_end(match))
    for match in _BARE.finditer(low):
        group = 1 if match[1] else 2
        yield Span(kind="dates", start=match.start(group), end=match.end(group))


def _end(match: re.Match[str]) -> int:
    return match.end() - (match[0].endswith(".") or match[0].endswith(","))


def _is_a_verb(low: str, match: re.Match[str]) -> bool:
    """Whether it is "you may first ask" or "march second", and no date."""
    if not _MAY_OR_MARCH.match(match[0]) or any(c.isdecimal() for c in match[0]):
        return False
    start = match.start()
    return start > 0 and not _BEFORE_A_MONTH.search(low[max(0, start - 10) : start])
