# SPDX-License-Identifier: Apache-2.0
"""Results: kept by key, computed by one at a time, dropped when they are too many."""

import asyncio
import time

import pytest

from lao.events import Event, StepFinished
from lao.roles import KnownResult
from lao.store.blobs import BLOB_BYTES
from lao.store.opening import open_store
from lao.store.runs import NewRun
from lao.workflow.values import FileValue

LARGE = "large " * BLOB_BYTES


@pytest.fixture
def store(tmp_path):
    with open_store(tmp_path) as store:
        yield store


@pytest.fixture
def other(store, tmp_path):
    """Return another store on the same folder, as another process would have."""
    with open_store(tmp_path) as other:
        yield other


async def keep(store, key, value="x", used=None):
    """Keep a result durably, last used at that time."""
    await store.results.put(key, KnownResult(value=value))
    await store._group.committed()
    if used is not None:
        store._database.execute("UPDATE result SET used = ? WHERE key = ?", (used, key))


def keys(store):
    return [key for (key,) in store._database.rows("SELECT key FROM result")]


@pytest.mark.parametrize(
    "value",
    ["x", None, LARGE, {"$a": [FileValue("/x")]}],
    ids=["text", "nothing", "large", "marked"],
)
async def test_a_result_is_read_as_it_was_kept(store, other, value):
    made = KnownResult(value=value, made_by="ollama:m")
    await store.results.put("k", made)

    assert await store.results.get("k") == made
    assert await other.results.get("k") == made
    assert await store.results.get("other") is None


async def test_the_latest_result_of_a_key_counts(store):
    await keep(store, "k", "first" + LARGE)
    await keep(store, "k", "second" + LARGE)
    assert (await store.results.get("k")).value == "second" + LARGE


@pytest.mark.parametrize(
    "harm",
    [lambda blob: blob.unlink(), lambda blob: blob.write_bytes(b"other")],
    ids=["missing", "damaged"],
)
async def test_a_result_that_is_not_whole_is_none(store, harm):
    await keep(store, "k", LARGE)
    [blob] = store._blobs.files()
    harm(blob)

    assert await store.results.get("k") is None
    assert keys(store) == []
    await keep(store, "k", LARGE)
    assert (await store.results.get("k")).value == LARGE


# -- single flight


class Computing:
    """Computes a key on many stores at once, as the engine does."""

    def __init__(self):
        self.count = 0

    async def result(self, store, key="k"):
        async with store.results.claim(key):
            if known := await store.results.get(key):
                return known.value
            self.count += 1
            await asyncio.sleep(0.001)
            await store.results.put(key, KnownResult(value="made"))
        return "made"


async def test_a_key_that_is_needed_twice_at_once_is_computed_once(store):
    computing = Computing()
    found = await asyncio.gather(*(computing.result(store) for _ in range(100)))
    assert (set(found), computing.count) == ({"made"}, 1)


async def test_so_it_is_across_stores(store, other):
    computing = Computing()
    both = [computing.result(each) for each in (store, other) for _ in range(5)]
    assert set(await asyncio.gather(*both)) == {"made"}
    assert computing.count == 1


async def test_different_keys_are_computed_at_the_same_time(store, other):
    async with store.results.claim("a"), other.results.claim("b"):
        async with store.results.claim("c"):
            pass


@pytest.mark.parametrize("is_other", [False, True], ids=["same store", "another"])
async def test_a_holder_that_fails_lets_the_next_one_in(store, other, is_other):
    with pytest.raises(ZeroDivisionError):
        async with store.results.claim("k"):
            raise ZeroDivisionError
    async with (other if is_other else store).results.claim("k"):
        pass


@pytest.mark.parametrize("is_other", [False, True], ids=["same store", "another"])
async def test_who_stops_waiting_hinders_nobody(store, other, is_other):
    waiter = other if is_other else store

    async def claim(store):
        async with store.results.claim("k"):
            return True

    async with store.results.claim("k"):
        waiting = asyncio.ensure_future(claim(waiter))
        await asyncio.sleep(0.01)
        waiting.cancel()
        await asyncio.wait([waiting])
    assert waiting.cancelled()
    assert await asyncio.wait_for(claim(other), 30)
    assert await asyncio.wait_for(claim(store), 30)


