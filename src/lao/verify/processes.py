# SPDX-License-Identifier: Apache-2.0
"""Attempts to make processes, to run programs, and to change what this one is."""

import os
import resource
from dataclasses import replace
from errno import EACCES

from lao.verify.attempt import (
    EVERYWHERE,
    IN_A_SANDBOX,
    WORKERS,
    Attempt,
    Bait,
    CannotTry,
    Kind,
    Layer,
    attempt,
)
from lao.verify.calls import call, reach

_AS_ROOT: tuple[Layer, ...] = ("capabilities", "namespaces")
_SHELL = "/bin/sh"
_RAN = 7  # the exit code that proves that it ran
_PR_SET_PDEATHSIG = 1
_NOBODY = 65534
_AT_EMPTY_PATH = 0x1000
_CLONE_VM = 0x100
_CLONE_PIDFD = 0x1000
_CLONE_DETACHED = 0x400000  # contradicts CLONE_PIDFD: nothing is made
_FORBIDDEN_TO_FORK: tuple[Kind, ...] = ("worker", "server", "orchestrator")
_PROGRAM: tuple[Kind, ...] = ("program",)


def _spawn(program: str) -> None:
    arguments = [program, "-c", f"exit {_RAN}"]
    _require_that_it_ran(os.posix_spawn(program, arguments, {}))


def _require_that_it_ran(child: int) -> None:
    _, status = os.waitpid(child, 0)
    if os.waitstatus_to_exitcode(status) != _RAN:
        raise OSError(EACCES, "the child could not run it")


@attempt("processes", "there was a child", by=("seccomp",), kinds=_FORBIDDEN_TO_FORK)
def fork(_bait: Bait) -> None:
    """Fork."""
    child = os.fork()
    if child == 0:
        os._exit(_RAN)
    _require_that_it_ran(child)


@attempt(
    "processes", "the kernel made a process", by=("seccomp",), kinds=_FORBIDDEN_TO_FORK
)
def fork_without_a_copy(_bait: Bait) -> None:
    """Make a process that shares memory (clone)."""
    reach("clone", _CLONE_VM | _CLONE_PIDFD | _CLONE_DETACHED, 0, 0, 0, 0)


@attempt("processes", "the shell ran", by=("seccomp",), kinds=_FORBIDDEN_TO_FORK)
def shell(_bait: Bait) -> None:
    """Start a shell."""
    _spawn(_SHELL)


@attempt("processes", "the shell ran", by=("landlock", "namespaces"), kinds=_PROGRAM)
def another_program(_bait: Bait) -> None:
    """Start a shell where children are allowed."""
    _spawn(_SHELL)


@attempt("processes", "the kernel considered the call", by=("seccomp",), kinds=WORKERS)
def become_a_program(_bait: Bait) -> None:
    """Become another program (execve)."""
    reach("execve", 0, 0, 0)


@attempt(
    "processes", "the kernel considered the call", by=("seccomp",), kinds=EVERYWHERE
)
def become_a_program_without_a_name(_bait: Bait) -> None:
    """Become a program without path (execveat)."""
    reach("execveat", -1, b"", 0, 0, _AT_EMPTY_PATH)


@attempt("processes", "the script ran", by=("seccomp", "landlock"), kinds=WORKERS)
def run_what_it_wrote(_bait: Bait) -> None:
    """Run a script that it wrote."""
    descriptor = os.open("script", os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o755)
    os.write(descriptor, f"#!{_SHELL}\nexit {_RAN}\n".encode())
    os.close(descriptor)
    _spawn("./script")


_run_what_a_program_wrote = replace(
    run_what_it_wrote,
    name="run-what-a-program-wrote",
    phrase="Run a script where children are allowed",
    stopped_by=("landlock",),
    kinds=_PROGRAM,
)


@attempt("processes", "it is in a session of its own", by=("seccomp",), kinds=WORKERS)
def leave_the_session(_bait: Bait) -> None:
    """Leave the session by which LAO ends it."""
    call("setsid")


@attempt("processes", "it is in another group", by=("seccomp",), kinds=WORKERS)
def leave_the_group(_bait: Bait) -> None:
    """Leave the group by which LAO ends it."""
    call("setpgid", 0, 0)


@attempt("processes", "no signal is set", by=("seccomp",), kinds=IN_A_SANDBOX)
def outlive_the_parent(_bait: Bait) -> None:
    """Ask not to be ended with LAO."""
    call("prctl", _PR_SET_PDEATHSIG, 0, 0, 0, 0)


@attempt("processes", "it is another user", by=_AS_ROOT, kinds=EVERYWHERE)
def become_another_user(_bait: Bait) -> None:
    """Become another user, as root may."""
    if os.getuid() == _NOBODY:
        raise CannotTry("it is nobody already")
    call("setresuid", _NOBODY, _NOBODY, -1)


@attempt("processes", "the limit is higher", by=_AS_ROOT, kinds=EVERYWHERE)
def raise_a_limit(_bait: Bait) -> None:
    """Raise a limit, as root may."""
    _, hard = resource.getrlimit(resource.RLIMIT_MSGQUEUE)
    if hard == resource.RLIM_INFINITY:
        raise CannotTry("there is no limit")
    higher = (hard + 1).to_bytes(8, "little")
    call("prlimit64", 0, resource.RLIMIT_MSGQUEUE, higher * 2, 0)


@attempt(
    "processes", "the kernel considered the call", by=("seccomp",), kinds=IN_A_SANDBOX
)
def other_personality(_bait: Bait) -> None:
    """Change how its memory is laid out."""
    current = 0xFFFFFFFF
    call("personality", current)


ATTEMPTS: tuple[Attempt, ...] = (
    fork,
    fork_without_a_copy,
    shell,
    another_program,
    become_a_program,
    become_a_program_without_a_name,
    run_what_it_wrote,
    _run_what_a_program_wrote,
    leave_the_session,
    leave_the_group,
    outlive_the_parent,
    become_another_user,
    raise_a_limit,
    other_personality,
)
