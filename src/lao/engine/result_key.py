# SPDX-License-Identifier: Apache-2.0
"""What names a result: everything that can change it, and nothing else."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from lao.planning.plan import Engine
from lao.workflow.inference import ModelRequest

RESULT_VERSION = 1
"""Raised whenever LAO itself would answer differently."""


def result_key(engine: Engine, request: ModelRequest) -> str:
    """Return the name of a result within this process.

    A model is named by what the workflow says of it, a file by path, size and time
    of change: nothing replaces them while one process runs its plan.
    """
    model = asdict(engine.model)
    ingredients = {
        "version": RESULT_VERSION,
        "model": model,
        "request": asdict(request),
        "output": [str(engine.output.type), engine.output.schema],
        "files": _stamps(request.files),
    }
    text = json.dumps(ingredients, sort_keys=True, default=str)
    return hashlib.blake2b(text.encode(), digest_size=32).hexdigest()


def _stamps(paths: Sequence[str]) -> list[tuple[int, int]]:
    stamps: list[tuple[int, int]] = []
    for path in paths:
        try:
            status = Path(path).stat()
        except OSError:
            stamps.append((-1, -1))
        else:
            stamps.append((status.st_size, status.st_mtime_ns))
    return stamps
