# SPDX-License-Identifier: Apache-2.0
"""Writing a step's value to a file: whole or not at all, never over another by accident.

The words of the workflow's author may name any folder. What a model or an input adds
to a path may not leave the folder that those words name.
"""

import json
import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from lao.errors import RefusedByPolicy, StepError
from lao.files import NotRegularError, open_regular
from lao.workflow.template import Template, plain
from lao.workflow.values import FileValue, Value


def target_path(template: Template, rendered: str, folder: Path) -> Path:
    """Return where to write.

    Raises:
        StepError: the path is empty or names a folder.
        RefusedByPolicy: a value would leave the folder that the template names,
            which is seen from `folder`.
    """
    if not rendered.strip() or rendered.endswith("/") or not _is_path(rendered):
        raise StepError(
            "save.bad-path",
            f"{rendered!r} is not a file name",
            mend="give `save` the path of a file",
        )
    path = folder / _expanded(rendered)
    fixed = template.source.partition("{")[0].rpartition("/")
    inside = folder / _expanded("".join(fixed[:2]))
    if template.names and not path.resolve().is_relative_to(inside.resolve()):
        raise RefusedByPolicy(
            "policy.path-outside",
            f"a value would make `save` write to {str(path)!r}, "
            f"outside {str(inside)!r}",
            mend="write the folder in the workflow; values may only name files in it",
        )
    return path


def _is_path(text: str) -> bool:
    try:
        return b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:  # half of a surrogate pair
        return False


def _expanded(text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError:  # no home folder
        return Path(text)


def save(value: Value, path: Path, *, overwrite: bool) -> None:
    """Write a value as text, or as indented JSON.

    A file that is there already and holds the very same is left as it is: a run that
    was killed between writing a file and recording so goes on.

    Raises:
        StepError: the file exists, the folder is not there, or the disk refuses.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        data = _encoded(value)
        if overwrite:
            _require_file(path)
        if not _holds(path, data):
            write_whole(data, path, overwrite=overwrite)
    except FileExistsError as error:
        raise StepError(
            "save.exists",
            f"{str(path)!r} is there already",
            mend="choose another name, or add `overwrite: true`",
        ) from error
    except OSError as error:
        raise StepError(
            "save.failed",
            f"cannot write {str(path)!r}: {error.strerror or error}",
            mend="check the folder, its rights and the free space",
        ) from error


def _require_file(path: Path) -> None:
    """Refuse what is no file, nor a link to be replaced: no device gives way to a text."""
    with suppress(FileNotFoundError):
        mode = path.lstat().st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISLNK(mode)):
            raise NotRegularError("it is not a file")


def _holds(path: Path, data: bytes) -> bool:
    """Whether a regular file holds `data`, and nothing else."""
    try:
        with open_regular(path) as file:
            return os.fstat(file.fileno()).st_size == len(data) and file.read() == data
    except (OSError, NotRegularError):
        return False


def _encoded(value: Value) -> bytes:
    if isinstance(value, FileValue):
        with open_regular(value.path) as file:
            return file.readall()
    if isinstance(value, str):
        text = value
    else:
        text = json.dumps(plain(value), ensure_ascii=False, indent=2)
    return (text if text.endswith("\n") else text + "\n").encode(errors="replace")


def write_whole(
    data: bytes, path: Path, *, overwrite: bool, synced: bool = True
) -> None:
    """Write beside the target, then put in place with one system call.

    `synced=False` leaves it to the system when the data goes to the disk.

    Raises:
        FileExistsError: there is something at `path`, which is not to be replaced.
        OSError: the disk refuses.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".lao-", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            if synced:
                os.fsync(file.fileno())
        if overwrite:
            Path(name).replace(path)
        else:
            put_in_place(Path(name), path)
    finally:
        Path(name).unlink(missing_ok=True)


def put_in_place(part: Path, path: Path) -> None:
    """Give a file its name, which must be free; never over another."""
    try:
        os.link(part, path)  # one system call: fails if the target exists
    except FileExistsError:
        raise
    except OSError:  # FAT and some network folders have no links: take the name first
        path.open("xb").close()
        part.replace(path)
