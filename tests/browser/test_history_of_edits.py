# SPDX-License-Identifier: Apache-2.0
"""Undo and redo go back and forth through all edits, also after a reload and a kill."""

from contextlib import suppress

from playwright.sync_api import Error, expect
from tests.browser.drawn_texts import CHAIN
from tests.browser.editing import Editor, opened, serving


def edit_in_many_ways(desk: Editor, name: str) -> list[str]:
    """Make six edits of different kinds; return the text before and after each."""
    graph, node = desk.graph, desk.node
    texts = [desk.served.text(name)]

    def note() -> None:
        texts.append(desk.served.text(name))

    node("names").click()
    desk.press("Delete")
    expect(node("names")).to_have_count(0)
    note()
    desk.rename("short", "brief")
    note()
    desk.press("Control+d")
    expect(node("brief_2")).to_be_visible()
    note()
    desk.press("n")
    desk.page.get_by_label("Text of the note").press("Escape")
    expect(graph.get_by_role("group", name="note:")).to_be_visible()
    note()
    node("brief").click()
    desk.page.get_by_label("length", exact=True).fill("3")
    desk.page.get_by_label("length", exact=True).press("Enter")
    expect(desk.page.get_by_role("button", name="Undo: brief: length")).to_be_enabled()
    note()
    graph.focus()
    desk.press("l")
    expect(desk.page.get_by_role("button", name="Undo: Arrange")).to_be_enabled()
    note()
    return texts


def step_through(desk: Editor, name: str, texts: list[str], key: str) -> None:
    """Press a key, and see each of the texts come in turn."""
    act = "Undo" if key == "Control+z" else "Redo"
    for text in texts:
        with desk.page.expect_response(f"**/{act.lower()}"):
            desk.press(key)
        assert desk.served.text(name) == text


def test_all_edits_are_undone_and_redone_also_after_a_reload(desk):
    desk.write("edited.yaml", CHAIN)
    texts = edit_in_many_ways(desk, "edited.yaml")
    assert len(set(texts)) == 7
    step_through(desk, "edited.yaml", texts[-2::-1][:3], "Control+z")
    desk.page.reload()
    expect(desk.node("brief")).to_be_visible()
    step_through(desk, "edited.yaml", texts[-5::-1], "Control+z")
    expect(desk.page.get_by_role("button", name="Undo")).to_be_disabled()
    desk.is_saved()
    step_through(desk, "edited.yaml", texts[1:], "Control+Shift+Z")
    expect(desk.page.get_by_role("button", name="Redo")).to_be_disabled()


def test_a_killed_server_has_lost_nothing_that_was_unsaved(browsing, tmp_path):
    with serving(tmp_path) as first, opened(browsing, first) as desk:
        file = desk.write("kept.yaml", CHAIN)
        texts = edit_in_many_ways(desk, "kept.yaml")
        desk.lose_server()
    assert file.read_text() == CHAIN
    with serving(tmp_path) as second, opened(browsing, second) as desk:
        desk.open("kept.yaml")
        desk.is_unsaved()
        assert second.text("kept.yaml") == texts[-1]
        step_through(desk, "kept.yaml", texts[-2::-1], "Control+z")
        desk.is_saved()
        assert file.read_text() == CHAIN


def test_a_killed_page_has_lost_nothing_that_was_unsaved(browsing, shared):
    with opened(browsing, shared) as desk:
        file = desk.write("crashed.yaml", CHAIN)
        desk.node("names").click()
        desk.press("Delete")
        desk.is_unsaved()
        with suppress(Error):
            desk.page.goto("chrome://crash")
    with opened(browsing, shared) as desk:
        desk.open()
        listed = desk.page.get_by_role("region", name="Files")
        expect(
            listed.get_by_role("button", name="crashed.yaml unsaved")
        ).to_be_visible()
        listed.get_by_role("button", name="crashed.yaml").click()
        desk.is_unsaved()
        expect(desk.node("names")).to_have_count(0)
        desk.press("Control+z")
        desk.is_saved()
        expect(desk.graph).to_have_accessible_name("Graph of chain: 3 steps")
        assert file.read_text() == CHAIN


def test_what_is_being_typed_is_sent_when_the_page_is_left(desk):
    desk.write("typed.yaml", CHAIN)
    desk.node("short").click()
    desk.page.get_by_label("length", exact=True).fill("4")
    desk.page.reload()
    desk.is_unsaved()
    assert "length: 4" in desk.served.text("typed.yaml")
