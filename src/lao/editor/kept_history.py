# SPDX-License-Identifier: Apache-2.0
"""A file's history together with the journal that keeps it: what counts is kept."""

from contextlib import suppress
from pathlib import Path
from typing import Final

from lao.editor.journal import LARGEST, Journal, JournalUnavailable
from lao.editor.text_history import (
    AnyRecord,
    History,
    agreement,
    beginning,
    replay,
)

_KEPT: Final = 16 << 20


class KeptHistory:
    """The history of a file, from its journal, or else from the text on the disk.

    State: `past`, the history itself, None if neither tells one; `unkept`, why its
    journal cannot be had or does not reach the disk; `set_aside`, the new name of one
    that was damaged.
    """

    def __init__(self, file: Path, text: str | None) -> None:
        self._path = file
        self._journal: Journal | None = None
        self.unkept = ""
        self.set_aside = ""
        self.past = self._opened(text)
        self._first = "" if self.past is None else self.past.text

    def _opened(self, text: str | None) -> History | None:
        told = None
        self.unkept = ""
        try:
            self._journal = Journal(self._path)
            told = self._journal.read()
            self.set_aside = self._journal.set_aside or self.set_aside
        except JournalUnavailable as error:
            self.unkept = str(error)
            self.close()
        if told is None and text is not None:
            return History(text=text, common=text)
        return told

    def keep(self, *records: AnyRecord) -> None:
        """Put records into the journal, then do what they say.

        Raises:
            OSError: the journal cannot take them; nothing was done.
        """
        assert self.past is not None  # noqa: S101  (else the file was not opened)
        if self._journal is not None:
            start = () if self._journal.size else beginning(self._first)
            self._journal.append([*start, *records])
        for record in records:
            self.past.apply(record)

    def sync(self) -> None:
        """Let the journal reach the disk; begin it anew if it failed or is too long.

        Why it does not is in `unkept` then.
        """
        if self._journal is None or self.past is None:
            return
        try:
            if self.unkept or self._journal.size > LARGEST:
                records = self.past.shortened(_KEPT)
                self._journal.begin(records)
                self.past = replay(records)
                self.unkept = ""
            else:
                self._journal.sync()
        except OSError as error:
            self.unkept = f"its journal is not kept: {error.strerror or error}"

    def ask_again(self, text: str) -> bool:
        """Take the journal if nobody else has it any more; return whether it is new.

        The history is then what the journal tells, or begins with `text`.
        """
        if self._journal is not None:
            return False
        try:
            Journal(self._path).close()
        except JournalUnavailable:
            return False
        self.past = self._opened(text)
        self._first = "" if self.past is None else self.past.text
        return True

    def close(self) -> None:
        """Let go of the journal; it keeps what is unsaved. Safe to call twice."""
        if self._journal is None:
            return
        if self._journal.size and self.past is not None and self.past.is_saved:
            with suppress(OSError):  # the end of a journal tells `has_unsaved`
                self._journal.append([agreement(self.past.text, self.past.text)])
        self._journal.close()
        self._journal = None
