# SPDX-License-Identifier: Apache-2.0
"""A workflow is drawn, walked and changed with the keyboard alone."""

from dataclasses import dataclass, field

import yaml
from playwright.sync_api import expect
from tests.browser.drawn_texts import CHAIN, DRAWN
from tests.browser.editing import Editor


@dataclass
class Typist:
    """Presses one key after the other, each counted, and looks at the page between."""

    desk: Editor
    keys: list[str] = field(default_factory=list)

    def press(self, *keys: str) -> None:
        self.keys += keys
        self.desk.press(*keys)

    def add(self, letters: str, created: str) -> None:
        self.press("/", *letters, "Enter")
        expect(self.desk.node(created)).to_be_visible()


def test_the_demo_workflow_is_drawn_with_forty_keystrokes_at_most(desk):
    file = desk.create("drawn.yaml")
    typist = Typist(desk)
    typist.add("au", "input audio")
    typist.add("tr", "transcribe")
    typist.add("su", "summarize")
    typist.press("ArrowLeft")
    typist.add("ex", "extract_entities")
    typist.press("Control+s")
    desk.is_saved()
    told, wanted = yaml.safe_load(file.read_text()), yaml.safe_load(DRAWN)
    assert sorted(map(str, told.pop("steps"))) == sorted(map(str, wanted.pop("steps")))
    assert told == wanted
    assert len(typist.keys) <= 40, typist.keys


def test_ports_are_connected_from_a_list_of_those_that_fit(desk):
    desk.write("listed.yaml", CHAIN)
    desk.graph.focus()
    desk.press("Home", "c")
    offers = desk.page.get_by_role("dialog", name="Connect input notes to")
    expect(offers.get_by_role("combobox")).to_be_focused()
    desk.press(*"names", "Enter")
    expect(
        desk.page.get_by_role("button", name="Undo: Connect input notes to names")
    ).to_be_enabled()
    steps = yaml.safe_load(desk.served.text("listed.yaml"))["steps"]
    assert steps[2]["with"] == {"text": "{{ inputs.notes }}"}


def test_arrows_walk_and_enter_edits(desk):
    desk.write("walked.yaml", CHAIN)
    desk.graph.focus()
    desk.press("Home", "ArrowRight", "ArrowRight")
    expect(desk.graph).to_have_attribute("aria-activedescendant", "node-hidden")
    desk.press("Enter")
    name = desk.page.get_by_label("Name of the step")
    expect(name).to_be_focused()
    expect(name).to_have_value("hidden")
    desk.press("Control+a", *"masked", "Enter")
    expect(desk.node("masked")).to_be_visible()
    assert "{ masked }" in desk.served.text("walked.yaml")


def test_the_list_does_what_the_graph_does(desk):
    desk.write("rows.yaml", CHAIN)
    desk.press("v")
    rows = desk.page.get_by_role("list", name="Steps of chain")
    expect(rows.get_by_role("listitem")).to_have_count(4)
    rows.get_by_role("button", name="names extract").click()
    desk.press("Delete")
    expect(rows.get_by_role("listitem")).to_have_count(3)
    assert "id: names" not in desk.served.text("rows.yaml")
    desk.press("Control+z")
    expect(rows.get_by_role("listitem")).to_have_count(4)


def test_every_key_is_told(desk):
    desk.write("help.yaml", CHAIN)
    desk.press("?")
    sheet = desk.page.get_by_role("dialog", name="Keyboard")
    for told in (
        "Walk along the connections",
        "Connect the step to…",
        "Undo",
        "Rename the step",
    ):
        expect(sheet.get_by_text(told, exact=True)).to_be_visible()
    desk.press("Escape")
    expect(sheet).to_have_count(0)
