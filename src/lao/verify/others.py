# SPDX-License-Identifier: Apache-2.0
"""Attempts to act on another process of the user: signals, debugging, priorities."""

import ctypes
import os
import resource
import socket
from errno import EIO
from fcntl import F_GETFL, F_SETFL, F_SETOWN, fcntl

from lao.verify.attempt import IN_A_SANDBOX, Attempt, Bait, Layer, attempt
from lao.verify.calls import call

SIGNAL = 35  # a real-time signal: nobody else sends it
_F_SETSIG = 10
_O_ASYNC = 0o20000
_PTRACE_SEIZE = 0x4206
_SI_QUEUE = -1
_SIGINFO_BYTES = 128
_IOPRIO_WHO_PROCESS = 1
_IOPRIO_IDLE = 3 << 13
_SECRET_BYTES = 16
_LEAST_IMPORTANT = 19
_BOTH: tuple[Layer, ...] = ("seccomp", "namespaces")
_ALL_THREE: tuple[Layer, ...] = ("seccomp", "landlock", "namespaces")
_SENT = "the signal was sent"


@attempt("processes", _SENT, by=_ALL_THREE, kinds=IN_A_SANDBOX)
def kill(bait: Bait) -> None:
    """Send a signal to a process."""
    os.kill(bait.witness, SIGNAL)


@attempt("processes", _SENT, by=_ALL_THREE, kinds=IN_A_SANDBOX)
def kill_a_group(bait: Bait) -> None:
    """Send a signal to a process group."""
    os.killpg(bait.witness, SIGNAL)


@attempt("processes", "the parent may be signalled", by=_BOTH, kinds=IN_A_SANDBOX)
def kill_the_parent(bait: Bait) -> None:
    """Send a signal to its parent."""
    os.kill(bait.parent, 0)


@attempt("processes", "all may be signalled", by=("seccomp",), kinds=IN_A_SANDBOX)
def kill_everything(_bait: Bait) -> None:
    """Send a signal to every process there is."""
    os.kill(-1, 0)


@attempt("processes", _SENT, by=_ALL_THREE, kinds=IN_A_SANDBOX)
def kill_a_thread(bait: Bait) -> None:
    """Send a signal to a thread (tkill)."""
    call("tkill", bait.witness, SIGNAL)


@attempt("processes", _SENT, by=_ALL_THREE, kinds=IN_A_SANDBOX)
def kill_a_thread_of_a_process(bait: Bait) -> None:
    """Send a signal to a thread (tgkill)."""
    call("tgkill", bait.witness, bait.witness, SIGNAL)


@attempt("processes", _SENT, by=_ALL_THREE, kinds=IN_A_SANDBOX)
def queue_a_signal(bait: Bait) -> None:
    """Queue a signal with a message."""
    numbers = (SIGNAL, 0, _SI_QUEUE)
    told = b"".join(each.to_bytes(4, "little", signed=True) for each in numbers)
    call("rt_sigqueueinfo", bait.witness, SIGNAL, told.ljust(_SIGINFO_BYTES, b"\0"))


@attempt("processes", _SENT, by=_ALL_THREE, kinds=IN_A_SANDBOX)
def signal_by_descriptor(bait: Bait) -> None:
    """Send a signal through a descriptor."""
    descriptor = call("pidfd_open", bait.witness, 0)
    try:
        call("pidfd_send_signal", descriptor, SIGNAL, 0, 0)
    finally:
        os.close(descriptor)


