# SPDX-License-Identifier: Apache-2.0
"""The journal: records that arrive together share a commit; none is half written."""

import asyncio

import pytest

from lao.errors import StoreError, UsageError
from lao.events import Event, RunFinished, RunStarted, StepFinished, StepStarted
from lao.roles import KnownResult
from lao.store import group_commit
from lao.store.blobs import BLOB_BYTES
from lao.store.opening import open_store
from lao.store.runs import NewRun

LARGE = "large " * BLOB_BYTES


def finished(run, number, value="x", **more):
    fact = StepFinished(step=f"s{number}", value=value, **more)
    return Event(run, number, float(number), fact)


@pytest.fixture
def store(tmp_path):
    with open_store(tmp_path) as store:
        store.runs.begin(NewRun(id="r", workflow="w", started=1.0))
        yield store


@pytest.fixture
def quick_retries(monkeypatch):
    monkeypatch.setattr(group_commit, "RETRIES", (0.001, 0.001, 0.001))


def commits(store, monkeypatch):
    """Return a list that gets the number of records of each commit."""
    found = []
    write = store._group._write

    def watched(pending):
        if pending.events:
            found.append(len(pending.events))
        write(pending)

    monkeypatch.setattr(store._group, "_write", watched)
    return found


def fill_disk(store):
    pages = store._database.number("PRAGMA page_count")
    store._database.execute(f"PRAGMA max_page_count={pages}")


def empty_disk(store):
    store._database.execute("PRAGMA max_page_count=1000000")


async def append_many(store, count, start=1, value="x"):
    async with asyncio.TaskGroup() as group:
        for number in range(start, start + count):
            group.create_task(store.runs.append(finished("r", number, value)))


async def test_facts_are_read_in_order_as_they_were_written(store):
    facts = [
        RunStarted(workflow="w", steps=("a", "b")),
        StepStarted(step="a", model="m"),
        StepFinished(step="a", value={"$x": [1, LARGE]}, key="k", notes=("n",)),
        RunFinished(status="done", outputs={"o": LARGE}),
    ]
    events = [Event("r", n, n / 7, fact) for n, fact in enumerate(facts, 1)]
    for event in events:
        await store.runs.append(event)

    assert await store.runs.events("r") == tuple(events)


async def test_records_that_arrive_together_share_commits(store, monkeypatch):
    found = commits(store, monkeypatch)
    await append_many(store, 1000)

    assert sum(found) == 1000
    assert len(found) <= 2
    assert len(await store.runs.events("r")) == 1000


async def test_a_lone_record_does_not_wait_for_others(store, monkeypatch):
    found = commits(store, monkeypatch)
    for number in range(1, 21):
        await store.runs.append(finished("r", number))
        await asyncio.sleep(0)

    assert found == [1] * 20


async def test_a_lone_record_is_durable_without_a_turn_of_the_loop(store):
    for number in range(1, 4):
        with pytest.raises(StopIteration):
            store.runs.append(finished("r", number)).send(None)
        await asyncio.sleep(0)
    assert len(await store.runs.events("r")) == 3


async def test_two_branches_share_their_commits(store, monkeypatch):
    found = commits(store, monkeypatch)

    async def branch(first):
        for number in range(first, first + 20):
            await store.runs.append(finished("r", number))

    await asyncio.gather(branch(1), branch(101))
    assert sum(found) == 40
    assert len(found) <= 27  # a few come alone until the first wait


async def test_the_start_of_a_step_shares_its_commit_with_what_follows(
    store, monkeypatch
):
    found = commits(store, monkeypatch)
    await store.runs.append(Event("r", 1, 1.0, StepStarted(step="a")))
    assert found == []
    await store.runs.append(finished("r", 2))

    assert found == [2]


async def test_the_start_of_a_run_shares_its_commit_with_the_first_step(
    store, monkeypatch
):
    found = commits(store, monkeypatch)
    start = RunStarted(workflow="w", steps=("a", "b"))
    await store.runs.append(Event("r", 1, 1.0, start))
    await store.runs.append(finished("r", 2))

    assert (found, store.runs.find("1").steps) == ([2], 2)


async def test_the_start_of_a_long_step_is_kept_too(store, monkeypatch):
    monkeypatch.setattr(group_commit, "_UNHURRIED", 0.001)
    await store.runs.append(Event("r", 1, 1.0, StepStarted(step="a")))
    committed = asyncio.Event()
    store._group.afterwards(lambda _: committed.set())
    await committed.wait()

    assert len(await store.runs.events("r")) == 1


async def test_a_result_and_the_fact_that_names_it_share_a_commit(store, monkeypatch):
    found = []
    write = store._group._write
    monkeypatch.setattr(
        store._group,
        "_write",
        lambda batch: (
            found.append((len(batch.events), len(batch.results))),
            write(batch),
        ),
    )
    await store.results.put("k", KnownResult(value="x"))
    await store.runs.append(finished("r", 1, key="k"))

    assert found == [(1, 1)]


