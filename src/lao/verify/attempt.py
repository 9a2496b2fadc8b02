# SPDX-License-Identifier: Apache-2.0
"""One attempt to get past the locks: what it is, what it does, and what came of it.

Everything that runs inside a locked process (this file, and the attempts by area)
needs only the standard library.
"""

import inspect
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from errno import errorcode
from typing import Any, Literal, get_args

Area = Literal[
    "network", "unix sockets", "kernel", "processes", "files", "parent", "resources"
]
Kind = Literal["worker", "server", "program", "orchestrator"]
Layer = Literal["seccomp", "landlock", "namespaces", "capabilities", "limits", "launch"]

AREAS: tuple[Area, ...] = get_args(Area)
WORKERS: tuple[Kind, ...] = ("worker", "server")
IN_A_SANDBOX: tuple[Kind, ...] = ("worker", "server", "program")
EVERYWHERE: tuple[Kind, ...] = get_args(Kind)


class CannotTry(Exception):
    """This machine lacks what the attempt needs; says what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bait:
    """What an attempt may get hold of: made for it, and harmless to lose.

    `folder` stands for the user's files; `witness` is an unlocked process of the same
    user that listens, holds secrets and can be hurt. The current folder is where the
    process may write. `parent` is who started it. `canary` is what the secrets say; `patience` is how many seconds
    it takes LAO, which looks at some limits itself, to see that one is passed.
    """

    attempt: str = ""
    canary: str
    folder: str
    home: str
    home_name: str
    root_name: str
    package_file: str
    sockets: str
    abstract: str
    tcp4: int
    tcp6: int
    udp4: int
    udp6: int
    udplite: int
    witness: int
    parent: int = 0
    secret_fd: int
    secret_address: int
    open_files: int
    file_size: int
    memory: int
    threads: int
    patience: float = 0.0
    held_sockets: tuple[int, ...] = ()

    @property
    def file(self) -> str:
        """The file of the user that is there for this attempt alone."""
        return f"{self.folder}/{self.attempt}"

    @property
    def token(self) -> bytes:
        """What to send, so that the witness knows which attempt reached it."""
        return f"lao-verify {self.attempt}\n".encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of an attempt.

    `errno` is the name of the error that refused it (`EPERM`), of the signal that
    killed its process (`SIGSYS`), or the code of the failure (`worker.out-of-memory`).
    `cannot` says why it could not be tried here.
    """

    succeeded: bool
    errno: str = ""
    detail: str = ""
    cannot: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One way past the locks.

    `phrase` says what is tried, `success` what must have happened for it to count.
    `stopped_by` are the layers that promise to stop it: each of them alone does.
    `kinds` are the kinds of process in which it makes sense. `landlock_since` is the
    version of Landlock's interface that first stops it.
    """

    name: str
    area: Area
    phrase: str
    success: str
    stopped_by: tuple[Layer, ...]
    kinds: tuple[Kind, ...]
    act: Callable[[Bait], None]
    landlock_since: int = 1


def attempt(
    area: Area, success: str, *, by: tuple[Layer, ...], kinds: tuple[Kind, ...]
) -> Callable[[Callable[[Bait], None]], Attempt]:
    """Make an attempt of a function: named after it, its docstring the phrase.

    The function returns if it got what it wanted; otherwise it raises OSError.
    """

    def make(act: Callable[[Bait], None]) -> Attempt:
        return Attempt(
            name=act.__name__.strip("_").replace("_", "-"),
            area=area,
            phrase=(inspect.getdoc(act) or "").partition("\n")[0].rstrip("."),
            success=success,
            stopped_by=by,
            kinds=kinds,
            act=act,
        )

    return make


def perform(attempted: Attempt, bait: Bait) -> Outcome:
    """Carry an attempt out in this process, and say what came of it."""
    try:
        attempted.act(replace(bait, attempt=attempted.name))
    except CannotTry as reason:
        return Outcome(succeeded=False, cannot=str(reason))
    except TimeoutError:
        return Outcome(succeeded=False, errno="ETIMEDOUT", detail="no answer")
    except OSError as error:
        name = errorcode.get(error.errno or 0, type(error).__name__)
        return Outcome(succeeded=False, errno=name, detail=error.strerror or str(error))
    return Outcome(succeeded=True, detail=attempted.success)


def bait_from_json(found: Mapping[str, object]) -> Bait:
    """Return the bait that `asdict` wrote, for the attempts of this process."""
    known: Any = {field.name: found[field.name] for field in fields(Bait)}
    return replace(Bait(**known), parent=os.getppid())
