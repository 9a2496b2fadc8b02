# SPDX-License-Identifier: Apache-2.0
"""What a page is shown of an open file and of the folder."""

from collections.abc import Container
from typing import Final

from lao.editor.folder import Listing
from lao.editor.graph import Parts
from lao.editor.messages import (
    DocumentView,
    FileView,
    FolderView,
    MaterialView,
    ProblemView,
)
from lao.editor.open_document import OpenDocument

_NEWER: Final = "it is written for a newer format; install a newer LAO"


def document_view(document: OpenDocument, parts: Parts) -> DocumentView:
    """Return an open file with what its text shows."""
    notes = []
    if document.note is not None:
        code, what, mend = document.note.code, document.note.what, document.note.mend
        notes.append(ProblemView(code=code, what=what, mend=mend, severity="note"))
    return DocumentView(
        path=document.path,
        version=document.version,
        text=document.text,
        name=parts.name,
        description=parts.description,
        is_saved=document.is_saved,
        is_conflicting=document.is_conflicting,
        read_only=document.read_only or newer_format(parts),
        undo=document.undo_label,
        redo=document.redo_label,
        inputs=list(parts.inputs),
        steps=list(parts.steps),
        edges=list(parts.edges),
        boxes=list(parts.boxes),
        outputs=list(parts.outputs),
        models=dict(parts.models),
        problems=[*notes, *parts.problems],
    )


def newer_format(parts: Parts) -> str:
    """Return why a text of a newer format is shown only; "" for any other text."""
    codes = {problem.code for problem in parts.problems}
    return _NEWER if "workflow.newer-format" in codes else ""


def folder_view(
    listing: Listing, *, opened: Container[str], unsaved: Container[str]
) -> FolderView:
    """Return what lies in the folder; `opened` and `unsaved` hold paths."""
    return FolderView(
        files=[
            FileView(
                path=each.path,
                modified=each.modified,
                size=each.size,
                is_open=each.path in opened,
                has_unsaved=each.path in unsaved,
            )
            for each in listing.workflows
        ],
        material=[
            MaterialView(path=each.path, type=each.type, size=each.size)
            for each in listing.material
        ],
        is_whole=listing.is_whole,
    )
