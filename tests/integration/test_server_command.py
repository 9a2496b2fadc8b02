# SPDX-License-Identifier: Apache-2.0
"""`lao ui` as a person meets it: what it prints, what it refuses, how it is locked, how it ends."""

import asyncio
import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest
from tests.fake_ollama import MODEL, STREAM_HEAD, Act, FakeOllama, lines, said
from tests.running_lao import Lao

from lao.config import load_settings, shows_browser
from lao.editor.folder import Folder
from lao.isolation.levels import look
from lao.server import opening_browser
from lao.server.opening_browser import opened_in_browser
from lao.server.reach import models_in_reach
from lao.workflow.local_models import Ollama, WhisperCpp

pytestmark = [
    pytest.mark.linux,
    pytest.mark.skipif(not look().seccomp, reason="the layer seccomp is missing"),
]
ROOT = Path(__file__).parents[2]
LINK = re.compile(r"http://(127\.0\.0\.1:\d+)/#token=([\w-]{43})(?:&file=(\S+))?\n")
WORKFLOW = "lao: 1\nname: w\nsteps:\n  - id: a\n    uses: summarize\n    with: { text: Hello. }\n"


class Editor:
    """A running `lao ui`."""

    def __init__(self, process: subprocess.Popen[str], link: str) -> None:
        self.process = process
        self.link = link
        found = LINK.fullmatch(link)
        assert found, link
        self.host, self.token, self.file = found.groups()
        self._session = ""

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, bytes]:
        connection = HTTPConnection(self.host, timeout=50)
        headers = {"Authorization": f"Bearer {self._session}"}
        content = None
        if method == "POST":
            content = json.dumps(body)
            headers |= {
                "Origin": f"http://{self.host}",
                "Content-Type": "application/json",
            }
        connection.request(method, path, content, headers)
        reply = connection.getresponse()
        data = reply.read()
        connection.close()
        return reply.status, data

    def sign_in(self) -> None:
        status, data = self.ask("POST", "/api/session", {"link": self.token})
        assert status == 200, data
        self._session = json.loads(data)["token"]

    def wait_for_text(self, run: str, text: str) -> None:
        """Follow a run until its model has said something."""
        connection = HTTPConnection(self.host, timeout=50)
        headers = {"Authorization": f"Bearer {self._session}"}
        connection.request("GET", f"/api/run/events?id={run}&after=0", None, headers)
        reply = connection.getresponse()
        while text.encode() not in (line := reply.readline()):
            assert line, "the stream has ended"
        connection.close()

    def json(self, path: str) -> dict:
        status, data = self.ask("GET", path)
        assert status == 200, data
        return json.loads(data)

    def end(self, number: int = signal.SIGINT) -> tuple[int, str]:
        self.process.send_signal(number)
        _, said = self.process.communicate(timeout=50)
        return self.process.returncode, said


