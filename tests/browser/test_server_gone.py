# SPDX-License-Identifier: Apache-2.0
"""The server dies and returns: what the page says, and what becomes of the work."""

from playwright.sync_api import expect
from tests.browser.drawn_texts import CHAIN
from tests.browser.editing import opened, serving


def test_an_edit_that_nobody_heard_is_sent_when_the_server_is_back(browsing, tmp_path):
    with serving(tmp_path) as first, opened(browsing, first) as desk:
        file = desk.write("gone.yaml", CHAIN)
        desk.rename("short", "brief")
        wait_for_edit = desk.hold_next_edit()
        desk.node("names").click()
        desk.press("Delete")
        edit = wait_for_edit()
        desk.lose_server()
        edit.continue_()
        expect(desk.page.get_by_text("The server does not answer.")).to_be_visible()
        expect(desk.status).to_contain_text("1 not sent yet")

        with serving(tmp_path, "--port", str(first.port)) as second:
            desk.window.expected.append("status of 401")
            restarted = desk.page.get_by_text("The server was started anew.")
            expect(restarted).to_be_visible()
            expect(desk.node("names")).to_be_visible()
            desk.page.goto(second.new_link())
            expect(restarted).to_have_count(0)
            expect(desk.node("names")).to_have_count(0)
            desk.save()
            text = file.read_text()
            assert "id: brief" in text
            assert "id: names" not in text
            desk.press("Control+z", "Control+z")
            expect(desk.node("short")).to_be_visible()


def test_a_link_works_once_and_says_what_to_do_then(browsing, shared):
    link = shared.new_link()
    with opened(browsing, shared) as desk:
        desk.page.goto(link)
        expect(desk.page.get_by_role("heading", name="Examples")).to_be_visible()
        assert "token" not in desk.page.url
        desk.page.reload()
        expect(desk.page.get_by_role("heading", name="Examples")).to_be_visible()
    with opened(browsing, shared) as desk:
        desk.window.expected.append("status of 401")
        desk.page.goto(link)
        expect(desk.page.get_by_text("This link was used already")).to_be_visible()
        desk.page.goto(shared.new_link())
        expect(desk.page.get_by_role("heading", name="Examples")).to_be_visible()
