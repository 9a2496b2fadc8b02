# SPDX-License-Identifier: Apache-2.0
"""From `--input` and standard input to the values of a workflow's inputs."""

import os
import stat
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

from lao.engine.inputs import from_bytes, from_text, read_file, too_large
from lao.errors import UsageError, did_you_mean, nearest
from lao.workflow.steps import Input
from lao.workflow.values import FileValue, Value

_STDIN_LIMIT = 256 << 20
_RECORDING_LIMIT = 4 << 30


class Given:
    """What a person gave for the inputs of one workflow.

    `scratch` is a private folder, made when needed, for a recording that comes
    through a pipe.
    """

    def __init__(self, declared: Mapping[str, Input], scratch: Path) -> None:
        self._declared = declared
        self._scratch = scratch
        self._stdin_used = False
        self.values: dict[str, Value] = {}

    def take(
        self, texts: Sequence[str], *, stdin: Literal["free", "asked", "used"] = "free"
    ) -> None:
        """Take every `--input`, then standard input where something is missing.

        With `stdin` "asked" it is taken only where `-` says so; "used": not at all.

        Raises:
            UsageError: one is unknown, given twice, unreadable or of the wrong type.
        """
        instruction = ""
        self._stdin_used = stdin == "used"
        for text in texts:
            name, value = self._named(text)
            if name in self.values:
                raise UsageError(
                    "input.given-twice",
                    f"the input {name!r} is given twice",
                    mend="give each input once; a list is one JSON text: '[…, …]'",
                )
            self.values[name] = self._value(name, value)
            if text == value and self._declared[name].type.kind == "text":
                instruction = name
        if stdin == "free":
            self._take_stdin(instruction)

    def _named(self, text: str) -> tuple[str, str]:
        """Split `NAME=X`; a plain X goes to the only input, or to `text`."""
        name, equals, value = text.partition("=")
        if equals and name in self._declared:
            return name, value
        if equals and nearest(name, self._declared):
            raise UsageError(
                "input.unknown",
                f"the workflow has no input called {name!r}",
                mend=f"{did_you_mean(name, self._declared)} "
                "(a text that begins so: put it in a file, and write @FILE)",
            )
        free = [each for each in self._declared if each not in self.values]
        if len(self._declared) == 1 or len(free) == 1:
            return (free or list(self._declared))[0], text
        if "text" in self._declared:
            return "text", text
        if not self._declared:
            raise UsageError(
                "input.none", "the workflow takes no input", mend="drop --input"
            )
        raise UsageError(
            "input.unknown",
            f"it is not clear which input {_short(text)!r} is for",
            mend=f"write --input NAME=…; {did_you_mean(name, self._declared)}",
        )

    def _value(self, name: str, text: str) -> Value:
        wanted = self._declared[name].type
        if text == "-":
            return self._from_stdin(name)
        if text.startswith("@") and not wanted.is_file:
            return from_bytes(name, wanted, read_file(name, Path(text[1:])))
        return from_text(
            name, wanted, text.removeprefix("@") if wanted.is_file else text
        )

    def _take_stdin(self, instruction: str) -> None:
        """Use piped input: for what is missing, or as material for an instruction."""
        if self._stdin_used or not stdin_is_piped():
            return
        missing = [
            name
            for name, each in self._declared.items()
            if name not in self.values and each.default is None
        ]
        if "text" in missing:
            missing = ["text"]
        if len(missing) == 1:
            name = missing[0]
            if self._declared[name].optional and instruction:
                return
            value = self._from_stdin(name)
            if value != "" or not self._declared[name].optional:
                self.values[name] = value
        elif instruction and not missing:
            self._add_material(instruction)

    def _add_material(self, name: str) -> None:
        material = self._from_stdin(name)
        told = self.values[name]
        if isinstance(material, str) and isinstance(told, str) and material.strip():
            self.values[name] = f"{told}\n\n{material}"

    def _from_stdin(self, name: str) -> Value:
        if sys.stdin is None:
            raise UsageError(
                "input.no-stdin",
                f"the input {name!r} comes from standard input, which is closed",
                mend=f"pipe something in, or write --input {name}=…",
            )
        if self._stdin_used:
            raise UsageError(
                "input.stdin-twice",
                "standard input can be only one of the inputs",
                mend="give the others as files: --input NAME=@FILE",
            )
        self._stdin_used = True
        wanted = self._declared[name].type
        if wanted.is_file:
            return FileValue(str(self._spooled(name)), wanted.kind)  # type: ignore[arg-type]  # a file kind
        data = bytearray()
        for block in _stdin_blocks():
            data += block
            if len(data) > _STDIN_LIMIT:
                raise too_large(name)
        return from_bytes(name, wanted, bytes(data))

    def _spooled(self, name: str) -> Path:
        """Put what comes through the pipe into a private file: models read files."""
        self._scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, path = tempfile.mkstemp(dir=self._scratch, prefix="stdin-")
        size = 0
        with os.fdopen(handle, "wb") as file:
            for block in _stdin_blocks():
                size += len(block)
                if size > _RECORDING_LIMIT:
                    raise too_large(name)
                file.write(block)
        return Path(path)


def _stdin_blocks() -> Iterator[bytes]:
    """Yield what comes, as it comes: between blocks Python hears signals."""
    while block := os.read(sys.stdin.fileno(), 1 << 20):
        yield block


def stdin_is_piped() -> bool:
    """Whether standard input is a pipe, a socket or a file: something with an end."""
    try:
        mode = os.fstat(sys.stdin.fileno()).st_mode
    except (AttributeError, OSError, ValueError):
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode) or stat.S_ISSOCK(mode)


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:39] + "…"
