# SPDX-License-Identifier: Apache-2.0
# SIM905: a word list reads best as words.
# ruff: noqa: SIM905
"""Finds what numbers say: dates, times, money, percentages, durations, quantities.

All rules read the text in lower case. Every repetition is bounded or possessive, so
that the time taken grows with the length of the text and with nothing else.
"""

import re
from collections.abc import Iterator
from itertools import pairwise

from lao.backends.embedded.gazetteer import Gazetteer
from lao.backends.embedded.spans import Kind, Span

_ONES = (
    r"(?:one|two|three|four(?:teen)?|five|six(?:teen)?|seven(?:teen)?|eight(?:een)?|"
    r"nine(?:teen)?|ten|eleven|twelve|thirteen|fifteen)"
)
_TENS = r"(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)"
_WORD = rf"(?:{_TENS}|{_ONES}|hundred|thousand|million|billion)\b"
_WORDS = rf"(?:a (?=hundred|thousand|million|billion))?{_WORD}(?:(?:[ -]| and ){_WORD}){{0,10}}+"
_DIGITS = r"(?:\d{1,3}(?:[,.’]\d{3})++(?:[.,]\d{1,2})?(?!\d)|\d++(?:[.,]\d++)?)"
_SCALE = r"(?: ?(?:k|m|bn|mn|mio|mrd)\b| (?:hundred|thousand|million|billion|trillion|millionen|millones|mil)\b)"
_NUMBER = re.compile(
    rf"(?<![\w.,:/])(?:\d{{2,3}}/\d{{2,3}}(?= ?mmhg)|{_DIGITS}(?:{_SCALE})?|{_WORDS})"
    r"(?: and a (?:half|quarter)\b)?"
)

_CURRENCY = (
    r"(?:us |australian |canadian |hong kong )?(?:dollars?|euros?|pounds?(?: sterling)?|cents?|pence|bucks|francs?|"
    r"franken|pesos?|rupees?|yen|yuan|kron(?:er|or|a)|zloty)\b(?! per cent)"
)
_CODES = r"(?:usd|eur|gbp|chf|jpy|inr|cny|sek|nok|dkk|pln|aud|cad|mxn|brl)"
_UNITS = (
    r"(?:milliseconds?|seconds?|minutes?|hours?|days?|weeks?|fortnights?|months?|quarters?|"
    r"years?|decades?|ms|secs?|mins?|hrs?|sekunden?|minuten?|stunden?|tage?n?|wochen?|"
    r"monate?n?|jahre?n?|segundos?|minutos?|horas?|d[ií]as?|semanas?|mes(?:es)?|años?)\b"
)
_MEASURES = (
    r"(?:(?:mm|cm|km|kg|mg|µg|mcg|ml|dl|kb|mb|gb|tb|kib|mib|gib|kbit|mbit|gbit|hz|khz|mhz|ghz|kwh|"
    r"kw|mw|watts?|volts?|mmhg|bpm|rpm|mph|kph|ppm|lbs?|oz|ft|acres?|litres?|liters?|metres?|"
    r"meters?|kilomet(?:re|er)s?|miles?|inches|feet|kilos?|kilograms?|grams?|tons?|tonnes?|bytes?|"
    r"megabytes?|gigabytes?|degrees?(?: (?:celsius|fahrenheit))?|km/h|m/s|mg/dl|mmol/l)\b"
    r"|°[cf]?\b|[gl]\b)"
)
_SUFFIX = re.compile(
    rf" ?(?:(?P<percentages>%|(?:per ?cent|percent(?:age points)?|prozent)\b|por ciento\b)"
    rf"|(?P<times>o'clock\b|o’clock\b|[ap]\.? ?m\b\.?|uhr\b)"
    rf"|(?P<money>[£$€¥₹]|{_CODES}\b|{_CURRENCY})"
    rf"|(?P<quantities>{_MEASURES}(?:/\w{{1,4}})?))"
    rf"|[ -]?(?P<durations>(?:{_UNITS}|[sh]\b))(?![-]old|\w)"
)
_MONEY = re.compile(
    rf"(?:(?:us|a|c|hk)?[£$€¥₹]|(?<!\w){_CODES}) ?{_DIGITS}(?:{_SCALE})?(?! ?%)"
)
_CLOCK = re.compile(
    r"\d\d?:[0-5]\d(?::[0-5]\d(?:[.,]\d{1,6})?)?"
    r"(?: ?[ap]\.?m\b\.?| (?:uhr|utc|gmt|cet)\b|z\b)?(?![\d:])"
)
_SPOKEN_CLOCK = re.compile(
    r"\b(?:(?:half past|(?:a )?quarter (?:past|to)|(?:five|ten|twenty|\d{1,2}) (?:past|to)) "
    rf"(?:{_ONES}|1[0-2]|[1-9])\b(?! ?[%\d])(?! (?!o.clock)\w+s\b)"
    r"|(?:noon|midday|midnight|tonight)\b"
    r"|(?:this|yesterday|tomorrow) (?:morning|afternoon|evening)\b"
    rf"|(?<=\bat ){_ONES} (?:{_TENS}(?: {_ONES})?|fifteen|oh five)(?: [ap] ?m)?\b"
    rf"|{_ONES} (?:{_TENS} (?:{_ONES} )?|fifteen )?[ap] ?m\b"
    r"|(?:1[0-2]|0?[1-9])[.][0-5]\d ?[ap]\.?m\b\.?)"
)
_UNIT = r"(?:second|minute|hour|day|week|month|quarter|year|decade)"
_LOOSE_DURATION = re.compile(
    rf"\b(?=[ahsm])(?:an? {_UNIT} and a half\b|(?:an? )?half (?:an? )?{_UNIT}\b"
    rf"|(?:a few|several|a couple of|many) {_UNIT}s\b"
    rf"|an? {_UNIT}\b(?P<ago> (?:ago|later|earlier)\b)?)"
)
_TAKES_TIME = re.compile(
    r"\b(?:for|in|within|after|over|than|took|takes|by|about|nearly|almost) $"
)
_LABELLED = re.compile(
    r"(?:\b(?:room|page|section|version|chapter|article|figure|table|step|line|port|code|no|nr|"
    r"number|part|level|phase|day|week|item|clause|paragraph|error|exit|status|pid|release|"
    r"street|unit|suite|model|grade|type|in|since|until)\.?|[#§/=\[(])[ :]?$"
)
_NOUNS = re.compile(r" ([^\W\d_]{3,30})(?: ([^\W\d_]{3,30}))?")
_GLUE = frozenset((" ", ", ", " and ", ", and ", " und ", " y "))
_RANGE = frozenset(("-", "–", " - ", " – ", " to ", " or ", " bis "))
_NOT_PLURAL = ("ss", "us", "is")
_PLURALS = frozenset(
    "people men women children staff feet mice teeth personen niños".split()
)


