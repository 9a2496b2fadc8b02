# SPDX-License-Identifier: Apache-2.0
"""Writing a step's value to a file: whole or not at all, never over another by accident.

The words of the workflow's author may name any folder. What a model or an input adds
to a path may not leave the output folder.
"""

import json
import os
import tempfile
from pathlib import Path

from lao.errors import RefusedByPolicy, StepError
from lao.workflow.template import Template, plain
from lao.workflow.values import FileValue, Value


def target_path(template: Template, rendered: str, folder: Path) -> Path:
    """Return where to write.

    Raises:
        StepError: the path is empty or names a folder.
        RefusedByPolicy: a value from outside would leave `folder`.
    """
    if not rendered.strip() or rendered.endswith("/") or "\0" in rendered:
        raise StepError(
            "save.bad-path",
            f"{rendered!r} is not a file name",
            mend="give `save` the path of a file",
        )
    path = folder / _expanded(rendered)
    if template.names and not path.resolve().is_relative_to(folder.resolve()):
        raise RefusedByPolicy(
            "policy.path-outside",
            f"a value would make `save` write to {str(path)!r}, "
            f"outside {str(folder)!r}",
            mend="write the folder in the workflow; values may only name files in it",
        )
    return path


def _expanded(text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError:  # no home folder
        return Path(text)


def save(value: Value, path: Path, *, overwrite: bool) -> None:
    """Write a value as text, or as indented JSON.

    Raises:
        StepError: the file exists, the folder is not there, or the disk refuses.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(_encoded(value), path, overwrite=overwrite)
    except FileExistsError as error:
        raise StepError(
            "save.exists",
            f"{str(path)!r} is there already",
            mend="choose another name, or add `overwrite: true`",
        ) from error
    except OSError as error:
        raise StepError(
            "save.failed",
            f"cannot write {str(path)!r}: {error.strerror}",
            mend="check the folder, its rights and the free space",
        ) from error


def _encoded(value: Value) -> bytes:
    if isinstance(value, FileValue):
        return Path(value.path).read_bytes()
    if isinstance(value, str):
        text = value
    else:
        text = json.dumps(plain(value), ensure_ascii=False, indent=2)
    return (text if text.endswith("\n") else text + "\n").encode()


def _write(data: bytes, path: Path, *, overwrite: bool) -> None:
    """Write beside the target, then put in place with one system call."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".lao-", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if overwrite:
            Path(name).replace(path)
        else:
            os.link(name, path)  # fails if the target exists: no race, no overwrite
    finally:
        Path(name).unlink(missing_ok=True)