@attempt("processes", "the kernel will signal it", by=_BOTH, kinds=IN_A_SANDBOX)
def signal_by_the_kernel(bait: Bait) -> None:
    """Have the kernel signal a process (F_SETOWN)."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        fcntl(ours, F_SETOWN, bait.witness)
        fcntl(ours, _F_SETSIG, SIGNAL)
        fcntl(ours, F_SETFL, fcntl(ours, F_GETFL) | _O_ASYNC)
        theirs.send(b"x")


@attempt("processes", "it is attached", by=_ALL_THREE, kinds=IN_A_SANDBOX)
def debug(bait: Bait) -> None:
    """Attach to a process as a debugger does."""
    call("ptrace", _PTRACE_SEIZE, bait.witness, 0, 0)


@attempt("processes", "the secret was read", by=_ALL_THREE, kinds=IN_A_SANDBOX)
def read_memory(bait: Bait) -> None:
    """Read a process's memory."""
    found = ctypes.create_string_buffer(_SECRET_BYTES)
    ours = _pieces(ctypes.addressof(found))
    theirs = _pieces(bait.secret_address)
    call("process_vm_readv", bait.witness, ours, 1, theirs, 1, 0)
    if found.raw != bait.canary.encode()[:_SECRET_BYTES]:
        raise OSError(EIO, "something else was read")


@attempt("processes", "the memory was changed", by=_ALL_THREE, kinds=IN_A_SANDBOX)
def write_memory(bait: Bait) -> None:
    """Write into a process's memory."""
    same = ctypes.create_string_buffer(bait.canary.encode()[:_SECRET_BYTES])
    ours = _pieces(ctypes.addressof(same))
    theirs = _pieces(bait.secret_address)
    call("process_vm_writev", bait.witness, ours, 1, theirs, 1, 0)


def _pieces(address: int) -> bytes:
    """Return what the kernel calls an iovec: an address and a length."""
    return address.to_bytes(8, "little") + _SECRET_BYTES.to_bytes(8, "little")


@attempt("processes", "the secret was read", by=_ALL_THREE, kinds=IN_A_SANDBOX)
def take_a_descriptor(bait: Bait) -> None:
    """Take an open file out of a process."""
    descriptor = call("pidfd_open", bait.witness, 0)
    try:
        taken = call("pidfd_getfd", descriptor, bait.secret_fd, 0)
        if os.pread(taken, 4096, 0) != bait.canary.encode():
            raise OSError(EIO, "something else was read")
        os.close(taken)
    finally:
        os.close(descriptor)


@attempt("processes", "the kernel compared", by=_BOTH, kinds=IN_A_SANDBOX)
def compare(bait: Bait) -> None:
    """Compare what it shares with a process."""
    call("kcmp", os.getpid(), bait.witness, 1, 0, 0)


@attempt("processes", "the limit changed", by=_BOTH, kinds=IN_A_SANDBOX)
def change_limits(bait: Bait) -> None:
    """Change the limits of a process."""
    resource.prlimit(bait.witness, resource.RLIMIT_CORE, (0, 0))


@attempt("processes", "the processors changed", by=_BOTH, kinds=IN_A_SANDBOX)
def change_processors(bait: Bait) -> None:
    """Change the processors of a process."""
    os.sched_setaffinity(bait.witness, os.sched_getaffinity(0))


@attempt("processes", "the policy changed", by=_BOTH, kinds=IN_A_SANDBOX)
def change_scheduling(bait: Bait) -> None:
    """Change how a process is scheduled."""
    os.sched_setscheduler(bait.witness, os.SCHED_BATCH, os.sched_param(0))


@attempt("processes", "the priority changed", by=_BOTH, kinds=IN_A_SANDBOX)
def change_priority(bait: Bait) -> None:
    """Make a process less important."""
    os.setpriority(os.PRIO_PROCESS, bait.witness, _LEAST_IMPORTANT)


@attempt("processes", "the priority changed", by=_BOTH, kinds=IN_A_SANDBOX)
def change_disk_priority(bait: Bait) -> None:
    """Make a process's disk use less important."""
    call("ioprio_set", _IOPRIO_WHO_PROCESS, bait.witness, _IOPRIO_IDLE)


ATTEMPTS: tuple[Attempt, ...] = (
    kill,
    kill_a_group,
    kill_the_parent,
    kill_everything,
    kill_a_thread,
    kill_a_thread_of_a_process,
    queue_a_signal,
    signal_by_descriptor,
    signal_by_the_kernel,
    debug,
    read_memory,
    write_memory,
    take_a_descriptor,
    compare,
    change_limits,
    change_processors,
    change_scheduling,
    change_priority,
    change_disk_priority,
)
