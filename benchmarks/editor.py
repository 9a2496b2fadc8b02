# SPDX-License-Identifier: Apache-2.0
"""What the visual editor takes: `lao ui` and its page in a real, headless Chromium.

    python -m benchmarks.editor [--runs N] [PART...]

Parts: start, opening, frames, tokens, size, idle, edits, growth; all of them if none is
named. Other work on the machine only ever adds to a time, so that the least of several
runs says most of the editor, the median most of the machine; its load is told too.
Needs Chromium and the built page. Without a network: `unshare -n` and `ip link set lo up`.
"""

import argparse
import gzip
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks import editor_page
from benchmarks.editor_graphs import graph
from benchmarks.editor_process import (
    cpu_seconds,
    family,
    helpers,
    load,
    megabytes,
)
from benchmarks.editor_server import Asking, at, edits_of, server
from benchmarks.token_server import running_talker
from playwright.sync_api import Page
from tests.browser.browsing import Browsing, started_chromium
from tests.browser.editing import Served

import lao

STATIC = Path(lao.__file__).parent / "server" / "static"
STREAM_SECONDS = 12


def tell(
    what: str, values: Iterable[float], unit: str = "ms", target: str = ""
) -> None:
    """Print the least, the median and the most of some values."""
    found = sorted(values)
    middle = statistics.median(found)
    told = f"{found[0]:>9.1f} {middle:>9.1f} {found[-1]:>9.1f} {unit}"
    print(f"{what:<46}{told:<36}{target}", flush=True)


@contextmanager
def shown(browsing: Browsing, served: Served, file: str = "") -> Iterator[Page]:
    """Open a window on a server, and wait until steps can be added."""
    with browsing.window() as window:
        page = window.page
        page.goto(served.new_link() + (f"&file={file}" if file else ""))
        page.locator(".react-flow__node" if file else ".welcome").first.wait_for()
        yield page


def start(browsing: Browsing, runs: int) -> None:
    """From the start of the process to a page in which a step can be looked for."""
    rows: dict[str, list[float]] = {}
    for _ in range(runs + 1):
        for name, value in _one_start(browsing).items():
            rows.setdefault(name, []).append(value)
    for name, values in rows.items():
        target = "target ≤ 1500 ms" if name.startswith("a step is found") else ""
        tell(f"start: {name}", values[1:], target=target)


def _one_start(browsing: Browsing) -> Mapping[str, float]:
    with browsing.window() as window:
        page = window.page
        page.add_init_script(editor_page.WATCH)
        began = time.time() * 1e3
        with server(("talk.yaml", graph(12))) as served:
            link = time.time() * 1e3
            spent = cpu_seconds(served.process.pid)
            page.goto(f"{served.link}&file=talk.yaml")
            page.locator("[role=option]").first.wait_for()
            page.keyboard.press("/")
            page.keyboard.type("summ")
            page.wait_for_function(editor_page.FOUND)
            found = editor_page.since_1970(page)
            first, script = page.evaluate(editor_page.FIRST_BYTE)
            seen = page.evaluate("window.seen")
    times = {
        "link is printed": link,
        "first byte of the page": first,
        "script is there": script,
        "page is drawn": seen["page"],
        "nodes are drawn": seen["nodes"],
        "steps to add are there": seen["palette"],
        "a step is found by typing": found,
    }
    told = {name: value - began for name, value in times.items()}
    return told | {"CPU time until the link": spent * 1e3}


def opening(browsing: Browsing, runs: int) -> None:
    """A file of 200 steps in a page that is open, from the click to what is in view."""
    text = graph(200)
    without = text.partition("ui:\n")[0]
    files = [(f"big{number}.yaml", text) for number in range(runs)]
    files += [(f"plain{number}.yaml", without) for number in range(runs)]
    with server(*files) as served, shown(browsing, served) as page:
        for kind, how in (("big", "places known"), ("plain", "to be arranged")):
            found = []
            for number in range(runs):
                found.append(page.evaluate(editor_page.OPENING, f"{kind}{number}.yaml"))
                _close(page)
            count = found[0]["count"]
            tell(f"200 steps, {how}: first in view", [x["first"] for x in found])
            words = f"200 steps, {how}: all {count} in view"
            tell(words, [x["all"] for x in found], target="target ≤ 600 ms")


