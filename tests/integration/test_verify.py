# SPDX-License-Identifier: Apache-2.0
"""`lao verify`: the command, the world it makes, and children that attempts end."""

import json
import os
import sys
from dataclasses import replace

import pytest
from tests.running_lao import Lao

from lao.isolation.levels import look
from lao.verify.catalogue import CATALOGUE
from lao.verify.children import run_in_child
from lao.verify.world import VARIABLE, open_world

pytestmark = pytest.mark.skipif(
    look().level == "L0", reason="this system can lock nothing"
)
NAMES = ("write-into-a-file", "make-a-file", "udp-over-ipv4", "kill")


@pytest.fixture
def lao(tmp_path) -> Lao:
    return Lao(tmp_path)


def test_a_quick_proof_holds_and_says_so_in_plain_text(lao):
    ended = lao("verify", "--quick")

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "promises held" in ended.stdout
    assert "your own model server" in " ".join(ended.stdout.split())
    assert "\x1b" not in ended.stdout
    assert ended.stderr == ""


def test_a_terminal_shows_the_same_and_what_is_under_way(lao):
    code, shown = lao.on_terminal("verify", "--quick", COLUMNS="80", NO_COLOR="1")

    assert code == 0
    assert "trying: a worker" in shown
    assert "\x1b" not in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_verify_leaves_nothing_behind(lao, tmp_path):
    folder = tmp_path / "tmp"
    folder.mkdir()
    ended = lao("verify", "--quick", "--json", TMPDIR=str(folder))

    assert json.loads(ended.stdout)["holds"] is True
    assert list(folder.iterdir()) == []
    assert sorted(tmp_path.iterdir()) == [folder]


def test_the_world_sees_what_happens_to_it():
    names = tuple(each.name for each in CATALOGUE if each.name in NAMES)
    with open_world() as world:
        bait = world.lay_out("control", names)
        listing = run_in_child(world, bait, names)
        touched = world.touched(bait)

    assert {
        name for name, outcome in listing.outcomes.items() if outcome.succeeded
    } == {*NAMES}
    assert touched == {*NAMES, "the witness"} - {"kill"}


def test_the_world_sees_nothing_where_nothing_happens():
    with open_world() as world:
        bait = world.lay_out("worker", NAMES)

        assert world.touched(bait) == frozenset()


def test_what_may_be_inherited_is_gone_with_the_world():
    with open_world() as world:
        assert VARIABLE in os.environ  # noqa: TID251
        assert os.get_inheritable(world.open_file)

    assert VARIABLE not in os.environ  # noqa: TID251
    with pytest.raises(OSError, match="descriptor"):
        os.fstat(world.open_file)


def test_attempts_go_on_after_one_that_ends_the_process(monkeypatch):
    """Where forking is refused, the process itself is what an attempt ends."""
    names = ("udp-over-ipv4", "i386-calls", "udp-over-ipv6")
    with open_world() as world:
        bait = world.lay_out("orchestrator", names)
        listing = run_in_child(world, bait, names, lock="orchestrator")

    assert listing.missing == ()
    assert {each.succeeded for each in listing.outcomes.values()} == {False}
    if look().arch == "x86_64":
        assert listing.outcomes["i386-calls"].errno == "SIGSYS"


def test_a_child_that_cannot_begin_leaves_the_attempts_open(monkeypatch):
    names = ("udp-over-ipv4",)
    with open_world() as world:
        bait = world.lay_out("control", names)
        monkeypatch.setattr(sys, "executable", "/bin/false")
        listing = run_in_child(world, replace(bait), names)

    assert listing.missing == names
