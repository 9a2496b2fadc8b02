# SPDX-License-Identifier: Apache-2.0
"""What was removed is nowhere in the data folder; what was not is whole."""

import random
import sqlite3

import pytest

from lao.events import Event, ItemFinished, RunFinished, StepFinished
from lao.roles import KnownResult
from lao.store.blobs import BLOB_BYTES, digest_of
from lao.store.opening import open_store
from lao.store.runs import NewRun, RunOrder


@pytest.fixture
def store(tmp_path):
    with open_store(tmp_path) as store:
        yield store


def files_with(folder, *marks):
    """Return the files whose content or name holds one of the marks."""
    return sorted(
        path.name
        for path in folder.rglob("*")
        if path.is_file()
        and any(m.encode() in path.read_bytes() or m in path.name for m in marks)
    )


def is_whole(store):
    return store._database.rows("PRAGMA integrity_check") == [("ok",)]


async def keep_marked(store, run, mark, **more):
    """Carry out a run that has the mark wherever one can be; it is still held."""
    large = f"{mark} " * BLOB_BYTES
    digest = f"{mark}-digest"
    new = NewRun(
        id=f"{run}",
        workflow=f"{mark} workflow",
        source=f"/{mark}/source.yaml",
        started=1.0,
        order=RunOrder(workflow=f"# {mark}\n" * 9000, base=f"/{mark}", flags={mark: 1}),
        inputs={"text": mark, mark: large},
        files={f"/{mark}/input.wav": digest},
        **more,
    )
    record = store.runs.begin(new)
    facts = [
        ItemFinished(step="a", item=0, value=mark, key=f"{mark}-item"),
        StepFinished(step="b", value={mark: [large]}, key=f"{mark}-step"),
        StepFinished(step="c", value=[mark] * BLOB_BYTES, notes=(mark,)),
        RunFinished(status="done", outputs={"o": mark, "p": large}),
    ]
    for sequence, fact in enumerate(facts, 1):
        if key := getattr(fact, "key", ""):
            await store.results.put(key, KnownResult(value=fact.value, made_by=mark))
        await store.runs.append(Event(new.id, sequence, 1.0, fact))
    return record


@pytest.mark.parametrize("is_open", [True, False], ids=["open", "closed"])
async def test_a_run_leaves_no_trace(tmp_path, is_open):
    with open_store(tmp_path) as store:
        for run, mark in (("x", "KEPT-BEFORE"), ("y", "MARKER"), ("z", "KEPT-AFTER")):
            await keep_marked(store, run, mark)
            store.runs.release(run)
        assert files_with(tmp_path, "MARKER")
        store.runs.remove([store.runs.find("y")])
        assert store.forget()
        if is_open:
            assert files_with(tmp_path, "MARKER") == []
    assert files_with(tmp_path, "MARKER") == []

    with open_store(tmp_path) as store:
        assert is_whole(store)
        for run, mark in (("x", "KEPT-BEFORE"), ("z", "KEPT-AFTER")):
            assert store.runs.inputs(store.runs.find(run))["text"] == mark
            assert len(await store.runs.events(run)) == 4
            assert (await store.results.get(f"{mark}-item")).value == mark


async def test_a_batch_leaves_no_trace(store, tmp_path):
    batch = store.runs.begin(NewRun(id="b", kind="batch", workflow="w", started=1.0))
    for position in (1, 2):
        place = {"kind": "item", "batch": batch.row, "position": position}
        names = {"key": f"MARKER-{position}", "output": f"MARKER-{position}.txt"}
        await keep_marked(store, f"i{position}", "MARKER", **place, **names)
        store.runs.release(f"i{position}")
    store.runs.release("b")
    store.runs.remove([batch])

    assert store.forget()
    assert files_with(tmp_path, "MARKER") == []
    assert is_whole(store)


async def test_rows_that_moved_between_pages_leave_no_copy(store, tmp_path):
    """SQLite's `secure_delete` alone leaves copies where pages were split or merged."""
    chance = random.Random(1)  # noqa: S311  (the same rows each time)
    last = dict.fromkeys((f"r{n:02}" for n in range(30)), 0)
    for run in last:
        store.runs.begin(NewRun(id=run, workflow="w", started=1.0))
    for _ in range(1500):  # all at once, so that their rows push each other about
        run = chance.choice(list(last))
        last[run] += 1
        value = f"MARKER-{run}" + "y" * chance.choice([10, 50, 200, 900, 3000])
        fact = StepFinished(step="a", value=value, key=f"{chance.random()}")
        await store.results.put(fact.key, KnownResult(value=value))
        await store.runs.append(Event(run, last[run], 1.0, fact))
    gone = chance.sample(list(last), 10)
    for run in gone:
        store.runs.release(run)
        store.runs.remove([store.runs.find(run)])
    store.forget()

    assert files_with(tmp_path, *(f"MARKER-{run}" for run in gone)) == []
    kept = last.keys() - set(gone)
    assert {run: len(await store.runs.events(run)) for run in kept} == {
        run: last[run] for run in kept
    }


async def test_results_that_were_pruned_leave_no_trace(store, tmp_path):
    await store.results.put("MARKER", KnownResult(value="MARKER " * BLOB_BYTES))
    await store._group.committed()
    store.results.prune()

    assert store.forget()
    assert files_with(tmp_path, "MARKER") == []


async def test_what_a_crash_left_is_swept(store, tmp_path):
    await keep_marked(store, "r", "KEPT")
    digest = digest_of(b"MARKER")
    store._blobs.put(digest, b"MARKER")  # its commit never came
    half = store._blobs.path(digest).with_name(f"{digest}.part")
    half.write_bytes(b"MARK")
    whole = {path.name for path in store._blobs.files()} - {digest, half.name}
    store.forget()

    assert {path.name for path in store._blobs.files()} == whole
    assert len(await store.runs.events("r")) == 4


async def test_who_still_reads_keeps_the_log_and_loses_nothing(
    store, tmp_path, monkeypatch
):
    await keep_marked(store, "r", "MARKER")
    store.runs.release("r")
    store._database.execute("PRAGMA busy_timeout=1")  # to wait for the reader
    reader = sqlite3.connect(tmp_path / "lao.db", isolation_level=None)
    reader.execute("BEGIN")
    assert reader.execute("SELECT count(*) FROM event").fetchone() == (4,)

    store.runs.remove([store.runs.find("r")])
    assert not store.forget()
    assert reader.execute("SELECT count(*) FROM event").fetchone() == (4,)
    assert files_with(tmp_path, "MARKER") != []
    reader.close()
    assert store.forget()
    assert files_with(tmp_path, "MARKER") == []


async def test_the_log_is_empty_afterwards(store, tmp_path):
    await keep_marked(store, "r", "KEPT")
    store.forget()
    assert (tmp_path / "lao.db-wal").stat().st_size == 0


def test_usage_says_what_there_is(store, tmp_path):
    store.runs.begin(
        NewRun(id="r", workflow="w", started=1.0, inputs={"a": "x" * 100_000})
    )
    usage = store.usage()

    assert (usage.runs, usage.results, usage.blobs) == (1, 0, 1)
    assert (usage.blob_bytes, usage.result_bytes) == (100_000, 0)
    assert usage.database_bytes > 4096
