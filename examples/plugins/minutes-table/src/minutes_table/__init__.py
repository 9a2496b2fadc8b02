# SPDX-License-Identifier: Apache-2.0
"""A formatter: JSON as a table that people can read or a spreadsheet can open."""

from collections.abc import Mapping

from lao.plugins.api import JsonValue
from minutes_table.tables import as_csv, as_markdown, columns_of, rows_of

__all__ = ["MinutesTable"]


class MinutesTable:
    """Writes one table; the same JSON gives the same table."""

    def format(self, value: JsonValue, parameters: Mapping[str, JsonValue]) -> str:
        """Return the table."""
        wanted = parameters["columns"]
        rows = rows_of(value)
        names = map(str, wanted) if isinstance(wanted, list) else ()
        columns = columns_of(rows, names)
        if parameters["format"] == "csv":
            return as_csv(rows, columns)
        return as_markdown(rows, columns)
