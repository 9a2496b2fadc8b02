# SPDX-License-Identifier: Apache-2.0
"""How two values differ: texts line by line, everything else by the path to each leaf."""

import difflib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Literal, TypeVar

from msgspec import Struct

from lao.events import value_to_json
from lao.workflow.values import JsonValue, Value

K = TypeVar("K")
_LONG_LINE = 120
_MOST_COMPARED = 4_000  # lines; beyond, finding the smallest difference takes minutes
_MOST_LEAVES = 1_000
_SENTENCE_END = re.compile(r"(?<=[.!?;:,]) +")


class Leaf(Struct, frozen=True, kw_only=True):
    """A place in a JSON value that differs, such as `people[0].name`; JSON on each side.

    None is a place that is not there.
    """

    path: str
    before: str | None
    after: str | None


class Change(Struct, frozen=True, kw_only=True):
    """A named value that is not the same on both sides.

    Two texts have `lines`, a unified diff; other values have `leaves`.
    """

    name: str
    how: Literal["changed", "added", "removed"]
    before: Value = None
    after: Value = None
    lines: tuple[str, ...] = ()
    leaves: tuple[Leaf, ...] = ()


def changes(
    before: Mapping[str, Value], after: Mapping[str, Value]
) -> tuple[Change, ...]:
    """Return how two sets of named values differ, in the order of their names."""
    found: list[Change] = []
    for name in {**before, **after}:
        if name not in after:
            found.append(Change(name=name, how="removed", before=before[name]))
        elif name not in before:
            found.append(Change(name=name, how="added", after=after[name]))
        elif before[name] != after[name]:
            found.append(_changed(name, before[name], after[name]))
    return tuple(found)


def _changed(name: str, before: Value, after: Value) -> Change:
    lines: tuple[str, ...] = ()
    leaves: tuple[Leaf, ...] = ()
    if isinstance(before, str) and isinstance(after, str):
        lines = tuple(text_diff(before, after))
    else:
        both = value_to_json(before), value_to_json(after)
        leaves = tuple(islice(_leaves(*both, path=""), _MOST_LEAVES))
    return Change(
        name=name,
        how="changed",
        before=before,
        after=after,
        lines=lines,
        leaves=leaves,
    )


def text_diff(before: str, after: str) -> list[str]:
    """Return a unified diff without its file names; of very different texts, a word.

    Lines that are paragraphs are cut after sentences first: a word that changed shows
    its sentence.
    """
    old, new = _pieces(before), _pieces(after)
    start, end = _same_ends(old, new)
    if len(old) + len(new) - 2 * (start + end) > _MOST_COMPARED:
        return [f"@@ too different to compare: {len(old):,} and {len(new):,} lines @@"]
    # What is the same around is kept to a few lines: finding that is what costs.
    first, last = max(0, start - 3), max(0, end - 3)
    diff = difflib.unified_diff(
        old[first : len(old) - last], new[first : len(new) - last], lineterm="", n=2
    )
    lines = list(diff)[2:]
    if not lines:  # only line ends or the cuts between pieces differ
        return ["@@ only the spaces between words differ @@"]
    return [_HUNK.sub(lambda hunk: _moved(hunk, first), line, 1) for line in lines]


_HUNK = re.compile(r"^@@ -(\d+)(,\d+)? \+(\d+)(,\d+)? @@")


def _moved(hunk: re.Match[str], by: int) -> str:
    """Return the head of a hunk counted from the text's first line."""
    old, new = int(hunk[1]) + by, int(hunk[3]) + by
    return f"@@ -{old}{hunk[2] or ''} +{new}{hunk[4] or ''} @@"


def _pieces(text: str) -> list[str]:
    found: list[str] = []
    for line in text.split("\n"):
        if len(line) <= _LONG_LINE:
            found.append(line)
        else:
            found += _SENTENCE_END.split(line)
    return found


def _same_ends(old: Sequence[str], new: Sequence[str]) -> tuple[int, int]:
    """Return how many pieces are the same at the start and, beyond those, the end."""
    most = min(len(old), len(new))
    start = next((at for at in range(most) if old[at] != new[at]), most)
    left = most - start
    end = next((at for at in range(left) if old[-1 - at] != new[-1 - at]), left)
    return start, end


def _leaves(before: JsonValue, after: JsonValue, *, path: str) -> Iterator[Leaf]:
    if before == after:
        return
    match before, after:
        case dict(), dict():
            at = f"{path}." if path else ""
            yield from _entries(before, after, lambda key: f"{at}{key}")
        case list(), list():
            old, new = dict(enumerate(before)), dict(enumerate(after))
            yield from _entries(old, new, lambda index: f"{path}[{index}]")
        case _:
            yield Leaf(path=path, before=_json(before), after=_json(after))


def _entries(
    before: Mapping[K, JsonValue],
    after: Mapping[K, JsonValue],
    path_of: Callable[[K], str],
) -> Iterator[Leaf]:
    for key in {**before, **after}:
        path = path_of(key)
        if key not in after:
            yield Leaf(path=path, before=_json(before[key]), after=None)
        elif key not in before:
            yield Leaf(path=path, before=None, after=_json(after[key]))
        else:
            yield from _leaves(before[key], after[key], path=path)


def _json(value: JsonValue) -> str:
    return json.dumps(value, ensure_ascii=False)
