# SPDX-License-Identifier: Apache-2.0
"""A file that was read before is not parsed again, and everything else is as it was."""

from pathlib import Path

import pytest
from tests.e2e.running_lao import Lao

WORKFLOW = """\
lao: 1
name: greets
inputs: { name: { type: text, default: you } }
steps:
  - id: greeting
    input: "Hello {{ inputs.name }}"
"""
CHAIN = ("chain", "'A text. Another.' | summarize", "--explain")


@pytest.fixture
def lao(tmp_path: Path) -> Lao:
    found = Lao(folder=tmp_path)
    found.file("w.yaml", WORKFLOW)
    return found


def documents(lao: Lao) -> list[Path]:
    return [
        path
        for path in (lao.folder / "home").rglob("documents/*")
        if path.parent.name == "documents"
    ]


def loads_yaml(lao: Lao, *arguments: str) -> bool:
    """Run it, and say whether it loaded the parser."""
    ended = lao.having(PYTHONPROFILEIMPORTTIME="1")(*arguments)
    assert ended.code == 0, ended.told
    loaded = {line.rpartition("|")[2].strip() for line in ended.told.splitlines()}
    assert "lao.workflow.source" in loaded
    return "yaml" in loaded


@pytest.mark.parametrize(
    "arguments",
    [CHAIN, ("run", "w.yaml"), ("check", "w.yaml")],
    ids=lambda each: each[0],
)
def test_the_parser_is_loaded_the_first_time_only(
    lao: Lao, arguments: tuple[str, ...]
) -> None:
    assert loads_yaml(lao, *arguments)
    assert documents(lao)
    assert not loads_yaml(lao, *arguments)


def test_a_changed_file_is_read_anew(lao: Lao) -> None:
    assert lao("run", "w.yaml").answer == "Hello you\n"
    assert lao("run", "w.yaml").answer == "Hello you\n"
    lao.file("w.yaml", WORKFLOW.replace("Hello", "Goodbye"))
    assert lao("run", "w.yaml").answer == "Goodbye you\n"


def test_a_wrong_file_has_the_same_problems_every_time(lao: Lao) -> None:
    lao.file("w.yaml", WORKFLOW.replace("inputs.name }}", "inputs.nam }}"))
    first, second = lao("check", "w.yaml"), lao("check", "w.yaml")
    assert first.problems == second.problems == ["workflow.unknown-step"]
    assert first.told == second.told
    assert "w.yaml:6:12" in second.told


def test_damage_is_not_noticed_but_for_the_time_it_takes(lao: Lao) -> None:
    first = lao("run", "w.yaml")
    for path in documents(lao):
        path.write_bytes(path.read_bytes()[:-1])
    second = lao("run", "w.yaml", "--no-cache")
    assert (second.code, second.answer) == (0, first.answer)


def test_an_ephemeral_run_keeps_nothing(lao: Lao) -> None:
    assert loads_yaml(lao, "run", "w.yaml", "--ephemeral")
    assert not documents(lao)
