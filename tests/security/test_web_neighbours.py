# SPDX-License-Identifier: Apache-2.0
"""What a neighbour can do who has no token, or only leaves a file: nobody is kept out.

Other users of this machine can connect to the editor's port, and take it once its
server is gone. A file that somebody gave a person can be as large as a file may be.
"""

import asyncio
import hashlib
import hmac
import json
import signal
import socket
import subprocess
import sys
import time
from contextlib import asynccontextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest
from tests.promptness import promised, within
from tests.web import editing

from lao.config import load_settings
from lao.editor.bounds import MOST_STEPS
from lao.server.protocol import MOST_CONNECTIONS

pytestmark = pytest.mark.linux
ROOT = Path(__file__).parents[2]
SETTINGS = load_settings({"HOME": "/nowhere", "LAO_ENDPOINT": "http://127.0.0.1:1"})
STEP = "  - id: s{0}\n    uses: nothing-{0}\n    with: {{ text: '{{{{ r{0} }}}}' }}\n"
WORKFLOW = "lao: 1\nname: w\nsteps:\n" + STEP.format(0)


@pytest.fixture
async def web(tmp_path):
    (tmp_path / "w.yaml").write_text(WORKFLOW)
    async with editing(tmp_path, SETTINGS) as running:
        yield running


@asynccontextmanager
async def connections(web, count):
    held = [await web.connect() for _ in range(count)]
    try:
        yield held
    finally:
        for _, writer in held:
            writer.close()


async def ask(connection, data):
    """Send a request on a connection that is kept; return the first of its answer."""
    reader, writer = connection
    writer.write(data)
    return await asyncio.wait_for(reader.read(12), 30)


# -- connections --------------------------------------------------------


async def test_strangers_who_hold_every_connection_keep_nobody_out(web):
    async with connections(web, 3 * MOST_CONNECTIONS) as held:
        for _, writer in held:
            writer.write(b"GET / HTTP/1.1\r\nX")
        for _ in range(5):
            assert (await web.get("/api/server")).status == 200


async def test_who_is_signed_in_makes_way_for_no_stranger(web):
    kept = web.request("GET", "/api/pins?path=w.yaml", ["Connection: keep-alive"])
    async with connections(web, 1) as [page]:
        assert await ask(page, kept) == b"HTTP/1.1 200"
        async with connections(web, 2 * MOST_CONNECTIONS):
            rest = await asyncio.wait_for(page[0].readuntil(b"\r\n\r\n{"), 30)
            assert b"content-length" in rest
            await page[0].readuntil(b"}}")
            assert await ask(page, kept) == b"HTTP/1.1 200"


async def test_a_wrong_token_makes_nobody_known(web):
    wrong = web.request("GET", "/api/server", ["Authorization: Bearer x"])
    async with connections(web, MOST_CONNECTIONS) as held:
        assert await ask(held[0], wrong) == b"HTTP/1.1 401"
        assert (await web.get("/api/server")).status == 200


# -- the port of a server that is gone ----------------------------------


async def test_the_server_proves_itself_to_pages_that_signed_in(web):
    link = {"link": web.tokens.new_link()}
    key = bytes.fromhex((await web.post("/api/session", link)).json["key"])
    nonces = ["a", "b", "é" * 100]
    replies = [
        await web.post("/api/proof", {"nonce": each}, "Authorization")
        for each in nonces
    ]
    assert [each.json["proof"] for each in replies] == [
        hmac.new(key, each.encode(), hashlib.sha256).hexdigest() for each in nonces
    ]
    assert all(key.hex().encode() not in each.body for each in replies)


async def test_no_two_servers_prove_the_same(web, tmp_path):
    async with editing(tmp_path, SETTINGS) as other:
        proofs = [
            await each.post("/api/proof", {"nonce": "a"}) for each in (web, other)
        ]
    assert proofs[0].json["proof"] != proofs[1].json["proof"]


async def test_a_proof_is_asked_for_in_little(web):
    reply = await web.post("/api/proof", {"nonce": "a" * 5000}, "Authorization")
    assert reply.status == 413


# -- files that are too much --------------------------------------------

TOO_MUCH = {
    "steps": "lao: 1\nname: w\nsteps:\n" + "".join(map(STEP.format, range(20_000))),
    "values": "lao: 1\nname: w\nx: [" + "a, " * 400_000 + "]\nsteps: []\n",
    "keys": "lao: 1\nname: w\nx: {" + "a," * 400_000 + "}\nsteps: []\n",
    "lines": "lao: 1\nname: w\nui:\n" + "  a: [1, 2]\n" * 150_000,
    "quoted": "lao: 1\nname: w\nsteps:\n" + '- { "id": "a" }\n' * 20_000,
}


