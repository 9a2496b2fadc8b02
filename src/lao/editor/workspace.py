# SPDX-License-Identifier: Apache-2.0
"""The open files of a folder, and all that a page can ask of them.

State: which files are open. Nothing is run, and no plugin's code is imported.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol

from lao.config import Settings
from lao.editor.edit_messages import (
    EditMessage,
    EditsReply,
    EditsRequest,
    MergeRequest,
    MergeView,
    NewFileRequest,
    SaveRequest,
    SetTextEdit,
    VersionRequest,
)
from lao.editor.edit_words import to_edits
from lao.editor.folder import WORKFLOW_SUFFIXES, Folder, Listing
from lao.editor.graph import Parts, view_document
from lao.editor.journal import has_unsaved
from lao.editor.messages import DocumentView, FolderView
from lao.editor.open_document import OpenDocument
from lao.editor.refusals import read_only, stale
from lao.editor.saving import create_text
from lao.editor.views import document_view, folder_view, newer_format
from lao.errors import LaoError, UsageError, did_you_mean
from lao.examples import find_examples, text_from
from lao.workflow.yaml_text import entry

Tell = Callable[[str, Mapping[str, object]], None]
"""Told "document" with `path` and `version`, or "folder"."""

MOST_OPEN: Final = 200
_LOOKS: Final = 10  # at the disk, for one at the whole folder


class Describe(Protocol):
    """What a text shows; `lao.editor.graph.view_document`."""

    def __call__(self, text: str, *, path: Path, settings: Settings) -> Parts:
        """Return the parts of the view that follow from the text."""


class Splice(Protocol):
    """How edits change a text; `lao.editor.edit_words.to_edits`."""

    def __call__(
        self,
        text: str,
        messages: Sequence[EditMessage],
        *,
        path: Path,
        settings: Settings,
    ) -> tuple[str, Sequence[str]]:
        """Return the new text, and the ids of what was added."""


class Workspace:
    """What a page does to the files of one folder. To be closed at the end.

    `poll` is to be called each second: it syncs the journals and looks at the disk.
    All paths are those of the page, seen from the folder.
    """

    def __init__(
        self,
        folder: Folder,
        settings: Settings,
        tell: Tell,
        *,
        describe: Describe = view_document,
        splice: Splice = to_edits,
    ) -> None:
        self.folder = folder
        self._settings = settings
        self._tell = tell
        self._describe = describe
        self._splice = splice
        self._open: dict[str, OpenDocument] = {}
        self._polls = 0
        self._seen: Listing | None = None

    def look_around(self) -> FolderView:
        """Return what lies in the folder."""
        self._seen = listing = self.folder.listed()
        unsaved = {
            each.path for each in listing.workflows if self._has_unsaved(each.path)
        }
        return folder_view(listing, opened=self._open, unsaved=unsaved)

    def open(self, path: str) -> OpenDocument:
        """Return an open file, opened if need be.

        Raises:
            UnknownFile: there is no such file.
            UsageError: it cannot be opened.
        """
        if path not in self._open:
            document = OpenDocument(self.folder, path, version=_first_version())
            self._make_room()
            self._open[path] = document
        self._open[path] = self._open.pop(path)  # the latest is the last
        return self._open[path]

    def get(self, path: str) -> OpenDocument | None:
        """Return a file, if it is open."""
        return self._open.get(path)

    def create(self, request: NewFileRequest) -> DocumentView:
        """Write a new workflow file, empty or from an example, and open it.

        Raises:
            UsageError: the name is taken or none for a workflow; there is no such example.
            NotKept: the disk refuses.
        """
        file = self._new_file(request.path)
        examples = find_examples()
        if request.example is None:
            text = f"lao: 1\n{entry('name', file.stem, 0)}\nsteps: []\n"
        elif request.example in examples:
            text = text_from(examples[request.example], file.name)
        else:
            raise UsageError(
                "editor.unknown-example",
                f"there is no example called {request.example!r}",
                mend=did_you_mean(request.example, examples),
            )
        return self._created(request.path, file, text)

    def view(self, path: str) -> DocumentView:
        """Return what is shown of a file, opened if need be."""
        document = self.open(path)
        return document_view(document, self._described(document))

    def edit(self, request: EditsRequest) -> EditsReply:
        """Make edits, all or none, as one step of the file's history; never twice.

        Raises:
            StaleVersion: they are made for another text.
            NotEditable: the file is shown only.
            SpliceError: one of them cannot be made.
            InvalidWorkflow: the text is no YAML; the text view can mend that.
            NotKept: the journal cannot take them; nothing was changed.
        """
        document = self.open(request.path)
        if document.has_heard(request.key):
            return EditsReply(document=self.view(request.path))
        self._at(request.path, request.version)
        match request.edits:
            case [SetTextEdit(text=text)]:
                why = newer_format(self._described(document))
                if why:
                    raise read_only(request.path, why)
                created: Sequence[str] = ()
            case _:
                text, created = self._splice(
                    document.text,
                    request.edits,
                    path=document.file,
                    settings=self._settings,
                )
        document.change(text, request.label, request.key)
        return EditsReply(document=self._changed(request.path), created=list(created))

    def undo(self, request: VersionRequest) -> DocumentView:
        """Take the latest change of a file back."""
        self._at(request.path, request.version).undo()
        return self._changed(request.path)

    def redo(self, request: VersionRequest) -> DocumentView:
        """Do again what was taken back last."""
        self._at(request.path, request.version).redo()
        return self._changed(request.path)

    def revert(self, request: VersionRequest) -> DocumentView:
        """Take the disk's text; a step of the history, which can be taken back."""
        self._at(request.path, request.version).revert()
        return self._changed(request.path)

    def save(self, request: SaveRequest) -> DocumentView:
        """Write a file; with `save_as` a new one, which is then open too.

        Raises:
            StaleVersion: another text is meant.
            Conflicting: the file was changed elsewhere.
            UsageError: the other name is taken, or none for a workflow.
            NotKept: the disk refuses; the file is as it was.
        """
        document = self._at(request.path, request.version)
        if request.save_as is not None:
            file = self._new_file(request.save_as)
            return self._created(request.save_as, file, document.text)
        try:
            document.save()
        except LaoError:
            self._announce(request.path)  # it may be conflicting now
            raise
        return self._changed(request.path)

    def merge_view(self, path: str) -> MergeView:
        """Return the file here, on the disk, and what they have in common."""
        document = self.open(path)
        disk, hunks = document.hunks()
        return MergeView(path=path, version=document.version, disk=disk, hunks=hunks)

    def merge(self, request: MergeRequest) -> DocumentView:
        """Take what was picked of both; the file is written when it is saved."""
        document = self._at(request.path, request.version)
        document.merge(request.disk, request.picks)
        return self._changed(request.path)

    def text_of(self, path: str, version: int) -> tuple[str, Path]:
        """Return the text to run, saved or not, and where its file lies.

        Raises:
            StaleVersion: another text is meant.
        """
        document = self._at(path, version)
        return document.text, document.file

    def poll(self) -> None:
        """Sync the journals, look at the disk, and tell what changed."""
        for path, document in list(self._open.items()):
            changes = document.sync(), document.look()
            if any(changes):
                self._announce(path)
        self._polls += 1
        if self._seen is not None and self._polls % _LOOKS == 0:
            before, self._seen = self._seen, self.folder.listed()
            if before != self._seen:
                self._tell("folder", {})

    def close(self) -> None:
        """Let go of every file; what is unsaved stays in their journals."""
        while self._open:
            self._open.popitem()[1].close()

    def _at(self, path: str, version: int) -> OpenDocument:
        document = self.open(path)
        if document.version != version:
            raise stale(path)
        return document

    def _described(self, document: OpenDocument) -> Parts:
        return self._describe(
            document.text, path=document.file, settings=self._settings
        )

    def _changed(self, path: str) -> DocumentView:
        self._announce(path)
        return self.view(path)

    def _announce(self, path: str) -> None:
        self._tell("document", {"path": path, "version": self._open[path].version})

    def _new_file(self, path: str) -> Path:
        file = self.folder.resolve(path)
        if file.suffix not in WORKFLOW_SUFFIXES:
            raise UsageError(
                "editor.bad-name",
                f"{path!r} is no name for a workflow file",
                mend="let it end with .yaml",
            )
        if not file.exists() and has_unsaved(file):
            raise UsageError(
                "editor.exists",
                f"{path!r} was removed, and something of it is unsaved here",
                mend="open it, or choose another name",
            )
        return file

    def _created(self, path: str, file: Path, text: str) -> DocumentView:
        create_text(file, text, name=path)
        self._tell("folder", {})
        return self.view(path)

    def _has_unsaved(self, path: str) -> bool:
        document = self._open.get(path)
        if document is not None:
            return not document.is_saved
        try:
            return has_unsaved(self.folder.resolve(path))
        except LaoError:
            return False

    def _make_room(self) -> None:
        """Close the file that was used longest ago; its journal keeps its history."""
        if len(self._open) >= MOST_OPEN:
            oldest = next(iter(self._open))
            self._open.pop(oldest).close()


def _first_version() -> int:
    """Return milliseconds since 1970, so that no version comes twice.

    A page that outlives a server must not have an edit of an older text pass for one
    of a newer.
    """
    return time.time_ns() // 1_000_000
