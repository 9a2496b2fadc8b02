# SPDX-License-Identifier: Apache-2.0
"""Writing to the terminal: clean pipes, and no escape from what models say."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import TextIO

# Marks that reorder or reshape what stands around them, or are instructions, no signs.
_MARKS = frozenset(
    [
        *range(0x202A, 0x202F),
        *range(0x2066, 0x2070),
        *range(0xFFF9, 0xFFFC),
        *(0x061C, 0x200E, 0x200F, 0x2028, 0x2029, 0xFEFF),
    ]
)


def neutralised(text: str) -> str:
    r"""Return text that a terminal shows and never obeys.

    Control characters other than tab and newline, C1 codes, and the marks that
    reorder text become visible escapes such as `\x1b`; a carriage return too, since
    it would let a text overwrite itself. What is left is the text as it was.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(character) for character in text)


def _shown(character: str) -> str:
    code = ord(character)
    if character in "\t\n" or 0x20 <= code < 0x7F:
        return character
    if code < 0xA0:
        return f"\\x{code:02x}"
    if code in _MARKS or 0xD800 <= code <= 0xDFFF:
        return f"\\u{code:04x}"
    return character


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a stream is open and a terminal."""
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # closed
        return False


def require_stdout() -> None:
    """Refuse to begin what would have nowhere to put its answer.

    Raises:
        OSError: stdout is closed.
    """
    if sys.stdout is None:
        raise OSError("standard output is closed")


def write_answer(text: str) -> None:
    """Write to stdout: as it is into pipes, neutralised on a terminal.

    Raises:
        BrokenPipeError: the reader has gone.
        OSError: stdout is closed, or the disk behind it is full.
    """
    require_stdout()
    if is_terminal(sys.stdout):
        text = neutralised(text)
    sys.stdout.buffer.write(text.encode("utf-8", "surrogatepass"))
    sys.stdout.buffer.flush()


@contextmanager
def open_lines(target: str | Path) -> Iterator[Callable[[str], None]]:
    """Open what a person names for JSON: a private file, or a terminal.

    A terminal gets it neutralised. What is written is out at once.

    Raises:
        OSError: it cannot be written.
        ValueError: it cannot be a path.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOCTTY", 0)
    with FileIO(os.open(target, flags, 0o600), "wb") as file:
        shown = neutralised if file.isatty() else str

        def write(text: str) -> None:
            # Half a surrogate pair (a strange file name) becomes JSON's escape of it.
            data = shown(text).encode("utf-8", "backslashreplace")
            while data:
                data = data[file.write(data) :]

        yield write


def write_note(text: str) -> None:
    """Write a line to stderr; if nobody can read it, it is dropped."""
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(neutralised(text) + "\n")
        sys.stderr.flush()
    except (OSError, ValueError):
        give_up(sys.stderr)


def give_up(stream: TextIO | None) -> None:
    """Send what a stream still holds, and cannot get rid of, nowhere.

    Python would try again at its end, complain in words of its own, and leave with
    another exit code.
    """
    if stream is None:
        return
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
    except (OSError, ValueError):
        return
