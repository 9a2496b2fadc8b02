# SPDX-License-Identifier: Apache-2.0
"""`lao plugin …`: adds, shows, trusts, writes, checks and removes plugins."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import click

from lao.cli.options import common, seconds_from, settings_from
from lao.cli.plugin_view import (
    file_words,
    find_plugin,
    plugin_json,
    plugin_page,
    sizes_of,
    write_json,
)
from lao.cli.tables import size_words
from lao.cli.terminal import write_answer, write_note
from lao.errors import RefusedByPolicy
from lao.plugins.installed import (
    plugins_folder,
    require_plugin,
)
from lao.workflow.plugins import PluginKind

if TYPE_CHECKING:
    from lao.plugins.adding import Added

_JSON = click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
_PATH = click.Path(path_type=Path)


@click.group(name="plugin", invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
@common
@click.pass_context
def command(context: click.Context, /, *, as_json: bool, **flags: object) -> int:
    """Add, look at, trust, write, check or remove a plugin.

    \b
    lao plugin add word-count-1.0-py3-none-any.whl
    lao plugin trust word-count
    lao plugin new my-step --kind step
    lao plugin check my-step

    Without more words it lists the plugins. A plugin's code runs only in a locked
    process of its own, and in workflows only once it is trusted.
    """
    if context.invoked_subcommand is not None:
        return 0
    return _list_plugins(flags, as_json=as_json)


@command.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
@common
def list_all(*, as_json: bool, **flags: object) -> int:
    """List the plugins, as `lao plugins` does."""
    return _list_plugins(flags, as_json=as_json)


def _list_plugins(flags: Mapping[str, object], *, as_json: bool) -> int:
    from lao.cli.plugins import list_plugins

    settings = settings_from(flags)
    return list_plugins(settings, as_json=as_json, quiet=bool(flags["quiet"]))


@command.command(name="show")
@click.argument("name")
@_JSON
@common
def show(name: str, *, as_json: bool, **flags: object) -> int:
    """Show what a plugin is, takes, gives, asks for and can be told."""
    plugin = find_plugin(settings_from(flags), name)
    if as_json:
        write_json(plugin_json(plugin))
    else:
        write_answer(plugin_page(plugin))
    return 0


@command.command(name="add")
@click.argument("source", metavar="PATH|WHEEL", type=_PATH)
@click.option(
    "--wheel",
    "wheels",
    metavar="FILE",
    multiple=True,
    type=_PATH,
    help="A wheel that it needs; may be given several times.",
)
@click.option("--downgrade", is_flag=True, help="Replace a newer version.")
@_JSON
@common
def add(
    source: Path,
    wheels: Sequence[Path],
    *,
    downgrade: bool,
    as_json: bool,
    **flags: object,
) -> int:
    """Copy a plugin into LAO's data folder, from its folder or a wheel.

    Nothing of it runs, and nothing is installed into LAO's Python. Wheels in its
    folder `wheels` come along.
    """
    from lao.plugins.adding import add_plugin
    from lao.recipes import find_recipes

    settings = settings_from(flags)
    recipes = find_recipes((Path("recipes"), settings.folders.config / "recipes"))
    added = add_plugin(
        source,
        settings.folders.data,
        wheels=wheels,
        allow_downgrade=downgrade,
        taken=recipes.keys(),
    )
    plugin = find_plugin(settings, added.name)
    if as_json:
        write_json(
            {
                "name": added.name,
                "version": added.version,
                "previous": added.previous,
                "change": added.change,
                "trust": plugin.trust,
            }
        )
    elif not flags["quiet"]:
        write_note(_added_words(added))
        if plugin.trust != "trusted":
            write_note(f"it runs once you trust it: lao plugin trust {added.name}")
    return 0


@command.command(name="remove")
@click.argument("name")
@_JSON
@common
def remove(name: str, *, as_json: bool, **flags: object) -> int:
    """Remove a plugin, and the trust in it; does not ask."""
    from lao.plugins.adding import remove_plugin

    data = settings_from(flags).folders.data
    folder = plugins_folder(data)
    require_plugin(folder, name)
    try:
        sizes = sizes_of(folder / name).values()
    except RefusedByPolicy:  # it holds what it may not: all the more reason
        sizes = {}.values()
    remove_plugin(data, name)
    if as_json:
        write_json({"name": name, "files": len(sizes), "bytes": sum(sizes)})
    elif not flags["quiet"]:
        gone = f"{file_words(len(sizes))}, {size_words(sum(sizes))}"
        write_note(f"removed {name}: {gone}, and the trust in it")
    return 0


@command.command(name="trust")
@click.argument("name")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@_JSON
@common
def trust(name: str, *, yes: bool, as_json: bool, **flags: object) -> int:
    """Show what a plugin asks for and holds, and let it run as it is now.

    Any change of its files ends the trust.
    """
    from lao.cli.plugin_trust import trust_plugin

    quiet = bool(flags["quiet"])
    return trust_plugin(
        settings_from(flags), name, yes=yes, as_json=as_json, quiet=quiet
    )


@command.command(name="new")
@click.argument("name")
@click.option(
    "--kind",
    type=click.Choice(get_args(PluginKind)),
    default="step",
    show_default=True,
    help="What it is to be.",
)
@click.option(
    "--into",
    metavar="DIR",
    type=_PATH,
    default=Path(),
    help="Where its folder goes; here if not given.",
)
@_JSON
@common
def new(
    name: str, kind: PluginKind, into: Path, *, as_json: bool, **flags: object
) -> int:
    """Start a plugin: a typed package with a test, which works as it is."""
    from lao.plugins.starting import start_plugin

    files = start_plugin(into / name, name, kind)
    if as_json:
        write_json({"folder": str(into / name), "files": [str(each) for each in files]})
    elif not flags["quiet"]:
        folder = shlex.quote(str(into / name))
        write_note(f"wrote {file_words(len(files))} into {into / name}; next:")
        write_note(f"  lao plugin check {folder}")
        write_note(f"  lao plugin add {folder}")
    return 0


@command.command(name="check")
@click.argument("path", type=_PATH, default=Path())
@click.option(
    "--input",
    "-i",
    "given",
    metavar="X",
    help="What the dry call works on: a text, JSON, @FILE, or a path.",
)
@click.option(
    "--with",
    "parameters",
    metavar="NAME=VALUE",
    multiple=True,
    help="A parameter of the dry call.",
)
@click.option("--no-call", is_flag=True, help="Run nothing of it.")
@click.option(
    "--grant",
    is_flag=True,
    help="Give the dry call what the manifest asks for: files, the graphics card.",
)
@click.option(
    "--accept-no-isolation",
    is_flag=True,
    default=None,
    help="Call it although the kernel here cannot lock it; not advised.",
)
@click.option(
    "--timeout",
    metavar="DURATION",
    default="60s",
    show_default=True,
    help="How long the dry call may take.",
)
@_JSON
@common
def check(
    path: Path,
    given: str | None,
    parameters: Sequence[str],
    *,
    no_call: bool,
    grant: bool,
    timeout: str,
    as_json: bool,
    **flags: object,
) -> int:
    """Look at a plugin's manifest and types, and call it once in the sandbox.

    PATH is its folder; here if not given. The types are looked at where mypy is
    installed beside LAO.
    """
    from lao.cli.plugin_check import Asked, check_plugin

    asked = Asked(
        value=given,
        parameters=parameters,
        is_called=not no_call,
        is_granted=grant,
        seconds=seconds_from(timeout) or 60.0,
    )
    return check_plugin(settings_from(flags), path, asked, as_json=as_json)


def _added_words(added: "Added") -> str:
    match added.change:
        case "new":
            return f"added {added.name} {added.version}"
        case "upgrade":
            return f"upgraded {added.name} from {added.previous} to {added.version}"
        case "downgrade":
            return f"downgraded {added.name} from {added.previous} to {added.version}"
        case "same":
            return f"replaced {added.name} {added.version}"
