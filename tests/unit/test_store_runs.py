# SPDX-License-Identifier: Apache-2.0
"""Runs: entering, carrying out, taking over, finding, listing and removing them."""

import time

import pytest

from lao.errors import StoreError, UsageError
from lao.events import (
    Event,
    ItemFinished,
    RunFinished,
    RunStarted,
    StepFinished,
    StepStarted,
)
from lao.roles import KnownResult
from lao.store.opening import open_store
from lao.store.runs import NewRun, Removed, RunOrder
from lao.workflow.values import FileValue


@pytest.fixture
def store(tmp_path):
    with open_store(tmp_path) as store:
        yield store


@pytest.fixture
def other(store, tmp_path):
    """Return another store on the same folder, as another process would have."""
    with open_store(tmp_path) as other:
        yield other


def begun(store, run="r", **more):
    return store.runs.begin(NewRun(id=run, **{"workflow": "w", "started": 1.0} | more))


def batch_of(store, count, **more):
    batch = begun(store, "batch", kind="batch")
    for position in range(1, count + 1):
        begun(
            store,
            f"item{position}",
            kind="item",
            batch=batch.row,
            position=position,
            key=f"in/{position}.wav",
            output=f"{position}.txt",
        )
    return batch


async def ended(store, run, status="done", sequence=1):
    await store.runs.append(Event(run, sequence, 9.0, RunFinished(status=status)))
    store.runs.release(run)
    return store.runs.find(run)


def complaint(act, *arguments):
    with pytest.raises(UsageError) as refused:
        act(*arguments)
    return refused.value.code


# -- entering and ending


def test_what_a_run_was_asked_to_do_is_kept(store):
    order = RunOrder(
        workflow="steps: []\n" * 20_000,
        base="/home/me",
        source="w.yaml",
        flags={"refresh": ["a"], "no_cache": True},
    )
    inputs = {"a": FileValue("/x.wav", "audio"), "b": {"$c": [1, None]}, "$d": "x"}
    files = {"/caf\udce9.wav": "00" * 32}
    run = begun(store, order=order, inputs=inputs, files=files, source="/caf\udce9")

    assert (store.runs.order(run), store.runs.inputs(run)) == (order, inputs)
    assert (store.runs.files(run), store.runs.find("r").source) == (files, "/caf\udce9")
    store.runs.set_files(run, {"/y": "11"})
    assert store.runs.files(run) == {"/y": "11"}


def test_a_run_may_keep_no_order(store):
    assert store.runs.order(begun(store)) is None


async def test_a_run_ends_with_its_last_fact(store):
    run = begun(store, workflow="notes", started=5.0)
    assert (run.name, run.status, run.ended) == ("1", "running", None)

    await store.runs.append(Event("r", 1, 6.0, RunStarted(workflow="w", steps=("a",))))
    await store.runs.append(Event("r", 2, 7.0, StepFinished(step="a", value=1)))
    last = RunFinished(status="failed", seconds=2.5)
    await store.runs.append(Event("r", 3, 8.0, last))
    run = store.runs.find("r")

    assert (run.status, run.workflow, run.started) == ("failed", "notes", 5.0)
    assert (run.ended, run.seconds, run.steps, run.steps_done) == (8.0, 2.5, 1, 1)


async def test_clocks_that_jump_change_no_order(store):
    for number, started in enumerate([9e9, -9e9, 0.0]):
        begun(store, f"r{number}", started=started)
    for sequence, when in enumerate([5e9, -5e9], 1):
        await store.runs.append(Event("r0", sequence, when, StepStarted(step="a")))
    store.runs.release("r0")

    assert [run.id for run in store.runs.listed()] == ["r2", "r1", "r0"]
    assert [each.time for each in await store.runs.events("r0")] == [5e9, -5e9]


def test_an_id_is_given_once(store):
    begun(store)
    with pytest.raises(StoreError):
        begun(store)
    assert begun(store, "other").number == 2
    assert store.runs.find("r").status == "running"


async def test_a_number_is_never_given_again(store):
    for run in ("a", "b"):
        begun(store, run)
        store.runs.remove([await ended(store, run)])
    assert begun(store, "c").number == 3


# -- interrupted and taken over


async def test_a_run_that_was_let_go_before_its_end_is_interrupted(store, other):
    begun(store)
    assert other.runs.find("r").status == "running"
    await store.runs.append(Event("r", 1, 1.0, StepStarted(step="a")))
    store.runs.release("r")
    store.runs.release("r")

    assert [s.runs.find("r").status for s in (store, other)] == ["interrupted"] * 2
    assert len(await other.runs.events("r")) == 1


