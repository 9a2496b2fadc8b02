# SPDX-License-Identifier: Apache-2.0
"""The documentation tells the truth: its workflows compile, its Python runs, its
commands parse, its links lead somewhere, its transcripts come out.

A fence's second word says more: `run` (commands whose output is compared),
`file=NAME` (what the reader saves), `recipe`.
"""

import importlib
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import pytest

from lao.api import load, run
from lao.chain import parse_chain
from lao.cli.commands import COMMANDS
from lao.config import load_settings
from lao.planning.compiler import compile_workflow
from lao.planning.engines import Catalog
from lao.plugins.manifest import read_manifest
from lao.recipes import find_recipes, read_recipe
from lao.workflow.document import (
    read_workflow,
)
from lao.workflow.local_models import Ollama, WhisperCpp
from lao.workflow.plugins import PluginManifest
from lao.workflow.values import JSON, TEXT

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(
    [*ROOT.glob("*.md"), *DOCS.rglob("*.md"), ROOT / "examples" / "README.md"]
)
EXAMPLES = sorted(ROOT.glob("examples/*.yaml"))
FENCE = re.compile(r"^(```+)([^\n`]*)\n(.*?)^\1 *$", re.MULTILINE | re.DOTALL)
RECIPES = find_recipes(())
PLUGINS = {
    path.parent.name: read_manifest(path.parent)
    for path in sorted(ROOT.glob("examples/plugins/*/lao-plugin.toml"))
}
PLUGINS["word-count"] = PluginManifest(  # the one that the page on plugins starts
    name="word-count",
    version="0.1.0",
    kind="step",
    entry="word_count:WordCount",
    description="Counts words.",
    input=TEXT,
    output=JSON,
    parameters={"properties": {"at_least": {"type": "integer"}}},
)
SOME_MODELS = Catalog(
    recipes=RECIPES,
    plugins=PLUGINS,
    chat=Ollama(model="m"),
    speech=WhisperCpp(model_path="m.bin"),
)


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    page: Path
    line: int
    language: str
    mark: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(*languages: str) -> list[Block]:
    found = []
    for page in PAGES:
        text = page.read_text("utf-8")
        for match in FENCE.finditer(text):
            language, _, words = match[2].strip().partition(" ")
            line = text.count("\n", 0, match.start()) + 2
            found.append(Block(page, line, language, words.strip(), match[3]))
    return [each for each in found if each.language in languages]


def commands(block: Block) -> list[tuple[str, str]]:
    """Return each command of a console block, and what it prints."""
    found: list[tuple[str, str]] = []
    for line in block.text.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], ""))
        elif found:
            found[-1] = (found[-1][0], found[-1][1] + line + "\n")
    return found


def lao_words(command: str) -> Iterator[list[str]]:
    """Yield the arguments of each `lao` in a shell command."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars="|;&<>")
    lexer.whitespace_split = True
    words: list[str] = []
    for word in [*lexer, "|"]:
        if set(word) <= set("|;&<>") and word:
            if "lao" in words:
                yield words[words.index("lao") + 1 :]
            words = ["dropped"] if set(word) <= set("<>") else []
        elif words != ["dropped"]:
            words.append(word)


LAO_COMMANDS = [
    pytest.param(words, id=f"{block}-{' '.join(words)[:100]}")
    for block in blocks("console")
    for command, _ in commands(block)
    for words in lao_words(command)
]


# -- what the blocks say ------------------------------------------------------


@pytest.mark.parametrize("block", blocks("yaml"), ids=str)
def test_a_workflow_or_recipe_is_sound(block, tmp_path):
    if block.mark == "recipe":
        recipe = read_recipe(block.text, str(tmp_path / "haiku.yaml"))
        parse_chain("letter.txt | haiku wild", {"haiku": recipe})
        return
    document = read_workflow(block.text, source=str(block), base=str(tmp_path))

    compile_workflow(document.workflow, SOME_MODELS, locate=document.locate_line)


@pytest.mark.parametrize("block", blocks("python"), ids=str)
def test_python_runs(block, tmp_path):
    text = block.text
    if "Ollama(" in text:  # offline, so all but the run itself
        (tmp_path / "report.txt").touch()
        text = re.sub(r"^result = run\(.*|^print\(.*", "", text, flags=re.MULTILINE)
    done = subprocess.run(
        [sys.executable, "-c", text],
        cwd=tmp_path,
        env=reader(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("words", LAO_COMMANDS)
def test_a_command_exists_and_so_do_its_options(words):
    if words[0] == "--version":
        return
    modules = {name: module for name, module, _ in COMMANDS}
    command = importlib.import_module(modules[words[0]]).command
    arguments = [word for word in words[1:] if word != "…"]
    if isinstance(command, click.Group) and arguments[:1] in (
        [name] for name in command.commands
    ):
        command, arguments = command.commands[arguments[0]], arguments[1:]
    with command.make_context(words[0], arguments) as context:
        assert isinstance(context, click.Context)
    if words[0] == "chain" and not any("sumarize" in word for word in words):
        parsed = parse_chain(
            context.params["text"],
            RECIPES,
            plugins=PLUGINS,
            read_text=lambda _: "{{ input }}",
        )
        compile_workflow(parsed.workflow, SOME_MODELS, locate=parsed.locate)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    text = FENCE.sub("", page.read_text("utf-8"))
    targets = re.findall(r"\]\((?!https?://)([^)\s]+)\)", text)

    for target in targets:
        path, _, anchor = target.partition("#")
        found = (page.parent / path).resolve() if path else page
        assert found.exists(), target
        assert found.is_relative_to(ROOT), target
        assert not anchor or anchor in anchors(found), target


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    text = FENCE.sub("", page.read_text("utf-8"))
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    plain = [re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings]
    return {heading.replace(" ", "-") for heading in plain}


# -- what the reader does -----------------------------------------------------


def reader(folder: Path) -> dict[str, str]:
    """Return the environment of somebody who has just installed LAO."""
    scripts = Path(sys.executable).parent
    return {"HOME": str(folder), "PATH": f"{scripts}:{os.defpath}", "LANG": "C.UTF-8"}


def without_digests(text: str) -> str:
    """Return a text without the digests of models: each change of LAO changes them."""
    return re.sub(r"(?m)^( +model )[0-9a-f]{12}$", r"\1…", text)


def test_the_tutorial_comes_out_as_written(tmp_path):
    for block in blocks("console", "text", "yaml"):
        if block.page.name != "tutorial.md":
            continue
        name, _, file = block.mark.partition("=")
        if name == "file":
            (tmp_path / file).write_text(block.text, "utf-8")
        if name != "run":
            continue
        for command, printed in commands(block):
            done = subprocess.run(
                ["/bin/sh", "-c", command],
                cwd=tmp_path,
                env=reader(tmp_path),
                capture_output=True,
                text=True,
                check=False,
            )
            shown = without_digests(done.stdout or done.stderr)
            assert shown == without_digests(printed), f"{block}: {command}"


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.name)
def test_an_example_runs(file, tmp_path):
    workflow = load(file)
    needed = {
        name: "Two words about 4 May."
        for name, each in (workflow.inputs or {}).items()
        if each.default is None
    }
    settings = load_settings({"HOME": str(tmp_path)})

    assert run(workflow, inputs=needed, settings=settings).status == "done"


def test_every_example_is_in_its_list():
    listed = (ROOT / "examples" / "README.md").read_text("utf-8")

    assert all(f"[{path.name}]" in listed for path in EXAMPLES)
