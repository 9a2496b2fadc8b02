# SPDX-License-Identifier: Apache-2.0
"""From what a person gives to the values of a workflow's inputs, each checked."""

from collections.abc import Mapping
from glob import iglob
from io import BufferedReader
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from lao.errors import UsageError, did_you_mean
from lao.files import ABSENT, NotRegularError, open_regular
from lao.workflow.json_text import read_json
from lao.workflow.steps import Input
from lao.workflow.values import FileKind, FileValue, JsonValue, Value, ValueType

_TEXT_LIMIT = 256 << 20
_FILES = 100_000


def bind_inputs(
    declared: Mapping[str, Input], given: Mapping[str, object], base: Path
) -> dict[str, Value]:
    """Return the value of each declared input: what is given, or its default.

    Given values are text, JSON data or a `Path`; a `Path` for a text is read. Paths
    in defaults are relative to `base`.

    Raises:
        UsageError: one is missing, unknown, unreadable or of the wrong type.
    """
    for name in given:
        if name not in declared:
            raise UsageError(
                "input.unknown",
                f"the workflow has no input called {name!r}",
                mend=did_you_mean(name, declared),
            )
    values: dict[str, Value] = {}
    for name, each in declared.items():
        if name in given:
            values[name] = as_input(name, each.type, given[name])
        elif each.default is not None:
            values[name] = _default(name, each, base)
        elif each.optional:
            values[name] = None
        else:
            raise UsageError(
                "input.missing",
                f"the input {name!r} ({each.type}) is not given",
                mend=f"add --input {name}=…"
                + (f" ({each.description})" if each.description else ""),
            )
    return values


def _default(name: str, declared: Input, base: Path) -> Value:
    default = declared.default
    if isinstance(default, dict) and set(default) == {"file"}:
        return as_input(name, declared.type, base / Path(str(default["file"])))
    if isinstance(default, dict) and set(default) == {"glob"}:
        return glob_input(name, declared.type, str(default["glob"]), base)
    if declared.type.is_file and isinstance(default, str):
        return as_input(name, declared.type, base / Path(default))
    return as_input(name, declared.type, default)


def glob_input(name: str, wanted: ValueType, pattern: str, base: Path) -> Value:
    """Return the files that a pattern matches below `base`, in order of name.

    Raises:
        UsageError: none matches, or more than 100,000.
    """
    whole = str(base / _expanded(Path(pattern)))
    found = iglob(whole, recursive=True)  # noqa: PTH207  (absolute patterns too)
    matches = [Path(each) for each in islice(found, _FILES + 1)]
    if not matches or len(matches) > _FILES:
        raise UsageError(
            "input.no-match" if not matches else "input.too-many-files",
            f"{pattern!r} matches no file"
            if not matches
            else f"{pattern!r} matches more than {_FILES:,} files",
            mend="quote the pattern, so that the shell leaves it alone; "
            "`**` reaches into folders",
        )
    return as_input(name, wanted, sorted(each for each in matches if each.is_file()))


def as_input(name: str, wanted: ValueType, given: object) -> Value:
    """Return a given value as an input of the type `wanted`.

    Raises:
        UsageError: it cannot be one.
    """
    if wanted.is_file and isinstance(given, str | Path):
        return file_input(name, wanted.kind, Path(given))  # type: ignore[arg-type]  # a file kind
    if isinstance(given, FileValue) and wanted.is_file:
        return given
    if isinstance(given, Path):
        return from_bytes(name, wanted, read_file(name, given))
    if wanted.kind == "text" and isinstance(given, str):
        return given
    if wanted.item is not None and isinstance(given, list | tuple):
        return [as_input(name, wanted.item, item) for item in given]
    if wanted.kind == "json" and _is_json(given):
        value: Value = given  # type: ignore[assignment]  # just looked at
        return value
    raise UsageError(
        "input.wrong-type",
        f"the input {name!r} takes {wanted}, not {type(given).__name__}",
        mend=f"give it a value of type {wanted}",
    )