async def test_an_interrupted_run_is_taken_over_by_one(store, other):
    run = begun(store)
    assert complaint(other.runs.take_over, run) == "run.still-running"
    assert complaint(store.runs.take_over, run) == "run.still-running"
    store.runs.release("r")
    other.runs.take_over(run)
    assert complaint(store.runs.take_over, run) == "run.still-running"
    await other.runs.append(Event("r", 1, 1.0, RunFinished(status="done")))

    assert store.runs.find("r").status == "done"


async def test_a_run_that_ended_may_go_on(store):
    begun(store)
    run = await ended(store, "r", "failed")
    store.runs.take_over(run)
    assert (store.runs.find("r").status, store.runs.find("r").ended) == (
        "running",
        None,
    )


async def test_a_run_that_was_removed_cannot_be_taken_over(store, other):
    begun(store)
    run = await ended(store, "r")
    store.runs.remove([run])

    assert complaint(other.runs.take_over, run) == "run.unknown"
    assert not store._locks.is_held_elsewhere(run.row)


def test_closing_a_store_lets_go_of_its_runs(store, tmp_path):
    with open_store(tmp_path) as short:
        begun(short)
    assert store.runs.find("r").status == "interrupted"


# -- finding and listing


def test_a_run_is_found_by_what_people_call_it(store):
    begun(store, "first")
    batch_of(store, 3)

    assert store.runs.find("1").id == "first"
    assert store.runs.find("first").number == 1
    assert store.runs.find("2.3").id == "item3"
    assert store.runs.find("item3").name == "2.3"
    assert store.runs.find("latest").id == "batch"


@pytest.mark.parametrize(
    "name",
    [
        "7",
        "1.1",
        "2.4",
        "0",
        "-1",
        "",
        "1.",
        "x",
        "9" * 30,
        "\N{ARABIC-INDIC DIGIT ONE}",
        "\udc80",
    ],
)
def test_a_run_that_is_not_there_is_said_so(store, name):
    begun(store, "first")
    batch_of(store, 3)
    assert complaint(store.runs.find, name) == "run.unknown"


def test_an_empty_store_has_no_latest_run(store):
    assert complaint(store.runs.find, "latest") == "run.unknown"
    assert list(store.runs.listed()) == []


async def test_runs_are_listed_by_what_is_asked(store, other):
    for number in range(6):
        begun(store, f"r{number}", workflow="ab"[number % 2], started=float(number))
    await ended(store, "r1")
    await ended(store, "r2", "cancelled")
    store.runs.release("r3")
    begun(store, "i", kind="item", batch=1, position=1)

    def ids(**asked):
        found = [run.id for run in other.runs.listed(**asked)]
        if "limit" not in asked:
            assert other.runs.count(**asked) == len(found)
        return " ".join(found)

    assert ids() == "r5 r4 r3 r2 r1 r0"
    assert ids(workflow="b") == "r5 r3 r1"
    assert ids(status="running") == "r5 r4 r0"
    assert ids(status="interrupted") == "r3"
    assert ids(status="done") == "r1"
    assert ids(since=1.0, until=4.0) == "r3 r2 r1"
    assert ids(limit=2) == "r5 r4"
    assert ids(limit=0) == ""
    assert ids(workflow="a", status="running", limit=1) == "r4"


def test_ten_thousand_runs_are_listed_quickly(store):
    count = 10_000
    rows = ((n, n, f"r{n}", "run", "w", "", 1.0, "done") for n in range(1, count + 1))
    sql = (
        "INSERT INTO run (row, number, id, kind, workflow, source, started, status)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
    )
    with store._database.transaction():
        store._database.execute_all(sql, rows)
    before = time.process_time()
    found = sum(1 for _ in store.runs.listed())

    assert found == count
    assert time.process_time() - before < 0.5


def test_runs_are_listed_while_others_begin(store):
    for number in range(1100):
        begun(store, f"r{number}")
    listing = store.runs.listed()
    seen = [next(listing).number]
    begun(store, "new")
    seen += [run.number for run in listing]

    assert seen == list(range(1100, 0, -1))


# -- batches


