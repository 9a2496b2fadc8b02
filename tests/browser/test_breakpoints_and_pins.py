# SPDX-License-Identifier: Apache-2.0
"""An output can be held fast; a run can pause, be given other words, and go on."""

import re

from playwright.sync_api import expect
from tests.browser.running import change, choose, ended, foretold, reciting, run

FILE = """\
lao: 1
name: paused
steps:
  - id: said
    model: {model}
    input: "Good morning."
  - id: loud
    input: "{{{{ said | upper }}}}"
  - id: parts
    input: "{{{{ loud }}}}!"
"""


def write(desk, name):
    """Open the file under a name of its own."""
    desk.write(name, FILE.format(model=reciting(desk.served.folder)))


def test_a_run_pauses_before_a_step_and_goes_on_with_what_was_edited(desk):
    write(desk, "paused.yaml")
    choose(desk, "loud")
    desk.press("b")
    mark = desk.node("loud").get_by_role("button", name="A run pauses before this step")
    expect(mark).to_be_visible()
    first = run(desk, "paused before loud")

    paused = desk.page.get_by_role("region", name="Paused before loud")
    expect(desk.node("said")).to_contain_text("Good morning.")
    expect(desk.node("loud")).not_to_contain_text("GOOD")
    field = paused.get_by_label("Output of said")
    expect(field).to_have_value("Good morning.")
    field.fill("Good night.")
    paused.get_by_role("button", name="Go on").click()

    ended(desk, but=first)
    expect(desk.node("parts")).to_contain_text("GOOD NIGHT.!")
    expect(paused).to_be_hidden()
    mark.click()
    expect(mark).to_be_hidden()


def test_a_pause_can_be_the_end(desk):
    write(desk, "end.yaml")
    choose(desk, "loud")
    desk.press("b")
    run(desk, "paused before loud")
    paused = desk.page.get_by_role("region", name="Paused before loud")
    paused.get_by_role("button", name="Stop here").click()
    expect(paused).to_be_hidden()
    expect(desk.node("loud")).to_contain_text("will run")


def test_a_pinned_output_is_given_again_though_its_step_has_changed(desk):
    write(desk, "pinned.yaml")
    run(desk)
    choose(desk, "said")
    desk.press("p")
    pin = desk.node("said").get_by_role("button", name=re.compile("^Pinned"))
    expect(pin).to_be_visible()
    change(desk, "said", "Input, the value", "Good evening.")
    foretold(desk, "said", "pinned")
    run(desk)
    expect(desk.node("loud")).to_contain_text("GOOD MORNING.")

    desk.page.reload()
    pin.click()
    foretold(desk, "said", "will run")
    run(desk)
    expect(desk.node("loud")).to_contain_text("GOOD EVENING.")