async def test_one_of_two_who_wait_for_another_process_may_stop(store, other):
    async def claim():
        async with other.results.claim("k"):
            return True

    async with store.results.claim("k"):
        first, second = (asyncio.ensure_future(claim()) for _ in range(2))
        await asyncio.sleep(0.01)
        first.cancel()
        await asyncio.wait([first])
    assert await asyncio.wait_for(second, 30)


async def test_a_key_claimed_anew_is_not_let_go_by_the_last_commit(store, other):
    async with store.results.claim("k"):
        await store.results.put("k", KnownResult(value="x"))
    async with store.results.claim("k"):
        await store._group.committed()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(other.results.claim("k").__aenter__(), 0.05)


def test_a_claim_works_in_one_loop_after_the_other(store):
    async def put():
        async with store.results.claim("k"):
            await store.results.put("k", KnownResult(value="x"))  # and commits nothing

    for _ in range(3):
        asyncio.run(asyncio.wait_for(put(), 30))


async def test_another_process_is_let_in_once_the_result_is_durable(store, other):
    async with store.results.claim("k"):
        await store.results.put("k", KnownResult(value="made"))
    async with other.results.claim("k"):
        assert await other.results.get("k") == KnownResult(value="made")


# -- use, and limits


async def test_a_use_is_noted_now_and_then(store):
    await keep(store, "old", used=1.0)
    await keep(store, "new", used=time.time() - 60)
    await keep(store, "future", used=9e9)
    before = store.results.info()
    for key in keys(store):
        await store.results.get(key)
    await store._group.committed()
    after = store.results.info()

    assert (before.count, before.oldest, before.newest) == (3, 1.0, 9e9)
    assert time.time() - 100 < after.oldest < time.time() - 50  # the new one, untouched
    assert after.newest < 9e9


async def test_the_least_recently_used_results_are_dropped_first(store):
    for number, key in enumerate("bca"):
        await keep(store, key, "x" * 1000, used=float(number))

    assert store.results.trim(5000) == 0
    assert store.results.trim(2500) == 1
    assert keys(store) == ["a", "c"]
    assert store.results.info().bytes < 2500
    assert store.results.trim(0) == 2


async def test_results_that_were_long_unused_are_pruned(store):
    for number, key in enumerate("abc"):
        await keep(store, key, used=float(number))

    assert store.results.prune(unused_since=1.0) == 1
    assert keys(store) == ["b", "c"]
    assert store.results.prune() == 2
    assert store.results.info().count == 0


async def test_closing_the_store_keeps_the_cache_in_its_limit(tmp_path):
    with open_store(tmp_path, cache_bytes=1_000_000) as store:
        for number in range(4):
            await keep(store, f"k{number}", f"{number}" * 400_000, used=float(number))
    with open_store(tmp_path, cache_bytes=1) as store:  # which puts nothing
        assert keys(store) == ["k2", "k3"]
        assert len(list(store._blobs.files())) == 2
    with open_store(tmp_path) as store:
        assert keys(store) == ["k2", "k3"]


async def test_what_was_dropped_is_overwritten(tmp_path):
    with open_store(tmp_path, cache_bytes=1) as store:
        await keep(store, "k", "MARKER")
    assert b"MARKER" not in (tmp_path / "lao.db").read_bytes()


async def test_a_blob_is_kept_until_its_last_holder_goes(store):
    store.runs.begin(NewRun(id="r", workflow="w", started=1.0))
    await store.runs.append(Event("r", 1, 1.0, StepFinished(step="a", value=LARGE)))
    await keep(store, "k", LARGE)
    await keep(store, "l", LARGE)
    store.runs.release("r")
    left = []
    for remove in (
        lambda: store.results._remove(["k"]),
        lambda: store.runs.remove([store.runs.find("r")]),
        store.results.prune,
    ):
        remove()
        store.forget()
        left.append(len(list(store._blobs.files())))

    assert left == [1, 1, 0]
