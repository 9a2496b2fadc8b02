# SPDX-License-Identifier: Apache-2.0
"""What this machine can enforce, asked of the kernel, and what that amounts to."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Final, assert_never

from msgspec import Struct
from msgspec.structs import replace

from lao.isolation import kernel
from lao.isolation.syscalls import Arch
from lao.policy import Level

NAMES: Final[Mapping[Level, str]] = {
    "L3": "sealed",
    "L2": "standard",
    "L1": "reduced",
    "L0": "none",
}
_SEALED_ABI: Final = 6  # with signals and abstract sockets
_STANDARD_ABI: Final = 4  # with TCP ports
_EVERYWHERE: Final = ("pdeathsig", "no_new_privs", "undumpable", "no_capabilities")
_BWRAP_FOLDERS: Final = ("/usr/bin", "/bin", "/usr/local/bin")
_TRIAL: Final = (
    *("--unshare-all", "--die-with-parent", "--cap-drop", "ALL"),
    *("--ro-bind", "/", "/", "--proc", "/proc"),
)
_TRIAL_SECONDS: Final = 5.0


class Machine(Struct, frozen=True, kw_only=True):
    """What there is to lock a process with.

    `arch` is None where no filter exists for it. `bwrap` is the path of a bubblewrap
    that was run and worked.
    """

    arch: Arch | None
    landlock_abi: int
    seccomp: bool
    bwrap: str | None

    @property
    def level(self) -> Level:
        """The level that a worker on this machine has to reach."""
        found = {"landlock": self.landlock_abi, "seccomp": self.seccomp}
        return level_of({**found, "namespaces": self.bwrap is not None})


@cache
def probe() -> Machine:
    """Ask the kernel what it has, and run bubblewrap once. Asked once per process."""
    return _machine(try_bwrap=True)


@cache
def look() -> Machine:
    """Ask the kernel alone: for a process that starts no worker."""
    return _machine(try_bwrap=False)


def foresee() -> Machine:
    """Ask the kernel alone, and take the bubblewrap that is there for one that works.

    For who has it tried elsewhere: under the lock that it will be started from.
    """
    return replace(look(), bwrap=next(_bwraps(), None))


def level_of(layers: Mapping[str, object]) -> Level:
    """Return the level that proved layers make: those of a self-check, or foreseen."""
    landlock = layers.get("landlock")
    abi = landlock if isinstance(landlock, int) else 0
    if layers.get("seccomp") is not True:
        return "L0"
    if abi >= _SEALED_ABI and layers.get("namespaces") is True:
        return "L3"
    return "L2" if abi >= _STANDARD_ABI else "L1"


def required_layers(level: Level) -> tuple[str, ...]:
    """Return the layers without which a worker of that level must not run."""
    match level:
        case "L3":
            return (*_EVERYWHERE, "landlock", "seccomp", "namespaces")
        case "L2":
            return (*_EVERYWHERE, "landlock", "seccomp")
        case "L1":
            return (*_EVERYWHERE, "seccomp")
        case "L0":
            return _EVERYWHERE if sys.platform == "linux" else ()
    assert_never(level)


def _machine(*, try_bwrap: bool) -> Machine:
    return Machine(
        arch=kernel.architecture(),
        landlock_abi=kernel.landlock_abi(),
        seccomp=kernel.has_seccomp(),
        bwrap=_working_bwrap() if try_bwrap else None,
    )


def _working_bwrap() -> str | None:
    """Return a bubblewrap that makes every namespace here and now."""
    return next(filter(makes_namespaces, _bwraps()), None)


def _bwraps() -> Iterator[str]:
    for folder in _BWRAP_FOLDERS if kernel.ON_LINUX else ():
        path = f"{folder}/bwrap"
        if Path(path).is_file():
            yield path


def makes_namespaces(bwrap: str) -> bool:
    """Run it inside of itself: no other program is surely there."""
    try:
        ended = subprocess.run(  # noqa: S603  (a fixed path of the system)
            [bwrap, *_TRIAL, bwrap, "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env={},
            timeout=_TRIAL_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return ended.returncode == 0