def frames(browsing: Browsing, runs: int) -> None:
    """Frames per second on 200 steps while three stream."""
    with running_talker() as talker:
        text = graph(200, pieces=100 * STREAM_SECONDS * 4 * runs)
        environment = {"LAO_ENDPOINT": talker, "LAO_PER_MODEL": "3"}
        with (
            server(("big.yaml", text), environment=environment) as served,
            shown(browsing, served, "big.yaml") as page,
        ):
            _run(page)
            for view in ("readable", "all 200 in view"):
                for act in (editor_page.pan, editor_page.zoom):
                    _tell_frames(page, f"{act.__name__}, {view}", act, runs)
                page.get_by_label("Show everything").first.click()
                page.wait_for_timeout(500)


def _tell_frames(page: Page, what: str, act: Callable[..., None], runs: int) -> None:
    found = [
        editor_page.frames(page, lambda: act(page, seconds=3)) for _ in range(runs)
    ]
    tell(f"frames: {what}", [fps for fps, _ in found], "per s", "target ≥ 30")
    tell(f"frames: {what}: the longest", [longest for _, longest in found])


def tokens(browsing: Browsing, runs: int) -> None:
    """From a piece of text sent by the model's server to the same in the page."""
    pieces = 100 * STREAM_SECONDS
    files = [(f"{n}.yaml", graph(60, pieces=pieces + n)) for n in range(runs)]
    found: dict[str, list[float]] = {}
    with running_talker() as talker:
        environment = {"LAO_ENDPOINT": talker, "LAO_PER_MODEL": "3"}
        with server(*files, environment=environment) as served:
            for file, _ in files:  # each asks anew, so that no answer is known
                with shown(browsing, served, file) as page:
                    for name, value in _one_stream(page, served).items():
                        found.setdefault(name, []).append(value)
    for name, values in found.items():
        unit = "%" if name.startswith("CPU") else "ms"
        target = "target ≤ 100 ms" if name == "p95" else ""
        tell(f"token to page: {name}", values, unit, target)


def _one_stream(page: Page, served: Served) -> Mapping[str, float]:
    devtools = page.context.new_cdp_session(page)
    page.evaluate(editor_page.TOKENS)
    _run(page)
    spent = cpu_seconds(served.process.pid)
    worked = editor_page.metrics(devtools)["TaskDuration"]
    seconds = STREAM_SECONDS - 2
    page.wait_for_timeout(seconds * 1000)
    spent = cpu_seconds(served.process.pid) - spent
    worked = editor_page.metrics(devtools)["TaskDuration"] - worked
    late = page.evaluate("window.late")
    cuts = statistics.quantiles(late, n=20)
    return {
        "median": cuts[9],
        "p95": cuts[18],
        "the latest": max(late),
        "CPU of the server": 100 * spent / seconds,
        "CPU of the page's thread": 100 * worked / seconds,
    }


def size(_browsing: Browsing, _runs: int) -> None:
    """What is sent to the page."""
    for kind, target in ((".js", "target ≤ 180 KB"), (".css", "")):
        files = [each.read_bytes() for each in STATIC.rglob(f"*{kind}")]
        packed = sum(len(gzip.compress(each, 9)) for each in files) / 1000
        tell(f"size: all {kind}, gzipped", [packed], "KB", target)
        tell(f"size: all {kind}, as sent", [sum(map(len, files)) / 1000], "KB")


def idle(browsing: Browsing, _runs: int) -> None:
    """Memory, and CPU time when nothing happens."""
    seconds = 10
    with server(("graph.yaml", graph(60))) as served:
        pid = served.process.pid
        time.sleep(2)
        tell("idle: RSS before a page came", [megabytes(pid)], "MB")
        with shown(browsing, served, "graph.yaml") as page:
            page.wait_for_timeout(3000)
            devtools = page.context.new_cdp_session(page)
            worked = editor_page.metrics(devtools)["TaskDuration"]
            spent = cpu_seconds(pid)
            time.sleep(seconds)
            spent = (cpu_seconds(pid) - spent) / seconds
            worked = (editor_page.metrics(devtools)["TaskDuration"] - worked) / seconds
            tell("idle: RSS of the server", [megabytes(pid)], "MB", "target ≤ 90 MB")
            tell("idle: PSS of the server", [megabytes(pid, "Pss")], "MB")
            for each in helpers(pid):
                print(f"idle: helper {each} MB")
            whole = sum(megabytes(each, "Pss") for each in family(pid))
            tell("idle: PSS of all together", [whole], "MB")
            tell("idle: CPU of the server", [100 * spent], "%")
            tell("idle: CPU of the page's thread", [100 * worked], "%")


