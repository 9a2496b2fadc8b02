# SPDX-License-Identifier: Apache-2.0
"""Every attempt of the catalogue, in every kind of process, at every level of this machine.

`lao verify` itself is what runs them, so that what is tested is what users get. A last
part weakens the lock by a hair, and the same machinery has to notice.
"""

import json
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from lao.isolation import launching, refusals
from lao.isolation.launching import ChildLauncher
from lao.isolation.levels import Machine, probe
from lao.policy import Proof
from lao.verify.catalogue import CATALOGUE
from lao.verify.children import run_in_child
from lao.verify.proving import judged
from lao.verify.workers import run_in_worker
from lao.verify.world import open_world

# Minutes on a machine that is busy: each proof makes hundreds of attempts.
pytestmark = pytest.mark.timeout(300)

WITHHELD = Path(__file__).with_name("withheld.py")
VERIFY = (sys.executable, "-m", "lao", "verify", "--json")
USER = ("unshare", "--user", "--map-user=1001", "--map-group=1001")
KINDS = {"worker", "server", "program", "orchestrator", "broker", "spawner"}
METADATA = {"size-of-a-file", "target-of-a-link"}
FILES = {"read-a-file", "write-into-a-file", "list-a-folder", "remove-a-file"}
ALWAYS_SHOWN = {
    "tcp-over-ipv4",
    "udp-over-ipv4",
    "unix-stream",
    "io-uring-setup",
    "new-namespaces",
    "fork",
    "kill",
    "read-a-file",
    "write-into-a-file",
    "environment-of-another",
    "inherited-file",
    "inherited-variable",
    "many-open-files",
    "many-threads",
}


def require(level):
    """Skip what this machine cannot reach; say which layer is missing."""
    machine = probe()
    missing = {
        "a seccomp filter": machine.seccomp,
        "Landlock 4 or newer": machine.landlock_abi >= 4 or level == "L1",
        "bubblewrap with namespaces": machine.bwrap is not None or level != "L3",
    }
    for layer, there in missing.items():
        if not there:
            pytest.skip(f"this machine has no {layer}")


@cache
def verified(*prefix, options=()):
    """Run `lao verify`, once for all tests that look at the same run."""
    command = [*prefix, *VERIFY, *options]
    ended = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=250
    )
    assert ended.stdout, ended.stderr
    return {**json.loads(ended.stdout), "code": ended.returncode}


def as_user():
    require("L3")
    trial = [*USER, "true"]
    if not shutil.which("unshare") or subprocess.run(trial, check=False).returncode:
        pytest.skip("this machine has no user namespaces for this user")
    return verified(*USER)


def without(*layers, options=()):
    prefix = (sys.executable, str(WITHHELD), *layers, "--")
    return verified(*prefix, options=options)


def names(found, verdict):
    return {each["attempt"] for each in found["findings"] if each["verdict"] == verdict}


def shown(found):
    return {
        name
        for name, outcome in found["controls"]["outcomes"].items()
        if outcome["succeeded"]
    }


@pytest.mark.parametrize("whose", ["own", "user"])
def test_a_sealed_machine_lets_nothing_through(whose):
    require("L3")
    found = verified() if whose == "own" else as_user()

    assert (found["level"], found["code"], found["holds"]) == ("L3", 0, True)
    assert names(found, "open") | names(found, "left open") == set()
    assert {each["kind"] for each in found["findings"]} == KINDS


@pytest.mark.parametrize("whose", ["own", "user"])
def test_the_controls_succeed_where_nothing_is_locked(whose):
    require("L3")
    found = verified() if whose == "own" else as_user()

    assert shown(found) >= ALWAYS_SHOWN
    assert len(shown(found)) >= 0.75 * len(CATALOGUE)
    assert {each["attempt"] for each in found["findings"]} >= shown(found)


def test_a_machine_without_namespaces_leaves_open_only_what_it_says():
    require("L2")
    found = without("namespaces")

    assert (found["level"], found["code"], found["holds"]) == ("L2", 0, True)
    assert names(found, "open") == set()
    assert names(found, "left open") == METADATA
    assert shown(found) >= ALWAYS_SHOWN - {"new-namespaces"}


