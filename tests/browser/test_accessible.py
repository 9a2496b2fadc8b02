# SPDX-License-Identifier: Apache-2.0
"""What axe-core finds in every state of the page: nothing serious."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect
from tests.browser.editing import opened
from tests.browser.running import (
    NOTES,
    ended,
    history,
    inspect,
    reciting,
    run,
    talking,
)

ROOT = Path(__file__).parents[2]
AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
INSPECTOR = "aside[aria-label=Inspector]"
SIZES = {"wide": (1440, 900), "narrow": (400, 800)}
STATES = """\
lao: 1
name: states
inputs:
  words: {{ type: text, default: "Good morning.|And on." }}
steps:
  - id: said
    model: {model}
    input: "{{{{ inputs.words }}}}"
  - id: failed
    model: {model}
    input: "fail: {{{{ said }}}}"
  - id: parts
    input: "{{{{ said | split }}}}"
"""

pytestmark = pytest.mark.skipif(
    not AXE.exists(), reason="axe-core is missing; run `npm ci` in web/"
)


def findings(editor, part, *rules):
    """Return the serious and critical findings, each with where it is."""
    found = editor.page.evaluate(
        """async ([part, rules]) => {
          const only = rules.length > 0 ? { runOnly: rules } : {};
          const all = await axe.run(part, { ...only, resultTypes: ["violations"] });
          return all.violations
            .filter((each) => ["serious", "critical"].includes(each.impact))
            .flatMap((each) => each.nodes.map((node) =>
              `${each.id}: ${node.html.slice(0, 160)} ${node.failureSummary}`));
        }""",
        [part, list(rules)],
    )
    return list(found)


def is_accessible(editor, part):
    """Look at what is new in the page in light, and at the contrast of it in dark."""
    still(editor)
    assert findings(editor, part) == []
    if is_narrow(editor):
        return  # the colours are the same
    editor.page.emulate_media(color_scheme="dark")
    still(editor)
    assert findings(editor, part, "color-contrast") == [], "dark"
    editor.page.emulate_media(color_scheme="light")


def is_narrow(editor):
    """Whether panels lie over the graph."""
    return editor.page.viewport_size == dict(
        zip(("width", "height"), SIZES["narrow"], strict=True)
    )


def still(editor):
    """Wait until nothing moves: what is half faded in has no contrast."""
    editor.page.evaluate(
        """async () => {
          const moves = (each) => each.effect.getComputedTiming().iterations !== Infinity;
          do await new Promise(requestAnimationFrame);
          while (document.getAnimations().some(moves));
        }"""
    )


@pytest.fixture(params=SIZES, ids=SIZES)
def looked_at(request, browsing, shared):
    """Return a window of a size."""
    width, height = SIZES[request.param]
    with opened(browsing, shared, width=width, height=height) as editor:
        editor.page.emulate_media(color_scheme="light")
        yield editor


def load_axe(editor):
    """Put axe-core into the page, past its own policy."""
    editor.page.evaluate(AXE.read_text("utf-8"))


def write(editor, name, text):
    """Open a file; in a narrow window its steps are there without being in sight."""
    editor.write(name, text)
    load_axe(editor)


def test_every_view_and_dialog(looked_at, request):
    name = re.sub(r"\W+", "-", request.node.name)
    write(looked_at, f"{name}.yaml", NOTES)
    is_accessible(looked_at, "body")
    for view in ("List", "Text"):
        looked_at.page.get_by_role("button", name=view, exact=True).click()
        is_accessible(looked_at, "main")
    looked_at.page.get_by_role("button", name="Graph", exact=True).click()
    for keys in ("?", "Control+o", "Control+Shift+s"):
        looked_at.press(keys)
        expect(looked_at.page.get_by_role("dialog")).to_be_visible()
        is_accessible(looked_at, "dialog")
        looked_at.press("Escape")
        expect(looked_at.page.get_by_role("dialog")).to_have_count(0)
    looked_at.page.get_by_role("button", name="More ways to run").click()
    is_accessible(looked_at, "header")
    looked_at.page.get_by_role("menuitem", name="Run with other inputs…").click()
    is_accessible(looked_at, "dialog")


def test_before_while_and_after_a_run(looked_at, request, tmp_path):
    name = re.sub(r"\W+", "-", request.node.name)
    gate = tmp_path / "gates" / "open"
    model = reciting(looked_at.served.folder, gate=gate)
    write(looked_at, f"{name}.yaml", STATES.format(model=model))
    looked_at.press("Control+Enter")
    talking(looked_at, "said")
    is_accessible(looked_at, "main")
    is_accessible(looked_at, "header")
    gate.touch()
    first = ended(looked_at, "failed")
    looked_at.press("Control+j")
    is_accessible(looked_at, "body")
    looked_at.press("Control+j")
    if is_narrow(looked_at):
        return
    inspect(looked_at, "failed", "Output")
    is_accessible(looked_at, INSPECTOR)
    second = run(looked_at, "failed")
    runs = history(looked_at, "said")
    is_accessible(looked_at, INSPECTOR)
    for each in (first, second):
        runs.get_by_label(f"Compare run {each}").check()
    runs.get_by_role("button", name="Compare", exact=True).click()
    expect(looked_at.page.get_by_role("dialog")).to_contain_text("The same in both")
    is_accessible(looked_at, "dialog")


def test_a_conflict_and_its_merge(looked_at, request):
    name = re.sub(r"\W+", "-", request.node.name)
    write(looked_at, f"{name}.yaml", NOTES)
    looked_at.page.get_by_role("button", name="Text", exact=True).click()
    field = looked_at.page.get_by_role("main").get_by_role("textbox")
    field.fill(NOTES.replace("length: 2", "length: 3"))
    looked_at.is_unsaved()
    path = looked_at.served.folder / f"{name}.yaml"
    path.write_text(NOTES.replace("length: 2", "length: 4"))
    looked_at.page.get_by_role("button", name="Merge…").click()
    expect(looked_at.page.get_by_role("dialog")).to_be_visible()
    is_accessible(looked_at, "dialog")


def test_before_anything_is_open(looked_at):
    looked_at.open()
    load_axe(looked_at)
    is_accessible(looked_at, "body")
