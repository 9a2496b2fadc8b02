# SPDX-License-Identifier: Apache-2.0
"""The processes of a confined command: locked, told of each other's end, never orphans."""

import json
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lao.isolation.confinement import unconfined
from lao.isolation.levels import look, probe

pytestmark = [
    pytest.mark.linux,
    pytest.mark.skipif(not look().seccomp, reason="the layer seccomp is missing"),
]

ROOT = Path(__file__).parents[2]


class Obedient:
    """A confined process, its helpers, and the workers that they started."""

    def __init__(self, process):
        self._process = process
        self.ids = self.heard()

    def heard(self):
        return json.loads(self._process.stdout.readline())

    def say(self, *words):
        for word in words:
            self._process.stdin.write(f"{word}\n")
            self._process.stdin.flush()
        return [self.heard() for _ in words]

    def kill(self, name):
        os.kill(self.ids[name], signal.SIGKILL)

    def interrupt(self):
        os.killpg(self.ids["orchestrator"], signal.SIGINT)
        return self.leave()

    def leave(self):
        self._process.stdin.close()
        return self._process.wait(10)

    def everybody(self):
        return [*self.ids.values(), *descendants(self.ids["orchestrator"])]


@pytest.fixture
def obedient():
    """A confined process that obeys, and must leave nobody behind."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        endpoint = f"http://127.0.0.1:{listener.getsockname()[1]}"
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.security.obeying_lines", endpoint],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        with process:
            try:
                yield Obedient(process)
            finally:
                process.kill()


def parents():
    """Return the parent of each process there is, but for those that are over."""
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            _, _, rest = stat.read_text().rpartition(")")
        except OSError:
            continue
        state, parent, *_ = rest.split()
        if state != "Z":
            found[int(stat.parent.name)] = int(parent)
    return found


def descendants(pid):
    found, all_parents = [], parents()
    for child, parent in all_parents.items():
        if parent == pid:
            found += [child, *descendants(child)]
    return found


def are_gone(pids, *, within=10.0):
    """Wait for the end of processes."""
    until = time.monotonic() + within
    while time.monotonic() < until:
        if not parents().keys() & set(pids):
            return True
        time.sleep(0.01)
    return False


def status_of(pid):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines)


def test_every_process_of_a_command_is_locked(obedient):
    assert obedient.say("connect", "ask") == ["done", "done"]
    helper_ids, worker = obedient.ids, max(descendants(obedient.ids["spawner"]))
    for pid in (*helper_ids.values(), worker):
        status = status_of(pid)
        assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
    for helper in ("broker", "spawner"):
        assert (
            os.getsid(helper_ids[helper]) == helper_ids[helper]
        )  # out of reach of Ctrl-C
    everybody = obedient.everybody()
    assert obedient.leave() == 0
    assert are_gone(everybody)


def test_a_killed_broker_is_told_and_harms_nobody_else(obedient):
    assert obedient.say("connect", "begin") == ["done", "begun"]
    obedient.kill("broker")
    assert obedient.say("connect", "connect") == ["isolation.broker-gone"] * 2
    assert obedient.say("ask") == ["done"]
    everybody = obedient.everybody()
    assert obedient.leave() == 0
    assert are_gone(everybody)


@pytest.mark.parametrize("word", ["ask", "begin"], ids=["at rest", "mid-request"])
def test_a_killed_spawner_takes_its_workers_with_it_and_is_told(obedient, word):
    obedient.say(word)
    workers = descendants(obedient.ids["spawner"])
    assert workers
    obedient.kill("spawner")
    assert are_gone(workers)
    if word == "begin":
        # What is noticed first: the end of the worker, or that of the spawner.
        assert obedient.say("end")[0] in {"worker.crashed", "isolation.spawner-gone"}
    assert obedient.say("ask", "ask", "connect") == [
        "isolation.spawner-gone",
        "isolation.spawner-gone",
        "done",
    ]
    assert obedient.leave() == 0


@pytest.mark.parametrize("word", ["ask", "begin"], ids=["at rest", "mid-request"])
def test_a_killed_orchestrator_leaves_nobody_behind(obedient, word):
    obedient.say(word)
    everybody = obedient.everybody()
    assert len(everybody) > 3
    obedient.kill("orchestrator")
    assert are_gone(everybody)


def test_an_interrupted_orchestrator_leaves_nobody_behind(obedient):
    obedient.say("begin")
    everybody = obedient.everybody()
    assert obedient.interrupt() == 130
    assert are_gone(everybody)


# -- the start -------------------------------------------------------------------

PRELUDE = """
import json, os, socket, threading
from lao.errors import LaoError
from lao.isolation import confinement
from lao.isolation.levels import Machine
from lao.policy import LoopbackEndpoint
from tests.security.test_confinement import descendants, parents
ENDPOINT = LoopbackEndpoint("http://127.0.0.1:1")
"""


def outcome_of(script):
    """Run a script in a process of one thread, which this one may not be."""
    ended = subprocess.run(
        [sys.executable, "-c", PRELUDE + script],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


@pytest.mark.parametrize("failure", ["KeyboardInterrupt()", "LaoError('x.y', 'z')"])
def test_a_start_that_fails_half_way_leaves_nobody_behind(failure):
    script = """
