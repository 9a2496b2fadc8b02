# SPDX-License-Identifier: Apache-2.0
"""No prompt reaches an Ollama model that is not proved to run on this machine."""

import asyncio

import pytest
from tests.fake_ollama import (
    STREAM_HEAD,
    Act,
    FakeOllama,
    answer,
    done,
    lines,
    said,
    shown,
    stream,
    text_answer,
)
from tests.integration.asking_ollama import ASK, CANARY, backend_for, complaint, infer
from tests.integration.backend_contract import Heard

from lao.errors import RefusedByPolicy
from lao.workflow.inference import ModelRequest


@pytest.mark.parametrize("mode", ["chat", "generate"])
@pytest.mark.parametrize("name", ["x:cloud", " X:CLOUD ", "a:8b-cloud", "a:8b:Cloud"])
async def test_a_cloud_name_is_refused_without_a_byte(name, mode):
    error, server = await complaint(model=name, mode=mode)
    assert isinstance(error, RefusedByPolicy)
    assert error.code == "policy.remote-model"
    assert (server.connections, bytes(server.received)) == (0, b"")


UNPROVEN = {
    "a remote host": (shown(remote_host="https://x.com"), "policy.remote-model"),
    "a remote model": (shown(remote_model="big:120b"), "policy.remote-model"),
    "an odd remote host": (shown(remote_host=0), "policy.remote-model"),
    "cloud is off": (answer({"error": "off"}, 403), "policy.remote-model"),
    "sign in": (answer({"error": "who?"}, 401), "policy.remote-model"),
    "a failure": (answer({"error": "oh"}, 500), "policy.locality-unproven"),
    "a bad request": (answer({"error": "oh"}, 400), "policy.locality-unproven"),
    "a redirect": (answer({}, 307), "http.redirect-refused"),
    "HTML": (text_answer("<html>"), "ollama.malformed-answer"),
    "a list": (answer([]), "ollama.malformed-answer"),
    "nothing": ([Act.CLOSE], "ollama.connection-lost"),
}


@pytest.mark.parametrize(
    "request_", [ASK, ModelRequest(prompt=CANARY, wants="embedding")]
)
@pytest.mark.parametrize("name", UNPROVEN)
async def test_a_model_that_is_not_proved_local_gets_no_byte_of_the_prompt(
    name, request_
):
    reply, code = UNPROVEN[name]
    error, server = await complaint({"/api/show": reply}, request_)
    assert error.code == code
    assert server.paths[0] == "/api/show"
    assert not {"/api/chat", "/api/embed"} & set(server.paths)
    assert not server.has_seen(CANARY)


async def test_the_witness_of_these_tests_sees_a_prompt_that_is_sent():
    _, server = await infer()
    assert server.has_seen(CANARY)


async def test_the_witness_sees_a_prompt_in_base64(tmp_path):
    picture = tmp_path / "a.png"
    picture.write_bytes(b"...." + CANARY.encode() + b"....")
    _, server = await infer(request=ModelRequest(prompt="?", files=(str(picture),)))
    assert server.has_seen(CANARY)


async def test_a_model_exchanged_for_a_stub_between_requests_is_refused():
    async with FakeOllama() as server, backend_for(server) as backend:
        await backend.infer(ModelRequest(prompt="first"), Heard())
        server.scripts["/api/show"] = [shown(remote_model="big:120b")]
        with pytest.raises(RefusedByPolicy, match=r"policy\.remote-model"):
            await backend.infer(ASK, Heard())
        assert not server.has_seen(CANARY)


@pytest.mark.parametrize("key", ["remote_host", "remote_model"])
async def test_a_remote_field_late_in_a_stream_aborts_it(key):
    heard = Heard()
    reply = [STREAM_HEAD, *lines(said("a"), said("b", **{key: "https://x"})), Act.HANG]
    async with FakeOllama({"/api/chat": reply}) as server:
        async with backend_for(server) as backend:
            with pytest.raises(RefusedByPolicy, match=r"policy\.remote-model"):
                await backend.infer(ASK, heard)
            await asyncio.wait_for(server.client_left.wait(), 30)
    assert heard.pieces == ["a"]


async def test_a_remote_field_in_the_last_line_or_an_embedding_counts_too():
    error, _ = await complaint({"/api/chat": stream(said("a"), done(remote_host="h"))})
    assert error.code == "policy.remote-model"
    vectors = answer({"embeddings": [[0.5]], "remote_model": "m"})
    request = ModelRequest(input="a", wants="embedding")
    error, _ = await complaint({"/api/embed": vectors}, request)
    assert error.code == "policy.remote-model"


async def test_a_redirected_prompt_goes_nowhere_else():
    async with FakeOllama() as elsewhere:
        where = f"HTTP/1.1 307 X\r\nLocation: {elsewhere.endpoint}/api/chat\r\n"
        reply = [f"{where}Content-Length: 0\r\n\r\n".encode()]
        error, _ = await complaint({"/api/chat": reply})
        assert error.code == "http.redirect-refused"
        assert elsewhere.connections == 0


async def test_proxies_of_the_environment_see_nothing(monkeypatch):
    async with FakeOllama() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "OLLAMA_HOST"):
            monkeypatch.setenv(name, str(proxy.endpoint))
        reply, _ = await infer()
        assert reply.value == "Hello"
        assert proxy.connections == 0


@pytest.mark.parametrize(
    "status", [answer({"cloud": {"disabled": False}}), answer({}), answer({}, 404)]
)
async def test_no_cloud_is_demanded_before_a_prompt(status):
    routes = {"/api/status": status}
    error, server = await complaint(routes, no_cloud=True)
    assert error.code == "policy.cloud-not-disabled"
    assert not server.has_seen(CANARY)
    reply, _ = await infer(routes, no_cloud=False)
    assert reply.value == "Hello"


async def test_a_server_without_cloud_satisfies_the_demand():
    reply, _ = await infer(no_cloud=True)
    assert reply.value == "Hello"


@pytest.mark.parametrize(
    ("version", "asked_for"),
    [("0.18.0", "llama3.2:local"), ("0.17.9", "llama3.2"), ("0.18.0-rc1", "llama3.2")],
)
async def test_a_new_server_is_asked_for_the_local_model_only(version, asked_for):
    _, server = await infer({"/api/version": answer({"version": version})})
    assert server.bodies("/api/chat")[0]["model"] == asked_for
    assert server.bodies("/api/show")[0]["model"] == "llama3.2"


async def test_the_server_is_asked_about_itself_once_and_about_the_model_each_time():
    async with FakeOllama() as server, backend_for(server) as backend:
        for _ in range(3):
            await backend.infer(ASK, Heard())
        counts = [
            server.paths.count(f"/api/{p}") for p in ("version", "status", "show")
        ]
        assert counts == [1, 1, 3]
