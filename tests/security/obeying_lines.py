# SPDX-License-Identifier: Apache-2.0
"""A confined process that does what the lines of its standard input say.

    python -m tests.security.obeying_lines ENDPOINT

It prints a JSON object with the ids of its processes, then a word for each line:
`connect` and `ask` say "done" or the code of the complaint; `begin` says "begun" once a
worker is busy for ever, and `end` how that ended.
"""

import asyncio
import json
import os
import sys
from pathlib import Path

from lao.errors import LaoError
from lao.isolation.confinement import Confinement, confine
from lao.policy import LoopbackEndpoint
from lao.workers.pool import WorkerPool
from lao.workers.spec import WorkerSpec
from lao.workflow.inference import ModelRequest

SPEC = WorkerSpec(entry=f"{Path(__file__).with_name('busy_model.py')}:Busy", parallel=2)


class Heard:
    cancelled = False

    def __init__(self) -> None:
        self.begun = asyncio.Event()

    def text(self, piece: str) -> None:
        self.begun.set()

    def progress(self, *amounts: object) -> None:
        pass


class Obeys:
    def __init__(self, given: Confinement, pool: WorkerPool) -> None:
        self._given = given
        self._pool = pool
        self._busy: asyncio.Task[str] | None = None

    async def connect(self) -> str:
        assert self._given.connect is not None
        (await self._given.connect(self._given.endpoints[0])).close()
        return "done"

    async def ask(self) -> str:
        reply = await self._pool.infer(SPEC, ModelRequest(prompt=""), Heard())
        return str(reply.value)

    async def begin(self) -> str:
        heard, request = Heard(), ModelRequest(prompt="for ever")

        async def work() -> str:
            return str((await self._pool.infer(SPEC, request, heard)).value)

        self._busy = asyncio.create_task(work())
        await heard.begun.wait()
        return "begun"

    async def end(self) -> str:
        assert self._busy is not None
        return await self._busy


def ids(given: Confinement) -> dict[str, int]:
    spawner, broker = given.launcher, getattr(given.connect, "__self__", None)
    return {
        "orchestrator": os.getpid(),
        "spawner": spawner.pid,  # type: ignore[attr-defined]
        "broker": broker.pid,  # type: ignore[union-attr]
    }


def say(what: object) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


async def obey(given: Confinement) -> None:
    async with WorkerPool(launcher=given.launcher) as pool:
        obeys = Obeys(given, pool)
        say(ids(given))
        while line := (await asyncio.to_thread(sys.stdin.readline)).strip():
            try:
                say(await getattr(obeys, line)())
            except LaoError as error:
                say(error.code)


def main(endpoint: str) -> None:
    try:
        with confine(endpoints=(LoopbackEndpoint(endpoint),), programs=()) as given:
            asyncio.run(obey(given))
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main(*sys.argv[1:])
