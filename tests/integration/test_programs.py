# SPDX-License-Identifier: Apache-2.0
"""Native programs run locked, are heard, and end when they must.

The programs are shell scripts of builtins alone: a locked one can start no other.
"""

import asyncio
import shutil
import subprocess
from pathlib import Path

import pytest

from lao.errors import LaoError
from lao.policy import WorkerLimits
from lao.workers.inbox import worker_folder
from lao.workers.programs import run_program

FOR_EVER = "while :; do :; done"
COMPILER = shutil.which("cc")


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
def folder(tmp_path):
    with worker_folder(tmp_path) as found:
        yield found


async def code_of(call):
    with pytest.raises(LaoError) as caught:
        await call
    return caught.value.code


async def test_lines_are_heard_clean_and_the_exit_code_is_told(program, folder):
    heard = []
    path = program('printf "one\\rt\\033[31mwo\\n"; printf "last" >&2; exit 3')
    end = await run_program([path], folder=folder, on_line=heard.append)
    assert heard == ["one", "two", "last"]
    assert (end.code, end.last_line) == (3, "last")


async def test_arguments_arrive_as_they_are(program, folder):
    path = program('for a in "$@"; do echo "<$a>"; done')
    end = await run_program([path, "a b", "$HOME", "*"], folder=folder)
    assert end.lines == ("<a b>", "<$HOME>", "<*>")


async def test_nothing_of_our_environment_is_inherited(program, folder, monkeypatch):
    monkeypatch.setenv("LAO_TEST_SECRET", "hunter2")
    end = await run_program([program("pwd; export -p")], folder=folder)
    assert end.lines[0] == str(folder.scratch)
    assert f"export HOME='{folder.scratch}'" in end.lines
    assert not [line for line in end.lines if "SECRET" in line]


@pytest.mark.linux
async def test_the_program_is_locked_before_it_runs(program, folder):
    script = """
        ulimit -n; ulimit -c
        while read name value; do
            case $name in NoNewPrivs:|Seccomp:) echo $name $value;; esac
        done < /proc/self/status
        for each in /proc/self/fd/*; do echo ${each##*/}; done
    """
    limits = WorkerLimits(open_files=99)
    end = await run_program([program(script)], folder=folder, limits=limits)
    assert end.lines[:4] == ("99", "0", "NoNewPrivs: 1", "Seccomp: 2")
    # 3 is the listing's own; 10 is the script, which the shell reads
    assert set(end.lines[4:]) <= {"0", "1", "2", "3", "10"}
    assert end.proof is not None
    assert end.proof.layers["seccomp"] is True


@pytest.mark.linux
async def test_a_program_reads_what_it_is_given_and_starts_no_other(
    program, folder, tmp_path
):
    given, other = tmp_path / "given", tmp_path / "other"
    for path in (given, other):
        path.write_text("words\n")
    script = 'read a < "$1" && echo $a; read b < "$2" && echo $b; /bin/ls; echo $?'
    end = await run_program(
        [program(script), str(given), str(other)], folder=folder, readable=[str(given)]
    )
    assert end.lines[0] == "words"
    assert "words" not in end.lines[1:]
    assert end.lines[-1] in {"126", "127"}


async def test_a_cancelled_program_dies_with_what_it_started(program, folder):
    started = asyncio.Event()
    path = program(f"({FOR_EVER}) & echo started; wait")

    def hear(_line):
        started.set()

    running = asyncio.create_task(run_program([path], folder=folder, on_line=hear))
    await started.wait()
    assert len(running_as(path)) == 2
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await all_gone(path)


async def all_gone(path):
    """Wait for the end of a program; the test's own timeout bounds the wait."""
    while running_as(path):  # noqa: ASYNC110  (nothing tells us)
        await asyncio.sleep(0.01)


def running_as(path):
    """Return the processes whose command names a path."""
    found = []
    for command in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if path in command.read_bytes().decode().split("\0"):
                found.append(command.parent.name)
        except OSError:
            continue
    return found


async def test_a_flood_of_output_ends_the_program(program, folder):
    limits = WorkerLimits(output=100_000)
    path = program("while :; do echo more and more; done")
    call = run_program([path], folder=folder, limits=limits)
    assert await code_of(call) == "program.flood"


async def test_a_full_scratch_directory_ends_the_program(program, folder):
    path = program(f"for i in 1 2; do printf %0900000d 0 > $i; done; {FOR_EVER}")
    limits = WorkerLimits(file_size=1_000_000)
    call = run_program([path], folder=folder, limits=limits)
    assert await code_of(call) == "worker.scratch-full"


async def test_an_orphan_that_holds_the_output_open_is_not_waited_for(program, folder):
    path = program(f"({FOR_EVER}) & echo done")
    end = await run_program([path], folder=folder)
    assert end.lines == ("done",)
    await all_gone(path)


async def test_a_missing_program_and_a_mere_file_are_told_apart(folder):
    (folder.scratch / "file").touch()
    missing = run_program([str(folder.scratch / "none")], folder=folder)
    assert await code_of(missing) == "program.missing"
    file = run_program([str(folder.scratch / "file")], folder=folder)
    assert await code_of(file) == "program.not-executable"


@pytest.mark.skipif(COMPILER is None, reason="there is no C compiler")
async def test_a_program_finds_the_libraries_that_were_built_with_it(folder, tmp_path):
    for name in ("bin", "lib"):
        (tmp_path / name).mkdir()
    library, program = tmp_path / "lib/libsaid.so.1", tmp_path / "bin/program"
    built(library, 'char *said(void) { return "built"; }', "-shared", "-fPIC")
    source = "int puts(char *); char *said(void); int main(void) { puts(said()); }"
    built(program, source, str(library), "-Wl,-rpath,$ORIGIN/../lib")
    end = await run_program([str(program)], folder=folder)
    assert (end.code, end.lines) == (0, ("built",))


def built(target, source, *options):
    """Compile a C program or library."""
    code = target.with_suffix(".c")
    code.write_text(source)
    command = [COMPILER, "-w", "-x", "c", str(code), "-x", "none", *options]
    subprocess.run([*command, "-o", str(target)], check=True)


async def test_a_program_that_the_kernel_refuses_says_why(folder, tmp_path):
    path = tmp_path / "odd"
    path.write_bytes(b"\x7fELF not really")
    path.chmod(0o755)
    end = await run_program([str(path)], folder=folder)
    assert (end.code, end.last_line) == (126, "Exec format error")
