# SPDX-License-Identifier: Apache-2.0
"""llama.cpp in a locked worker process, on a real model with a known answer."""

import asyncio
import json
import math
import os
import shutil
from hashlib import sha256
from pathlib import Path

import gguf
import pytest
from tests.integration.backend_contract import BackendContract, Heard
from tests.models import CANNED_ANSWER, make_tiny_gguf
from tests.promptness import promised, within

from lao.backends.llama_cpp import LlamaCppBackend
from lao.errors import ModelUnavailable, SchemaMismatch, StepError
from lao.workers.pool import WorkerPool
from lao.workflow.inference import ModelRequest
from lao.workflow.local_models import LlamaCpp

pytest.importorskip("xllamacpp")

HELLO = ModelRequest(prompt="Hello")
NAME = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}


@pytest.fixture
async def pool():
    async with WorkerPool() as pool:
        yield pool


@pytest.fixture
def backend(pool, tiny_gguf):
    return backend_of(tiny_gguf, pool)


def backend_of(path, pool, *, parallel=1, **options) -> LlamaCppBackend:
    model = LlamaCpp(model_path=str(path), options={"num_thread": 1, **options})
    return LlamaCppBackend(model, pool, parallel=parallel)


async def failure_of(backend, **request) -> StepError:
    with pytest.raises(StepError) as caught:
        await backend.infer(ModelRequest(**{"prompt": "Hello", **request}), Heard())
    assert caught.value.problem.mend
    return caught.value


class TestContract(BackendContract):
    @pytest.fixture
    def backend(self, pool, tiny_gguf):
        return backend_of(tiny_gguf, pool)

    @pytest.fixture
    def missing(self, pool, tmp_path):
        return backend_of(tmp_path / "missing.gguf", pool)


async def test_the_model_stays_loaded_between_requests(backend, pool):
    await backend.infer(HELLO, Heard())
    [before] = pool.live()
    await backend.infer(HELLO, Heard())
    [after] = pool.live()
    assert before.pid == after.pid


async def test_closing_ends_the_process(backend, pool):
    await backend.infer(HELLO, Heard())
    await backend.close()
    assert pool.live() == ()


async def test_the_worker_listens_on_no_port(backend, pool):
    await backend.infer(HELLO, Heard())
    [worker] = pool.live()
    try:
        opened = sockets_of(worker.pid)
    except PermissionError:
        pytest.skip("only root may look into a worker")
    assert opened  # the one that xllamacpp insists on
    assert not opened & internet_sockets()


def sockets_of(pid: int) -> set[str]:
    links = {fd.readlink().name for fd in Path(f"/proc/{pid}/fd").iterdir()}
    return {link for link in links if link.startswith("socket:")}


def internet_sockets() -> set[str]:
    tables = [Path("/proc/net", name) for name in ("tcp", "tcp6", "udp", "udp6")]
    lines = [line for t in tables for line in t.read_text().splitlines()[1:]]
    return {f"socket:[{line.split()[9]}]" for line in lines}


async def test_requests_are_served_side_by_side_with_a_whole_context_each(
    pool, tiny_gguf
):
    backend = backend_of(tiny_gguf, pool, parallel=2, num_ctx=512)
    long = ModelRequest(prompt="a" * 400)
    replies = await asyncio.gather(*(backend.infer(long, Heard()) for _ in range(4)))
    assert [reply.value for reply in replies] == [CANNED_ANSWER] * 4
    assert len(pool.live()) == 1


async def test_a_seeded_answer_does_not_depend_on_what_came_before(pool, tmp_path):
    path = make_tiny_gguf(tmp_path / "random.gguf", mode="random")
    backend = backend_of(path, pool)
    seeded = ModelRequest(prompt="Hello", options={"seed": 7, "num_predict": 24})
    first = await backend.infer(seeded, Heard())
    await backend.infer(ModelRequest(prompt="He", options={"num_predict": 3}), Heard())
    again = await backend.infer(seeded, Heard())
    assert first.value == again.value
    other = ModelRequest(prompt="Hello", options={"seed": 8, "num_predict": 24})
    assert (await backend.infer(other, Heard())).value != first.value


async def test_the_system_text_reaches_the_model(backend):
    plain = await backend.infer(HELLO, Heard())
    told = await backend.infer(ModelRequest(prompt="Hello", system="Be."), Heard())
    assert told.tokens_in > plain.tokens_in


async def test_a_stop_text_ends_the_answer(backend):
    request = ModelRequest(prompt="Hello", options={"stop": ["canned"]})
    assert (await backend.infer(request, Heard())).value == "This is a "


async def test_a_text_that_is_cut_short_says_so(backend):
    request = ModelRequest(prompt="Hello", options={"num_predict": 2})
    reply = await backend.infer(request, Heard())
    assert reply.value == "This is"
    assert any("cut short" in note for note in reply.notes)


async def test_json_that_is_cut_short_is_a_failure(backend):
    error = await failure_of(
        backend, wants="json", schema=NAME, options={"num_predict": 5}
    )
    assert error.code == "llama.cut-short"


async def test_json_without_a_schema_is_some_object(backend):
    reply = await backend.infer(ModelRequest(prompt="Hello", wants="json"), Heard())
    assert isinstance(json.loads(reply.value), dict)


async def test_a_prompt_that_does_not_fit_is_refused(pool, tiny_gguf):
    error = await failure_of(
        backend_of(tiny_gguf, pool, num_ctx=512), prompt="a" * 1000
    )
    assert error.code == "llama.prompt-too-long"
    assert "num_ctx" in error.problem.mend


