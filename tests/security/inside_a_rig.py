# SPDX-License-Identifier: Apache-2.0
"""The leak rig for tests: opened once, then commands are run in it one by one."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pytest
from tests.security import leak_rig

CANARY = "canary4f1b9c07e2"
UNPRIVILEGED, AS_ROOT = "unprivileged", "as-root"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """How a command ended in the rig, and what left meanwhile; `code` None: killed."""

    code: int | None
    seconds: float
    out: str
    err: str
    count: int
    hits: int
    noise: int
    kernel: int
    packets: list[dict[str, Any]]

    @property
    def is_silent(self) -> bool:
        """Whether nothing left, by the witness's count and by the kernel's."""
        return self.count == 0 and self.kernel == self.noise

    @property
    def names(self) -> set[str]:
        """The names that were asked for."""
        return {packet["asks_for"] for packet in self.packets} - {""}

    @property
    def ports(self) -> set[int]:
        """The ports that packets went to."""
        found = (packet["to"].partition("/")[0] for packet in self.packets)
        ends = (host.rpartition(":")[2] for host in found)
        return {int(end) for end in ends if end.isdigit()}


@dataclass(frozen=True, slots=True)
class LeakRig:
    """An open rig whose positive control was seen."""

    process: "subprocess.Popen[str]"

    def run(
        self,
        *argv: str | Path,
        folder: Path,
        environment: Mapping[str, str],
        seconds: float = 50,
    ) -> Run:
        """Run a command to its end."""
        found = self._answer("run", argv, folder, environment, seconds)
        return Run(**{field.name: found[field.name] for field in fields(Run)})

    def serve(
        self, *argv: str | Path, folder: Path, environment: Mapping[str, str]
    ) -> str:
        """Start a server that stays; return its first line."""
        line: str = self._answer("serve", argv, folder, environment, 0)["line"]
        return line

    def _answer(
        self,
        operation: str,
        argv: tuple[str | Path, ...],
        folder: Path,
        environment: Mapping[str, str],
        seconds: float,
    ) -> dict[str, Any]:
        order = {
            "op": operation,
            "name": " ".join(str(each) for each in argv[:6])[:100],
            "argv": [str(each) for each in argv],
            "cwd": str(folder),
            "env": dict(environment),
            "seconds": seconds,
        }
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer


@contextmanager
def opened(kind: str, *, report: Path | None = None) -> Iterator[LeakRig]:
    """Open a rig, or skip the test with what is missing; a blind rig fails it."""
    unprivileged = kind == UNPRIVILEGED
    if lacking := why_not(kind):
        pytest.skip(lacking)
    command = [sys.executable, str(leak_rig.HERE), "--orders", "--canary", CANARY]
    command += ["--unprivileged"] * unprivileged
    command += ["--report", str(report)] if report else []
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        try:
            told = process.stdout.readline() or '{"seen": false}'
            assert json.loads(told)["seen"], "the rig did not see its own leak"
            yield LeakRig(process)
            process.stdin.close()
            assert process.wait(20) == leak_rig.AS_EXPECTED
        finally:
            process.kill()


def why_not(kind: str) -> str | None:
    """Say why there can be no such rig here; None where there can."""
    if kind == AS_ROOT and leak_rig.is_ordinary_user():
        return "the leak rig as root needs root"
    return leak_rig.what_is_missing(unprivileged=kind == UNPRIVILEGED)
