# SPDX-License-Identifier: Apache-2.0
"""The Ollama backend against a server that misbehaves in every known way."""

import asyncio
import base64

import pytest
from tests.fake_ollama import (
    DIGEST,
    MODEL,
    STREAM_END,
    STREAM_HEAD,
    Act,
    FakeOllama,
    answer,
    chunk,
    done,
    lines,
    listed,
    said,
    shown,
    stream,
    text_answer,
)
from tests.integration.asking_ollama import ASK, backend_for, complaint, infer
from tests.integration.backend_contract import Heard

from lao.backends.http1 import HttpLimits
from lao.backends.loopback import LoopbackClient
from lao.backends.ollama import cloud_status, list_models, server_version
from lao.errors import ModelUnavailable, RefusedByPolicy, StepError
from lao.workflow.inference import ModelRequest

# -- what is asked -----------------------------------------------------------


async def test_a_chat_request_is_whole_and_nothing_more(tmp_path):
    picture = tmp_path / "a.png"
    picture.write_bytes(b"png")
    request = ModelRequest(
        prompt="Who?", system="Be brief", files=(str(picture),), options={"seed": 2}
    )
    how = {"options": {"seed": 1, "num_ctx": 64}, "keep_alive": "5m", "think": False}
    _, server = await infer(request=request, **how)
    image = base64.b64encode(b"png").decode()
    assert server.bodies("/api/chat") == [
        {
            "model": "llama3.2:local",
            "messages": [
                {"role": "system", "content": "Be brief"},
                {"role": "user", "content": "Who?", "images": [image]},
            ],
            "options": {"seed": 2, "num_ctx": 64},
            "keep_alive": "5m",
            "think": False,
            "stream": True,
            "truncate": False,
            "shift": False,
        }
    ]


async def test_a_generate_request_says_only_what_is_set():
    chunks = stream({"response": "Hi", "done": False}, {"response": "", "done": True})
    reply, server = await infer(
        {"/api/generate": chunks}, ModelRequest(prompt="Who?"), mode="generate"
    )
    assert reply.value == "Hi"
    assert server.bodies("/api/generate") == [
        {
            "model": "llama3.2:local",
            "prompt": "Who?",
            "stream": True,
            "truncate": False,
            "shift": False,
        }
    ]


@pytest.mark.parametrize(
    ("schema", "format_"), [({"type": "object"}, {"type": "object"}), (None, "json")]
)
async def test_json_is_asked_for_by_schema_or_by_name(schema, format_):
    request = ModelRequest(prompt="Who?", wants="json", schema=schema)
    _, server = await infer(request=request)
    assert server.bodies("/api/chat")[0]["format"] == format_


async def test_texts_are_embedded_one_or_many():
    request = ModelRequest(input="a", wants="embedding")
    reply, server = await infer(request=request)
    assert reply.value == [0.5, 1.0]
    assert reply.tokens_in == 2
    sent = {"model": "llama3.2:local", "input": "a", "truncate": False}
    assert server.bodies("/api/embed") == [sent]
    two = {"/api/embed": answer({"embeddings": [[1], [2]]})}
    reply, _ = await infer(two, ModelRequest(input=["a", "b"], wants="embedding"))
    assert reply.value == [[1.0], [2.0]]


@pytest.mark.parametrize("vectors", [[], [[1], [2]], [["a"]], [1], "x", [[True]]])
async def test_embeddings_that_do_not_fit_are_malformed(vectors):
    request = ModelRequest(input="a", wants="embedding")
    error, _ = await complaint({"/api/embed": answer({"embeddings": vectors})}, request)
    assert error.code == "ollama.malformed-answer"


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (ModelRequest(prompt=" \n"), "ollama.empty-prompt"),
        (ModelRequest(wants="embedding"), "ollama.nothing-to-embed"),
        (ModelRequest(input=[1], wants="embedding"), "ollama.nothing-to-embed"),
        (ModelRequest(prompt="?", files=("/no/such",)), "ollama.file-unreadable"),
        (ModelRequest(prompt="?", files=("/dev/zero",)), "ollama.file-unreadable"),
    ],
)
async def test_a_request_that_makes_no_sense_is_not_sent(request_, code):
    error, server = await complaint(request=request_)
    assert (error.code, server.requests) == (code, [])


# -- what is answered --------------------------------------------------------


