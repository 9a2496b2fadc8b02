# SPDX-License-Identifier: Apache-2.0
"""Writes src/lao/isolation/syscalls.py from the kernel headers of this machine.

    python scripts/make_syscalls.py

For whoever raises NEWEST_REVIEWED in lao/isolation/seccomp.py: needs gcc and the
headers that describe the newer calls. The numbers are never typed by hand.
"""

import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

TARGET = Path(__file__).parents[1] / "src" / "lao" / "isolation" / "syscalls.py"
X86_64 = Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h")
AARCH64 = Path("/usr/include/asm-generic/unistd.h")  # what arm64 builds its own from
AARCH64_CHOICES = (
    "__BITS_PER_LONG=64",
    "__ARCH_WANT_RENAMEAT",
    "__ARCH_WANT_NEW_STAT",
    "__ARCH_WANT_SET_GET_RLIMIT",
    "__ARCH_WANT_TIME32_SYSCALLS",
    "__ARCH_WANT_SYS_CLONE3",
    "__ARCH_WANT_MEMFD_SECRET",
)
WIDTH = 88
DEFINITION = re.compile(r"#define (__NR(?:3264)?_\w+) (\w+)")
NO_CALLS = {"arch_specific_syscall", "syscalls"}  # a range's start, and the count

HEAD = '''\
# SPDX-License-Identifier: Apache-2.0
"""The numbers of Linux's system calls. Written by scripts/make_syscalls.py."""

from __future__ import annotations

TYPE_CHECKING = False  # of our own: every worker would wait for `typing` to load
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final, Literal, TypeAlias

    Arch: TypeAlias = Literal["x86_64", "aarch64"]
else:
    Arch = str


def number(name: str, arch: Arch) -> int | None:
    """Return the number of a call; None if that architecture has no such call."""
    return NUMBERS[name][0 if arch == "x86_64" else 1]


# Two numbers each: of x86_64 and of aarch64.
# fmt: off
NUMBERS: Final[Mapping[str, tuple[int | None, int | None]]] = {
'''
TAIL = """\
}
# fmt: on
"""


def numbers(header: Path, choices: tuple[str, ...] = ()) -> Mapping[str, int]:
    """Return name and number of each call that a header defines."""
    defines = [f"-D{choice}" for choice in choices]
    command = ["gcc", "-E", "-dM", *defines, "-include", str(header), "-xc"]
    ended = subprocess.run(
        [*command, "/dev/null"], capture_output=True, text=True, check=True
    )
    macros = dict(DEFINITION.findall(ended.stdout))
    found = {
        macro.removeprefix("__NR_"): _value(text, macros)
        for macro, text in macros.items()
        if macro.startswith("__NR_")
    }
    return {name: found[name] for name in found.keys() - NO_CALLS}


def _value(text: str, macros: Mapping[str, str]) -> int:
    """Follow a macro that is defined as another one."""
    while not text.isdigit():
        text = macros[text]
    return int(text)


def lines(first: Mapping[str, int], second: Mapping[str, int]) -> Iterator[str]:
    """Yield the table, as many entries to a line as fit."""
    line = "   "
    for name in sorted(first.keys() | second.keys()):
        entry = f' "{name}": ({first.get(name)}, {second.get(name)}),'
        if len(line) + len(entry) > WIDTH:
            yield line
            line = "   "
        line += entry
    yield line


def main() -> None:
    """Write the file."""
    table = lines(numbers(X86_64), numbers(AARCH64, AARCH64_CHOICES))
    TARGET.write_text(HEAD + "".join(f"{line}\n" for line in table) + TAIL, "utf-8")


if __name__ == "__main__":
    main()
