# SPDX-License-Identifier: Apache-2.0
"""`lao plugin trust`: shows what a plugin asks for and holds, then asks."""

import sys
from collections.abc import Iterator, Mapping
from typing import Final

import click

from lao.cli.plugin_view import (
    fact_lines,
    file_words,
    find_plugin,
    head_of,
    plugin_json,
    request_facts,
    sizes_of,
    write_json,
)
from lao.cli.run_words import one_line
from lao.cli.tables import size_words, width_of
from lao.cli.terminal import is_terminal, write_answer, write_note
from lao.config import Settings
from lao.errors import RefusedByPolicy, UsageError
from lao.plugins.installed import InstalledPlugin, plugins_folder, trust
from lao.plugins.reach import require_reach
from lao.plugins.trust import (
    Changes,
    TrustRecord,
    changed,
    changes,
    contents_of_folder,
    digest_of,
    read_trust,
)
from lao.workflow.values import JsonValue

_MOST_FILES: Final = 30
_MOST_CHANGES: Final = 60


def trust_plugin(
    settings: Settings, name: str, *, yes: bool, as_json: bool, quiet: bool
) -> int:
    """Show a plugin, ask, and trust it as it was shown.

    Raises:
        UsageError: there is none, or nobody can be asked (`plugin.not-asked`).
        RefusedByPolicy: it holds what no plugin may hold, or changed meanwhile.
    """
    data = settings.folders.data
    plugin = find_plugin(settings, name)
    contents = contents_of_folder(plugin.folder)
    digest = digest_of(contents)
    if plugin.digest != digest:  # the manifest that is shown may be another, too
        raise changed(name)
    require_reach(plugin.manifest, data)
    record = read_trust(plugins_folder(data), name)
    differs = None if record is None else changes(record.files, contents)
    if not as_json:
        write_answer(_page(plugin, digest, record, differs))
    if plugin.trust != "trusted":
        if not yes and not _agreed(name):
            write_note(f"{name} is not trusted; nothing of it runs")
            return RefusedByPolicy.exit_code
        trust(data, name, expected=digest)
        if not quiet:
            write_note(f"{name} is trusted; any change of its files ends that")
    if as_json:
        write_json(_as_json(find_plugin(settings, name), record, differs))
    return 0


def _agreed(name: str) -> bool:
    if not (is_terminal(sys.stdin) and is_terminal(sys.stderr)):
        raise UsageError(
            "plugin.not-asked",
            f"to trust {name!r} takes a person's word, and there is no terminal to ask on",
            mend=f"look at it, then write `lao plugin trust {name} --yes`",
        )
    return click.confirm("Trust it?", default=False, err=True)


def _page(
    plugin: InstalledPlugin,
    digest: str,
    record: TrustRecord | None,
    differs: Changes | None,
) -> str:
    manifest = plugin.manifest
    files = sizes_of(plugin.folder)
    held = f"{file_words(len(files))}, {size_words(sum(files.values()))}"
    facts = [*request_facts(manifest), ("digest", digest), ("holds", held)]
    text = head_of(manifest) + fact_lines(facts)
    text += "".join(f"{line}\n" for line in _file_lines(files))
    if plugin.trust == "trusted":
        return text + "\ntrusted already, as it is now\n"
    if record is not None and differs is not None:
        text += f"\nsince you trusted {one_line(record.version)}:\n"
        text += "".join(f"{line}\n" for line in _change_lines(differs))
    return text


def _file_lines(files: Mapping[str, int]) -> Iterator[str]:
    shown = sorted(files.items())[:_MOST_FILES]
    width = max((width_of(size_words(size)) for _, size in shown), default=0)
    for path, size in shown:
        yield f"{size_words(size):>{width + 9}}  {one_line(path)}"
    if len(files) > len(shown):
        yield f"         … and {len(files) - len(shown):,} more (--json has them all)"


def _change_lines(differs: Changes) -> Iterator[str]:
    lines = [f"  changed  {one_line(path)}" for path in differs.changed]
    lines += [f"  new      {one_line(path)}" for path in differs.added]
    lines += [f"  gone     {one_line(path)}" for path in differs.removed]
    yield from lines[:_MOST_CHANGES] or ["  nothing has changed"]
    if len(lines) > _MOST_CHANGES:
        yield f"  … and {len(lines) - _MOST_CHANGES:,} more (--json has them all)"


def _as_json(
    plugin: InstalledPlugin, record: TrustRecord | None, differs: Changes | None
) -> dict[str, JsonValue]:
    files: dict[str, JsonValue] = dict(sorted(sizes_of(plugin.folder).items()))
    since: JsonValue = None
    if record is not None and differs is not None:
        since = {
            "version": record.version,
            "changed": list(differs.changed),
            "added": list(differs.added),
            "removed": list(differs.removed),
        }
    return plugin_json(plugin) | {"files": files, "since_trusted": since}
