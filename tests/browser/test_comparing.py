# SPDX-License-Identifier: Apache-2.0
"""Two runs side by side."""

import re

from playwright.sync_api import expect
from tests.browser.running import change, history, run

FILE = """\
lao: 1
name: compared
steps:
  - id: same
    input: "Equal."
  - id: said
    input: "{{ same | upper }}"
outputs:
  said: "{{ said }}"
"""


def test_two_runs_are_compared_in_what_came_out_and_what_was_changed(desk):
    desk.write("compared.yaml", FILE)
    before = run(desk)
    change(desk, "said", "Input, the value", "{{ same | lower }}")
    after = run(desk)

    runs = history(desk, "said")
    compare = runs.get_by_role("button", name="Compare", exact=True)
    expect(compare).to_be_disabled()
    for name in (before, after):
        runs.get_by_label(f"Compare run {name}").check()
    compare.click()

    dialog = desk.page.get_by_role("dialog", name=f"Run {before} and run {after}")
    outputs = dialog.locator("section", has_text=re.compile("^Outputs"))
    expect(outputs).to_contain_text("EQUAL.")
    expect(outputs).to_contain_text("equal.")
    expect(dialog).to_contain_text("The same in both: same")
    dialog.get_by_text("another result").click()
    expect(dialog.get_by_role("table").last).to_contain_text("EQUAL.")
    desk.press("Escape")
    expect(dialog).to_be_hidden()


def test_two_equal_runs_are_said_to_be_equal(desk):
    desk.write("equal.yaml", FILE)
    run(desk)
    run(desk)
    runs = history(desk, "said")
    runs.get_by_role("button", name=re.compile("^More about run")).first.click()
    desk.page.get_by_role("menuitem", name=re.compile("^Compare with run")).click()
    expect(desk.page.get_by_role("dialog")).to_contain_text("Nothing differs")
