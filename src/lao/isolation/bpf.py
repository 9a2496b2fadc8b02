# SPDX-License-Identifier: Apache-2.0
"""Writes seccomp filters: rules about system calls become a classic BPF program.

All is pure data and can be built, and simulated, for either architecture anywhere.
"""

import errno
import struct
from collections.abc import Mapping, Sequence
from typing import Final, assert_never

from msgspec import Struct

from lao.isolation.syscalls import Arch, number

ALLOW: Final = 0x7FFF0000  # the three answers: <linux/seccomp.h>
KILL: Final = 0x80000000  # the whole process, with SIGSYS
ERRNO: Final = 0x00050000  # the call fails; its low 16 bits are the error number

# The instructions that are used, from <linux/bpf_common.h>. "Load" reads 4 bytes of
# `struct seccomp_data`; the jumps skip `jt` or `jf` instructions.
LOAD: Final = 0x20
AND: Final = 0x54
JUMP_EQUAL: Final = 0x15
JUMP_GREATER: Final = 0x25
JUMP_GREATER_OR_EQUAL: Final = 0x35
RETURN: Final = 0x06

NUMBER_AT: Final = 0
ARCH_AT: Final = 4
ARGUMENTS_AT: Final = 16
INSTRUCTION: Final = struct.Struct("<HBBI")  # code, jt, jf, k

AUDIT_ARCH: Final[Mapping[Arch, int]] = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
X32_BIT: Final = 0x40000000  # a second table of calls of x86_64, with 32-bit pointers
WHOLE: Final = 0xFFFFFFFF

OWN_PID: Final = -1
"""Among the values of a test: the id of the process, which is known only at the end."""
_NOBODY: Final = 0x7FFFFFFF  # no process has it; what stands there until then


class Filter(Struct, frozen=True, kw_only=True):
    """A program for the kernel, and the byte offsets where its own pid belongs."""

    code: bytes
    own_pid_at: tuple[int, ...] = ()


class Test(Struct, frozen=True):
    """Whether `argument & mask` is one of `values`.

    It sees the low 32 bits alone, as the kernel does for each argument that is tested
    here (an int, or flags in the low half): high bits change nothing for either.
    """

    argument: int
    values: tuple[int, ...]
    mask: int = WHOLE


class Refuse(Struct, frozen=True):
    """The call fails."""

    error: int = errno.EPERM


class AllowOnly(Struct, frozen=True):
    """The call passes if every test holds; otherwise it fails with EPERM."""

    tests: tuple[Test, ...]


class RefuseWhere(Struct, frozen=True):
    """The call fails with EPERM if the test holds; otherwise it passes."""

    test: Test


Rule = Refuse | AllowOnly | RefuseWhere
Rules = Mapping[str, Rule]


def assemble(rules: Rules, *, arch: Arch, newest: int) -> Filter:
    """Return the filter that applies `rules` and lets other known calls pass.

    Another architecture's calls kill the process. A call above `newest` does not
    exist (ENOSYS): nobody has looked at it yet.
    """
    program = _Program()
    program.load(ARCH_AT)
    program.add(JUMP_EQUAL, AUDIT_ARCH[arch], jt=1)
    program.add(RETURN, KILL)
    program.load(NUMBER_AT)
    if arch == "x86_64":
        program.add(JUMP_GREATER_OR_EQUAL, X32_BIT, jf=1)
        program.add(RETURN, KILL)
    program.add(JUMP_GREATER, newest, jf=1)
    program.refuse(errno.ENOSYS)
    for name, rule in rules.items():
        call = number(name, arch)
        if call is not None:
            program.apply(call, rule)
    program.add(RETURN, ALLOW)
    return Filter(code=bytes(program.code), own_pid_at=tuple(program.own_pid_at))


class _Program:
    """Instructions under way."""

    def __init__(self) -> None:
        self.code = bytearray()
        self.own_pid_at: list[int] = []

    def add(self, code: int, k: int, *, jt: int = 0, jf: int = 0) -> None:
        if k == OWN_PID:
            self.own_pid_at.append(len(self.code) + 4)
            k = _NOBODY
        self.code += INSTRUCTION.pack(code, jt, jf, k)

    def load(self, offset: int) -> None:
        self.add(LOAD, offset)

    def refuse(self, error: int) -> None:
        self.add(RETURN, ERRNO | error)

    def apply(self, call: int, rule: Rule) -> None:
        """Apply a rule to one call; a body always ends in an answer."""
        self.add(JUMP_EQUAL, call)
        jump = len(self.code) - INSTRUCTION.size
        match rule:
            case Refuse(error=error):
                self.refuse(error)
            case AllowOnly(tests=tests):
                for test in tests:
                    self._skip_one_if(test)
                    self.refuse(errno.EPERM)
                self.add(RETURN, ALLOW)
            case RefuseWhere(test=test):
                self._skip_one_if(test)
                self.add(RETURN, ALLOW)
                self.refuse(errno.EPERM)
            case _:
                assert_never(rule)
        body = (len(self.code) - jump) // INSTRUCTION.size - 1
        INSTRUCTION.pack_into(self.code, jump, JUMP_EQUAL, 0, body, call)

    def _skip_one_if(self, test: Test) -> None:
        """Skip the next instruction if the test holds."""
        self.load(ARGUMENTS_AT + 8 * test.argument)  # little endian: the low half
        if test.mask != WHOLE:
            self.add(AND, test.mask)
        for left, value in zip(
            range(len(test.values), 0, -1), test.values, strict=True
        ):
            self.add(JUMP_EQUAL, value, jt=left)


def simulate(
    filtered: Filter, call: int, arguments: Sequence[int] = (), *, arch: int
) -> int:
    """Return what the kernel answers to a call: ALLOW, KILL, or ERRNO with a number.

    `arch` is the AUDIT_ARCH number of the caller. It interprets as the kernel does:
    32-bit arithmetic, forward jumps only.
    """
    padded = [value & 0xFFFF_FFFF_FFFF_FFFF for value in (*arguments, *[0] * 6)][:6]
    data = struct.pack("<IIQ6Q", call & WHOLE, arch, 0, *padded)
    program = list(INSTRUCTION.iter_unpack(filtered.code))
    accumulator, at = 0, 0
    while True:
        code, jt, jf, k = program[at]
        at += 1
        match code:
            case 0x20:  # LOAD
                accumulator = int.from_bytes(data[k : k + 4], "little")
            case 0x54:  # AND
                accumulator &= k
            case 0x15:  # JUMP_EQUAL
                at += jt if accumulator == k else jf
            case 0x25:  # JUMP_GREATER
                at += jt if accumulator > k else jf
            case 0x35:  # JUMP_GREATER_OR_EQUAL
                at += jt if accumulator >= k else jf
            case 0x06:  # RETURN
                return int(k)
            case _:
                raise ValueError(f"no instruction of ours: {code:#x}")
