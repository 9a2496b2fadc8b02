# SPDX-License-Identifier: Apache-2.0
"""JSON as a table: which rows and columns it has, and how they are written."""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence

Row = Mapping[str, object]

# What a spreadsheet would take for a formula; minutes are data.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def rows_of(value: object) -> list[Row]:
    """Return the rows of a table that shows a JSON value.

    A list has a row for each element. An object has a row for each key with
    something in it; one that only wraps a list of objects counts as that list.
    """
    match value:
        case {**only} if len(only) == 1 and _is_table(next(iter(only.values()))):
            return rows_of(next(iter(only.values())))
        case {**fields}:
            return [
                {"what": name, "found": found}
                for name, found in fields.items()
                if found not in ("", [], {}, None)
            ]
        case [*items]:
            return [
                each if isinstance(each, dict) else {"found": each} for each in items
            ]
        case _:
            return [{"found": value}]


def _is_table(value: object) -> bool:
    return isinstance(value, list) and any(isinstance(each, dict) for each in value)


def columns_of(rows: Sequence[Row], wanted: Iterable[str]) -> list[str]:
    """Return the wanted columns, or every one in the order of its first use."""
    return list(wanted) or list(dict.fromkeys(name for row in rows for name in row))


def as_markdown(rows: Sequence[Row], columns: Sequence[str]) -> str:
    """Return a table that Markdown shows; nothing in a cell ends it early."""
    if not columns:
        return ""
    lines = [columns, ["---"] * len(columns)]
    lines += [[_cell(row.get(name)) for name in columns] for row in rows]
    return "".join(f"| {' | '.join(map(_escaped, line))} |\n" for line in lines)


def as_csv(rows: Sequence[Row], columns: Sequence[str]) -> str:
    """Return a table for spreadsheets; no cell is taken for a formula."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_harmless(_cell(row.get(name))) for name in columns])
    return written.getvalue()


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case str():
            return " ".join(value.split())
        case [*items] if not any(isinstance(each, list | dict) for each in items):
            return ", ".join(map(_cell, items))
        case _:
            return json.dumps(value, ensure_ascii=False)


def _escaped(cell: str) -> str:
    return cell.replace("\\", "\\\\").replace("|", "\\|")


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
