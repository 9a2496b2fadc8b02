# SPDX-License-Identifier: Apache-2.0
"""A request to a worker process and back: LAO's pool beside a bare pipe.

    python -m benchmarks.worker_round_trips [--rounds N] [--quick]

The floor is an asyncio parent and a child that echoes what it reads, length first,
MessagePack after. LAO's worker is locked as on this machine by default, and its model
gives back what it was given; of a file it gives the size and the last byte. "Given"
is how a step's file reaches a model: as a copy, which nobody can change meanwhile. A
file below `readable` is named and not copied. A sample is the mean of many trips in
one process: wall, or the CPU time of both sides.
"""

import asyncio
import json
import os
import struct
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path

import msgspec
from benchmarks.figures import Effort, Figure, run_alone
from benchmarks.processes import ROOT, found_by, subject_of, tree_cpu_seconds

from lao.isolation.launching import ChildLauncher
from lao.workers.pool import WorkerPool
from lao.workers.spec import WorkerSpec
from lao.workflow.inference import ModelRequest

GROUP = "workers"
LENGTH = struct.Struct("<I")
SIZES = {"1 KB": (1_000, 200), "100 KB": (100_000, 50)}
LARGE = 10_000_000
LARGE_TRIPS = 10
QUICK = 2  # times fewer trips
FLOOR = "asyncio parent, pipe, echo child"
LAO = "LAO"
GIVEN = "10 MB, a file given"
NAMED = "10 MB, a file named"
COPY = "a copy of a file of 10 MB"
MODEL = """\
import os
from lao.workflow.inference import ModelDescription, ModelReply

class Echo:
    def describe(self):
        return ModelDescription(name="echo")

    def load(self, options):
        pass

    def infer(self, request, report):
        value = request.input
        if request.files or request.prompt:
            with open(request.files[0] if request.files else request.prompt, "rb") as file:
                size = file.seek(-1, os.SEEK_END) + 1
                value = [size, file.read().decode()]
        return ModelReply(value=value, made_by="echo")
"""

Samples = dict[str, list[float]]
Sizes = Mapping[str, tuple[int, int]]
"""Characters, and how many trips with them."""


class Quiet:
    """A `Report` that nobody hears."""

    cancelled = False

    def text(self, piece: str) -> None:
        """Hear nothing."""

    def progress(self, done: float, total: float, unit: str) -> None:
        """Hear nothing."""


def _echo() -> None:
    """Be the child of the floor."""
    encode, decode = msgspec.msgpack.Encoder().encode, msgspec.msgpack.Decoder().decode
    with open(0, "rb") as source, open(1, "wb") as sink:
        while head := source.read(LENGTH.size):
            asked = decode(source.read(*LENGTH.unpack(head)))
            data = encode({"id": asked["id"], "value": asked["value"]})
            sink.write(LENGTH.pack(len(data)) + data)
            sink.flush()


async def _trips(
    ask: Callable[[], Awaitable[object]], expected: object, times: int
) -> tuple[float, float]:
    """Return wall and CPU µs of one trip, the mean. SystemExit on a wrong answer."""
    answer = await ask()
    spent, began = tree_cpu_seconds(os.getpid()), time.perf_counter()
    for _ in range(times):
        answer = await ask()
    wall = time.perf_counter() - began
    spent = tree_cpu_seconds(os.getpid()) - spent
    if answer != expected:
        sys.exit(f"wrong answer: {str(answer)[:200]}")
    return wall / times * 1e6, spent / times * 1e6


async def floor(sizes: Sizes) -> Samples:
    """Return what trips over a bare pipe take."""
    command = (sys.executable, "-m", "benchmarks.worker_round_trips", "echo")
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(
        *command, stdin=pipe, stdout=pipe, cwd=ROOT, limit=1 << 20
    )
    if child.stdin is None or child.stdout is None:
        sys.exit("a child without pipes")
    to, back = child.stdin, child.stdout
    encode, decode = msgspec.msgpack.Encoder().encode, msgspec.msgpack.Decoder().decode
    found: Samples = {}
    for size, (length, times) in sizes.items():
        value = "x" * length

        async def ask(value: str = value) -> object:
            data = encode({"id": 1, "value": value})
            to.write(LENGTH.pack(len(data)) + data)
            await to.drain()
            (answer,) = LENGTH.unpack(await back.readexactly(LENGTH.size))
            return decode(await back.readexactly(answer))["value"]

        _note(found, size, await _trips(ask, value, times))
    to.close()
    await child.wait()
    return found


