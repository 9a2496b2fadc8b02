# SPDX-License-Identifier: Apache-2.0
"""What a model says is text: no request, no script, no freeze, nothing hidden."""

import json
import socket
import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect
from tests.browser.running import (
    choose,
    ended,
    history,
    inspect,
    reciting,
    run,
    talking,
)

SIDES = ("Output", "Input", "Log", "Runs", "Settings")
PROMPT = 500  # milliseconds, by the page's own clock
TRIES = 3  # a busy machine is slow now and then, a page that is slow is so each time


@pytest.fixture(scope="module")
def listener() -> Iterator[tuple[str, list[str]]]:
    """Listen on a port that nobody may ask; yield its address, and who did."""
    asked: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    asked.append(connection.recv(200).decode("latin-1"))

        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", asked
        server.shutdown(socket.SHUT_RDWR)


def texts(address):
    """Return what a hostile model could say."""
    act = f"document.title='owned';window.owned=1;fetch('{address}/js')"
    return {
        "image": f'<img src={address}/img onerror="{act}">',
        "svg": f'<svg onload="{act}"><image href="{address}/svg"/></svg>',
        "script": f"</textarea></script><script>{act}</script>",
        "markdown": f"![a]({address}/md.png) [click](javascript:{act}) <{address}/auto>",
        "style": f"<style>@import url({address}/css);*{{display:none}}</style>",
        "frame": f"<iframe srcdoc='<script>{act}</script>'></iframe><base href={address}>",
        "template": "{{ inputs.secret }} ${7*7} {{7*7}} <%= 7*7 %>",
        "terminal": "\x1b]0;owned\x07\x1b[2J\x1b[31mred\x1b[0m\x00\x08",
        "bidi": "safe \u202eexe.fdp\u202c \u2066hidden\u2069",
    }


def file(model, *, step="", output=""):
    """Return a workflow whose model says what it is given."""
    return f"""\
lao: 1
name: hostile
inputs:
  words: {{ type: text }}
steps:
  - id: said
    model: {model}
    input: "{{{{ inputs.words }}}}"{output}
  - id: after
    input: "{{{{ said{step} }}}}"
outputs:
  said: "{{{{ said }}}}"
"""


def say(desk, words, *, text=None):
    """Let the model say words, and wait until it has."""
    folder = desk.served.folder
    (folder / "words.txt").write_text(words, "utf-8", newline="")
    model = reciting(folder)
    desk.write("hostile.yaml", text or file(model))
    desk.page.evaluate("window.owned = 0")
    desk.press("Control+Enter")
    dialog = desk.page.get_by_role("dialog")
    dialog.get_by_label("words").fill(words)
    dialog.get_by_role("button", name="Run", exact=True).click()
    return ended(desk)


def nothing_happened(desk, asked):
    """Look that no script ran and nobody was asked."""
    assert desk.page.evaluate("window.owned") == 0
    assert desk.page.title() != "owned"
    assert desk.page.locator("iframe, base, script:not([src])").count() == 0
    assert asked == []


def test_markup_scripts_and_addresses_are_shown_as_text_everywhere(desk, listener):
    address, asked = listener
    words = "\n".join(texts(address).values())
    first = say(desk, words)
    for element in ("img", "svg[onload]", "style", "a[href]"):
        expect(desk.node("said").locator(element)).to_have_count(0)
    expect(desk.node("said")).to_contain_text(f"<img src={address}/img")
    for side in SIDES:
        inspect(desk, "after", side)
    panel = inspect(desk, "said", "Output")
    for text in ("<svg onload=", "](javascript:", "@import url(", "{{7*7}}"):
        expect(panel).to_contain_text(text)
    for sign in ("␛[31mred", "safe ⇄exe.fdp⇄"):  # seen, and not obeyed
        expect(panel).to_contain_text(sign)

    desk.press("Control+j")
    second = run(desk)
    runs = history(desk, "said")
    for name in (first, second):
        runs.get_by_label(f"Compare run {name}").check()
    runs.get_by_role("button", name="Compare", exact=True).click()
    expect(desk.page.get_by_role("dialog")).to_contain_text("Nothing differs")
    desk.press("Escape")
    for view in ("List", "Text", "Graph"):
        desk.page.get_by_role("button", name=view, exact=True).click()
    nothing_happened(desk, asked)


