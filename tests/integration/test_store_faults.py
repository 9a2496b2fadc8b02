# SPDX-License-Identifier: Apache-2.0
"""Whatever happens to a run: nothing that was acknowledged is lost or done again.

A sample of what `python -m benchmarks.faults` does in full.
"""

import signal
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.fault_rig import (
    VICTIM,
    Case,
    Place,
    can_inject,
    faults,
    half_records,
    journal,
    made_up,
    run_undisturbed,
    survey,
    whole,
)

from lao.events import StepFinished

pytestmark = pytest.mark.linux


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """A run without any fault."""
    return run_undisturbed(tmp_path_factory.mktemp("undisturbed") / "run")


@pytest.fixture(scope="module")
def system_calls(tmp_path_factory):
    """What a run asks of the system for its store."""
    if not can_inject():
        pytest.skip("strace is missing or may not trace: no system call can fail here")
    return survey(tmp_path_factory.mktemp("survey") / "run")


def broken_by(cases, judge):
    """Judge some cases side by side; return what is wrong, by case."""
    with ThreadPoolExecutor(2) as pool:
        results = dict(zip(map(str, cases), pool.map(judge, cases), strict=True))
    return {case: wrong for case, wrong in results.items() if wrong}


# -- Faults of the system -------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",  # what happens, for good or once; and every how many-th call is tried
    [
        ("signal=SIGKILL", False, 37),
        ("error=ENOSPC", False, 47),
        ("error=ENOSPC", True, 59),
        ("error=EIO", False, 43),
        ("error=EIO", True, 53),
    ],
    ids=lambda fault: f"{fault[0].partition('=')[2]}{'-for-good' * fault[1]}",
)
def test_no_fault_of_the_system_breaks_a_promise(
    fault, system_calls, undisturbed, tmp_path
):
    act, lasts, every = fault
    chosen = [each for each in faults(system_calls, [act]) if each.lasts == lasts]

    def judge(fault):
        place = Place(tmp_path / f"{fault.call}-{fault.at}")
        return Case(place, place.break_down(fault), undisturbed).judge()

    assert broken_by(chosen[every // 2 :: every], judge) == {}


def test_the_faults_reach_every_file_of_the_store(system_calls):
    touched = {path.rpartition(".")[2] for _, path in system_calls}
    assert {"db", "db-wal", "db-shm", "lock", "part"} <= touched
    assert Counter(call for call, _ in system_calls)["pwrite64"] > 50


# -- Death ----------------------------------------------------------------------------


def test_a_run_killed_after_any_event_goes_on(undisturbed, tmp_path):
    def judge(told):
        place = Place(tmp_path / str(told))
        first = place.run("--kill-after", str(told))
        assert len(first.told) == told
        return Case(place, first, undisturbed).judge()

    last = len(undisturbed.ended.told)
    assert broken_by(range(1, last + 1, 5), judge) == {}


def test_a_run_killed_again_and_again_comes_to_its_end(undisturbed, tmp_path):
    place = Place(tmp_path / "run")
    killed = 0
    while not (ended := place.run("--kill-after", "8")).last:
        killed += 1
        assert killed < 20
    assert killed > 2
    assert ended.last["outputs"] == undisturbed.outputs
    assert place.calls.keys() == undisturbed.calls.keys()
    assert whole(place.folder / "data" / "lao.db") == []


# -- Torn files -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """A run that was killed close to its end, with all its records still in the log."""
    place = Place(tmp_path_factory.mktemp("killed") / "run")
    return place, place.run("--kill-after", "27")


def cuts(size, *, most=40):
    """Return places in a file: more and more of them towards its end."""
    near = {size - 1 - back for back in (0, 1, 23, 24, 25, 100, 4095, 4096, 4120)}
    return sorted(near | set(range(size // 4, size, size // most)))


@pytest.mark.parametrize("how", ["cut", "flipped", "zeroed"])
def test_a_torn_log_gives_less_and_never_something_else(how, killed, tmp_path):
    place, ended = killed
    log = (place.folder / "data" / "lao.db-wal").read_bytes()
    kept = []
    for at in cuts(len(log)):
        torn = {
            "cut": log[:at],
            "flipped": log[:at] + bytes([log[at] ^ 0x10]) + log[at + 1 :],
            "zeroed": log[:at] + bytes(len(log) - at),
        }[how]
        there = place.copy(f"{how}")
        (there.folder / "data" / "lao.db-wal").write_bytes(torn)
        database = there.folder / "data" / "lao.db"
        assert made_up(there, ended.told) == [], at
        assert whole(database) == [], at
        assert half_records(database, journal(there)) == [], at
        kept.append(len(list(journal(there))))
    assert kept == sorted(kept)
    assert kept[0] < kept[-1] <= len(ended.told)


@pytest.mark.parametrize("share", [0.4, 0.7, 0.95])
def test_a_run_with_a_torn_log_goes_on(share, killed, undisturbed):
    place, _ = killed
    there = place.copy(f"goes-on-{share}")
    log = there.folder / "data" / "lao.db-wal"
    with log.open("r+b") as file:
        file.truncate(int(log.stat().st_size * share))
    ended = there.run()
    assert ended.last["status"] == "done"
    assert ended.last["outputs"] == undisturbed.outputs
    assert whole(there.folder / "data" / "lao.db") == []


@pytest.mark.parametrize("how", ["cut", "zeroed"])
def test_a_torn_database_is_refused_or_right(how, undisturbed):
    place = undisturbed.place
    content = (place.folder / "data" / "lao.db").read_bytes()
    refused = 0
    for at in range(512, len(content), 4096):
        there = place.copy(how)
        torn = content[:at]
        if how == "zeroed":
            torn = content[: at - 512] + bytes(4096) + content[at - 512 + 4096 :]
        path = there.folder / "data" / "lao.db"
        path.write_bytes(torn)
        assert made_up(there, undisturbed.ended.told) == [], at
        if at % 12288 == 512:  # every third
            ended = there.run()
            refused += ended.code == 1
            right = ended.last.get("outputs") == undisturbed.outputs
            assert right or str(ended.last["code"]).startswith("store."), (at, ended)
    assert refused


# -- Time, and others -----------------------------------------------------------------


def test_a_clock_that_is_set_back_and_forward_changes_nothing(undisturbed, tmp_path):
    place = Place(tmp_path / "run")
    first = place.run("--jump", "--kill-after", "17")
    assert Case(place, first, undisturbed).judge("--jump") == []
    times = [each.time for each in journal(place)]
    assert times != sorted(times)


def started(place, *arguments):
    """Start a victim that takes its time."""
    place.folder.mkdir(exist_ok=True)
    return subprocess.Popen(
        [sys.executable, str(VICTIM), str(place.folder), "--pause", "0.05", *arguments],
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )


def both_ended(place, *arguments):
    """Run two victims on one store; return what each told at its end."""
    two = [started(place, *each) for each in arguments]
    return [victim.communicate(timeout=50)[0].splitlines()[-1] for victim in two]


def test_two_processes_make_a_result_that_both_need_once(undisturbed, tmp_path):
    place = Place(tmp_path / "run")
    ends = both_ended(place, ["--name", "one"], ["--name", "other"])
    assert ends[0] == ends[1]
    assert '"status": "done"' in ends[0]
    asked_twice = [name for name, count in place.calls.items() if count > 1]
    assert len(asked_twice) == 1  # the step with `cache: off`
    assert place.calls.keys() == undisturbed.calls.keys()
    assert whole(place.folder / "data" / "lao.db") == []


def test_two_processes_with_different_work_share_a_store(tmp_path):
    place = Place(tmp_path / "run")
    one, other = ["--name", "one"], ["--name", "other", "--text", "some other words"]
    ends = both_ended(place, one, other)
    assert all('"status": "done"' in end for end in ends)
    assert ends[0] != ends[1]
    assert max(place.calls.values()) == 1
    steps = Counter(
        each.run for each in journal(place) if isinstance(each.fact, StepFinished)
    )
    assert sorted(steps.values()) == [11, 11]
    assert whole(place.folder / "data" / "lao.db") == []


def test_who_waits_for_a_result_makes_it_when_the_other_is_killed(
    undisturbed, tmp_path
):
    place = Place(tmp_path / "run")
    dies = started(place, "--name", "one", "--kill-after", "9")
    assert dies.stdout.readline()
    waits = started(place, "--name", "other")
    dies.communicate(timeout=50)
    out, _ = waits.communicate(timeout=50)
    assert '"status": "done"' in out.splitlines()[-1]
    assert place.calls.keys() == undisturbed.calls.keys()


def test_a_run_that_goes_on_elsewhere_is_left_alone(tmp_path):
    place = Place(tmp_path / "run")
    with started(place) as busy:
        assert busy.stdout.readline()
        busy.send_signal(
            signal.SIGSTOP
        )  # so that it is not done before the other looks
        second = place.run()
        busy.send_signal(signal.SIGCONT)
        out, _ = busy.communicate(timeout=50)
    assert second.last == {"kind": "error", "code": "run.still-running"}
    assert '"status": "done"' in out.splitlines()[-1]
