# SPDX-License-Identifier: Apache-2.0
"""The documentation's reference tables list exactly what the code has.

A table is found by the comment above it, such as `<!-- keys: step -->`.
"""

import importlib
import re
from pathlib import Path

import click
import pytest
from msgspec.structs import fields

import lao
from lao.backends import llama_options, whisper_options
from lao.cli.commands import COMMANDS
from lao.config import Settings, load_settings
from lao.policy import RunLimits, WorkerLimits
from lao.recipes import SHIPPED, find_recipes
from lao.verify.attempt import AREAS
from lao.verify.catalogue import CATALOGUE
from lao.workflow.document import workflow_json_schema
from lao.workflow.values import fits, parse_type

DOCS = Path(__file__).parents[2] / "docs"


def table_after(page: Path, marker: str) -> list[list[str]]:
    """Return the rows of the table below `<!-- marker -->`, cells as written."""
    _, found, rest = page.read_text("utf-8").partition(f"<!-- {marker} -->\n")
    assert found, f"{page.name} has no table {marker!r}"
    lines = rest.lstrip("\n").split("\n\n")[0].splitlines()
    rows = [re.split(r"(?<!\\)\|", line)[1:-1] for line in lines if line[:1] == "|"]
    return [[cell.strip() for cell in row] for row in rows[2:]]


def names(cells: list[str]) -> list[str]:
    """Return what stands in backticks."""
    return [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]


FORMAT = DOCS / "workflow-format.md"
SCHEMA = workflow_json_schema()
DEFINED = SCHEMA["$defs"]
STEP = DEFINED["step"]["properties"]


def keys_of(schema) -> list[str]:
    """Return the keys of the mapping that a schema describes."""
    for case in schema.get("anyOf", [schema]):
        if "properties" in case:
            return list(case["properties"])
    raise AssertionError(schema)


KEYS = {
    "workflow": keys_of(SCHEMA),
    "input": keys_of(SCHEMA["properties"]["inputs"]["additionalProperties"]),
    "step": keys_of(DEFINED["step"]),
    "output": keys_of(DEFINED["output"]),
    "retry": keys_of(STEP["retry"]),
    "on_error": keys_of(STEP["on_error"]),
} | {
    f"model {each['title']}": [key for key in keys_of(each) if key != "kind"]
    for each in DEFINED["model"]["oneOf"]
}


@pytest.mark.parametrize("table", KEYS)
def test_the_format_lists_exactly_the_keys_of_the_schema(table):
    rows = table_after(FORMAT, f"keys: {table}")

    assert [names(row[:1]) for row in rows] == [[key] for key in KEYS[table]]


def test_the_format_lists_exactly_the_transforms():
    bare, told = DEFINED["transform"]["anyOf"]
    keyed, plugin = told["anyOf"]
    known = {*bare["enum"], *keyed["properties"], *plugin["required"]}

    assert (
        set(names([row[0] for row in table_after(FORMAT, "keys: transform")])) == known
    )


def test_the_format_lists_what_fits_what():
    rows = table_after(FORMAT, "types")
    listed = {names(row[:1])[0]: names(row[2:]) for row in rows}
    types = {name: parse_type(name.replace("[T]", "[text]")) for name in listed}

    for name, also in listed.items():
        found = [
            other
            for other in listed
            if other != name and fits(types[name], types[other])
        ]
        assert found == also, name


@pytest.mark.parametrize(
    ("kind", "known"),
    [
        (
            "llama.cpp",
            {
                *llama_options.LOAD_OPTIONS,
                *llama_options._FLOATS,
                *llama_options._INTEGERS,
                "stop",
            },
        ),
        ("whisper.cpp", set(whisper_options._NAMES)),
    ],
)
def test_the_models_page_lists_exactly_the_options(kind, known):
    rows = table_after(DOCS / "models.md", f"options: {kind}")

    assert set(names([row[0] for row in rows])) == known


def test_the_chain_page_lists_exactly_the_recipes_and_their_parameters():
    rows = table_after(DOCS / "chain.md", "recipes")
    shipped = find_recipes((SHIPPED,))

    assert [names(row) for row in rows] == [
        [name, recipe.main, *(key for key in recipe.parameters if key != recipe.main)]
        for name, recipe in shipped.items()
    ]


def test_the_command_page_lists_exactly_the_commands():
    rows = table_after(DOCS / "cli.md", "commands")

    assert [names(row)[0].split()[1] for row in rows] == [name for name, *_ in COMMANDS]


