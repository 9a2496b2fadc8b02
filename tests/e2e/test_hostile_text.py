# SPDX-License-Identifier: Apache-2.0
"""One hostile text, through every road to a terminal: no byte of it arrives raw.

It would write the clipboard, move the cursor, colour, overwrite, turn around and hide.
Each road also shows it escaped, or the test would prove nothing.
"""

import json
import re

import pytest
from tests.e2e.running_lao import Lao, at_terminal
from tests.models import make_tiny_gguf

HOSTILE = (
    "\x1b]52;c;QQ==\x07\x1b[31;666m\x9b2J\x1bP666q\x1b\\a\rb\x08\x7f"
    "\u202egnp\u2066\u200f\u061c\u2028\ufeff"
)
FORGED = "\nerror[forged.line]: forged\nlocality: forged\n"
# A file's name can be neither of `/` and NUL, and need not be UTF-8.
NAME = HOSTILE + "\n\udc9b"
SEEN = r"\\x1b\]52;c|\\u001b\]52;c|\\x1b\[31;666m"
# What rich draws with; no parameter of it is 666.
DRAWN = re.compile(r"\x1b\[(?!\d*;?666)[0-9;?]*[A-Za-z]|\r")
RAW = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f\ufeff]"
)

MODELS = """\
import os, sys
from lao.workflow.inference import ModelDescription, ModelProblem, ModelReply

class Model:
    def load(self, options): pass
    def describe(self): return ModelDescription(name="m" + HOSTILE)

class Says(Model):
    def infer(self, request, report):
        report.progress(1, 2, HOSTILE)
        report.text(HOSTILE)
        print(HOSTILE, file=sys.stderr)
        return ModelReply(value=HOSTILE, made_by=HOSTILE + FORGED, notes=(HOSTILE + FORGED,))

class Raises(Model):
    def infer(self, request, report):
        raise ValueError(HOSTILE + FORGED)

class Complains(Model):
    def infer(self, request, report):
        raise ModelProblem("mine.own", HOSTILE + FORGED, mend=HOSTILE + FORGED)

class Dies(Model):
    def infer(self, request, report):
        os.write(2, (HOSTILE + FORGED).encode())
        os._exit(3)
"""
STEPS = "\n".join(
    f'  - {{ id: {kind.lower()}, model: {{ kind: custom, plugin: "models.py:{kind}" }}, '
    'prompt_template: "{{ inputs.text }}" }'
    for kind in ("Says", "Raises", "Complains", "Dies")
)
ESCAPED = json.dumps(HOSTILE)  # YAML reads JSON's escapes


@pytest.fixture(scope="module")
def lao(tmp_path_factory):
    """Return `lao` in a folder where everything has a hostile name or content."""
    found = Lao(folder=tmp_path_factory.mktemp("hostile"), environment={"TERM": "dumb"})
    constants = f"HOSTILE = {HOSTILE!r}\nFORGED = {FORGED!r}\n"
    found.file("models.py", constants + MODELS)
    found.file(
        "w.yaml",
        f"lao: 1\nname: {ESCAPED}\n"
        f"inputs: {{ text: {{ type: text, description: {ESCAPED} }} }}\nsteps:\n{STEPS}\n"
        'outputs: { says: "{{ says }}" }\n',
    )
    found.file(
        f"{NAME}.yaml", f"lao: 1\n{ESCAPED}: 1\nsteps: [{{ uses: {ESCAPED} }}]\n"
    )
    found.file(
        "recipes/odd.yaml", f"description: {ESCAPED}\nmain: {ESCAPED}\nparameters: {{}}"
    )
    found.file(
        "recipes/fine.yaml",
        f"description: {ESCAPED}\nmain: text\n"
        f"parameters: {{ text: {{ description: {ESCAPED} }} }}\n"
        f"engine: {{ prompt_template: {ESCAPED} }}\n",
    )
    found.file(f"models/{NAME}.gguf", b"GGUF no model")
    make_tiny_gguf(found.folder / "models" / f"fine{HOSTILE}.gguf")
    for number in range(2):
        found.file(f"in/{number}{NAME}", HOSTILE)
    found.file("echo.yaml", ECHO)
    found.file("home/.local/share/lao/plugins/evil/lao-plugin.toml", PLUGIN)
    return found


