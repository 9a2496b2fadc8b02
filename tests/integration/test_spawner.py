# SPDX-License-Identifier: Apache-2.0
"""The spawner, a real one: it starts, kills and buries, and whoever dies leaves nothing."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.integration.worker_requests import (
    MODELS,
    Heard,
    ask,
    children_of,
    gone,
    is_alive,
    spec,
)

from lao.errors import LaoError, ModelUnavailable, StepError
from lao.isolation.levels import probe
from lao.isolation.orders import Order
from lao.isolation.spawner import fork_spawner
from lao.isolation.spawner_client import HEAD, KILL, REFUSED, START
from lao.workers.inbox import worker_folder
from lao.workers.pool import WorkerPool
from lao.workers.programs import run_program

pytestmark = pytest.mark.linux


@contextmanager
def spawning(*programs, **without):
    spawner = fork_spawner(replace(probe(), **without), programs)
    try:
        spawner.confirm()
        yield spawner
    finally:
        spawner.close()
    assert not is_alive(spawner.pid)


@pytest.fixture(params=["with bubblewrap", "without"])
def spawner(request):
    without = {} if request.param == "with bubblewrap" else {"bwrap": None}
    with spawning(**without) as found:
        yield found


def status_of(pid):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (x.partition(":") for x in lines)}


def test_it_is_locked_and_has_a_session_of_its_own():
    with spawning() as spawner:
        status = status_of(spawner.pid)
        assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
        assert os.getsid(spawner.pid) == spawner.pid
        held = int(status["CapEff"], 16) | int(status["CapPrm"], 16)
        assert held in {0, 1 << 31}  # CAP_SETFCAP, for root's user namespaces
        assert len(list(Path(f"/proc/{spawner.pid}/fd").iterdir())) <= 6


async def test_workers_answer_fail_and_are_released_as_elsewhere(spawner, tmp_path):
    async with WorkerPool(scratch_parent=tmp_path, launcher=spawner) as pool:
        assert (await ask(pool, "Echo", "hello")).value == "hello"
        [worker] = pool.live()
        assert status_of(worker.pid)["Seccomp"] == "2"
        assert pool.proof(spec("Echo")).level == spawner.machine.level
        for how, words in [("exit", "exit code 3"), ("kill", "SIGKILL")]:
            with pytest.raises(StepError, match=words):
                await ask(pool, "Crash", how)
        await pool.release(spec("Echo"))
        assert not is_alive(worker.pid)
    assert list(tmp_path.iterdir()) == []
    assert children_of(spawner.pid) == []


async def test_a_killed_worker_is_gone_with_all_its_kin(spawner, tmp_path):
    async with WorkerPool(scratch_parent=tmp_path, launcher=spawner) as pool:
        heard = Heard()
        asked = asyncio.create_task(ask(pool, "Hang", report=heard))
        await heard.started.wait()
        [worker] = pool.live()
        kin = [worker.pid, *children_of(spawner.pid)]
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        await gone(kin, seconds=1)


async def test_a_program_of_the_table_runs_and_no_other_does(tmp_path):
    known, other = tmp_path / "known", tmp_path / "other"
    for path in (known, other):
        path.write_text("#!/bin/sh\necho $0; exit 5\n")
        path.chmod(0o755)
    with spawning(str(known)) as spawner, worker_folder(tmp_path) as folder:
        end = await run_program([str(known)], folder=folder, launcher=spawner)
        assert (end.code, end.lines) == (5, (str(known),))
        with pytest.raises(LaoError) as caught:
            await run_program([str(other)], folder=folder, launcher=spawner)
        assert caught.value.code == "policy.program-not-in-plan"
        path = [str(known), str(other)]
        assert (await run_program(path, folder=folder, launcher=spawner)).code == 5


async def test_what_cannot_be_started_is_told(tmp_path):
    gone = {"scratch": "/nowhere/scratch", "inbox": "/nowhere/inbox"}
    order = Order(run="lao.workers.child", **gone)
    for name in ("scratch", "inbox"):
        (tmp_path / name).symlink_to("/etc")
    linked = {name: str(tmp_path / name) for name in ("scratch", "inbox")}
    with spawning() as spawner, (tmp_path / "file").open("w") as file:
        ends = os.pipe()
        with pytest.raises(FileNotFoundError):
            await spawner.launch(order, (ends[0], ends[1], ends[1]))
        with pytest.raises(OSError, match="lead elsewhere"):
            await spawner.launch(replace(order, **linked), (ends[0], *[ends[1]] * 2))
        with pytest.raises(OSError, match="not a pipe"):
            await spawner.launch(order, (ends[0], ends[1], file.fileno()))
        for end in ends:
            os.close(end)
        assert children_of(spawner.pid) == []


def test_garbage_starts_nothing_and_harms_nobody():
    with spawning() as spawner:
        control = spawner._control
        for data in (b"x", HEAD.pack(77, 1), HEAD.pack(KILL, 9), b"\0" * 60_000):
            control.send(data)
        read, write = os.pipe()
        for body in (b"", b"{}", b"[" * 1000, b'{"run": "os"}'):
            socket.send_fds(control, [HEAD.pack(START, 3) + body], [read, read, write])
            assert HEAD.unpack_from(control.recv(4096)) == (REFUSED, 3)
        socket.send_fds(control, [HEAD.pack(START, 4)], [read])
        assert HEAD.unpack_from(control.recv(4096)) == (REFUSED, 4)
        os.close(read)
        os.close(write)
        assert children_of(spawner.pid) == []


async def test_its_death_ends_every_worker_and_later_launches_say_so(spawner, tmp_path):
    async with WorkerPool(scratch_parent=tmp_path, launcher=spawner) as pool:
        heard = Heard()
        asked = asyncio.create_task(ask(pool, "Hang", report=heard))
        await heard.started.wait()
        [worker] = pool.live()
        kin = [worker.pid, *children_of(spawner.pid)]
        os.kill(spawner.pid, signal.SIGKILL)
        with pytest.raises(StepError) as crashed:
            await asked
        assert crashed.value.code == "worker.crashed"
        await gone(kin, seconds=2)
        with pytest.raises(ModelUnavailable) as caught:
            await ask(pool, "Echo")
        assert caught.value.code == "isolation.spawner-gone"


@pytest.mark.parametrize("sealed", [True, False])
def test_the_death_of_the_orchestrator_leaves_nothing(tmp_path, sealed):
    script = """if True:
        import asyncio, sys
        from msgspec.structs import replace
        from lao.isolation.levels import probe
        from lao.isolation.orchestrator import lock_this_process
        from lao.isolation.spawner import fork_spawner
        from lao.workers.pool import WorkerPool
        from lao.workers.spec import WorkerSpec
        from lao.workflow.inference import ModelRequest
        machine = probe() if sys.argv[3] == "True" else replace(probe(), bwrap=None)
        spawner = fork_spawner(machine, ())
        lock_this_process(machine)
        class Report:
            cancelled = False
            def progress(self, *amount):
                print(spawner.pid, pool.live()[0].pid, flush=True)
        async def main():
            global pool
            async with WorkerPool(scratch_parent=sys.argv[2], launcher=spawner) as pool:
                spec = WorkerSpec(entry=sys.argv[1])
                await pool.infer(spec, ModelRequest(), Report())
        asyncio.run(main())
    """
    arguments = [f"{MODELS}:Hang", str(tmp_path), str(sealed)]
    command = [sys.executable, "-c", script, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        spawner, worker = map(int, parent.stdout.readline().split())
        kin = [spawner, worker, *children_of(spawner)]
        assert all(map(is_alive, kin))
        parent.send_signal(signal.SIGKILL)
    asyncio.run(gone(kin, seconds=2))
