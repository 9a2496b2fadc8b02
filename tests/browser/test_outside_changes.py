# SPDX-License-Identifier: Apache-2.0
"""A file that changes elsewhere: on the disk, or in another window."""

from playwright.sync_api import expect
from tests.browser.drawn_texts import CHAIN
from tests.browser.editing import opened

NEW_STEP = """
  - id: more
    uses: redact
    with: { text: "{{ names }}" }
"""


def test_an_outside_change_of_a_saved_file_appears_by_itself(desk):
    file = desk.write("clean.yaml", CHAIN)
    file.write_text(CHAIN.replace("id: names", "id: people"))
    expect(desk.node("people")).to_be_visible()
    desk.is_saved()
    desk.page.get_by_role("button", name="Undo: ").click()
    expect(desk.node("names")).to_be_visible()
    desk.is_unsaved()


def test_changes_here_and_on_the_disk_are_merged_and_nothing_is_lost(desk):
    file = desk.write("dirty.yaml", CHAIN)
    desk.rename("short", "brief")
    outside = CHAIN.replace("mask: block }", "mask: label }") + NEW_STEP
    file.write_text(outside)
    banner = desk.page.get_by_text("was changed or removed elsewhere")
    expect(banner).to_be_visible()
    desk.press("Control+s")
    dialog = desk.page.get_by_role("dialog", name="Merge dirty.yaml")
    expect(dialog).to_be_visible()
    assert file.read_text() == outside
    take = dialog.get_by_role("button", name="Take this")
    expect(dialog.get_by_role("status")).to_have_text("1 conflict to decide")
    expect(take).to_be_disabled()
    conflict = dialog.get_by_role("region", name="Changed here and there")
    conflict.get_by_label("what is here").check()
    dialog.get_by_role("button", name="Show the result").click()
    expect(dialog.get_by_label("The result")).to_contain_text("id: more")
    take.click()
    expect(desk.graph).to_have_accessible_name("Graph of chain: 4 steps")
    expect(desk.node("brief")).to_be_visible()
    desk.save()
    brief = CHAIN.replace("id: short", "id: brief").replace("{ short }", "{ brief }")
    assert file.read_text() == brief + NEW_STEP


def test_a_merge_of_a_disk_that_changed_again_is_shown_anew(desk):
    file = desk.write("again.yaml", CHAIN)
    desk.node("names").click()
    desk.press("Delete")
    desk.is_unsaved()
    file.write_text("# one\n" + CHAIN)
    desk.page.get_by_role("button", name="Merge…").click()
    dialog = desk.page.get_by_role("dialog")
    expect(dialog.get_by_text("# one")).to_be_visible()
    file.write_text("# two\n" + CHAIN)
    dialog.get_by_role("button", name="Take this").click()
    expect(dialog.get_by_role("alert")).to_be_visible()
    expect(dialog.get_by_text("# two")).to_be_visible()
    dialog.get_by_role("button", name="Take this").click()
    expect(dialog).to_have_count(0)
    desk.save()
    assert file.read_text().startswith("# two\n")
    assert "id: names" not in file.read_text()


def test_a_file_that_is_removed_outside_stays_open_and_can_be_saved_again(desk):
    file = desk.write("removed.yaml", CHAIN)
    file.unlink()
    desk.page.get_by_role("button", name="Merge…").click()
    dialog = desk.page.get_by_role("dialog")
    expect(dialog).to_contain_text("the file was removed")
    dialog.get_by_role("button", name="Take this").click()
    expect(dialog).to_have_count(0)
    assert not file.exists()
    desk.save()
    assert file.read_text() == CHAIN


def test_two_windows_see_each_others_edits(browsing, desk):
    desk.write("both.yaml", CHAIN)
    with opened(browsing, desk.served) as other:
        other.open("both.yaml")
        other.node("names").click()
        other.press("Delete")
        expect(desk.node("names")).to_have_count(0)
        desk.is_unsaved()
        desk.save()
        other.is_saved()
        desk.press("Control+z")
        expect(other.node("names")).to_be_visible()


def test_an_edit_of_an_older_version_is_not_lost_and_loses_nothing(browsing, desk):
    desk.write("stale.yaml", CHAIN)
    wait_for_edit = desk.hold_next_edit()
    desk.node("names").click()
    desk.press("Delete")
    edit = wait_for_edit()
    with opened(browsing, desk.served) as other:
        other.open("stale.yaml")
        other.rename("short", "brief")
    edit.continue_()
    expect(desk.node("brief")).to_be_visible()
    expect(desk.node("names")).to_have_count(0)
    text = desk.served.text("stale.yaml")
    assert "id: brief" in text
    assert "id: names" not in text