def test_a_store_serves_one_loop_after_the_other(store):
    async def part(number):
        await store.runs.append(finished("r", number))
        await store.runs.append(Event("r", number + 1, 1.0, StepStarted(step="a")))
        await store.results.put("k", KnownResult(value="x"))

    for number in (1, 3, 5):  # each ends with something that nobody has waited for
        asyncio.run(part(number))
    store.runs.release("r")

    events = asyncio.run(store.runs.events("r"))
    assert [each.sequence for each in events] == [1, 2, 3, 4, 5, 6]


def test_a_waiter_of_a_loop_that_ended_hinders_nobody(store, monkeypatch):
    async def cut_off():
        await store.runs.append(finished("r", 1))  # so the next one waits its turn
        waiting = asyncio.ensure_future(store.runs.append(finished("r", 2)))
        await asyncio.sleep(0)
        waiting.cancel()

    asyncio.run(cut_off())
    asyncio.run(store.runs.append(finished("r", 3)))

    events = asyncio.run(store.runs.events("r"))
    assert [each.sequence for each in events] == [1, 2, 3]


@pytest.mark.usefixtures("quick_retries")
def test_a_start_in_one_loop_is_kept_by_the_next(store, monkeypatch):
    monkeypatch.setattr(group_commit, "_UNHURRIED", 0.001)

    async def start(number):
        await store.runs.append(Event("r", number, 1.0, StepStarted(step="a")))

    async def start_and_wait():
        await start(2)
        committed = asyncio.Event()
        store._group.afterwards(lambda _: committed.set())
        await asyncio.wait_for(committed.wait(), 30)

    asyncio.run(start(1))
    asyncio.run(start_and_wait())
    assert len(asyncio.run(store.runs.events("r"))) == 2


def test_a_commit_that_one_loop_could_not_make_is_made_by_the_next(store):
    async def part(number, value="x", within=30):
        await asyncio.wait_for(store.runs.append(finished("r", number, value)), within)

    fill_disk(store)
    with pytest.raises(TimeoutError):
        asyncio.run(part(1, "x" * 60_000, within=0.01))
    empty_disk(store)
    asyncio.run(part(2))

    assert len(asyncio.run(store.runs.events("r"))) == 2


def test_a_loop_that_was_closed_over_its_waiters_hinders_nobody(store):
    loop = asyncio.new_event_loop()
    tasks = [loop.create_task(store.runs.append(finished("r", n))) for n in (1, 2)]
    loop.call_soon(loop.stop)
    loop.run_forever()
    loop.close()
    asyncio.run(store.runs.append(finished("r", 3)))

    assert len(asyncio.run(store.runs.events("r"))) == 3
    assert not tasks[1].done()
    tasks[1]._log_destroy_pending = False  # it never will be, as is meant here


async def test_what_a_run_could_not_keep_does_not_come_after_it_was_let_go(
    store, tmp_path
):
    fill_disk(store)
    waiting = asyncio.ensure_future(store.runs.append(finished("r", 1, "x" * 60_000)))
    await asyncio.sleep(0)
    waiting.cancel()
    store.runs.release("r")
    empty_disk(store)
    with open_store(tmp_path) as other:
        other.runs.take_over(other.runs.find("r"))
        await other.runs.append(finished("r", 1, "other"))
        await store._group.committed()
        [event] = await other.runs.events("r")

    assert event.fact.value == "other"


async def test_on_a_full_disk_everybody_is_told_and_nothing_is_half_written(store):
    await append_many(store, 10)
    fill_disk(store)
    with pytest.raises(ExceptionGroup) as told:
        await append_many(store, 10, start=11, value="x" * 60_000)

    assert {error.code for error in told.value.exceptions} == {"store.full"}
    assert len(told.value.exceptions) == 10
    assert len(await store.runs.events("r")) == 10


@pytest.mark.usefixtures("quick_retries")
async def test_a_run_that_lost_a_fact_takes_no_more(store):
    store.runs.begin(NewRun(id="other", workflow="w", started=1.0))
    fill_disk(store)
    with pytest.raises(StoreError):
        await store.runs.append(finished("r", 1, "x" * 60_000))
    empty_disk(store)
    with pytest.raises(StoreError):
        await store.runs.append(finished("r", 2))
    await store.runs.append(finished("other", 1))

    assert (await store.runs.events("r"), len(await store.runs.events("other"))) == (
        (),
        1,
    )


@pytest.mark.usefixtures("quick_retries")
async def test_a_run_whose_start_was_lost_takes_no_more(store, monkeypatch):
    monkeypatch.setattr(group_commit, "_UNHURRIED", 0.001)
    given_up = asyncio.Event()
    fill_disk(store)
    start = RunStarted(workflow="w" * 60_000, steps=("a",))
    await store.runs.append(Event("r", 1, 1.0, start))
    store._group.afterwards(lambda _: given_up.set())
    await given_up.wait()
    empty_disk(store)

    with pytest.raises(StoreError):
        await store.runs.append(finished("r", 2))


