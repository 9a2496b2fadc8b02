# SPDX-License-Identifier: Apache-2.0
"""What the worker tests share: how to ask, and how to see what the kernel runs."""

# The kernel tells nobody that a process is gone, so there is no Event to wait for.
# ruff: noqa: ASYNC110

import asyncio
import os
from contextlib import asynccontextmanager
from pathlib import Path

from lao.policy import WorkerLimits
from lao.workers.pool import WorkerPool
from lao.workers.spec import WorkerSpec
from lao.workflow.inference import ModelRequest

MODELS = Path(__file__).with_name("worker_models.py")


class Heard:
    """A report that remembers."""

    cancelled = False

    def __init__(self):
        self.pieces = []
        self.amounts = []
        self.started = asyncio.Event()

    def text(self, piece):
        self.pieces.append(piece)

    def progress(self, done, total, unit):
        self.amounts.append((done, total, unit))
        self.started.set()


def spec(name, *, readable=(), **limits):
    places = tuple(map(str, readable))
    limited = WorkerLimits(**limits)
    return WorkerSpec(entry=f"{MODELS}:{name}", readable=places, limits=limited)


def ask(pool, name_or_spec, prompt="", report=None, **request):
    asked = spec(name_or_spec) if isinstance(name_or_spec, str) else name_or_spec
    return pool.infer(asked, ModelRequest(prompt=prompt, **request), report or Heard())


def is_alive(pid):
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
    return "\nState:\tZ" not in status


def children_of(pid):
    found = []
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            text = status.read_text()
        except OSError:
            continue
        if f"\nPPid:\t{pid}\n" in text:
            found.append(int(status.parent.name))
    return found


async def gone(pids, *, seconds):
    async with asyncio.timeout(seconds):
        while any(map(is_alive, pids)):
            await asyncio.sleep(0.01)


@asynccontextmanager
async def clean_pool(folder):
    """A pool that must leave neither a process nor a file behind."""
    scratch = folder / "scratch"
    scratch.mkdir()
    before = set(children_of(os.getpid()))
    async with WorkerPool(scratch_parent=scratch) as pool:
        yield pool
    assert list(scratch.iterdir()) == []
    assert set(children_of(os.getpid())) <= before
