# SPDX-License-Identifier: Apache-2.0
"""What an Ollama model is: asked in one request, anew each time, and refused as it is."""

import pytest
from tests.fake_ollama import DIGEST, FakeOllama, answer, listed, shown
from tests.integration.asking_ollama import backend_for
from tests.integration.test_ollama_locality import UNPROVEN

from lao.errors import LaoError, ModelUnavailable, RefusedByPolicy


def tags(*models):
    return {"/api/tags": answer({"models": list(models)})}


async def identity(routes=None, **how):
    async with FakeOllama(routes) as server, backend_for(server, **how) as backend:
        return await backend.identify(), server.paths


async def refusal(routes=None, **how):
    async with FakeOllama(routes) as server, backend_for(server, **how) as backend:
        with pytest.raises(LaoError) as caught:
            await backend.identify()
        return caught.value, server


async def test_the_digest_is_the_server_s_own_and_takes_one_request():
    assert await identity() == (f"sha256:{DIGEST}", ["/api/tags"])


async def test_the_server_is_asked_anew_each_time():
    async with FakeOllama() as server, backend_for(server) as backend:
        before = await backend.identify()
        server.scripts |= {k: [v] for k, v in tags(listed(digest="cd" * 32)).items()}
        assert (before, await backend.identify()) == (
            f"sha256:{DIGEST}",
            f"sha256:{'cd' * 32}",
        )
        assert server.connections == 1


@pytest.mark.parametrize(
    ("asked", "known"),
    [
        ("m", "m:latest"),
        ("M:Latest", "m:latest"),
        ("m:8b:local", "m:8b"),
        ("m:local", "m:latest"),
        ("library/m", "m:latest"),
        ("registry.ollama.ai/library/m:8b", "m:8b"),
        ("hf.co/a/b:Q4", "hf.co/a/b:Q4"),
        ("m:local", "m:local"),
    ],
)
async def test_a_model_is_found_by_each_of_its_names(asked, known):
    other = listed("other", digest="cd" * 32)
    found, _ = await identity(tags(other, listed(known)), model=asked)
    assert found == f"sha256:{DIGEST}"


async def test_a_model_that_is_not_listed_is_named_by_what_is_told_of_it():
    routes = tags()
    before, paths = await identity(routes)
    assert paths == ["/api/tags", "/api/show"]
    assert (await identity(routes))[0] == before
    other = await identity({**routes, "/api/show": shown(modified_at="now")})
    assert other[0] != before


async def test_a_model_that_does_not_exist_is_unavailable():
    gone = {"/api/show": answer({"error": "not found"}, 404)}
    error, _ = await refusal({**tags(listed("other")), **gone}, model="othr")
    assert isinstance(error, ModelUnavailable)
    assert error.code == "ollama.model-not-found"


async def test_no_server_is_unavailable():
    async with FakeOllama() as server, backend_for(server) as backend:
        server._server.close()
        with pytest.raises(ModelUnavailable, match=r"ollama\.not-running"):
            await backend.identify()


# What is not of this machine


@pytest.mark.parametrize("name", ["x:cloud", " X:CLOUD ", "a:8b-cloud"])
async def test_a_cloud_name_is_refused_without_a_byte(name):
    error, server = await refusal(model=name)
    assert error.code == "policy.remote-model"
    assert (server.connections, bytes(server.received)) == (0, b"")


@pytest.mark.parametrize("key", ["remote_host", "remote_model"])
async def test_a_stub_is_refused(key):
    error, _ = await refusal(tags(listed("llama3.2", **{key: "https://x.com"})))
    assert isinstance(error, RefusedByPolicy)


@pytest.mark.parametrize("name", UNPROVEN)
async def test_what_is_not_proved_local_is_refused_as_for_a_prompt(name):
    reply, code = UNPROVEN[name]
    error, _ = await refusal({**tags(), "/api/show": reply})
    assert error.code == code


async def test_no_cloud_is_demanded_here_too():
    status = {"/api/status": answer({"cloud": {"disabled": False}})}
    error, _ = await refusal(status, no_cloud=True)
    assert error.code == "policy.cloud-not-disabled"
    assert (await identity(no_cloud=True))[0] == f"sha256:{DIGEST}"
