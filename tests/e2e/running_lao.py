# SPDX-License-Identifier: Apache-2.0
"""Runs the `lao` command as a person does: a process, its streams, its exit code.

Every run has a home of its own, a small environment, and a limit in time; a run that
reaches the limit fails the test.
"""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

LAO = (sys.executable, "-m", "lao")
_CODE = re.compile(r"^(?:error|note)\[([\w.-]+)\]", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How one run ended."""

    code: int
    out: bytes
    err: bytes

    @property
    def answer(self) -> str:
        """What stdout got, as text."""
        return self.out.decode()

    @property
    def told(self) -> str:
        """What stderr got, as text."""
        return self.err.decode()

    @property
    def problems(self) -> list[str]:
        """The codes of the errors and notes on stderr, in order."""
        return _CODE.findall(self.told)

    @property
    def report(self) -> dict[str, Any]:
        """The JSON on stdout."""
        found: dict[str, Any] = json.loads(self.out)
        return found

    def complains(self, code: int, *problems: str) -> bool:
        """Whether it ended with this exit code and these errors, said as they should be.

        That is: each with a place or a mend, nothing on stdout, and no traceback.
        """
        told = (self.code, self.problems, self.out, "Traceback" in self.told)
        assert told == (code, list(problems), b"", False), self.told
        errors = self.told.split("error[")[1:]
        assert all("\n  " in error for error in errors), self.told
        return True


@dataclass(frozen=True, kw_only=True)
class Lao:
    """`lao`, with `folder` as its working folder and a home inside it."""

    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    def __call__(
        self, *arguments: str | Path, stdin: bytes = b"", seconds: float = 50
    ) -> Ended:
        """Run to the end, with `stdin` through a pipe."""
        with self.started(*arguments, stdin=subprocess.PIPE) as process:
            out, err = process.communicate(stdin, timeout=seconds)
        return Ended(code=process.returncode, out=out, err=err)

    @contextmanager
    def started(
        self,
        *arguments: str | Path,
        stdin: int | IO[bytes] = subprocess.DEVNULL,
        stdout: int | IO[bytes] = subprocess.PIPE,
        stderr: int | IO[bytes] = subprocess.PIPE,
        prefix: tuple[str, ...] = (),
    ) -> Iterator["subprocess.Popen[bytes]"]:
        """Start it; at the end it is dead, whatever happened."""
        with subprocess.Popen(
            [*prefix, *LAO, *map(str, arguments)],
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            cwd=self.folder,
            env=self.whole_environment,
            start_new_session=True,
        ) as process:
            try:
                yield process
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)

    @property
    def whole_environment(self) -> dict[str, str]:
        """What a run sees: nothing of the tester's own, but what the caller adds."""
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        found = {"PATH": os.defpath, "HOME": str(home), "LANG": "C.UTF-8"}
        return {**found, **self.environment}

    def having(self, **environment: str) -> "Lao":
        """Return the same with more in its environment."""
        return Lao(folder=self.folder, environment={**self.environment, **environment})

    def file(self, name: str, content: str | bytes) -> Path:
        """Write a file into the working folder."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path


def at_terminal(
    lao: Lao,
    *arguments: str | Path,
    stdin: bool = False,
    stdout: bool = False,
    stderr: bool = False,
) -> tuple[int, str, bytes]:
    """Run with some streams on one terminal.

    Return the exit code, what the terminal got, and what stderr got if it was no part
    of that.
    """
    ours, theirs = os.openpty()
    with lao.started(
        *arguments,
        stdin=theirs if stdin else subprocess.DEVNULL,
        stdout=theirs if stdout else subprocess.PIPE,
        stderr=theirs if stderr else subprocess.PIPE,
    ) as process:
        os.close(theirs)
        shown = b""
        with suppress(OSError):  # it says EIO when the last one has left
            while part := os.read(ours, 1 << 16):
                shown += part
        os.close(ours)
        _, err = process.communicate(timeout=50)
    return process.returncode, shown.replace(b"\r\n", b"\n").decode(), err or b""


def children_of(pid: int) -> set[int]:
    """Return the processes below `pid`, at any depth; they may end at any time."""
    found = set()
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            direct = set(map(int, task.read_text().split()))
        except OSError:
            continue
        found |= direct.union(*map(children_of, direct))
    return found


def process_named(pid: int, name: str) -> int:
    """Return the one process below `pid` of which a thread has that name.

    A worker may know itself by another number: that of its own process namespace.
    """
    found = [
        child
        for child in children_of(pid)
        for thread in Path(f"/proc/{child}/task").glob("*/comm")
        if thread.read_text().strip() == name
    ]
    (only,) = set(found)
    return only


def is_alive(pid: int) -> bool:
    """Whether a process is there and more than a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in {"Z", "X"}
