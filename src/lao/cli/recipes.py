# SPDX-License-Identifier: Apache-2.0
"""`lao recipes`: the ready-made steps, and everything about one of them."""

import json
import shlex
from collections.abc import Mapping
from pathlib import Path

import click

from lao.cli.options import common, settings_from
from lao.cli.run_words import one_line
from lao.cli.tables import table
from lao.cli.terminal import write_answer, write_note
from lao.config import Settings
from lao.errors import InvalidWorkflow, UsageError, did_you_mean
from lao.recipes import find_recipes
from lao.workflow.local_models import label
from lao.workflow.steps import Parameter, Recipe, RecipeEngine
from lao.workflow.values import JsonValue

_NEEDS = {"chat": "language model", "speech": "speech model", "none": "nothing"}


@click.group(name="recipes", invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
@common
@click.pass_context
def command(context: click.Context, /, *, as_json: bool, **flags: object) -> int:
    """List the ready-made steps that workflows and chains can use.

    Recipes in ./recipes come first, then those of the configuration folder, then
    those that come with LAO.
    """
    if context.invoked_subcommand is not None:
        return 0
    found, is_sound = _readable(settings_from(flags))
    if as_json:
        recipes = [_as_json(recipe) for recipe in found.values()]
        write_answer(json.dumps(recipes, ensure_ascii=False, indent=2) + "\n")
    else:
        rows = [
            (name, recipe.description, _NEEDS[recipe.needs], _without(recipe))
            for name, recipe in found.items()
        ]
        write_answer(table(("RECIPE", "DOES", "NEEDS", "WITHOUT IT"), rows))
        if not flags.get("quiet"):
            write_note("`lao recipes show NAME` tells everything about one")
    return 0 if is_sound else InvalidWorkflow.exit_code


@command.command(name="show")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@common
def show(name: str, *, as_json: bool, **flags: object) -> int:
    """Show a recipe: its parameters, its prompts and where its file is."""
    recipes = find_recipes(_folders(settings_from(flags)))
    if name not in recipes:
        raise UsageError(
            "recipe.unknown",
            f"no recipe is called {name!r}",
            mend=did_you_mean(name, recipes),
        )
    recipe = recipes[name]
    if as_json:
        text = json.dumps(_as_json(recipe), ensure_ascii=False, indent=2) + "\n"
    else:
        text = _page(recipe)
    write_answer(text)
    return 0


def _folders(settings: Settings) -> tuple[Path, ...]:
    return (Path("recipes"), settings.folders.config / "recipes")


def _readable(settings: Settings) -> tuple[dict[str, Recipe], bool]:
    """Return the recipes that are sound, and whether all are; note the others."""
    recipes = find_recipes(_folders(settings))
    found: dict[str, Recipe] = {}
    for name in recipes:
        try:
            found[name] = recipes[name]
        except InvalidWorkflow as error:
            for problem in error.problems:
                write_note(str(problem))
    return found, len(found) == len(recipes)


def _without(recipe: Recipe) -> str:
    fallback = recipe.fallback
    return label(fallback.model) if fallback and fallback.model else ""


def _page(recipe: Recipe) -> str:
    lines = [f"{recipe.name}: {recipe.description}", ""]
    lines.append(f"needs: {_NEEDS[recipe.needs]}")
    if _without(recipe):
        lines.append(f"without one: {_without(recipe)}")
    lines += [f"file: {recipe.source}", f"example: {example_chain(recipe)}", ""]
    rows = [
        (f"--{name}", str(each.type), _default(recipe, name), _about(each))
        for name, each in recipe.parameters.items()
    ]
    text = "\n".join(map(one_line, lines)) + "\n"
    text += table(("PARAMETER", "TYPE", "DEFAULT", "WHAT"), rows)
    for title, prompt in _prompts(recipe.engine).items():
        text += f"\n{title}:\n" + "".join(
            f"  {one_line(line, 2000)}".rstrip() + "\n" for line in prompt.splitlines()
        )
    return text


def _default(recipe: Recipe, name: str) -> str:
    parameter = recipe.parameters[name]
    if name == recipe.main:
        return "what comes in"
    if parameter.default is not None:
        default = parameter.default
        return default if isinstance(default, str) else json.dumps(default)
    return "may be left out" if parameter.optional else "must be given"


def _about(parameter: Parameter) -> str:
    choices = f" ({', '.join(parameter.choices)})" if parameter.choices else ""
    return parameter.description + choices


def _prompts(engine: RecipeEngine) -> Mapping[str, str]:
    prompts = {"system prompt": engine.system, "prompt": engine.prompt_template}
    return {title: text for title, text in prompts.items() if text}


def example_chain(recipe: Recipe) -> str:
    """Return a command that uses a recipe with what it must be given."""
    source = "talk.wav" if recipe.parameters[recipe.main].type.is_file else "notes.txt"
    words = [recipe.name]
    for name, each in recipe.parameters.items():
        if name != recipe.main and each.default is None and not each.optional:
            words += [f"--{name}", name.upper()]
    return "lao chain " + shlex.quote(f"{source} | {' '.join(words)}")


def _as_json(recipe: Recipe) -> dict[str, JsonValue]:
    parameters: dict[str, JsonValue] = {
        name: {
            "type": str(each.type),
            "description": each.description,
            "default": each.default,
            "required": each.default is None and not each.optional,
            "choices": list(each.choices),
        }
        for name, each in recipe.parameters.items()
    }
    return {
        "name": recipe.name,
        "description": recipe.description,
        "needs": recipe.needs,
        "fallback": _without(recipe) or None,
        "main": recipe.main,
        "parameters": parameters,
        "system": recipe.engine.system,
        "prompt": recipe.engine.prompt_template,
        "source": recipe.source,
        "example": example_chain(recipe),
    }
