# SPDX-License-Identifier: Apache-2.0
"""Runs from the page: inputs are asked for, outputs come into the nodes, failures say why."""

import re

import numpy as np
import pytest
import soundfile
from playwright.sync_api import expect
from tests.browser.running import (
    EXAMPLES,
    LONG,
    choose,
    ended,
    example,
    inspect,
    reciting,
    run,
)
from tests.models import make_tiny_whisper
from tests.plugin_sources import write_plugin

from lao.plugins.adding import add_plugin

RATE = 16_000
HEARD = """\
lao: 1
name: heard
inputs:
  talk: {{ type: audio }}
steps:
  - id: lines
    model: {{ kind: whisper.cpp, model_path: {model}, options: {{ num_thread: 1 }} }}
    input: "{{{{ inputs.talk }}}}"
    options: {{ output: segments }}
    output: json
"""
FAILING = """\
lao: 1
name: failing
steps:
  - id: said
    model: {model}
    input: "fail <b>loudly</b>"
  - id: gone
    model: {model}
    input: crash
    retry: {{ attempts: 2, backoff: 10ms }}
  - id: never
    input: "{{{{ said }}}}"
"""


@pytest.fixture
def clip(shared):
    """Put the first sentences of the meeting into the folder."""
    sound, rate = soundfile.read(EXAMPLES / "meeting.flac", stop=RATE * 8)
    soundfile.write(shared.folder / "clip.flac", sound, rate)


def give(desk, name, file):
    """Answer the dialog that asks for a file."""
    dialog = desk.page.get_by_role("dialog", name="Inputs of this run")
    dialog.get_by_label(re.compile(f"^{name}")).select_option(file)
    dialog.get_by_role("button", name="Run", exact=True).click()


@pytest.mark.timeout(240)
def test_a_recording_becomes_notes_in_the_nodes(desk, clip):
    example(desk, "meeting-notes.yaml")
    desk.page.get_by_role("button", name=re.compile("^Run.*asks for recording")).click()
    give(desk, "recording", "clip.flac")
    ended(desk, within=3 * LONG)  # to hear it is work

    expect(desk.node("transcript")).to_contain_text("city hospital in boston")
    expect(desk.node("summary")).to_contain_text("- Good afternoon")
    mentioned = desk.node("mentioned").get_by_role("definition")
    expect(mentioned.filter(has_text="monday the third of june")).to_have_count(1)
    player = desk.node("input recording").get_by_role("group", name="Recording clip")
    expect(player).to_contain_text("0:08")
    wave = player.locator("svg path").nth(1)  # a drawing has no role
    assert len(set(re.findall(r"v([\d.]+)", wave.get_attribute("d") or ""))) > 20

    tree = inspect(desk, "mentioned", "Output").get_by_role("tree")
    expect(tree.get_by_role("treeitem", name=re.compile("dates"))).to_be_visible()
    expect(tree).to_contain_text("monday the third of june")
    desk.press("Control+j")
    expect(desk.page.get_by_label("Log of run")).to_contain_text("transcript")


def test_a_line_of_a_transcript_plays_from_there(desk):
    folder = desk.served.folder
    model = make_tiny_whisper(folder / "w.bin")
    tone = 0.3 * np.sin(np.arange(40 * RATE) / 7)
    soundfile.write(folder / "talk.wav", tone, RATE, format="WAV")
    desk.write("heard.yaml", HEARD.format(model=model))
    desk.press("Control+Enter")
    give(desk, "talk", "talk.wav")
    ended(desk)

    panel = inspect(desk, "lines", "Output")
    place = panel.get_by_role("slider", name="Place in the recording")
    expect(place).to_have_attribute("aria-valuenow", "0")
    panel.get_by_role("button", name=re.compile("^0:26")).click()
    expect(place).to_have_attribute("aria-valuenow", re.compile(r"^2[6-9]$"))
    expect(panel.get_by_role("button", name="Pause talk.wav")).to_be_visible()
    expect(panel.locator("[aria-current=true]")).to_contain_text("0:26")


def test_a_failure_says_what_and_how_to_mend_it_on_its_node(desk):
    model = reciting(desk.served.folder)
    desk.write("failing.yaml", FAILING.format(model=model))
    run(desk, "failed in")

    said = desk.node("said")
    for words in ("failed", "fail <b>loudly</b>", "drink tea", "reciter.hoarse"):
        expect(said).to_contain_text(words)
    expect(said.locator("b")).to_have_count(0)
    expect(desk.node("gone")).to_contain_text("worker.crashed")
    expect(desk.node("gone")).to_contain_text("1 retry")
    expect(desk.node("never")).to_contain_text("skipped")
    expect(inspect(desk, "gone", "Log")).to_contain_text("again")


def test_a_plugin_that_nobody_trusts_does_not_run_and_says_so(desk):
    source = write_plugin(desk.served.home / "source")
    add_plugin(source, desk.served.home / ".local/share/lao")
    desk.write(
        "plugged.yaml",
        "lao: 1\nname: plugged\nsteps:\n  - id: counted\n"
        '    uses: word-count\n    input: "some words"\n',
    )
    expect(desk.node("counted")).to_contain_text("blocked: the plugin 'word-count'")
    desk.window.expected.append("403")  # as Chromium logs what is refused
    desk.press("Control+Enter")
    refused = desk.page.get_by_role("alert")
    expect(refused).to_contain_text("lao plugin trust word-count")


def test_a_step_alone_and_a_step_with_what_follows(desk):
    desk.write(
        "plain.yaml",
        "lao: 1\nname: plain\nsteps:\n"
        '  - id: one\n    input: "First."\n'
        '  - id: two\n    input: "{{ one | upper }}"\n'
        '  - id: three\n    input: "{{ two | lower }}"\n',
    )
    choose(desk, "two")
    run(desk, keys="Alt+Enter")
    expect(desk.node("two")).to_contain_text("FIRST.")
    expect(desk.node("three")).not_to_contain_text("done")
    run(desk, keys="Shift+Enter")
    expect(desk.node("three")).to_contain_text("first.", timeout=LONG)
