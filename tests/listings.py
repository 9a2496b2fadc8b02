# SPDX-License-Identifier: Apache-2.0
"""Filters and rulesets as text that a reviewer can read: what tests/golden/ holds.

python -m tests.listings     writes the files anew; look at the difference
"""

import errno
from collections.abc import Iterator
from pathlib import Path
from struct import unpack

from lao.isolation import bpf
from lao.isolation.bpf import Filter
from lao.isolation.landlock import (
    NEWEST_ABI,
    Access,
    Right,
    Ruleset,
    network_ruleset,
    worker_ruleset,
)
from lao.isolation.seccomp import (
    broker_filter,
    orchestrator_filter,
    spawner_filter,
    worker_filter,
)
from lao.isolation.syscalls import NUMBERS, number

GOLDEN = Path(__file__).with_name("golden")
ARCHITECTURES = ("x86_64", "aarch64")
PROFILES = ("default", "serves-unix", "program")
KINDS = {
    **{
        f"worker-{profile}": lambda arch, profile=profile: worker_filter(
            profile, arch=arch
        )
        for profile in PROFILES
    },
    "worker-gpu": lambda arch: worker_filter("default", arch=arch, gpu=True),
    "orchestrator": lambda arch: orchestrator_filter(arch=arch),
    "broker": lambda arch: broker_filter(arch=arch, unix=False),
    "broker-unix": lambda arch: broker_filter(arch=arch, unix=True),
    "spawner": lambda arch: spawner_filter(arch=arch),
}
ACCESS = Access(
    readable=("/usr/lib", "/models/tiny.gguf"),
    writable=("/scratch",),
    executable=("/usr/bin/ffmpeg",),
    devices=("/dev/nvidia0",),
)
RULESETS = {
    **{
        f"worker-{profile}": lambda abi, profile=profile: worker_ruleset(
            ACCESS, abi=abi, profile=profile
        )
        for profile in PROFILES
    },
    "network": lambda abi: network_ruleset(abi=abi),
    "network-ports-only": lambda abi: network_ruleset(
        abi=abi, connect_ports=(11434,), bind_ports=(0,), no_files=True
    ),
}


def listing(filtered: Filter, arch: str) -> Iterator[str]:
    """Yield the lines of a filter; what a call alone sees is indented."""
    program = list(bpf.INSTRUCTION.iter_unpack(filtered.code))
    own = {(offset - 4) // bpf.INSTRUCTION.size for offset in filtered.own_pid_at}
    names = {number(name, arch): name for name in NUMBERS}
    lines = iter(enumerate(program))
    body_ends = 0
    for at, (code, jt, jf, k) in lines:
        if code == bpf.JUMP_EQUAL and k in names and jt == 0 and at >= body_ends:
            body_ends = at + 1 + jf
            if jf == 1:
                yield f"{names[k]} ({k}): {_answer(next(lines)[1][3])}"
            else:
                yield f"{names[k]} ({k}):"
        else:
            value = "own pid" if at in own else f"{k:#x}"
            indent = "    " if at < body_ends else ""
            yield indent + _instruction(code, jt, jf, k, value)


def _instruction(code: int, jt: int, jf: int, k: int, value: str) -> str:
    match code:
        case bpf.LOAD if k >= bpf.ARGUMENTS_AT:
            return f"load argument {(k - bpf.ARGUMENTS_AT) // 8}"
        case bpf.LOAD:
            return {bpf.NUMBER_AT: "load number", bpf.ARCH_AT: "load arch"}[k]
        case bpf.AND:
            return f"and {value}"
        case bpf.RETURN:
            return _answer(k)
    sign = {
        bpf.JUMP_EQUAL: "==",
        bpf.JUMP_GREATER: ">",
        bpf.JUMP_GREATER_OR_EQUAL: ">=",
    }[code]
    return f"{sign} {value}: skip {jt}, else {jf}"


def _answer(k: int) -> str:
    if k in {bpf.ALLOW, bpf.KILL}:
        return "allow" if k == bpf.ALLOW else "kill"
    assert k & 0xFFFF0000 == bpf.ERRNO
    return errno.errorcode[k & 0xFFFF]


def ruleset_listing(ruleset: Ruleset) -> Iterator[str]:
    """Yield the lines of a ruleset."""
    if not ruleset.abi:
        yield "nothing"
        return
    padded = ruleset.attributes.ljust(24, b"\0")
    files, network, scope = unpack("<QQQ", padded)
    yield f"{len(ruleset.attributes)} bytes, ABI {ruleset.abi}"
    yield f"files: {_rights(files)}"
    yield f"network: {_bits(network, ('bind', 'connect'))}"
    yield f"scope: {_bits(scope, ('abstract unix sockets', 'signals'))}"
    for path, as_folder, as_file in ruleset.paths:
        yield f"{path}: {_rights(as_folder)}"
        yield f"{path}, if it is a file: {_rights(as_file)}"
    for right, port in ruleset.ports:
        yield f"port {port}: {_bits(right, ('bind', 'connect'))}"


def _rights(value: int) -> str:
    return " ".join(right.name for right in Right if right & value) or "none"


def _bits(value: int, names: tuple[str, ...]) -> str:
    assert value < 1 << len(names)
    found = [name for bit, name in enumerate(names) if value >> bit & 1]
    return ", ".join(found) or "none"


def golden_files() -> dict[str, str]:
    """Return every file by its name, as it should be."""
    found = {}
    for kind, build in KINDS.items():
        for arch in ARCHITECTURES:
            lines = listing(build(arch), arch)
            found[f"seccomp-{kind}-{arch}.txt"] = "\n".join(lines) + "\n"
    for kind, build in RULESETS.items():
        parts = [
            "\n".join((f"== kernel with ABI {abi}", *ruleset_listing(build(abi))))
            for abi in range(NEWEST_ABI + 2)
        ]
        found[f"landlock-{kind}.txt"] = "\n\n".join(parts) + "\n"
    return found


def main() -> None:
    """Write the files."""
    GOLDEN.mkdir(exist_ok=True)
    for name, text in golden_files().items():
        (GOLDEN / name).write_text(text, "utf-8")


if __name__ == "__main__":
    main()
