# SPDX-License-Identifier: Apache-2.0
"""Typing and leaving at once: what was typed reaches the server, or the page asks."""

import re

import pytest
from playwright.sync_api import expect
from tests.browser.drawn_texts import CHAIN
from tests.browser.editing import opened, serving


def text_view(desk):
    desk.page.get_by_role("button", name="Text", exact=True).click()
    return desk.page.get_by_role("textbox", name=re.compile("^Text of "))


def type_into_the_text(desk):
    text_view(desk).press("Control+End")
    desk.page.keyboard.type("# typed 7")


def type_into_a_field(desk):
    desk.node("short").click()
    desk.page.get_by_label("length", exact=True).fill("7")


@pytest.mark.parametrize("type_in", [type_into_the_text, type_into_a_field])
@pytest.mark.parametrize("leave", ["close", "reload"])
def test_what_was_typed_last_is_kept_when_the_page_is_left(
    browsing, shared, type_in, leave
):
    name = f"{type_in.__name__}-{leave[:2]}.yaml"
    with opened(browsing, shared) as desk:
        desk.write(name, CHAIN)
        type_in(desk)
        if leave == "close":
            with desk.page.expect_event("close"):
                desk.page.close(run_before_unload=True)
        else:
            desk.page.reload()
            expect(desk.page.get_by_role("banner")).to_be_visible()
        # The browser of the first is still there: what was under way comes through.
        with opened(browsing, shared) as other:
            other.open(name)
            other.is_unsaved()
            expect(text_view(other)).to_have_value(re.compile("typed 7|length: 7"))


def test_a_page_that_holds_what_nobody_heard_asks_before_it_closes(browsing, tmp_path):
    with serving(tmp_path) as served, opened(browsing, served) as desk:
        desk.write("away.yaml", CHAIN)
        desk.node("short").click()
        field = desk.page.get_by_label("length", exact=True)
        expect(field).to_be_editable()
        desk.lose_server()
        expect(desk.page.get_by_text("The server does not answer.")).to_be_visible()
        field.fill("7")
        with desk.page.expect_event("dialog") as asked:
            desk.page.close(run_before_unload=True)
        assert asked.value.type == "beforeunload"
        asked.value.accept()


def test_saving_by_keyboard_takes_what_was_just_typed_in_the_text(desk):
    file = desk.write("at-once.yaml", CHAIN)
    type_into_the_text(desk)
    desk.press("Control+s")
    expect(desk.page.get_by_role("button", name="Undo: Edit the text")).to_be_enabled()
    desk.is_saved()
    assert file.read_text() == f"{CHAIN}# typed 7"


def test_typing_in_the_text_leaves_all_other_line_ends_alone(desk):
    before = "\ufeff" + CHAIN.replace("\n", "\r\n")
    file = desk.write("ends.yaml", before)
    type_into_the_text(desk)
    desk.is_unsaved()
    desk.save()
    assert file.read_bytes() == f"{before}# typed 7".encode()