async def test_an_answer_comes_in_pieces_with_its_counts():
    heard = Heard()
    reply, _ = await infer(heard=heard)
    assert heard.pieces == ["Hel", "lo"]
    assert reply.value == "Hello"
    assert reply.made_by == "ollama llama3.2"
    assert (reply.tokens_in, reply.tokens_out, reply.seconds) == (11, 3, 2.0)
    assert reply.notes == ()


async def test_thinking_is_no_part_of_the_answer():
    thought = said("")
    thought["message"]["thinking"] = "Hmm"
    heard = Heard()
    reply, _ = await infer(
        {"/api/chat": stream(thought, said("42"), done())}, heard=heard
    )
    assert (reply.value, heard.pieces) == ("42", ["42"])


async def test_an_answer_that_was_stopped_says_so():
    reply, _ = await infer({"/api/chat": stream(said("a"), done(done_reason="length"))})
    assert "stopped at num_predict" in reply.notes[0]


@pytest.mark.parametrize("tokens", [64, 100])
async def test_a_prompt_that_fills_the_context_was_cut(tokens):
    routes = {"/api/chat": stream(said("a"), done(prompt_eval_count=tokens))}
    error, _ = await complaint(routes, options={"num_ctx": 64})
    assert error.code == "ollama.prompt-too-long"
    assert "num_ctx" in error.problem.mend
    loaded = answer({"models": [{"name": f"{MODEL}:latest", "context_length": 64}]})
    error, _ = await complaint({**routes, "/api/ps": loaded})
    assert error.code == "ollama.prompt-too-long"
    reply, _ = await infer(routes, options={"num_ctx": tokens + 1})
    assert reply.value == "a"


async def test_a_context_is_never_longer_than_the_model_s():
    routes = {"/api/chat": stream(said("a"), done(prompt_eval_count=2048))}
    error, _ = await complaint(routes, options={"num_ctx": 1_000_000})
    assert error.code == "ollama.prompt-too-long"


CUT = [STREAM_HEAD, *lines(said("Hel"))]
FAILURES = {
    "no last line": ([*CUT, STREAM_END], "ollama.stream-cut", True),
    "dropped": ([*CUT, Act.RESET], "ollama.connection-lost", True),
    "closed": ([*CUT, Act.CLOSE], "ollama.connection-lost", True),
    "half a line": ([*CUT, chunk(b'{"mes'), Act.CLOSE], "ollama.connection-lost", True),
    "stalled": ([*CUT, Act.HANG], "ollama.stalled", True),
    "an error in the stream": (
        stream(said("Hel"), {"error": "runner died"}),
        "ollama.server-error",
        True,
    ),
    "a long prompt in the stream": (
        stream({"error": "request exceeds the available context size"}),
        "ollama.prompt-too-long",
        False,
    ),
    "a failure": (answer({"error": "oh"}, 500), "ollama.server-error", True),
    "a cloud that is not there": (
        answer({"error": "oh"}, 502),
        "ollama.server-error",
        True,
    ),
    "a long prompt": (
        answer({"error": "the input length exceeds the context length"}, 400),
        "ollama.prompt-too-long",
        False,
    ),
    "a bad request": (
        answer({"error": "does not support thinking"}, 400),
        "ollama.bad-request",
        False,
    ),
    "two last lines": (stream(done(), done()), "ollama.malformed-answer", False),
    "more after the last": (
        stream(done(), said("x")),
        "ollama.malformed-answer",
        False,
    ),
    "no JSON": ([*CUT, chunk(b"<p>\n"), STREAM_END], "ollama.malformed-answer", False),
    "a list": (stream([1]), "ollama.malformed-answer", False),
    "a number for a text": (stream(said(7)), "ollama.malformed-answer", False),
    "a text for a number": (
        stream(done(eval_count="7")),
        "ollama.malformed-answer",
        False,
    ),
}


@pytest.mark.parametrize("name", FAILURES)
async def test_a_failure_has_its_own_code(name):
    reply, code, retryable = FAILURES[name]
    limits = HttpLimits(silence=0.1)
    error, _ = await complaint({"/api/chat": reply}, limits=limits)
    assert isinstance(error, StepError)
    assert (error.code, error.retryable) == (code, retryable)
    assert error.problem.mend


@pytest.mark.parametrize("status", [401, 403])
async def test_a_prompt_that_the_cloud_would_answer_is_refused(status):
    error, _ = await complaint({"/api/chat": answer({"error": "sign in"}, status)})
    assert isinstance(error, RefusedByPolicy)


