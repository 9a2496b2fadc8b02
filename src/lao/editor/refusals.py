# SPDX-License-Identifier: Apache-2.0
"""Why the editor does not do what it was asked: a closed set of kinds."""

from typing import ClassVar

from lao.errors import LaoError, Problem, UsageError
from lao.workflow.source import LARGEST_DOCUMENT


class StaleVersion(LaoError):
    """The request names another version of the text than the one that is open."""

    exit_code: ClassVar[int] = 2


class Conflicting(LaoError):
    """The file was changed elsewhere, and here too: both are to be merged."""

    exit_code: ClassVar[int] = 2


class UnknownFile(UsageError):
    """There is no such file, or it is not open."""


class NotEditable(LaoError):
    """The text is shown only."""

    exit_code: ClassVar[int] = 2


class NotKept(LaoError):
    """The disk did not take a text, or a change; nothing was lost of what was there."""


def stale(path: str) -> StaleVersion:
    """Return the refusal of a request that was made for an earlier text."""
    return StaleVersion(
        "editor.stale",
        f"{path!r} has changed since",
        mend="look at what it is now, and do it again",
    )


def unknown_file(path: str) -> UnknownFile:
    """Return the refusal of a path that leads to no file."""
    return UnknownFile(
        "editor.unknown-file",
        f"there is no file {path!r} in the folder",
        mend="choose one that is listed, or save the text under another name",
    )


def read_only(path: str, why: str) -> NotEditable:
    """Return the refusal to change what is shown only."""
    return NotEditable(
        "editor.read-only",
        f"{path!r} cannot be changed here: {why}",
        mend="save it under another name, and edit that file",
    )


def no_change(what: str) -> UsageError:
    """Return the refusal to go where the history does not reach."""
    return UsageError("editor.no-change", f"there is {what}", mend="go on editing")


def journal_failed(path: str, error: OSError) -> NotKept:
    """Return the complaint that a change cannot be kept, and so is not made."""
    return NotKept(
        "editor.journal-failed",
        f"the journal of {path!r} cannot be written: {error.strerror or error}",
        mend="nothing was changed; free some space on the disk",
    )


def journal_set_aside(path: str, name: str) -> Problem:
    """Return what a person is told of a history that cannot be read."""
    return Problem(
        code="editor.journal-damaged",
        what=f"the history of {path!r} was damaged: it is kept as far as it can be read",
        mend=f"what there was of it lies beside the file as {name!r}",
    )


def require_text(text: str, path: str) -> None:
    """Refuse a text that no workflow file can hold.

    Raises:
        UsageError: it is too long, or holds half a character.
    """
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise UsageError(
            "editor.not-text",
            f"{path!r} cannot hold half a character",
            mend="write the character as a whole",
        ) from error
    if size > LARGEST_DOCUMENT:
        raise UsageError(
            "editor.too-large",
            f"{path!r} would be over {LARGEST_DOCUMENT >> 20} MiB",
            mend="keep long texts in files of their own and give them as inputs",
        )
