# SPDX-License-Identifier: Apache-2.0
"""Words for what a person does with runs, and models that do what a test says."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Locator, expect
from tests.browser.editing import Editor
from tests.models import make_tiny_gguf

import lao

EXAMPLES = Path(lao.__file__).parent / "examples"
LONG = 60_000  # milliseconds, for models on a busy machine

STORY = (
    "Ana Silva met Bob Stone in Lisbon on 3 May 2024. They spoke of the harbour. "
    "The harbour was to be rebuilt for 2 million euros. Nobody objected to that."
)
NOTES = f"""\
lao: 1
name: notes
inputs:
  text: {{ type: text, default: "{STORY}" }}
steps:
  - id: summary
    uses: summarize
    with: {{ text: "{{{{ inputs.text }}}}", length: 2 }}
  - id: people
    uses: extract-entities
    with: {{ text: "{{{{ summary }}}}" }}
  - id: list
    uses: summarize
    with: {{ text: "{{{{ summary }}}}", style: bullets, length: 3 }}
outputs:
  names: "{{{{ people }}}}"
"""

# Says its input; with a gate, what comes behind "|" only when that file is there.
RECITER = """\
import os
import time
from pathlib import Path
from lao import ModelDescription, ModelProblem, ModelReply

class Reciter:
    def load(self, options): self.gate = options.get("gate")
    def describe(self): return ModelDescription(name="reciter")
    def infer(self, request, report):
        text = request.input
        if text.startswith("read "):
            text = Path(text[5:]).read_text("utf-8")
        if text == "crash":
            os._exit(9)
        if text.startswith("fail"):
            raise ModelProblem("reciter.hoarse", text, mend="drink tea")
        first, bar, rest = text.partition("|")
        report.text(first)
        while self.gate and bar and not Path(self.gate).exists():
            if report.cancelled: break
            time.sleep(0.005)
        report.text(rest)
        return ModelReply(value=first + rest, made_by="reciter")
"""


def reciting(folder: Path, *, gate: Path | None = None) -> str:
    """Put the reciter into a folder; return the model as a file names it."""
    (folder / "reciter.py").write_text(RECITER, "utf-8")
    if gate is None:
        return "{ kind: custom, plugin: reciter.py }"
    gate.parent.mkdir(exist_ok=True)
    return (
        "{ kind: custom, plugin: reciter.py, "
        f'readable: ["{gate.parent}"], options: {{ gate: "{gate}" }} }}'
    )


def endless(folder: Path) -> str:
    """Return a workflow whose model talks for minutes, in noise."""
    model = folder / "noise.gguf"
    if not model.exists():
        make_tiny_gguf(model, mode="random", n_ctx=32768)
    return f"""\
lao: 1
name: endless
models:
  talker:
    kind: llama.cpp
    model_path: {model}
    options: {{ num_thread: 1, num_ctx: 32768, num_predict: 30000, seed: 1 }}
steps:
  - id: talk
    model: talker
    prompt_template: "Hello"
  - id: after
    input: "{{{{ talk }}}}"
"""


def example(editor: Editor, name: str) -> None:
    """Open an example that comes with LAO."""
    shutil.copy(EXAMPLES / "workflows" / name, editor.served.folder)
    editor.open(name)
    expect(editor.graph).to_be_visible()


def announced(editor: Editor, words: str) -> Locator:
    """What a screen reader is told of the last run: "Run 18 done in 4.1 s"."""
    return editor.page.get_by_role("status").filter(
        has_text=re.compile(rf"^Run \S+ {words}")
    )


def run(editor: Editor, words: str = "done", *, keys: str = "Control+Enter") -> str:
    """Run by keyboard, and wait for another run than the last to end so; its name."""
    last = _last(editor)
    editor.press(keys)
    return ended(editor, words, but=last)


def ended(
    editor: Editor, words: str = "done", *, but: str = "", within: int = LONG
) -> str:
    """Wait until a run has ended so; return its name."""
    other = f"(?!{re.escape(but)} )" if but else ""
    found = editor.page.get_by_role("status").filter(
        has_text=re.compile(rf"^Run {other}\S+ {words}")
    )
    expect(found).to_be_attached(timeout=within)
    return _last(editor)


def _last(editor: Editor) -> str:
    said = editor.page.get_by_role("status").filter(has_text=re.compile(r"^Run \S+ "))
    return said.inner_text().split()[1] if said.count() else ""


def foretold(editor: Editor, step: str, words: str, why: str = "") -> None:
    """Wait until a node says what the next run would make of it, and why."""
    text = re.compile(f"^The next run: {words}.*{why}")
    expect(editor.node(step).get_by_title(text)).to_be_visible()


def choose(editor: Editor, step: str) -> None:
    """Choose a step on the canvas."""
    editor.node(step).get_by_text(step, exact=True).first.click()


def inspect(editor: Editor, step: str, tab: str) -> Locator:
    """Choose a step, and show one side of it."""
    choose(editor, step)
    editor.page.get_by_role("tab", name=tab).click()
    return editor.page.get_by_role("tabpanel", name=tab)


def change(editor: Editor, step: str, label: str, value: str) -> None:
    """Change a parameter of a step, and wait until the server has it."""
    field = inspect(editor, step, "Settings").get_by_label(label, exact=True)
    field.fill(value)
    field.press("Tab")
    editor.is_unsaved()


def history(editor: Editor, step: str) -> Locator:
    """The runs of the file, latest first."""
    return inspect(editor, step, "Runs").get_by_role("region", name="Runs of this file")


@contextmanager
def talks(editor: Editor, name: str) -> Iterator[Locator]:
    """Run a file whose model talks for minutes; what its node shows. It ends in the end."""
    editor.write(name, endless(editor.served.folder))
    editor.press("Control+Enter")
    try:
        yield talking(editor)
    finally:  # its model would keep the next test waiting
        if editor.page.get_by_role("button", name="Stop", exact=True).count():
            stop(editor)


def stop(editor: Editor) -> None:
    """Stop the run by keyboard."""
    editor.press("Control+.")
    expect(editor.node("talk").get_by_text("stopped")).to_be_visible()


def talking(editor: Editor, step: str = "talk") -> Locator:
    """Wait until a model writes into its node; what it has written."""
    stream = editor.node(step).get_by_role("log")
    expect(stream).not_to_be_empty(timeout=LONG)
    return stream
