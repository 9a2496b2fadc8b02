# SPDX-License-Identifier: Apache-2.0
"""Merging two texts that come from a third, stretch of lines by stretch of lines.

The stretches that all three have in common part the text (Khanna, Kunal and Pierce,
"A Formal Investigation of Diff3", 2007); between two of them, one side or both differ.
Lines keep their ends, so that no byte is lost.
"""

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Final, Literal, NamedTuple, TypeAlias

from lao.editor.edit_messages import HunkView
from lao.errors import UsageError

Pick: TypeAlias = Literal["mine", "theirs", "base", "mine-then-theirs"]

_LINE: Final = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_MOST_EXACT: Final = 2_000
_MOST: Final = 50_000


class _Stretch(NamedTuple):
    """Lines that all three texts hold: where in each, and how many."""

    base: int
    mine: int
    theirs: int
    length: int


def merge_hunks(base: str, mine: str, theirs: str) -> list[HunkView]:
    """Return how two texts that come from `base` differ from it and from each other.

    One after the other, the hunks of each side make up its whole text.
    """
    texts = [_LINE.findall(text) for text in (base, mine, theirs)]
    head = _alike(texts)
    tail = _alike([lines[head:][::-1] for lines in texts])
    middle = [lines[head : len(lines) - tail] for lines in texts]
    last = [lines[len(lines) - tail :] for lines in texts]
    hunks = [
        _hunk([lines[:head] for lines in texts]),
        *_between(middle[0], middle[1], middle[2]),
        _hunk(last),
    ]
    return list(_joined(hunks))


def merged(hunks: Sequence[HunkView], picks: Sequence[Pick]) -> str:
    """Return the text that the picks make.

    Raises:
        UsageError: there are not as many picks as hunks.
    """
    if len(hunks) != len(picks):
        raise UsageError(
            "editor.bad-merge",
            f"there are {len(hunks)} stretches to merge, and {len(picks)} picks",
            mend="pick a side for each stretch",
        )
    return "".join(
        line
        for hunk, pick in zip(hunks, picks, strict=True)
        for line in _picked(hunk, pick)
    )


def _picked(hunk: HunkView, pick: Pick) -> list[str]:
    match pick:
        case "mine":
            return hunk.mine
        case "theirs":
            return hunk.theirs
        case "base":
            return hunk.base
        case "mine-then-theirs":
            mine, theirs = hunk.mine, hunk.theirs
            if mine and theirs and not mine[-1].endswith(("\r", "\n")):
                end = theirs[0][len(theirs[0].rstrip("\r\n")) :] or "\n"
                return [*mine[:-1], mine[-1] + end, *theirs]
            return [*mine, *theirs]


def _between(base: list[str], mine: list[str], theirs: list[str]) -> Iterator[HunkView]:
    at = _Stretch(0, 0, 0, 0)
    for common in _common(base, mine, theirs):
        yield _hunk(
            [
                base[at.base : common.base],
                mine[at.mine : common.mine],
                theirs[at.theirs : common.theirs],
            ]
        )
        at = _Stretch(
            common.base + common.length,
            common.mine + common.length,
            common.theirs + common.length,
            0,
        )
        yield _hunk([base[common.base : at.base]] * 3)


def _common(base: list[str], mine: list[str], theirs: list[str]) -> Iterator[_Stretch]:
    """Yield the stretches that all three have in common, and an empty one at the end."""
    ours, others = _matches(base, mine), _matches(base, theirs)
    while ours and others:
        first, second = ours[-1], others[-1]
        start = max(first.a, second.a)
        end = min(first.a + first.size, second.a + second.size)
        if start < end:
            in_mine = first.b + start - first.a
            in_theirs = second.b + start - second.a
            yield _Stretch(start, in_mine, in_theirs, end - start)
        shorter = ours if first.a + first.size <= second.a + second.size else others
        shorter.pop()
    yield _Stretch(len(base), len(mine), len(theirs), 0)


class _Match(NamedTuple):
    a: int
    b: int
    size: int


def _matches(base: list[str], side: list[str]) -> list[_Match]:
    """Return where a side holds what the base does, the last one first.

    Texts of very many lines are matched roughly, or not at all: then one stretch is
    all that a person picks from.
    """
    most = max(len(base), len(side))
    if most > _MOST:
        return []
    matcher = SequenceMatcher(None, base, side, autojunk=most > _MOST_EXACT)
    return [_Match(*block) for block in matcher.get_matching_blocks() if block.size][
        ::-1
    ]


def _hunk(lines: Sequence[list[str]]) -> HunkView:
    base, mine, theirs = lines
    kind: Literal["same", "mine", "theirs", "both", "conflict"] = "conflict"
    if mine == theirs:
        kind = "same" if mine == base else "both"
    elif theirs == base:
        kind = "mine"
    elif mine == base:
        kind = "theirs"
    return HunkView(kind=kind, base=base, mine=mine, theirs=theirs)


def _joined(hunks: Sequence[HunkView]) -> Iterator[HunkView]:
    """Yield hunks that are not empty; neighbours of the same kind become one."""
    kept = [hunk for hunk in hunks if hunk.base or hunk.mine or hunk.theirs]
    held: HunkView | None = None
    for hunk in kept:
        if held is not None and held.kind == hunk.kind:
            held = HunkView(
                kind=held.kind,
                base=held.base + hunk.base,
                mine=held.mine + hunk.mine,
                theirs=held.theirs + hunk.theirs,
            )
            continue
        if held is not None:
            yield held
        held = hunk
    if held is not None:
        yield held


def _alike(texts: Sequence[list[str]]) -> int:
    """Return how many lines all texts begin with in common."""
    count = 0
    for lines in zip(*texts, strict=False):
        if len(set(lines)) > 1:
            break
        count += 1
    return count
