# SPDX-License-Identifier: Apache-2.0
"""Worker processes, real ones: what they do, and what surrounds them."""

# Other processes speak through files here, so there is no Event to wait for.
# ruff: noqa: ASYNC240

import asyncio
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.integration.worker_requests import (
    MODELS,
    Heard,
    ask,
    children_of,
    clean_pool,
    gone,
    is_alive,
    spec,
)

from lao.workers.pool import WorkerPool
from lao.workers.spec import WorkerSpec
from lao.workflow.inference import ModelReply

pytestmark = pytest.mark.linux


@pytest.fixture
async def pool(tmp_path):
    async with clean_pool(tmp_path) as opened:
        yield opened


async def pid_after(pool, name):
    """Ask a worker; return its process id, as it is outside."""
    await ask(pool, name)
    [worker] = pool.live()
    return worker.pid


# What works


async def test_a_request_comes_back_answered(pool):
    reply = await ask(pool, "Echo", "grüß dich")
    assert reply == ModelReply(value="grüß dich", made_by="test")


async def test_describe_comes_after_load_with_its_options(pool):
    chosen = WorkerSpec(entry=f"{MODELS}:Echo", config={"voice": "low"})
    description = await pool.describe(chosen)
    assert (description.name, description.details) == ("echo", {"voice": "low"})


async def test_a_worker_stays_warm_and_equal_specs_share_it(pool):
    [pid] = {await pid_after(pool, "Echo") for _ in range(3)}
    assert is_alive(pid)


async def test_release_ends_the_worker(pool):
    pid = await pid_after(pool, "Echo")
    await pool.release(spec("Echo"))
    assert not is_alive(pid)
    assert await pid_after(pool, "Echo") != pid


async def test_pieces_and_progress_arrive_whole_and_in_few_frames(pool):
    heard = Heard()
    await ask(pool, "Pieces", report=heard)
    assert "".join(heard.pieces) == "".join(f"{n} " for n in range(2000))
    assert heard.amounts[-1] == (2000.0, 2000.0, "s")
    assert len(heard.pieces) < 200
    assert len(heard.amounts) < 200


@pytest.mark.parametrize("size", [1 << 10, 2 << 20, 20 << 20])
async def test_answers_of_every_size_arrive(pool, size):
    reply = await ask(pool, "Large", input=size)
    assert reply.value == "x" * size


async def test_a_prompt_too_long_for_a_frame_arrives(pool):
    prompt = "y" * (18 << 20)
    assert (await ask(pool, "Echo", prompt)).value == prompt


async def test_parallel_requests_are_bounded_by_the_spec(pool, tmp_path):
    two = replace(spec("Patient", readable=[tmp_path]), parallel=2)
    until = tmp_path / "until"
    first, second, third = heard = [Heard() for _ in range(3)]
    async with asyncio.TaskGroup() as tasks:
        for each in heard:
            tasks.create_task(ask(pool, two, report=each, input=str(until)))
        await first.started.wait()
        await second.started.wait()
        assert not third.started.is_set()
        until.touch()
    assert third.started.is_set()
    assert len(pool.live()) == 1


async def test_the_least_recently_used_idle_worker_makes_room(tmp_path):
    async with WorkerPool(max_workers=2, scratch_parent=tmp_path) as pool:
        for name in ("Echo", "Facts", "Echo", "Pieces"):
            await ask(pool, name)
        entries = {worker.entry.rpartition(":")[2] for worker in pool.live()}
        assert entries == {"Echo", "Pieces"}


async def test_where_no_worker_is_idle_the_caller_waits(tmp_path):
    until, heard = tmp_path / "until", Heard()
    patient = spec("Patient", readable=[tmp_path])
    async with WorkerPool(max_workers=1, scratch_parent=tmp_path) as pool:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(ask(pool, patient, report=heard, input=str(until)))
            await heard.started.wait()
            waiting = tasks.create_task(ask(pool, "Echo", "later"))
            await asyncio.sleep(0)
            assert [worker.entry[-7:] for worker in pool.live()] == ["Patient"]
            until.touch()
        assert waiting.result().value == "later"


