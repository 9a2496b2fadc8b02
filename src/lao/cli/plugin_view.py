# SPDX-License-Identifier: Apache-2.0
"""How a plugin is shown: in a list, on a page, as JSON; and what it asks for."""

import json
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from lao.cli.run_words import one_line
from lao.cli.tables import table
from lao.cli.terminal import write_answer
from lao.config import Settings
from lao.plugins.folder import walk_folder
from lao.plugins.installed import (
    InstalledPlugin,
    installed,
    plugins_folder,
    require_plugin,
)
from lao.workflow.plugins import PluginManifest
from lao.workflow.values import JsonValue

TRUST_WORDS: Final[Mapping[str, str]] = {
    "trusted": "trusted",
    "untrusted": "not yet",
    "changed": "changed",
}
_SOURCES: Final[Mapping[str, str]] = {
    "audio": "talk.wav",
    "image": "picture.png",
    "json": "table.json",
}


def find_plugin(settings: Settings, name: str) -> InstalledPlugin:
    """Return an installed plugin.

    Raises:
        UsageError: there is none of that name.
        InvalidWorkflow: its manifest is wrong.
    """
    data = settings.folders.data
    require_plugin(plugins_folder(data), name)
    return installed(data)[name]


def write_json(value: JsonValue) -> None:
    """Print one JSON value as the answer."""
    write_answer(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def plugin_table(plugins: Sequence[InstalledPlugin]) -> str:
    """Return a line for each plugin."""
    rows = [
        (
            each.name,
            each.manifest.version,
            each.manifest.kind,
            TRUST_WORDS[each.trust],
            each.manifest.description,
        )
        for each in plugins
    ]
    return table(("PLUGIN", "VERSION", "KIND", "TRUSTED", "DOES"), rows)


def plugin_page(plugin: InstalledPlugin) -> str:
    """Return everything about a plugin."""
    manifest = plugin.manifest
    facts = [
        *request_facts(manifest),
        ("trusted", _trusted(plugin)),
        ("folder", str(plugin.folder)),
        ("digest", plugin.digest),
        ("example", example(manifest)),
    ]
    text = head_of(manifest) + fact_lines(facts)
    rows = list(_parameter_rows(manifest))
    if rows:
        text += "\n" + table(("PARAMETER", "TYPE", "DEFAULT", "WHAT"), rows)
    return text


def head_of(manifest: PluginManifest) -> str:
    """Return a plugin's name and what it says of itself, with a blank line."""
    told = one_line(manifest.description, 400)
    return f"{manifest.name} {manifest.version}: {told}\n\n"


def fact_lines(facts: Iterable[tuple[str, str]]) -> str:
    """Return facts below each other; those without words are left out."""
    return "".join(
        f"{name:<9}{one_line(words, 4096)}\n" for name, words in facts if words
    )


def request_facts(manifest: PluginManifest) -> Iterator[tuple[str, str]]:
    """Yield what a plugin is and asks for."""
    yield "kind", f"{manifest.kind}: {manifest.input} → {manifest.output}"
    yield "runs", "in a locked process of its own, without a network"
    asked = requests_of(manifest)
    yield "asks for", asked[0] if asked else "nothing beyond its own folder"
    yield from (("", each) for each in asked[1:])


def requests_of(manifest: PluginManifest) -> list[str]:
    """Return what a plugin asks for beyond its own folder, in words."""
    asked = [f"to read {_whole(path)}" for path in manifest.read]
    if manifest.gpu:
        asked.insert(0, "the graphics card, which weakens the lock")
    return asked


def _whole(path: str) -> str:
    """Return a path, and where it leads if a link stands in it."""
    place = Path(path).resolve()
    leads = "" if str(place) == path else f" (a link to {place})"
    what = " and everything below it" if place.is_dir() else ""
    return f"{path}{leads}{what}"


def example(manifest: PluginManifest) -> str:
    """Return how a workflow or a chain uses a plugin."""
    name = manifest.name
    match manifest.kind:
        case "preprocessor":
            return f"input_transforms: [{{ plugin: {name} }}]"
        case "model":
            call = f"plugin:{name}"
        case _:
            call = " ".join([name, *_must_be_given(manifest)])
    source = _SOURCES.get(manifest.input.kind, "notes.txt")
    return "lao chain " + shlex.quote(f"{source} | {call}")


def plugin_json(plugin: InstalledPlugin) -> dict[str, JsonValue]:
    """Return everything about a plugin, for programs."""
    manifest = plugin.manifest
    return {
        "name": plugin.name,
        "version": manifest.version,
        "kind": manifest.kind,
        "description": manifest.description,
        "entry": manifest.entry,
        "input": str(manifest.input),
        "output": str(manifest.output),
        "schema": None if manifest.schema is None else dict(manifest.schema),
        "parameters": dict(manifest.parameters),
        "permissions": {"gpu": manifest.gpu, "read": list(manifest.read)},
        "trust": plugin.trust,
        "digest": plugin.digest,
        "folder": str(plugin.folder),
        "example": example(manifest),
    }


def sizes_of(folder: Path) -> Mapping[str, int]:
    """Return the files below a folder, by path, with their sizes.

    Raises:
        RefusedByPolicy: it holds what no plugin may hold.
    """
    return {
        entry.path: entry.found.st_size
        for entry in walk_folder(folder)
        if not entry.is_folder
    }


def file_words(count: int) -> str:
    """Return a number of files in words."""
    return f"{count:,} file{'' if count == 1 else 's'}"


def _trusted(plugin: InstalledPlugin) -> str:
    match plugin.trust:
        case "trusted":
            return "yes, as it is now"
        case "changed":
            return (
                "no: its files are not those that were trusted; "
                f"`lao plugin trust {plugin.name}` shows what differs"
            )
        case "untrusted":
            return f"not yet; `lao plugin trust {plugin.name}`"


def _must_be_given(manifest: PluginManifest) -> Iterator[str]:
    for name in manifest.required:
        if name not in manifest.defaults:
            yield f"--{name}"
            yield name.upper()


def _parameter_rows(manifest: PluginManifest) -> Iterator[tuple[str, str, str, str]]:
    for name, schema in manifest.properties.items():
        about = str(schema.get("description", ""))
        choices = schema.get("enum")
        if isinstance(choices, list):
            about += f" ({', '.join(map(str, choices))})"
        yield (
            f"--{name}",
            str(schema.get("type", "any")),
            _default(manifest, name),
            about,
        )


def _default(manifest: PluginManifest, name: str) -> str:
    if name in manifest.defaults:
        value = manifest.defaults[name]
        return (
            value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        )
    return "must be given" if name in manifest.required else "may be left out"
