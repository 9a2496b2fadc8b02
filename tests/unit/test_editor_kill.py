# SPDX-License-Identifier: Apache-2.0
"""No acknowledged change is lost when the editor's process is killed."""

import random
import signal
import subprocess
import sys

import pytest

from lao.editor.folder import Folder
from lao.editor.journal import journal_path
from lao.editor.open_document import OpenDocument

TEXT = "lao: 1\n" * 200
VICTIM = """
import sys
from pathlib import Path
from lao.editor.folder import Folder
from lao.editor.open_document import OpenDocument

document = OpenDocument(Folder(Path(sys.argv[1])), "flow.yaml")
saves = sys.argv[2] == "saving"
number = document.text.count("#")
while True:
    number += 1
    document.change(document.text + f"# {number}\\n", f"edit {number}")
    document.sync()
    print(number, flush=True)
    if saves:
        document.save()
        print("saved", number, flush=True)
"""


def killed(folder, lines, kind):
    """Let a process edit until it printed `lines` lines; return what it printed."""
    command = [sys.executable, "-c", VICTIM, str(folder), kind]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as victim:
        printed = [victim.stdout.readline() for _ in range(lines)]
        victim.send_signal(signal.SIGKILL)
        printed += victim.stdout.readlines()
    return [line.strip() for line in printed if line.endswith("\n")]


def after(number):
    return TEXT + "".join(f"# {each}\n" for each in range(1, number + 1))


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "flow.yaml"
    path.write_text(TEXT)
    return path


def test_an_edited_file_comes_back_with_its_whole_history_after_each_kill(file):
    chances = random.Random(5)  # noqa: S311  (a fixed seed)
    for _ in range(6):
        acknowledged = int(killed(file.parent, chances.randint(1, 40), "editing")[-1])

        document = OpenDocument(Folder(file.parent), file.name)

        found = document.text.count("#")
        assert acknowledged <= found <= acknowledged + 1
        assert (document.text, document.is_saved) == (after(found), False)
        assert file.read_text() == TEXT
        document.close()
    document = OpenDocument(Folder(file.parent), file.name)
    while document.undo_label is not None:
        document.undo()
    assert (document.text, document.is_saved) == (TEXT, True)
    document.close()


def test_a_file_that_is_saved_holds_a_whole_text_after_each_kill(file):
    chances = random.Random(6)  # noqa: S311  (a fixed seed)
    for _ in range(3):
        words = killed(file.parent, chances.randint(2, 40), "saving")
        saved = max(int(line.split()[1]) for line in words if line[0] == "s")

        text = file.read_text()

        assert saved <= text.count("#") <= saved + 1
        assert text == after(text.count("#"))
        document = OpenDocument(Folder(file.parent), file.name)
        assert not document.is_conflicting
        assert document.text == after(document.text.count("#"))
        document.change(TEXT, "begin again")
        document.save()
        assert {path.name for path in file.parent.iterdir()} == {
            file.name,
            journal_path(file).name,
        }
        document.close()
