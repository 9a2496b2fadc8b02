# SPDX-License-Identifier: Apache-2.0
"""Routes of the files: the folder, opening, editing, saving and merging."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from lao.editor.edit_messages import (
    EditsReply,
    EditsRequest,
    MergeRequest,
    MergeView,
    NewFileRequest,
    SaveRequest,
    VersionRequest,
)
from lao.editor.messages import DocumentView, FolderView
from lao.editor.refusals import Conflicting, StaleVersion
from lao.editor.workspace import Workspace
from lao.server.routes import Call, Parameter, Refusal, Route

PATH: Final = Parameter(name="path", about="A file below the folder, with '/'.")


def document_routes(workspace: Workspace) -> list[Route]:
    """Return the routes that read and change files, all through the workspace."""
    return [*_reading(workspace), *_editing(workspace), *_writing(workspace)]


def _reading(workspace: Workspace) -> list[Route]:
    async def folder(_: Call) -> FolderView:
        return workspace.look_around()

    async def document(call: Call) -> DocumentView:
        return workspace.view(call.text("path"))

    async def merge(call: Call) -> MergeView:
        return workspace.merge_view(call.text("path"))

    return [
        Route(
            method="GET",
            path="/api/folder",
            handler=folder,
            about="List the workflow files, and what can be given to one.",
            reply=FolderView,
        ),
        Route(
            method="GET",
            path="/api/document",
            handler=document,
            about="Open a workflow file.",
            query=(PATH,),
            reply=DocumentView,
        ),
        Route(
            method="GET",
            path="/api/document/merge",
            handler=merge,
            about="Show a file here and on the disk, stretch by stretch.",
            query=(PATH,),
            reply=MergeView,
        ),
    ]


def _editing(workspace: Workspace) -> list[Route]:
    async def edit(call: Call) -> EditsReply:
        request = call.asks(EditsRequest)
        with _with_document(workspace, request.path):
            return workspace.edit(request)

    async def undo(call: Call) -> DocumentView:
        request = call.asks(VersionRequest)
        with _with_document(workspace, request.path):
            return workspace.undo(request)

    async def redo(call: Call) -> DocumentView:
        request = call.asks(VersionRequest)
        with _with_document(workspace, request.path):
            return workspace.redo(request)

    return [
        Route(
            method="POST",
            path="/api/document/edits",
            handler=edit,
            about="Change a file: all of the edits or none.",
            body=EditsRequest,
            reply=EditsReply,
        ),
        Route(
            method="POST",
            path="/api/document/undo",
            handler=undo,
            about="Take the latest change back.",
            body=VersionRequest,
            reply=DocumentView,
        ),
        Route(
            method="POST",
            path="/api/document/redo",
            handler=redo,
            about="Do again what was taken back last.",
            body=VersionRequest,
            reply=DocumentView,
        ),
    ]


def _writing(workspace: Workspace) -> list[Route]:
    async def create(call: Call) -> DocumentView:
        return workspace.create(call.asks(NewFileRequest))

    async def save(call: Call) -> DocumentView:
        request = call.asks(SaveRequest)
        with _with_document(workspace, request.path):
            return workspace.save(request)

    async def revert(call: Call) -> DocumentView:
        request = call.asks(VersionRequest)
        with _with_document(workspace, request.path):
            return workspace.revert(request)

    async def merge(call: Call) -> DocumentView:
        request = call.asks(MergeRequest)
        with _with_document(workspace, request.path):
            return workspace.merge(request)

    return [
        Route(
            method="POST",
            path="/api/files",
            handler=create,
            about="Create a workflow file.",
            body=NewFileRequest,
            reply=DocumentView,
        ),
        Route(
            method="POST",
            path="/api/document/save",
            handler=save,
            about="Write a file to the disk.",
            body=SaveRequest,
            reply=DocumentView,
        ),
        Route(
            method="POST",
            path="/api/document/revert",
            handler=revert,
            about="Take the text that is on the disk.",
            body=VersionRequest,
            reply=DocumentView,
        ),
        Route(
            method="POST",
            path="/api/document/merge",
            handler=merge,
            about="Merge what changed here with what changed on the disk.",
            body=MergeRequest,
            reply=DocumentView,
        ),
    ]


@contextmanager
def _with_document(workspace: Workspace, path: str) -> Iterator[None]:
    """Answer what came too late with the file as it is now."""
    try:
        yield
    except (StaleVersion, Conflicting) as error:
        problem = error.problem
        raise Refusal(
            problem.code,
            problem.what,
            status=409,
            mend=problem.mend,
            document=workspace.view(path),
        ) from error
