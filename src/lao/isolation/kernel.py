# SPDX-License-Identifier: Apache-2.0
"""The raw calls that lock this process, and those that prove it: Linux, by ctypes.

A call that fails raises OSError with the call's name. Only light modules of the standard
library are imported: every worker starts with this file.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from functools import cache

from lao.isolation.syscalls import number

TYPE_CHECKING = False  # of our own: every worker would wait for `typing` to load
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Final

    from lao.isolation.bpf import Filter
    from lao.isolation.landlock import Ruleset
    from lao.isolation.seccomp import Check
    from lao.isolation.syscalls import Arch

CAP_SETFCAP: Final = 31
ON_LINUX: Final[bool] = sys.platform == "linux"

_SIGKILL: Final = 9
_PR_SET_PDEATHSIG: Final = 1
_PR_GET_PDEATHSIG: Final = 2
_PR_GET_DUMPABLE: Final = 3
_PR_SET_DUMPABLE: Final = 4
_PR_GET_SECCOMP: Final = 21
_PR_CAPBSET_DROP: Final = 24
_PR_SET_NO_NEW_PRIVS: Final = 38
_PR_GET_NO_NEW_PRIVS: Final = 39
_PR_CAP_AMBIENT: Final = 47
_PR_CAP_AMBIENT_CLEAR_ALL: Final = 4
_CAPABILITIES: Final = 64  # room for those to come
_CAPABILITY_HEADER: Final = (0x20080522).to_bytes(4, sys.byteorder) + bytes(4)
_NO_CAPABILITIES: Final = bytes(24)

_SECCOMP_SET_MODE_FILTER: Final = 1
_SECCOMP_GET_ACTION_AVAIL: Final = 2
_SECCOMP_FILTER_FLAG_TSYNC: Final = 1
_SECCOMP_MODE_FILTER: Final = 2
_INSTRUCTION_BYTES: Final = 8

_LANDLOCK_CREATE_RULESET_VERSION: Final = 1
_LANDLOCK_RULE_PATH_BENEATH: Final = 1
_LANDLOCK_RULE_NET_PORT: Final = 2
_FOLDER: Final = 0o040000
_FILE_KIND: Final = 0o170000
_NAMESPACES: Final = ("ipc", "mnt", "net", "pid", "user", "uts")


def architecture() -> Arch | None:
    """Return the architecture of this process; None if there are no filters for it."""
    if not ON_LINUX or sys.maxsize < 1 << 32:
        return None  # a 32-bit process makes calls of another table
    match os.uname().machine:
        case "x86_64" | "aarch64" as found:
            return found
        case _:
            return None


def outcome(call: int, *arguments: int) -> int:
    """Make a system call; return its error number, 0 if it succeeded."""
    result, error = _invoke(call, *arguments)
    return error if result < 0 else 0


def prctl(operation: int, *arguments: int) -> int:
    """Call prctl; return its result."""
    padded = (*arguments, 0, 0, 0, 0)[:4]
    result: int = _libc().prctl(operation, *(ctypes.c_ulong(value) for value in padded))
    return _checked(result, "prctl")


def die_with_parent() -> None:
    """Ask for SIGKILL when the thread that started this process ends."""
    prctl(_PR_SET_PDEATHSIG, _SIGKILL)


def gain_no_privileges() -> None:
    """Let no set-user-ID program help from here on."""
    prctl(_PR_SET_NO_NEW_PRIVS, 1)


def become_undumpable() -> None:
    """Let nobody of the same user attach, or read this process's memory and files."""
    prctl(_PR_SET_DUMPABLE, 0)


def drop_capabilities(*, keep: Iterable[int] = ()) -> None:
    """Leave root nothing but its name; other users have none to lose.

    `keep` is for who starts bubblewrap as root: without CAP_SETFCAP the kernel lets no
    new user namespace hold the user 0.
    """
    kept = sum(1 << capability for capability in keep)
    if os.geteuid() == 0:
        for capability in range(_CAPABILITIES):
            if not kept >> capability & 1 and not _drop_from_bounds(capability):
                break
    elif has_no_capabilities():
        return
    prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL)
    low, high = kept & 0xFFFF_FFFF, kept >> 32
    sets = struct.pack("<6I", low, low, 0, high, high, 0)
    _checked(_libc().capset(_CAPABILITY_HEADER, sets), "capset")


def landlock_abi() -> int:
    """Return the version of Landlock in this kernel; 0 if there is none."""
    if architecture() is None:
        return 0
    version, _ = _invoke(
        _number("landlock_create_ruleset"), 0, 0, _LANDLOCK_CREATE_RULESET_VERSION
    )
    return max(version, 0)


def has_seccomp() -> bool:
    """Whether this kernel takes filters, as far as it tells."""
    if architecture() is None:
        return False
    answer = ctypes.c_uint32(0x00050000)  # SECCOMP_RET_ERRNO
    asked = (_SECCOMP_GET_ACTION_AVAIL, 0, ctypes.addressof(answer))
    return outcome(_number("seccomp"), *asked) == 0


