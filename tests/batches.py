# SPDX-License-Identifier: Apache-2.0
"""A bench for batches: real sessions, stores and files; only the pace is scripted."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from msgspec.structs import replace

from lao.batch.continuation import latest_batch
from lao.batch.each import read_each
from lao.batch.items import ItemRunner
from lao.batch.job import Batch
from lao.batch.ledger import begin_batch, continue_batch
from lao.batch.output_files import OutputFiles, make_folder
from lao.batch.sources import open_source
from lao.batch.work import BatchRunner
from lao.config import load_settings
from lao.durable import Selection, file_digests, prepare
from lao.planning.compiler import compile_workflow
from lao.planning.engines import Catalog
from lao.runtime import Session, new_run_id
from lao.store.opening import open_store
from lao.workflow.document import read_workflow

SHOUT = """
lao: 1
name: shout
inputs: { text: text }
steps:
  - { id: read, input: "{{ inputs.text }}", input_transforms: [json], output: json }
  - { id: loud, input: "{{ read.word }}!" }
outputs:
  loud: "{{ loud }}"
"""


class Gate:
    """Holds back the runs whose input names one of `words`, until it is opened."""

    def __init__(self, *words):
        self.words = words
        self.open = asyncio.Event()
        self.waiting = 0

    async def __call__(self, text):
        if any(word in text for word in self.words):
            self.waiting += 1
            await self.open.wait()


async def until(holds):
    """Let others run until a condition holds."""
    while not holds():  # noqa: ASYNC110  (nobody tells)
        await asyncio.sleep(0)


class PacedSession(Session):
    """A session whose runs wait for what a test says; counts what is asked of it."""

    def __init__(self, settings, store, pace):
        super().__init__(settings, store)
        self.pace = pace
        self.begun = []
        self.keeps = True
        self.running = 0
        self.most = 0

    async def run(self, plan, inputs, options=None):
        if self.keeps:
            self.begun.append(inputs["text"].strip())
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await self.pace(inputs["text"])
            return await super().run(plan, inputs, options)
        finally:
            self.running -= 1


class Heard:
    """A watcher that writes everything down."""

    def __init__(self, reports=list):
        self.run, self.total = "", None
        self.running = set()
        self.ends = reports()
        self.turns = reports()

    def began(self, run, total):
        self.run, self.total = run, total

    def started(self, position, label):
        self.running.add(label)

    def ended(self, report):
        self.running.discard(report.label)
        self.ends.append(report)

    def told(self, report):
        self.turns.append(report)

    @property
    def labels(self):
        return [report.label for report in self.turns]

    @property
    def statuses(self):
        return [report.status for report in self.turns]


async def at_once(text):
    """Let every run go."""


@dataclass
class Bench:
    """A folder with inputs, a store, and batches over them."""

    folder: Path
    each: str = "in/*.txt"
    workflow: str = SHOUT
    durable: bool = True
    jobs: int = 2
    out: str | None = "out"
    pace: object = at_once
    words: dict = field(default_factory=dict)
    heard: Heard = field(default_factory=Heard)
    reports: type = list
    session: PacedSession | None = None

    def write(self, *words, **named):
        """Write an input for each word, in its order."""
        for number, word in enumerate(words):
            named[f"{number}"] = word
        for name, word in named.items():
            file = self.folder / "in" / f"{name}.txt"
            file.parent.mkdir(exist_ok=True)
            file.write_text(word if word[:1] == "?" else f'{{"word": "{word}"}}')

    def store(self):
        return open_store(self.folder / "data")

    @property
    def made(self):
        """Return the output files and what they hold."""
        files = sorted((self.folder / "out").iterdir())
        return {file.name: file.read_text().strip() for file in files}

    def batch(self):
        workflow = read_workflow(
            self.workflow, source="w.yaml", base=str(self.folder)
        ).workflow
        plan = compile_workflow(workflow, Catalog())
        prepared = prepare(workflow, plan, Selection())
        inputs = self.words.pop("inputs", {})
        return Batch(
            prepared=replace(prepared, inputs=inputs, output_folder=self.folder),
            each=read_each(self.each, plan.inputs, inputs),
            base=self.folder,
            jobs=self.jobs,
            folder=None if self.out is None else self.folder / self.out,
            **self.words,
        )

    async def run(self, *, resume=False, only_failed=False, before=None):
        """Carry out a batch; `before` gets the session and may spoil something."""
        batch = self.batch()
        make_folder(batch.folder)
        self.heard = Heard(self.reports)
        settings = load_settings({"HOME": str(self.folder)}, ephemeral=not self.durable)
        store = self.store() if self.durable else None
        try:
            async with PacedSession(settings, store, self.pace) as session:
                self.session = session
                session.keeps = self.reports is list
                if before is not None:
                    before(store)
                ledger = await self._ledger(batch, store, session, resume=resume)
                return await self._carried_out(batch, session, ledger, only_failed)
        finally:
            if store is not None:
                store.close()

    async def _ledger(self, batch, store, session, *, resume):
        if store is None:
            return None
        files = await file_digests(session, batch.prepared.inputs)
        if not resume:
            run = new_run_id()
            return begin_batch(store, batch, session.clock, run=run, files=files)
        record = latest_batch(store, batch, files)
        return continue_batch(store, record, session.clock)

    async def _carried_out(self, batch, session, ledger, only_failed):
        is_promised = ledger.is_promised if ledger else lambda name: False
        files = OutputFiles(batch, is_promised, synced=False)
        items = ItemRunner(batch=batch, session=session, ledger=ledger, files=files)
        with open_source(
            batch.each,
            base=batch.base,
            declared=batch.prepared.plan.inputs,
            avoid=batch.folder,
        ) as source:
            runner = BatchRunner(
                source=source,
                items=items,
                watcher=self.heard,
                only_failed=only_failed,
            )
            return await runner.run()

    async def cut_off(self, *, when, **words):
        """Cancel a batch at the moment when `when()` holds."""
        running = asyncio.create_task(self.run(**words))
        await until(lambda: when() or running.done())
        assert not running.done(), running.result()
        running.cancel()
        await asyncio.wait([running])
        return running
