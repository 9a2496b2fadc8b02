# SPDX-License-Identifier: Apache-2.0
"""kill -9 of each process of a run, at rest and at work: no orphan, and a clear end.

Who is who is seen by who started whom: the spawner is the child of `lao` that has
children, the broker the other one, and a worker is whatever runs at the end of a line
that begins at the spawner.
"""

import ctypes
import json
import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import pytest
from tests.e2e.fake_server import serving
from tests.e2e.running_lao import Lao, children_of, is_alive
from tests.fake_ollama import STREAM_HEAD, Act, done, lines, said, stream

pytestmark = pytest.mark.linux

SOON = 10.0
_PR_SET_CHILD_SUBREAPER = 36

# "At rest": the first model is loaded and idle, and the second step waits for its
# next try. "At work": the last step's model is in the middle of its answer.
WORKFLOW = """\
lao: 1
name: death
steps:
  - { id: first, model: { kind: custom, plugin: model.py, options: { n: 1 } }, prompt_template: "first" }
  - id: second
    model: { kind: custom, plugin: model.py, options: { n: 2, dies: true } }
    prompt_template: "second {{ first }}"
    retry: { attempts: 2, backoff: 400ms }
    on_error: { use: { kind: custom, plugin: model.py, options: { n: 1 } } }
  - { id: last, model: { kind: custom, plugin: model.py, options: { n: 1 } }, prompt_template: "last {{ second }}" }
  - id: served
    model: { kind: ollama, model: llama3.2 }
    prompt_template: "{{ last }}"
    timeout: 3s
    retry: { attempts: 2, backoff: 1ms }
outputs: { answer: "{{ last }}", served: "{{ served }}" }
"""
MODEL = """\
import os, time
from lao.workflow.inference import ModelDescription, ModelReply

class Mortal:
    def load(self, options): self.dies = options.get("dies", False)
    def describe(self): return ModelDescription(name="mortal")
    def infer(self, request, report):
        if self.dies:
            os._exit(1)
        if request.prompt.startswith("last"):
            report.text("working")
            time.sleep(0.5)
        return ModelReply(value=f"[{request.prompt}]", made_by="mortal")
"""
ANSWER = {"answer": "[last [second [first]]]", "served": "Hello"}


@pytest.fixture(autouse=True)
def family():
    """Make orphans ours, so that none can hide; give those that there were before."""
    libc = ctypes.CDLL(None)
    libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    before = children_of(os.getpid())
    yield before
    left = children_of(os.getpid()) - before
    libc.prctl(_PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)
    alive = list(filter(is_alive, left))
    for pid in alive:
        os.kill(pid, signal.SIGKILL)
    assert not alive


@pytest.fixture
def server():
    """A model server that takes a new connection for every request."""
    with serving() as fake:
        for path, (reply,) in tuple(fake.scripts.items()):
            fake.scripts[path] = [[*reply, Act.CLOSE]]
        yield fake


@pytest.fixture
def lao(tmp_path):
    """Return the `lao` command with a folder and a home of its own."""
    return Lao(folder=tmp_path)


@pytest.fixture
def temporary(lao):
    """The folder for temporary files, which must be as it was at the end."""
    folder = lao.folder / "temporary"
    folder.mkdir()
    yield folder
    assert list(folder.iterdir()) == []


@pytest.fixture
def there(lao, server, temporary):
    lao.file("model.py", MODEL)
    lao.file("w.yaml", WORKFLOW)
    return lao.having(LAO_ENDPOINT=str(server.endpoint), TMPDIR=str(temporary))


def at_rest(event: dict[str, object]) -> bool:
    return event["kind"] == "step-retried" and event["step"] == "second"


def at_work(event: dict[str, object]) -> bool:
    return event["kind"] == "text-produced" and event["step"] == "last"


def at_the_server(event: dict[str, object]) -> bool:
    return event["kind"] == "text-produced" and event["step"] == "served"


def people_of(lao_pid: int) -> dict[str, int]:
    """Tell who is who among the processes of a run."""
    helpers = sorted(_direct_children(lao_pid))
    spawner = next(pid for pid in helpers if _direct_children(pid))
    ends = [pid for pid in children_of(spawner) if not _direct_children(pid)]
    (broker,) = set(helpers) - {spawner}
    people = {"orchestrator": lao_pid, "broker": broker, "spawner": spawner}
    return people | {"worker": min(ends)}  # that of the first model


def _direct_children(pid: int) -> set[int]:
    found = set()
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            found |= set(map(int, task.read_text().split()))
    return found


def struck(lao, who, moment):
    """Run, kill somebody at that moment, and return how the run ended."""
    command = ("run", "w.yaml", "--events", "-")
    with lao.started(*command) as process:
        assert any(moment(json.loads(line)) for line in process.stdout), (
            process.communicate()
        )
        people = people_of(process.pid)
        bereft = children_of(people[who])
        os.kill(people[who], signal.SIGKILL)
        begun = time.monotonic()
        while any(map(is_alive, bereft)):
            assert time.monotonic() - begun < SOON, f"{who} left orphans"
        out, err = process.communicate(timeout=50)
    events = [json.loads(line) for line in out.splitlines()]
    failed = [each["code"] for each in events if each["kind"] == "step-failed"]
    return process.returncode, failed, err.decode()


@pytest.mark.parametrize("moment", [at_rest, at_work])
def test_a_run_whose_orchestrator_died_goes_on(there, family, moment):
    code, _, _ = struck(there, "orchestrator", moment)
    assert code == -signal.SIGKILL
    resumed = there("runs", "resume", "latest", "--json")
    assert resumed.code == 0, resumed.told
    assert resumed.report["outputs"] == ANSWER


def test_the_death_of_an_idle_worker_costs_nothing(there):
    code, failed, told = struck(there, "worker", at_rest)
    assert (code, failed) == (0, []), told


def test_the_death_of_a_worker_at_work_fails_its_step(there):
    code, failed, told = struck(there, "worker", at_work)
    assert (code, failed) == (3, ["worker.crashed"]), told
    assert "SIGKILL" in told


def test_the_death_of_the_spawner_at_rest_is_told_by_the_next_start(there):
    code, failed, told = struck(there, "spawner", at_rest)
    assert (code, failed) == (6, ["isolation.spawner-gone"]), told


def test_the_death_of_the_spawner_at_work_fails_the_step_at_work(there):
    code, failed, told = struck(there, "spawner", at_work)
    possible = {3: ["worker.crashed"], 6: ["isolation.spawner-gone"]}
    assert failed == possible.get(code), told


@pytest.mark.parametrize("moment", [at_rest, at_work])
def test_the_death_of_the_broker_is_told(there, moment):
    code, failed, told = struck(there, "broker", moment)
    assert (code, failed) == (6, ["isolation.broker-gone"]), told


def test_a_request_on_its_way_outlives_the_broker(there, server):
    slow = [STREAM_HEAD, *lines(said("Hel")), Act.HANG]
    server.scripts["/api/chat"] = [slow, stream(said("Hello"), done())]
    code, failed, told = struck(there, "broker", at_the_server)
    assert (code, failed) == (6, ["isolation.broker-gone"]), told