async def test_a_prompt_that_fits_a_longer_context_is_answered(pool, tiny_gguf):
    backend = backend_of(tiny_gguf, pool, num_ctx=512)
    request = ModelRequest(prompt="a" * 1000, options={"num_ctx": 1500})
    assert (await backend.infer(request, Heard())).value == CANNED_ANSWER


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ({"options": {"temprature": 1}}, "llama.unknown-option"),
        ({"options": {"temperature": "hot"}}, "llama.bad-option"),
        ({"options": {"top_k": 1.5}}, "llama.bad-option"),
        ({"options": {"seed": True}}, "llama.bad-option"),
        ({"options": {"stop": 3}}, "llama.bad-option"),
        ({"options": {"num_predict": 0}}, "llama.bad-option"),
        ({"options": {"num_ctx": "big"}}, "llama.bad-option"),
        ({"prompt": " \n"}, "llama.empty-prompt"),
        ({"files": (__file__,)}, "llama.no-files"),
        ({"input": [], "wants": "embedding"}, "llama.nothing-to-embed"),
        ({"input": "a" * 3000, "wants": "embedding"}, "llama.prompt-too-long"),
    ],
)
async def test_what_cannot_be_done_is_said(backend, request_, code):
    assert (await failure_of(backend, **request_)).code == code
    assert (await backend.infer(HELLO, Heard())).value == CANNED_ANSWER


@pytest.mark.parametrize(
    "schema", [{"type": "bogus"}, {"type": "integer", "minimum": 5, "maximum": 3}]
)
async def test_a_schema_that_nothing_fits_is_said(backend, schema):
    request = ModelRequest(prompt="Hi", schema=schema, wants="json")
    with pytest.raises(SchemaMismatch) as raised:
        await backend.infer(request, Heard())
    assert raised.value.code == "output.impossible-schema"
    assert (await backend.infer(HELLO, Heard())).value == CANNED_ANSWER


async def test_texts_that_are_alike_have_like_embeddings(backend):
    texts = ["the same", "the same", "ZZZ 99"]
    request = ModelRequest(input=texts, wants="embedding")
    one, same, other = (await backend.infer(request, Heard())).value
    assert math.isclose(dot(one, same), 1, abs_tol=1e-3)
    assert dot(one, other) < 0.9


def dot(left, right) -> float:
    return sum(a * b for a, b in zip(left, right, strict=True))


@promised
async def test_a_prompt_that_is_being_read_can_be_cancelled(pool, tmp_path):
    path = make_tiny_gguf(tmp_path / "m.gguf", mode="random", n_ctx=32768)
    backend = backend_of(path, pool, num_ctx=32768)
    await backend.infer(ModelRequest(prompt="a", options={"num_predict": 1}), Heard())
    [before] = pool.live()
    reading = asyncio.Event()
    heard = Heard()
    heard.progress = lambda done, total, unit: reading.set()
    request = ModelRequest(prompt="abc " * 8000, options={"num_predict": 1})
    answering = asyncio.create_task(backend.infer(request, heard))
    await reading.wait()
    answering.cancel()
    with within(1), pytest.raises(asyncio.CancelledError):
        await answering
    assert [worker.pid for worker in pool.live()] == [
        before.pid
    ]  # it stopped by itself


async def test_a_description_needs_no_process(backend, pool, tiny_gguf):
    description = await backend.describe()
    assert description.name == "lao-tiny-canned"
    assert description.digest == f"sha256:{sha256(tiny_gguf.read_bytes()).hexdigest()}"
    assert description.context_length == 2048
    assert description.details["quantization"] == "F32"
    assert pool.live() == ()


def not_a_model(folder):
    path = folder / "notes.gguf"
    path.write_text("hello")
    return path


def unknown_architecture(folder):
    writer = gguf.GGUFWriter(folder / "new.gguf", "nosuch")
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    return folder / "new.gguf"


def cut_weights(folder):
    path = make_tiny_gguf(folder / "cut.gguf")
    os.truncate(path, path.stat().st_size - 4096)
    return path


def fifo(folder):
    os.mkfifo(folder / "fifo.gguf")
    return folder / "fifo.gguf"


@pytest.mark.parametrize(
    ("make", "code", "words"),
    [
        (not_a_model, "model.not-gguf", "does not begin with 'GGUF'"),
        (lambda folder: folder, "model.not-a-file", "not a regular file"),
        (fifo, "model.not-a-file", "not a regular file"),
        (unknown_architecture, "llama.load-failed", "nosuch"),
        (cut_weights, "llama.load-failed", "incomplete"),
    ],
)
async def test_a_file_that_cannot_be_used_is_unavailable(
    pool, tmp_path, make, code, words
):
    with pytest.raises(ModelUnavailable, match=words) as caught:
        await backend_of(make(tmp_path), pool).infer(HELLO, Heard())
    assert caught.value.code == code
    assert caught.value.problem.mend


async def test_a_missing_file_names_its_neighbour(pool, tmp_path, tiny_gguf):
    shutil.copy(tiny_gguf, tmp_path / "writer.gguf")
    with pytest.raises(ModelUnavailable) as caught:
        await backend_of(tmp_path / "writter.gguf", pool).describe()
    assert caught.value.code == "model.file-missing"
    assert "'writer.gguf'" in caught.value.problem.mend
