# SPDX-License-Identifier: Apache-2.0
"""Native programs run locked, are heard, and end when they must."""

import asyncio
from pathlib import Path

import pytest

from lao.errors import LaoError
from lao.policy import WorkerLimits
from lao.workers.programs import run_program


@pytest.fixture
def program(tmp_path):
    """Return a maker of executable shell scripts."""

    def make(text):
        path = tmp_path / "program"
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return str(path)

    return make


@pytest.fixture
def scratch(tmp_path):
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


async def code_of(call):
    with pytest.raises(LaoError) as caught:
        await call
    return caught.value.code


async def test_lines_are_heard_clean_and_the_exit_code_is_told(program, scratch):
    heard = []
    path = program('printf "one\\rt\\033[31mwo\\n"; printf "last" >&2; exit 3')
    end = await run_program([path], scratch=scratch, on_line=heard.append)
    assert heard == ["one", "two", "last"]
    assert (end.code, end.last_line) == (3, "last")


async def test_arguments_arrive_as_they_are(program, scratch):
    path = program('for a in "$@"; do echo "<$a>"; done')
    end = await run_program([path, "a b", "$HOME", "*"], scratch=scratch)
    assert end.lines == ("<a b>", "<$HOME>", "<*>")


async def test_nothing_of_our_environment_is_inherited(program, scratch, monkeypatch):
    monkeypatch.setenv("LAO_TEST_SECRET", "hunter2")
    end = await run_program([program("pwd; env")], scratch=scratch)
    assert end.lines[0] == str(scratch)
    assert f"HOME={scratch}" in end.lines
    assert not [line for line in end.lines if "SECRET" in line]


@pytest.mark.linux
async def test_the_program_is_locked_before_it_runs(program, scratch):
    script = "grep NoNewPrivs /proc/self/status; ulimit -n; ulimit -c; ls /proc/self/fd"
    limits = WorkerLimits(open_files=99)
    end = await run_program([program(script)], scratch=scratch, limits=limits)
    assert end.lines[:3] == ("NoNewPrivs: 1", "99", "0")
    assert set(end.lines[3:]) <= {"0", "1", "2", "3"}  # 3 is the listing's own


async def test_a_cancelled_program_dies_with_what_it_started(program, scratch):
    started = asyncio.Event()
    pids = []

    def hear(line):
        pids.extend(map(int, line.split()))
        started.set()

    path = program("sleep 60 & echo $$ $!; wait")
    running = asyncio.create_task(run_program([path], scratch=scratch, on_line=hear))
    await started.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    for pid in pids:
        await gone(pid)


async def gone(pid):
    """Wait for the end of a process; the test's own timeout bounds the wait."""
    while state_of(pid) not in {"", "Z"}:  # noqa: ASYNC110  (nothing tells us)
        await asyncio.sleep(0.01)


def state_of(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


async def test_a_flood_of_output_ends_the_program(program, scratch):
    limits = WorkerLimits(output=100_000)
    call = run_program([program("yes")], scratch=scratch, limits=limits)
    assert await code_of(call) == "program.flood"


async def test_a_full_scratch_directory_ends_the_program(program, scratch):
    path = program("for i in 1 2 3 4; do head -c 900000 /dev/zero > $i; done; sleep 60")
    limits = WorkerLimits(file_size=1_000_000)
    call = run_program([path], scratch=scratch, limits=limits)
    assert await code_of(call) == "worker.scratch-full"


async def test_an_orphan_that_holds_the_output_open_is_not_waited_for(program, scratch):
    end = await run_program([program("sleep 60 & echo done")], scratch=scratch)
    assert end.lines == ("done",)


async def test_a_missing_program_and_a_mere_file_are_told_apart(scratch):
    (scratch / "file").touch()
    missing = run_program([str(scratch / "none")], scratch=scratch)
    assert await code_of(missing) == "program.missing"
    file = run_program([str(scratch / "file")], scratch=scratch)
    assert await code_of(file) == "program.not-executable"


async def test_a_program_that_the_kernel_refuses_says_why(scratch):
    path = scratch / "odd"
    path.write_bytes(b"\x7fELF not really")
    path.chmod(0o755)
    end = await run_program([str(path)], scratch=scratch)
    assert (end.code, end.last_line) == (126, "Exec format error")
