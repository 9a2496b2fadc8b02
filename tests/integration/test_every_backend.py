# SPDX-License-Identifier: Apache-2.0
"""One contract, every kind of model: what the engine may rely on."""

import asyncio
import re
import shutil
import time
from pathlib import Path

import pytest
from tests.integration.backend_contract import Heard
from tests.ollama_double import running_double

import lao
from lao.backend_factory import Backends
from lao.config import load_settings
from lao.errors import LaoError
from lao.policy import LoopbackEndpoint
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
FILES = ("llama.cpp", "whisper.cpp", "custom")
KINDS = ("ollama", *FILES, "summary", "entities", "redact")


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


# What is it?


async def test_it_names_its_content_the_same_each_time(model, backends):
    kind, request = model
    backend = backends(kind)
    before = await backend.identify()
    await backend.infer(request, Heard())
    assert await backend.identify() == before
    assert re.fullmatch("sha256:[0-9a-f]{64}", before)


async def test_it_names_its_content_without_starting_anything(model, backends):
    kind, _ = model
    await backends(kind).identify()
    assert backends._pool.live() == ()


async def test_to_be_asked_what_it_is_costs_next_to_nothing(model, backends):
    kind, _ = model
    backend = backends(kind)
    await backend.identify()
    started = time.process_time()
    for _ in range(20):
        await backend.identify()
    assert (time.process_time() - started) / 20 < 0.02


@pytest.fixture(params=FILES)
def owned(request, tmp_path, tiny_gguf, tiny_whisper):
    """Return a model that is a file of one's own, and the file."""
    match request.param:
        case "llama.cpp":
            path = shutil.copy(tiny_gguf, tmp_path / "m.gguf")
            one_thread = {"num_thread": 1}
            return LlamaCpp(model_path=str(path), options=one_thread), path, PROMPT
        case "whisper.cpp":
            path = shutil.copy(tiny_whisper, tmp_path / "m.bin")
            return WhisperCpp(model_path=str(path)), path, HEAR
        case _:
            path = shutil.copy(EXAMPLE, tmp_path / "m.py")
            return Custom(plugin=str(path)), path, READ


async def test_another_content_has_another_name_and_is_what_answers(owned, backends):
    kind, path, request = owned
    backend = backends(kind)
    before = await backend.identify()
    await backend.infer(request, Heard())
    with path.open("ab") as file:
        file.write(b"\n")
    assert await backend.identify() != before
    assert (await backend.infer(request, Heard())).value
    assert len(backends._pool.live()) == 2, "what was loaded of the old is not asked"


async def test_the_same_content_elsewhere_has_the_same_name(owned, backends, tmp_path):
    kind, path, _ = owned
    copy = shutil.copy(path, tmp_path / f"other{path.suffix}")
    match kind:
        case Custom():
            other = Custom(plugin=str(copy))
        case _:
            other = type(kind)(model_path=str(copy))
    assert await backends(kind).identify() == await backends(other).identify()


@pytest.mark.parametrize("damage", ["gone", "garbage", "folder"])
async def test_what_cannot_be_used_cannot_be_named(owned, backends, damage):
    kind, path, request = owned
    if isinstance(kind, Custom) and damage == "garbage":
        pytest.skip("whether a text is a program shows when it is run")
    backend = backends(kind)
    await backend.identify()
    path.unlink()
    match damage:
        case "garbage":
            path.write_bytes(b"\x00garbage")
        case "folder":
            path.mkdir()
    with pytest.raises(LaoError) as unnamed:
        await backend.identify()
    with pytest.raises(type(unnamed.value)):
        await backend.infer(request, Heard())


async def test_a_program_counts_with_the_model_that_it_runs(
    backends, tmp_path, tiny_whisper
):
    program = tmp_path / "whisper-cli"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o700)
    kind = WhisperCpp(model_path=str(tiny_whisper), program=str(program))
    alone = await backends(WhisperCpp(model_path=str(tiny_whisper))).identify()
    before = await backends(kind).identify()
    program.write_text("#!/bin/sh\nexit 1\n")
    assert len({alone, before, await backends(kind).identify()}) == 3
    program.chmod(0o600)
    with pytest.raises(LaoError, match=r"program\.not-executable"):
        await backends(kind).identify()


async def test_the_recogniser_is_named_without_starting_it(backends):
    pytest.importorskip("pocketsphinx")
    names = [await backends(Embedded(name=n)).identify() for n in ("speech", "redact")]
    assert len(set(names)) == 2
    assert backends._pool.live() == ()
