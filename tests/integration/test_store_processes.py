# SPDX-License-Identifier: Apache-2.0
"""Several processes on one data folder: real ones, which are killed."""

import asyncio
import os
import subprocess
import sys
from contextlib import contextmanager

import pytest

from lao.errors import UsageError
from lao.events import Event, StepFinished
from lao.store.opening import open_store

PRELUDE = """
import asyncio, os, sys
from pathlib import Path
from lao.events import Event, StepFinished, StepStarted
from lao.roles import KnownResult
from lao.store.opening import open_store
from lao.store.runs import NewRun

folder, name = Path(sys.argv[1]), sys.argv[2]

def say(word):
    print(word, flush=True)

def wait():
    sys.stdin.readline()

def finished(number):
    value = f"{name} {number} " * 50
    return Event(name, number, 1.0, StepFinished(step="a", value=value))
"""


@contextmanager
def process(folder, script, name="p"):
    """Run a script that has a store's folder and its own name; kill it at the end."""
    with subprocess.Popen(
        [sys.executable, "-c", PRELUDE + script, str(folder), name],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    ) as started:
        try:
            yield started
        finally:
            started.kill()


def hear(running):
    return running.stdout.readline().strip()


def tell(running):
    running.stdin.write("\n")


def test_several_make_the_store_at_once(tmp_path):
    script = """
say("ready"); wait()
with open_store(folder / "new") as store:
    record = store.runs.begin(NewRun(id=name, workflow="w", started=1.0))
    store.runs.release(name)
say(record.number)
"""
    with (
        process(tmp_path, script, "a") as a,
        process(tmp_path, script, "b") as b,
        process(tmp_path, script, "c") as c,
    ):
        everybody = (a, b, c)
        assert [hear(each) for each in everybody] == ["ready"] * 3
        for each in everybody:
            tell(each)
        assert sorted(hear(each) for each in everybody) == ["1", "2", "3"]
        assert [each.wait() for each in everybody] == [0] * 3


CARRY_OUT = """
async def main(store):
    for number in range(1, 4):
        await store.runs.append(finished(number))
    await store.runs.append(Event(name, 4, 1.0, StepStarted(step="b")))
    say("acknowledged"); wait()

with open_store(folder) as store:
    store.runs.begin(NewRun(id=name, workflow="w", started=1.0))
    asyncio.run(main(store))
"""


async def test_a_run_whose_process_is_killed_is_interrupted_and_taken_over(tmp_path):
    with open_store(tmp_path) as store, process(tmp_path, CARRY_OUT, "r") as victim:
        assert hear(victim) == "acknowledged"
        run = store.runs.find("r")
        assert run.status == "running"
        with pytest.raises(UsageError):
            store.runs.take_over(run)
        with pytest.raises(UsageError):
            store.runs.remove([run])

        victim.kill()
        victim.wait()
        assert store.runs.find("r").status == "interrupted"
        store.runs.take_over(run)
        events = await store.runs.events("r")
        assert [each.sequence for each in events][:3] == [1, 2, 3]
        await store.runs.append(Event("r", 9, 1.0, StepFinished(step="b", value=1)))
        assert store._database.rows("PRAGMA integrity_check") == [("ok",)]


APPEND = """
async def main(store):
    for number in range(1, 301):
        await store.runs.append(finished(number))

with open_store(folder) as store:
    store.runs.begin(NewRun(id=name, workflow="w", started=1.0))
    say("ready"); wait()
    asyncio.run(main(store))
say("done")
"""


async def test_two_write_at_once_and_a_third_reads_meanwhile(tmp_path):
    with (
        open_store(tmp_path) as store,
        process(tmp_path, APPEND, "a") as a,
        process(tmp_path, APPEND, "b") as b,
    ):
        assert [hear(a), hear(b)] == ["ready"] * 2
        tell(a)
        tell(b)
        record = store.runs.find("a")
        while store.runs.find("a").status == "running":
            seen = [each.sequence for each in store.runs.each_event(record)]
            assert seen == list(range(1, len(seen) + 1))
        assert [hear(a), hear(b)] == ["done"] * 2
        for run in ("a", "b"):
            assert len(await store.runs.events(run)) == 300


COMPUTE = """
async def main(store):
    for number in range(20):
        async with store.results.claim(f"k{number}"):
            if await store.results.get(f"k{number}") is None:
                await asyncio.sleep(0.001)
                await store.results.put(f"k{number}", KnownResult(value=name))
                say("computed")

with open_store(folder) as store:
    say("ready"); wait()
    asyncio.run(main(store))
"""


def test_two_that_need_the_same_results_compute_each_once(tmp_path):
    with process(tmp_path, COMPUTE, "a") as a, process(tmp_path, COMPUTE, "b") as b:
        assert [hear(a), hear(b)] == ["ready"] * 2
        words = a.communicate("\n")[0] + b.communicate("\n")[0]

    with open_store(tmp_path) as store:
        assert store.results.info().count == 20
    assert words.split() == ["computed"] * 20


async def test_a_key_whose_holder_is_killed_is_free(tmp_path):
    script = """
async def main(store):
    async with store.results.claim("k"):
        say("held"); wait()

with open_store(folder) as store:
    asyncio.run(main(store))
"""
    with open_store(tmp_path) as store, process(tmp_path, script) as holder:
        assert hear(holder) == "held"
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05), store.results.claim("k"):
                pass
        holder.kill()
        async with asyncio.timeout(30), store.results.claim("k"):
            pass


def test_a_killed_writer_leaves_no_half_written_blob_behind(tmp_path):
    script = """
import signal
from lao.store import blobs
blobs.os.fsync = lambda descriptor: os.kill(os.getpid(), signal.SIGKILL)
with open_store(folder, durability="full") as store:
    say("ready")
    store.runs.begin(NewRun(id=name, workflow="w" , started=1.0,
                            inputs={"a": "x" * 100_000}))
"""
    with process(tmp_path, script) as victim:
        assert hear(victim) == "ready"
        assert victim.wait() < 0
    with open_store(tmp_path) as store:
        assert [path.suffix for path in store._blobs.files()] == [".part"]
        assert list(store.runs.listed()) == []
        store.forget()
        assert list(store._blobs.files()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
@pytest.mark.parametrize("is_there", [True, False], ids=["a store", "nothing"])
def test_a_folder_that_may_not_be_written_is_refused(tmp_path, is_there):
    script = """
from lao.errors import StoreError
import lao.store.runs
os.chdir(folder)
os.setgid(65534); os.setuid(65534)
try:
    open_store(Path())
except StoreError as error:
    say(error.code)
"""
    if is_there:
        open_store(tmp_path).close()
        (tmp_path / "lao.db").chmod(0o644)
    tmp_path.chmod(0o755)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with process(tmp_path, script) as stranger:
        assert hear(stranger) == "store.unwritable"
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
