# SPDX-License-Identifier: Apache-2.0
"""`lao cache`: how much is kept of results, and forgetting some."""

import json
import time

import pytest
from tests.history import History
from tests.running_lao import Lao

from lao.roles import KnownResult


@pytest.fixture
def lao(tmp_path) -> Lao:
    return Lao(tmp_path)


@pytest.fixture
def history(tmp_path) -> History:
    return History(tmp_path / ".local/share/lao")


def info(lao, **variables):
    return json.loads(lao("cache", "info", "--json", **variables).stdout)


async def keep_results(history, *values):
    with history.open() as store:
        for number, value in enumerate(values):
            await store.results.put(f"key{number}", KnownResult(value=value))


def test_an_empty_cache_is_told_and_none_is_made(lao, history):
    ended = lao("cache")

    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("results   0\nsize      0 B of 4.3 GB (0 %)\n")
    assert lao("cache", "prune", "--all").stderr == "forgot 0 results, 0 B\n"
    assert not history.folder.exists()


def test_what_is_kept_is_counted_and_measured(lao, history):
    began = time.time()
    lao("chain", "summarize", stdin="One sentence. Another one.")

    found = info(lao, LAO_CACHE_SIZE="1GiB")

    assert found["results"] == 1
    assert 0 < found["bytes"] < found["disk_bytes"]
    assert found["limit"] == 1 << 30
    assert began - 1 <= found["oldest_use"] <= time.time() + 1
    assert found["path"] == str(history.folder)
    assert "results   1\n" in lao("cache").stdout


async def test_results_are_pruned_down_to_a_size(lao, history):
    await keep_results(history, *("x" * 100_000 for _ in range(10)))

    ended = lao("cache", "prune", "--to", "500KiB")

    assert ended.stderr.startswith("forgot 5 results, ")
    assert info(lao)["results"] == 5
    assert info(lao)["bytes"] <= 500 << 10


async def test_results_that_were_used_lately_stay(lao, history):
    await keep_results(history, "one", "two")

    assert lao("cache", "prune", "--older-than", "1d").stderr.startswith("forgot 0 ")
    assert lao("cache", "prune", "--older-than", "0s").stderr.startswith("forgot 2 ")


async def test_what_was_pruned_is_nowhere(lao, history):
    await keep_results(history, "Quokka", "Quokka " * 20_000)
    assert history.holds("Quokka")

    ended = lao("cache", "prune", "--all")

    assert (ended.returncode, ended.stdout) == (0, "")
    assert not history.holds("Quokka")
    assert info(lao)["results"] == 0


def test_a_pruned_result_is_made_again_and_its_run_stays(lao):
    text = "One sentence. Another one."
    before = lao("chain", "summarize", stdin=text).stdout

    lao("cache", "prune", "--all")

    assert lao("chain", "summarize", stdin=text).stdout == before
    assert len(json.loads(lao("runs", "--json").stdout)) == 2
    assert lao("runs", "show", "1", "--output", "output").stdout == before


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["prune"], "cache.no-rule"),
        (["prune", "--all", "--to", "1GiB"], "cache.no-rule"),
        (["prune", "--to", "much"], "usage.bad-size"),
        (["prune", "--older-than", "old"], "usage.bad-age"),
        (["clear"], "usage.bad-option"),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, list) else "",
)
def test_a_mistake_is_named_and_mended(lao, words, code):
    ended = lao("cache", *words)

    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith(f"error[{code}]: ")
    assert "\n  mend: " in ended.stderr