@pytest.mark.parametrize("text", TOO_MUCH.values(), ids=TOO_MUCH)
@promised
async def test_a_file_that_is_too_much_keeps_nobody_waiting(web, tmp_path, text):
    (tmp_path / "much.yaml").write_text(text)
    with within(5):
        opened = await web.get("/api/document?path=much.yaml")
        order = {"path": "much.yaml", "version": opened.json["version"]}
        forecast = await web.post("/api/forecast", order)
        run = await web.post("/api/runs", order)
        place = {"kind": "set-position", "node": "a", "x": 1, "y": 2}
        edits = {**order, "label": "", "edits": [place]}
        edited = await web.post("/api/document/edits", edits)

    assert opened.json["text"] == text
    assert [each["code"] for each in opened.json["problems"]] == ["editor.too-much"]
    assert forecast.json["problems"][0]["code"] == "editor.too-much"
    assert (run.code, edited.code) == ("editor.too-much", "editor.too-much")


async def test_what_is_too_much_can_be_mended_as_text(web, tmp_path):
    (tmp_path / "much.yaml").write_text(TOO_MUCH["steps"])
    opened = (await web.get("/api/document?path=much.yaml")).json
    order = {"path": "much.yaml", "version": opened["version"], "label": ""}
    order["edits"] = [{"kind": "set-text", "text": WORKFLOW}]
    edited = (await web.post("/api/document/edits", order)).json["document"]
    assert [each["id"] for each in edited["steps"]] == ["s0"]


async def test_as_many_steps_as_may_be_are_drawn_with_all_their_mistakes(web, tmp_path):
    text = "lao: 1\nname: w\nsteps:\n" + "".join(map(STEP.format, range(MOST_STEPS)))
    (tmp_path / "full.yaml").write_text(text)
    reply = await web.raw(web.request("GET", "/api/document?path=full.yaml"), within=30)
    assert len(reply.json["steps"]) == MOST_STEPS
    assert len(reply.json["problems"]) >= MOST_STEPS


async def test_a_clipboard_cannot_hold_more_steps_than_a_file(web):
    opened = (await web.get("/api/document?path=w.yaml")).json
    step = {"id": "a", "uses": "summarize", "with": {"text": "x"}}
    paste = {"kind": "paste", "steps": [step] * (MOST_STEPS + 1)}
    order = {"path": "w.yaml", "version": opened["version"], "label": "Paste"}
    reply = await web.post("/api/document/edits", {**order, "edits": [paste]})
    assert reply.code == "editor.too-many-edits"


# -- files that are no workflows ----------------------------------------


async def test_only_workflow_files_are_written(web, tmp_path):
    program = tmp_path / "run.sh"
    program.write_text("echo\n")
    opened = (await web.get("/api/document?path=run.sh")).json
    order = {"path": "run.sh", "version": opened["version"], "label": ""}
    order["edits"] = [{"kind": "set-text", "text": "curl evil.example"}]
    edited = await web.post("/api/document/edits", order)

    assert edited.code == "editor.read-only"
    assert opened["read_only"]
    assert program.read_text() == "echo\n"


# -- the end ------------------------------------------------------------


def test_a_busy_server_can_be_ended_in_the_background_too(tmp_path):
    """A shell starts its background jobs with Ctrl-C ignored."""
    text = "lao: 1\nname: w\nsteps:\n" + "".join(map(STEP.format, range(MOST_STEPS)))
    (tmp_path / "full.yaml").write_text(text)
    command = [sys.executable, "-m", "tests.serve_ui", "--no-browser", str(tmp_path)]
    home = {"HOME": str(tmp_path / "home"), "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        ["/bin/sh", "-c", 'trap "" INT; exec "$@"', "sh", *command],
        env={"PATH": "/usr/bin:/bin", "LAO_ENDPOINT": "http://127.0.0.1:1", **home},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            address, _, token = process.stdout.readline().strip().partition("#token=")
            host = address.split("/")[2]
            session = json.loads(ask_once(host, "/api/session", {"link": token}))
            waiting = socket.create_connection(host.split(":"))
            waiting.sendall(
                f"GET /api/document?path=full.yaml HTTP/1.1\r\nHost: {host}\r\n"
                f"Authorization: Bearer {session['token']}\r\n\r\n".encode()
            )
            time.sleep(0.3)  # it is at work for a second or two
            process.send_signal(signal.SIGTERM)
            assert process.wait(50) == 0
            waiting.close()
        finally:
            process.kill()


def ask_once(host, path, body):
    connection = HTTPConnection(host, timeout=30)
    headers = {"Origin": f"http://{host}", "Content-Type": "application/json"}
    connection.request("POST", path, json.dumps(body), headers)
    found = connection.getresponse().read()
    connection.close()
    return found
