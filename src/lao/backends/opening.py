# SPDX-License-Identifier: Apache-2.0
"""Opens model files: regular files only, with a clear complaint otherwise."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from lao.errors import ModelUnavailable, nearest
from lao.files import ABSENT, NotRegularError, open_regular


@contextmanager
def open_model_file(path: Path) -> Iterator[BinaryIO]:
    """Open a regular file for reading; never waits, as opening a FIFO would.

    Raises:
        ModelUnavailable: `model.file-missing`, `model.not-a-file` or
            `model.unreadable`; the last one also for a failure within the block.
    """
    try:
        with BufferedReader(open_regular(path)) as file:
            yield file
    except NotRegularError as error:
        raise _not_a_file(path) from error
    except ABSENT as error:
        raise _missing(path) from error
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL
        raise ModelUnavailable(
            "model.unreadable",
            f"the model file {str(path)!r} cannot be read: {error}",
            mend="check the path and its permissions",
        ) from error


def _not_a_file(path: Path) -> ModelUnavailable:
    return ModelUnavailable(
        "model.not-a-file",
        f"{str(path)!r} is not a regular file",
        mend="give the path of the model file itself",
    )


def _missing(path: Path) -> ModelUnavailable:
    """Return the complaint, with the nearest model file's name as the mend."""
    close = nearest(path.stem, others := _models_beside(path))
    return ModelUnavailable(
        "model.file-missing",
        f"there is no model file {str(path)!r}",
        mend=f"did you mean {others[close]!r}?"
        if close
        else "check the path; `lao models` lists the model files it finds",
    )


def _models_beside(path: Path) -> dict[str, str]:
    """Return the names of model files in the same folder, by their stems."""
    try:
        beside = list(islice(path.parent.iterdir(), 1000))
    except (OSError, ValueError):
        return {}
    return {one.stem: one.name for one in beside if one.suffix in {".gguf", ".bin"}}
