# SPDX-License-Identifier: Apache-2.0
"""One contract, every kind of model: what the engine may rely on."""

import asyncio
import re
from pathlib import Path

import pytest
from tests.integration.backend_contract import Heard
from tests.ollama_double import running_double

import lao
from lao.config import load_settings
from lao.errors import LaoError
from lao.policy import LoopbackEndpoint
from lao.runtime import Backends
from lao.workflow.inference import ModelRequest
from lao.workflow.local_models import (
    Custom,
    Embedded,
    LlamaCpp,
    Ollama,
    WhisperCpp,
)

CLIP = str(Path(lao.__file__).parent / "examples" / "meeting.flac")
EXAMPLE = Path(__file__).parents[2] / "examples" / "custom_model.py"
TEXT = "Ana Ruiz pays 40 dollars to Acme Inc on 3 May. Ana Ruiz is glad of it."
PROMPT = ModelRequest(prompt=TEXT, options={"num_predict": 20})
READ = ModelRequest(input=TEXT)
HEAR = ModelRequest(input=CLIP, files=(CLIP,))
KINDS = (
    "ollama",
    "llama.cpp",
    "whisper.cpp",
    "summary",
    "entities",
    "redact",
    "custom",
)


@pytest.fixture(scope="module")
def double(tiny_gguf):
    with running_double(tiny_gguf, "tiny") as url:
        yield LoopbackEndpoint(url)


@pytest.fixture(params=KINDS)
def model(request, double, tiny_gguf, tiny_whisper):
    one_thread = {"num_thread": 1}
    match request.param:
        case "ollama":
            return Ollama(model="tiny", endpoint=double), PROMPT
        case "llama.cpp":
            return LlamaCpp(model_path=str(tiny_gguf), options=one_thread), PROMPT
        case "whisper.cpp":
            return WhisperCpp(model_path=str(tiny_whisper)), HEAR
        case "custom":
            return Custom(plugin=str(EXAMPLE)), READ
        case name:
            return Embedded(name=name), READ


@pytest.fixture
async def backends(tmp_path):
    async with Backends(load_settings({"HOME": str(tmp_path)})) as backends:
        yield backends


async def test_it_says_what_it_is_and_what_made_an_answer(model, backends):
    kind, request = model
    backend = backends(kind)
    description = await backend.describe()
    reply = await backend.infer(request, Heard())
    assert description.name
    assert description.made_by or description.digest
    assert reply.value
    assert reply.made_by


async def test_the_same_request_gets_the_same_answer(model, backends):
    kind, request = model
    first = await backends(kind).infer(request, Heard())
    second = await backends(kind).infer(request, Heard())
    assert first.value == second.value


async def test_it_is_cancelled_at_once_and_answers_again(model, backends):
    kind, request = model
    backend = backends(kind)
    answering = asyncio.create_task(backend.infer(request, Heard()))
    await asyncio.sleep(0)
    answering.cancel()
    with pytest.raises(asyncio.CancelledError):
        await answering
    assert (await backend.infer(request, Heard())).value


async def test_it_complains_with_a_code_and_nothing_else(model, backends):
    kind, request = model
    hopeless = "/no/such/file.wav" if request is HEAR else ""
    with pytest.raises(LaoError) as raised:
        await backends(kind).infer(
            ModelRequest(input=hopeless, options={"no_such_option": 1}), Heard()
        )
    assert re.fullmatch(r"[a-z]+\.[a-z-]+", raised.value.code.replace(".cpp", ""))


async def test_it_is_closed_twice_and_opens_again(model, backends):
    kind, request = model
    backend = backends(kind)
    await backend.infer(request, Heard())
    await backend.close()
    await backend.close()
    assert (await backend.infer(request, Heard())).value
