# SPDX-License-Identifier: Apache-2.0
"""What the lock costs a worker: at its start, per request, and while it computes.

    python benchmarks/worker_cost.py [ROUNDS]

In each round every kind of process starts once, in turns, so that a busy moment meets
all of them. A worker is locked when it has said hello, with what it proved; it is ready
when its model has answered the first question. The matrix product is numpy's, 600 by 600, in processes that differ in their lock only.
"""

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from msgspec.structs import replace

from lao.isolation.launching import ChildLauncher, kill_group, start
from lao.isolation.levels import Machine, probe
from lao.isolation.orders import Order
from lao.workers.inbox import worker_folder
from lao.workers.pool import WorkerPool
from lao.workers.spec import WorkerSpec
from lao.workflow.inference import ModelRequest

MODEL = """\
import time
from lao.workflow.inference import ModelDescription, ModelReply

class Product:
    def describe(self):
        return ModelDescription(name="product")

    def load(self, options):
        pass

    def infer(self, request, report):
        if not request.input:
            return ModelReply(value="", made_by="nothing")
        import numpy
        matrix = numpy.arange(360_000.0).reshape(600, 600) / 360_000
        matrix @ matrix
        times = []
        for _ in range(20):
            began = time.perf_counter()
            matrix @ matrix
            times.append(time.perf_counter() - began)
        return ModelReply(value=min(times), made_by="numpy")
"""
START_MS = 35
Measured = Mapping[str, float]


class _Quiet:
    """A `Report` that nobody hears."""

    cancelled = False

    def text(self, piece: str) -> None:
        """Hear nothing."""

    def progress(self, done: float, total: float, unit: str) -> None:
        """Hear nothing."""


def plain() -> Measured:
    """Start an interpreter as bare as a worker's; it says one byte."""
    began = time.perf_counter()
    command = [sys.executable, "-I", "-S", "-B", "-c", "import os; os.write(1, b'.')"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None  # noqa: S101  (it is a pipe)
        process.stdout.read(1)
        return {"locked ms": (time.perf_counter() - began) * 1e3}


def _locked(machine: Machine, path: str) -> float:
    """Return the seconds from the start of a worker to its hello."""
    ours = [os.pipe() for _ in range(3)]
    (their_requests, requests), (replies, their_replies), (output, printed) = ours
    with worker_folder(None) as folder:
        order = Order(
            run="lao.workers.child",
            scratch=str(folder.scratch),
            inbox=str(folder.inbox),
            readable=(path,),
        )
        began = time.perf_counter()
        process = start(order, machine, (their_requests, their_replies, printed))
        os.read(replies, 1)
        seconds = time.perf_counter() - began
        kill_group(process.pid)
        process.wait()
    for descriptor in (
        requests,
        output,
        their_requests,
        their_replies,
        replies,
        printed,
    ):
        os.close(descriptor)
    return seconds


async def _worker(machine: Machine, path: str) -> Measured:
    spec = WorkerSpec(entry=path, readable=(path,))
    launcher = ChildLauncher(machine, accept_none=True)
    began = time.perf_counter()
    async with WorkerPool(launcher=launcher) as pool:
        await pool.describe(spec)
        ready = time.perf_counter() - began
    async with WorkerPool(launcher=launcher) as pool:

        async def ask(given: object) -> object:
            request = ModelRequest(input=bool(given))
            return (await pool.infer(spec, request, _Quiet())).value

        await ask(None)
        request = await _fastest(lambda: ask(None))
        product = await ask(True)
    assert isinstance(product, float)  # noqa: S101  (as the model above says)
    return {
        "ready ms": ready * 1e3,
        "request µs": request * 1e6,
        "product ms": product * 1e3,
    }


async def _fastest(act: Callable[[], Awaitable[object]]) -> float:
    times = []
    for _ in range(200):
        began = time.perf_counter()
        await act()
        times.append(time.perf_counter() - began)
    return min(times)


def main() -> None:
    """Measure in turns and print the medians."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    machine = probe()
    standard = replace(machine, bwrap=None)
    unlocked = replace(standard, landlock_abi=0, seccomp=False)
    kinds = {"worker, unlocked": unlocked, f"worker, {standard.level}": standard}
    if machine != standard:
        kinds[f"worker, {machine.level}"] = machine
    found: dict[str, list[Measured]] = {"plain interpreter": []}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "product.py")
        path.write_text(MODEL)
        os.chmod(folder, 0o755)  # noqa: PTH101, S103  (nothing of it is secret)
        for _ in range(rounds):
            found["plain interpreter"].append(plain())
            for name, each in kinds.items():
                locked = _locked(each, str(path)) * 1e3
                rest = asyncio.run(_worker(each, str(path)))
                found.setdefault(name, []).append({"locked ms": locked, **rest})
    _print(found)


def _print(found: Mapping[str, list[Measured]]) -> None:
    names = ("locked ms", "ready ms", "request µs", "product ms")
    print(f"{'medians':<20}" + "".join(f"{name:>14}" for name in names))
    for kind, rounds in found.items():
        cells = [
            f"{statistics.median(each[name] for each in rounds):>14.1f}"
            if name in rounds[0]
            else f"{'':>14}"
            for name in names
        ]
        print(f"{kind:<20}" + "".join(cells))
    print(f"target: locked in at most {START_MS} ms more than the interpreter's start")


if __name__ == "__main__":
    main()
