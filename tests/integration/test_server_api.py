# SPDX-License-Identifier: Apache-2.0
"""The API does what it says of itself, whatever it is asked."""

import asyncio
import shutil
import sys
from collections.abc import Iterator

import pytest
from tests.web import editing

from lao.config import load_settings
from lao.examples import find_examples
from lao.workflow.values import JsonValue

SETTINGS = load_settings({"HOME": "/nowhere", "LAO_ENDPOINT": "http://127.0.0.1:1"})

# Left out: what a stream without an end would never answer; which method a path has
# (the guard refuses a wrong body before it knows); and that all that has the right shape
# is right (a file must also be there).
_CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_headers_conformance,response_schema_conformance,"
    "negative_data_rejection,ignored_auth"
)
_ENDLESS = "/api/events"


@pytest.fixture
def folder(tmp_path):
    for example in find_examples().values():
        shutil.copy(example, tmp_path)
    (tmp_path / "notes.txt").write_text("A note.\n")
    return tmp_path


@pytest.fixture
async def web(folder):
    async with editing(folder, SETTINGS) as running:
        yield running


async def test_the_description_says_how_to_ask_for_everything(web):
    described = (await web.get("/api/openapi.json")).json

    assert described["openapi"] == "3.1.0"
    assert {
        "/api/session",
        "/api/document/edits",
        "/api/runs",
        "/api/run/events",
        "/api/file",
        "/api/openapi.json",
    } <= set(described["paths"])
    named = set(_references(described))
    assert named <= set(described["components"]["schemas"])
    assert len(named) > 30


async def test_nothing_that_is_asked_breaks_it(web, folder):
    command = (
        *("-m", "schemathesis.cli", "run"),
        f"http://{web.host}/api/openapi.json",
        *("--header", f"Authorization: Bearer {web.session}"),
        *("--header", f"Origin: http://{web.host}"),
        *("--checks", _CHECKS, "--exclude-path", _ENDLESS),
        *("--phases", "fuzzing", "--max-examples", "8", "--seed", "1"),
        *("--workers", "1", "--no-color", "--generation-database", "none"),
    )
    started = await asyncio.create_subprocess_exec(
        sys.executable,
        *command,
        stdout=-1,
        stderr=asyncio.subprocess.STDOUT,
        cwd=folder,
    )
    said, _ = await started.communicate()

    assert started.returncode == 0, said.decode()[-6000:]


async def test_a_file_is_opened_edited_saved_and_undone(web, folder):
    path = "summarize-text.yaml"
    before = (folder / path).read_text()
    opened = (await web.get(f"/api/document?path={path}")).json
    request = {
        "path": path,
        "version": opened["version"],
        "label": "Name it",
        "edits": [{"kind": "set-value", "path": ["name"], "value": "another"}],
    }
    edited = (await web.post("/api/document/edits", request)).json["document"]
    late = await web.post("/api/document/edits", request)
    saved = await web.post(
        "/api/document/save", {"path": path, "version": edited["version"]}
    )

    assert (edited["name"], edited["is_saved"]) == ("another", False)
    assert (late.status, late.code) == (409, "editor.stale")
    assert late.json["document"]["version"] == edited["version"]
    assert saved.json["is_saved"]
    assert (folder / path).read_text() != before
    version = {"path": path, "version": saved.json["version"]}
    assert (await web.post("/api/document/undo", version)).json["text"] == before


async def test_a_change_elsewhere_is_told(web, folder):
    reader, writer = await web.connect()
    await web.get("/api/document?path=summarize-text.yaml")
    writer.write(web.request("GET", "/api/events?after=0"))
    file = folder / "summarize-text.yaml"
    file.write_text(file.read_text() + "# a remark\n")
    async with asyncio.timeout(30):
        while not (line := await reader.readline()).startswith(b"data: "):
            assert line
    writer.close()

    assert b'"document"' in line
    assert b"summarize-text.yaml" in line


async def test_the_server_tells_of_itself(web, folder):
    told = (await web.get("/api/server")).json

    assert told["folder"] == str(folder)
    assert not told["locality"]["is_enforced"], "this test's process is not locked"
    assert told["locality"]["attempts"] == 0
    assert {each["name"] for each in told["examples"]} == set(find_examples())
    assert not told["is_kept"]


async def test_models_and_steps_are_listed(web):
    models = (await web.get("/api/models")).json
    palette = (await web.get("/api/palette")).json

    assert "embedded:summary" in {each["name"] for each in models}
    assert "recipe:summarize" in {each["id"] for each in palette["entries"]}


def _references(value: JsonValue) -> Iterator[str]:
    match value:
        case dict():
            for key, each in value.items():
                if key == "$ref":
                    yield str(each).removeprefix("#/components/schemas/")
                else:
                    yield from _references(each)
        case list():
            for each in value:
                yield from _references(each)
        case _:
            pass
