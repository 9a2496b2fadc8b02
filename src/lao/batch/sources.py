# SPDX-License-Identifier: Apache-2.0
"""Where the items of a batch come from: files of a pattern, paths, or rows of JSON.

All three are records of an open file: the paths that a pattern matches are written to
an anonymous file first. So the number of items is known, what the batch itself writes
is never taken for input, and the memory stays the same.
"""

import hashlib
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, assert_never

from msgspec import Struct, field

from lao.batch.each import Each
from lao.batch.patterns import matching_files
from lao.batch.records import (
    NEWLINE,
    NUL,
    count_records,
    is_blank,
    is_regular,
    read_records,
)
from lao.batch.rows import read_row
from lao.engine.inputs import open_input
from lao.errors import LaoError, UsageError
from lao.workflow.steps import Input

_LONGEST_PATH = 1 << 16
_LONGEST_ROW = 16 << 20
_BUFFER = 1 << 16


class Item(Struct, frozen=True, kw_only=True):
    """One input of a batch, not opened yet.

    `label` is its name for people, `key` for the store, `stem` for its output file.
    `problem` says why there is nothing given.
    """

    position: int
    label: str
    key: str
    stem: str
    given: Mapping[str, object] = field(default_factory=dict)
    problem: LaoError | None = None


class Source(Struct, frozen=True, kw_only=True):
    """The open source of a batch. `total` is None where only time will tell."""

    each: Each
    base: Path
    declared: Mapping[str, Input]
    descriptor: int
    total: int | None

    async def items(self) -> AsyncIterator[Item]:
        """Yield the items, in order, as they come."""
        separator, limit = _format(self.each)
        position = 0
        async for record in read_records(self.descriptor, separator, limit):
            position += 1
            if not is_blank(record, separator):
                yield self._item(position, record)

    def _item(self, position: int, record: bytes | None) -> Item:
        if self.each.kind == "rows":
            return self._row(position, record)
        if record is None or b"\0" in record:
            return Item(
                position=position,
                label=f"path {position}",
                key=f"{position}:",
                stem=f"path-{position:06}",
                problem=UsageError(
                    "batch.bad-path",
                    f"what stands at place {position:,} can be no path",
                    mend="give one path a line; with -0, one between NULs",
                ),
            )
        return self._path(position, os.fsdecode(record), _row_key(position, record))

    def _path(self, position: int, label: str, key: str) -> Item:
        path = (self.base / label).absolute()
        if self.each.kind == "files":
            key = _path_key(path)
        return Item(
            position=position,
            label=label,
            key=key,
            stem=path.stem,
            given={self.each.input or "": path},
        )

    def _row(self, position: int, record: bytes | None) -> Item:
        label, stem = f"{self.each.pattern}:{position}", f"row-{position:06}"
        key = _row_key(position, record)
        try:
            row = read_row(
                record,
                self.declared,
                plain=self.each.input,
                is_whole=self.each.is_whole,
            )
        except UsageError as error:
            return Item(
                position=position, label=label, key=key, stem=stem, problem=error
            )
        return Item(
            position=position,
            label=label,
            key=key,
            stem=row.name or stem,
            given=row.given,
        )


@contextmanager
def open_source(
    each: Each,
    *,
    base: Path,
    declared: Mapping[str, Input],
    avoid: Path | None = None,
    unreadable: Callable[[str], None] = lambda _: None,
) -> Iterator[Source]:
    """Open what the items come from, and count them where that takes no waiting.

    Raises:
        UsageError: there is nothing there, or it cannot be read.
    """
    with ExitStack() as stack:
        match each.kind:
            case "files":
                found = matching_files(
                    each.pattern, base=base, avoid=avoid, unreadable=unreadable
                )
                paths = stack.enter_context(tempfile.TemporaryFile(buffering=_BUFFER))
                _write(paths, found)
                descriptor = paths.fileno()
            case "rows":
                file = stack.enter_context(open_input("each", base / each.pattern))
                descriptor = file.fileno()
            case "paths":
                descriptor = _stdin()
            case _:
                assert_never(each.kind)
        total = None
        if is_regular(descriptor):
            total = count_records(descriptor, *_format(each))
        if total == 0:
            raise _nothing(each, base)
        yield Source(
            each=each, base=base, declared=declared, descriptor=descriptor, total=total
        )


def _write(file: IO[bytes], labels: Iterator[str]) -> None:
    """Write paths to a file, which has no name and goes with the process."""
    for label in labels:
        file.write(os.fsencode(label) + NUL)
    file.flush()
    file.seek(0)


def _stdin() -> int:
    if sys.stdin is None or sys.stdin.isatty():
        raise UsageError(
            "batch.no-stdin",
            "--each - reads paths from standard input, and nothing is piped in",
            mend="pipe paths in, for example: find . -name '*.wav' | lao run … --each -",
        )
    return sys.stdin.fileno()


def _format(each: Each) -> tuple[bytes, int]:
    """Return what stands between the records, and how long one may be."""
    if each.kind == "rows":
        return NEWLINE, _LONGEST_ROW
    return NUL if each.nul or each.kind == "files" else NEWLINE, _LONGEST_PATH


def _path_key(path: Path) -> str:
    """Return a path as text that any store can keep: odd bytes are written out."""
    raw = os.fsencode(path)
    try:
        return raw.decode()
    except UnicodeDecodeError:
        digest = hashlib.sha256(raw).hexdigest()[:16]
        return f"{raw.decode(errors='backslashreplace')}#{digest}"


def _row_key(position: int, record: bytes | None) -> str:
    return f"{position}:{hashlib.sha256(record or b'').hexdigest()[:16]}"


def _nothing(each: Each, base: Path) -> UsageError:
    if each.kind == "rows":
        return UsageError(
            "batch.no-items",
            f"{each.pattern!r} holds no row",
            mend="write one JSON value on each line",
        )
    if each.kind == "paths":
        return no_paths()
    mend = "quote the pattern, so that the shell leaves it alone; `**` reaches into folders"
    if (base / each.pattern).is_dir():
        inside = each.pattern.rstrip("/")
        mend = f"write '{inside}/*' for its files, '{inside}/**' for those below too"
    return UsageError("batch.no-items", f"{each.pattern!r} matches no file", mend=mend)


def no_paths() -> UsageError:
    """Return the complaint about an empty standard input."""
    return UsageError(
        "batch.no-items",
        "no path came on standard input",
        mend="check the command that the paths come from",
    )
