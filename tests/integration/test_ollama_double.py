# SPDX-License-Identifier: Apache-2.0
"""The backend keeps its contract on a real llama.cpp behind Ollama's protocol.

The official client checks that the double speaks that protocol.
"""

import json

import pytest
from tests.integration.backend_contract import PERSON, BackendContract, Heard
from tests.models import CANNED_ANSWER
from tests.ollama_double import running_double

from lao.backends.loopback import LoopbackClient
from lao.backends.ollama import OllamaBackend, list_models
from lao.errors import StepError
from lao.policy import LoopbackEndpoint
from lao.workflow.inference import ModelRequest
from lao.workflow.local_models import Ollama

pytest.importorskip("xllamacpp")

MESSAGES = [{"role": "user", "content": "Hello"}]


@pytest.fixture(scope="module")
def url(tiny_gguf):
    with running_double(tiny_gguf, "tiny:latest") as url:
        yield url


class TestOllamaBackendOnTheDouble(BackendContract):
    @pytest.fixture
    async def client(self, url):
        client = LoopbackClient(LoopbackEndpoint(url))
        yield client
        await client.close()

    @pytest.fixture(params=["chat", "generate"])
    def backend(self, client, request):
        model = Ollama(model="tiny", mode=request.param)
        return OllamaBackend(model, client, require_no_cloud=True)

    @pytest.fixture
    def missing(self, client):
        return OllamaBackend(Ollama(model="none"), client)

    async def test_a_prompt_that_is_too_long_is_refused(self, backend):
        with pytest.raises(StepError, match=r"ollama\.prompt-too-long"):
            await backend.infer(ModelRequest(prompt="word " * 3000), Heard())

    async def test_the_model_is_listed(self, client):
        (one,) = await list_models(client)
        assert (one.name, one.refused) == ("tiny:latest", None)


class TestTheOfficialClientUnderstandsTheDouble:
    @pytest.fixture
    def ollama(self, url):
        with pytest.importorskip("ollama").Client(url, trust_env=False) as client:
            yield client

    def test_list_show_and_ps(self, ollama):
        assert [one.model for one in ollama.list().models] == ["tiny:latest"]
        assert ollama.show("tiny").modelinfo["llama.context_length"] == 2048
        assert ollama.ps().models[0].context_length == 2048

    def test_chat(self, ollama):
        assert ollama.chat("tiny", MESSAGES).message.content == CANNED_ANSWER

    def test_a_streamed_chat(self, ollama):
        parts = list(ollama.chat("tiny", MESSAGES, stream=True))
        assert "".join(part.message.content for part in parts) == CANNED_ANSWER
        assert [part.done for part in parts][-2:] == [False, True]
        assert parts[-1].eval_count > 1

    def test_generate(self, ollama):
        assert ollama.generate("tiny", "Hello").response == CANNED_ANSWER

    def test_an_empty_prompt_only_loads(self, ollama):
        assert ollama.generate("tiny", "").done_reason == "load"

    def test_an_answer_by_schema(self, ollama):
        answer = ollama.chat("tiny", MESSAGES, format=PERSON).message.content
        assert set(json.loads(answer)) == {"name", "ok"}

    def test_embeddings(self, ollama):
        vectors = ollama.embed("tiny", ["Hello", "Hello", "Bye"]).embeddings
        assert vectors[0] == vectors[1] != vectors[2]

    def test_a_model_that_is_not_there(self, ollama):
        with pytest.raises(Exception, match="not found") as caught:
            ollama.chat("none", MESSAGES)
        assert caught.value.status_code == 404
