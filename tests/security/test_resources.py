# SPDX-License-Identifier: Apache-2.0
"""Attacks on the machine's resources from inside a worker: each ends, alone, in time.

All of them are steps of one run, beside an honest one. What breaks the protocol between
worker and parent is in `tests/integration/test_worker_failures.py`.
"""

import json
import os
import tempfile
from pathlib import Path

import pytest
from tests.e2e.running_lao import Lao, children_of

pytestmark = [pytest.mark.linux, pytest.mark.timeout(240)]

MEMORY = Path("/dev/shm")  # noqa: S108
SECONDS = 1.0  # the deadline of what nothing else ends
LONGER = 40.0  # that of the others, which a limit ends before
AT_ONCE = 4  # as many as there may be workers: none waits for its turn
GRACE = 10.0  # to start a worker, to see what it does and to end it, on a busy machine

ATTACKS = """\
import mmap, os, signal, socket, sys, threading, time
from pathlib import Path

REPLIES = int(sys.argv[-1])

def huge_file():
    with open("huge", "wb") as file:
        file.seek(1 << 42)
        file.write(b"x")

def many_files():
    for number in range(11_000):
        os.close(os.open(f"f{number}", os.O_CREAT | os.O_WRONLY))
    time.sleep(60)

def many_folders():
    for number in range(11_000):
        os.mkdir(f"d{number}")
    time.sleep(60)

def deep_folders():
    for number in range(4000):  # longer than any path may be, deeper than any stack
        os.mkdir("d")
        os.chdir("d")
    time.sleep(60)

def hidden_files():
    os.mkdir("hidden", 0o300)  # to be entered, not to be listed
    os.chdir("hidden")
    many_files()

def descriptors():
    while True:
        os.dup(0)

def private_memory():
    held = []
    while True:
        held.append(b"x" * (16 << 20))
        time.sleep(0.01)

def shared_memory():
    held = []
    while True:
        held.append(mmap.mmap(-1, 16 << 20))
        held[-1].write(b"x" * (16 << 20))
        time.sleep(0.01)

def nameless_memory():
    os.memfd_create("hidden")

def device_memory():
    Path("/dev/shm/lao").write_bytes(b"x" * (1 << 20))

def threads():
    while True:
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()

def lies():
    os.write(REPLIES, b"\\x00\\x00\\x00\\x02\\xff\\xff\\xff\\xff{}")
    time.sleep(60)

def processes():
    while True:
        os.fork()

def spin():
    while True:
        pass

def deaf():
    everything = set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}
    signal.pthread_sigmask(signal.SIG_BLOCK, everything)
    time.sleep(60)

def stopped():
    os.kill(os.getpid(), signal.SIGSTOP)
    time.sleep(60)

def prints():
    while True:
        os.write(1, b"no end " * 9000)

def stalls():
    os.write(REPLIES, b"\\x00\\x00\\x00\\x40\\x00\\x00\\x00\\x00{")
    time.sleep(60)
"""
MODEL = """
from lao import ModelDescription, ModelReply

class Attack:
    def load(self, options): self.how = options["how"]
    def describe(self): return ModelDescription(name="attack")
    def infer(self, request, report):
        globals()[self.how]()
        return ModelReply(value="", made_by="attack")
"""
# What may stop each: where several bounds are near, the first one does.
CODES = {
    "huge_file": {"worker.model-error"},
    "many_files": {"worker.scratch-full"},
    "many_folders": {"worker.scratch-full"},
    "deep_folders": {"worker.scratch-full"},
    "hidden_files": {"worker.scratch-full"},
    "descriptors": {"worker.model-error"},
    "private_memory": {"worker.out-of-memory"},
    "shared_memory": {"worker.out-of-memory"},
    "nameless_memory": {"worker.model-error"},
    "device_memory": {"worker.model-error"},
    "threads": {"worker.too-many-threads", "worker.model-error"},
    "lies": {"worker.bad-frame"},
    "processes": {"worker.model-error"},
    "spin": {"step.timeout"},
    "deaf": {"step.timeout"},
    "stopped": {"step.timeout"},
    "prints": {"step.timeout"},
    "stalls": {"step.timeout"},
}
WORDS = {
    "huge_file": "File too large",
    "descriptors": "Too many open files",
    "nameless_memory": "Operation not permitted",
    "device_memory": "shm/lao",
    "processes": "Operation not permitted",
}
STEP = """\
  - id: {how}
    model: {{ kind: custom, plugin: "attack.py:Attack", options: {{ how: {how} }} }}
    prompt_template: "-"
    timeout: {seconds}s
"""
PLUGIN = """
from lao.plugins.api import PluginOutput

class Attack:
    name = "attack"
    def process(self, given):
        globals()[given.parameters["how"]]()
        return PluginOutput(value="")
"""
MANIFEST = """\
lao = 1
name = "attack"
version = "1.0.0"
kind = "step"
entry = "attack:Attack"
description = "Attacks the machine."
[input]
type = "text"
[output]
type = "text"
[parameters.properties.how]
type = "string"
"""
PLUGIN_STEP = """\
  - {{ id: {how}, uses: attack, input: "-", with: {{ how: {how} }}, timeout: {seconds}s }}
"""
FROM_A_PLUGIN = ("private_memory", "threads", "lies", "spin")
GOOD = """\
  - { id: good, uses: summarize, with: { text: "One is here. Two is there." } }
  - { id: after_good, uses: redact, with: { text: "{{ good }}" } }
outputs: { good: "{{ after_good }}" }
"""


