# SPDX-License-Identifier: Apache-2.0
"""What a transcript loses: time marks, filler words, broken lines."""

import re
from collections.abc import Iterable, Iterator, Sequence

_TIME = r"\d{1,2}:\d{2}(?::\d{2})?(?:[.,]\d{1,3})?"
_CUE = re.compile(rf"(?:\d+\s*\n)?{_TIME}\s*-->\s*{_TIME}.*")
_MARK = re.compile(rf"[ \t]*[\[(<]{_TIME}(?:\s*(?:-->|[-–])\s*{_TIME})?[\])>][ \t]*")
_SPEAKER = re.compile(r"[A-Z][\w.' -]{0,30}:\s")
_LIST_ITEM = re.compile(r"(?:[-*•]|\d+[.)])\s")


def without_times(text: str) -> str:
    """Return a text without subtitle cues and without `[00:31]`; `at 10:30` stays."""
    if _CUE.search(text):  # subtitles: a blank line ends a cue and no paragraph
        text = _CUE.sub("", text.removeprefix("WEBVTT"))
        text = re.sub(r"\n\s*\n", "\n", text)
    return _MARK.sub(" ", text)


def without_fillers(text: str, fillers: Sequence[str]) -> str:
    """Return a text without some words; what follows takes over their capital."""
    if not fillers:
        return text
    word = rf"\b(?:{'|'.join(map(re.escape, fillers))})\b"
    pattern = (
        rf",?[ \t]*(?P<first>{word})(?:[\s,.…]*{word})*"
        r"(?P<stop>[,.…]*)(?P<gap>[ \t]*)(?P<next>\w?)"
    )
    return re.sub(pattern, _what_stays, text, flags=re.IGNORECASE).strip()


def _what_stays(found: re.Match[str]) -> str:
    following = found["next"]
    if found["first"][0].isupper():  # it began the sentence
        return f" {following.upper()}"
    stop = found["stop"] if found["stop"] == "." else ""
    return stop + (f" {following}" if following else found["gap"])


def joined(lines: Iterable[str]) -> Iterator[str]:
    """Yield lines with those put together that one sentence was broken into.

    Blank lines, a new speaker and items of lists stay apart.
    """
    current = ""
    for line in (" ".join(each.split()) for each in lines):
        if current and (not line or _SPEAKER.match(line) or _LIST_ITEM.match(line)):
            yield current
            current = ""
        current = f"{current} {line}".strip()
        if not line:
            yield ""
    if current:
        yield current
