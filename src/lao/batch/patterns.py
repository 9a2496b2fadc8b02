# SPDX-License-Identifier: Apache-2.0
"""Files that a pattern matches: each once, in a fixed order, in bounded memory.

`*`, `?` and `[…]` match within a name, `**` any number of folders. A name that begins
with a dot is matched only by a part of the pattern that does. `**` never follows a
symbolic link, and other parts follow one each, so no loop can be walked for ever.

A folder is walked once, whatever the pattern: what is still to be matched below it is
a set of places in the pattern (a nondeterministic automaton), so no file comes twice.
"""

import fnmatch
import heapq
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import IO, NamedTuple

from msgspec import Struct

from lao.files import ABSENT

_MAGIC = re.compile(r"[*?[]")
_SORTED_AT_ONCE = 32_768
_Places = frozenset[int]


class _Entry(NamedTuple):
    """What stands in a folder. `kind` is f(ile), d(irectory) or l(ink)."""

    name: str
    kind: str


class _Part(Struct, frozen=True):
    """One name of a pattern; `wanted=None` is `**`."""

    wanted: re.Pattern[str] | None
    hidden: bool = False

    def matches(self, name: str) -> bool:
        """Whether a name fits; `**` is not asked."""
        if name.startswith(".") and not self.hidden:
            return False
        return self.wanted is not None and self.wanted.match(name) is not None


def matching_files(
    pattern: str,
    *,
    base: Path,
    avoid: Path | None = None,
    unreadable: Callable[[str], None] = lambda _: None,
) -> Iterator[str]:
    """Yield the regular files that a pattern matches, as it writes their paths.

    A folder's entries come in order of name, a folder's content in its place among
    them. Relative patterns start from `base`. The folder `avoid` is not entered on
    the way. A folder that may not be read is told to `unreadable`, and left out.
    """
    if (base / pattern).is_file():  # its name may look like a pattern
        yield pattern
        return
    if not _MAGIC.search(pattern) or pattern.endswith("/"):
        return
    root, parts = _parsed(pattern)
    walk = _Walk(parts=parts, base=base, avoid=avoid, unreadable=unreadable)
    yield from walk.files(root)


def _parsed(pattern: str) -> tuple[str, tuple[_Part, ...]]:
    """Split a pattern into the folder that it begins with, and the rest."""
    names = pattern.split("/")
    fixed = next(n for n, name in enumerate(names) if _MAGIC.search(name))
    root = "".join(f"{name}/" for name in names[:fixed])
    parts: list[_Part] = []
    for name in names[fixed:]:
        if name == "**":
            if not parts or parts[-1].wanted is not None:
                parts.append(_Part(None))
        elif name not in ("", "."):
            wanted = re.compile(fnmatch.translate(name))
            parts.append(_Part(wanted, hidden=name.startswith(".")))
    if parts[-1].wanted is None:  # `in/**` means the files below
        parts.append(_Part(re.compile("")))
    return root, tuple(parts)


class _Walk(Struct, frozen=True, kw_only=True):
    """One walk for one pattern."""

    parts: tuple[_Part, ...]
    base: Path
    avoid: Path | None
    unreadable: Callable[[str], None]

    def files(self, root: str) -> Iterator[str]:
        """Yield what matches below `root`."""
        with ExitStack() as open_files:
            start = self._closed(0)
            stack = [(root, start, self._entries(root, start, open_files))]
            while stack:
                prefix, places, entries = stack[-1]
                entry = next(entries, None)
                if entry is None:
                    stack.pop()
                    continue
                path = prefix + entry.name
                after = self._after(places, entry.name, deep=entry.kind != "l")
                is_file, is_folder = self._nature(path, entry.kind)
                if is_file and len(self.parts) in after:
                    yield path
                after -= {len(self.parts)}
                if is_folder and after and not self._is_avoided(path):
                    below = f"{path}/"
                    entries = self._entries(below, after, open_files)
                    stack.append((below, after, entries))

    def _closed(self, place: int) -> _Places:
        """Return a place, and the next one too where `**` may stand for nothing."""
        if place < len(self.parts) and self.parts[place].wanted is None:
            return frozenset((place, place + 1))
        return frozenset((place,))

    def _after(self, places: _Places, name: str, *, deep: bool = True) -> _Places:
        """Return where in the pattern one is after a name; `deep=False`: without `**`."""
        found: set[int] = set()
        for place in places:
            if place == len(self.parts):
                continue
            part = self.parts[place]
            if part.wanted is None:
                if deep and not name.startswith("."):
                    found |= self._closed(place)
            elif part.matches(name):
                found |= self._closed(place + 1)
        return frozenset(found)

    def _nature(self, path: str, kind: str) -> tuple[bool, bool]:
        """Return whether an entry is a file, and whether it is a folder."""
        if kind != "l":
            return kind == "f", kind == "d"
        try:
            mode = (self.base / path).stat().st_mode
        except OSError:  # it leads nowhere, or in a circle
            return False, False
        return S_ISREG(mode), S_ISDIR(mode)

    def _is_avoided(self, path: str) -> bool:
        if self.avoid is None or self.avoid.name != path.rpartition("/")[2]:
            return False
        try:
            return (self.base / path).samefile(self.avoid)
        except OSError:
            return False

    def _entries(
        self, folder: str, places: _Places, open_files: ExitStack
    ) -> Iterator[_Entry]:
        """Return the entries of a folder that may lead to a match, sorted by name."""
        try:
            return _sorted(self._listed(folder, places), open_files)
        except ABSENT:
            return iter(())
        except OSError:
            self.unreadable(folder)
            return iter(())

    def _listed(self, folder: str, places: _Places) -> Iterator[_Entry]:
        with os.scandir(self.base / folder) as listing:
            for each in listing:
                if self._after(places, each.name):
                    if each.is_symlink():
                        yield _Entry(each.name, "l")
                    elif each.is_dir(follow_symlinks=False):
                        yield _Entry(each.name, "d")
                    elif each.is_file(follow_symlinks=False):
                        yield _Entry(each.name, "f")


def _sorted(entries: Iterator[_Entry], open_files: ExitStack) -> Iterator[_Entry]:
    """Sort entries by name; of a large folder, in pieces that wait on disk."""
    piece = sorted(islice(entries, _SORTED_AT_ONCE))
    if len(piece) < _SORTED_AT_ONCE:
        return iter(piece)
    pieces = []
    while piece:
        file = open_files.enter_context(tempfile.TemporaryFile())  # noqa: SIM115  (the stack closes it)
        for each in piece:
            file.write(os.fsencode(f"{each.kind}{each.name}\0"))
        file.seek(0)
        pieces.append(_read_back(file))
        piece = sorted(islice(entries, _SORTED_AT_ONCE))
    return heapq.merge(*pieces)


def _read_back(file: IO[bytes]) -> Iterator[_Entry]:
    rest = b""
    for block in iter(lambda: file.read(1 << 16), b""):
        *whole, rest = (rest + block).split(b"\0")
        for each in whole:
            text = os.fsdecode(each)
            yield _Entry(text[1:], text[0])
    file.close()