async def test_a_model_that_is_not_there_is_named_with_its_likes():
    error, _ = await complaint(
        {"/api/show": answer({"error": "not found"}, 404)}, model="lama3.2"
    )
    assert isinstance(error, ModelUnavailable)
    assert error.code == "ollama.model-not-found"
    assert "llama3.2:latest" in error.problem.mend
    assert "ollama pull lama3.2" in error.problem.mend


async def test_a_model_that_went_away_is_not_found():
    error, _ = await complaint({"/api/chat": answer({"error": "not found"}, 404)})
    assert error.code == "ollama.model-not-found"


async def test_a_busy_server_is_asked_again_after_growing_pauses():
    busy = answer({"error": "server busy"}, 503)
    async with FakeOllama() as server, backend_for(server) as backend:
        server.scripts["/api/chat"] = [busy, busy, stream(said("ok"), done())]
        reply = await backend.infer(ASK, Heard())
        assert reply.value == "ok"
        assert 0.25 <= backend.pauses[0] <= 0.5 <= backend.pauses[1] <= 1.0


async def test_a_server_that_stays_busy_is_unavailable_for_now():
    error, server = await complaint({"/api/chat": answer({"error": "busy"}, 503)})
    assert isinstance(error, ModelUnavailable)
    assert (error.code, error.retryable) == ("ollama.busy", True)
    assert server.paths.count("/api/chat") == 5


async def test_a_server_that_does_not_run_is_unavailable():
    async with FakeOllama() as server:
        pass
    async with backend_for(server) as backend:
        with pytest.raises(ModelUnavailable, match=r"ollama\.not-running") as caught:
            await backend.infer(ASK, Heard())
        with pytest.raises(ModelUnavailable):
            await backend.describe()
    assert "ollama serve" in caught.value.problem.mend


async def test_a_half_closed_idle_connection_does_no_harm():
    hello = stream(said("Hello"), done())
    async with FakeOllama({"/api/chat": [*hello, Act.CLOSE]}) as server:
        async with backend_for(server, options={"num_ctx": 64}) as backend:
            for _ in range(2):
                assert (await backend.infer(ASK, Heard())).value == "Hello"


async def test_a_cancelled_request_stops_the_server_at_once():
    heard = Heard()
    async with FakeOllama({"/api/chat": [*CUT, Act.HANG]}) as server:
        async with backend_for(server) as backend:
            asking = asyncio.create_task(backend.infer(ASK, heard))
            await heard.first.wait()
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
            await asyncio.wait_for(server.client_left.wait(), 30)


# -- what is told ------------------------------------------------------------


async def test_a_description_says_what_the_model_is():
    async with FakeOllama() as server, backend_for(server) as backend:
        description = await backend.describe()
    assert description.digest == f"sha256:{DIGEST}"
    assert (description.context_length, description.size) == (2048, 7)
    assert description.details["cloud_disabled"] is True
    assert description.details["quantization"] == "Q4_K_M"


async def test_a_description_of_a_remote_model_is_refused():
    async with FakeOllama({"/api/show": shown(remote_host="h")}) as server:
        async with backend_for(server) as backend:
            with pytest.raises(RefusedByPolicy):
                await backend.describe()


async def test_the_models_of_a_server_are_listed_and_remote_ones_marked():
    names = [listed("a:1b"), listed("b:cloud"), listed("c", remote_host="https://x")]
    async with FakeOllama({"/api/tags": answer({"models": names})}) as server:
        client = LoopbackClient(server.endpoint)
        found = await list_models(client)
        assert [(one.name, one.refused) for one in found] == [
            ("a:1b", None),
            ("b:cloud", "cloud"),
            ("c", "cloud"),
        ]
        assert found[0].digest == f"sha256:{DIGEST}"
        assert await server_version(client) == "0.18.2"
        assert await cloud_status(client) is True
        await client.close()


async def test_an_old_server_tells_nothing_of_its_cloud():
    old = text_answer("404 page not found", 404, "text/plain")
    async with FakeOllama({"/api/status": old, "/api/version": old}) as server:
        client = LoopbackClient(server.endpoint)
        assert await cloud_status(client) is None
        assert await server_version(client) == ""
        await client.close()


async def test_nothing_that_changes_a_server_is_ever_asked():
    _, server = await infer()
    asked = {"/api/show", "/api/status", "/api/version", "/api/chat", "/api/ps"}
    assert set(server.paths) == asked