async def test_a_batch_has_items_by_their_position(store, other):
    batch = batch_of(store, 5)
    await ended(store, "item2")
    await ended(store, "item4", "failed")
    store.runs.release("item5")

    items = list(other.runs.items(batch.row))
    assert [item.name for item in items] == ["1.1", "1.2", "1.3", "1.4", "1.5"]
    failed = other.runs.items(batch.row, status="failed")
    assert [item.position for item in failed] == [4]
    assert other.runs.item_counts(batch.row) == {
        "running": 2,
        "done": 1,
        "failed": 1,
        "interrupted": 1,
    }
    assert [run.id for run in other.runs.listed()] == ["batch"]


def test_an_item_is_found_by_its_key_and_its_output(store):
    batch = batch_of(store, 2)
    begun(store, "odd", kind="item", batch=batch.row, position=3, key="\udcff")

    assert store.runs.item(batch.row, "in/2.wav").position == 2
    assert store.runs.item(batch.row, "\udcff").position == 3
    assert store.runs.item(batch.row, "in/3.wav") is None
    assert store.runs.is_output_taken(batch.row, "2.txt")
    assert not store.runs.is_output_taken(batch.row, "3.txt")
    assert not store.runs.is_output_taken(batch.row, "")
    store.runs.set_output(store.runs.find("1.2"), "4.txt")
    assert not store.runs.is_output_taken(batch.row, "2.txt")
    assert store.runs.is_output_taken(batch.row, "4.txt")


def test_a_position_in_a_batch_is_given_once(store):
    batch = batch_of(store, 1)
    with pytest.raises(StoreError):
        begun(store, "again", kind="item", batch=batch.row, position=1)


def test_a_batch_is_finished_by_word(store):
    batch = batch_of(store, 1)
    store.runs.finish(batch, "failed", 7.0)
    store.runs.release("batch")

    found = store.runs.find("batch")
    assert (found.status, found.ended) == ("failed", 7.0)


# -- removing


async def test_a_run_goes_with_its_facts_and_the_results_that_they_name(store):
    for key in ("mine", "of-an-item", "other"):
        await store.results.put(key, KnownResult(value="x"))
    begun(store, inputs={"a": "x" * 100_000})
    facts = [
        StepFinished(step="a", value="x" * 200_000, key="mine"),
        ItemFinished(step="b", item=0, value="x", key="of-an-item"),
        StepFinished(step="c", value="x", key="gone-before"),
    ]
    for sequence, fact in enumerate(facts, 1):
        await store.runs.append(Event("r", sequence, 1.0, fact))
    removed = store.runs.remove([await ended(store, "r", sequence=9)])

    assert removed == Removed(runs=1, results=2)
    assert complaint(store.runs.find, "r") == "run.unknown"
    assert await store.results.get("mine") is None
    assert await store.results.get("of-an-item") is None
    assert await store.results.get("other") == KnownResult(value="x")
    number = store._database.number
    assert number("SELECT count(*) FROM event") == 0
    assert number("SELECT count(*) FROM run_detail") == 0
    assert number("SELECT count(*) FROM run_blob") == 0


async def test_a_batch_goes_with_its_items(store):
    batch = batch_of(store, 450)
    for position in range(1, 451):
        await ended(store, f"item{position}")
    store.runs.finish(batch, "done", 1.0)
    store.runs.release("batch")

    assert store.runs.remove([batch]) == Removed(runs=1, items=450)
    assert store._database.number("SELECT count(*) FROM run") == 0


async def test_an_item_goes_alone(store):
    batch_of(store, 2)
    assert store.runs.remove([await ended(store, "item1")]) == Removed(items=1)
    assert [item.id for item in store.runs.items(1)] == ["item2"]


async def test_what_is_being_carried_out_is_not_removed(store, other):
    run, batch = begun(store), batch_of(store, 2)
    store.runs.release("batch")
    store.runs.release("item1")

    for asker in (store, other):
        assert complaint(asker.runs.remove, [run]) == "run.still-running"
        assert complaint(asker.runs.remove, [batch]) == "run.still-running"
    assert len(list(store.runs.items(batch.row))) == 2
    assert store.runs.find("r").status == "running"


async def test_the_recordings_that_came_through_a_pipe_go_too(store, tmp_path):
    begun(store)
    spool = store.spool("r")
    spool.mkdir(parents=True)
    (spool / "in.wav").write_bytes(b"sound")
    store.runs.remove([await ended(store, "r")])

    assert not spool.exists()


async def test_a_run_is_removed_once(store, other):
    begun(store)
    run = await ended(store, "r")
    assert store.runs.remove([run]).runs == 1
    assert other.runs.remove([run]).runs == 0
