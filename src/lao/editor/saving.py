# SPDX-License-Identifier: Apache-2.0
"""What a file on the disk holds, and writing another text in its place, whole.

A text is written beside the file, read back, and put in place with one system call, if
the file is then still as it was looked at last.
"""

import errno
import os
import secrets
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path

from msgspec import Struct

from lao.editor.folder import Folder
from lao.editor.journal import sync_folder
from lao.editor.refusals import Conflicting, NotKept
from lao.engine.saving import put_in_place
from lao.errors import UsageError
from lao.files import (
    ABSENT,
    NotRegularError,
    TooLargeError,
    is_settled,
    mark_of,
    read_beneath,
)
from lao.workflow.source import LARGEST_DOCUMENT


class OnDisk(Struct, frozen=True, kw_only=True):
    """What the disk holds in a file's place.

    `text` is None where there is no file, or (then with a `problem`) no text. `mark`
    changes when the content does, if `is_settled`. `digest` is "" for no file.
    """

    text: str | None = None
    digest: str = ""
    mark: str = ""
    is_settled: bool = False
    problem: UsageError | None = None


def read_disk(folder: Folder, file: Path) -> OnDisk:
    """Look at a file below a folder."""
    try:
        real = folder.real(file)
        found = real.stat()
        data = read_beneath(
            folder.root, real.relative_to(folder.root), limit=LARGEST_DOCUMENT
        )
    except ABSENT:
        return OnDisk()
    except UsageError as error:
        return OnDisk(problem=error)
    except (OSError, ValueError) as error:
        return OnDisk(problem=_complaint(folder.relative(file), error))
    on_disk = OnDisk(
        digest=blake2b(data, digest_size=16).hexdigest(),
        mark=mark_of(found),
        is_settled=is_settled(found, time.time()),
    )
    return _with_text(on_disk, data, folder.relative(file))


def has_changed(on_disk: OnDisk, file: Path) -> bool:
    """Whether a file may hold something else than when it was looked at."""
    try:
        mark = mark_of(file.stat())
    except OSError:
        mark = ""
    return mark != on_disk.mark or (bool(mark) and not on_disk.is_settled)


def can_be_written(file: Path) -> bool:
    """Whether a file's rights let its text be replaced; a missing one can be made."""
    return os.access(file, os.W_OK) or not os.path.lexists(file)


def write_text(
    file: Path, text: str, *, name: str, is_unchanged: Callable[[], bool]
) -> None:
    """Let a file (no symbolic link) hold a text; it keeps its mode and its group.

    `is_unchanged` is asked last, when all else is done.

    Raises:
        NotKept: the disk refuses; the file is as it was.
        Conflicting: the file was changed meanwhile, and is left so.
    """
    part = file.with_name(f".{file.name}.lao-save")  # one at most is ever left behind
    try:
        part.unlink(missing_ok=True)
        _write_part(part, text.encode(), like=file)
        if not is_unchanged():
            raise conflict(name)
        part.replace(file)
    except OSError as error:
        raise not_saved(name, error) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    sync_folder(file.parent)


def create_text(file: Path, text: str, *, name: str) -> None:
    """Write a new file.

    Raises:
        UsageError: there is something of that name.
        NotKept: the disk refuses.
    """
    part = file.with_name(f".lao-{secrets.token_hex(8)}.part")
    try:
        _write_part(part, text.encode(), like=None)
        put_in_place(part, file)
    except FileExistsError as error:
        raise UsageError(
            "editor.exists",
            f"{name!r} is there already",
            mend="choose another name",
        ) from error
    except OSError as error:
        raise not_saved(name, error) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    sync_folder(file.parent)


def conflict(name: str) -> Conflicting:
    """Return the refusal to write over what somebody else wrote."""
    return Conflicting(
        "editor.conflict",
        f"{name!r} was changed elsewhere, and here too",
        mend="merge both, or save this text under another name",
    )


def not_saved(name: str, error: OSError) -> NotKept:
    """Return the complaint that the disk did not take a text."""
    return NotKept(
        "editor.not-saved",
        f"{name!r} cannot be written: {error.strerror or error}",
        mend="the file is as it was and nothing is lost; mend its folder or the disk, "
        "or save under another name",
    )


def _write_part(part: Path, data: bytes, *, like: Path | None) -> None:
    """Write a file that nobody has seen yet, and read it back."""
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    with os.fdopen(os.open(part, flags, 0o666), "r+b") as file:
        file.write(data)
        file.flush()
        with suppress(*ABSENT):
            if like is not None:
                _resemble(file.fileno(), like)
        os.fsync(file.fileno())
        file.seek(0)
        if file.read() != data:
            raise OSError(errno.EIO, "it is read back as something else")


def _resemble(file: int, other: Path) -> None:
    """Give an open file the owner, the group and the mode of another."""
    wanted, found = other.stat(), os.fstat(file)
    if not stat.S_ISREG(wanted.st_mode):
        raise NotRegularError("it is no file any more")
    if (wanted.st_uid, wanted.st_gid) != (found.st_uid, found.st_gid):
        with suppress(PermissionError):
            os.fchown(file, wanted.st_uid, wanted.st_gid)
    os.fchmod(file, stat.S_IMODE(wanted.st_mode))


def _with_text(on_disk: OnDisk, data: bytes, name: str) -> OnDisk:
    problem, text = None, None
    try:
        text = data.decode()
    except UnicodeDecodeError:
        problem = UsageError(
            "editor.not-text",
            f"{name!r} is not UTF-8 text",
            mend="save it as UTF-8 text with the editor that wrote it",
        )
    return OnDisk(
        text=text,
        digest=on_disk.digest,
        mark=on_disk.mark,
        is_settled=on_disk.is_settled,
        problem=problem,
    )


def _complaint(name: str, error: OSError | ValueError) -> UsageError:
    match error:
        case NotRegularError():
            what, mend = "is a folder, a pipe or a device", "give the path of a file"
        case TooLargeError():
            what = f"is over {LARGEST_DOCUMENT >> 20} MiB"
            mend = "keep long texts in files of their own and give them as inputs"
        case _:
            reason = getattr(error, "strerror", None) or error
            what, mend = f"cannot be read: {reason}", "check its rights"
    return UsageError("editor.unreadable", f"{name!r} {what}", mend=mend)
