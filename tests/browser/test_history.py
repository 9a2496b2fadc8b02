# SPDX-License-Identifier: Apache-2.0
"""The runs of a file: an old one is shown again, stepped through, and gives its inputs."""

import re

import pytest
from playwright.sync_api import expect
from tests.browser.editing import settle
from tests.browser.running import ended, history, run

ECHO = """\
lao: 1
name: echo
inputs:
  word: { type: text }
steps:
  - id: loud
    input: "{{ inputs.word | upper }}"
  - id: twice
    input: "{{ loud }} {{ loud }}"
"""


@pytest.fixture
def two_runs(desk, request):
    """Run a file with two words; return the names of the runs."""
    desk.write(f"{request.node.name}.yaml", ECHO)
    names = []
    for word in ("first", "second"):
        open_menu(desk, "More ways to run", "Run with other inputs…")
        dialog = desk.page.get_by_role("dialog", name="Inputs of this run")
        dialog.get_by_label(re.compile("^word")).fill(word)
        dialog.get_by_role("button", name="Run", exact=True).click()
        names.append(ended(desk, but=names[-1] if names else ""))
    return names


def open_menu(desk, button, item):
    """Choose something from a menu."""
    desk.page.get_by_role("button", name=button).click()
    desk.page.get_by_role("menuitem", name=item).click()


def entry(desk, name):
    """A run in the list."""
    runs = history(desk, "twice")
    return runs.get_by_role("button", name=re.compile(f"^#{name} "))


def test_an_old_run_is_shown_on_the_graph_and_stepped_through(desk, two_runs):
    old, new = two_runs
    expect(desk.node("twice")).to_contain_text("SECOND SECOND")
    expect(entry(desk, new)).to_contain_text("done")
    entry(desk, old).click()

    banner = desk.page.get_by_role("region", name="An earlier run")
    expect(banner).to_contain_text(f"Looking at run {old}")
    expect(desk.node("twice")).to_contain_text("FIRST FIRST")
    facts = banner.get_by_role("slider", name="Facts of the run")
    facts.press("Home")
    expect(desk.node("twice")).not_to_contain_text("FIRST")
    for _ in range(20):
        settle(desk.page)
        if "done" in (desk.node("loud").text_content() or ""):
            break
        banner.get_by_role("button", name="One fact on").click()
    expect(desk.node("loud")).to_contain_text("FIRST")
    expect(desk.node("twice")).not_to_contain_text("FIRST")
    banner.get_by_role("button", name="Back to now").click()
    expect(desk.node("twice")).to_contain_text("SECOND SECOND")


def test_the_inputs_of_an_old_run_are_taken_for_the_next(desk, two_runs):
    old, _ = two_runs
    entry(desk, old).click()
    banner = desk.page.get_by_role("region", name="An earlier run")
    banner.get_by_role("button", name="Use its inputs").click()
    banner.get_by_role("button", name="Back to now").click()
    run(desk)
    expect(desk.node("twice")).to_contain_text("FIRST FIRST")
    expect(desk.node("input word")).to_contain_text("first")


def test_an_old_run_is_run_again(desk, two_runs):
    old, new = two_runs
    history(desk, "twice")
    open_menu(desk, f"More about run {old}", "Run it again")
    ended(desk, but=new)
    expect(desk.node("twice")).to_contain_text("FIRST FIRST")


def test_the_history_is_there_after_a_reload(desk, two_runs):
    desk.page.reload()
    for name in two_runs:
        expect(entry(desk, name)).to_contain_text("done")