PLUGIN = f"""\
lao = 1
name = "evil"
version = "1.0"
kind = "step"
entry = "evil:Evil"
description = {ESCAPED}
[input]
type = "text"
[output]
type = "text"
[parameters.properties.odd]
type = "string"
description = {ESCAPED}
"""
ECHO = """\
lao: 1
name: echo
inputs: { text: { type: text } }
steps:
  - id: said
    model: { kind: custom, plugin: "models.py:Says" }
    prompt_template: "{{ inputs.text }}"
"""

ROADS = {
    "a run": ("run", "w.yaml", "-v", "--input", HOSTILE),
    "a run as JSON": ("run", "w.yaml", "--json", "--input", HOSTILE),
    "events": ("run", "w.yaml", "--events", "-", "--input", HOSTILE),
    "events to a terminal": ("run", "w.yaml", "--events", "/dev/stdout", "--input", "a"),
    "a stream": ("run", "echo.yaml", "--input", HOSTILE),
    "a plan": ("run", "w.yaml", "--dry-run", "--input", HOSTILE),
    "a bad input": ("run", "w.yaml", "--input", f"{HOSTILE}=1"),
    "a missing file": ("run", "w.yaml", "--input", f"@{HOSTILE}"),
    "a batch": ("run", "echo.yaml", "--each", "in/*", "-v", "--out", "out", "--report", "/dev/stderr"),
    "a check": ("check", "w.yaml", f"{NAME}.yaml"),
    "a chain": ("chain", f"{HOSTILE} | summarize --style '{HOSTILE}'"),
    "recipes": ("recipes",),
    "a recipe": ("recipes", "show", "fine"),
    "models": ("models", "--model-dir", "models", "--digests"),
    "a new file": ("new", f"{HOSTILE}.yaml"),
    "runs": ("runs", "--all"),
    "a kept run": ("runs", "show", "1", "--steps"),
    "kept events": ("runs", "events", "1"),
    "an export": ("runs", "export", "1", "--with-content"),
    "an export to a terminal": ("runs", "export", "1", "--with-content", "--out", "/dev/stderr"),
    "plugins": ("plugins",),
    "a plugin": ("plugin", "show", "evil"),
    "no run": ("runs", "show", HOSTILE),
    "no command": (HOSTILE,),
    "a traceback": ("run", HOSTILE, "--debug"),
}  # fmt: skip


@pytest.mark.parametrize("road", ROADS)
def test_a_terminal_gets_no_byte_of_it_raw(lao, road):
    _, shown, _ = at_terminal(lao, *ROADS[road], stdout=True, stderr=True)
    assert not RAW.search(shown), ascii(shown)
    assert re.search(SEEN, shown), ascii(shown)
    assert not re.search(r"^(error\[forged|locality: forged)", shown, re.MULTILINE)


@pytest.mark.parametrize("road", ["a run", "a batch", "a stream"])
def test_what_is_drawn_live_is_ours_alone(lao, road):
    there = lao.having(TERM="xterm-256color")
    _, shown, _ = at_terminal(there, *ROADS[road], stdout=True, stderr=True)
    drawn = DRAWN.findall(shown)
    assert drawn
    assert not RAW.search(DRAWN.sub("", shown)), ascii(shown)
    assert not re.search("\x1b\\[[0-9;]*666", shown)


@pytest.mark.parametrize("road", ["a run", "a run as JSON"])
def test_a_pipe_gets_the_answer_whole_and_stderr_is_clean_all_the_same(lao, road):
    ended = lao(*ROADS[road])
    answer = (
        json.loads(ended.out)["outputs"]["says"] if "JSON" in road else ended.answer
    )
    assert answer.rstrip("\n") == HOSTILE
    assert not RAW.search(ended.told), ascii(ended.told)


@pytest.mark.parametrize(
    ("name", "value", "arguments"),
    [
        ("LAO_MODEL", HOSTILE, ["doctor"]),
        ("LAO_ENDPOINT", HOSTILE, ["doctor"]),
        ("XDG_DATA_HOME", f"/nowhere/{HOSTILE}", ["doctor", "--paths"]),
    ],
    ids=["model", "endpoint", "folder"],
)
def test_settings_are_shown_and_not_obeyed(lao, name, value, arguments):
    there = lao.having(**{name: value})
    _, shown, _ = at_terminal(there, *arguments, stdout=True, stderr=True)
    assert not RAW.search(shown), ascii(shown)
    assert re.search(SEEN, shown), ascii(shown)