def test_what_is_streamed_is_text_too(desk, listener, tmp_path):
    address, asked = listener
    said = f"{texts(address)['image']}{texts(address)['svg']} \x1b[2J|end"
    gate = tmp_path / "gates" / "open"
    desk.write("streamed.yaml", file(reciting(desk.served.folder, gate=gate)))
    desk.page.evaluate("window.owned = 0")
    desk.press("Control+Enter")
    dialog = desk.page.get_by_role("dialog")
    dialog.get_by_label("words").fill(said)
    dialog.get_by_role("button", name="Run", exact=True).click()
    expect(talking(desk, "said")).to_contain_text("<svg onload=")
    expect(talking(desk, "said").locator("img, svg")).to_have_count(0)
    nothing_happened(desk, asked)
    gate.touch()
    ended(desk)
    nothing_happened(desk, asked)


def answer_time(desk):
    """Return how long the page takes to answer a click and to paint again."""
    return desk.page.evaluate(
        """() => new Promise((resolve) => {
          const start = performance.now();
          document.querySelector("[role=tab][aria-selected=false]").click();
          requestAnimationFrame(() =>
            setTimeout(() => resolve(performance.now() - start)));
        })"""
    )


def answer_times(desk):
    """Open and leave the output; return how long each took."""
    choose(desk, "said")
    times = [answer_time(desk)]
    expect(inspect(desk, "said", "Output")).not_to_be_empty()
    return times + [answer_time(desk) for _ in range(2)]


@pytest.mark.parametrize("kind", ["lines", "one-line", "json", "deep"])
def test_the_page_stays_quick_whatever_the_size(desk, kind, tmp_path):
    large = {
        "lines": ("word " * 15 + "\n") * (10_000_000 // 76),
        "one-line": "<b>&" * 2_500_000,
        "json": json.dumps([{"key": "value " * 3, "n": n} for n in range(30_000)]),
        "deep": "[" * 60 + "]" * 60,
    }[kind]
    given = tmp_path / "given" / "large.txt"
    model = reciting(desk.served.folder, gate=given)
    given.write_text(large)
    answer = "    output: json\n" if kind in ("json", "deep") else ""
    desk.write(
        f"{kind}.yaml",
        f"lao: 1\nname: large\nsteps:\n  - id: said\n    model: {model}\n"
        f'    input: "read {given}"\n{answer}',
    )
    run(desk)
    slowest = [max(answer_times(desk))]
    while slowest[-1] >= PROMPT and len(slowest) < TRIES:
        desk.page.reload()
        slowest.append(max(answer_times(desk)))
    assert slowest[-1] < PROMPT, slowest


def test_names_with_markup_are_names(desk, listener):
    _, asked = listener
    name = "<img src=x onerror=document.title='owned'>.yaml"
    (desk.served.folder / "<svg onload=alert(1)>.wav").write_bytes(b"RIFF")
    (desk.served.folder / name).write_text(
        "lao: 1\nname: <img src=x onerror=alert(1)>\n"
        "description: <script>alert(1)</script>\n"
        "inputs:\n  words: { type: audio, description: <b>bold</b> }\n"
        "steps:\n  - id: a\n    input: <i>text</i>\n"
    )
    desk.open()
    desk.page.evaluate("window.owned = 0")
    desk.page.get_by_role("button", name=name).first.click()
    expect(desk.node("a")).to_be_visible()
    expect(desk.page.get_by_role("tab", name=name)).to_be_visible()
    desk.press("Control+Enter")
    expect(desk.page.get_by_role("dialog")).to_contain_text("<svg onload=alert(1)>.wav")
    desk.press("Escape")
    nothing_happened(desk, asked)
