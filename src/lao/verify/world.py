# SPDX-License-Identifier: Apache-2.0
"""What the attempts are let loose on: a folder of files, and a witness.

Both are made for it. Whether an attempt reached them is seen here, not only told by the
attempt itself.
"""

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from lao.errors import LaoError
from lao.policy import LoopbackEndpoint, WorkerLimits
from lao.verify.attempt import Bait
from lao.workers.clearing import held_folder, sweep

VARIABLE: Final = "LAO_VERIFY_CANARY"
LIMITS: Final = WorkerLimits(
    memory=192 << 20, file_size=1 << 20, open_files=64, threads=48
)
"""Small enough that going past them costs the machine nothing."""

_WITNESS = Path(__file__).with_name("witness.py")
_STATE = ("priority", "policy")
_PACKAGE_FILE = Path(__file__).parents[1] / "__init__.py"


class World:
    """The folder and the witness of one proof.

    State: what the files of each kind of process were like before its attempts.
    """

    def __init__(
        self,
        folder: Path,
        witness: "subprocess.Popen[bytes]",
        bait: Bait,
        *,
        open_file: int,
    ) -> None:
        self._folder = folder
        self._witness = witness
        self._bait = bait
        self.open_file = open_file
        self._before: dict[str, tuple[object, ...]] = {}
        self._witness_before: Mapping[str, object] = {}

    @property
    def witness(self) -> int:
        """The witness's id."""
        return self._witness.pid

    @property
    def endpoint(self) -> LoopbackEndpoint:
        """Where the witness listens: an address that LAO may be told to connect to."""
        return LoopbackEndpoint(f"http://127.0.0.1:{self._bait.tcp4}")

    @property
    def scratch(self) -> Path:
        """A folder to work in, for processes that LAO gives none."""
        return self._folder / "scratch" / "own"

    def lay_out(
        self, kind: str, attempts: tuple[str, ...], *, patience: float = 0.0
    ) -> Bait:
        """Make files for the attempts of one kind of process; begin to look."""
        folder = self._folder / "files" / kind
        folder.mkdir(parents=True)
        for name in attempts:
            path = folder / name
            path.write_text(self._bait.canary)
            path.chmod(0o600)
        (folder / "link").symlink_to("somewhere")
        self._before = _look_at(folder)
        self._witness_before = self._ask_the_witness()
        return replace(self._bait, folder=str(folder), patience=patience)

    def touched(self, bait: Bait) -> frozenset[str]:
        """Return which attempts had an effect since `lay_out`.

        "somebody" and "the witness" stand for effects that name no attempt.
        """
        seen = self._ask_the_witness()
        found = {str(name) for name in _listed(seen["seen"])}
        unlike = [n for n in _STATE if seen[n] != self._witness_before[n]]
        if seen["signals"] or unlike:
            found.add("the witness")
        after = _look_at(Path(bait.folder))
        for name in self._before.keys() | after.keys():
            if self._before.get(name) != after.get(name):
                found.add(name.removesuffix("-made").removesuffix("-renamed"))
        return frozenset(found)

    def _ask_the_witness(self) -> Mapping[str, Any]:
        ask, answer = self._witness.stdin, self._witness.stdout
        assert ask is not None  # noqa: S101  (both are pipes)
        assert answer is not None  # noqa: S101
        try:
            ask.write(b"\n")
            ask.flush()
            found: Mapping[str, Any] = json.loads(answer.readline())
        except (OSError, ValueError):
            raise _witness_gone() from None
        return found


@contextmanager
def open_world() -> Iterator[World]:
    """Make the folder, start the witness; at the end both are gone.

    What an earlier proof left that was killed is removed first.

    Call it before this process locks itself: it starts a process. Within it, a secret is
    in the environment and in an open file that processes could inherit.

    Raises:
        LaoError: the witness did not start (`verify.no-witness`).
    """
    sweep(None)
    canary = secrets.token_hex(16)
    with held_folder(None) as folder:
        (folder / "scratch" / "own").mkdir(parents=True)
        (folder / "secret").write_text(canary)
        with _secret_to_inherit(folder / "secret", canary) as open_file:
            witness = _start_witness(folder, canary)
            try:
                bait = _bait(folder, canary, witness)
                yield World(folder, witness, bait, open_file=open_file)
            finally:
                witness.communicate()  # it ends with its input


@contextmanager
def _secret_to_inherit(path: Path, canary: str) -> Iterator[int]:
    """Hold what a careless launcher would hand on: a variable and an open file."""
    os.environ[VARIABLE] = canary  # noqa: TID251  (for the attempt to find it)
    descriptor = os.open(path, os.O_RDONLY)
    os.set_inheritable(descriptor, True)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
        os.environ.pop(VARIABLE, None)  # noqa: TID251


def _start_witness(folder: Path, canary: str) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-I", "-S", "-B", str(_WITNESS), str(folder), canary]
    return subprocess.Popen(  # noqa: S603  (our own file)
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=folder,
        start_new_session=True,
    )


def _bait(folder: Path, canary: str, witness: "subprocess.Popen[bytes]") -> Bait:
    assert witness.stdout is not None  # noqa: S101  (it is a pipe)
    try:
        told = json.loads(witness.stdout.readline())
    except ValueError:
        raise _witness_gone() from None
    home = Path.home()
    return Bait(
        canary=canary,
        folder=str(folder),
        home=str(home),
        home_name=_name_to_look_for(home),
        root_name=_name_to_look_for(Path("/")),
        package_file=str(_PACKAGE_FILE),
        sockets=str(folder),
        open_files=LIMITS.open_files,
        file_size=LIMITS.file_size,
        memory=LIMITS.memory or 0,
        threads=LIMITS.threads,
        **told,
    )


def _name_to_look_for(folder: Path) -> str:
    """Return a name in a folder that a sandbox has no reason to show, or nothing."""
    needed = {Path(path).resolve() for path in (*sys.path, sys.prefix, sys.base_prefix)}
    needed |= {Path(path) for path in ("/usr", "/lib", "/lib64", "/bin", "/sbin")}
    needed |= {Path(path) for path in ("/dev", "/proc", "/sys", "/tmp", "/etc", "/run")}  # noqa: S108
    with suppress(OSError):
        for path in sorted(folder.iterdir()):
            if not any(each.is_relative_to(path) for each in needed):
                return path.name
    return ""


def _look_at(folder: Path) -> dict[str, tuple[object, ...]]:
    """Return what there is to know about each file of a folder."""
    found: dict[str, tuple[object, ...]] = {}
    for path in folder.iterdir():
        known = path.lstat()
        content = path.read_text() if path.is_file() else ""
        names = os.listxattr(path, follow_symlinks=False)
        facts = (known.st_mode, known.st_nlink, known.st_ctime_ns, content, *names)
        found[path.name] = facts
    return found


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _witness_gone() -> LaoError:
    return LaoError(
        "verify.no-witness",
        "the process that the attempts are made on does not answer",
        mend="try again; without it nothing can be shown",
    )
