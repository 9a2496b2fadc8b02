# SPDX-License-Identifier: Apache-2.0
"""What a chain starts from, told by the shape of a word; nothing is opened here."""

import re
from pathlib import PurePosixPath
from typing import Final, Literal, assert_never

from msgspec import Struct

from lao.chain.tokens import Token
from lao.workflow.steps import Input
from lao.workflow.values import AUDIO, IMAGE, TEXT, JsonValue, ValueType, list_of

_SUFFIX = re.compile(r"[^\s:]*\.[A-Za-z][A-Za-z0-9]{0,7}")
_AUDIO: Final = frozenset(
    [
        ".aac",
        ".aif",
        ".aiff",
        ".flac",
        ".m4a",
        ".mp3",
        ".oga",
        ".ogg",
        ".opus",
        ".wav",
        ".webm",
        ".wma",
    ]
)
_IMAGE: Final = frozenset(
    [".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"]
)
_WRITING: Final = frozenset(
    [
        ".csv",
        ".eml",
        ".html",
        ".json",
        ".log",
        ".md",
        ".rst",
        ".srt",
        ".tex",
        ".tsv",
        ".txt",
        ".vtt",
        ".xml",
        ".yaml",
    ]
)


class SourcePath(Struct, frozen=True):
    """One file. Relative to the workflow's base."""

    path: str
    kind: Literal["path"] = "path"


class SourceGlob(Struct, frozen=True):
    """Every file that a pattern matches, in order of name."""

    pattern: str
    kind: Literal["glob"] = "glob"


class SourceText(Struct, frozen=True):
    """The text itself."""

    text: str
    kind: Literal["text"] = "text"


class SourceStdin(Struct, frozen=True):
    """Standard input, asked for with `-`."""

    kind: Literal["stdin"] = "stdin"


Source = SourcePath | SourceGlob | SourceText | SourceStdin


def looks_like_source(word: Token) -> bool:
    """Whether a word that is no known name must be a source: `-`, path or glob."""
    return _is_stdin(word) or _is_glob(word) or _is_path(word)


def read_source(word: Token, wanted: ValueType) -> Source:
    """Return what a word stands for where a value of type `wanted` is needed."""
    if _is_stdin(word):
        return SourceStdin()
    if _is_glob(word):
        return SourceGlob(word.value)
    if wanted.is_file or _is_path(word):
        return SourcePath(word.value)
    return SourceText(word.value)


def input_for(source: Source | None, wanted: ValueType) -> Input:
    """Return the workflow's input: its type, and the source as its default.

    The default of a text that stands in a file is `{file: PATH}`, of a list of
    files `{glob: PATTERN}`; of anything else it is the value itself.
    """
    match source:
        case None | SourceStdin():
            return Input(type=wanted)
        case SourceText(text=text):
            return Input(type=TEXT, default=text)
        case SourcePath(path=path):
            kind = _type_of(path, wanted)
            default: JsonValue = path if kind.is_file else {"file": path}
            return Input(type=kind, default=default)
        case SourceGlob(pattern=pattern):
            kind = _type_of(pattern, wanted)
            return Input(type=list_of(kind), default={"glob": pattern})
        case _:
            assert_never(source)


def _type_of(path: str, wanted: ValueType) -> ValueType:
    """Return what a file holds: what is wanted, unless its suffix rules that out."""
    suffix = _suffix(path)
    if wanted.is_file:
        return wanted
    if suffix in _AUDIO:
        return AUDIO
    return IMAGE if suffix in _IMAGE else wanted


def _suffix(path: str) -> str:
    return PurePosixPath(path).suffix.lower()


def _is_stdin(word: Token) -> bool:
    return word.value == "-" and word.plain == 1


def _is_path(word: Token) -> bool:
    value = word.value
    if not value or "\n" in value:
        return False
    if value.startswith(("./", "../", "/", "~/")):
        return True
    known = _suffix(value) in _AUDIO | _IMAGE | _WRITING
    return known or _SUFFIX.fullmatch(value) is not None


def _is_glob(word: Token) -> bool:
    """A `?` in quotes may end a question; a path has no space, and a dot or slash."""
    value = word.value
    if not any(sign in value for sign in "*?["):
        return False
    if not word.is_quoted or value.startswith(("./", "../", "/", "~/")):
        return True
    has_space = any(sign.isspace() for sign in value)
    return not has_space and any(sign in value for sign in "*/.")
