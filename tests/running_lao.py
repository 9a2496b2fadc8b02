# SPDX-License-Identifier: Apache-2.0
"""Runs the `lao` command as a person would: in a process, in a folder and home of its own."""

import os
import pty
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

NOBODY = "http://127.0.0.1:1"  # no server has this port


@dataclass(frozen=True)
class Lao:
    """A home, a current folder, and an environment without anything of the machine's."""

    folder: Path
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            "LAO_ENDPOINT": NOBODY,
            **self.variables,
        }

    def __call__(
        self,
        *arguments: str,
        stdin: str | None = None,
        seconds: float = 50,
        **variables: str,
    ) -> subprocess.CompletedProcess[str]:
        """Run it with pipes on both streams."""
        return subprocess.run(
            [sys.executable, "-m", "lao", *arguments],
            cwd=self.folder,
            env=self.environment | variables,
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            encoding="utf-8",
            check=False,
            timeout=seconds,
        )

    def on_terminal(
        self, *arguments: str, typed: str = "", **variables: str
    ) -> tuple[int, str]:
        """Run it with a terminal as all three streams; return exit code and screen bytes.

        `typed` waits there from the beginning, as if somebody had been fast.
        """
        ours, theirs = pty.openpty()
        os.write(ours, typed.encode())
        command = [sys.executable, "-m", "lao", *arguments]
        environment = self.environment | {"TERM": "xterm-256color"} | variables
        with subprocess.Popen(
            command,
            cwd=self.folder,
            env=environment,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        ) as process:
            os.close(theirs)
            shown = _read_all(ours)
        os.close(ours)
        return process.returncode, shown.decode()


def _read_all(descriptor: int) -> bytes:
    found = b""
    while True:
        try:
            piece = os.read(descriptor, 65536)
        except OSError:  # Linux's way to say that the other end is closed
            return found
        if not piece:
            return found
        found += piece
