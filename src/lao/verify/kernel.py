# SPDX-License-Identifier: Apache-2.0
"""Attempts at interfaces of the kernel that lead around a lock, or widen the target."""

import ctypes
import mmap
import os
import platform
from collections.abc import Sequence
from pathlib import Path

from lao.verify.attempt import (
    EVERYWHERE,
    IN_A_SANDBOX,
    Attempt,
    Bait,
    CannotTry,
    Kind,
    attempt,
)
from lao.verify.calls import Argument, call, call_number, number_of, reach, reach_number

_CONSIDERED = "the kernel considered the call"
_KILLED_OR_NOT = "the call came back with an answer"
_X32 = 0x40000000
_NEWER_CHMOD = 452  # fchmodat2, of Linux 6.6
_NEWER_QUESTION = 459  # lsm_get_self_attr, of Linux 6.8
_NEWER_XATTR = 463  # setxattrat, of Linux 6.13
_AT_FDCWD = -100
_IPC_PRIVATE = 0
_IPC_CREAT = 0o1000
_IPC_RMID = 0
_THREAD_KEYRING = -1
_CLONE_NEWNS = 0x00020000
_CLONE_FS = 0x00000200  # contradicts a new mount namespace: nothing is made
_CLONE_NEWUSER = 0x10000000
_LOG_SIZE = 10
_TOO_MANY_SEGMENTS = 1 << 20


def _considered(
    name: str, what: str, *arguments: Argument, kinds: Sequence[Kind] = EVERYWHERE
) -> Attempt:
    """Return the attempt to have the kernel look at a call that cannot do anything."""

    def act(_bait: Bait) -> None:
        reach(name, *arguments)

    return Attempt(
        name=name.replace("_", "-"),
        area="kernel",
        phrase=what,
        success=_CONSIDERED,
        stopped_by=("seccomp",),
        kinds=tuple(kinds),
        act=act,
    )


_NOTHING = -1
_INTERFACES = (
    _considered("io_uring_setup", "Ask for a ring of calls (io_uring)", 0, 0),
    _considered("io_uring_enter", "Submit to a ring of calls", _NOTHING, 1, 0, 0, 0, 0),
    _considered("bpf", "Load a program into the kernel (BPF)", 9999, 0, 0),
    _considered("perf_event_open", "Count events of processes", 0, 0, _NOTHING, 0, 0),
    _considered("userfaultfd", "Handle page faults", 1 << 20),
    _considered("kexec_load", "Load another kernel", 0, _TOO_MANY_SEGMENTS, 0, 0),
    _considered("init_module", "Load a kernel module", 0, 0, 0),
    _considered("mount", "Mount a file system", 0, 0, 0, 0, 0),
    _considered("open_tree", "Take a mount", _NOTHING, 0, 0),
    _considered("fsopen", "Prepare a file system", 0, 0),
    _considered("pivot_root", "Change the root of all files", 0, 0),
    _considered("chroot", "Change its own root folder", 0),
    _considered("setns", "Enter a namespace", _NOTHING, 0),
    _considered("clone3", "Make a process with flags out of sight", 0, 0),
    _considered("quotactl", "Change quotas", _NOTHING, 0, 0, 0),
    _considered("swapon", "Add a swap file", 0, 0),
    _considered("clock_settime", "Set the clock", 0, 0),
    _considered("move_pages", "Move a process's memory", 0, 0, 0, 0, 0, 0),
    _considered("fanotify_init", "Watch all files (fanotify)", 1 << 30, 0),
    _considered("open_by_handle_at", "Open a file by handle", _AT_FDCWD, 0, 0),
    _considered("request_key", "Ask for a key", 0, 0, 0, 0, kinds=IN_A_SANDBOX),
    _considered("mq_open", "Open a message queue", 0, 0, 0, 0, kinds=IN_A_SANDBOX),
    _considered("semget", "Share semaphores", 0, _NOTHING, 0, kinds=IN_A_SANDBOX),
)


@attempt("kernel", "a namespace was made", by=("seccomp",), kinds=EVERYWHERE)
def new_namespaces(_bait: Bait) -> None:
    """Enter namespaces of its own."""
    reach("unshare", _CLONE_NEWUSER)


@attempt("kernel", _CONSIDERED, by=("seccomp",), kinds=EVERYWHERE)
def child_in_a_namespace(_bait: Bait) -> None:
    """Make a process in a new namespace."""
    reach("clone", _CLONE_NEWNS | _CLONE_FS, 0, 0, 0, 0)


@attempt("kernel", "the key was kept", by=("seccomp",), kinds=IN_A_SANDBOX)
def keep_a_key(bait: Bait) -> None:
    """Keep data in the kernel's keyring."""
    secret = bait.canary.encode()
    call("add_key", b"user", b"lao-verify", secret, len(secret), _THREAD_KEYRING)


