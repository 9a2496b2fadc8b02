# SPDX-License-Identifier: Apache-2.0
"""Values of runs in a few words, safe to show: of a long text only its beginning."""

import json

from lao.cli.run_words import one_line
from lao.events import value_to_json
from lao.workflow.values import FileValue, Value

_SHORT = 66


def value_line(value: Value, most: int = _SHORT) -> str:
    """Return a value on one line of at most about `most` characters."""
    match value:
        case str():
            return _text_line(value, most)
        case FileValue():
            return f"{_path_words(value.path, most - 11)} ({value.kind})"
        case _:
            return one_line(json.dumps(value_to_json(value), ensure_ascii=False), most)


def _text_line(text: str, most: int) -> str:
    if len(text) <= most and "\n" not in text.strip():
        return one_line(text, most)
    lines = text.count("\n") + 1
    size = f" ({len(text):,} characters" + (f", {lines:,} lines)" if lines > 1 else ")")
    # Of a transcript of megabytes only the beginning is looked at.
    return one_line(text[: 4 * most], most - len(size)) + size


def _path_words(path: str, most: int) -> str:
    """Return a path; of a long one the end, which tells more."""
    shown = one_line(path, 4096)
    return shown if len(shown) <= most else "…" + shown[1 - most :]


def sort_words(value: Value) -> str:
    """Return what sort of value it is: `text`, `json`, `audio`, …."""
    match value:
        case str():
            return "text"
        case FileValue():
            return value.kind
        case _:
            return "json"