async def lao(folder: Path, sizes: Sizes, trips: int) -> Samples:
    """Return what trips through LAO's pool take."""
    found: Samples = {}
    model, large = str(folder / "echo.py"), str(folder / "large.bin")
    bare = WorkerSpec(entry=model)
    reads = WorkerSpec(entry=model, readable=(large,))
    async with WorkerPool(launcher=ChildLauncher(accept_none=True)) as pool:

        async def go(
            what: str, spec: WorkerSpec, request: ModelRequest, times: int
        ) -> None:
            async def ask() -> object:
                return (await pool.infer(spec, request, Quiet())).value

            expected = [LARGE, "y"] if request.input is None else request.input
            _note(found, what, await _trips(ask, expected, times))

        for size, (length, times) in sizes.items():
            await go(size, bare, ModelRequest(input="x" * length), times)
        await go(GIVEN, bare, ModelRequest(files=(large,)), trips)
        await go(NAMED, reads, ModelRequest(prompt=large), 10 * trips)
    copy = _copying(Path(large), folder / "copy.bin")
    _note(found, COPY, await _trips(copy, LARGE, trips))
    return found


def _copying(source: Path, target: Path) -> Callable[[], Awaitable[object]]:
    """Return what copies a file within the kernel and removes the copy."""

    def copied() -> int:
        with source.open("rb") as read, target.open("wb") as written:
            count = os.copy_file_range(read.fileno(), written.fileno(), LARGE)
        target.unlink()
        return count

    async def copy() -> object:
        return copied()

    return copy


def _note(found: Samples, what: str, trip: tuple[float, float]) -> None:
    wall, cpu = trip
    found.setdefault(f"{what}: wall", []).append(wall)
    found.setdefault(f"{what}: CPU", []).append(cpu)


def subject(name: str, *, sizes: Sizes, trips: int) -> Samples:
    """Return the samples of the floor or of LAO, in a folder that a worker can see."""
    with tempfile.TemporaryDirectory(prefix="round-trips-") as place:
        folder = Path(place)
        folder.chmod(0o755)
        (folder / "echo.py").write_text(MODEL)
        (folder / "large.bin").write_bytes(b"x" * (LARGE - 1) + b"y")
        asked = floor(sizes) if name == FLOOR else lao(folder, sizes, trips)
        return asyncio.run(asked)


def figures(samples: Mapping[tuple[str, str], list[float]]) -> Iterator[Figure]:
    """Yield a figure for everything that was measured; milliseconds for the large."""
    for (name, what), found in samples.items():
        size, _, kind = what.rpartition(": ")
        is_large = size not in SIZES
        is_floor = name == FLOOR or size == COPY
        floor = f"{COPY}: {kind}" if is_large else f"{FLOOR}, {what}"
        yield Figure(
            group=GROUP,
            name=what if size == COPY else f"{name}, {what}",
            unit=f"{kind} {'ms' if is_large else 'µs'}",
            samples=tuple(each / 1e3 if is_large else each for each in found),
            floor="" if is_floor else floor,
            target=1.5 if not is_floor and what == "1 KB: CPU" else None,
            absolute=0.5 if size in (GIVEN, NAMED) and kind == "wall" else None,
        )


def measure(effort: Effort) -> Iterator[Figure]:
    """Measure both in turns."""
    samples: dict[tuple[str, str], list[float]] = {}
    for _ in effort.turns(GROUP):
        for name in (FLOOR, LAO):
            found = found_by("worker_round_trips", name, str(int(effort.quick)))
            for what, values in found.items():
                samples.setdefault((name, what), []).extend(values)
    yield from figures(samples)


def main() -> None:
    """Echo, be a subject, or measure."""
    if sys.argv[1:] == ["echo"]:
        _echo()
    elif arguments := subject_of(sys.argv[1:]):
        name, quick = arguments
        few = QUICK if quick == "1" else 1
        sizes = {size: (of, trips // few) for size, (of, trips) in SIZES.items()}
        print(json.dumps(subject(name, sizes=sizes, trips=LARGE_TRIPS // few)))
    else:
        run_alone(measure)


if __name__ == "__main__":
    main()
