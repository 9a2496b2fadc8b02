# SPDX-License-Identifier: Apache-2.0
"""How worker processes fail: soon, clearly, and alone; and how they are cancelled."""

# Other processes speak through files here, so there is no Event to wait for.
# ruff: noqa: ASYNC110

import asyncio
import os
import signal

import pytest
from msgspec.structs import replace
from tests.integration.worker_requests import (
    MODELS,
    Heard,
    ask,
    clean_pool,
    gone,
    is_alive,
    spec,
)
from tests.promptness import promised, within

from lao.errors import ModelUnavailable, StepError
from lao.policy import WorkerLimits
from lao.workers.pool import WorkerPool
from lao.workers.spec import WorkerSpec

pytestmark = pytest.mark.linux


@pytest.fixture
async def pool(tmp_path):
    async with clean_pool(tmp_path) as opened:
        yield opened


# How it fails


@pytest.mark.parametrize(
    ("how", "words"),
    [("exit", "exit code 3"), ("segfault", "SIGSEGV"), ("kill", "SIGKILL")],
)
@promised
async def test_a_crash_is_told_soon_and_clearly_and_the_next_call_works(
    pool, how, words
):
    await ask(pool, "Crash")
    with within(2), pytest.raises(StepError) as caught:
        await ask(pool, "Crash", how)
    assert caught.value.code == "worker.crashed"
    assert caught.value.retryable
    assert words in caught.value.problem.what
    assert caught.value.problem.what.endswith("it last wrote: bad  weights")
    assert (await ask(pool, "Crash")).value == "alive"


async def test_a_crash_leaves_the_requests_of_other_workers_alone(pool, tmp_path):
    until, heard = tmp_path / "until", Heard()
    asked = spec("Patient", readable=[tmp_path])
    async with asyncio.TaskGroup() as tasks:
        patient = tasks.create_task(ask(pool, asked, report=heard, input=str(until)))
        await heard.started.wait()
        with pytest.raises(StepError):
            await ask(pool, "Crash", "kill")
        until.touch()
    assert patient.result().value == "patience"


async def test_a_worker_killed_from_outside_is_replaced(pool):
    await ask(pool, "Echo")
    [before] = pool.live()
    os.kill(before.pid, signal.SIGKILL)
    await gone([before.pid], seconds=30)
    while pool.live():
        await asyncio.sleep(0.005)
    await ask(pool, "Echo")
    assert pool.live() != (before,)


@pytest.mark.parametrize(
    "how",
    [
        "4-gib-header", "4-gib-body", "not-json", "nan", "not-an-object", "nested",
        "wrong-id", "boolean-id", "no-kind", "wrong-body", "pickle", "text-not-utf8",
        "endless-amount", "no-file", "second-name", "folder", "truncated",
    ],
)  # fmt: skip
async def test_a_worker_that_breaks_the_protocol_is_replaced(pool, how):
    with pytest.raises(StepError) as caught:
        await ask(pool, "BadFrames", how)
    assert caught.value.code == "worker.bad-frame"
    assert caught.value.retryable
    assert pool.live() == ()


async def test_a_worker_that_replies_twice_is_replaced(pool):
    assert (await ask(pool, "BadFrames", "twice")).value == "x"
    async with asyncio.timeout(30):
        while pool.live():
            await asyncio.sleep(0.005)
    assert (await ask(pool, "BadFrames", "twice")).value == "x"


async def test_endless_output_is_a_flood(pool):
    with pytest.raises(StepError) as caught:
        await ask(pool, spec("Flood", output=1 << 20))
    assert caught.value.code == "worker.flood"
    assert pool.live() == ()


@pytest.mark.parametrize("name", ["Large", "HugeFile"])
async def test_one_answer_past_the_limit_is_a_flood(pool, name):
    with pytest.raises(StepError) as caught:
        await ask(pool, spec(name, output=10 << 20), input=12 << 20)
    assert caught.value.code == "worker.flood"


async def test_a_memory_hog_is_killed(pool):
    with pytest.raises(StepError) as caught:
        await ask(pool, spec("Hog", memory=150 << 20))
    assert caught.value.code == "worker.out-of-memory"


async def test_too_many_threads_end_the_worker(pool):
    with pytest.raises(StepError) as caught:
        await ask(pool, spec("Threads", threads=20), input=60)
    words = caught.value.problem.what
    # In a user namespace of its own the kernel refuses them to whoever is not root.
    assert caught.value.code == "worker.too-many-threads" or "new thread" in words


async def test_a_full_scratch_directory_ends_the_worker(pool):
    with pytest.raises(StepError) as caught:
        await ask(pool, spec("FillsScratch", file_size=1 << 20))
    assert caught.value.code == "worker.scratch-full"


async def test_what_a_model_raises_is_told_cleaned_and_the_worker_lives(pool):
    await ask(pool, "Raises", "fine")
    pids = {worker.pid for worker in pool.live()}
    for prompt, words in [
        ("", "ValueError: bad weights"),
        ("exit", "SystemExit: 4"),
        ("nan", "not JSON"),
        ("not-a-reply", "a ModelReply was due, not dict"),
    ]:
        with pytest.raises(StepError) as caught:
            await ask(pool, "Raises", prompt)
        assert caught.value.code == "worker.model-error"
        assert words in caught.value.problem.what
    await ask(pool, "Raises", "fine")
    assert {worker.pid for worker in pool.live()} == pids