@attempt("kernel", "the memory was made", by=("seccomp",), kinds=IN_A_SANDBOX)
def shared_memory(_bait: Bait) -> None:
    """Make memory that others see (System V)."""
    made = call("shmget", _IPC_PRIVATE, 4096, _IPC_CREAT | 0o600)
    call("shmctl", made, _IPC_RMID, 0)


@attempt("kernel", "the queue was made", by=("seccomp",), kinds=IN_A_SANDBOX)
def message_queue(_bait: Bait) -> None:
    """Make a queue that others read (System V)."""
    made = call("msgget", _IPC_PRIVATE, _IPC_CREAT | 0o600)
    call("msgctl", made, _IPC_RMID, 0)


@attempt("kernel", "the file holds data", by=("seccomp",), kinds=IN_A_SANDBOX)
def file_in_memory(_bait: Bait) -> None:
    """Make a file outside every folder (memfd)."""
    descriptor = call("memfd_create", b"lao-verify", 0)
    try:
        os.write(descriptor, b"x" * 4096)
    finally:
        os.close(descriptor)


@attempt("kernel", "the size was told", by=("seccomp",), kinds=EVERYWHERE)
def kernel_log(_bait: Bait) -> None:
    """Ask about the kernel's log."""
    call("syslog", _LOG_SIZE, 0, 0)


@attempt("kernel", "a byte was read", by=("landlock", "namespaces"), kinds=IN_A_SANDBOX)
def memory_of_the_machine(_bait: Bait) -> None:
    """Read the machine's memory or its kernel's."""
    for path in ("/dev/mem", "/proc/kcore"):
        if Path(path).exists():
            with Path(path).open("rb") as file:
                file.read(1)
            return
    raise CannotTry("this machine shows neither /dev/mem nor /proc/kcore")


@attempt("kernel", "it opened for writing", by=("landlock",), kinds=IN_A_SANDBOX)
def kernel_setting(_bait: Bait) -> None:
    """Change a setting of the kernel."""
    os.close(os.open("/proc/sys/kernel/core_pattern", os.O_WRONLY))


@attempt("kernel", _KILLED_OR_NOT, by=("seccomp",), kinds=EVERYWHERE)
def x32_calls(_bait: Bait) -> None:
    """Make an x32 call."""
    if platform.machine() != "x86_64":
        raise CannotTry("only x86-64 has it")
    call_number(_X32 | number_of("getpid"))


@attempt("kernel", _KILLED_OR_NOT, by=("seccomp",), kinds=EVERYWHERE)
def i386_calls(_bait: Bait) -> None:
    """Make a 32-bit call (int 0x80)."""
    if platform.machine() != "x86_64":
        raise CannotTry("only x86-64 has it")
    getpid = b"\xb8\x14\x00\x00\x00\xcd\x80\xc3"  # mov eax, 20; int 0x80; ret
    page = mmap.mmap(
        -1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC
    )
    page.write(getpid)
    view = (ctypes.c_char * len(getpid)).from_buffer(page)
    answer = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(view))()
    if answer != os.getpid():
        raise OSError("the call was not answered")


@attempt("kernel", "the mode changed", by=("seccomp",), kinds=IN_A_SANDBOX)
def newer_call_for_modes(bait: Bait) -> None:
    """Change a file's mode by a newer call."""
    call_number(_NEWER_CHMOD, _AT_FDCWD, bait.file.encode(), 0o604, 0)


@attempt("kernel", "the attribute is set", by=("seccomp",), kinds=IN_A_SANDBOX)
def newer_call_for_attributes(bait: Bait) -> None:
    """Set a file's attribute by a newer call."""
    value = ctypes.create_string_buffer(b"x")
    size = ctypes.sizeof(value)
    described = ctypes.addressof(value).to_bytes(8, "little") + size.to_bytes(
        8, "little"
    )
    path = bait.file.encode()
    call_number(_NEWER_XATTR, _AT_FDCWD, path, 0, b"user.lao", described, 16)


@attempt("kernel", _CONSIDERED, by=("seccomp",), kinds=EVERYWHERE)
def newer_call_that_asks(_bait: Bait) -> None:
    """Make a call newer than the locks."""
    size = ctypes.create_string_buffer(b"\0\0\0\0", 4)
    reach_number(_NEWER_QUESTION, 100, 0, size, 0)


ATTEMPTS: tuple[Attempt, ...] = (
    *_INTERFACES,
    new_namespaces,
    child_in_a_namespace,
    keep_a_key,
    shared_memory,
    message_queue,
    file_in_memory,
    kernel_log,
    memory_of_the_machine,
    kernel_setting,
    x32_calls,
    i386_calls,
    newer_call_for_modes,
    newer_call_for_attributes,
    newer_call_that_asks,
)