@pytest.fixture
def lao(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    return Lao(home, {"PYTHONPATH": str(ROOT)})


@contextmanager
def ui(lao: Lao, *arguments: str, **variables: str) -> Iterator[Editor]:
    command = [sys.executable, "-m", "tests.serve_ui", "--no-browser", *arguments]
    process = subprocess.Popen(
        command,
        cwd=lao.folder,
        env=lao.environment | variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        link = process.stdout.readline()
        if not link:
            raise AssertionError(process.communicate(timeout=50))
        yield Editor(process, link)
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "a folder"
    place.mkdir(mode=0o755)
    (place / "work it.yaml").write_text(WORKFLOW)
    return place


def test_it_prints_a_link_serves_a_folder_and_ends_with_ctrl_c(lao, folder):
    with ui(lao, str(folder)) as editor:
        assert editor.ask("GET", "/") == (200, b"<!doctype html>")
        editor.sign_in()
        told = editor.json("/api/server")
        assert editor.json("/api/folder")["files"][0]["path"] == "work it.yaml"
        code, said = editor.end()

    assert told["folder"] == str(folder)
    assert told["locality"]["is_enforced"]
    assert told["locality"]["layers"]["seccomp"] is True
    assert told["is_kept"]
    assert code == 0
    assert f"folder: {folder}\n" in said
    assert re.search(r"^locality: L\d ", said, re.MULTILINE)
    assert "Ctrl-C ends" in said
    assert "Enter" not in said, "there is no terminal to press it in"


def test_it_ends_with_sigterm_too_and_says_little_if_asked(lao, folder):
    with ui(lao, str(folder), "--quiet", "--ephemeral") as editor:
        editor.sign_in()
        assert not editor.json("/api/server")["is_kept"]
        assert editor.end(signal.SIGTERM) == (0, "")


def test_it_ends_with_sigterm_where_a_shell_started_it_in_the_background(lao, folder):
    """Such a shell has it ignore Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # children inherit that
    try:
        with ui(lao, str(folder)) as editor:
            code, said = editor.end(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGINT, before)
    assert code == 0
    assert said.endswith("ended\n")


def test_a_file_opens_its_folder_and_the_link_names_it(lao, folder):
    with ui(lao, str(folder / "work it.yaml")) as editor:
        assert editor.file == "work%20it.yaml"
        editor.sign_in()
        assert editor.json("/api/server")["folder"] == str(folder)


def test_enter_in_the_terminal_prints_another_link(lao, folder):
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "tests.serve_ui", "--no-browser", str(folder)]
    with subprocess.Popen(
        command,
        cwd=lao.folder,
        env=lao.environment,
        stdin=theirs,
        stdout=theirs,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        os.close(theirs)
        with os.fdopen(ours, "rb", buffering=0) as terminal:
            first = _line(terminal)
            os.write(ours, b"\n")
            second = _line(terminal) or _line(terminal)  # the Enter itself is shown
            process.send_signal(signal.SIGINT)
    assert process.returncode == 0
    assert LINK.fullmatch(first)[1] == LINK.fullmatch(second)[1]
    assert LINK.fullmatch(first)[2] != LINK.fullmatch(second)[2]


def _line(terminal) -> str:
    found = b""
    while not found.endswith(b"\n"):
        found += terminal.read(1)
    return found.decode().replace("\r", "").lstrip("\n")


def test_what_cannot_be_served_is_told_with_a_mend(lao, folder):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        wrong = {
            "editor.bad-folder": ["no/such/folder"],
            "ui.cannot-listen": [str(folder), "--port", port],
            "usage.bad-option": [str(folder), "--port", port, "--socket", "x"],
            "ui.socket-not-private": [str(folder), "--socket", str(folder / "s")],
        }
        for code, arguments in wrong.items():
            ended = lao_ui(lao, *arguments)
            assert (ended.returncode, ended.stdout) == (2, ""), code
            assert f"error[{code}]" in ended.stderr
            assert "mend:" in ended.stderr
            assert "Traceback" not in ended.stderr


def lao_ui(lao, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "tests.serve_ui", "--no-browser", *arguments],
        cwd=lao.folder,
        env=lao.environment,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
        timeout=50,
    )


def test_a_page_that_is_not_built_is_told(lao, folder, tmp_path):
    script = (
        "import sys; from pathlib import Path; from lao.server import static_files;"
        "from lao.cli.dispatch import dispatch;"
        f"static_files.BUILT = Path({str(tmp_path)!r});"
        f"sys.exit(dispatch('ui', ['--no-browser', {str(folder)!r}]))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script],
        env=lao.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert "error[ui.not-built]" in ended.stderr
    assert "make web" in ended.stderr


def test_where_nothing_can_be_locked_it_does_not_serve(lao, folder):
    script = (
        "import sys; from lao.isolation import levels; from lao.cli.dispatch import dispatch;"
        "none = levels.Machine(arch=None, landlock_abi=0, seccomp=False, bwrap=None);"
        "levels.foresee = lambda: none;"
        f"sys.exit(dispatch('ui', ['--no-browser', {str(folder)!r}]))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script],
        env=lao.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (5, "")
    assert "error[isolation.none]" in ended.stderr


# -- the lock -----------------------------------------------------------


def test_the_server_is_locked_and_serves_all_the_same(lao, folder):
    with ui(lao, str(folder)) as editor:
        status = _status(editor.process.pid)
        editor.sign_in()
        outcomes = editor.json("/api/attempt")
        again = editor.json("/api/server")

    assert (status["Seccomp"], status["NoNewPrivs"]) == ("2", "1")
    assert int(status["CapEff"], 16) == 0
    assert set(outcomes.values()) == {"EPERM"}, outcomes
    assert again["locality"]["is_enforced"]


def test_an_idle_server_is_small(lao, folder):
    with ui(lao, str(folder)) as editor:
        editor.sign_in()
        editor.json("/api/palette")
        kilobytes = int(_status(editor.process.pid)["VmRSS"].split()[0])
    assert kilobytes < 90_000


def _status(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
    return {name: value.strip() for name, _, value in (x.partition(":") for x in lines)}


def test_nobody_else_holds_the_listener(lao, folder):
    with ui(lao, str(folder)) as editor:
        host, port = editor.host.split(":")
        editor.process.kill()
        editor.process.wait()
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with socket.socket() as caller:
                if caller.connect_ex((host, int(port))) != 0:
                    return
    raise AssertionError("its helpers keep the port open")


async def test_a_run_that_goes_on_at_the_end_is_cancelled(lao, folder):
    """Over the broker: the locked server cannot connect to the model server itself."""
    stalled = [STREAM_HEAD, *lines(said("Hel")), Act.HANG]
    async with FakeOllama({"/api/chat": stalled}) as ollama:
        variables = {"LAO_ENDPOINT": str(ollama.endpoint), "LAO_MODEL": MODEL}
        listed = await asyncio.to_thread(_run_and_end, lao, folder, variables)
        async with asyncio.timeout(30):
            await ollama.client_left.wait()
    assert [each["status"] for each in listed] == ["cancelled"]


def _run_and_end(lao, folder, variables):
    (folder / "slow.yaml").write_text(
        f"lao: 1\nname: slow\nsteps:\n"
        f"  - {{id: a, model: {{kind: ollama, model: {MODEL}}}, prompt_template: Hi}}\n"
    )
    with ui(lao, str(folder), **variables) as editor:
        editor.sign_in()
        assert variables["LAO_ENDPOINT"] in str(editor.json("/api/server"))
        version = editor.json("/api/document?path=slow.yaml")["version"]
        order = {"path": "slow.yaml", "version": version}
        status, data = editor.ask("POST", "/api/runs", order)
        assert status == 200, data
        editor.wait_for_text(json.loads(data)["run"], "Hel")
        code, said_last = editor.end()
        assert (code, "Traceback" in said_last) == (0, False)
    return json.loads(lao("runs", "--json").stdout)


# -- what is in reach ---------------------------------------------------

SETTINGS = load_settings({"HOME": "/nowhere"})


def test_every_address_and_program_of_the_folder_is_in_reach(folder):
    (folder / "below").mkdir()
    (folder / "below" / "a.yaml").write_text(
        "lao: 1\nname: a\nsteps:\n  - id: a\n    prompt_template: Hello\n    model:\n"
        "      kind: ollama\n      model: m\n      endpoint: http://127.0.0.1:5555\n"
    )
    (folder / "b.yaml").write_text(
        "lao: 1\nname: b\ninputs:\n  sound: audio\nsteps:\n  - id: a\n    input: '{{ inputs.sound }}'\n"
        "    model:\n      kind: whisper.cpp\n      model_path: m.bin\n      program: /usr/bin/w\n"
    )
    (folder / "broken.yaml").write_text("steps: [endpoint\n")
    (folder / "outside.yaml").write_text(
        "lao: 1\nname: a\nsteps:\n  - id: a\n    prompt_template: Hello\n    model:\n"
        "      kind: ollama\n      model: m\n      endpoint: http://10.0.0.1:5555\n"
    )
    models = models_in_reach(Folder(folder), SETTINGS)

    addresses = [each.endpoint.url for each in models if isinstance(each, Ollama)]
    programs = [each.program for each in models if isinstance(each, WhisperCpp)]
    assert (addresses, programs) == (["http://127.0.0.1:5555"], ["/usr/bin/w"])


# -- the browser --------------------------------------------------------


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, False),
        ({"DISPLAY": ":0"}, True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, True),
        ({"DISPLAY": ":0", "SSH_CONNECTION": "a"}, False),
    ],
)
def test_a_browser_is_opened_only_where_it_is_seen(environment, expected):
    assert shows_browser(environment) == expected


def test_the_browser_gets_a_file_of_which_nobody_else_learns(tmp_path, monkeypatch):
    program, heard = tmp_path / "xdg-open", tmp_path / "heard"
    program.write_text(f'#!/bin/sh\necho "$@" > {heard}\n')
    program.chmod(0o755)
    monkeypatch.setattr(opening_browser.shutil, "which", lambda _: str(program))
    link, folder = "http://127.0.0.1:1/#token=a&file=b", tmp_path / "data" / "editor"
    with opened_in_browser(link, folder) as forget:
        [file] = folder.iterdir()
        assert file.stat().st_mode & 0o777 == 0o600
        assert folder.stat().st_mode & 0o777 == 0o700
        assert 'url=http://127.0.0.1:1/#token=a&amp;file=b"' in file.read_text()
        _wait_for(heard)
        assert heard.read_text() == f"{file}\n"
        forget()
        assert not file.exists()
    assert list(folder.iterdir()) == []


def _wait_for(file: Path) -> None:
    deadline = time.monotonic() + 30
    while not (file.exists() and file.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
