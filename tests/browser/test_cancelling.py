# SPDX-License-Identifier: Apache-2.0
"""Stop means now."""

import time

from playwright.sync_api import expect
from tests.browser.running import endless, history, talking, talks

AT_ONCE = 1.0  # seconds, the best of several: the machine may be busy


def test_a_run_stops_and_its_model_with_it(desk):
    with talks(desk, "stop.yaml"):
        desk.page.get_by_role("button", name="Stop", exact=True).click()
        expect(desk.node("talk").get_by_text("stopped")).to_be_visible()
        expect(desk.node("talk").get_by_role("log")).to_have_count(0)
    expect(desk.node("after")).to_contain_text("not run")
    expect(history(desk, "talk").get_by_role("listitem")).to_contain_text("stopped")


def test_a_key_stops_within_a_second_and_the_file_can_run_again_at_once(desk):
    desk.write("again.yaml", endless(desk.served.folder))
    times = []
    for _ in range(3):
        desk.press("Control+Enter")
        talking(desk)
        pressed = time.monotonic()
        desk.press("Control+.")
        expect(desk.node("talk").get_by_text("stopped")).to_be_visible()
        times.append(time.monotonic() - pressed)
    assert min(times) < AT_ONCE, times
    expect(history(desk, "talk").get_by_role("listitem")).to_have_count(3)
