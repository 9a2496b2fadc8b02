# SPDX-License-Identifier: Apache-2.0
"""What a word on the command line may become, for the completion of shells."""

import importlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lao.cli.commands import COMMANDS
from lao.errors import LaoError

if TYPE_CHECKING:
    from lao.workflow.steps import Workflow

SHELLS = ("bash", "zsh", "fish")
_PATIENCE = 0.3  # seconds: a person waits for the list
_WORKFLOWS = (".yaml", ".yml")
_MOST_FILES = 500
_MOST_RUNS = 50
_PLUGIN = ("add", "check", "list", "new", "remove", "show", "trust")
_RUNS = (
    "compare",
    "events",
    "export",
    "path",
    "prune",
    "resume",
    "rm",
    "show",
)


def candidates(words: Sequence[str]) -> list[str]:
    """Return what the last of `words` (those after `lao`) may become.

    Empty where a file is wanted, and where nothing is known.
    """
    current = words[-1] if words else ""
    found = sorted(set(_possible(words[:-1], current)))
    return [each for each in found if each.startswith(current) and each.isprintable()]


def _possible(before: Sequence[str], current: str) -> Iterable[str]:
    if not before:
        return [*(name for name, _, _ in COMMANDS), "--help", "--version"]
    if not before[-1].startswith("-") and not current.startswith("-"):
        return _arguments(before, current)  # without importing the command
    command = _command(before)
    if command is None:
        return []
    option, equals, _ = current.partition("=")
    if equals and option.startswith("-"):
        values = _values(_option(command, option), before)
        return [f"{option}={value}" for value in values]
    wanted = _option(command, before[-1])
    if wanted is not None and not getattr(wanted, "is_flag", False):
        return _values(wanted, before)
    if current.startswith("-"):
        return _options(command)
    return _arguments(before, current)


def _command(before: Sequence[str]) -> click.Command | None:
    """Return the command that is typed, or the subcommand."""
    modules = {name: module for name, module, _ in COMMANDS}
    if before[0] not in modules:
        return None
    command: click.Command = importlib.import_module(modules[before[0]]).command
    if isinstance(command, click.Group):
        inner = [word for word in before[1:] if word in command.commands]
        return command.commands[inner[0]] if inner else command
    return command


def _options(command: click.Command) -> Iterator[str]:
    yield "--help"
    for parameter in command.params:
        if isinstance(parameter, click.Option) and not parameter.hidden:
            yield from (name for name in parameter.opts if name.startswith("--"))


def _option(command: click.Command, name: str) -> click.Parameter | None:
    for parameter in command.params:
        if isinstance(parameter, click.Option) and name in parameter.opts:
            return parameter
    return None


def _values(option: click.Parameter | None, before: Sequence[str]) -> Iterable[str]:
    if option is None:
        return []
    if isinstance(option.type, click.Choice):
        return list(map(str, option.type.choices))
    workflow = _workflow(before)
    match option.name:
        case "models":
            named = workflow.models if workflow else {}
            return [*(f"{name}=" for name in named), *_model_names()]
        case "inputs" if workflow:
            return [f"{name}=" for name in workflow.inputs or {}]
        case "output" if workflow:
            return list(workflow.outputs)
        case "name" if before[0] == "new":
            from lao.examples import find_examples

            return list(find_examples())
        case _:
            return []


def _arguments(before: Sequence[str], current: str) -> Iterable[str]:
    match before[0]:
        case "run" | "check" | "ui":
            return _files(current)
        case "chain":
            return [*_recipe_names(), *_plugin_names()]
        case "recipes":
            return _recipe_names() if "show" in before else ["show"]
        case "runs":
            return _RUNS if len(before) == 1 else _run_numbers(before[1])
        case "plugin":
            return _PLUGIN if len(before) == 1 else _plugins_for(before[1])
        case "cache":
            return ("info", "prune") if len(before) == 1 else ()
        case "completion":
            return SHELLS
        case _:
            return []


def _files(current: str) -> Iterator[str]:
    """Yield workflow files and folders that begin with what is typed."""
    shown, slash, _ = current.rpartition("/")
    try:
        folder = Path(shown + slash).expanduser()
        entries = sorted(folder.iterdir())[:_MOST_FILES]
    except (OSError, RuntimeError, ValueError):
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.suffix in _WORKFLOWS:
            yield f"{shown}{slash}{entry.name}"
        elif entry.is_dir():
            yield f"{shown}{slash}{entry.name}/"


def _recipe_names() -> Iterable[str]:
    from lao.config import load_settings
    from lao.recipes import find_recipes

    try:
        own = load_settings().folders.config / "recipes"
    except LaoError:
        own = Path("recipes")
    return list(find_recipes((Path("recipes"), own)))


def _plugins_for(act: str) -> Iterable[str]:
    """Return the plugins for what is done to one that is installed."""
    return _plugin_names(kinds=()) if act in ("remove", "show", "trust") else ()


def _plugin_names(
    kinds: Sequence[str] = ("step", "preprocessor", "formatter"),
) -> Iterator[str]:
    """Yield the installed plugins of some kinds, or of all; broken ones have none."""
    from lao.config import load_settings
    from lao.plugins.installed import Manifests

    try:
        plugins = Manifests(load_settings().folders.data)
    except LaoError:
        return
    for name in plugins:
        try:
            if not kinds or plugins[name].kind in kinds:
                yield name
        except LaoError:
            continue


def _run_numbers(act: str) -> Iterator[str]:
    """Yield the latest runs for what is done to one."""
    if act in ("path", "prune") or act not in _RUNS:
        return
    from lao.config import load_settings
    from lao.history.kept_runs import has_history, open_history

    try:
        settings = load_settings()
        if not has_history(settings):
            return
        with open_history(settings) as store:
            yield from (each.name for each in store.runs.listed(limit=_MOST_RUNS))
    except LaoError:
        return
    yield "latest"


def _model_names() -> Iterator[str]:
    """Yield the embedded models, and Ollama's if its server answers at once."""
    import asyncio

    from lao.backends.loopback import LoopbackClient
    from lao.config import load_settings
    from lao.model_list import ask_ollama, embedded_models

    yield from (model.name for model in embedded_models())
    yield from (f"plugin:{name}" for name in _plugin_names(kinds=("model",)))
    try:
        endpoint = load_settings().endpoint
    except LaoError:
        return
    server = asyncio.run(ask_ollama(LoopbackClient(endpoint), within=_PATIENCE))
    yield from (model.name for model in server.models if not model.problem)


def _workflow(before: Sequence[str]) -> "Workflow | None":
    """Return the workflow whose file is among the words, if it can be read."""
    files = [word for word in before[1:] if word.endswith(_WORKFLOWS)]
    if before[0] != "run" or not files:
        return None
    from lao.workflow.document import read_workflow_file

    try:
        return read_workflow_file(Path(files[0])).workflow
    except LaoError:
        return None
