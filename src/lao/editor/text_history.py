# SPDX-License-Identifier: Apache-2.0
"""The texts that a file has had here: undo and redo without limit, as plain data.

A history is the fold of its records; a journal keeps them. It also knows the text that
here and the disk last had in common, from which is told what is unsaved.
"""

import zlib
from collections.abc import Sequence
from typing import Final, TypeAlias

import msgspec
from msgspec import Struct, field

FORMAT: Final = 1


class Record(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    tag_field="kind",
):
    """One line of a journal."""


class Start(Record, frozen=True, kw_only=True, tag="start"):
    """The text that a history begins with."""

    format: int
    text: str


class Change(Record, frozen=True, kw_only=True, tag="change"):
    """At the character `at`, the text `cut` gave way to `put`; `key` names the request.

    `check` is the CRC-32 of the whole text after it, in UTF-8.
    """

    label: str
    at: int
    cut: str = ""
    put: str = ""
    check: int
    key: str = ""


class Undo(Record, frozen=True, kw_only=True, tag="undo"):
    """The latest change was taken back."""


class Redo(Record, frozen=True, kw_only=True, tag="redo"):
    """What was taken back last was done again."""


class Common(Record, frozen=True, kw_only=True, tag="common"):
    """What is on the disk: the text of now, with `cut` at `at` instead of `put`.

    It was saved, or read and agreed on. `is_missing`: there is no file any more.
    """

    at: int = 0
    cut: str = ""
    put: str = ""
    is_missing: bool = False


AnyRecord: TypeAlias = Start | Change | Undo | Redo | Common


class BrokenHistory(ValueError):
    """A record does not fit the text that it was made for."""


class History(Struct, kw_only=True):
    """A text, its past and its future; only `apply` changes it.

    `common` is the text that the disk was last known to hold, None for no file.
    """

    text: str
    common: str | None
    _done: list[Change] = field(default_factory=list)
    _undone: list[Change] = field(default_factory=list)

    @property
    def is_saved(self) -> bool:
        """Whether the disk holds the text."""
        return self.text == self.common

    def has(self, key: str) -> bool:
        """Whether a request of that name was heard already."""
        return any(key == each.key for each in (*self._done, *self._undone))

    @property
    def undo_label(self) -> str | None:
        """What an undo would take back."""
        return self._done[-1].label if self._done else None

    @property
    def redo_label(self) -> str | None:
        """What a redo would do again."""
        return self._undone[-1].label if self._undone else None

    def apply(self, record: AnyRecord) -> None:
        """Do what a record says; after a new change nothing is left to be redone.

        Raises:
            BrokenHistory: it was not made for this text.
        """
        match record:
            case Change():
                text = _spliced(self.text, record.at, record.cut, record.put)
                if _checksum(text) != record.check:
                    raise BrokenHistory("a change leads to another text")
                self._done.append(record)
                self._undone.clear()
                self.text = text
            case Undo() if self._done:
                change = self._done.pop()
                self._undone.append(change)
                self.text = _spliced(self.text, change.at, change.put, change.cut)
            case Redo() if self._undone:
                change = self._undone.pop()
                self._done.append(change)
                self.text = _spliced(self.text, change.at, change.cut, change.put)
            case Common(is_missing=True):
                self.common = None
            case Common():
                self.common = _spliced(self.text, record.at, record.put, record.cut)
            case _:
                raise BrokenHistory(f"a {type(record).__name__} has no place here")

    def shortened(self, most: int) -> list[AnyRecord]:
        """Return records of about `most` characters: the latest past, and the future.

        What was undone is kept as changes that are taken back again.
        """
        first = len(self._done)
        size = sum(map(_size, self._undone))
        while first and size + _size(self._done[first - 1]) < most:
            first -= 1
            size += _size(self._done[first])
        text = self.text
        for change in reversed(self._done[first:]):
            text = _spliced(text, change.at, change.put, change.cut)
        return [
            Start(format=FORMAT, text=text),
            *self._done[first:],
            *reversed(self._undone),
            *(Undo() for _ in self._undone),
            agreement(self.common, self.text),
        ]


def change_to(old: str, new: str, label: str, key: str = "") -> Change:
    """Return the record of a text that follows another."""
    at, cut, put = _difference(old, new)
    return Change(label=label, at=at, cut=cut, put=put, check=_checksum(new), key=key)


def agreement(common: str | None, text: str) -> Common:
    """Return the record of what the disk holds while the text here is `text`."""
    if common is None:
        return Common(is_missing=True)
    at, cut, put = _difference(common, text)
    return Common(at=at, cut=cut, put=put)


def replay(records: Sequence[AnyRecord]) -> History:
    """Return the history that records tell.

    Raises:
        BrokenHistory: they do not fit together, or are of a newer LAO.
    """
    match records[:1]:
        case [Start(format=1, text=text)]:
            history = History(text=text, common=text)
        case _:
            raise BrokenHistory("it has no beginning that this LAO knows")
    for record in records[1:]:
        history.apply(record)
    return history


def told(records: Sequence[AnyRecord]) -> tuple[History | None, int]:
    """Return the history that records tell up to one that does not fit, and how many do."""
    try:
        history = replay(records[:1])
    except BrokenHistory:
        return None, 0
    for count, record in enumerate(records[1:], 1):
        try:
            history.apply(record)
        except BrokenHistory:
            return history, count
    return history, len(records)


def beginning(text: str) -> tuple[AnyRecord, AnyRecord]:
    """Return the records of a text that was just read."""
    return Start(format=FORMAT, text=text), Common()


def _difference(old: str, new: str) -> tuple[int, str, str]:
    """Return where two texts differ, and what stands there in each."""
    head = _alike(old, new, min(len(old), len(new)))
    most = min(len(old), len(new)) - head
    tail = _alike(old[head:][::-1], new[head:][::-1], most)
    return head, old[head : len(old) - tail], new[head : len(new) - tail]


def _checksum(text: str) -> int:
    """Return the CRC-32 of a text in UTF-8."""
    return zlib.crc32(text.encode())


def _alike(first: str, second: str, most: int) -> int:
    """Return how many characters two texts begin with in common, by halving."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        if first[low:middle] == second[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _spliced(text: str, at: int, cut: str, put: str) -> str:
    if at < 0 or not text.startswith(cut, at) or at > len(text):
        raise BrokenHistory("a change does not fit the text")
    return text[:at] + put + text[at + len(cut) :]


def _size(change: Change) -> int:
    return len(change.cut) + len(change.put) + len(change.label) + 100
