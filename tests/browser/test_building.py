# SPDX-License-Identifier: Apache-2.0
"""A workflow is drawn and changed with the mouse."""

import re

import yaml
from playwright.sync_api import expect
from tests.browser.drawn_texts import CHAIN, DRAWN
from tests.running_lao import Lao


def test_the_demo_workflow_is_drawn_by_mouse(desk):
    file = desk.create("drawn.yaml")
    desk.add("audio input", 60, 200)
    desk.add("transcribe", 320, 120)
    desk.add("summarize", 580, 40)
    desk.add("extract-entities", 580, 360)
    desk.connect("input audio", "transcribe", "audio: takes audio")
    desk.connect("transcribe", "summarize", "text: takes text")
    desk.connect("transcribe", "extract_entities", "text: takes text")
    expect(desk.status).to_contain_text("No problems")
    desk.save()
    steps, _, places = file.read_text().partition("ui:\n")
    assert steps.rstrip() == DRAWN.rstrip()
    assert len(places.splitlines()) == 4
    checked = Lao(desk.served.folder)("check", "drawn.yaml")
    assert (checked.returncode, checked.stderr) == (0, "")


def test_a_connection_that_does_not_fit_is_refused_while_it_is_drawn(desk):
    desk.create("refused.yaml")
    desk.add("audio input", 60, 200)
    desk.add("summarize", 520, 120)
    desk.hold(desk.output("input audio"), desk.port("summarize", "text: takes text"))
    expect(desk.graph).to_contain_text("this takes text, not audio")
    assert "{{" not in desk.served.text("refused.yaml")
    desk.page.mouse.up()
    why = desk.page.get_by_role("dialog", name="These do not fit")
    expect(why.get_by_role("alert")).to_contain_text("audio")
    why.get_by_role("option", name="Insert transcribe").click()
    expect(desk.status).to_contain_text("No problems")
    told = yaml.safe_load(desk.served.text("refused.yaml"))
    steps = {each["id"]: each["with"] for each in told["steps"]}
    assert steps == {
        "transcribe": {"audio": "{{ inputs.audio }}"},
        "summarize": {"text": "{{ transcribe }}"},
    }


def test_a_connection_let_go_on_the_canvas_offers_what_takes_its_value(desk):
    desk.write("offers.yaml", CHAIN)
    desk.hold(desk.output("names"), desk.page.get_by_title("Arrange (L)"))
    desk.page.mouse.move(800, 780)
    desk.page.mouse.up()
    offers = desk.page.get_by_role("dialog", name="Add a step that takes json")
    expect(offers.get_by_role("option", name="select")).to_be_visible()
    expect(offers.get_by_role("option", name="transcribe")).to_have_count(0)
    offers.get_by_role("option", name=re.compile("^join")).click()
    expect(desk.node("join")).to_be_visible()
    assert "{{ names }}" in desk.served.text("offers.yaml")


def test_a_step_that_is_deleted_takes_its_own_comments_along(desk):
    file = desk.write("deleted.yaml", CHAIN)
    desk.node("hidden").click()
    desk.press("Delete")
    expect(desk.node("hidden")).to_have_count(0)
    desk.save()
    kept = file.read_text()
    assert "without names" not in kept
    assert "or label" not in kept
    assert "# first, the short form\n  - id: short     # five lines\n" in kept
    assert "  # at last\n  - id: names\n" in kept


def test_a_step_that_is_renamed_is_renamed_where_it_is_read(desk):
    file = desk.write("renamed.yaml", CHAIN)
    desk.node("short").get_by_text("short", exact=True).dblclick()
    desk.page.get_by_label("New name of short").fill("brief")
    desk.press("Enter")
    expect(desk.node("brief")).to_be_visible()
    desk.save()
    wanted = CHAIN.replace("id: short", "id: brief").replace("{ short }", "{ brief }")
    assert file.read_text() == wanted


def test_copies_are_linked_to_each_other_also_in_another_file(desk):
    desk.write("copied.yaml", CHAIN)
    desk.node("hidden").click()
    desk.press("Shift+ArrowRight", "Control+c", "Control+v")
    expect(desk.node("names_2")).to_be_visible()
    steps = yaml.safe_load(desk.served.text("copied.yaml"))["steps"]
    assert steps[3]["with"] == {"text": "{{ short }}", "mask": "block"}
    assert steps[4]["with"] == {"text": "{{ hidden_2 }}"}

    desk.create("target.yaml")
    desk.graph.focus()
    desk.press("Control+v")
    expect(desk.node("names")).to_be_visible()
    steps = yaml.safe_load(desk.served.text("target.yaml"))["steps"]
    assert [each["id"] for each in steps] == ["hidden", "names"]
    assert steps[1]["with"] == {"text": "{{ hidden }}"}


def test_a_duplicate_reads_what_the_step_reads(desk):
    desk.write("twice.yaml", CHAIN)
    desk.node("hidden").click()
    desk.press("Control+d")
    expect(desk.node("hidden_2")).to_be_visible()
    last = yaml.safe_load(desk.served.text("twice.yaml"))["steps"][-1]
    assert last["with"] == {"text": "{{ short }}", "mask": "block"}


def test_notes_and_groups_are_one_line_each(desk):
    file = desk.write("boxes.yaml", CHAIN)
    desk.graph.focus()
    desk.press("n")
    desk.page.get_by_label("Text of the note").fill("Ask: is it enough?")
    desk.press("Control+Enter")
    desk.node("short").click()
    desk.press("Shift+ArrowRight", "g")
    desk.page.get_by_label("Title of the group").fill("Shorten")
    desk.press("Enter")
    expect(desk.graph.get_by_role("group", name="group Shorten")).to_be_visible()
    desk.save()
    text = file.read_text()
    assert text.startswith(CHAIN)
    drawn = text.removeprefix(CHAIN).strip().splitlines()
    assert [line.split(":")[0].strip() for line in drawn] == ["ui", "note/1", "group/1"]
    assert [box[4] for box in yaml.safe_load(text)["ui"].values()] == [
        "Ask: is it enough?",
        "Shorten",
    ]


def test_arranging_is_one_change_that_one_undo_takes_back(desk):
    places = "ui:\n  short: [0, 400]\n  hidden: [0, 0]\n  names: [8, 40]\n"
    desk.write("arranged.yaml", CHAIN + places)
    desk.page.get_by_role("button", name="Arrange (L)").click()
    expect(desk.page.get_by_role("button", name="Undo: Arrange")).to_be_enabled()
    place = yaml.safe_load(desk.served.text("arranged.yaml"))["ui"]
    assert place["short"][0] < place["hidden"][0] < place["names"][0]
    desk.page.get_by_role("button", name="Undo: Arrange").click()
    desk.is_saved()
    assert desk.served.text("arranged.yaml") == CHAIN + places