@pytest.mark.parametrize("group", ["runs", "cache", "plugin"])
def test_the_command_page_lists_exactly_the_subcommands_and_their_options(group):
    rows = table_after(DOCS / "cli.md", f"subcommands: {group}")
    command = importlib.import_module(f"lao.cli.{group}").command
    common = {"--debug", "--quiet", "--verbose", "--color"}
    found = {group: command, **command.commands}
    if group == "cache":
        del found["cache"]  # is the same as `lao cache info`

    assert len(rows) == len(found)
    for row in rows:
        words = names(row)[0].split()
        each = found[words[2] if len(words) > 2 and words[2].islower() else group]
        options = {
            name
            for option in each.params
            if isinstance(option, click.Option)
            for name in option.opts
            if name.startswith("--")
        }
        assert set(re.findall(r"--[\w-]+", row[1])) == options - common, words


def test_the_command_page_lists_exactly_the_options_of_ui():
    rows = table_after(DOCS / "cli.md", "options: ui")
    command = importlib.import_module("lao.cli.ui").command
    common = {"--debug", "--quiet", "--verbose", "--color"}
    options = {
        each.opts[-1] for each in command.params if isinstance(each, click.Option)
    }

    assert {names(row[:1])[0].split()[0] for row in rows} == options - common


def test_the_command_page_lists_the_options_of_run_and_chain():
    page = (DOCS / "cli.md").read_text("utf-8")
    table = names(
        [row[0] for row in table_after(DOCS / "cli.md", "options: run chain")]
    )
    listed = {option for name in table for option in re.findall(r"--[\w-]+", name)}
    options = {
        name: {
            option.opts[-1] if option.opts[0][1] != "-" else option.opts[0]
            for option in importlib.import_module(f"lao.cli.{name}").command.params
            if isinstance(option, click.Option)
        }
        for name in ("run", "chain")
    }
    common = {"--debug", "--quiet", "--verbose", "--color"}

    assert options["run"] & options["chain"] - common == listed
    for option in options["run"] ^ options["chain"]:
        assert f"`{option}" in page or f"{option}`" in page, option


def test_the_command_page_lists_exactly_the_settings():
    rows = table_after(DOCS / "cli.md", "settings")
    settings = [
        f.name for f in fields(Settings) if f.name not in ("folders", "origins")
    ]

    assert [names(row[:1])[0] for row in rows] == settings
    for row in rows:
        for variable in names([row[1]]):
            value = {
                "model_dirs": "/x",
                "endpoint": "http://127.0.0.1:1",
                "worker_memory": "8GiB",
                "durability": "full",
                "cache_size": "8GiB",
            }
            given = value.get(names(row[:1])[0], "1")
            found = load_settings({"HOME": "/h", variable: given})
            assert found.origins[names(row[:1])[0]] == variable


def test_the_python_page_lists_exactly_the_public_names():
    cells = [row[0] for row in table_after(DOCS / "python.md", "names")]
    listed = {name.partition("(")[0] for name in names(cells)} | {"ModelBackend"}

    assert listed == set(lao.__all__) - {"__version__"}


def test_the_models_page_states_the_limits_in_force():
    stated = " ".join(row[1] for row in table_after(DOCS / "models.md", "limits"))
    limits = WorkerLimits()

    assert f"{limits.output >> 20} MiB" in stated
    assert f"{limits.file_size >> 30} GiB" in stated
    assert f" {limits.open_files} " in stated
    assert f"{limits.start_seconds:g} s" in stated
    assert f"{limits.cancel_seconds:g} s" in stated
    assert f"{RunLimits().prompt_bytes // 1_000_000} million" in stated
    assert limits.memory is limits.cpu_seconds is None


_LAYERS = {"launch": "how it is started"}
_KINDS = {"worker": "w", "server": "s", "program": "p", "orchestrator": "O"}


@pytest.mark.parametrize("area", AREAS)
def test_the_page_of_attempts_lists_exactly_the_catalogue(area):
    rows = table_after(DOCS / "reference" / "attempts.md", f"attempts: {area}")

    assert rows == [
        [
            each.phrase,
            each.success,
            ", ".join(_LAYERS.get(layer, layer) for layer in each.stopped_by),
            "".join(_KINDS[kind] for kind in each.kinds),
        ]
        for each in CATALOGUE
        if each.area == area
    ]


SHORTCUTS = Path(__file__).parents[2] / "web" / "src" / "shell" / "shortcuts.ts"


@pytest.mark.skipif(not SHORTCUTS.exists(), reason="the page's sources are not here")
def test_the_editors_page_lists_exactly_its_keyboard_shortcuts():
    rows = re.findall(r'keys: \[(.*?)\], what: "(.*?)"', SHORTCUTS.read_text("utf-8"))
    listed = table_after(DOCS / "editor.md", "shortcuts")

    written = [
        ([key.replace("Mod", "Ctrl") for key in re.findall(r'"(.*?)"', keys)], what)
        for keys, what in rows
    ]
    assert [(names(row[:1]), row[1]) for row in listed] == written
