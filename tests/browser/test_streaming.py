# SPDX-License-Identifier: Apache-2.0
"""While models write: tokens come piece by piece, and neither a reload nor a death loses them."""

import re
from itertools import pairwise

from playwright.sync_api import expect
from tests.browser.editing import opened, serving
from tests.browser.running import LONG, endless, history, stop, talking, talks


def shown(stream):
    """Return what a model has written so far."""
    return stream.text_content()


def beginning(text):
    """Return what a text that goes on like this one looks like."""
    return re.compile("^" + re.escape(text[:80]))


def more(stream, than):
    """Wait until it has written more."""
    expect(stream).not_to_have_text(than, timeout=LONG)
    return shown(stream)


def test_tokens_come_piece_by_piece_into_the_node(desk):
    with talks(desk, "tokens.yaml") as said:
        seen = [shown(said)]
        for _ in range(3):
            seen.append(more(said, seen[-1]))
        for earlier, later in pairwise(seen):
            assert later.startswith(earlier)
        expect(desk.node("talk")).to_contain_text(re.compile(r"~\d+ tok/s"))
        expect(desk.node("after")).to_contain_text("waiting")


def test_a_reload_finds_the_run_again_with_its_text(desk):
    with talks(desk, "reload.yaml") as said:
        before = shown(said)
        desk.page.reload()
        expect(said).to_have_text(beginning(before), timeout=LONG)
        more(said, shown(said))


def test_a_window_opened_later_follows_the_run_too(desk, browsing):
    with talks(desk, "both.yaml") as said, opened(browsing, desk.served) as other:
        before = shown(said)
        other.open("both.yaml")
        expect(talking(other)).to_have_text(beginning(before))
        stop(other)
        expect(desk.node("talk").get_by_text("stopped")).to_be_visible()


def test_a_run_cut_off_by_the_death_of_the_server_is_told_as_interrupted(
    browsing, tmp_path
):
    with serving(tmp_path) as served, opened(browsing, served) as editor:
        editor.write("dies.yaml", endless(served.folder))
        editor.press("Control+Enter")
        talking(editor)
        editor.lose_server()
        expect(editor.page.get_by_text("The server does not answer")).to_be_visible()
    with serving(tmp_path) as served, opened(browsing, served) as editor:
        editor.open("dies.yaml")
        runs = history(editor, "talk").get_by_role("listitem")
        expect(runs).to_have_count(1)
        expect(runs).to_contain_text("interrupted", timeout=LONG)
