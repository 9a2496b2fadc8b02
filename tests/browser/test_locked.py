# SPDX-License-Identifier: Apache-2.0
"""The lock in the header says what the kernel reported, and nothing better than that."""

import re
import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect
from tests.browser.editing import opened, serving
from tests.browser.running import STORY, run

from lao.isolation.levels import look

pytestmark = pytest.mark.linux
WITHHELD = Path(__file__).parents[1] / "security" / "withheld.py"


def lock(editor):
    """The indicator."""
    return editor.page.get_by_role("button", name=re.compile("enforced$"))


def details(editor):
    """What it says when it is asked."""
    lock(editor).click()
    return editor.page.get_by_role("group", name="What is enforced")


def test_the_lock_tells_the_level_and_the_layers_that_were_read_back(desk):
    desk.write(
        "plain.yaml",
        "lao: 1\nname: plain\nsteps:\n  - id: short\n    uses: summarize\n"
        f'    with: {{ text: "{STORY}" }}\n',
    )
    expect(lock(desk)).to_have_accessible_name(
        re.compile("^0 outside connections.*kernel-enforced$")
    )
    said = details(desk)
    served = desk.served.asked("/api/server")["locality"]
    expect(said.get_by_role("heading", level=2)).to_have_text(
        f"{served['level']} {served['name']}"
    )
    assert served["layers"]["seccomp"]
    rows = said.get_by_role("listitem").filter(has=desk.page.get_by_role("img"))
    expect(rows).to_have_count(len(served["layers"]))
    for name, value in served["layers"].items():
        proof = "proved" if value not in (False, None, 0, []) else "not proved"
        row = rows.filter(has_text=name)
        expect(row.get_by_role("img", name=proof, exact=True)).to_have_count(1)
    expect(said).to_contain_text("None was reported since the start.")
    desk.press("Escape")
    expect(said).to_be_hidden()
    run(desk)
    expect(lock(desk)).to_have_accessible_name(re.compile("^0 outside connections"))


@pytest.mark.skipif(not look().seccomp, reason="the layer seccomp is missing")
def test_without_a_lock_the_indicator_is_red_and_says_not_enforced(browsing, tmp_path):
    withheld = (
        sys.executable,
        str(WITHHELD),
        "seccomp",
        "landlock",
        "namespaces",
        "--",
    )
    with (
        serving(tmp_path, "--accept-no-isolation", prefix=withheld) as served,
        opened(browsing, served) as editor,
    ):
        editor.open()
        expect(lock(editor)).to_have_accessible_name(
            re.compile("^outside connections possible.*not enforced$")
        )
        color = lock(editor).evaluate(
            "(each) => getComputedStyle(each).backgroundColor"
        )
        red, green, blue = map(int, re.findall(r"\d+", color)[:3])
        assert red > 2 * max(green, blue), color
        said = details(editor)
        expect(said).to_contain_text("not enforced by the kernel")
        for praise in ("None was reported", "locked workers", "proved"):
            expect(said).not_to_contain_text(praise)