def test_landlock_holds_the_files_where_there_are_no_namespaces():
    require("L2")
    held = {
        (each["attempt"], each["kind"]): each["layer"]
        for each in without("namespaces")["findings"]
        if each["attempt"] in FILES
    }

    assert set(held.values()) == {"landlock"}
    assert len(held) == len(FILES) * 3


def test_a_machine_without_landlock_keeps_the_network_closed_and_says_what_is_open():
    require("L1")
    found = without("landlock", "namespaces", options=("--quick",))
    left = {
        e["attempt"]: e["area"]
        for e in found["findings"]
        if e["verdict"] == "left open"
    }

    assert (found["level"], found["code"]) == ("L1", 0)
    assert names(found, "open") == set()
    assert set(left) >= FILES | METADATA
    assert not set(left.values()) & {"network", "unix sockets"}


def test_each_layer_that_is_in_force_holds_something():
    require("L3")
    layers = {each["layer"] for each in verified()["findings"]}
    layers |= {each["layer"] for each in without("namespaces")["findings"]}

    assert layers >= {"seccomp", "landlock", "namespaces", "limits", "launch"}
    assert "something else" not in layers


async def attempted(machine, wanted):
    """Make some attempts in a worker; judge them as if the lock were as it should be."""
    attempts = [each for each in CATALOGUE if each.name in wanted]
    claimed = Proof(level="L2", layers={"seccomp": True, "landlock": 7})
    launcher = ChildLauncher(machine, accept_none=True)
    with open_world() as world:
        control = world.lay_out("control", wanted)
        controls = run_in_child(world, control, wanted).outcomes
        bait = world.lay_out("worker", wanted)
        listing, _ = await run_in_worker(launcher, "worker", bait, wanted)
        touched = world.touched(bait)
    outcomes = (controls, listing.outcomes)
    found = judged("worker", attempts, outcomes, claimed, touched)
    return {each.attempt: each.verdict for each in found}


async def test_a_worker_without_a_filter_is_found_out():
    require("L2")
    whole = probe()
    open_machine = Machine(
        arch=whole.arch, landlock_abi=whole.landlock_abi, seccomp=False, bwrap=None
    )
    wanted = ("udp-over-ipv4", "unix-stream", "fork", "change-the-mode", "read-a-file")

    assert await attempted(open_machine, wanted) == {
        **dict.fromkeys(wanted, "open"),
        "read-a-file": "held",
    }


async def test_a_worker_without_a_ruleset_is_found_out():
    require("L1")
    open_machine = Machine(arch=probe().arch, landlock_abi=0, seccomp=True, bwrap=None)
    wanted = (*FILES, "udp-over-ipv4")

    assert await attempted(open_machine, wanted) == {
        **dict.fromkeys(FILES, "open"),
        "udp-over-ipv4": "held",
    }


async def test_one_forgotten_call_is_found_out(monkeypatch):
    require("L2")
    forgotten = ("chmod", "fchmodat")
    rules = {k: v for k, v in refusals.METADATA.items() if k not in forgotten}
    monkeypatch.setattr(refusals, "METADATA", rules)
    found = await attempted(without_bwrap(), ("change-the-mode", "change-the-owner"))

    assert found == {"change-the-mode": "open", "change-the-owner": "held"}


async def test_one_path_too_many_is_found_out(monkeypatch):
    require("L2")
    paths = launching.interpreter_paths()
    monkeypatch.setattr(launching, "interpreter_paths", lambda: (*paths, "/tmp"))  # noqa: S108
    found = await attempted(without_bwrap(), ("read-a-file", "write-into-a-file"))

    assert found == {"read-a-file": "open", "write-into-a-file": "held"}


def without_bwrap():
    whole = probe()
    return Machine(
        arch=whole.arch,
        landlock_abi=whole.landlock_abi,
        seccomp=whole.seccomp,
        bwrap=None,
    )
