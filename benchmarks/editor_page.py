# SPDX-License-Identifier: Apache-2.0
"""What happens in the page, measured in it: times of the browser's own clock."""

import time
from collections.abc import Callable, Mapping
from itertools import pairwise

from playwright.sync_api import CDPSession, Page

WATCH = """
addEventListener("DOMContentLoaded", () => {
  const seen = (window.seen = {});
  const parts = { page: ".app", palette: "[role=option]", nodes: ".react-flow__node" };
  const look = () => {
    for (const [name, selector] of Object.entries(parts))
      if (!seen[name] && document.querySelector(selector))
        seen[name] = performance.timeOrigin + performance.now();
  };
  new MutationObserver(look).observe(document, { childList: true, subtree: true });
});
"""
"""When parts of the page came, in milliseconds since 1970, in `window.seen`."""

FIRST_BYTE = """() => {
  const [page] = performance.getEntriesByType("navigation");
  const scripts = performance.getEntriesByType("resource").filter((each) => each.name.endsWith(".js"));
  const last = Math.max(...scripts.map((each) => each.responseEnd));
  return [page.responseStart, last].map((each) => each + performance.timeOrigin);
}"""

FOUND = """() => {
  const steps = document.querySelectorAll("[role=option]");
  return steps.length > 0 && steps.length < 4;
}"""
"""Whether what was typed left few steps to choose from: before the palette is there, it leaves none."""

OPENING = """(path) => new Promise((settle) => {
  const began = performance.now();
  const found = { first: 0, all: 0, count: 0 };
  const room = () => document.querySelector(".canvas")?.getBoundingClientRect();
  const inView = () => {
    const at = room();
    if (!at) return 0;
    return [...document.querySelectorAll(".react-flow__node")].filter((node) => {
      const box = node.getBoundingClientRect();
      const isThere = box.right > at.left && box.left < at.right && box.bottom > at.top && box.top < at.bottom;
      return isThere && getComputedStyle(node).visibility !== "hidden";
    }).length;
  };
  const look = () => {
    const now = performance.now();
    const count = inView();
    if (count && !found.first) found.first = now - began;
    if (count !== found.count) Object.assign(found, { count, all: now - began });
    if (now - began < 10000 && (!count || now - began - found.all < 700)) requestAnimationFrame(look);
    else settle(found);
  };
  [...document.querySelectorAll("button")].find((each) => each.textContent.includes(path)).click();
  requestAnimationFrame(look);
})"""
"""Opens a file of the list; when its first nodes were in view, and when all there are."""

FRAMES_BEGIN = """() => {
  const times = (window.frames_ = []);
  const note = (time) => { times.push(time); if (window.frames_ === times) requestAnimationFrame(note); };
  requestAnimationFrame(note);
}"""
FRAMES_END = (
    "() => { const times = window.frames_; window.frames_ = null; return times; }"
)

TOKENS = """() => {
  const late = (window.late = []);
  const last = new Map();
  new MutationObserver((records) => {
    const now = performance.timeOrigin + performance.now();
    const boxes = new Set(records.map((each) => (each.target.parentElement?.closest(".value-stream") ?? each.target)));
    for (const box of boxes) {
      if (!box.classList?.contains("value-stream")) continue;
      const step = box.getAttribute("aria-label");
      const before = last.get(step) ?? -1;
      const end = [...box.childNodes].slice(-2).map((each) => each.textContent.slice(-2000)).join("");
      for (const [, number, sent] of end.matchAll(/(\\d+)@(\\d+\\.\\d)(?!\\d)/g))
        if (Number(number) > before) { late.push(now - Number(sent)); last.set(step, Number(number)); }
    }
  }).observe(document.body, { childList: true, characterData: true, subtree: true });
}"""
"""Notes of each piece of `token_server` how long after it was sent it is in the page."""


def since_1970(page: Page) -> float:
    """Return the page's clock in milliseconds."""
    return float(page.evaluate("performance.timeOrigin + performance.now()"))


def frames(page: Page, act: Callable[[], None]) -> tuple[float, float]:
    """Return frames per second while something is done, and the longest frame in ms."""
    page.evaluate(FRAMES_BEGIN)
    act()
    times = page.evaluate(FRAMES_END)
    gaps = [after - before for before, after in pairwise(times)]
    return 1000 * len(gaps) / sum(gaps), max(gaps)


def pan(page: Page, *, seconds: float) -> None:
    """Drag the canvas to and fro by its background, as fast as a hand's mouse reports."""
    x, y = 640.0, 760.0
    page.mouse.move(x, y)
    page.mouse.down()
    began = time.monotonic()
    number = 0
    while (now := time.monotonic()) < began + seconds:
        number += 1
        turn = abs((number * 12) % 800 - 400)
        page.mouse.move(x - turn, y - turn / 4)
        time.sleep(max(0.0, began + number / 60 - now))
    page.mouse.up()


def zoom(page: Page, *, seconds: float) -> None:
    """Turn the wheel to and fro over the canvas."""
    page.mouse.move(700, 500)
    began = time.monotonic()
    number = 0
    while (now := time.monotonic()) < began + seconds:
        number += 1
        page.mouse.wheel(0, 40 if number // 20 % 2 else -40)
        time.sleep(max(0.0, began + number / 40 - now))


def metrics(devtools: CDPSession) -> Mapping[str, float]:
    """Return the browser's own measures of the page, after a collection of garbage.

    Durations are CPU seconds of the page's main thread.
    """
    devtools.send("HeapProfiler.collectGarbage")
    devtools.send("Performance.enable", {"timeDomain": "threadTicks"})
    found = devtools.send("Performance.getMetrics")["metrics"]
    return {each["name"]: each["value"] for each in found}


def heap(devtools: CDPSession) -> str:
    """Return what the page holds."""
    now = metrics(devtools)
    megabytes = now["JSHeapUsedSize"] / (1 << 20)
    return f"{megabytes:.1f} MB, {now['Nodes']:.0f} nodes, {now['JSEventListeners']:.0f} listeners"
