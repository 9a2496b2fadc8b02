# SPDX-License-Identifier: Apache-2.0
"""Files below the folder, as they are on the disk: a few media types to show or play.

What a file is must be said by its name and by its first bytes alike.
"""

import os
from collections.abc import Mapping
from io import FileIO
from pathlib import Path, PurePath
from typing import Final, Literal

from lao.editor.folder import Folder
from lao.editor.refusals import unknown_file
from lao.errors import UsageError
from lao.files import ABSENT, OutsideError, open_beneath
from lao.server.messages import MediaView
from lao.server.routes import Call, FileReply, Parameter, Route
from lao.workflow.values import FileKind, FileValue

LARGEST_SHOWN: Final = 512 << 20
_LARGEST: Final = 1 << 50
_TOP: Final = 16  # bytes that tell what a file is

_Sort = Literal[
    "wav", "flac", "mp3", "ogg", "mp4", "webm", "png", "jpeg", "gif", "webp"
]
_SORTS: Final[Mapping[str, tuple[_Sort, str]]] = {
    ".wav": ("wav", "audio/wav"),
    ".flac": ("flac", "audio/flac"),
    ".mp3": ("mp3", "audio/mpeg"),
    ".ogg": ("ogg", "audio/ogg"),
    ".oga": ("ogg", "audio/ogg"),
    ".opus": ("ogg", "audio/ogg"),
    ".m4a": ("mp4", "audio/mp4"),
    ".webm": ("webm", "audio/webm"),
    ".png": ("png", "image/png"),
    ".jpg": ("jpeg", "image/jpeg"),
    ".jpeg": ("jpeg", "image/jpeg"),
    ".gif": ("gif", "image/gif"),
    ".webp": ("webp", "image/webp"),
}


def media_routes(folder: Folder) -> list[Route]:
    """Return the route that gives a file below the folder."""

    async def file(call: Call) -> FileReply:
        return open_media(folder, call.text("path"))

    return [
        Route(
            method="GET",
            path="/api/file",
            handler=file,
            about="A file below the folder: shown if it is sound or an image, else saved",
            reply=None,
            kind="file",
            query=[Parameter(name="path", about="The file, relative to the folder")],
        )
    ]


def open_media(folder: Folder, path: str) -> FileReply:
    """Open a file below the folder, to be given block by block.

    Raises:
        UsageError: there is none, or it is no file that can be given.
    """
    file = _open(folder, path)
    size = os.fstat(file.fileno()).st_size
    top = file.read(_TOP)
    file.seek(0)
    return FileReply(
        name=PurePath(path).name,
        type=media_type(path, top) if size <= LARGEST_SHOWN else "",
        size=size,
        file=file,
    )


def media_type(name: str, top: bytes) -> str:
    """Return the media type of a file by its name and first bytes; "" if not shown."""
    sort, found = _SORTS.get(PurePath(name).suffix.lower(), (None, ""))
    return found if sort is not None and _begins_as(sort, top) else ""


def _begins_as(sort: _Sort, top: bytes) -> bool:
    match sort:
        case "wav":
            return top[:4] == b"RIFF" and top[8:12] == b"WAVE"
        case "webp":
            return top[:4] == b"RIFF" and top[8:12] == b"WEBP"
        case "flac":
            return top[:4] == b"fLaC"
        case "mp3":
            is_frame = top[:1] == b"\xff" and top[1:2] >= b"\xe2" and top[1] & 6 != 0
            return top[:3] == b"ID3" or is_frame
        case "ogg":
            return top[:4] == b"OggS"
        case "mp4":
            return top[4:8] == b"ftyp"
        case "webm":
            return top[:4] == b"\x1aE\xdf\xa3"
        case "png":
            return top[:8] == b"\x89PNG\r\n\x1a\n"
        case "jpeg":
            return top[:3] == b"\xff\xd8\xff"
        case "gif":
            return top[:6] in (b"GIF87a", b"GIF89a")


def view_media(folder: Folder, value: FileValue) -> MediaView:
    """Return what a page is told of a file; nothing outside of the folder is opened."""
    name, path = PurePath(value.path).name, folder.relative(Path(value.path))
    size, kind = None, ""
    try:
        with _open(folder, path) as file:
            size = os.fstat(file.fileno()).st_size
            kind = media_type(path, file.read(_TOP)) if size <= LARGEST_SHOWN else ""
    except UsageError as error:
        if error.code != "editor.unknown-file":  # it cannot be had by this path
            path = ""
    shown: FileKind = value.kind
    return MediaView(name=name, path=path, kind=shown, type=kind, size=size)


def _open(folder: Folder, path: str) -> FileIO:
    """Open a regular file; whatever takes its place meanwhile leads nowhere else.

    Raises:
        UsageError: there is none, or it lies outside.
    """
    real = folder.relative(folder.real(folder.resolve(path)))
    try:
        return open_beneath(folder.root, real, limit=_LARGEST)
    except (*ABSENT, OutsideError) as error:  # a link that was put there just now
        raise unknown_file(path) from error
    except (OSError, ValueError) as error:
        raise UsageError(
            "editor.cannot-show",
            f"{path!r} cannot be read: {getattr(error, 'strerror', None) or error}",
            mend="name a regular file that you may read",
        ) from error
