# SPDX-License-Identifier: Apache-2.0
"""What this LAO does not know, or cannot read, is shown, kept, and can be mended."""

from playwright.sync_api import expect
from tests.browser.drawn_texts import CHAIN

UNKNOWN = CHAIN.replace(
    "uses: redact\n", "conjure: { with: smoke, mirrors: 2 }   # of another LAO\n"
).replace("mask: block", "power: 9")


def test_an_unknown_step_stays_as_it_is_with_its_connections(desk):
    file = desk.write("unknown.yaml", UNKNOWN)
    expect(desk.node("hidden")).to_be_visible()
    for link in ("short to hidden", "hidden to names"):
        expect(desk.graph.get_by_role("img", name=link)).to_be_attached()
    desk.node("hidden").click()
    inspector = desk.page.get_by_role("complementary", name="Inspector")
    expect(inspector).to_contain_text("saved unchanged")
    expect(inspector.get_by_label("Name of the step")).to_be_disabled()
    desk.rename("names", "people")
    desk.save()
    assert file.read_text() == UNKNOWN.replace("id: names", "id: people")


def test_a_newer_format_is_shown_and_never_changed(desk):
    newer = CHAIN.replace("lao: 1", "lao: 2")
    file = desk.write("newer.yaml", newer)
    expect(
        desk.page.get_by_text("Read only: it is written for a newer format")
    ).to_be_visible()
    expect(desk.graph.get_by_role("img", name="short to hidden")).to_be_attached()
    desk.node("names").click()
    desk.press("Delete", "Control+s")
    expect(desk.page.get_by_role("log")).to_contain_text("cannot be changed")
    expect(desk.node("names")).to_be_visible()
    assert file.read_text() == newer


def test_text_that_is_no_yaml_is_mended_in_the_text_view(desk):
    file = desk.write("broken.yaml", CHAIN.replace("id: hidden", "id: 'hidden"))
    expect(desk.graph).to_contain_text("Mend it in the text")
    desk.status.get_by_role("button", name="1 problem").click()
    problem = desk.page.get_by_role("group", name="Problems").get_by_role("button")
    problem.first.click()
    area = desk.page.get_by_label("Text of broken.yaml")
    expect(area).to_be_focused()
    area.fill(CHAIN)
    expect(desk.status).to_contain_text("No problems")
    desk.save()
    assert file.read_text() == CHAIN
    desk.page.get_by_role("button", name="Graph").click()
    expect(desk.node("hidden")).to_be_visible()


def test_what_is_typed_in_the_text_is_one_change_of_the_graph(desk):
    desk.write("text.yaml", CHAIN)
    desk.page.get_by_role("button", name="Text", exact=True).click()
    area = desk.page.get_by_label("Text of text.yaml")
    area.fill(CHAIN.replace("id: names", "id: people"))
    desk.is_unsaved()
    desk.page.get_by_role("button", name="Graph").click()
    expect(desk.node("people")).to_be_visible()
    desk.page.get_by_role("button", name="Undo: Edit the text").click()
    expect(desk.node("names")).to_be_visible()
    desk.is_saved()
