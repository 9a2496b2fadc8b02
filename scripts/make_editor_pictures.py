# SPDX-License-Identifier: Apache-2.0
"""Makes the pictures of docs/editor.md anew, with Chromium and the embedded models.

    PYTHONPATH=. python scripts/make_editor_pictures.py [NAME…]

It runs the shipped examples in a folder of its own, and takes about a minute. Needs what
the tests of the editor need: Chromium, and the built page (`make web`).
"""

import base64
import re
import shutil
import struct
import sys
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, expect
from tests.browser.browsing import Browsing, started_chromium
from tests.browser.drawn_texts import CHAIN
from tests.browser.editing import Editor, Served, opened, serving
from tests.browser.running import (
    EXAMPLES,
    NOTES,
    change,
    choose,
    history,
    inspect,
    run,
)

IMAGES = Path(__file__).parents[1] / "docs" / "images"
LARGEST = 120_000  # bytes of a picture
COLOURS = 256
PATIENCE = 300_000  # milliseconds, for a recording on a busy machine
USUAL = {"LAO_ENDPOINT": "http://127.0.0.1:11434"}  # nobody need be there
# Decoding is the browser's business: what comes back is four bytes for each pixel.
PIXELS = """async address => {
  const image = new Image();
  image.src = address;
  await image.decode();
  const canvas = new OffscreenCanvas(image.width, image.height);
  const drawing = canvas.getContext("2d");
  drawing.drawImage(image, 0, 0);
  const { data } = drawing.getImageData(0, 0, image.width, image.height);
  let text = "";
  for (let at = 0; at < data.length; at += 8192)
    text += String.fromCharCode(...data.subarray(at, at + 8192));
  return [btoa(text), image.width, image.height];
}"""


def graph(editor: Editor) -> None:
    """Show a workflow that has run, and what came out of a step."""
    transcribe(editor)
    expect(editor.node("mentioned").get_by_text("done", exact=True)).to_be_visible(
        timeout=PATIENCE
    )
    inspect(editor, "mentioned", "Output")


def running(editor: Editor) -> None:
    """Show a run while it goes on, in the dark."""
    editor.page.emulate_media(color_scheme="dark")
    transcribe(editor, "Run all without the cache")
    progress = editor.node("transcript").get_by_text(re.compile(r"00:[12]\d / "))
    expect(progress).to_be_visible(timeout=PATIENCE)
    choose(editor, "summary")
    editor.press("Control+j", "f")


def refused(editor: Editor) -> None:
    """Show a connection that does not fit, while it is drawn."""
    editor.create("drawing.yaml")
    editor.page.get_by_role("button", name="Inspector", exact=True).click()
    for name, x, y in (("audio input", 100, 220), ("summarize", 460, 80)):
        editor.add(name, x, y)
    editor.press("Escape")
    editor.hold(editor.output("input audio"), editor.port("summarize", "text"))


def compare(editor: Editor) -> None:
    """Show two runs side by side."""
    text = NOTES.replace('names: "{{ people }}"', 'summary: "{{ summary }}"')
    editor.write("notes.yaml", text)
    names = [run(editor)]
    change(editor, "summary", "length", "3")
    names.append(run(editor))
    runs = history(editor, "summary")
    for name in names:
        runs.get_by_label(f"Compare run {name}").check()
    runs.get_by_role("button", name="Compare", exact=True).click()
    expect(editor.page.get_by_role("dialog").get_by_text("Outputs")).to_be_visible()


def merge(editor: Editor) -> None:
    """Show a file that was changed here and elsewhere."""
    file = editor.write("letter.yaml", CHAIN)
    editor.rename("short", "brief")
    file.write_text(CHAIN.replace("mask: block }", "mask: label }"))
    editor.page.get_by_role("button", name="Merge…").click()
    expect(editor.page.get_by_role("button", name="Take this")).to_be_visible()
    editor.page.mouse.move(0, 0)


PICTURES: dict[str, tuple[Callable[[Editor], None], int, int]] = {
    "graph": (graph, 1200, 720),
    "running": (running, 1280, 860),
    "refused": (refused, 1100, 480),
    "compare": (compare, 1000, 640),
    "merge": (merge, 1000, 640),
}


def transcribe(editor: Editor, how: str = "Run all") -> None:
    """Run the example that reads a recording."""
    editor.open("meeting-notes.yaml")
    expect(editor.graph).to_be_visible()
    editor.page.get_by_role("button", name="More ways to run").click()
    editor.page.get_by_role("menuitem", name=re.compile(f"^{how}( |$)")).first.click()
    dialog = editor.page.get_by_role("dialog")
    dialog.get_by_role("combobox").select_option("meeting.flac")
    dialog.get_by_role("button", name="Run", exact=True).click()


def take(browsing: Browsing, served: Served, name: str) -> None:
    """Make one picture."""
    prepare, width, height = PICTURES[name]
    with opened(browsing, served, width=width, height=height) as editor:
        prepare(editor)
        editor.page.wait_for_timeout(500)  # until nothing moves
        picture = editor.page.screenshot(animations="disabled")
        editor.press("Escape")
    with browsing.window() as window:
        small = in_few_colours(window.page, picture)
    if len(small) > LARGEST:
        raise SystemExit(f"{name} has {len(small)} bytes, more than {LARGEST}")
    (IMAGES / f"editor-{name}.png").write_bytes(small)
    print(f"editor-{name}.png: {len(small)} bytes")


def in_few_colours(page: Page, picture: bytes) -> bytes:
    """Return the picture as a PNG with a palette: the colours that are used most."""
    address = f"data:image/png;base64,{base64.b64encode(picture).decode()}"
    data, width, height = page.evaluate(PIXELS, address)
    pixels = np.frombuffer(base64.b64decode(data), np.uint8).reshape(-1, 4)[:, :3]
    colours, which, counts = np.unique(
        pixels, axis=0, return_inverse=True, return_counts=True
    )
    palette = most_used(colours, counts)
    nearest = [
        np.abs(palette.astype(int) - colour).sum(axis=1).argmin() for colour in colours
    ]
    rows = np.array(nearest, np.uint8)[which.ravel()].reshape(height, width)
    lines = b"".join(b"\0" + row.tobytes() for row in rows)
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
            chunk(b"PLTE", palette.tobytes()),
            chunk(b"IDAT", zlib.compress(lines, 9)),
            chunk(b"IEND", b""),
        )
    )


def most_used(colours: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return a palette: what is used most, then one of each sort of colour that is left."""
    colours = colours[np.argsort(-counts, kind="stable")]
    exact, others = colours[: COLOURS // 2], colours[COLOURS // 2 :]
    _, first = np.unique(others >> 4, axis=0, return_index=True)
    return np.concatenate([exact, others[np.sort(first)]])[:COLOURS]


def chunk(kind: bytes, data: bytes) -> bytes:
    """Return a part of a PNG file."""
    check = struct.pack(">I", zlib.crc32(kind + data))
    return struct.pack(">I", len(data)) + kind + data + check


def main(names: list[str]) -> None:
    """Make the pictures that are named, or all."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name, started_chromium() as browser:
        folder = Path(name) / "work"
        shutil.copytree(EXAMPLES / "workflows", folder)
        shutil.copy(EXAMPLES / "meeting.flac", folder)
        with serving(Path(name), environment=USUAL) as served:
            for each in names or PICTURES:
                take(Browsing(browser), served, each)


if __name__ == "__main__":
    main(sys.argv[1:])
