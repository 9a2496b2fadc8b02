# SPDX-License-Identifier: Apache-2.0
"""What the kernel says of each kind of worker process, and what lies in its folder."""

import errno
import resource
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.integration.worker_requests import MODELS, Heard, ask, spec

from lao.errors import RefusedByPolicy, StepError
from lao.isolation import launching
from lao.isolation.launching import ChildLauncher
from lao.isolation.levels import Machine, probe
from lao.workers.inbox import worker_folder
from lao.workers.pool import WorkerPool
from lao.workers.programs import run_program
from lao.workers.spec import WorkerSpec

pytestmark = pytest.mark.linux

STATUS = """#!/bin/sh
while read name value; do
    case $name in NoNewPrivs:|Seccomp:|CapEff:) echo $name $value;; esac
done < /proc/self/status
"""


@pytest.fixture(params=["L3", "L2"])
def machine(request):
    """This machine, as far as it goes; and as it is without bubblewrap."""
    found = probe()
    if request.param == "L2":
        found = replace(found, bwrap=None)
    if found.level != request.param:
        pytest.skip(f"this machine is {probe()}")
    return found


@pytest.fixture
async def pool(machine, tmp_path):
    folder = tmp_path / "workers"
    folder.mkdir()
    launcher = ChildLauncher(machine)
    async with WorkerPool(launcher=launcher, scratch_parent=folder) as opened:
        yield opened
    assert list(folder.iterdir()) == []


def status_of(pid):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (x.partition(":") for x in lines)}


@pytest.mark.parametrize("profile", ["default", "serves-unix", "program"])
async def test_every_kind_is_locked_and_proves_its_level(pool, machine, profile):
    asked = WorkerSpec(entry=f"{MODELS}:Echo", profile=profile)
    assert pool.proof(asked) is None
    await ask(pool, asked)
    [worker] = pool.live()
    status = status_of(worker.pid)
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
    assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == 0
    proof = pool.proof(asked)
    assert proof.level == machine.level
    assert proof.layers["namespaces"] is (machine.level == "L3")
    assert proof.layers["landlock"] == machine.landlock_abi


async def test_a_program_is_locked_and_proves_its_level(machine, tmp_path):
    script = tmp_path / "status"
    script.write_text(STATUS)
    script.chmod(0o755)
    with worker_folder(tmp_path) as folder:
        launcher = ChildLauncher(machine)
        end = await run_program([str(script)], folder=folder, launcher=launcher)
    assert {"NoNewPrivs: 1", "Seccomp: 2", f"CapEff: {0:016x}"} == set(end.lines)
    assert end.proof.level == machine.level


async def test_no_worker_starts_where_nothing_can_be_enforced(tmp_path):
    bare = Machine(arch=None, landlock_abi=0, seccomp=False, bwrap=None)
    async with WorkerPool(launcher=ChildLauncher(bare), scratch_parent=tmp_path) as p:
        with pytest.raises(RefusedByPolicy) as caught:
            await ask(p, "Echo")
        assert caught.value.code == "isolation.none"
    accepting = ChildLauncher(bare, accept_none=True)
    async with WorkerPool(launcher=accepting, scratch_parent=tmp_path) as p:
        assert (await ask(p, "Echo", "hello")).value == "hello"
        assert p.proof(spec("Echo")).level == "L0"


async def test_a_layer_that_does_not_hold_ends_the_worker(tmp_path, monkeypatch):
    wanted = ("seccomp", "namespaces")
    monkeypatch.setattr(launching, "required_layers", lambda _level: wanted)
    launcher = ChildLauncher(replace(probe(), bwrap=None))
    async with WorkerPool(launcher=launcher, scratch_parent=tmp_path) as pool:
        with pytest.raises(
            RefusedByPolicy, match="self-check misses namespaces"
        ) as caught:
            await ask(pool, "Echo")
    assert caught.value.code == "isolation.lock-failed"


# The inbox


async def test_files_come_as_copies_that_cannot_be_changed(pool, tmp_path):
    files = [tmp_path / name for name in ("a b.txt", "ü.txt", "kept.txt")]
    for file in files:
        file.write_text(file.name)
    given = [str(file) for file in files]
    asked = spec("Reader", readable=[files[2]])
    request = {"files": tuple(given), "input": {"first": given[0], "text": "a b.txt"}}
    said = (await ask(pool, asked, **request)).value
    assert said["texts"] == ["a b.txt", "ü.txt", "kept.txt"]
    assert set(said["refused"]) <= {errno.EACCES, errno.EROFS}
    assert len(said["refused"]) == 6
    copied = Path(said["input"]["first"])
    assert copied.name == "a b.txt"
    assert said["input"]["text"] == "a b.txt"
    [folder] = (tmp_path / "workers").iterdir()
    assert list((folder / "inbox").iterdir()) == []


async def test_a_complaint_about_a_copy_names_the_file_itself(pool, tmp_path):
    file = tmp_path / "talk.wav"
    file.touch()
    with pytest.raises(StepError) as caught:
        await ask(pool, "Complains", files=(str(file),))
    assert caught.value.problem.what == f"{file} is odd"


async def test_what_is_no_file_is_refused_and_the_worker_lives(tmp_path):
    async with WorkerPool(scratch_parent=tmp_path) as pool:
        await ask(pool, "Echo")
        for path in (tmp_path / "none", tmp_path, "/dev/zero", "/proc/self/environ"):
            with pytest.raises(StepError) as caught:
                await ask(pool, "Echo", files=(str(path),))
            assert caught.value.code == "worker.no-input-file"
        assert len(pool.live()) == 1


async def test_a_full_disk_is_told(tmp_path):
    file = tmp_path / "long"
    file.write_bytes(bytes(2 << 20))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    async with WorkerPool(scratch_parent=tmp_path) as pool:
        await ask(pool, "Echo")
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, before[1]))
        try:
            with pytest.raises(StepError) as caught:
                await ask(pool, "Echo", files=(str(file),))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert caught.value.code == "worker.disk-full"


async def test_scratch_is_written_and_nothing_is_beside_it(pool):
    facts = (await ask(pool, "Facts", report=Heard())).value
    assert facts["environment"]["HOME"] == facts["environment"]["TMPDIR"]
    assert facts["cwd"] == facts["environment"]["HOME"]
    assert Path(facts["cwd"]).name == "scratch"
