# SPDX-License-Identifier: Apache-2.0
"""What the file of an item is called: safe on every disk, and never a name in use.

State: the names that are promised to items whose files are not written yet.
"""

import unicodedata
from collections.abc import Callable
from pathlib import Path

_LONGEST = 200  # bytes; most disks take 255, and a number and a suffix follow
_FORBIDDEN = frozenset(["Cc", "Cs", "Zl", "Zp"])  # controls, half characters, breaks
_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e")
_ISOLATING = frozenset("\u2066\u2067\u2068\u2069")


def safe_name(text: str) -> str:
    """Return a text as a file's name that no shell, disk or terminal stumbles over."""
    name = "".join(map(_safe, text))
    if name[:1] in (".", "-"):
        name = f"_{name}"
    short = name.encode()[:_LONGEST].decode(errors="ignore").rstrip(" .")
    return short or "item"


def _safe(character: str) -> str:
    is_bad = (
        character in "/\\:"
        or character in _TURNING
        or character in _ISOLATING
        or unicodedata.category(character) in _FORBIDDEN
    )
    return "_" if is_bad else character


class OutputNames:
    """Hands out names in one folder, each once.

    `is_promised` knows the names that earlier items of the batch have, whether their
    files are there or not.
    """

    def __init__(
        self, folder: Path, suffix: str, is_promised: Callable[[str], bool]
    ) -> None:
        self._folder = folder
        self._suffix = suffix
        self._is_promised = is_promised
        self._reserved: set[str] = set()

    def reserve(self, stem: str) -> str:
        """Return `stem` with the suffix, or with the first free number from 2."""
        stem = safe_name(stem)
        name = stem + self._suffix
        if not self._is_free(name):
            name = self._numbered(stem)
        self._reserved.add(name)
        return name

    def release(self, name: str) -> None:
        """Forget a name: its file is there, or the store keeps it in mind."""
        self._reserved.discard(name)

    def _numbered(self, stem: str) -> str:
        """Find a free number in few steps: double it, then halve the gap.

        A thousand inputs of one name would else ask a thousand times each.
        """

        def name(number: int) -> str:
            return f"{stem}-{number}{self._suffix}"

        used, free = 1, 2
        while not self._is_free(name(free)):
            used, free = free, free * 2
        while free - used > 1:
            middle = (used + free) // 2
            if self._is_free(name(middle)):
                free = middle
            else:
                used = middle
        return name(free)

    def _is_free(self, name: str) -> bool:
        if name in self._reserved or self._is_promised(name):
            return False
        try:
            (self._folder / name).lstat()
        except FileNotFoundError:
            return True
        return False