@pytest.fixture
def lao(tmp_path):
    """Return the `lao` command with a folder and a home of its own."""
    return Lao(folder=tmp_path)


@pytest.fixture
def temporary(tmp_path):
    """The folder for temporary files, which must be as it was at the end.

    In memory, where there is such a place: a disk may take half a minute for the files.
    """
    place = MEMORY if os.access(MEMORY, os.W_OK) else tmp_path
    with tempfile.TemporaryDirectory(prefix="lao-test-", dir=place) as folder:
        yield folder
        assert list(Path(folder).iterdir()) == []


@pytest.fixture
def there(lao, temporary):
    bounds = {"LAO_WORKER_MEMORY": "250MiB", "LAO_PARALLEL_STEPS": str(AT_ONCE)}
    return lao.having(TMPDIR=temporary, **bounds)


def deadline_of(how):
    return SECONDS if CODES[how] == {"step.timeout"} else LONGER


def steps_of(template, attacks):
    return "".join(
        template.format(how=how, seconds=deadline_of(how)) for how in attacks
    )


def carried_out(lao, steps, at_once):
    """Run attacks beside an honest line of steps; return what failed, and how long each took."""
    lao.file("w.yaml", f"lao: 1\nname: attacked\nsteps:\n{steps}{GOOD}")
    before = children_of(os.getpid())
    command = ("run", "w.yaml", "--per-model", str(at_once), "--events", "-")
    ended = lao(*command, seconds=200)
    assert children_of(os.getpid()) <= before
    assert ended.code == 3, ended.told
    events = [json.loads(line) for line in ended.out.splitlines()]
    assert events[-1]["outputs"] == {"good": "- One is here.\n- Two is there."}
    begun = {e["step"]: e["time"] for e in events if e["kind"] == "step-started"}
    failed = {e["step"]: e for e in events if e["kind"] == "step-failed"}
    return failed, {how: failed[how]["time"] - begun[how] for how in failed}


def assert_all_ended_rightly(failed, attacks):
    codes = {how: failed[how]["code"] for how in attacks}
    assert {h: code for h, code in codes.items() if code not in CODES[h]} == {}
    said = {how: failed[how]["what"] for how in attacks if how in WORDS}
    assert {h: what for h, what in said.items() if WORDS[h] not in what} == {}


def test_every_attack_from_a_model_ends_in_time_and_harms_nobody(there):
    there.file("attack.py", ATTACKS + MODEL)
    failed, spent = carried_out(there, steps_of(STEP, CODES), AT_ONCE)
    assert_all_ended_rightly(failed, CODES)
    late = {how: s for how, s in spent.items() if s > deadline_of(how) + GRACE}
    assert late == {}


def test_attacks_from_a_plugin_end_and_harm_nobody(there):
    """One after the other: a plugin has one worker, and each attack ends it."""
    there.file("plugin/lao-plugin.toml", MANIFEST)
    there.file("plugin/src/attack/__init__.py", ATTACKS + PLUGIN)
    for command in (("add", "plugin"), ("trust", "attack", "--yes")):
        assert there("plugin", *command).code == 0
    steps = steps_of(PLUGIN_STEP, FROM_A_PLUGIN)
    failed, _ = carried_out(there, steps, 1)
    assert_all_ended_rightly(failed, FROM_A_PLUGIN)
