# SPDX-License-Identifier: Apache-2.0
"""A secret of the environment stays there; no list of processes shows what was said."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.e2e.running_lao import Lao, children_of

pytestmark = pytest.mark.linux

SECRET = "hunter2-of-the-environment"  # noqa: S105  (a canary)
SAID = "said-through-a-file"
WORKFLOW = """\
lao: 1
name: curious
inputs: { text: { type: text } }
steps:
  - id: told
    model: { kind: custom, plugin: "curious.py" }
    prompt_template: "{{ inputs.text }}"
    output: json
"""
MODEL = """\
import os, resource, sys, time
from pathlib import Path
from lao.workflow.inference import ModelDescription, ModelReply

class Curious:
    def load(self, options): pass
    def describe(self): return ModelDescription(name="curious")
    def infer(self, request, report):
        report.text("look now")
        time.sleep(0.5)
        read = [Path("/proc/self", each).read_bytes() for each in ("environ", "cmdline")]
        told = [dict(os.environ), sys.argv, sys.orig_argv, sys.path, repr(read)]
        cores = resource.getrlimit(resource.RLIMIT_CORE)
        return ModelReply(value={"told": told, "cores": cores}, made_by="curious")
"""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What there was to see of one run, from inside a worker and from outside."""

    worker: dict
    events: str
    notes: str
    commands: dict
    cores: dict
    kept: list


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """Run a model that looks around, with a secret in the environment."""
    lao = Lao(folder=tmp_path_factory.mktemp("secrets"))
    lao.file("w.yaml", WORKFLOW)
    lao.file("curious.py", MODEL)
    lao.file("said.txt", SAID)
    there = lao.having(OLLAMA_API_KEY=SECRET, HF_TOKEN=SECRET, LAO_DEBUG="1")
    events = []
    cores = ("/bin/sh", "-c", 'ulimit -c unlimited; exec "$@"', "sh")
    arguments = ("run", "w.yaml", "-v", "--input", "@said.txt", "--events", "-")
    with there.started(*arguments, prefix=cores) as process:
        for line in process.stdout:
            events.append(line.decode())
            if json.loads(line)["kind"] == "text-produced":
                break
        below = sorted(children_of(process.pid))
        commands = {pid: read(pid, "cmdline") for pid in below}
        cores = {pid: limit_of_cores(pid) for pid in (process.pid, *below)}
        rest, err = process.communicate(timeout=50)
    assert process.returncode == 0, err
    return Seen(
        worker=json.loads(rest.splitlines()[-1])["outputs"]["told"],
        events="".join(events) + rest.decode(),
        notes=err.decode(),
        commands=commands,
        cores=cores,
        kept=[path for path in (lao.folder / "home").rglob("*") if path.is_file()],
    )


def read(pid, name):
    return Path(f"/proc/{pid}/{name}").read_bytes().decode()


def limit_of_cores(pid):
    line = next(each for each in read(pid, "limits").splitlines() if "core" in each)
    return line.split()[-3]


def test_a_worker_has_nothing_of_the_environment(seen):
    environment, *_ = seen.worker["told"]
    assert SECRET not in json.dumps(seen.worker)
    assert not [name for name in environment if name.startswith(("LAO", "OLLAMA"))]
    assert not {"HF_TOKEN", "USER", "SHELL", "PYTHONPATH"}.intersection(environment)


def test_no_event_note_or_kept_file_holds_the_secret(seen):
    assert SECRET not in seen.events + seen.notes
    assert seen.kept
    for path in seen.kept:
        assert SECRET.encode() not in path.read_bytes()


def test_no_list_of_processes_shows_the_secret_or_what_was_said(seen):
    assert seen.commands
    for command in seen.commands.values():
        assert SECRET not in command
        assert SAID not in command
    assert SAID not in json.dumps(seen.worker)


def test_no_process_of_a_run_leaves_its_memory_behind(seen):
    assert seen.worker["cores"] == [1, 1]
    assert set(seen.cores.values()) == {"1"}, seen.cores
