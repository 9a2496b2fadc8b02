# SPDX-License-Identifier: Apache-2.0
"""What the starter of workers is asked for: plain data, strict JSON between processes.

An order chooses among few things: which module of LAO runs, which of the frozen
programs it becomes, what it may read. It holds no argument list and no environment.
"""

import json
import os
from collections.abc import Mapping, Sequence
from typing import Final, Literal, get_args

from msgspec import Struct, field
from msgspec.structs import asdict

from lao.isolation.seccomp import Profile
from lao.policy import WorkerLimits
from lao.workflow.json_text import read_json
from lao.workflow.values import JsonValue

Runs = Literal["lao.workers.child", "lao.workers.program_child"]

LONGEST: Final = 128 << 10  # bytes of one order; one message of a socket holds it
_LONGEST_PATH: Final = 4095
_MOST_PATHS: Final = 1000


class OrderError(ValueError):
    """It is no order; the text says why."""


class Order(Struct, frozen=True, kw_only=True):
    """One process to start.

    `scratch` and `inbox` are its two folders: it works in the one, and may only read
    the other. `readable` is what else it may read, `program` what it becomes.
    """

    run: Runs
    scratch: str
    inbox: str
    limits: WorkerLimits = field(default_factory=WorkerLimits)
    profile: Profile = "default"
    readable: tuple[str, ...] = ()
    program: str | None = None
    gpu: bool = False


def encode_order(order: Order, programs: Sequence[str]) -> bytes:
    """Return an order as JSON, in which its program is an index.

    Raises:
        OrderError: it is too long, or its program is none of `programs`.
    """
    found = {name: getattr(order, name) for name in order.__struct_fields__}
    found["limits"] = asdict(order.limits)
    if order.program is not None:
        if order.program not in programs:
            raise OrderError("its program is not one of those that may run")
        found["program"] = programs.index(order.program)
    data = json.dumps(found).encode()
    if len(data) > LONGEST:
        raise OrderError(f"it is longer than {LONGEST} bytes")
    return data


def decode_order(data: bytes, programs: Sequence[str]) -> Order:
    """Return the order that JSON writes, every part of it checked.

    Raises:
        OrderError: it is anything else.
    """
    if len(data) > LONGEST:
        raise OrderError(f"it is longer than {LONGEST} bytes")
    try:
        found = _object(read_json(data.decode()), Order)
    except ValueError as error:
        raise OrderError(str(error)) from error
    scratch, inbox = _folders(found["scratch"], found["inbox"])
    return Order(
        run=_run(found["run"]),
        scratch=scratch,
        inbox=inbox,
        limits=_limits(found["limits"]),
        profile=_profile(found["profile"]),
        readable=_paths(found["readable"]),
        program=_program(found["program"], programs),
        gpu=_boolean(found["gpu"]),
    )


def _object(value: JsonValue, kind: type[Struct]) -> Mapping[str, JsonValue]:
    names = set(kind.__struct_fields__)
    if not isinstance(value, dict) or value.keys() != names:
        raise OrderError(f"not exactly the fields of {kind.__name__}")
    return value


def _run(value: JsonValue) -> Runs:
    match value:
        case "lao.workers.child" | "lao.workers.program_child":
            return value
        case _:
            raise OrderError(f"'run' is none of {get_args(Runs)}")


def _profile(value: JsonValue) -> Profile:
    match value:
        case "default" | "serves-unix" | "program":
            return value
        case _:
            raise OrderError(f"'profile' is none of {get_args(Profile)}")


def _program(value: JsonValue, programs: Sequence[str]) -> str | None:
    if value is None:
        return None
    if type(value) is not int or not 0 <= value < len(programs):
        raise OrderError("its program is not one of those that may run")
    return programs[value]


def _paths(value: JsonValue) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > _MOST_PATHS:
        raise OrderError("'readable' is not a list of paths")
    return tuple(map(_path, value))


def _path(value: JsonValue) -> str:
    if (
        not isinstance(value, str)
        or not value.startswith("/")
        or "\0" in value
        or len(os.fsencode(value)) > _LONGEST_PATH
    ):
        raise OrderError("a path is not absolute")
    return value


def _folders(scratch: JsonValue, inbox: JsonValue) -> tuple[str, str]:
    """Return the two folders of one worker: nothing else is ever writable."""
    writable, readable = _path(scratch), _path(inbox)
    root = os.path.dirname(os.path.normpath(writable))  # noqa: PTH120
    if (writable, readable) != (f"{root}/scratch", f"{root}/inbox"):
        raise OrderError("its folders are not those of one worker")
    return writable, readable


def _boolean(value: JsonValue) -> bool:
    if not isinstance(value, bool):
        raise OrderError("'gpu' is not a boolean")
    return value


def _limits(value: JsonValue) -> WorkerLimits:
    found = _object(value, WorkerLimits)
    return WorkerLimits(
        memory=_count_or_none(found["memory"]),
        cpu_seconds=_count_or_none(found["cpu_seconds"]),
        file_size=_count(found["file_size"]),
        open_files=_count(found["open_files"]),
        threads=_count(found["threads"]),
        output=_count(found["output"]),
        start_seconds=_seconds(found["start_seconds"]),
        cancel_seconds=_seconds(found["cancel_seconds"]),
    )


def _count_or_none(value: JsonValue) -> int | None:
    return None if value is None else _count(value)


def _count(value: JsonValue) -> int:
    if type(value) is not int or not 0 < value < 1 << 63:
        raise OrderError("a limit is not a positive number")
    return value


def _seconds(value: JsonValue) -> float:
    if type(value) not in (int, float) or not 0 < float(value) < 1e9:  # type: ignore[arg-type]
        raise OrderError("a limit is not a positive number")
    return float(value)  # type: ignore[arg-type]
