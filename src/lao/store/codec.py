# SPDX-License-Identifier: Apache-2.0
"""Values as JSON text, and back: nothing is lost, large parts live in blobs.

Most values are JSON as they are, and are written and read by the C code of `json`
alone. What is not is marked by an object with one key that begins with `$`:

    {"$file": path, "kind": kind}   a file
    {"$blob": digest}               a text of more than 64 KiB, or a whole document
    {"$object": {…}}                an object with a key of its own that begins with `$`
    {"$int": hexadecimal}           an integer too long for JSON's reader

so a text without `"$` holds none of them. NaN and the infinities are kept, as
Python's `json` spells them. Half of a surrogate pair (from a file name that is not
UTF-8) has no place in UTF-8: such a text is stored as bytes.
"""

import json
from collections.abc import Callable, Mapping
from typing import cast

from lao.errors import StoreError
from lao.store.blobs import BLOB_BYTES, digest_of
from lao.workflow.values import FileValue, JsonValue, Value

Text = str | bytes
"""What a column of text holds: bytes where UTF-8 cannot say it."""
Held = Mapping[str, bytes]
"""Contents that a document refers to, by their digest."""
Get = Callable[[str], bytes]
Document = tuple[Text, Held]

DEPTH = 200
"""Levels of nesting. LAO reads no value from outside with more than 64."""

_NOTHING: Mapping[str, bytes] = {}
_LONG_INTEGER = 1 << 13_000  # under the 4,300 digits that Python reads at most


def _marked(value: object) -> object:
    """Stand in for what JSON does not know, so that the text shows a mark."""
    match value:
        case FileValue():
            return {"$file": value.path, "kind": value.kind}
        case Mapping():
            return dict(value)
        case _:
            raise TypeError(f"{type(value).__name__} is not a value")


_COMPACT = {"ensure_ascii": False, "separators": (",", ":"), "check_circular": False}
_write = json.JSONEncoder(default=_marked, **_COMPACT).encode  # type: ignore[arg-type]  # as named


def encode(document: Mapping[str, object]) -> Document:
    """Return a document as text, and the blobs it refers to.

    Raises:
        StoreError: `store.not-a-value`: nothing of it is kept.
    """
    try:
        text = _write(document)
        is_plain = (
            len(text) < BLOB_BYTES // 4
            and "$" not in text  # quicker to say than whether '"$' is
            and (len(text) < 2 * DEPTH or text.count("[") + text.count("{") < DEPTH)
        )
    except (RecursionError, TypeError, ValueError):
        is_plain = False
        text = ""
    if is_plain:
        return (text if text.isascii() else column(text)), _NOTHING
    return _encode_with_marks(document)


def decode(stored: Text, get: Get) -> dict[str, Value]:
    """Return the document that `encode` wrote.

    Raises:
        StoreError: a blob of it is missing or damaged.
    """
    text = text_of(stored)
    document = json.loads(text)
    if '"$' not in text:
        return cast("dict[str, Value]", document)
    if document.keys() == {"$blob"}:
        document = json.loads(_read(get(document["$blob"])))
    return {name: _decoded(each, get) for name, each in document.items()}


def column(text: str) -> Text:
    """Return a text as a column of the database can hold it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
    return text


def text_of(stored: object) -> str:
    """Return the text of a column."""
    return _read(stored) if isinstance(stored, bytes) else cast("str", stored)


def _encode_with_marks(document: Mapping[str, object]) -> Document:
    held: dict[str, bytes] = {}

    def put(data: bytes) -> str:
        digest = digest_of(data)
        held[digest] = data
        return digest

    try:
        marked = {n: _encoded(each, put, DEPTH) for n, each in document.items()}
    except TypeError as error:
        raise _not_a_value(str(error)) from error
    text = _write(marked)
    data = text.encode("utf-8", "surrogatepass")
    if len(data) > BLOB_BYTES:
        text = _write({"$blob": put(data)})
    return column(text), held


def _encoded(value: object, put: Callable[[bytes], str], levels: int) -> JsonValue:
    if not levels:
        raise _not_a_value(f"it is nested deeper than {DEPTH} levels")
    match value:
        case None | bool() | float():
            return value
        case int():
            is_long = abs(value) >= _LONG_INTEGER
            return {"$int": hex(value)} if is_long else value
        case str():
            if len(value) <= BLOB_BYTES // 4:
                return value
            data = value.encode("utf-8", "surrogatepass")
            return value if len(data) <= BLOB_BYTES else {"$blob": put(data)}
        case FileValue():
            return {"$file": value.path, "kind": value.kind}
        case Mapping():
            found = {str(k): _encoded(v, put, levels - 1) for k, v in value.items()}
            is_marked = any(key.startswith("$") for key in found)
            return {"$object": found} if is_marked else found
        case list() | tuple():
            return [_encoded(each, put, levels - 1) for each in value]
        case _:
            raise TypeError(f"{type(value).__name__} is not a value")


def _decoded(value: JsonValue, get: Get) -> Value:
    match value:
        case {"$blob": str(digest)}:
            return _read(get(digest))
        case {"$file": str(path), "kind": kind}:
            return FileValue(path, kind)  # type: ignore[arg-type]  # as it was written
        case {"$int": str(digits)}:
            return int(digits, 16)
        case {"$object": dict(inner)}:
            return {key: _decoded(each, get) for key, each in inner.items()}
        case dict():
            return {key: _decoded(each, get) for key, each in value.items()}
        case list():
            return [_decoded(each, get) for each in value]
        case _:
            return value


def _read(data: bytes) -> str:
    return data.decode("utf-8", "surrogatepass")


def _not_a_value(why: str) -> StoreError:
    return StoreError(
        "store.not-a-value",
        f"something cannot be kept: {why}",
        mend="make it text, numbers, lists and objects; or run with --ephemeral",
    )
