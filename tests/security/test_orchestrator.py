# SPDX-License-Identifier: Apache-2.0
"""A locked orchestrator reaches nothing by itself, and goes on with what it had."""

import json
import os
import platform
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from msgspec.structs import replace

from lao.errors import LaoError
from lao.isolation.bpf import Filter
from lao.isolation.landlock import network_ruleset
from lao.isolation.levels import look
from lao.isolation.seccomp import deny_filter
from lao.isolation.self_lock import SelfLock, lock_self, told

pytestmark = [
    pytest.mark.linux,
    pytest.mark.skipif(not look().seccomp, reason="the layer seccomp is missing"),
    # Libraries that other tests import start threads; a fork here needs none of them.
    pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning"),
]

ROOT = Path(__file__).parents[2]
needs_landlock = pytest.mark.skipif(
    look().landlock_abi < 4, reason="the layer Landlock (ABI 4) is missing"
)
needs_root = pytest.mark.skipif(
    os.geteuid() != 0, reason="only root can become somebody else"
)
CAN_FAIL_ANYWAY = {"packet", "ring", "fast_open"}  # rights, or a setting of the system


@pytest.fixture(scope="module")
def bait():
    """A unix socket that everybody may connect to."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as door:
        path = Path(folder, "bait")
        door.bind(str(path))
        door.listen()
        Path(folder).chmod(0o755)
        path.chmod(0o777)
        yield str(path)


def locking_itself(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "tests.security.locking_itself", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.fixture(
    scope="module",
    params=[
        pytest.param("nothing", id="as it is"),
        pytest.param("root", id="an ordinary user", marks=needs_root),
        pytest.param("landlock", id="without Landlock"),
    ],
)
def locked(request, bait):
    """What a process found that locked itself; and whether Landlock was there."""
    ended = locking_itself(bait, request.param)
    assert ended.returncode == 0, ended.stderr
    has_landlock = request.param != "landlock" and look().landlock_abi >= 4
    return json.loads(ended.stdout), has_landlock


def test_whatever_was_possible_before_the_lock_is_not_after_it(locked):
    found, _ = locked
    failed = {name for name, came in found["before"].items() if came != "done"}
    assert failed <= CAN_FAIL_ANYWAY, "an attempt that never works proves nothing"
    expected = dict.fromkeys(found["after"], "EPERM") | {"ring": "ENOSYS"}
    assert found["after"] == expected


def test_it_goes_on_with_what_it_had(locked):
    found, _ = locked
    assert found["works"] == {
        "answered": "HELLO",
        "thread": True,
        "sqlite": 2,
        "terminal": True,
        "name": "gaierror",
        "files": True,
    }


@pytest.mark.parametrize("process", ["broker", "orchestrator"])
def test_it_says_what_it_proved_and_no_more(locked, process):
    found, has_landlock = locked
    level, layers = found["proofs"][process]
    assert level == ("L2" if has_landlock else "L1")
    assert layers == {
        "no_new_privs": True,
        "undumpable": True,
        "no_capabilities": True,
        "landlock": look().landlock_abi if has_landlock else 0,
        "seccomp": True,
    }


@pytest.mark.skipif(platform.machine() != "x86_64", reason="x32 is a part of x86-64")
def test_another_table_of_system_calls_ends_it(bait):
    assert locking_itself(bait, "x32").returncode == -signal.SIGSYS


# -- a lock that fails --------------------------------------------------


def locked_in_a_fork(lock):
    """Return what a lock says in a process of its own, which it is put on."""
    ours, theirs = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            said = told(lock_self(lock))
        except LaoError as failure:
            said = told(failure)
        finally:
            os.write(theirs, said)
            os._exit(0)
    os.waitpid(pid, 0)
    os.close(theirs)
    with os.fdopen(ours, "rb") as reader:
        return reader.read().decode()


def nothing_refused():
    arch = look().arch
    return SelfLock(
        process="test",
        ruleset=network_ruleset(abi=0),
        filter=deny_filter([], arch=arch),
        refused_by_filter=(lambda: None,),
    )


def test_a_lock_that_does_not_hold_is_told():
    said = locked_in_a_fork(nothing_refused())
    assert "the layer 'seccomp' of the test does not hold" in said


def test_a_lock_that_the_kernel_does_not_take_is_told():
    broken = replace(nothing_refused(), filter=Filter(code=bytes(8)))
    assert "the layer 'seccomp' of the test failed" in locked_in_a_fork(broken)


@needs_landlock
def test_a_ruleset_that_does_not_hold_is_told():
    ruleset = network_ruleset(abi=look().landlock_abi)
    loose = replace(
        nothing_refused(), ruleset=ruleset, refused_by_ruleset=(socket.socket,)
    )
    assert "the layer 'landlock' of the test does not hold" in locked_in_a_fork(loose)
