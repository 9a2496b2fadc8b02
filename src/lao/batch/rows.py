# SPDX-License-Identifier: Apache-2.0
"""One line of a JSONL file, read as the inputs of one item."""

from collections.abc import Collection, Mapping

from msgspec import Struct

from lao.errors import UsageError
from lao.workflow.json_text import read_json
from lao.workflow.values import JsonValue

_LABELS = ("id", "name")


class Row(Struct, frozen=True, kw_only=True):
    """What a row gives: values by the input's name, and what it calls itself."""

    given: Mapping[str, JsonValue]
    name: str = ""


def read_row(
    record: bytes | None,
    inputs: Collection[str],
    *,
    plain: str | None,
    is_whole: bool = False,
) -> Row:
    """Return what a row gives.

    An object gives a value for each input that it names; with `is_whole`, it is the
    value of the input `plain`, as every other row always is. An object's `id` or
    `name`, where it is no input, names the row.

    Raises:
        UsageError: the row is too long, not JSON, or it is not clear what it is for.
    """
    value = _decoded(record)
    if not isinstance(value, dict) or is_whole:
        if plain is None:
            raise UsageError(
                "batch.which-input",
                "the row is not an object, and it is not clear which input it is for",
                mend='write {"INPUT": …} on each line, or --each INPUT=FILE',
            )
        return Row(given={plain: value}, name=_name(value))
    given = {
        key: each for key, each in value.items() if key in inputs or key not in _LABELS
    }
    return Row(given=given, name=_name(value))


def _name(value: JsonValue) -> str:
    if not isinstance(value, dict):
        return ""
    names = [value.get(label) for label in _LABELS]
    return next((name for name in names if isinstance(name, str) and name), "")


def _decoded(record: bytes | None) -> JsonValue:
    if record is None:
        raise UsageError(
            "batch.row-too-long",
            "the row is over 16 MiB",
            mend="put long texts into files, and give their paths with --each",
        )
    try:
        return read_json(record.decode("utf-8-sig"))
    except ValueError as error:  # also what is not UTF-8
        raise UsageError(
            "batch.bad-row",
            f"the row is not JSON: {error}",
            mend="each line is one JSON value, such as an object with the inputs",
        ) from error