def find_numeric(low: str, words: Gazetteer) -> Iterator[Span]:
    """Yield what has a number in it, dates aside; finds may overlap, first is best."""
    yield from _clocks(low)
    for match in _MONEY.finditer(low):
        yield Span(kind="money", start=match.start(), end=match.end())
    yield from _loose_durations(low)
    found = list(_counted(low))
    yield from _joined([span for span in found if span.kind == "durations"], low)
    yield from _joined([span for span in found if span.kind == "money"], low)
    yield from (s for s in found if s.kind not in {"durations", "money"})
    yield from _quantities(low, words)


def _clocks(low: str) -> Iterator[Span]:
    for match in _CLOCK.finditer(low):
        hour = int(match[0][:2].rstrip(":"))
        if hour < 24 and _may_precede_clock(
            low[max(0, match.start() - 5) : match.start()]
        ):
            yield Span(kind="times", start=match.start(), end=match.end())
    for match in _SPOKEN_CLOCK.finditer(low):
        yield Span(kind="times", start=match.start(), end=match.end())


def _may_precede_clock(before: str) -> bool:
    """Whether a clock time may follow: not inside a number, but in "2026-03-03T08:10"."""
    last = before[-1:]
    if last == "t" or (last == ":" and len(before) == 5):
        return before[:-1][-1:].isdecimal()
    return not (last.isalnum() or last in {":", ".", ",", "_"}) or not last


def _loose_durations(low: str) -> Iterator[Span]:
    """Yield durations without a number; "a day" only where it says how long."""
    for match in _LOOSE_DURATION.finditer(low):
        end = match.start("ago") if match["ago"] else match.end()
        is_rate = match[0].count(" ") == 1 and match[0].startswith("a")
        if not is_rate or _TAKES_TIME.search(
            low[max(0, match.start() - 8) : match.start()]
        ):
            yield Span(kind="durations", start=match.start(), end=end)


def _counted(low: str) -> Iterator[Span]:
    """Yield numbers that say what they count by what follows them."""
    before: tuple[int, int] = (0, 0)
    for number in _NUMBER.finditer(low):
        suffix = _SUFFIX.match(low, number.end())
        start = number.start()
        if before[1] and low[before[1] : start] in _RANGE:
            start = before[0]
        before = number.span()
        if suffix is not None:
            kind = _kind(suffix.lastgroup)
            if kind != "times" or _is_hour(number[0]):
                yield Span(kind=kind, start=start, end=suffix.end())


def _kind(group: str | None) -> Kind:
    match group:
        case "percentages" | "times" | "money" | "durations":
            return group
        case _:
            return "quantities"


def _is_hour(number: str) -> bool:
    return not number.isdecimal() or int(number[:3]) <= 24


def _joined(spans: list[Span], low: str) -> Iterator[Span]:
    """Yield spans, those beside each other as one: "four hours and twenty minutes"."""
    if not spans:
        return
    start = spans[0].start
    for left, right in pairwise(spans):
        if low[left.end : right.start] not in _GLUE:
            yield Span(kind=left.kind, start=start, end=left.end)
            start = right.start
    yield Span(kind=spans[-1].kind, start=start, end=spans[-1].end)


def _quantities(low: str, words: Gazetteer) -> Iterator[Span]:
    """Yield numbers with the plural that they count: "17 duplicate bookings"."""
    for number in _NUMBER.finditer(low):
        nouns = _NOUNS.match(low, number.end())
        if nouns is None or number[0] in {"one", "1", "0"}:
            continue
        end = _end_of_counted(nouns, words)
        before = low[max(0, number.start() - 12) : number.start()]
        if end and not _LABELLED.search(before):
            yield Span(kind="quantities", start=number.start(), end=end)


def _end_of_counted(nouns: re.Match[str], words: Gazetteer) -> int:
    first, second = nouns[1], nouns[2]
    if _is_plural(first, words):
        return nouns.end(1)
    if second and not words.is_function_word(first) and _is_plural(second, words):
        return nouns.end(2)
    return 0


def _is_plural(word: str, words: Gazetteer) -> bool:
    if word in _PLURALS:
        return True
    if len(word) < 4 or not word.endswith("s") or word.endswith(_NOT_PLURAL):
        return False
    return not words.is_function_word(word)
