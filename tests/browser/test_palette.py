# SPDX-License-Identifier: Apache-2.0
"""The palette: recipes, plugins by their manifests alone, and what cannot be used."""

import pytest
from playwright.sync_api import expect
from tests.browser.drawn_texts import CHAIN
from tests.browser.editing import opened, serving
from tests.plugin_sources import write_plugin

MINE = """\
description: My own shortening
main: text
parameters: { text: {} }
engine: { prompt_template: "Shorten: {{ text }}", model: { kind: embedded, name: summary } }
"""


@pytest.fixture(scope="module")
def canary(tmp_path_factory):
    """Return the path of a file that a plugin's code would write, if it ran."""
    return tmp_path_factory.mktemp("canary") / "it-ran"


@pytest.fixture(scope="module")
def shared(tmp_path_factory, canary):
    base = tmp_path_factory.mktemp("ui")
    plugins = base / "home" / ".local" / "share" / "lao" / "plugins"
    code = f"open({str(canary)!r}, 'w').close()\n"
    write_plugin(plugins / "word-count", code)
    plugins.chmod(0o700)
    recipes = base / "work" / "recipes"
    recipes.mkdir(parents=True)
    (recipes / "mine.yaml").write_text(MINE)
    with serving(base) as server:
        yield server


def test_recipes_of_lao_and_of_the_folder_can_be_added(desk):
    desk.create("recipes.yaml")
    for name in ("transcribe", "summarize", "extract-entities", "save", "mine"):
        expect(desk.entry(name)).to_be_visible()
    desk.add("mine", 300, 100)
    expect(desk.node("mine")).to_be_visible()
    assert "uses: mine" in desk.served.text("recipes.yaml")


def test_a_plugin_has_typed_ports_and_its_code_is_never_run(desk, canary):
    text = CHAIN + '\n  - id: counted\n    uses: word-count\n    input: "{{ short }}"\n'
    desk.write("plugin.yaml", text)
    expect(desk.entry("word-count")).to_contain_text("json")
    expect(desk.entry("word-count")).to_contain_text("not trusted")
    expect(desk.port("counted", "input: takes text")).to_be_visible()
    expect(desk.output("counted")).to_have_attribute("title", "gives json")
    desk.rename("counted", "words")
    desk.save()
    assert "id: words" in desk.served.text("plugin.yaml")
    assert not canary.exists()


def test_a_search_offers_first_what_takes_the_chosen_value(desk):
    desk.write("search.yaml", CHAIN)
    desk.node("input notes").click()
    desk.press("/")
    search = desk.page.get_by_role("combobox", name="Search for a step to add")
    expect(search).to_be_focused()
    search.fill("tr")
    entries = desk.page.get_by_role("listbox", name="Steps that can be added")
    expect(entries.get_by_role("option").first).to_contain_text("translate")
    search.fill("zzz")
    expect(entries).to_contain_text("No step is called")
    desk.press("Escape", "Escape")
    expect(desk.graph).to_be_focused()


def test_on_a_narrow_window_the_panels_make_way(browsing, shared):
    with opened(browsing, shared, width=390, height=780) as desk:
        desk.write("narrow.yaml", CHAIN)
        desk.node("short").click()
        width = desk.page.evaluate("document.documentElement.scrollWidth")
        assert width <= 390