helpers = []
def fail(machine):
    helpers.extend(pid for pid, parent in parents().items() if parent == os.getpid())
    raise FAILURE
confinement.lock_this_process = fail
try:
    with confinement.confine(endpoints=(ENDPOINT,), programs=()):
        pass
except (KeyboardInterrupt, LaoError) as failure:
    print(json.dumps([len(helpers), descendants(os.getpid()), type(failure).__name__]))
"""
    found = outcome_of(script.replace("FAILURE", failure))
    assert found == [2, [], failure.partition("(")[0]]


def test_a_process_of_several_threads_is_refused():
    script = """
over = threading.Event()
threading.Thread(target=over.wait).start()
try:
    with confinement.confine(endpoints=(), programs=()):
        pass
except LaoError as refusal:
    print(json.dumps(refusal.code))
finally:
    over.set()
"""
    assert outcome_of(script) == "isolation.threads"


def test_a_system_that_can_lock_nothing_is_refused_unless_that_is_accepted():
    script = """
nothing = Machine(arch=None, landlock_abi=0, seccomp=False, bwrap=None)
confinement.foresee = lambda: nothing
try:
    with confinement.confine(endpoints=(ENDPOINT,), programs=()):
        pass
except LaoError as refusal:
    code = refusal.code
with confinement.confine(endpoints=(ENDPOINT,), programs=(), accept_none=True) as given:
    socket.socket().close()  # it is not locked
    print(json.dumps([code, given.proof.level, given.connect]))
"""
    assert outcome_of(script) == ["isolation.none", "L0", None]


def test_a_command_without_endpoints_connects_to_nothing():
    script = """
import asyncio
with confinement.confine(endpoints=(), programs=()) as given:
    try:
        asyncio.run(given.connect(ENDPOINT))
    except LaoError as refusal:
        helpers = len(descendants(os.getpid()))
        print(json.dumps([refusal.code, helpers, given.launcher.machine.level]))
"""
    level = probe().level
    assert outcome_of(script) == ["policy.endpoint-not-in-plan", 1, level]


def test_a_process_is_locked_only_once():
    script = """
with confinement.confine(endpoints=(), programs=()):
    try:
        with confinement.confine(endpoints=(ENDPOINT,), programs=()):
            pass
    except LaoError as refusal:
        print(json.dumps(refusal.code))
"""
    assert outcome_of(script) == "isolation.start-failed"


def test_a_socket_that_somebody_left_open_does_not_outlive_the_lock():
    """A datagram socket sends wherever it is told to: there is nothing to connect."""
    script = """
import errno, fcntl
left = fcntl.fcntl(socket.socket(type=socket.SOCK_DGRAM), fcntl.F_DUPFD, 99)
kept, _ = os.pipe()
with confinement.confine(endpoints=(), programs=()):
    os.fstat(kept)
    try:
        socket.socket(fileno=left).sendto(b"x", ("127.0.0.1", 9))
    except OSError as error:
        print(json.dumps(errno.errorcode[error.errno]))
"""
    assert outcome_of(script) == "EBADF"


def test_no_core_is_written_and_no_collector_of_cores_is_called():
    """A limit of 0 stops the file alone; the kernel's own word for neither is 1."""
    script = """
import resource
with confinement.confine(endpoints=(), programs=()):
    print(json.dumps(resource.getrlimit(resource.RLIMIT_CORE)))
"""
    had = resource.getrlimit(resource.RLIMIT_CORE)[1]
    assert outcome_of(script) == ([0, 0] if had == 0 else [1, 1])


def test_a_process_that_is_not_laos_is_left_as_it_is():
    given = unconfined()
    assert (given.connect, given.proof) == (None, None)
    assert given.launcher.machine.level == probe().level
