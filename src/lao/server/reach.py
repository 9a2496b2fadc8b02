# SPDX-License-Identifier: Apache-2.0
"""What the server must reach: the models of every workflow in the folder, found before the lock.

What is frozen there stays so: an address or a program that a workflow names later is
refused until the server starts anew.
"""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from lao.config import Settings
from lao.editor.folder import Folder
from lao.errors import LaoError
from lao.files import read_regular
from lao.runtime import make_plan, model_called
from lao.workflow.document import read_workflow_file
from lao.workflow.local_models import Embedded, ModelBackend, Ollama, WhisperCpp
from lao.workflow.source import LARGEST_DOCUMENT

_MOST_FILES: Final = 200
_MOST_ENDPOINTS: Final = 200  # of the 255 that can be told apart
_MARKS: Final = (b"endpoint", b"program")


def models_in_reach(folder: Folder, settings: Settings) -> tuple[ModelBackend, ...]:
    """Return the models that decide what can be reached; broken files are passed over.

    The speech model that comes with LAO is always among them: it may need ffmpeg.
    """
    found: list[ModelBackend] = [Embedded(name="speech")]
    found += [
        model_called(name)
        for name in (settings.model, settings.speech_model)
        if name is not None
    ]
    endpoints: set[str] = set()
    for model in _named(folder, settings):
        match model:
            case Ollama(endpoint=endpoint) if endpoint is not None:
                endpoints.add(endpoint.url)
                if len(endpoints) <= _MOST_ENDPOINTS:
                    found.append(model)
            case WhisperCpp():
                found.append(model)
            case _:
                continue
    return tuple(found)


def _named(folder: Folder, settings: Settings) -> Iterator[ModelBackend]:
    """Yield the models of workflows that could name an address or a program."""
    recipes = (folder.root / "recipes", settings.folders.config / "recipes")
    is_any = any(_has_mark(file) for each in recipes for file in each.glob("*.yaml"))
    for file in folder.listed().workflows[:_MOST_FILES]:
        path = folder.root / file.path
        with suppress(LaoError, OSError, ValueError):
            if is_any or _has_mark(path):
                document = read_workflow_file(path)
                yield from make_plan(document.workflow, settings).models


def _has_mark(file: Path) -> bool:
    try:
        text = read_regular(file, limit=LARGEST_DOCUMENT)
    except (OSError, ValueError):
        return False
    return any(mark in text for mark in _MARKS)
