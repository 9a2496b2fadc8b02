# SPDX-License-Identifier: Apache-2.0
"""Input transforms: pure, total functions on a step's input before it meets the prompt.

"Total" means that every input gives a value or a `TransformError`, in bounded time:
patterns run on the `regex` engine, which can be told when to stop.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, assert_never

from msgspec import Struct, field

from lao.workflow.json_text import read_json
from lao.workflow.values import (
    JSON,
    TEXT,
    FileValue,
    JsonValue,
    Value,
    ValueType,
    list_of,
    place_in,
)

_PATTERN_SECONDS = 2.0


class TransformError(Exception):
    """A transform cannot work on this input; the message says why."""


class Strip(Struct, frozen=True, kw_only=True):
    """Remove white space at both ends (of each element of a list)."""

    kind: Literal["strip"] = "strip"


class Truncate(Struct, frozen=True, kw_only=True):
    """Keep at most `characters`, from the start or from the end."""

    characters: int
    keep: Literal["start", "end"] = "start"
    kind: Literal["truncate"] = "truncate"


class Split(Struct, frozen=True, kw_only=True):
    """Cut text into a list at a separator, or into pieces of at most `characters`.

    Pieces end at a paragraph, line, sentence or word border where there is one.
    """

    separator: str | None = None
    characters: int | None = None
    kind: Literal["split"] = "split"


class Join(Struct, frozen=True, kw_only=True):
    """Put a list of texts together."""

    separator: str = "\n"
    kind: Literal["join"] = "join"


class Select(Struct, frozen=True, kw_only=True):
    """Take the part of a JSON value that a JSON pointer (RFC 6901) names."""

    pointer: str
    kind: Literal["select"] = "select"


class Lines(Struct, frozen=True, kw_only=True):
    """Cut text into its lines, without the empty ones."""

    kind: Literal["lines"] = "lines"


class Regex(Struct, frozen=True, kw_only=True):
    """Find every match (its first group, if it has one), or replace each."""

    pattern: str
    replace: str | None = None
    kind: Literal["regex"] = "regex"


class ParseJson(Struct, frozen=True, kw_only=True):
    """Read text as JSON."""

    kind: Literal["json"] = "json"


class UsePlugin(Struct, frozen=True, kw_only=True):
    """Have a plugin change the input: in its worker, so neither pure nor total.

    `parameters` is `with` in a file.
    """

    plugin: str
    parameters: Mapping[str, JsonValue] = field(default_factory=dict)
    kind: Literal["plugin"] = "plugin"


Transform = Strip | Truncate | Split | Join | Select | Lines | Regex | ParseJson
AnyTransform = Transform | UsePlugin


def output_type(transform: Transform, source: ValueType) -> ValueType | None:
    """Return what a transform makes of a `source`, or None if it does not apply."""
    is_text, is_texts = source == TEXT, source == list_of(TEXT)
    match transform:
        case Strip() | Truncate():
            return source if is_text or is_texts else None
        case Split() | Lines():
            return list_of(TEXT) if is_text else None
        case Join():
            return TEXT if is_texts or source == JSON else None
        case Select():
            return JSON if source == JSON else None
        case Regex():
            if not is_text:
                return None
            return TEXT if transform.replace is not None else list_of(TEXT)
        case ParseJson():
            return JSON if is_text else None
        case _:
            assert_never(transform)


def apply_transforms(transforms: Sequence[Transform], value: Value) -> Value:
    """Run `value` through the transforms, first to last.

    Raises:
        TransformError: one of them cannot work on what it gets.
    """
    for transform in transforms:
        value = _apply(transform, value)
    return value


def _apply(transform: Transform, value: Value) -> Value:
    match transform:
        case Strip():
            return _each_text(value, transform.kind, str.strip)
        case Truncate():
            return _each_text(value, transform.kind, lambda text: _cut(transform, text))
        case Split():
            return list(_split(transform, _text(value, transform.kind)))
        case Join():
            return transform.separator.join(_texts(value))
        case Select():
            return _select(transform.pointer, value)
        case Lines():
            text = _text(value, transform.kind)
            return [line for line in text.splitlines() if line.strip()]
        case Regex():
            return _regex(transform, _text(value, transform.kind))
        case ParseJson():
            return _parse_json(_text(value, transform.kind))
        case _:
            assert_never(transform)


def _text(value: Value, name: str) -> str:
    if not isinstance(value, str):
        raise TransformError(f"`{name}` works on text, not on {_kind_of(value)}")
    return value


def _each_text(value: Value, name: str, change: Callable[[str], str]) -> Value:
    if isinstance(value, list):
        return [change(_text(item, name)) for item in value]
    return change(_text(value, name))


def _texts(value: Value) -> list[str]:
    if not isinstance(value, list):
        raise TransformError(f"`join` works on a list, not on {_kind_of(value)}")
    return [
        item
        if isinstance(item, str)
        else json.dumps(item, ensure_ascii=False, default=_path_of)
        for item in value
        if not isinstance(item, FileValue)
    ]


def _path_of(file: FileValue) -> str:
    return file.path


def _kind_of(value: Value) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return "a boolean"
        case str():
            return "text"
        case int() | float():
            return "a number"
        case FileValue():
            return f"a file ({value.kind})"
        case list():
            return "a list"
        case dict():
            return "a JSON object"


def _cut(transform: Truncate, text: str) -> str:
    if transform.keep == "start":
        return text[: max(0, transform.characters)]
    return text[max(0, len(text) - max(0, transform.characters)) :]


def _split(transform: Split, text: str) -> list[str]:
    pieces = [text]
    if transform.separator:
        pieces = [piece for piece in text.split(transform.separator) if piece.strip()]
    if transform.characters is None:
        return pieces
    size = max(1, transform.characters)
    return [part for piece in pieces for part in _pieces(piece, size)]


def _pieces(text: str, size: int) -> list[str]:
    """Cut text into pieces of at most `size`, each at the best border in reach."""
    found: list[str] = []
    start = 0
    while len(text) - start > size:
        stop = start + size
        for border in ("\n\n", "\n", ". ", " "):
            at = text.rfind(border, start + size // 2, stop)
            if at >= 0:
                stop = at + len(border)
                break
        found.append(text[start:stop].strip())
        start = stop
    found.append(text[start:].strip())
    return [piece for piece in found if piece]


def _select(pointer: str, value: Value) -> Value:
    for token in pointer.split("/")[1:]:
        name = token.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict) and name in value:
            value = value[name]
        elif isinstance(value, list) and (place := place_in(value, name)) is not None:
            value = value[place]
        else:
            raise TransformError(f"`select` finds nothing at {pointer!r}")
    return value


def _regex(transform: Regex, text: str) -> Value:
    import regex  # noqa: PLC0415  (30 ms that other transforms save)

    try:
        pattern = regex.compile(transform.pattern)
        if transform.replace is not None:
            result: str = pattern.sub(transform.replace, text, timeout=_PATTERN_SECONDS)
            return result
        return [
            (match[1] or "") if pattern.groups else match[0]
            for match in pattern.finditer(text, timeout=_PATTERN_SECONDS)
        ]
    except TimeoutError as error:
        raise TransformError(
            f"`regex` {transform.pattern!r} took over {_PATTERN_SECONDS:.0f} s"
        ) from error
    except (regex.error, IndexError) as error:
        raise TransformError(f"`regex` {transform.pattern!r}: {error}") from error


def _parse_json(text: str) -> Value:
    try:
        value: Value = read_json(text)  # type: ignore[assignment]  # JSON is a value
    except ValueError as error:
        raise TransformError(f"`json` cannot read the text: {error}") from error
    return value
