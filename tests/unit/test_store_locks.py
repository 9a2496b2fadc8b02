# SPDX-License-Identifier: Apache-2.0
"""Locks of bytes: one holder each, until it lets go or dies."""

import errno
import fcntl
import os
import subprocess
import sys

import pytest

from lao.errors import StoreError
from lao.store.locks import CREATION, Locks, ProcessLocks, byte_of

HOLD = """
import sys
from pathlib import Path
from lao.store import locks
held = getattr(locks, sys.argv[1])(Path(sys.argv[2]))
print(held.acquire(7), flush=True)
sys.stdin.readline()
"""


@pytest.mark.parametrize(
    "kind", [pytest.param(Locks, marks=pytest.mark.linux), ProcessLocks]
)
def test_a_byte_is_held_until_its_holder_dies(tmp_path, kind):
    path = tmp_path / "locks"
    mine = kind(path)
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, kind.__name__, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:
        assert other.stdout.readline() == b"True\n"
        assert (mine.acquire(7), mine.is_held_elsewhere(7)) == (False, True)
        assert (mine.acquire(8), mine.is_held_elsewhere(9)) == (True, False)
        other.kill()
        other.wait()
        mine.wait_for(7)
        assert mine.acquire(7)
        mine.release(7)
        assert not mine.is_held_elsewhere(7)
    mine.close()
    mine.close()
    mine.release(8)


@pytest.mark.linux
def test_two_in_one_process_keep_each_other_out(tmp_path):
    first, second = Locks(tmp_path / "locks"), Locks(tmp_path / "locks")
    assert first.acquire(1)
    assert (second.acquire(1), second.is_held_elsewhere(1)) == (False, True)
    second.close()  # which would free the first one's, were they the process'
    assert not Locks(tmp_path / "locks").acquire(1)
    first.close()


def test_keys_and_runs_have_bytes_of_their_own():
    bytes_of_keys = {byte_of(key) for key in ("", "a", "b", "\udcff", "a" * 64)}
    assert len(bytes_of_keys) == 5
    assert min(bytes_of_keys) > 1 << 60 > CREATION
    assert max(bytes_of_keys) < 1 << 63


def failing(*_):
    raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))


def test_a_system_without_locks_is_told_of_and_letting_go_never_fails(
    tmp_path, monkeypatch
):
    locks = Locks(tmp_path / "lock")
    assert locks.acquire(7)
    monkeypatch.setattr(fcntl, "fcntl", failing)  # no system here lacks locks
    for act in (locks.acquire, locks.wait_for, locks.is_held_elsewhere):
        with pytest.raises(StoreError, match=r"store\.no-locks"):
            act(7)
    locks.release(7)
    locks.close()
