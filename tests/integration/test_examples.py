# SPDX-License-Identifier: Apache-2.0
"""The examples that `lao new` writes are right, and those that can run here do."""

import json
from pathlib import Path

import pytest
from tests.running_lao import Lao

from lao.examples import find_examples

EXAMPLES = find_examples()
LETTER = "Dear Ana Ruiz,\n\nplease write to jo@example.com or call +1 617 555 0134.\n"

SORTER = """
from lao.workflow.inference import ModelDescription, ModelReply

class Sorter:
    def load(self, options): pass
    def describe(self): return ModelDescription(name="sorter")
    def infer(self, request, report):
        value = request.prompt
        if request.schema is not None:
            label = "urgent" if "is down" in value else "bug"
            value = {"reason": value.partition("Ticket: ")[2].splitlines()[0], "label": label}
        return ModelReply(value=value, made_by="sorter")
"""


@pytest.fixture
def lao(tmp_path: Path) -> Lao:
    return Lao(tmp_path)


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_passes_the_check_where_it_is_written(lao, name):
    written = lao("new", "my own.yaml", "--example", name)
    checked = lao("check", "my own.yaml")

    assert (written.returncode, written.stdout) == (0, "")
    assert "lao run 'my own.yaml' --input" in written.stderr
    assert (checked.returncode, checked.stdout) == (0, "my own.yaml: ok\n")


def test_an_example_names_the_file_that_it_is_written_to(lao, tmp_path):
    lao("new", "notes.yaml")

    text = (tmp_path / "notes.yaml").read_text()
    assert "#   lao run notes.yaml --input recording=talk.wav" in text
    assert "SPDX" not in text


def test_a_file_is_replaced_only_with_force(lao, tmp_path):
    (tmp_path / "notes.yaml").write_text("mine")

    refused = lao("new", "notes.yaml")

    assert refused.returncode == 2
    assert "error[new.exists]" in refused.stderr
    assert (tmp_path / "notes.yaml").read_text() == "mine"
    assert lao("new", "notes.yaml", "--force").returncode == 0
    assert (tmp_path / "notes.yaml").read_text() != "mine"


def test_a_text_is_summed_up(lao):
    text = "The harbour of the town is closed today. " + "It rains a little there. " * 9

    done = lao("run", str(EXAMPLES["summarize-text"]), stdin=text)

    assert done.returncode == 0
    assert "- The harbour of the town is closed today." in done.stdout
    assert "summary: LAO summary: extractive" in done.stderr


def test_a_letter_is_redacted_into_a_file_and_not_over_it(lao, tmp_path):
    run = ["run", str(EXAMPLES["redact-letter"]), "--input", "target=out.txt"]

    done, same = lao(*run, stdin=LETTER), lao(*run, stdin=LETTER)
    other = lao(*run, stdin=f"{LETTER}\nP.S. More.")

    assert (done.returncode, same.returncode, other.returncode) == (0, 0, 3)
    assert "jo@example.com" not in done.stdout
    assert (tmp_path / "out.txt").read_text().strip() == done.stdout.strip()


@pytest.mark.parametrize(
    ("tickets", "warning"),
    [
        ("printer is down\nodd colour\n", "- printer is down"),
        ("odd colour\n", "Nothing is urgent."),
    ],
)
def test_tickets_are_sorted_and_a_warning_only_drafted_if_one_is_urgent(
    lao, tmp_path, tickets, warning
):
    (tmp_path / "sorter.py").write_text(SORTER)
    model = ["--model", "writer=custom:sorter.py:Sorter"]

    done = lao("run", str(EXAMPLES["classify-tickets"]), *model, stdin=tickets)

    answer = json.loads(done.stdout)
    assert [each["reason"] for each in answer["tickets"]] == tickets.splitlines()
    assert warning in answer["warning"]