async def test_a_disk_that_is_emptied_in_time_loses_nothing(store, monkeypatch):
    monkeypatch.setattr(group_commit, "RETRIES", (0.001, 0.02, 1.0))
    fill_disk(store)
    async with asyncio.TaskGroup() as group:
        group.create_task(append_many(store, 10, value="x" * 60_000))
        await asyncio.sleep(0.005)
        group.create_task(append_many(store, 10, start=11))
        empty_disk(store)

    assert len(await store.runs.events("r")) == 20


async def test_a_commit_that_fails_at_its_very_end_is_undone(store):
    def commit(run):
        with store._database.transaction():
            store._database.execute("PRAGMA defer_foreign_keys=ON")
            store._database.execute(
                "INSERT INTO event VALUES (?, 1, 1.0, 'run-resumed', '', '{}')", (run,)
            )

    with pytest.raises(StoreError):
        commit(99)
    commit(1)
    assert len(await store.runs.events("r")) == 1


@pytest.mark.usefixtures("quick_retries")
async def test_a_blob_that_cannot_be_written_undoes_the_commit(store, tmp_path):
    (tmp_path / "blobs").write_text("in the way")
    with pytest.raises(StoreError) as refused:
        await store.runs.append(finished("r", 1, LARGE))

    assert refused.value.code == "store.not-a-folder"
    assert await store.runs.events("r") == ()


async def test_a_value_that_cannot_be_kept_harms_no_other_record(store):
    async with asyncio.TaskGroup() as group:
        group.create_task(store.runs.append(finished("r", 1)))
        with pytest.raises(StoreError):
            await store.runs.append(finished("r", 2, object()))

    assert [each.sequence for each in await store.runs.events("r")] == [1]


async def test_facts_of_a_run_that_was_not_begun_here_are_refused(store):
    with pytest.raises(UsageError) as refused:
        await store.runs.append(finished("nobody's", 1))
    assert refused.value.code == "run.unknown"
    assert await store.runs.events("nobody's") == ()


async def test_a_fact_of_a_newer_lao_is_passed_over(store):
    await store.runs.append(finished("r", 1))
    store._database.execute(
        "INSERT INTO event VALUES (1, 2, 1.0, 'step-painted', '', '{}')"
    )
    await store.runs.append(finished("r", 3))

    assert [each.sequence for each in await store.runs.events("r")] == [1, 3]


async def test_events_are_read_while_others_are_written(store):
    await append_many(store, 1000)
    reading = store.runs.each_event(store.runs.find("r"))
    seen = [next(reading).sequence]
    await append_many(store, 10, start=1001)
    seen += [each.sequence for each in reading]

    assert seen == list(range(1, 1011))


@pytest.mark.parametrize(
    ("harm", "code"),
    [
        (lambda blob: blob.unlink(), "store.blob-missing"),
        (lambda blob: blob.write_bytes(b"other"), "store.blob-damaged"),
    ],
    ids=["missing", "damaged"],
)
async def test_a_blob_is_verified_when_it_is_read(store, harm, code):
    await store.runs.append(finished("r", 1, LARGE))
    [blob] = store._blobs.files()
    harm(blob)
    with pytest.raises(StoreError) as refused:
        await store.runs.events("r")

    assert refused.value.code == code


async def test_a_damaged_blob_is_replaced_when_its_value_comes_again(store):
    await store.runs.append(finished("r", 1, LARGE))
    [blob] = store._blobs.files()
    blob.write_bytes(b"other")
    await store.runs.append(finished("r", 2, LARGE))

    assert [each.fact.value for each in await store.runs.events("r")] == [LARGE] * 2


async def test_half_a_blob_of_a_crash_is_no_hindrance(store):
    await store.runs.append(finished("r", 1, LARGE))
    [blob] = store._blobs.files()
    blob.rename(blob.with_name(f"{blob.name}.part"))
    await store.runs.append(finished("r", 2, LARGE))

    assert [each.fact.value for each in await store.runs.events("r")] == [LARGE] * 2


@pytest.mark.parametrize("durability", ["process", "full"])
async def test_what_survives_power_loss_is_synced(tmp_path, monkeypatch, durability):
    synced = []
    monkeypatch.setattr("os.fsync", synced.append)
    with open_store(tmp_path, durability=durability) as store:
        store.runs.begin(NewRun(id="r", workflow="w", started=1.0))
        await store.runs.append(finished("r", 1, LARGE))
        synchronous = store._database.number("PRAGMA synchronous")

    assert (synchronous, len(synced)) == {"process": (1, 0), "full": (2, 2)}[durability]
