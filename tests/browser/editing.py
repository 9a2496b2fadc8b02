# SPDX-License-Identifier: Apache-2.0
"""`lao ui` as a process, and its page as a person uses it."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote
from urllib.request import Request, urlopen

from playwright.sync_api import Locator, Page, Route, expect
from tests.browser.browsing import Browsing, Window
from tests.running_lao import NOBODY

import lao

_LINK = re.compile(r"http://127\.0\.0\.1:\d+/#token=\S+")
# What Chromium logs when a server is gone, by what was just under way.
_GONE = ("ERR_CONNECTION", "ERR_INCOMPLETE", "ERR_EMPTY", "ERR_SOCKET")


def page_is_built() -> bool:
    """Whether the page that the server serves is there."""
    return (Path(lao.__file__).parent / "server" / "static" / "index.html").is_file()


@dataclass
class Served:
    """A running `lao ui`. `link` is its one-time link."""

    folder: Path
    home: Path
    process: "subprocess.Popen[str]"
    link: str
    token: str = field(default="", init=False)

    @property
    def origin(self) -> str:
        """Return the only address that the page may ask."""
        return self.link.partition("/#")[0]

    @property
    def port(self) -> int:
        """Return the port that it listens on."""
        return int(self.origin.rpartition(":")[2])

    def new_link(self) -> str:
        """Return a link for one window more, as Enter in the terminal prints it."""
        if not self.token:
            first = {"link": self.link.partition("token=")[2]}
            self.token = str(self._ask("/api/session", first)["token"])
        return str(self._ask("/api/links", {})["link"])

    def text(self, name: str) -> str:
        """Return the text of a file as the server holds it, saved or not."""
        return str(self._ask(f"/api/document?path={quote(name)}")["text"])

    def _ask(
        self, path: str, body: Mapping[str, object] | None = None
    ) -> Mapping[str, object]:
        headers = {
            "Content-Type": "application/json",
            "Origin": self.origin,
            "Authorization": f"Bearer {self.token}",
        }
        data = None if body is None else json.dumps(body).encode()
        order = Request(self.origin + path, data, headers)  # noqa: S310
        with urlopen(order, timeout=30) as reply:  # noqa: S310  # its own loopback address
            return dict(json.load(reply))

    def asked(self, path: str) -> Mapping[str, object]:
        """Return what the server answers to a window."""
        headers = {"Authorization": f"Bearer {self.token}"}
        order = Request(self.origin + path, headers=headers)  # noqa: S310
        with urlopen(order, timeout=30) as reply:  # noqa: S310  # its own loopback address
            return dict(json.load(reply))

    def kill(self) -> None:
        """End it as a power cut would."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(timeout=30)


