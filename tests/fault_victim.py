# SPDX-License-Identifier: Apache-2.0
"""A run to be broken: twelve steps, durable, with a model that counts its calls.

    python tests/fault_victim.py FOLDER [--kill-after N] [--jump] [--pause SECONDS]
                                 [--name NAME] [--text TEXT] [--durability full]

Goes on with the latest run of the name in FOLDER/data, tells what it gave if it is
done, or begins one if there is none. Each event that it is told is a line of JSON on stdout, written at once; so is
the end. Each call of the model is a line in FOLDER/calls: its answer's digest. Both are written by `writev`,
which nothing else uses: the other system calls that write are the store's.
"""

import argparse
import asyncio
import json
import os
import signal
import sys
import time
from hashlib import blake2b
from pathlib import Path

from msgspec.structs import replace

from lao.backend_factory import Backends
from lao.config import Folders, Settings
from lao.durable import Selection, carry_out, go_on, prepare, prepare_to_go_on
from lao.engine.runner import RunResult
from lao.errors import LaoError
from lao.events import event_to_json, fold
from lao.runtime import RunOptions, Session, SystemClock, make_plan, open_store
from lao.workflow.document import read_workflow
from lao.workflow.inference import ModelDescription, ModelReply

LARGE = 150_000  # characters: more than a row holds, so it lives in a blob
WORKFLOW = """\
lao: 1
name: NAME
inputs: { text: { type: text } }
models: { m: { kind: custom, plugin: counting.py } }
steps:
  - { id: opening, model: m, prompt_template: "opening {{ inputs.text }}" }
  - { id: parts, input: "{{ inputs.text }}", input_transforms: [{ split: " " }] }
  - { id: each, model: m, for_each: "{{ parts }}", prompt_template: "each {{ item }}" }
  - { id: left, model: m, prompt_template: "left {{ opening }}" }
  - { id: left_more, model: m, prompt_template: "left_more {{ left }}" }
  - { id: right, model: m, prompt_template: "right {{ opening }}" }
  - { id: right_more, model: m, prompt_template: "right_more {{ right }}", cache: off }
  - { id: large, model: m, prompt_template: "large {{ right }}" }
  - { id: twin, model: m, prompt_template: "left {{ opening }}" }
  - id: aside
    when: "{{ opening | length > 1000 }}"
    default: "nothing aside"
    model: m
    prompt_template: "aside {{ opening }}"
  - id: joined
    model: m
    prompt_template: "joined {{ each | join }} {{ left_more }} {{ right_more }}"
  - id: ending
    model: m
    prompt_template: "ending {{ joined }} {{ large | length }} {{ twin }} {{ aside }}"
outputs: { ending: "{{ ending }}", large: "{{ large }}" }
"""


def digest(value):
    """Return a short name of a value."""
    text = json.dumps(value, sort_keys=True)
    return blake2b(text.encode(), digest_size=8).hexdigest()


def put(descriptor, line):
    """Write a line at once, so that whoever dies has said it or not."""
    os.writev(descriptor, [line.encode() + b"\n"])


class Counting:
    """A model that writes its calls down, and answers by what it is asked alone."""

    def __init__(self, calls, pause):
        self.calls, self.pause = calls, pause

    async def describe(self):
        return ModelDescription(name="counting")

    async def identify(self):
        return "sha256:counting"

    async def infer(self, request, report):
        name = request.prompt.partition(" ")[0]
        answer = f"{name} {digest(request.prompt)}"
        if name == "large":
            answer += "." * LARGE
        put(self.calls, digest(answer))
        for _ in range(len(request.prompt) % 7):  # so that the steps interleave
            await asyncio.sleep(0)
        if self.pause:
            await asyncio.sleep(self.pause)
        return ModelReply(value=answer, made_by="counting")

    def proof(self):
        return None

    async def close(self):
        pass


class JumpingClock(SystemClock):
    """A clock that somebody sets, ever further: forward, back, forward."""

    def __init__(self):
        self.jump = -3e7

    def now(self):
        self.jump *= -1.1
        return time.time() + self.jump


class Teller:
    """Tells events, and dies on its own after some of them."""

    def __init__(self, kill_after):
        self.left = kill_after

    def __call__(self, event):
        line = event_to_json(event)
        line["digest"] = digest(line.pop("value", None))
        line.pop("outputs", None)
        put(1, json.dumps(line))
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def settings_in(folder: Path, durability="process") -> Settings:
    """Return settings that keep everything below a folder."""
    folders = Folders(
        config=folder / "config", data=folder / "data", cache=folder / "cache"
    )
    return Settings(folders=folders, durability=durability)


def latest(store, name):
    """Return the latest run of a name, or None."""
    return next(store.runs.listed(workflow=name), None)


def what_it_gave(store, record):
    """Return the result of a run that is done: whoever carried it out cannot tell."""
    state = fold(store.runs.each_event(record))
    return RunResult(run=record.id, status="done", outputs=state.outputs)


async def run(arguments, settings: Settings):
    """Begin a run or go on with it; return its result."""
    calls = os.open(
        arguments.folder / "calls", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600
    )

    class InProcess(Backends):
        def _backend(self, model):
            return Counting(calls, arguments.pause)

    backends = InProcess(settings)
    clock = JumpingClock() if arguments.jump else None
    options = RunOptions(sinks=[Teller(arguments.kill_after)])
    with open_store(settings) as store:
        async with Session(settings, store, backends=backends, clock=clock) as session:
            record = latest(store, arguments.name)
            if record is not None and record.status == "done":
                return what_it_gave(store, record)
            if record is not None:
                prepared = prepare_to_go_on(store, record, settings)
                return await go_on(session, store, record, prepared, options)
            text = WORKFLOW.replace("NAME", arguments.name)
            base = str(arguments.folder)
            workflow = read_workflow(text, source="victim", base=base).workflow
            plan = make_plan(workflow, settings)
            prepared = prepare(workflow, plan, Selection())
            prepared = replace(prepared, inputs={"text": arguments.text})
            return await carry_out(session, store, prepared, options)


def main():
    """Run once, and tell the end."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kill-after", type=int, default=0)
    parser.add_argument("--jump", action="store_true")
    parser.add_argument("--pause", type=float, default=0.0)
    parser.add_argument("--name", default="victim")
    parser.add_argument("--text", default="five words of one text")
    parser.add_argument("--durability", default="process")
    arguments = parser.parse_args()
    settings = settings_in(arguments.folder, arguments.durability)
    try:
        result = asyncio.run(run(arguments, settings))
    except LaoError as error:
        put(1, json.dumps({"kind": "error", "code": error.code}))
        sys.exit(1)
    ended = {
        "kind": "ended",
        "status": result.status,
        "outputs": {name: digest(each) for name, each in result.outputs.items()},
        "failures": [each.code for each in result.failures],
        "unrecorded": result.unrecorded and result.unrecorded.code,
    }
    put(1, json.dumps(ended))


if __name__ == "__main__":
    main()
