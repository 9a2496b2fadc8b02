# SPDX-License-Identifier: Apache-2.0
"""Attempts to get at what other processes of the user hold: secrets, files, a terminal."""

import os
from errno import EBADF, EIO, ENODATA
from fcntl import ioctl
from pathlib import Path

from lao.verify.attempt import IN_A_SANDBOX, Attempt, Bait, Layer, attempt

_READ = "the secret was read"
_PROC: tuple[Layer, ...] = ("landlock", "namespaces")
_TIOCSTI = 0x5412
_MOST_DESCRIPTORS = 1024


def _require_secret(found: bytes, bait: Bait) -> None:
    if bait.canary.encode() not in found:
        raise OSError(EIO, "something else was read")


def _read_of_each(name: str, bait: Bait) -> None:
    """Read a file of /proc about the witness and the parent; one has the secret."""
    refusal = OSError(EIO, "something else was read")
    for pid in (bait.witness, bait.parent):
        try:
            _require_secret(Path(f"/proc/{pid}/{name}").read_bytes(), bait)
        except OSError as error:
            refusal = error
        else:
            return
    raise refusal


@attempt("parent", _READ, by=_PROC, kinds=IN_A_SANDBOX)
def environment_of_another(bait: Bait) -> None:
    """Read the environment of a process."""
    _read_of_each("environ", bait)


@attempt("parent", _READ, by=_PROC, kinds=IN_A_SANDBOX)
def arguments_of_another(bait: Bait) -> None:
    """Read the arguments of a process."""
    _read_of_each("cmdline", bait)


@attempt("parent", _READ, by=_PROC, kinds=IN_A_SANDBOX)
def memory_of_another(bait: Bait) -> None:
    """Read the memory of a process through /proc."""
    with Path(f"/proc/{bait.witness}/mem").open("rb", buffering=0) as memory:
        memory.seek(bait.secret_address)
        _require_secret(memory.read(len(bait.canary)), bait)


@attempt("parent", _READ, by=_PROC, kinds=IN_A_SANDBOX)
def open_file_of_another(bait: Bait) -> None:
    """Open a file that a process has open."""
    path = Path(f"/proc/{bait.witness}/fd/{bait.secret_fd}")
    _require_secret(path.read_bytes(), bait)


@attempt("parent", "the folder was told", by=_PROC, kinds=IN_A_SANDBOX)
def folder_of_another(bait: Bait) -> None:
    """Ask in which folder a process works."""
    os.readlink(f"/proc/{bait.witness}/cwd")  # noqa: PTH115  (as the kernel sees it)


@attempt("parent", "the witness is in the list", by=_PROC, kinds=IN_A_SANDBOX)
def list_of_processes(bait: Bait) -> None:
    """List the processes of this machine."""
    if str(bait.witness) not in os.listdir("/proc"):  # noqa: PTH208  (as the kernel sees it)
        raise OSError(EIO, "other processes are there")


@attempt("parent", _READ, by=("launch",), kinds=IN_A_SANDBOX)
def inherited_file(bait: Bait) -> None:
    """Read an open file that it inherited."""
    for descriptor in range(3, _MOST_DESCRIPTORS):
        try:
            found = os.pread(descriptor, 4096, 0)
        except OSError:
            continue
        if bait.canary.encode() in found:
            return
    raise OSError(EBADF, "no open file holds the secret")


@attempt("parent", _READ, by=("launch",), kinds=IN_A_SANDBOX)
def inherited_variable(bait: Bait) -> None:
    """Read a secret from its environment."""
    environment = os.environ  # noqa: TID251  (what it is about)
    if bait.canary not in environment.values():
        raise OSError(ENODATA, "no variable holds the secret")


@attempt("parent", "it opened", by=("launch", *_PROC), kinds=IN_A_SANDBOX)
def terminal(_bait: Bait) -> None:
    """Open the user's terminal."""
    os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))


@attempt("parent", "it opened", by=_PROC, kinds=IN_A_SANDBOX)
def new_terminal(_bait: Bait) -> None:
    """Make a terminal."""
    os.close(os.open("/dev/ptmx", os.O_RDWR | os.O_NOCTTY))


@attempt("parent", "the kernel considered it", by=("seccomp",), kinds=IN_A_SANDBOX)
def type_into_the_terminal(_bait: Bait) -> None:
    """Type into a terminal (TIOCSTI)."""
    _consider_ioctl(_TIOCSTI)


def _consider_ioctl(request: int) -> None:
    descriptor = os.open("/dev/null", os.O_RDONLY)
    try:
        ioctl(descriptor, request, b"x")
    except OSError as error:
        if error.errno == _EPERM:
            raise
    finally:
        os.close(descriptor)


_EPERM = 1

ATTEMPTS: tuple[Attempt, ...] = (
    environment_of_another,
    arguments_of_another,
    memory_of_another,
    open_file_of_another,
    folder_of_another,
    list_of_processes,
    inherited_file,
    inherited_variable,
    terminal,
    new_terminal,
    type_into_the_terminal,
)
