# SPDX-License-Identifier: Apache-2.0
"""Starts a plugin: writes a typed package that works, to be changed by its author."""

import keyword
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from string import Template
from typing import Final, assert_never

from lao.errors import UsageError
from lao.plugins.manifest import MANIFEST
from lao.plugins.manifest_shape import PLUGIN_NAME
from lao.workflow.plugins import PluginKind

TEMPLATES: Final = Path(__file__).with_name("templates")


def start_plugin(folder: Path, name: str, kind: PluginKind) -> tuple[Path, ...]:
    """Write a plugin into a new folder; return its files, in the order written.

    Raises:
        UsageError: `plugin.bad-name`, `plugin.exists`, `plugin.not-written`.
    """
    words = _words(name, kind)
    files = dict(_files(kind, words))
    try:
        folder.mkdir(parents=True)
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, "utf-8")
    except FileExistsError as error:
        raise UsageError(
            "plugin.exists",
            f"{str(folder)!r} is there already",
            mend="choose another name, or another folder with --into",
        ) from error
    except OSError as error:
        raise UsageError(
            "plugin.not-written",
            f"{str(folder)!r} cannot be written: {error.strerror or error}",
            mend="check the rights of the folder around it, and the free space",
        ) from error
    return tuple(folder / path for path in files)


def _words(name: str, kind: PluginKind) -> Mapping[str, str]:
    """Return what the templates are filled in with."""
    module = name.replace("-", "_")
    if not re.fullmatch(PLUGIN_NAME, name):
        what = f"{name!r} cannot be the name of a plugin"
        mend = "use a to z, digits and single dashes, as in word-count"
        raise UsageError("plugin.bad-name", what, mend=mend)
    if keyword.iskeyword(module) or module in {*sys.stdlib_module_names, "lao"}:
        what = f"{name!r} would hide Python's own {module!r}"
        mend = f"choose another name, such as my-{name}"
        raise UsageError("plugin.bad-name", what, mend=mend)
    return {
        "name": name,
        "kind": kind,
        "module": module,
        "class_name": "".join(part.capitalize() for part in name.split("-")),
        "title": name.replace("-", " ").capitalize(),
        "description": _description(kind),
        "usage": _usage(kind, name),
    }


def _files(kind: PluginKind, words: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield each file's path and text."""
    module = words["module"]
    templates = {
        MANIFEST: f"{kind}/manifest.txt",
        f"src/{module}/__init__.py": f"{kind}/module.txt",
        f"tests/test_{module}.py": f"{kind}/test.txt",
        "pyproject.toml": "pyproject.txt",
        "README.md": "readme.txt",
    }
    for path, template in templates.items():
        text = (TEMPLATES / template).read_text("utf-8")
        yield path, Template(text).substitute(words)
    yield f"src/{module}/py.typed", ""


def _description(kind: PluginKind) -> str:
    match kind:
        case "step":
            return "Counts the words of a text."
        case "model":
            return "Answers with the longest sentences of a text."
        case "preprocessor":
            return "Leaves out the comments and the blank lines of a text."
        case "formatter":
            return "Writes JSON as a list for people."
        case _:
            assert_never(kind)


def _usage(kind: PluginKind, name: str) -> str:
    match kind:
        case "step":
            return f'Then: `lao chain "notes.txt | {name}"`, or `uses: {name}` in a workflow.'
        case "formatter":
            return (
                f'Then: `lao chain "notes.txt | extract-entities | {name}"`, or '
                f"`uses: {name}` in a workflow."
            )
        case "preprocessor":
            return f"Then, in a step of a workflow: `input_transforms: [{{ plugin: {name} }}]`."
        case "model":
            return (
                f'Then: `lao chain "notes.txt | plugin:{name}"`, or '
                f"`model: {{ kind: plugin, name: {name} }}` in a workflow."
            )
        case _:
            assert_never(kind)
