# SPDX-License-Identifier: Apache-2.0
"""Two windows on one file, narrow windows, and a server that goes away and comes back."""

from playwright.sync_api import expect
from tests.browser.editing import opened, serving
from tests.browser.running import NOTES, change, ended, run

NARROW = {"width": 400, "height": 800}


def test_a_change_and_a_run_of_one_window_are_seen_in_the_other(desk, browsing):
    desk.write("shared.yaml", NOTES)
    with opened(browsing, desk.served) as other:
        other.open("shared.yaml")
        change(desk, "list", "length", "1")
        other.is_unsaved()
        other.press("Control+Enter")
        ended(desk)
        expect(desk.node("people")).to_contain_text("Ana Silva")
        expect(other.node("people")).to_contain_text("Ana Silva")


def test_a_narrow_window_shows_and_does_the_same(browsing, shared):
    with opened(browsing, shared, **NARROW) as phone:
        phone.write("narrow.yaml", NOTES)
        wide = phone.page.evaluate(
            "document.documentElement.scrollWidth - window.innerWidth"
        )
        assert wide <= 0
        run(phone)
        expect(phone.node("people")).to_contain_text("Ana Silva")
        phone.page.get_by_role("button", name="Inspector").click()
        panel = phone.page.get_by_role("complementary", name="Inspector")
        expect(panel).to_be_in_viewport()
        phone.press("Escape")
        expect(panel).to_be_hidden()


def test_a_page_whose_server_died_says_so_and_goes_on_after_a_new_link(
    browsing, tmp_path
):
    with serving(tmp_path) as served, opened(browsing, served) as editor:
        editor.write("kept.yaml", NOTES)
        change(editor, "list", "length", "1")
        editor.lose_server()
        expect(editor.page.get_by_text("The server does not answer")).to_be_visible()
        expect(editor.node("summary")).to_be_visible()
    with serving(tmp_path) as served, opened(browsing, served) as editor:
        editor.open("kept.yaml")
        editor.is_unsaved()
        editor.press("Control+z")
        editor.is_saved()
