# SPDX-License-Identifier: Apache-2.0
"""`lao plugins`: what is installed beyond LAO's own steps and models."""

import json
import shutil
import sys

import click

from lao.cli.options import common, settings_from
from lao.cli.plugin_view import plugin_json, plugin_table
from lao.cli.tables import width_of
from lao.cli.terminal import is_terminal, write_answer, write_note
from lao.config import Settings
from lao.errors import InvalidWorkflow, LaoError
from lao.plugins.installed import (
    InstalledPlugin,
    installed,
    plugins_folder,
    require_listable,
)

_BROKEN = InvalidWorkflow.exit_code


@click.command(name="plugins")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
@common
def command(*, as_json: bool, **flags: object) -> int:
    """List the plugins: steps, models, preprocessors and formatters of others.

    `lao plugin --help` tells how one is added, trusted, written and checked.
    """
    return list_plugins(
        settings_from(flags), as_json=as_json, quiet=bool(flags["quiet"])
    )


def list_plugins(settings: Settings, *, as_json: bool, quiet: bool) -> int:
    """Print the installed plugins; note those that cannot be used. No code runs."""
    found, is_sound = _readable(settings)
    if as_json:
        listed = [plugin_json(each) for each in found]
        write_answer(json.dumps(listed, ensure_ascii=False, indent=2) + "\n")
    elif found:
        write_answer(_fitted(plugin_table(found)))
    if not quiet and not as_json:
        write_note(
            "`lao plugin show NAME` tells everything about one"
            if found
            else "there are none; `lao plugin add PATH` adds one, "
            "`lao plugin new NAME` starts one"
        )
    return 0 if is_sound else _BROKEN


def _fitted(text: str) -> str:
    """Cut the lines that a terminal would break; a pipe gets them whole."""
    if not is_terminal(sys.stdout):
        return text
    columns = shutil.get_terminal_size().columns
    lines = text.splitlines()
    return "".join(
        f"{line if width_of(line) <= columns else line[: columns - 1] + '…'}\n"
        for line in lines
    )


def _readable(settings: Settings) -> tuple[list[InstalledPlugin], bool]:
    """Return the plugins that are sound, and whether all are; note the others."""
    require_listable(plugins_folder(settings.folders.data))
    plugins = installed(settings.folders.data)
    found: list[InstalledPlugin] = []
    for name in plugins:
        try:
            found.append(plugins[name])
        except LaoError as error:
            for problem in error.problems:
                write_note(str(problem))
    return found, len(found) == len(plugins)
