# SPDX-License-Identifier: Apache-2.0
"""A command imports what it uses, and no more: start-up time is a feature."""

import re
import subprocess
import sys

import pytest
from tests.history import History, done, step

# Milliseconds each on a slow machine: docs/design/dependencies.md.
ASYNCHRONOUS = {"asyncio", "concurrent", "ssl"}
COMMAND_LINE = {"click", "rich"}
DOCUMENTS = {"jsonschema_rs", "minijinja", "platformdirs", "regex", "yaml"}
MODELS = {"gguf", "numpy", "pocketsphinx", "pywhispercpp", "soundfile", "xllamacpp"}
SERVERS = {"h11", "http", "httptools", "socketserver", "sqlite3"}
STANDARD = {"email", "multiprocessing", "unittest", "urllib.request", "xml"}
HEAVY = ASYNCHRONOUS | COMMAND_LINE | DOCUMENTS | MODELS | SERVERS | STANDARD


def modules_of(*command, text=""):
    """Return every module that one run of Python imports."""
    ended = subprocess.run(
        [sys.executable, "-X", "importtime", *command],
        input=text,
        capture_output=True,
        text=True,
        check=True,
    )
    found = re.findall(r"^import time:.*\|\s*([\w.]+)$", ended.stderr, re.MULTILINE)
    return set(found)


def heavy_imports_of(*arguments, text=""):
    """Return the heavy packages that one run of `lao` imports."""
    modules = modules_of("-m", "lao", *arguments, text=text)
    assert "lao" in modules
    packages = {name.partition(".")[0] for name in modules}
    return HEAVY.intersection(modules | packages)


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], []], ids=str)
def test_a_question_about_lao_itself_imports_two_files(arguments):
    python = modules_of("-c", "import runpy, typing")
    ours = {"lao", "lao.cli", "lao.cli.main", "lao.cli.commands"}
    assert modules_of("-m", "lao", *arguments) - python <= ours


@pytest.fixture
def private_folders(tmp_path, monkeypatch):
    """Keep the user's settings and data out of the test."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("CONFIG", "DATA", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))


@pytest.mark.usefixtures("private_folders")
@pytest.mark.parametrize("options", [[], ["--explain"]], ids=str)
def test_a_chain_of_embedded_models_imports_neither_models_nor_servers(options):
    text = "One sentence. Another one."
    used = heavy_imports_of("chain", "summarize", *options, text=text)

    assert used <= ASYNCHRONOUS | {"click", "minijinja", "sqlite3", "yaml"}


def test_the_help_of_a_command_imports_no_model_and_no_server():
    used = heavy_imports_of("run", "--help")

    assert used <= ASYNCHRONOUS | {"click", "minijinja", "yaml"}


@pytest.mark.usefixtures("private_folders")
@pytest.mark.parametrize("arguments", [["runs"], ["cache"], ["runs", "path"]], ids=str)
def test_the_history_imports_neither_the_engine_nor_a_loop(arguments):
    assert heavy_imports_of(*arguments) <= {"click", "sqlite3"}


@pytest.mark.usefixtures("private_folders")
def test_a_list_of_runs_imports_the_store_and_no_more(tmp_path):
    History(tmp_path / "data" / "lao").keep(*done(step()))

    assert heavy_imports_of("runs") == {"click", "sqlite3"}
    assert "lao.runtime" not in modules_of("-m", "lao", "runs")