def edits(_browsing: Browsing, runs: int) -> None:
    """Edits of a file of 200 steps and what follows them, as a client of the API."""
    found: dict[str, list[float]] = {}
    with server(("big.yaml", graph(200))) as served:
        ask, pid = Asking(served), served.process.pid

        def timed(name: str, path: str, body: object = None) -> dict[str, object]:
            spent, began = cpu_seconds(pid), time.perf_counter()
            answer = ask(path, body)
            took = (time.perf_counter() - began) * 1e3
            found.setdefault(name, []).append(took)
            found.setdefault(f"{name}: CPU", []).append(
                (cpu_seconds(pid) - spent) * 1e3
            )
            return answer

        document = timed("opening (first)", "/api/document?path=big.yaml")
        for number in range(4 * runs):
            for name, edit in edits_of(f"s{number + 11}", number).items():
                body = at(document) | {"label": name, "edits": [edit]}
                reply = timed(name, "/api/document/edits", body)
                document = reply["document"]  # type: ignore[assignment]
            timed("opening again", "/api/document?path=big.yaml")
            timed("forecast", "/api/forecast", at(document))
            document = timed("undo", "/api/document/undo", at(document))
    for name, values in found.items():
        tell(f"200 steps: {name}", values)


def growth(browsing: Browsing, _runs: int) -> None:
    """What stays behind: in the page and in the server."""
    with running_talker() as talker:
        environment = {"LAO_ENDPOINT": talker, "LAO_PER_MODEL": "3"}
        files = (
            ("big.yaml", graph(200)),
            ("short.yaml", graph(3, pieces=50, per_second=1000, characters=40)),
            ("long.yaml", graph(3, pieces=1700, per_second=200, characters=1000)),
        )
        with server(*files, environment=environment) as served:
            with shown(browsing, served) as page:
                _open_and_close(page)
                _stream_much(page)
            _edit_and_run(served)


def _open_and_close(page: Page) -> None:
    devtools = page.context.new_cdp_session(page)
    for number in range(21):
        page.evaluate(editor_page.OPENING, "big.yaml")
        _close(page)
        if number in (0, 10, 20):
            page.wait_for_timeout(500)
            print(
                f"growth: page, opened and closed × {number + 1}: {editor_page.heap(devtools)}"
            )


def _stream_much(page: Page) -> None:
    devtools = page.context.new_cdp_session(page)
    page.evaluate(editor_page.OPENING, "long.yaml")
    print(f"growth: page before the stream: {editor_page.heap(devtools)}")
    _run(page)
    page.get_by_text("done", exact=True).nth(2).wait_for(timeout=60_000)
    page.wait_for_timeout(1000)
    print(f"growth: page after 5 MB in three streams: {editor_page.heap(devtools)}")
    _close(page)
    page.wait_for_timeout(1000)
    print(f"growth: page after that file was closed: {editor_page.heap(devtools)}")


def _edit_and_run(served: Served) -> None:
    ask, pid = Asking(served), served.process.pid
    told = [("before", megabytes(pid))]
    document = ask("/api/document?path=big.yaml")
    for number in range(200):
        edit = edits_of(f"s{number % 180 + 11}", number)["place of a step"]
        body = at(document) | {"label": "move", "edits": [edit]}
        document = ask("/api/document/edits", body)["document"]  # type: ignore[assignment]
        if number in (20, 199):
            told.append((f"{number + 1} edits", megabytes(pid)))
    document = ask("/api/document?path=short.yaml")
    for number in range(20):
        run = ask("/api/runs", {**at(document), "no_cache": True})["run"]
        while ask(f"/api/run?id={run}")["summary"]["status"] == "running":  # type: ignore[index]
            time.sleep(0.05)
        if number in (0, 4, 19):
            told.append((f"{number + 1} runs", megabytes(pid)))
    for what, value in told:
        print(f"growth: RSS of the server, {what}: {value:.1f} MB", flush=True)


def _close(page: Page) -> None:
    """Close the only tab."""
    page.locator(".tab-close").click()
    page.locator(".welcome").wait_for()


def _run(page: Page) -> None:
    """Run everything, and wait until three steps write."""
    page.locator(".foretold").first.wait_for()
    page.keyboard.press("Control+Enter")
    page.locator(".value-stream").nth(2).wait_for(timeout=60_000)


PARTS: Mapping[str, Callable[[Browsing, int], None]] = {
    each.__name__: each
    for each in (start, opening, frames, tokens, size, idle, edits, growth)
}


def main() -> None:
    """Measure what the arguments name."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("parts", nargs="*", metavar="PART", choices=[*PARTS, []])
    given = parser.parse_args()
    print(f"{load()}\n{'':<46}{'least':>9} {'median':>9} {'most':>9}")
    with started_chromium() as browser:
        for name in given.parts or PARTS:
            PARTS[name](Browsing(browser), given.runs)
    print(load())


if __name__ == "__main__":
    sys.exit(main())
