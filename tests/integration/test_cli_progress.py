# SPDX-License-Identifier: Apache-2.0
"""What a run shows: live on a terminal, plain in a pipe, and never garbled."""

import re
from pathlib import Path

import pytest
from tests.running_lao import Lao

MODELS = r"""
import time
from lao.workflow.inference import ModelDescription, ModelReply

class Talker:
    def load(self, options): pass
    def describe(self): return ModelDescription(name="talker")
    def infer(self, request, report):
        pieces = ["one ", "two\x1b[2J ", "three ", "\x07four"]
        for piece in pieces:
            report.text(piece)
            time.sleep(PAUSE)
        return ModelReply(
            value="".join(pieces), made_by="talker\x1b[0m", tokens_out=8, seconds=0.5
        )

class Listener(Talker):
    def infer(self, request, report):
        for second in range(4):
            report.progress(second, 4, "s")
            time.sleep(PAUSE)
        return ModelReply(value="heard", made_by="listener")
"""
WORKFLOW = """
lao: 1
name: show
steps:
  - { id: heard, model: { kind: custom, plugin: "models.py:Listener" }, input: x }
  - id: said
    model: { kind: custom, plugin: "models.py:Talker" }
    prompt_template: "{{ heard }}"
  - { id: never, when: "{{ heard == 'no' }}", input: x }
outputs: { said: "{{ said }}" }
"""
STYLE = re.compile(r"\x1b\[[0-9;]*m")
ANY_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


@pytest.fixture(scope="module")
def lao(tmp_path_factory: pytest.TempPathFactory) -> Lao:
    return beside_models(tmp_path_factory.mktemp("quick"), pause=0.0)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, str]:
    """Return the exit code and the screen of a run that lasts long enough to be seen."""
    slow = beside_models(tmp_path_factory.mktemp("slow"), pause=0.15)
    return slow.on_terminal("run", "show.yaml")


def beside_models(folder: Path, *, pause: float) -> Lao:
    (folder / "models.py").write_text(MODELS.replace("PAUSE", str(pause)))
    (folder / "show.yaml").write_text(WORKFLOW)
    return Lao(folder)


def test_with_pipes_there_is_no_escape_and_a_plain_summary(lao):
    done = lao("run", "show.yaml", "--no-cache", "--json")

    assert "\x1b" not in done.stderr
    assert done.stderr.splitlines()[:3] == [
        "heard: listener",
        r"said: talker\x1b[0m",
        "never: skipped: its condition is false",
    ]
    assert done.stderr.splitlines()[3].startswith("locality: ")


def test_verbose_adds_a_line_for_each_change(lao):
    lines = lao("run", "show.yaml", "--no-cache", "-v").stderr.splitlines()

    assert "… heard  custom models.py:Listener" in lines
    assert any(re.fullmatch(r"✓ heard  [\d.]+ s", line) for line in lines)
    assert any(re.fullmatch(r"✓ said  .* · 16 tok/s", line) for line in lines)


def test_quiet_says_nothing(lao):
    assert lao("run", "show.yaml", "--no-cache", "-q").stderr == ""


def test_a_terminal_shows_progress_and_the_answer_after_it(drawn):
    code, screen = drawn

    assert code == 0
    assert re.search(r"heard.*custom models.py:Listener.*00:0\d / 00:04", screen)
    tail = screen[screen.rindex("\x1b[?25h") :]
    answer = tail.index("one two\\x1b[2J three \\x07four\r\n")
    assert tail.index("heard") < answer < tail.index("✓ said")
    assert not ANY_ESCAPE.search(tail[answer:])
    assert "\x1b[2J" not in screen


def test_the_answer_is_streamed_only_once(drawn):
    _, screen = drawn

    assert screen.count("three") == 1


@pytest.mark.parametrize(
    ("flags", "variables", "coloured"),
    [
        ((), {}, True),
        ((), {"NO_COLOR": "1"}, False),
        (("--color", "never"), {}, False),
        (("--color", "always"), {"NO_COLOR": "1"}, True),
    ],
)
def test_colours_can_be_switched_off_and_on(lao, flags, variables, coloured):
    _, screen = lao.on_terminal("run", "show.yaml", "--no-cache", *flags, **variables)

    assert bool(STYLE.search(screen)) == coloured


def test_a_dumb_terminal_gets_no_escape(lao):
    _, screen = lao.on_terminal("run", "show.yaml", "--no-cache", TERM="dumb")

    assert "\x1b" not in screen
    assert "locality: " in screen


def test_events_on_a_terminal_are_not_drawn_over(lao):
    _, screen = lao.on_terminal("run", "show.yaml", "--no-cache", "--events", "-")

    assert not ANY_ESCAPE.search(screen)
