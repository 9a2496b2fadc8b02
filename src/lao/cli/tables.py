# SPDX-License-Identifier: Apache-2.0
"""Plain aligned tables, the same in a pipe as on a terminal."""

import unicodedata
from collections.abc import Sequence

from lao.cli.run_words import one_line

_WIDEST = 100


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return rows below a header, in aligned columns; columns without words go."""
    clean = [[one_line(cell, _WIDEST) for cell in row] for row in rows]
    used = [
        column for column in range(len(header)) if any(row[column] for row in clean)
    ]
    lines = [[header[column] for column in used]]
    lines += [[row[column] for column in used] for row in clean]
    widths = [max(map(width_of, column)) for column in zip(*lines, strict=True)]
    return "".join(_line(line, widths) for line in lines)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [
        cell + " " * (width - width_of(cell))
        for cell, width in zip(cells, widths, strict=True)
    ]
    return "  ".join(padded).rstrip() + "\n"


def width_of(text: str) -> int:
    """Return the columns that a text takes on a terminal."""
    if text.isascii():
        return len(text)
    return sum(map(_columns, text))


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def size_words(size: int | None) -> str:
    """Return bytes as people read them: `2.0 GB`; empty if unknown."""
    if size is None:
        return ""
    number, unit = float(size), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if number < 999.5:
            break
        number, unit = number / 1000, larger
    return (
        f"{number:.1f} {unit}"
        if number < 10 and unit != "B"
        else f"{number:.0f} {unit}"
    )
