# SPDX-License-Identifier: Apache-2.0
"""The workflows that come with LAO, to start a file of one's own from."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from lao.workflow.document import read_workflow

_FOLDER: Final = Path(__file__).parent / "workflows"
_LICENCE: Final = "# SPDX-License-Identifier: Apache-2.0\n"


def find_examples() -> Mapping[str, Path]:
    """Return the examples, by name."""
    return {path.stem: path for path in sorted(_FOLDER.glob("*.yaml"))}


def describe_examples() -> Mapping[str, str]:
    """Return what each example does, by name."""
    return {
        name: read_workflow(path.read_bytes(), source=str(path)).workflow.description
        for name, path in find_examples().items()
    }


def text_from(example: Path, file: str) -> str:
    """Return an example as a person's own `file`: its commands name that one."""
    text = example.read_text("utf-8").removeprefix(_LICENCE)
    return text.replace(" FILE", f" {shlex.quote(file)}")
