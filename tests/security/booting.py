# SPDX-License-Identifier: Apache-2.0
"""Boots locked processes by hand, to run a few lines of Python inside of the lock."""

import json
import os
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

from msgspec import Struct, field

import lao.isolation
from lao.isolation.landlock import Access
from lao.isolation.levels import Machine, look, required_layers
from lao.isolation.lock import import_path, interpreter_paths, lock_config
from lao.isolation.seccomp import Profile

BOOT = Path(lao.isolation.__file__).with_name("boot.py")
HERE = Path(__file__).parent
SECONDS = 30


class Lock(Struct, frozen=True, kw_only=True):
    """What one process is booted with; the machine without bubblewrap by default."""

    scratch: Path
    machine: Machine = field(default_factory=look)
    profile: Profile = "default"
    readable: tuple[Path, ...] = ()
    executable: tuple[Path, ...] = ()
    rlimits: tuple[tuple[str, int], ...] = (("CORE", 0), ("NOFILE", 256))
    required: tuple[str, ...] | None = None
    prefix: tuple[str, ...] = ()
    python: str = sys.executable
    parent: int = field(default_factory=os.getpid)

    def config(self):
        """Return the configuration that boot reads."""
        readable = (*interpreter_paths(), str(HERE), *map(str, self.readable))
        executable = tuple(map(str, self.executable))
        access = Access(
            readable=readable, writable=(str(self.scratch),), executable=executable
        )
        required = self.required
        if required is None:
            required = required_layers(self.machine.level)
        return {
            "parent": self.parent,
            "rlimits": self.rlimits,
            "lock": lock_config(self.machine, profile=self.profile, access=access),
            "required": required,
            "sys_path": [*import_path(), str(HERE)],
            "run": "locked_lines",
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What the lines left in `found`, the exit code, and what was printed."""

    found: object
    code: int
    printed: str


def run_locked(lock: Lock, lines: str) -> Ended:
    """Run lines that put what they find into `found`; `layers` is there for them."""
    config = json.dumps(lock.config()).encode()
    read, write = os.pipe()
    requests, their_requests = os.pipe()
    answers, replies = os.pipe()
    inside = (read, requests, replies)
    process = subprocess.Popen(
        [*lock.prefix, lock.python, "-I", "-S", "-B", str(BOOT), *map(str, inside)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={"LANG": "C.UTF-8", "HOME": str(lock.scratch), "TMPDIR": str(lock.scratch)},
        cwd=lock.scratch,
        pass_fds=inside,
        start_new_session=True,
        text=True,
    )
    for descriptor in inside:
        os.close(descriptor)
    _write(write, len(config).to_bytes(4, "big") + config)
    _write(their_requests, textwrap.dedent(lines).encode())
    with os.fdopen(answers, "rb") as replied:
        found = replied.read()
    printed, _ = process.communicate(timeout=SECONDS)
    return Ended(
        found=json.loads(found) if found else None,
        code=process.returncode,
        printed=printed,
    )


def _write(descriptor: int, data: bytes) -> None:
    try:
        with os.fdopen(descriptor, "wb") as pipe:
            pipe.write(data)
    except BrokenPipeError:
        return  # it ended before it read