async def test_prints_do_no_harm(pool):
    assert (await ask(pool, "Printer", "quiet")).value == "quiet"
    assert (await ask(pool, "Printer", "again")).value == "again"


# What surrounds a worker


async def test_a_worker_sees_nothing_of_its_parent(pool, tmp_path, monkeypatch):
    monkeypatch.setenv("LAO_TEST_SECRET", "hunter2")
    monkeypatch.setenv("PYTHONPATH", "/nonexistent/python")
    kept = (tmp_path / "kept").open("w")
    os.set_inheritable(kept.fileno(), True)
    with kept:
        facts = (await ask(pool, "Facts")).value
    assert "hunter2" not in str(facts)
    assert facts["environment"].keys() & {"PYTHONPATH", "USER", "SHELL"} == set()
    assert facts["environment"]["HOME"] == facts["cwd"]
    assert facts["stdin"] == ""
    assert not [name for name in facts["descriptors"] if str(tmp_path / "kept") in name]
    kinds = Counter(name.partition(":")[0] for name in facts["descriptors"])
    assert kinds == {"/dev/null": 1, "pipe": 4}


async def test_a_worker_has_its_own_group_and_private_scratch(pool):
    facts = (await ask(pool, "Facts")).value
    [worker] = pool.live()
    assert os.getpgid(worker.pid) not in {0, os.getpgrp()}
    assert facts["mode"] == 0o700
    assert Path(facts["cwd"]).is_dir()
    assert max(facts["core"]) <= 1  # see limits.py
    assert facts["files"] == [256, 256]
    assert facts["argv"][0].endswith("boot.py")


async def test_a_worker_imports_lao_and_installed_packages_only(pool):
    facts = (await ask(pool, "Facts")).value
    assert not {"", ".", str(MODELS.parent), str(Path.cwd())} & set(facts["path"])
    assert any(path.endswith("site-packages") for path in facts["path"])


async def test_the_hello_tells_the_layers_that_the_kernel_shows(pool):
    await ask(pool, "Echo")
    [worker] = pool.live()
    status = Path(f"/proc/{worker.pid}/status").read_text()
    assert worker.layers["no_new_privs"] is True
    assert "\nNoNewPrivs:\t1\n" in status
    assert worker.layers["pdeathsig"] is True
    assert worker.layers["undumpable"] is True
    assert worker.layers["no_capabilities"] is True
    assert "\nCapEff:\t0000000000000000\n" in status
    assert worker.layers["rlimits"]["CORE"] <= 1


async def test_scratch_is_removed_even_where_a_folder_was_locked(pool):
    scratch = (await ask(pool, "LeavesLocked")).value
    await pool.release(spec("LeavesLocked"))
    assert not Path(scratch).exists()


def test_no_worker_outlives_a_parent_that_is_killed(tmp_path):
    script = """if True:
        import asyncio, sys
        from lao.workers.pool import WorkerPool
        from lao.workers.spec import WorkerSpec
        from lao.workflow.inference import ModelRequest
        class Report:
            cancelled = False
            def progress(self, *amount):
                print(pool.live()[0].pid, flush=True)
        async def main():
            global pool
            async with WorkerPool(scratch_parent=sys.argv[2]) as pool:
                spec = WorkerSpec(entry=sys.argv[1])
                await pool.infer(spec, ModelRequest(), Report())
        asyncio.run(main())
    """
    command = [sys.executable, "-c", script, f"{MODELS}:Obedient", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        worker = int(parent.stdout.readline())
        kin = [worker, *children_of(parent.pid)]
        assert all(map(is_alive, kin))
        parent.send_signal(signal.SIGKILL)
    asyncio.run(gone(kin, seconds=2))
