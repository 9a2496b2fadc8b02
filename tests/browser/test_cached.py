# SPDX-License-Identifier: Apache-2.0
"""Before running, each node says what would become of it and why; what is known is not asked again."""

import re

from playwright.sync_api import expect
from tests.browser.editing import opened, serving
from tests.browser.running import NOTES, change, choose, foretold, run

ALL = ("summary", "people", "list")


def were_cached(editor, *steps):
    """Look that in the last run these steps, and no others, came out of the cache."""
    for step in ALL:
        word = r"done\s*cached" if step in steps else r"done\s*\d"
        expect(editor.node(step)).to_contain_text(re.compile(word))


def test_each_node_tells_what_would_become_of_it_and_the_run_button_how_many(desk):
    desk.write("told.yaml", NOTES)
    foretold(desk, "summary", "will run", "no result yet")
    for step in ("people", "list"):
        foretold(desk, step, "will run", "`summary` runs before it")
    button = desk.page.get_by_role("button", name=re.compile("^Run.*will run"))
    expect(button).to_contain_text("3 will run")
    run(desk)
    for step in ALL:
        foretold(desk, step, "cached")
    run(desk)
    were_cached(desk, *ALL)


def test_a_changed_parameter_makes_its_step_run_and_no_other(desk):
    desk.write("changed.yaml", NOTES)
    run(desk)
    change(desk, "list", "length", "1")
    foretold(desk, "list", "will run", "options")
    foretold(desk, "summary", "cached")
    foretold(desk, "people", "cached")
    run(desk)
    were_cached(desk, "summary", "people")


def test_a_run_from_here_asks_this_step_and_takes_what_is_before_it(desk):
    desk.write("here.yaml", NOTES)
    run(desk)
    choose(desk, "people")
    run(desk, keys="Shift+Enter")
    expect(desk.node("people")).to_contain_text(re.compile(r"done\s*\d"))
    expect(desk.node("summary")).to_contain_text(re.compile(r"done\s*cached"))


def test_what_cannot_run_is_blocked_and_says_why(desk):
    desk.write(
        "blocked.yaml",
        "lao: 1\nname: blocked\nsteps:\n  - id: asked\n"
        "    model: { kind: llama.cpp, model_path: no-such.gguf }\n"
        "    prompt_template: Hello\n"
        '  - id: after\n    input: "{{ asked }}"\n',
    )
    foretold(desk, "asked", "blocked", "no-such.gguf")


def test_a_later_step_changed_runs_no_earlier_one_even_after_a_restart(
    browsing, tmp_path
):
    with serving(tmp_path) as served, opened(browsing, served) as editor:
        editor.write("kept.yaml", NOTES)
        run(editor)
    with serving(tmp_path) as served, opened(browsing, served) as editor:
        editor.open("kept.yaml")
        change(editor, "list", "length", "1")
        foretold(editor, "summary", "cached")
        foretold(editor, "list", "will run")
        run(editor)
        were_cached(editor, "summary", "people")
