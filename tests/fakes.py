# SPDX-License-Identifier: Apache-2.0
"""Stand-ins for the roles that the engine sees, and a bench that runs plans with them."""

import asyncio
import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from lao.engine.attempt import ModelSlots, StepWorker
from lao.engine.journal import Journal
from lao.engine.memory import MemoryCache
from lao.engine.naming import Namer
from lao.engine.recall import recall
from lao.engine.requests import RequestWriter
from lao.engine.runner import Runner
from lao.events import event_to_json
from lao.planning.compiler import compile_workflow
from lao.policy import Proof, RunLimits
from lao.workflow.inference import ModelDescription, ModelReply
from lao.workflow.local_models import label
from lao.workflow.steps import Workflow


class FakeClock:
    """A clock that stands still; sleeping returns at once and is written down."""

    def __init__(self):
        self.slept = []

    def now(self):
        return 1_700_000_000.0

    def monotonic(self):
        return 100.0

    async def sleep(self, seconds):
        self.slept.append(seconds)
        await asyncio.sleep(0)


def echo(request):
    """Answer with the prompt, or with the input where there is none."""
    return request.prompt or request.input


async def forever(request):
    """Never answer."""
    await asyncio.Event().wait()


@dataclass
class FakeBackend:
    """Answers as scripted.

    `script` holds what to do for each request in turn; the last stays in force. Each
    is a value to answer, an exception to raise, or a function of the request (which
    may be async). `most` is the largest number of requests that were in flight at once.
    """

    name: str = "fake"
    script: list = field(default_factory=lambda: [echo])
    requests: list = field(default_factory=list)
    cancelled: int = 0
    in_flight: int = 0
    most: int = 0
    proved: Proof | None = None

    async def infer(self, request, report):
        self.requests.append(request)
        self.in_flight += 1
        self.most = max(self.most, self.in_flight)
        try:
            return await self._answer(request, report)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.in_flight -= 1

    async def _answer(self, request, report):
        await asyncio.sleep(0)  # lets whoever else may start, start
        answer = self.script[min(len(self.requests), len(self.script)) - 1]
        if isinstance(answer, BaseException):
            raise answer
        if callable(answer):
            answer = answer(request)
        if asyncio.iscoroutine(answer):
            answer = await answer
        if isinstance(answer, ModelReply):
            return answer
        report.text(str(answer))
        return ModelReply(value=answer, made_by=self.name)

    async def describe(self):
        return ModelDescription(name=self.name)

    async def identify(self):
        return f"sha256:{self.name}"

    def proof(self):
        return self.proved

    async def close(self):
        pass


class Backends:
    """A `BackendFactory`: one fake for each model, by its label."""

    def __init__(self, scripts=None):
        self.opened = {
            name: FakeBackend(name, script) for name, script in (scripts or {}).items()
        }

    def __call__(self, model):
        name = label(model)
        return self.opened.setdefault(name, FakeBackend(name))

    def __getitem__(self, name):
        return self.opened[name]


class Sink(list):
    """Collects events, and reads each as JSON as a journal would."""

    def __call__(self, event):
        json.dumps(event_to_json(event))
        self.append(event)

    @property
    def facts(self):
        return [event.fact for event in self]

    def kinds(self):
        return Counter(fact.kind for fact in self.facts)

    def of(self, kind):
        return [fact for fact in self.facts if isinstance(fact, kind)]


class MemoryRunStore:
    """A `RunStore` that forgets when the process ends."""

    def __init__(self):
        self.kept = {}

    async def append(self, event):
        self.kept.setdefault(event.run, []).append(event)

    async def events(self, run):
        return tuple(self.kept.get(run, ()))


class Bench:
    """Compiles a workflow and runs it with fakes; keeps what the run left."""

    def __init__(self, scripts=None, *, folder=None, catalog=None, **limits):
        self.backends = Backends(scripts)
        self.clock = FakeClock()
        self.sink = Sink()
        self.store = MemoryRunStore()
        self.cache = MemoryCache()
        self.folder = folder or Path()
        self.catalog = catalog
        self.limits = RunLimits(**limits)

    def runner(self, *steps, declared=None, past=None, **words):
        workflow = Workflow(name="test", steps=steps, inputs=declared, **words)
        plan = compile_workflow(workflow, self.catalog)
        recalled = None if past is None else recall(plan, past)
        journal = Journal(
            run="r1",
            store=self.store,
            sinks=[self.sink],
            clock=self.clock,
            sequence=recalled.sequence if recalled else 0,
        )
        worker = StepWorker(
            backends=self.backends,
            namer=Namer(self.backends),
            cache=self.cache,
            journal=journal,
            clock=self.clock,
            slots=ModelSlots(self.limits.per_model),
            limits=self.limits,
            writer=RequestWriter(self.limits),
            output_folder=self.folder,
        )
        return Runner(
            plan=plan,
            worker=worker,
            journal=journal,
            clock=self.clock,
            limits=self.limits,
            recalled=recalled,
        )

    async def run(self, *steps, inputs=None, **words):
        return await self.runner(*steps, **words).run(inputs or {})

    async def cancel(self, *steps, when, **words):
        """Cancel a run at the moment when `when()` holds, and wait for its end."""
        running = asyncio.create_task(self.run(*steps, **words))
        while not when() and not running.done():  # noqa: ASYNC110  (any condition)
            await asyncio.sleep(0)
        running.cancel()
        await running

    def in_flight(self):
        return sum(backend.in_flight for backend in self.backends.opened.values())

    @property
    def asked(self):
        """The prompts that reached any model, in no particular order."""
        return sorted(
            request.prompt
            for backend in self.backends.opened.values()
            for request in backend.requests
        )
