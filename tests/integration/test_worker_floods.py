# SPDX-License-Identifier: Apache-2.0
"""Workers that write without end: the parent stays idle, and so hears the others."""

import asyncio
import resource
import textwrap
import time

import pytest

from lao.errors import StepError
from lao.policy import WorkerLimits
from lao.workers import watching
from lao.workers.pool import WorkerPool
from lao.workers.spec import WorkerSpec
from lao.workflow.inference import ModelRequest

pytestmark = pytest.mark.linux

SECONDS = 1.0
MOST = 0.6  # of one processor; without a brake it is all of it
MODEL = """
    import json, os, struct, sys, time
    from lao import ModelDescription, ModelReply

    REPLIES = int(sys.argv[-1])

    def frame(**header):
        data = json.dumps({"id": 1, **header}).encode()
        return struct.pack(">II", len(data), 0) + data

    FLOODS = {
        "lines": (1, b"no end " * 9000),
        "bytes": (1, b"x"),
        "frames": (REPLIES, frame(kind="text") * 100),
        "amounts": (REPLIES, frame(kind="progress", done=1, total=2, unit="") * 100),
    }

    class Model:
        def load(self, options): pass
        def describe(self): return ModelDescription(name="flood")
        def infer(self, request, report):
            report.progress(0, 1, "begun")
            pipe, data = FLOODS[request.prompt]
            end = time.monotonic() + request.input
            while time.monotonic() < end:
                rest = data
                while rest:
                    rest = rest[os.write(pipe, rest):]
            return ModelReply(value="over", made_by="flood")
"""


class Heard:
    cancelled = False

    def text(self, piece):
        pass

    def progress(self, *amount):
        self.began = getattr(self, "began", None) or (time.monotonic(), processor())


def processor():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


@pytest.fixture
def spec(tmp_path):
    file = tmp_path / "model.py"
    file.write_text(textwrap.dedent(MODEL))
    return WorkerSpec(entry=f"{file}:Model", limits=WorkerLimits(file_size=1 << 30))


@pytest.mark.parametrize("how", ["lines", "bytes", "frames", "amounts"])
async def test_a_flood_costs_the_parent_little(spec, tmp_path, how):
    heard, request = Heard(), ModelRequest(prompt=how, input=SECONDS)
    async with WorkerPool(scratch_parent=tmp_path) as pool:
        assert (await pool.infer(spec, request, heard)).value == "over"
    began, used = heard.began
    assert processor() - used < MOST * (time.monotonic() - began)


async def test_a_worker_that_fills_the_disk_unseen_is_ended(
    spec, tmp_path, monkeypatch
):
    """Open files without a name are in no folder; only the room that is left tells."""
    rooms = iter([50 << 30, 40 << 30])
    monkeypatch.setattr(watching, "room_on_disk", lambda _: next(rooms, 1 << 20))
    asked = ModelRequest(prompt="lines", input=60.0)
    async with WorkerPool(scratch_parent=tmp_path) as pool:
        with pytest.raises(StepError) as caught:
            await asyncio.wait_for(pool.infer(spec, asked, Heard()), 40)
    assert caught.value.code == "worker.scratch-full"
