# SPDX-License-Identifier: Apache-2.0
"""Values as JSON text, and back: nothing is lost, large parts live in blobs.

Most values are JSON as they are, and no Python code walks them: C code writes them,
reads them again, and compares. What is not is marked by an object with one key that
begins with `$`:

    {"$file": path, "kind": kind}   a file
    {"$blob": digest}               a text of more than 64 KiB, or a whole document
    {"$object": {…}}                an object with a key of its own that begins with `$`
    {"$int": hexadecimal}           an integer too long for JSON's reader

so a text without `"$` holds none of them. NaN and the infinities are kept, as
Python's `json` spells them. Half of a surrogate pair (from a file name that is not
UTF-8) has no place in UTF-8: such a text is stored as bytes.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from math import isfinite
from typing import cast

import msgspec
from msgspec import Struct

from lao.errors import StoreError
from lao.store.blobs import BLOB_BYTES, digest_of
from lao.workflow.json_text import nests_deeper, without_escapes
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
_CERTAIN = frozenset({str, bool, type(None)})
_LEAVES = frozenset({float, bool, type(None)})
_NOT_TEXT = b"0123456789+-.eE,:[]{}truefalsn"


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
_write_plain = msgspec.json.Encoder(enc_hook=_marked).encode
_read_plain = msgspec.json.Decoder().decode


def encode(document: Mapping[str, object]) -> Document:
    """Return a document as text, and the blobs it refers to.

    Raises:
        StoreError: `store.not-a-value`: nothing of it is kept.
    """
    plain = encode_plain(document, document.values())
    return encode_with_marks(document) if plain is None else plain


def encode_plain(
    document: Mapping[str, object] | Struct, values: Iterable[object]
) -> Document | None:
    """Return a document that needs no mark but for being large; None for any other.

    `values` are the parts of it that may be no JSON. A struct is its fields.
    """
    try:
        data = _write_plain(document)
        if b'"$' in data or nests_deeper(data, DEPTH):
            return None
        for each in values:
            if type(each) not in _CERTAIN and not _is_exact(each):
                return None
        if len(data) <= BLOB_BYTES:
            return data.decode(), _NOTHING
    except (RecursionError, TypeError, ValueError):
        return None
    if _holds_large_text(data):  # which gets a blob of its own
        return None
    digest = digest_of(data)
    return _write({"$blob": digest}), {digest: data}


def _is_exact(value: object) -> bool:
    """Whether JSON says a value as it is: not so a file, a NaN, a set, or bytes."""
    if type(value) is float:
        return isfinite(value)
    return bool(_read_plain(_write_plain(value)) == value)


def _holds_large_text(data: bytes) -> bool:
    """Whether JSON holds a text of more than 64 KiB, but for one of numbers alone."""
    bare, size = without_escapes(data), BLOB_BYTES // 2
    parts = (bare[start : start + size] for start in range(0, len(bare), size))
    return any(b'"' not in part and part.strip(_NOT_TEXT) for part in parts)


def decode(stored: Text, get: Get) -> dict[str, Value]:
    """Return the document that `encode` wrote.

    Raises:
        StoreError: a blob of it is missing or damaged.
    """
    text = _read(stored) if isinstance(stored, bytes) else stored
    document = _loads(text)
    if '"$' not in text:
        return document
    if document.keys() == {"$blob"}:
        text = _read(get(cast("str", document["$blob"])))
        document = _loads(text)
        if '"$' not in text:
            return document
    return {name: _decoded(each, get) for name, each in document.items()}


def _loads(text: str) -> dict[str, Value]:
    document: dict[str, Value]
    try:
        document = _read_plain(text)
    except ValueError:  # NaN, half a surrogate pair, what only Python's reader takes
        document = json.loads(text)
    return document


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


def encode_with_marks(document: Mapping[str, object]) -> Document:
    """Return a document as text with marks, and the blobs it refers to.

    Raises:
        StoreError: `store.not-a-value`: nothing of it is kept.
    """
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
    if type(value) in _LEAVES:
        return value  # type: ignore[return-value]  # those are
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


def _decoded(value: Value, get: Get) -> Value:
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
