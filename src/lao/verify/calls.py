# SPDX-License-Identifier: Apache-2.0
"""System calls by number, past whatever the C library or Python would do."""

import ctypes
import os
import platform
from errno import EACCES, ENOSYS, EPERM

from lao.isolation.syscalls import NUMBERS
from lao.verify.attempt import CannotTry

_COLUMN = {"x86_64": 0, "aarch64": 1}
_REFUSALS = (EPERM, EACCES, ENOSYS)

Argument = int | bytes | ctypes.Array[ctypes.c_char] | None


def number_of(name: str) -> int:
    """Return the number of a system call on this machine."""
    column = _COLUMN.get(platform.machine())
    numbers = NUMBERS.get(name, (None, None))
    number = None if column is None else numbers[column]
    if number is None:
        raise CannotTry(f"this machine has no system call {name}")
    return number


def call(name: str, *arguments: Argument) -> int:
    """Make a system call; OSError as the kernel answers it."""
    return call_number(number_of(name), *arguments)


def call_number(number: int, *arguments: Argument) -> int:
    """Make the system call with this number; OSError as the kernel answers it."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    passed = [
        ctypes.c_long(each) if isinstance(each, int) else each for each in arguments
    ]
    result: int = libc.syscall(ctypes.c_long(number), *passed)
    if result == -1:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def reach(name: str, *arguments: Argument) -> None:
    """Make a call that cannot do anything, and see whether the kernel considers it.

    Its arguments are senseless: a call that is let through is answered with EFAULT,
    EINVAL, EBADF and the like; one that is refused, before they are looked at.
    """
    reach_number(number_of(name), *arguments)


def reach_number(number: int, *arguments: Argument) -> None:
    """Do the same with a system call that has no name here."""
    try:
        call_number(number, *arguments)
    except OSError as error:
        if error.errno in _REFUSALS:
            raise
