# SPDX-License-Identifier: Apache-2.0
"""The journal beside a file: its history as JSON lines, only ever added to, locked.

`.NAME.lao-journal`, for its owner alone. Whoever has it open holds its lock until the
process ends, however it ends, so that two editors never write to one file. What was
added is on the disk after `sync`. A last line that was cut off is dropped; a journal
with any other damage is set aside under another name, and what it tells up to there
is kept. That of a newer LAO is left alone.
"""

import fcntl
import os
import re
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from lao.editor.text_history import FORMAT, AnyRecord, Common, History, told
from lao.files import ABSENT

LARGEST: Final = 64 << 20
"""A journal of more bytes is begun anew, with the latest part of the history."""
_SUFFIX: Final = ".lao-journal"
_JOURNAL: Final = re.compile(r"\.[^.].*\.lao-journal")
_LARGEST_READ: Final = 4 * LARGEST
_FLAGS: Final = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
_SAVED: Final = msgspec.json.encode(Common()) + b"\n"
_RACES: Final = 8


class JournalUnavailable(OSError):
    """A journal cannot be had: somebody else holds it, or the system refuses."""


class _Head(msgspec.Struct, frozen=True):
    """What the first line tells in every format."""

    format: int = FORMAT


class Journal:
    """An open journal. State: how much of it is whole, and whether that is synced.

    Raises:
        JournalUnavailable: another editor holds it, or it cannot be written.
    """

    def __init__(self, file: Path) -> None:
        self.path = journal_path(file)
        self._file = _locked(self.path)
        self.size = 0
        self._is_synced = True
        self._is_new = True
        self.set_aside = ""

    def read(self) -> History | None:
        """Return the history it tells; None if there is none.

        A damaged journal gets another name, which `set_aside` then holds.

        Raises:
            JournalUnavailable: it cannot be read, or be replaced; a newer LAO wrote it.
        """
        try:
            records, size, is_whole = self._records()
            history, fitting = told(records)
            if is_whole and fitting == len(records):
                self.size, self._is_new = size, not size
            else:
                self._set_aside(records[:fitting])
        except OSError as error:
            raise _unavailable(error) from error
        return history

    def _records(self) -> tuple[list[AnyRecord], int, bool]:
        """Return the records up to a damage, how long they are, and if there is none."""
        if os.fstat(self._file).st_size > _LARGEST_READ:
            return [], 0, False
        with open(self._file, "rb", closefd=False) as file:
            data = file.read()
        _require_known(data)
        records: list[AnyRecord] = []
        size = 0
        decoder = msgspec.json.Decoder(AnyRecord)
        for line in data.splitlines(keepends=True):
            is_last = size + len(line) == len(data)
            try:
                record = decoder.decode(line)
            except (msgspec.MsgspecError, UnicodeError):
                return records, size, is_last
            if not line.endswith(b"\n"):
                break
            records.append(record)
            size += len(line)
        return records, size, True

    def _set_aside(self, records: Iterable[AnyRecord]) -> None:
        """Begin the journal anew with some records; the damaged one keeps its bytes."""
        number = 1
        while (aside := Path(f"{self.path}.damaged-{number}")).exists():
            number += 1
        self.path.rename(aside)
        try:
            self.begin(records)
        except OSError:
            aside.rename(self.path)
            raise
        self.set_aside = aside.name

    def append(self, records: Iterable[AnyRecord]) -> None:
        """Add records, all of them or none.

        Raises:
            OSError: the disk refuses; the journal is as it was.
        """
        if os.fstat(self._file).st_size != self.size:
            os.ftruncate(self._file, self.size)  # what a refusal left behind
        data = _encoded(records)
        _write(self._file, data, self.size)
        self.size += len(data)
        self._is_synced = False

    def begin(self, records: Iterable[AnyRecord]) -> None:
        """Begin the journal anew, with these records.

        Raises:
            OSError: the disk refuses; the journal is as it was.
        """
        part = self.path.with_name(f"{self.path.name}.part")
        part.unlink(missing_ok=True)
        file = os.open(part, _FLAGS | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            data = _encoded(records)
            _write(file, data, 0)
            os.fsync(file)
            part.replace(self.path)
        except OSError:
            os.close(file)
            part.unlink(missing_ok=True)
            raise
        os.close(self._file)
        self._file, self.size = file, len(data)
        self._is_new, self._is_synced = True, False

    def sync(self) -> None:
        """Let what was added reach the disk.

        Raises:
            OSError: it does not.
        """
        if self._is_synced:
            return
        os.fsync(self._file)
        if self._is_new:
            sync_folder(self.path.parent)
            self._is_new = False
        self._is_synced = True

    def close(self) -> None:
        """Let go of it; one that holds nothing is removed. Safe to call twice."""
        if self._file < 0:
            return
        with suppress(OSError):
            self.sync()
        with suppress(OSError):
            if not os.fstat(self._file).st_size:
                self.path.unlink(missing_ok=True)
        os.close(self._file)
        self._file = -1


def _require_known(data: bytes) -> None:
    """Refuse a journal that an older LAO, such as this one, would take for damaged."""
    with suppress(msgspec.MsgspecError, UnicodeError):
        head = msgspec.json.decode(data.partition(b"\n")[0], type=_Head)
        if head.format > FORMAT:
            raise JournalUnavailable("its journal was written by a newer LAO")


def journal_path(file: Path) -> Path:
    """Return where the journal of a file lies."""
    return file.with_name(f".{file.name}{_SUFFIX}")


def journalled_name(name: str) -> str:
    """Return the name of the file whose journal is called `name`, "" if it is none."""
    return name[1:].removesuffix(_SUFFIX) if _JOURNAL.fullmatch(name) else ""


def has_unsaved(file: Path) -> bool:
    """Whether the journal of a file tells of changes after the last save.

    Only its end is looked at, so that a whole folder can be asked.
    """
    try:
        descriptor = os.open(journal_path(file), os.O_RDONLY | _FLAGS & ~os.O_RDWR)
        try:
            found = os.fstat(descriptor)
            end = os.pread(descriptor, len(_SAVED), max(0, found.st_size - len(_SAVED)))
        finally:
            os.close(descriptor)
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and found.st_size > 0 and end != _SAVED


def sync_folder(folder: Path) -> None:
    """Let the names in a folder reach the disk, where the system can do that."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _locked(path: Path) -> int:
    """Open a journal, made if need be, and take its lock."""
    try:
        for _ in range(_RACES):
            file = os.open(path, _FLAGS | os.O_CREAT, 0o600)
            if _is_ours(file, path):
                return file
            os.close(file)
    except OSError as error:
        raise _unavailable(error) from error
    raise JournalUnavailable("it is opened and closed elsewhere again and again")


def _is_ours(file: int, path: Path) -> bool:
    """Lock a journal; False if it was removed, or replaced, on the way."""
    try:
        found = os.fstat(file)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
            raise JournalUnavailable("what lies in its place is not one's own file")
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.fchmod(file, 0o600)
        now = path.stat(follow_symlinks=False)
    except ABSENT:
        return False
    except OSError:
        os.close(file)
        raise
    return os.path.samestat(found, now)


def _unavailable(error: OSError) -> JournalUnavailable:
    if isinstance(error, JournalUnavailable):
        return error
    if isinstance(error, BlockingIOError):
        return JournalUnavailable("another editor has this file open")
    return JournalUnavailable(f"its journal cannot be kept: {error.strerror or error}")


def _encoded(records: Iterable[AnyRecord]) -> bytes:
    encoder = msgspec.json.Encoder()
    return b"".join(encoder.encode(record) + b"\n" for record in records)


def _write(file: int, data: bytes, at: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(file, view, at)
        view, at = view[written:], at + written
