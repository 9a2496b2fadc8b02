# SPDX-License-Identifier: Apache-2.0
"""Finds e-mail and network addresses, links and telephone numbers."""

import re
from collections.abc import Iterator
from ipaddress import IPv6Address

from lao.backends.embedded.spans import scan

Stretch = tuple[int, int]

_EMAIL = re.compile(
    r"(?<![\w.+-])[\w.+'-]*+(?<=[\w+-])@(?:[\w-]++\.)+[^\W\d_]{2,63}(?!\w)"
)
_SPOKEN_EMAIL = re.compile(
    r"(?<!\w)[a-z0-9]{1,40}(?: (?:dot|underscore|dash) [a-z0-9]{1,40}){0,4} at "
    r"[a-z0-9]{1,40}(?: [a-z0-9]{1,40})? dot [a-z]{2,10}(?: dot [a-z]{2,4})?(?!\w)"
)
_URL = re.compile(r"(?<!\w)(?:(?:https?|ftp|sftp|ssh|file|wss?)://|www\.)[^\s<>\"|]++")
_IPV4 = re.compile(
    r"(?<![\w.])(?<!version )(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?!\w|\.\d)"
)
_IPV6 = re.compile(r"(?<![\w:.])[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}(?![\w:])")

_DIGIT_WORD = (
    r"(?:zero|oh|one|two|three|four|five|six|seven|eight|nine|double|triple|null|eins|"
    r"zwei|drei|vier|fünf|sechs|sieben|acht|neun|cero|uno|dos|tres|cuatro|cinco|seis|"
    r"siete|ocho|nueve)"
)
_SPOKEN_PHONE = re.compile(
    rf"(?<!\w)(?:plus )?{_DIGIT_WORD}(?:[ -]{_DIGIT_WORD}){{6,18}}(?!\w)"
)
_PHONE = re.compile(
    r"(?<![\w.,/:+@#-])(?:"
    r"(?:\+|00(?=[1-9]))\d[\d ().\u2011/-]{6,22}\d"  # +44 113 496 0142, 0049 30 …
    r"|\(\d{2,5}\)[ .-]?\d[\d .-]{3,12}\d"  # (555) 123-4567, (030) 123 45 67
    r"|(?:1[ .-])?[2-9]\d\d([ .-])\d{3}\1\d{4}"  # 555-123-4567
    r"|0\d{1,4}[ ./-]\d[\d .-]{3,12}\d"  # 0113 496 0142, 030/1234567
    r"|0\d{9,10}"  # 07700900123
    r"|[6789]\d\d([ .-])\d{3}\2\d{3}"  # 612 345 678
    r"|[89]\d([ .-])\d{3}(?:\3\d{2}){2}"  # 91 123 45 67
    r")(?![\w-]|[.,:]\d)"
)
_CUED_PHONE = re.compile(
    r"(?:\b(?:tele)?(?:phone|fon)|\btel|\bmobile?|\bcell|\bfax|\bcall|\bring|\bdial|\bext|"
    r"\bwhatsapp|\bmóvil|\btel[ée]fono|\bhandy|\brufnummer|\bdurchwahl)"
    r"(?: ?(?:no|number|nummer|nr|num))?\.?(?: (?:is|on|at|me on|us on|me at|us at))?"
    r"[:.]? {0,2}(\+?\(?\d[\d ()./-]{4,20}\d)(?![\w-])"
)
_NUMERIC_DATE = re.compile(
    r"(?:\d{4}([-./])(?:0?[1-9]|1[0-2])\1(?:0?[1-9]|[12]\d|3[01])"
    r"|(?:0?[1-9]|[12]\d|3[01])([-./])(?:0?[1-9]|1[0-2])\2(?:\d{4}|\d\d))(?!\d)"
)
_DIGIT = re.compile(r"\d")


def emails(low: str) -> Iterator[Stretch]:
    """Find e-mail addresses, also as a recogniser writes them ("ana at x dot org")."""
    if "@" in low:
        for match in _EMAIL.finditer(low):
            yield match.span()
    if " dot " in low:
        for match in _SPOKEN_EMAIL.finditer(low):
            yield match.span()


def urls(low: str) -> Iterator[Stretch]:
    """Find links, without the punctuation of the sentence around them."""
    for match in _URL.finditer(low):
        link = match[0].rstrip(".,;:!?'’”*_…")
        while link.endswith((")", "]", "}")) and not _closes(link):
            link = link[:-1].rstrip(".,;:!?'’”")
        if len(link) > 5:
            yield match.start(), match.start() + len(link)


def _closes(link: str) -> bool:
    opening = {")": "(", "]": "[", "}": "{"}[link[-1]]
    return link.count(opening) >= link.count(link[-1])


def ips(low: str) -> Iterator[Stretch]:
    """Find addresses of IP version 4 and 6."""
    for match in _IPV4.finditer(low):
        yield match.span()
    if "::" in low or low.count(":") > 6:
        yield from scan(_IPV6, low, _end_of_ipv6)


def _end_of_ipv6(match: re.Match[str]) -> int | None:
    text = match[0]
    if len(text) < 4 or not _DIGIT.search(text):
        return None
    try:
        IPv6Address(text)
    except ValueError:
        return None
    return match.end()


def phones(low: str) -> Iterator[Stretch]:
    """Find telephone numbers: by their shape, after a word such as "tel", spoken."""
    yield from scan(_PHONE, low, _end_of_phone)
    for match in _CUED_PHONE.finditer(low):
        if 6 <= len(_DIGIT.findall(match[1])) <= 15 and not _NUMERIC_DATE.match(
            match[1]
        ):
            yield match.span(1)
    for match in _SPOKEN_PHONE.finditer(low):
        yield match.span()


def _end_of_phone(match: re.Match[str]) -> int | None:
    """Return where a number ends, or None if it is a date or has too many digits."""
    text = match[0]
    if _NUMERIC_DATE.match(text) or not 7 <= len(_DIGIT.findall(text)) <= 15:
        return None
    return match.end()