@contextmanager
def serving(
    base: Path,
    *arguments: str,
    environment: Mapping[str, str] | None = None,
    prefix: Sequence[str] = (),
) -> Iterator[Served]:
    """Start `lao ui` on `base/work`, with a home of its own; it ends with the block."""
    folder, home = base / "work", base / "home"
    folder.mkdir(exist_ok=True)
    home.mkdir(exist_ok=True)
    known = {
        "PATH": os.defpath,
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "LAO_ENDPOINT": NOBODY,
    }
    with subprocess.Popen(
        [
            *prefix,
            sys.executable,
            "-m",
            "lao",
            "ui",
            folder,
            "--no-browser",
            *arguments,
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        env={**known, **(environment or {})},
        cwd=base,
        start_new_session=True,
    ) as process:
        try:
            yield Served(folder, home, process, _link_of(process))
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def _link_of(process: "subprocess.Popen[str]") -> str:
    said = ""
    assert process.stdout is not None
    for line in process.stdout:
        said += line
        if found := _LINK.search(line):
            return found[0]
    raise AssertionError(f"lao ui printed no link:\n{said}")


@contextmanager
def opened(browsing: Browsing, served: Served, **size: int) -> Iterator["Editor"]:
    """Open a window of its own on a server.

    At the end it must have asked nobody but its server, broken no rule of its content
    security policy, and thrown nothing.
    """
    with browsing.window(**size) as window:
        yield Editor(window, served)
        assert not window.complaints(), window.complaints()
        assert window.origins <= {served.origin}


@dataclass(frozen=True)
class Editor:
    """The page, and the words for what a person does in it."""

    window: Window
    served: Served

    @property
    def page(self) -> Page:
        """The page itself."""
        return self.window.page

    @property
    def graph(self) -> Locator:
        """The canvas."""
        return self.page.get_by_role("application", name="Graph of")

    @property
    def status(self) -> Locator:
        """The last line of the page."""
        return self.page.get_by_role("contentinfo")

    def open(self, name: str | None = None) -> None:
        """Follow a link; with a name, open that file too."""
        target = self.served.new_link()
        self.page.goto(target if name is None else f"{target}&file={name}")
        expect(self.page.get_by_role("banner")).to_be_visible()

    def lose_server(self) -> None:
        """Let the server die as in a power cut, and the page complain of that."""
        self.window.expected.extend(_GONE)
        self.served.kill()

    def write(self, name: str, text: str) -> Path:
        """Put a file into the folder, and open it."""
        path = self.served.folder / name
        path.write_bytes(text.encode())
        self.open(name)
        expect(self.graph).to_be_visible()
        settle(self.page)
        return path

    def create(self, name: str) -> Path:
        """Make a new, empty workflow."""
        self.open()
        self.page.get_by_role("button", name="Open or create a file").click()
        self.page.get_by_role("button", name="New…").click()
        self.page.get_by_label("Name in the folder").fill(name)
        self.page.get_by_role("button", name="Create", exact=True).click()
        expect(self.graph).to_have_accessible_name(re.compile(": 0 steps$"))
        return self.served.folder / name

    def node(self, name: str) -> Locator:
        """A step by its name, or an input of the workflow: "input recording"."""
        return self.graph.get_by_role("group", name=re.compile(f"^{re.escape(name)},"))

    def output(self, name: str) -> Locator:
        """Where a node's connections begin."""
        return self.node(name).get_by_title(re.compile("^gives "))

    def port(self, name: str, label: str) -> Locator:
        """Where connections into a step end: "text", "prompt", "wait for another step"."""
        return self.node(name).get_by_title(re.compile(f"^{re.escape(label)}"))

    def entry(self, name: str) -> Locator:
        """A step that can be added."""
        steps = self.page.get_by_role("listbox", name="Steps that can be added")
        return steps.get_by_role("option", name=re.compile(f"^{re.escape(name)}"))

    def add(self, name: str, x: int, y: int) -> None:
        """Drag a step from the palette to a place of the canvas."""
        self.entry(name).drag_to(self.graph, target_position={"x": x, "y": y})

    def hold(self, source: Locator, target: Locator) -> None:
        """Take something with the pointer, lead it onto another, and hold it there."""
        self.page.mouse.move(*middle(source))
        self.page.mouse.down()
        self.page.mouse.move(*middle(target), steps=4)

    def connect(self, source: str, target: str, port: str) -> None:
        """Draw a connection from a node's output to a port."""
        self.hold(self.output(source), self.port(target, port))
        self.page.mouse.up()

    def hold_next_edit(self) -> Callable[[], Route]:
        """Let the next edit not reach the server yet; return how to wait for it."""
        held: list[Route] = []

        def hold(route: Route) -> None:
            held.append(route)

        def wait() -> Route:
            while not held:
                settle(self.page)
            return held[0]

        self.page.route("**/api/document/edits", hold, times=1)
        return wait

    def rename(self, old: str, new: str) -> None:
        """Give a step another name, on the canvas."""
        self.node(old).click()
        self.press("F2")
        field = self.page.get_by_label(f"New name of {old}")
        expect(field).to_be_focused()
        field.fill(new)
        self.press("Enter")
        expect(self.node(new)).to_be_visible()

    def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        for key in keys:
            self.page.keyboard.press(key)

    def save(self) -> None:
        """Save by keyboard, and wait until it is done."""
        self.press("Control+s")
        self.is_saved()

    def is_saved(self) -> None:
        """Wait until the page says that nothing is unsaved."""
        expect(self.status.get_by_text("Saved", exact=True)).to_be_visible()

    def is_unsaved(self) -> None:
        """Wait until the page says that the journal alone has the changes."""
        expect(self.status.get_by_text("Not saved")).to_be_visible()


def settle(page: Page) -> None:
    """Let frames pass: effects run after one, and what they change is drawn in the next."""
    page.evaluate(
        """async () => {
          for (let frame = 0; frame < 3; frame += 1)
            await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
        }"""
    )


def middle(element: Locator) -> tuple[float, float]:
    """Where the middle of an element is in the window, once it rests."""
    expect(element).to_be_visible()
    before = None
    while (box := element.bounding_box()) is None or box != before:
        before = box
        settle(element.page)
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
