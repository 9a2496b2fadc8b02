# SPDX-License-Identifier: Apache-2.0
"""One open file: its text here, its history, and what the disk holds meanwhile.

The file is written by `save` alone. Every change is in the journal before it counts.
"""

from typing import TYPE_CHECKING, Final

from lao.editor.edit_messages import HunkView
from lao.editor.folder import WORKFLOW_SUFFIXES, Folder
from lao.editor.journal import has_unsaved
from lao.editor.kept_history import KeptHistory
from lao.editor.merging import Pick, merge_hunks, merged
from lao.editor.refusals import (
    NotKept,
    journal_failed,
    journal_set_aside,
    no_change,
    read_only,
    require_text,
    unknown_file,
)
from lao.editor.saving import (
    OnDisk,
    can_be_written,
    conflict,
    has_changed,
    not_saved,
    read_disk,
    write_text,
)
from lao.editor.text_history import AnyRecord, History, Redo, Undo, agreement, change_to

if TYPE_CHECKING:
    from lao.errors import Problem

_TAKEN: Final = "Change made elsewhere"
_REVERTED: Final = "Revert to the file"
_MERGED: Final = "Merge"


class OpenDocument:
    """A file of the folder, open until `close`. `version` grows with its text.

    `note` says what a person should know of how it was opened.

    Raises:
        UnknownFile: there is no such file.
        UsageError: it is no text file that can be opened here.
    """

    def __init__(self, folder: Folder, path: str, *, version: int = 1) -> None:
        self.path = path
        self.file = folder.resolve(path)
        self.version = version
        self.note: Problem | None = None
        self._folder = folder
        self._rival: OnDisk | None = None  # what the disk holds that is not merged yet
        self._disk = self._look_anew()
        refusal = self._disk.problem or unknown_file(path)
        if self._disk.text is None and not has_unsaved(self.file):
            raise refusal
        self._kept = KeptHistory(self.file, self._disk.text)
        if self._kept.past is None:
            self._kept.close()
            raise refusal
        if self._kept.set_aside:
            self.note = journal_set_aside(path, self._kept.set_aside)
        self._meet()

    @property
    def text(self) -> str:
        """The text as it is here."""
        return self._history.text

    @property
    def is_saved(self) -> bool:
        """Whether the disk holds the text."""
        return self._history.is_saved and self._rival is None

    @property
    def is_conflicting(self) -> bool:
        """Whether the file was changed, or removed, elsewhere, and is to be merged."""
        return self._rival is not None

    @property
    def read_only(self) -> str:
        """Why the text cannot be changed, "" if it can."""
        if self._kept.unkept:
            return self._kept.unkept
        return self._not_written

    @property
    def undo_label(self) -> str | None:
        """What an undo would take back."""
        return self._history.undo_label

    @property
    def redo_label(self) -> str | None:
        """What a redo would do again."""
        return self._history.redo_label

    def has_heard(self, key: str) -> bool:
        """Whether the change that has this name was made, though perhaps taken back."""
        return bool(key) and self._history.has(key)

    def change(self, text: str, label: str, key: str = "") -> None:
        """Let another text follow, as one step of the history; `key` names it.

        Raises:
            NotEditable: the text cannot be changed.
            UsageError: it is too long, or no text that a file can hold.
            NotKept: the journal cannot take it; nothing was changed.
        """
        self._require_editable()
        require_text(text, self.path)
        if text != self.text:
            self._keep(change_to(self.text, text, label, key))

    def undo(self) -> None:
        """Take the latest change back.

        Raises:
            NotEditable: the text cannot be changed.
            UsageError: there is none.
            NotKept: the journal cannot take it; nothing was changed.
        """
        self._require_editable()
        if self.undo_label is None:
            raise no_change("nothing to take back")
        self._keep(Undo())

    def redo(self) -> None:
        """Do again what was taken back last; raises what `undo` does."""
        self._require_editable()
        if self.redo_label is None:
            raise no_change("nothing to do again")
        self._keep(Redo())

    def revert(self) -> None:
        """Take the disk's text, as one step of the history.

        Raises:
            NotEditable: the text cannot be changed.
            UsageError: there is no file, or no text in it.
            NotKept: the journal cannot take it; nothing was changed.
        """
        self._require_editable()
        text = self._text_on_disk()
        self._agree(text, text, _REVERTED)

    def save(self) -> None:
        """Let the file hold the text.

        Raises:
            Conflicting: the file was changed elsewhere; it is left as it is.
            NotKept: the disk refuses; the file is as it was.
        """
        self.look(anew=True)
        if self._rival is not None:
            raise conflict(self.path)
        if self._history.is_saved:
            return
        if self._not_written:
            raise not_saved(self.path, PermissionError(self._not_written))
        before = self._disk.digest
        write_text(
            self._folder.real(self.file),
            self.text,
            name=self.path,
            is_unchanged=lambda: self._look_anew().digest == before,
        )
        self._disk = self._look_anew()
        self._note(agreement(self.text, self.text))

    def look(self, *, anew: bool = False) -> bool:
        """Look at the disk; return whether something is to be shown anew.

        What changed there becomes a step of the history here, if nothing is unsaved.
        """
        if not anew and not has_changed(self._disk, self.file):
            return False
        before = self._shown()
        self._disk = self._look_anew()
        self._meet()
        return before != self._shown()

    def sync(self) -> bool:
        """Let the journal reach the disk; return whether something is to be shown anew.

        One that is held elsewhere is asked for again; one that failed is begun anew.
        """
        before, text = self._shown(), self.text
        if self._disk.text is not None and self._kept.ask_again(self._disk.text):
            self.version += text != self.text
            self._meet()
        self._kept.sync()
        return before != self._shown()

    def hunks(self) -> tuple[str, list[HunkView]]:
        """Return the digest of what the disk holds, and how to merge with it.

        Raises:
            UsageError: there is no text on the disk.
        """
        self.look(anew=True)
        if self._disk.problem is not None:
            raise self._disk.problem
        base, theirs = self._history.common or "", self._disk.text or ""
        return self._disk.digest, merge_hunks(base, self.text, theirs)

    def merge(self, digest: str, picks: list[Pick]) -> None:
        """Take what the picks make of both texts, as one step of the history.

        Raises:
            Conflicting: `digest` is not that of what the disk holds now.
            NotEditable: the text cannot be changed.
            UsageError: there are not as many picks as hunks, or the text is too long.
            NotKept: the journal cannot take it; nothing was changed.
        """
        self._require_editable()
        now, hunks = self.hunks()
        if now != digest:
            raise conflict(self.path)
        text = merged(hunks, picks)
        require_text(text, self.path)
        self._agree(text, self._disk.text, _MERGED)

    def close(self) -> None:
        """Let go of the journal; it keeps what is unsaved. Safe to call twice."""
        self._kept.close()

    @property
    def _history(self) -> History:
        assert self._kept.past is not None  # noqa: S101  (else it was not opened)
        return self._kept.past

    @property
    def _not_written(self) -> str:
        """Why the file is not to be written, "" if it is."""
        if self.file.suffix not in WORKFLOW_SUFFIXES:
            return "its name is not that of a workflow, which ends with .yaml"
        if not can_be_written(self.file):
            return "its rights do not let it be written"
        return ""

    def _shown(self) -> tuple[object, ...]:
        rival = None if self._rival is None else self._rival.digest
        return self.version, self.is_saved, rival, self.read_only

    def _look_anew(self) -> OnDisk:
        return read_disk(self._folder, self.file)

    def _text_on_disk(self) -> str:
        self._disk = self._look_anew()
        if self._disk.problem is not None:
            raise self._disk.problem
        if self._disk.text is None:
            raise unknown_file(self.path)
        return self._disk.text

    def _meet(self) -> None:
        """Tell what is to be done about what the disk holds."""
        disk, self._rival = self._disk, None
        if disk.problem is not None:
            self._rival = disk
        elif disk.text == self._history.common:
            return
        elif disk.text == self.text:
            self._note(agreement(disk.text, disk.text))
        elif disk.text is None or not self._history.is_saved:
            self._rival = disk
        else:
            try:
                self._agree(disk.text, disk.text, _TAKEN)
            except NotKept:
                self._rival = disk

    def _agree(self, text: str, common: str | None, label: str) -> None:
        """Take a text, and with it what the disk holds."""
        change = [change_to(self.text, text, label)] if text != self.text else []
        self._keep(*change, agreement(common, text))
        self._rival = None

    def _note(self, record: AnyRecord) -> None:
        """Remember what the disk holds; it can be found out anew, should that fail."""
        try:
            self._keep(record)
        except NotKept:
            self._history.apply(record)

    def _keep(self, *records: AnyRecord) -> None:
        before = self.text
        try:
            self._kept.keep(*records)
        except OSError as error:
            raise journal_failed(self.path, error) from error
        self.version += before != self.text

    def _require_editable(self) -> None:
        if self.read_only:
            raise read_only(self.path, self.read_only)
