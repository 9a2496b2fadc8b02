# SPDX-License-Identifier: Apache-2.0
"""What a saved file differs in from the one that was opened: what was meant, nothing else."""

import re
from difflib import unified_diff

import pytest
from playwright.sync_api import expect
from tests.browser.drawn_texts import CHAIN
from tests.browser.editing import middle

ODD = (
    "# odd, but its writer's own\r\n"
    "lao:   1\r\n"
    "name: 'odd'   # quoted for no reason\r\n"
    "\r\n"
    'inputs: {notes: {type: text,   description: "what was said"}}\r\n'
    "steps:\r\n"
    "- uses: summarize      # the id comes last\r\n"
    "  with:\r\n"
    "      text: '{{ inputs.notes }}'\r\n"
    "      length:    7   # lines\r\n"
    '  id: "short"\r\n'
    "\r\n"
    "# the end"
)


def changed_lines(before: str, after: str) -> list[str]:
    """Return the lines taken away and added."""
    pair = before.splitlines(keepends=True), after.splitlines(keepends=True)
    return [line for line in list(unified_diff(*pair, n=0))[2:] if line[0] in "+-"]


def test_a_parameter_that_is_changed_changes_its_line_alone(desk):
    file = desk.write("parameter.yaml", ODD)
    desk.node("short").click()
    length = desk.page.get_by_label("length", exact=True)
    length.fill("9")
    length.press("Enter")
    desk.is_unsaved()
    assert file.read_bytes() == ODD.encode()
    desk.save()
    assert file.read_bytes() == ODD.replace("7   #", "9   #").encode()

    desk.page.get_by_role("button", name="Undo: ").click()
    desk.is_unsaved()
    desk.save()
    assert file.read_bytes() == ODD.encode()


def test_a_file_that_is_only_opened_and_saved_has_the_same_bytes(desk):
    file = desk.write("same.yaml", ODD)
    before = file.stat()
    desk.page.keyboard.press("Control+s")
    desk.press("Control+Shift+S")
    desk.page.get_by_label("Name in the folder").fill("copy.yaml")
    desk.press("Enter")
    expect(desk.page.get_by_role("tab", name="copy.yaml")).to_be_visible()
    desk.is_saved()
    assert (desk.served.folder / "copy.yaml").read_bytes() == ODD.encode()
    assert file.read_bytes() == ODD.encode()
    assert file.stat().st_ino == before.st_ino


def test_a_node_that_is_dragged_changes_one_line_at_most(desk):
    placed = (
        CHAIN + "ui:\n  short: [0, 0]  # first\n  hidden: [300, 0]\n  names: [600, 0]\n"
    )
    file = desk.write("dragged.yaml", placed)
    head = desk.node("hidden").get_by_text("hidden", exact=True)
    x, y = middle(head)
    desk.page.mouse.move(x, y)
    desk.page.mouse.down()
    desk.page.mouse.move(x + 40, y + 160, steps=4)
    desk.page.mouse.up()
    desk.is_unsaved()
    desk.save()
    removed, added = changed_lines(placed, file.read_text())
    assert removed == "-  hidden: [300, 0]\n"
    assert re.fullmatch(r"\+  hidden: \[\d+, \d+\]\n", added)


def test_a_name_that_is_taken_cannot_be_saved_under(desk):
    (desk.served.folder / "taken.yaml").write_text(CHAIN)
    file = desk.write("asking.yaml", CHAIN)
    desk.press("Control+Shift+S")
    name = desk.page.get_by_label("Name in the folder")
    name.fill("taken.yaml")
    expect(desk.page.get_by_role("alert")).to_contain_text("a file of that name")
    expect(
        desk.page.get_by_role("button", name="Save", exact=True).last
    ).to_be_disabled()
    name.fill("../outside.yaml")
    name.press("Enter")
    expect(desk.page.get_by_role("dialog").get_by_role("alert")).not_to_be_empty()
    assert not (desk.served.folder.parent / "outside.yaml").exists()
    assert file.read_text() == CHAIN


def test_an_example_becomes_a_file_of_its_own(desk):
    desk.open()
    desk.page.get_by_role("button", name="Open or create a file").click()
    desk.page.get_by_role("button", name="New…").click()
    gallery = desk.page.get_by_role("dialog", name="New workflow")
    gallery.get_by_role("button", name="meeting-notes").click()
    expect(desk.page.get_by_role("tab", name="meeting-notes.yaml")).to_be_visible()
    expect(desk.graph).to_have_accessible_name(re.compile("meeting-notes"))
    text = (desk.served.folder / "meeting-notes.yaml").read_text()
    assert "lao check meeting-notes.yaml" in text


def test_several_files_are_open_and_the_unsaved_one_is_marked(desk):
    (desk.served.folder / "first.yaml").write_text(CHAIN)
    desk.write("second.yaml", CHAIN)
    desk.press("Control+o")
    search = desk.page.get_by_label("Search files")
    search.fill("first")
    found = desk.page.get_by_role("dialog").get_by_role("button", name="first.yaml")
    expect(found).to_be_visible()
    search.press("Enter")
    tabs = desk.page.get_by_role("tablist", name="Open files").get_by_role("tab")
    expect(tabs).to_have_count(2)
    desk.node("names").click()
    desk.press("Delete")
    unsaved = desk.page.get_by_role("tab", name="not saved")
    expect(unsaved).to_have_count(1)
    expect(unsaved).to_contain_text("first.yaml")
    expect(desk.page).to_have_title(re.compile("^• first.yaml"))
    desk.press("Alt+PageDown")
    expect(desk.node("names")).to_be_visible()
    desk.page.get_by_title("Close first.yaml").click()
    desk.page.get_by_role("button", name="Open again").click()
    expect(desk.page.get_by_role("tab", name="not saved")).to_be_visible()
    expect(desk.node("names")).to_have_count(0)


@pytest.fixture
def locked(desk):
    """Return a folder in which nothing can be written."""
    folder = desk.served.folder / "locked"
    folder.mkdir()
    (folder / "fixed.yaml").write_text(CHAIN)
    (folder / "fixed.yaml").chmod(0o444)
    folder.chmod(0o555)
    yield folder
    folder.chmod(0o755)


def test_what_cannot_be_written_is_open_for_reading(desk, locked):
    desk.open("locked/fixed.yaml")
    expect(desk.page.get_by_text("Read only:")).to_be_visible()
    desk.node("names").click()
    desk.press("Delete")
    expect(desk.page.get_by_role("log")).to_contain_text("cannot be changed")
    expect(desk.page.get_by_label("Name of the step")).to_be_disabled()
    expect(desk.node("names")).to_be_visible()
    desk.press("Control+Shift+S")
    desk.page.get_by_label("Name in the folder").fill("mine.yaml")
    desk.press("Enter")
    expect(desk.page.get_by_role("tab", name="mine.yaml")).to_be_visible()
    assert (desk.served.folder / "mine.yaml").read_text() == CHAIN
