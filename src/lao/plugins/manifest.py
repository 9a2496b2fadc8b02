# SPDX-License-Identifier: Apache-2.0
"""Reads `lao-plugin.toml`: data only, strictly, with every problem at once.

The parser tells no lines of what it has read, so a problem names the path of the
key; what is not TOML at all is told with its line.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from lao.errors import InvalidWorkflow, Place, Problem
from lao.files import ABSENT, TooLargeError, read_regular
from lao.plugins.manifest_shape import FORMAT, MANIFEST_SHAPE
from lao.workflow.nodes import Node, Problems
from lao.workflow.plugins import PluginManifest
from lao.workflow.scalar_shapes import FAILED

MANIFEST: Final = "lao-plugin.toml"
_LARGEST = 256 << 10
_DEEPEST = 32
_MOST_DOTS = 300  # in a line: the parser takes ages over a key of a thousand parts
_WHERE = re.compile(r"(.*) \(at line (\d+), column (\d+)\)", re.DOTALL)


def read_manifest(folder: Path, *, shown: Path | None = None) -> PluginManifest:
    """Read the manifest of the plugin in a folder; runs and imports nothing of it.

    `shown` is where it came from, if that is not the folder: problems name it.

    Raises:
        InvalidWorkflow: there is none, or it is wrong; with every problem found.
    """
    place = (shown or folder) / MANIFEST
    return decode_manifest(_read(folder / MANIFEST, place), str(place))


def decode_manifest(data: bytes, source: str) -> PluginManifest:
    """Read a manifest; `source` names it in problems. Raises as `read_manifest`."""
    problems = Problems()
    root = _as_node(_parsed(data, source), source, (), problems)
    problems.raise_if_any()
    _refuse_newer(root)
    made = MANIFEST_SHAPE.decode(root, problems)
    problems.raise_if_any()
    assert made is not FAILED  # noqa: S101  (FAILED comes with a problem)
    return made


def _read(path: Path, shown: Path) -> bytes:
    try:
        return read_regular(path, limit=_LARGEST)
    except ABSENT as error:
        what = f"there is no {MANIFEST} in {str(shown.parent)!r}"
        mend = "give the folder that holds it; `lao plugin new NAME` starts a plugin"
        raise _wrong("plugin.no-manifest", what, Place(str(shown)), mend) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no plain file"
        if isinstance(error, TooLargeError):
            reason = f"it is over {_LARGEST >> 10} KiB"
        what = f"the manifest cannot be read: {reason}"
        raise _wrong("plugin.bad-manifest", what, Place(str(shown))) from error


def _parsed(data: bytes, source: str) -> object:
    import tomllib  # noqa: PLC0415  (only runs with plugins need it)

    for number, line in enumerate(data.split(b"\n"), start=1):
        if line.count(b".") > _MOST_DOTS:
            what = f"a line of the manifest holds more than {_MOST_DOTS} dots"
            mend = "write it as several lines"
            raise _wrong("plugin.bad-manifest", what, Place(source, number), mend)
    try:
        return tomllib.loads(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        what = "the manifest is not UTF-8 text"
        raise _wrong("plugin.bad-manifest", what, Place(source)) from error
    except RecursionError as error:
        what = "the manifest is nested too deep"
        raise _wrong("plugin.bad-manifest", what, Place(source)) from error
    except ValueError as error:  # TOMLDecodeError, and numbers without end
        match = _WHERE.fullmatch(str(error))
        reason, place = str(error), Place(source)
        if match:
            reason, place = match[1], Place(source, int(match[2]), int(match[3]))
        what = f"the manifest is not TOML: {reason}"
        raise _wrong("plugin.bad-manifest", what, place) from error


def _as_node(
    value: object, source: str, path: tuple[str, ...], problems: Problems
) -> Node:
    """Return TOML data as nodes whose place is the path of their key."""
    place = f"{source}: {'.'.join(path)}" if path else source
    if len(path) > _DEEPEST:
        problems.add("plugin.bad-manifest", "this is nested too deep", Place(source))
        return Node(None, place)
    match value:
        case dict():
            entries = {
                name: _as_node(item, source, (*path, name), problems)
                for name, item in value.items()
            }
            return Node(entries, place)
        case list():
            items = (
                _as_node(item, source, (*path, str(number)), problems)
                for number, item in enumerate(value)
            )
            return Node(tuple(items), place)
        case str() | bool():
            return Node(value, place)
        case int() | float() if -(2**63) <= value < 2**63:
            return Node(value, place)
        case _:
            what = f"{str(value)[:40]!r} is no value that JSON can hold"
            problems.add("plugin.bad-manifest", what, Place(place))
            return Node(None, place)


def _refuse_newer(root: Node) -> None:
    """Say no more of a newer format than that it is one: the rest may be right."""
    entries = root.value if isinstance(root.value, Mapping) else {}
    node = entries.get("lao", Node(None))
    if isinstance(node.value, int) and node.value > FORMAT:
        what = f"this is written for format {node.value}; this LAO knows {FORMAT}"
        raise _wrong("plugin.newer-format", what, node.place, "install a newer LAO")


def _wrong(code: str, what: str, place: Place, mend: str = "") -> InvalidWorkflow:
    return InvalidWorkflow([Problem(code=code, what=what, where=place, mend=mend)])