async def test_a_models_own_complaint_keeps_its_code(pool):
    with pytest.raises(ModelUnavailable) as caught:
        await ask(pool, "Raises", "problem")
    problem = caught.value.problem
    assert (problem.code, problem.what) == ("test.no-voice", "no voice")
    assert problem.mend == "speak"


async def test_a_memory_error_has_its_own_code(pool):
    with pytest.raises(StepError) as caught:
        await ask(pool, "Raises", "memory")
    assert caught.value.code == "worker.out-of-memory"


async def test_a_missing_extra_says_what_to_install(pool):
    with pytest.raises(ModelUnavailable) as caught:
        await ask(pool, "MissingExtra")
    assert caught.value.code == "worker.start-failed"
    assert caught.value.problem.mend == "pip install 'lao-orchestrator[llama]'"


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (f"{MODELS}:Nothing", "has no class 'Nothing'"),
        (f"{MODELS}:Path", "has no describe, load and infer"),
        (str(MODELS), "classes with describe, load and infer"),
        ("/nonexistent/model.py", "there is no file"),
        ("lao.nonexistent:Model", "No module named"),
    ],
)
async def test_an_entry_that_cannot_be_opened_is_told_clearly(pool, entry, words):
    with pytest.raises(ModelUnavailable) as caught:
        await pool.describe(WorkerSpec(entry=entry))
    assert caught.value.code == "worker.start-failed"
    assert words in caught.value.problem.what


async def test_a_module_that_raises_or_dies_while_imported_did_not_start(
    pool, tmp_path
):
    for text, words in [
        ("1 / 0", "ZeroDivisionError"),
        ("import os; os._exit(5)", "code 5"),
    ]:
        model = tmp_path / "model.py"
        model.write_text(text)
        with pytest.raises(ModelUnavailable) as caught:
            await pool.describe(WorkerSpec(entry=str(model)))
        assert caught.value.code == "worker.start-failed"
        assert words in caught.value.problem.what


async def test_a_start_that_takes_too_long_is_ended(pool, tmp_path):
    model = tmp_path / "model.py"
    model.write_text("import time; time.sleep(600)")
    slow = WorkerSpec(entry=str(model), limits=WorkerLimits(start_seconds=0.5))
    with pytest.raises(ModelUnavailable) as caught:
        await pool.describe(slow)
    assert "0.5 s" in caught.value.problem.what


async def test_a_request_that_is_no_json_is_refused_and_the_worker_lives(pool):
    await ask(pool, "Echo")
    with pytest.raises(StepError) as caught:
        await ask(pool, "Echo", "\ud800")
    assert caught.value.code == "worker.bad-request"
    assert len(pool.live()) == 1


# Cancellation


@pytest.mark.parametrize("parallel", [1, 2])
async def test_a_model_that_obeys_is_cancelled_and_stays_warm(pool, parallel):
    """Where nobody reads the pipe meanwhile, the model's own look at it does."""
    heard, asked = Heard(), replace(spec("Obedient"), parallel=parallel)
    task = asyncio.create_task(ask(pool, asked, report=heard))
    await heard.started.wait()
    [before] = pool.live()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert pool.live() == (before,)


async def test_one_of_two_requests_is_cancelled_and_the_other_goes_on(pool, tmp_path):
    both = replace(spec("Choosy", readable=[tmp_path]), parallel=2)
    until, first, second = tmp_path / "until", Heard(), Heard()
    obeys = asyncio.create_task(ask(pool, both, report=first))
    waits = asyncio.create_task(ask(pool, both, report=second, input=str(until)))
    await first.started.wait()
    await second.started.wait()
    obeys.cancel()
    with pytest.raises(asyncio.CancelledError):
        await obeys
    until.touch()
    assert (await waits).value == "patience"


async def test_what_a_listener_raises_reaches_its_caller_and_the_worker_lives(pool):
    class Deaf(Heard):
        def text(self, piece):
            raise ZeroDivisionError

    await ask(pool, "Pieces")
    [before] = pool.live()
    with pytest.raises(ZeroDivisionError):
        await ask(pool, "Pieces", report=Deaf())
    assert (await ask(pool, "Pieces")).value == "done"
    assert pool.live() == (before,)


@promised
async def test_a_model_that_ignores_everything_is_gone_within_a_second(pool):
    heard = Heard()
    task = asyncio.create_task(ask(pool, "Hang", report=heard))
    await heard.started.wait()
    [worker] = pool.live()
    task.cancel()
    with within(1), pytest.raises(asyncio.CancelledError):
        await task
    assert not is_alive(worker.pid)


@promised
async def test_a_timeout_of_the_caller_ends_a_hang(pool):
    with within(1.6), pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await ask(pool, "Hang")


async def test_leaving_the_pool_ends_requests_under_way(tmp_path):
    heard = Heard()
    async with WorkerPool(scratch_parent=tmp_path) as pool:
        task = asyncio.create_task(ask(pool, "Hang", report=heard))
        await heard.started.wait()
        [worker] = pool.live()
    with pytest.raises(StepError) as caught:
        await task
    assert caught.value.code == "worker.closed"
    assert not is_alive(worker.pid)
    with pytest.raises(StepError):
        await ask(pool, "Echo")
