# SPDX-License-Identifier: Apache-2.0
"""What is opened to start a program besides its own file: permission is of no use without.

A script has an interpreter; a binary has a dynamic linker, and libraries, which may lie
beside it, as they do where somebody has built it.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from lao.files import open_regular
from lao.isolation.elf import Elf, read_elf

_SCRIPT_LINE: Final = 256  # what the kernel reads of a script
_MOST_STARTERS: Final = 4  # a script's interpreter may be a script
_MOST_LIBRARIES: Final = 200


def executables_of(program: str) -> tuple[str, ...]:
    """Return a program and what the kernel runs to start it, by the names it uses."""
    found = [program]
    for path in found:
        starter = _starter_of(path)
        if starter and starter not in found and len(found) < _MOST_STARTERS:
            found.append(starter)
    return tuple(found)


def libraries_of(program: str) -> tuple[str, ...]:
    """Return the libraries that a program finds in folders that it names itself.

    Those of the system are not among them: every process may read them anyway.
    """
    found: dict[str, None] = {}
    waiting = list(executables_of(program))
    for path in waiting:
        for library in _libraries_beside(path):
            if library not in found and len(found) < _MOST_LIBRARIES:
                found[library] = None
                waiting.append(library)
    return tuple(found)


def _starter_of(path: str) -> str:
    try:
        with open_regular(path) as file:
            line = file.read(_SCRIPT_LINE).split(b"\n", 1)[0]
            if line.startswith(b"#!"):
                words = line[2:].split()
                return os.fsdecode(words[0]) if words else ""
            return read_elf(file).linker
    except OSError:
        return ""  # the system says so when it is run


def _libraries_beside(path: str) -> Iterator[str]:
    try:
        with open_regular(path) as file:
            asked = read_elf(file)
    except OSError:
        return
    for folder in _folders(asked, path):
        yield from (str(Path(folder, name)) for name in asked.needed if name)
        # Plug-ins are loaded by name, later: nothing tells which.
        yield from (str(each) for each in sorted(Path(folder).glob("*.so*")))


def _folders(asked: Elf, path: str) -> Iterator[str]:
    origin = str(Path(path).resolve().parent)
    for folder in asked.search:
        for word in ("$ORIGIN", "${ORIGIN}"):
            folder = folder.replace(word, origin)  # noqa: PLW2901
        if Path(folder).is_dir():
            yield folder