def from_text(name: str, wanted: ValueType, text: str) -> Value:
    """Return what a person typed as an input: text, a path, or JSON, by its type."""
    if wanted.kind == "text" or wanted.is_file:
        return as_input(name, wanted, text)
    if wanted.item is not None and not text.lstrip().startswith("["):
        return [from_text(name, wanted.item, text)]
    return as_input(name, wanted, _json(name, text))


def from_bytes(name: str, wanted: ValueType, data: bytes) -> Value:
    """Return the content of a file or of standard input as an input that is not a file."""
    text = _decoded(name, data)
    return as_input(name, wanted, text if wanted.kind == "text" else _json(name, text))


def file_input(name: str, kind: FileKind, path: Path) -> FileValue:
    """Return a regular, readable file as an input."""
    path = _expanded(path).absolute()
    open_input(name, path).close()
    return FileValue(str(path), kind)


def read_file(name: str, path: Path) -> bytes:
    """Return the content of a regular file of at most 256 MiB."""
    data = bytearray()
    with open_input(name, _expanded(path)) as file:
        while block := file.read(1 << 20):  # `read(limit)` would allocate the limit
            data += block
            if len(data) > _TEXT_LIMIT:
                raise too_large(name)
    return bytes(data)


def too_large(name: str) -> UsageError:
    """Return the complaint about a text over the limit."""
    return UsageError(
        "input.too-large",
        f"the text for {name!r} is over {_TEXT_LIMIT >> 20} MiB",
        mend="cut it into several files",
    )


def open_input(name: str, path: Path) -> BinaryIO:
    """Open a regular file; never waits, as opening a FIFO would.

    Raises:
        UsageError: `input.missing-file`, `input.not-a-file` or `input.unreadable`.
    """
    try:
        return BufferedReader(open_regular(path))
    except NotRegularError as error:
        raise UsageError(
            "input.not-a-file",
            f"{str(path)!r} (for the input {name!r}) is not a regular file",
            mend="give the path of a file; a folder, pipe or device cannot be read, nor "
            "what lies below /proc; `-` stands for standard input",
        ) from error
    except ABSENT as error:
        raise UsageError(
            "input.missing-file",
            f"there is no file {str(path)!r} (for the input {name!r})",
            mend=_near_files(path),
        ) from error
    except (OSError, ValueError) as error:
        raise UsageError(
            "input.unreadable",
            f"{str(path)!r} (for the input {name!r}) cannot be read: "
            f"{getattr(error, 'strerror', None) or error}",
            mend="check its rights",
        ) from error


def _near_files(path: Path) -> str:
    try:
        names = [
            each.name
            for each, _ in zip(path.parent.iterdir(), range(2000), strict=False)
        ]
    except OSError:
        return f"the folder {str(path.parent)!r} is not there"
    return did_you_mean(path.name, names) if names else "the folder is empty"


def _expanded(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError:  # no home folder
        return path


def _decoded(name: str, data: bytes) -> str:
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise UsageError(
            "input.not-text",
            f"the content for {name!r} is not UTF-8 text (byte {error.start:,})",
            mend="convert it, for example with `iconv -t UTF-8`; "
            "is it a recording or an image?",
        ) from error


def _json(name: str, text: str) -> JsonValue:
    try:
        return read_json(text)
    except ValueError as error:
        raise UsageError(
            "input.not-json",
            f"the input {name!r} is not JSON: {error}",
            mend='write JSON, with texts in double quotes: {"name": "Ana"}',
        ) from error


def _is_json(value: object) -> bool:
    match value:
        case None | str() | bool() | int() | float():
            return True
        case list():
            return all(map(_is_json, value))
        case dict():
            return all(isinstance(key, str) and _is_json(value[key]) for key in value)
        case _:
            return False