def restrict(ruleset: Ruleset) -> None:
    """Put a ruleset of Landlock into force; a path that cannot be named is left out.

    It needs `no_new_privs`, and is inherited by every process and thread to come.
    """
    if not any(ruleset.attributes):
        return
    attributes = ctypes.create_string_buffer(ruleset.attributes)
    made = _call(
        "landlock_create_ruleset",
        ctypes.addressof(attributes),
        len(ruleset.attributes),
        0,
    )
    try:
        for path, as_folder, as_file in ruleset.paths:
            _allow_path(made, path, as_folder, as_file)
        for right, port in ruleset.ports:
            rule = right.to_bytes(8, "little") + port.to_bytes(8, "little")
            _add_rule(made, _LANDLOCK_RULE_NET_PORT, rule)
        _call("landlock_restrict_self", made, 0)
    finally:
        os.close(made)


def install(filtered: Filter) -> None:
    """Put a seccomp filter into force, on every thread; it needs `no_new_privs`."""
    code = bytearray(filtered.code)
    for offset in filtered.own_pid_at:
        code[offset : offset + 4] = os.getpid().to_bytes(4, "little")
    program = ctypes.create_string_buffer(bytes(code))
    length = len(code) // _INSTRUCTION_BYTES
    head = length.to_bytes(8, "little")  # a short, then padding up to the pointer
    header = head + ctypes.addressof(program).to_bytes(8, "little")
    passed = ctypes.create_string_buffer(header)
    flags = _SECCOMP_FILTER_FLAG_TSYNC
    asked = (_SECCOMP_SET_MODE_FILTER, flags, ctypes.addressof(passed))
    if _call("seccomp", *asked) > 0:
        raise OSError("seccomp: a thread has filters of its own")


def has_no_capabilities() -> bool:
    """Whether the permitted, effective and inheritable sets are all empty."""
    sets = ctypes.create_string_buffer(b"\xff" * 24, 24)
    _checked(_libc().capget(_CAPABILITY_HEADER, sets), "capget")
    return sets.raw == _NO_CAPABILITIES


def dies_with_parent() -> bool:
    """Whether the death signal is SIGKILL."""
    found = ctypes.c_int(0)
    _libc().prctl(_PR_GET_PDEATHSIG, ctypes.byref(found))
    return found.value == _SIGKILL


def gains_no_privileges() -> bool:
    """Whether `no_new_privs` is set."""
    return prctl(_PR_GET_NO_NEW_PRIVS) == 1


def is_undumpable() -> bool:
    """Whether others of the same user are kept out."""
    return prctl(_PR_GET_DUMPABLE) == 0


def refuses(checks: Iterable[Check]) -> bool:
    """Whether a filter is in force, and each of these calls fails as it must."""
    if prctl(_PR_GET_SECCOMP) != _SECCOMP_MODE_FILTER:
        return False
    return all(outcome(call, *given) == error for call, given, error in checks)


def namespaces() -> Mapping[str, int]:
    """Return which namespaces this process is in; empty where /proc does not tell."""
    try:
        return {
            name: os.stat(f"/proc/self/ns/{name}").st_ino  # noqa: PTH116  (fast)
            for name in _NAMESPACES
        }
    except OSError:
        return {}


def _drop_from_bounds(capability: int) -> bool:
    try:
        prctl(_PR_CAPBSET_DROP, capability)
    except OSError:
        return False  # past the last one of this kernel, or not ours to drop
    return True


def _allow_path(made: int, path: str, as_folder: int, as_file: int) -> None:
    try:
        found = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # what has no name here cannot be reached either
    try:
        is_folder = os.fstat(found).st_mode & _FILE_KIND == _FOLDER
        rights = as_folder if is_folder else as_file
        rule = rights.to_bytes(8, "little") + found.to_bytes(4, "little")
        _add_rule(made, _LANDLOCK_RULE_PATH_BENEATH, rule)
    finally:
        os.close(found)


def _add_rule(made: int, kind: int, rule: bytes) -> None:
    passed = ctypes.create_string_buffer(rule, len(rule))
    _call("landlock_add_rule", made, kind, ctypes.addressof(passed), 0)


def _call(name: str, *arguments: int) -> int:
    result, error = _invoke(_number(name), *arguments)
    if result < 0:
        raise OSError(error, f"{name}: {os.strerror(error)}")
    return result


def _invoke(call: int, *arguments: int) -> tuple[int, int]:
    result: int = _libc().syscall(
        ctypes.c_long(call), *(ctypes.c_long(value) for value in arguments)
    )
    return result, ctypes.get_errno()


def _checked(result: int, name: str) -> int:
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{name}: {os.strerror(error)}")
    return result


@cache
def _libc() -> ctypes.CDLL:
    library = ctypes.CDLL(None, use_errno=True)
    library.syscall.restype = ctypes.c_long
    return library


def _number(name: str) -> int:
    arch = architecture()
    found = None if arch is None else number(name, arch)
    if found is None:
        raise OSError(f"{name}: not on this architecture")
    return found
