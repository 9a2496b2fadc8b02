# SPDX-License-Identifier: Apache-2.0
"""Shells complete commands, options, files, recipes and models."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.history import History, done, step
from tests.running_lao import Lao

from lao.cli.candidates import _RUNS, SHELLS
from lao.cli.completion import SCRIPTS
from lao.cli.runs import command as runs_command

WORKFLOW = """
lao: 1
name: w
inputs: { letter: text, tone: text }
models: { writer: { kind: ollama, model: m } }
steps: [{ id: a, input: "{{ inputs.letter }} {{ inputs.tone }}" }]
outputs: { result: "{{ a }}" }
"""
ASK = """
eval "$(lao completion bash)"
COMP_LINE=$1 COMP_POINT=${#1}
_lao_complete
printf '%s\\n' "${COMPREPLY[@]}"
"""
BASH = shutil.which("bash")
CASES = [
    ("lao ch", ["chain", "check"]),
    ("lao --v", ["--version"]),
    ("lao run ", ["deep/", "my.yaml"]),
    ("lao run deep/", ["deep/below.yml"]),
    ("lao run my.yaml --mo", ["--model"]),
    ("lao run my.yaml -i ", ["letter=", "tone="]),
    ("lao run my.yaml --model w", ["writer="]),
    ("lao run my.yaml --output ", ["result"]),
    ("lao run my.yaml --color=n", ["--color=never"]),
    ("lao chain summ", ["summarize"]),
    ("lao recipes ", ["show"]),
    ("lao recipes show transc", ["transcribe"]),
    ("lao new x.yaml --example red", ["redact-letter"]),
    ("lao completion ", ["bash", "fish", "zsh"]),
    ("lao runs re", ["resume"]),
    ("lao runs show l", ["latest"]),
    ("lao runs compare 1 ", ["1", "2", "latest"]),
    ("lao runs prune ", []),
    ("lao runs --status f", ["failed"]),
    ("lao cache ", ["info", "prune"]),
    ("lao chain x --model embedded:s", ["embedded:speech", "embedded:summary"]),
    ("lao nonsense ", []),
    ("lao models --model-dir ", []),
]


@pytest.fixture
def lao(tmp_path: Path) -> Lao:
    (tmp_path / "my.yaml").write_text(WORKFLOW)
    (tmp_path / "notes.txt").write_text("")
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "below.yml").write_text("")
    history = History(tmp_path / ".local/share/lao")
    history.keep(*done(step()))
    history.keep(*done(step()))
    return Lao(tmp_path)


@pytest.mark.parametrize(("line", "expected"), CASES, ids=[line for line, _ in CASES])
def test_a_word_is_completed(lao, line, expected):
    done = lao("completion", "--words", "--", *line.split(" ")[1:])

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == expected


def test_every_subcommand_of_runs_is_completed():
    assert set(_RUNS) == set(runs_command.commands)


def test_where_no_run_is_kept_none_is_completed_and_nothing_is_made(tmp_path):
    done = Lao(tmp_path)("completion", "--words", "--", "runs", "show", "")

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list(tmp_path.iterdir()) == []


def test_a_command_name_is_completed_without_loading_anything_heavy():
    code = "import sys; from lao.cli.candidates import candidates; candidates(['ch'])"
    show = "; print(sum(m.partition('.')[0] in {'rich', 'yaml'} for m in sys.modules))"

    done = subprocess.check_output([sys.executable, "-c", code + show], text=True)

    assert done.strip() == "0"


@pytest.mark.skipif(BASH is None, reason="no bash here")
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("lao ch", "chain check"),
        ("lao run d", "deep/"),
        ("lao chain x --color=a", "always auto"),
        ("lao chain x --model embedded:s", "speech summary"),
        ("lao run my.yaml -i le", "letter="),
    ],
)
def test_bash_completes(lao, tmp_path, line, expected):
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "lao").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m lao "$@"\n')
    (programs / "lao").chmod(0o755)

    done = subprocess.run(
        [BASH, "--norc", "-c", ASK, "ask", line],
        cwd=tmp_path,
        env=lao.environment | {"PATH": f"{programs}:{lao.environment['PATH']}"},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )

    assert done.stdout.split() == expected.split()
    assert done.stderr == ""


@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_is_what_its_shell_reads(lao, shell):
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"no {shell} here")

    script = lao("completion", shell).stdout

    assert script == (SCRIPTS / f"lao.{shell}").read_text()
    assert subprocess.run([program, "-n"], input=script, text=True, check=True)
