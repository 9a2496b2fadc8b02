# SPDX-License-Identifier: Apache-2.0
"""A batch at work: order, window, failures, names, and what a cancel leaves."""

import asyncio
import gc
import json
import os

import pytest
from tests.batches import Bench, Gate, until

from lao.batch import sources
from lao.errors import StoreError, UsageError


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)


async def test_each_input_gives_a_file_named_after_it(bench):
    bench.write(a="one", b="two")

    result = await bench.run()

    assert bench.made == {"a.txt": "one!", "b.txt": "two!"}
    assert (result.status, result.tally.done, result.exit_code) == ("done", 2, 0)
    assert [report.run for report in bench.heard.turns] == ["1.1", "1.2"]
    assert bench.heard.total == 2


@pytest.mark.parametrize("durable", [True, False])
async def test_without_a_folder_results_are_told(bench, durable):
    bench.out, bench.durable = None, durable
    bench.write("one", "two")

    await bench.run()

    told = [report.outputs for report in bench.heard.turns]
    assert told == [{"loud": "one!"}, {"loud": "two!"}]


async def test_reports_come_in_the_order_of_the_input(bench):
    bench.write("slow", *map(str, range(5)))
    bench.pace = gate = Gate("slow")

    async def release():
        await until(lambda: len(bench.heard.ends) == 5)
        assert bench.heard.turns == []
        gate.open.set()

    await asyncio.gather(bench.run(), release())

    assert bench.heard.labels == [f"in/{n}.txt" for n in range(6)]
    assert bench.heard.ends[-1].label == "in/0.txt"


async def test_a_slow_item_holds_the_rest_back_at_the_window(bench):
    bench.write(*["slow", *map(str, range(1, 60))])
    bench.pace = gate = Gate("slow")

    async def release():
        window = 4 * bench.jobs
        await until(lambda: bench.session and len(bench.session.begun) >= window)
        for _ in range(1000):  # in which others would begin, if they might
            await asyncio.sleep(0)
        begun = len(bench.session.begun)
        gate.open.set()
        return begun

    _, begun = await asyncio.gather(bench.run(), release())

    assert begun == 4 * bench.jobs
    assert len(bench.heard.turns) == 60


@pytest.mark.parametrize("jobs", [1, 3])
async def test_no_more_run_than_jobs(bench, jobs):
    bench.jobs = jobs
    bench.write(*map(str, range(10)))

    async def pace(text):
        for _ in range(5):
            await asyncio.sleep(0)

    bench.pace = pace
    await bench.run()

    assert bench.session.most == jobs


async def test_a_failure_does_not_stop_the_others(bench):
    bench.write("one", "? bad", "three")

    result = await bench.run()

    assert bench.heard.statuses == ["done", "failed", "done"]
    assert bench.heard.turns[1].problem.code == "transform.failed"
    assert (result.status, result.exit_code) == ("failed", 4)
    assert sorted(bench.made) == ["0.txt", "2.txt"]


async def test_it_stops_at_a_failure_when_asked_to(bench):
    bench.words, bench.jobs = {"stop_on_failure": True}, 1
    bench.write("one", "? bad", *map(str, range(20)))

    result = await bench.run()

    assert result.status == "cancelled"
    assert result.exit_code == 4
    assert len(bench.heard.turns) < 6


async def test_a_run_that_takes_too_long_is_a_failure(bench):
    bench.words = {"timeout": 0.01}
    bench.write("one", "slow")
    bench.pace = Gate("slow")

    await bench.run()

    assert bench.heard.turns[1].problem.code == "run.timeout"
    assert bench.made == {"0.txt": "one!"}


async def test_an_unusable_input_is_its_own_failure_and_is_kept(bench, tmp_path):
    bench.each = "rows.jsonl"
    (tmp_path / "rows.jsonl").write_text(
        '{"text": "{\\"word\\": \\"A\\"}", "id": "a"}\n{bad\n{"txt": "x"}\n'
    )

    await bench.run()

    codes = [report.problem and report.problem.code for report in bench.heard.turns]
    assert codes == [None, "batch.bad-row", "input.unknown"]
    assert bench.heard.labels[1] == "rows.jsonl:2"
    assert bench.made == {"a.txt": "A!"}
    with bench.store() as store:
        assert store.runs.find("1.2").status == "failed"
        assert store.runs.item_counts(store.runs.find("1").row) == {
            "done": 1,
            "failed": 2,
        }


async def test_equal_stems_get_numbers_in_order(bench, tmp_path):
    bench.each = "**/*.txt"
    for folder in ("a", "b", "c"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.txt").write_text(f'{{"word": "{folder}"}}')

    await bench.run()

    assert bench.made == {"x.txt": "a!", "x-2.txt": "b!", "x-3.txt": "c!"}


async def test_a_name_that_is_taken_meanwhile_is_left_alone(bench, tmp_path):
    bench.write("one")

    async def pace(text):
        (tmp_path / "out" / "0.txt").write_text("foreign")

    bench.pace = pace
    await bench.run()

    assert bench.made == {"0.txt": "foreign", "0-2.txt": "one!"}
    with bench.store() as store:
        assert store.runs.find("1.1").output == "0-2.txt"


async def test_several_outputs_are_one_object(bench):
    bench.workflow += '  twice: "{{ loud }}{{ loud }}"\n'
    bench.write("one")

    await bench.run()
    bench.words = {"output": "twice"}
    await bench.run()

    assert json.loads(bench.made["0.json"]) == {"loud": "one!", "twice": "one!one!"}
    assert bench.made["0.txt"] == "one!one!"


async def test_a_cancelled_batch_leaves_no_task_and_can_go_on(bench):
    bench.write("one", "slow", "three")
    bench.pace = gate = Gate("slow", "three")

    running = await bench.cut_off(when=lambda: gate.waiting == 2)

    assert running.cancelled()
    assert asyncio.all_tasks() == {asyncio.current_task()}
    with bench.store() as store:
        assert store.runs.find("1").status == "cancelled"
        counts = store.runs.item_counts(store.runs.find("1").row)
        assert counts["done"] == 1


async def test_a_store_that_fails_stops_the_batch(bench):
    bench.write(*map(str, range(20)))
    failure = StoreError("store.full", "no room")

    def break_later(store):
        append = store.runs.append

        async def fail(event):
            if len(bench.heard.ends) >= 5:
                raise failure
            await append(event)

        store.runs.append = fail

    with pytest.raises(StoreError) as raised:
        await bench.run(before=break_later)
    acknowledged = [report.label for report in bench.heard.ends]
    result = await bench.run(resume=True)

    assert raised.value is failure
    assert result.tally.known >= len(acknowledged)
    assert len(bench.made) == 20
    assert result.status == "done"


async def test_a_file_that_cannot_be_written_stops_the_batch(bench, tmp_path):
    bench.write(*map(str, range(20)))

    async def pace(text):
        if "7" in text:
            (tmp_path / "out").rename(tmp_path / "gone")

    bench.pace = pace
    with pytest.raises(FileNotFoundError):
        await bench.run()


async def test_a_pipe_without_paths_is_an_error_and_no_batch(bench, monkeypatch):
    bench.each = "-"
    nothing = os.fdopen(os.open(os.devnull, os.O_RDONLY))
    monkeypatch.setattr(sources.sys, "stdin", nothing)
    with nothing, pytest.raises(UsageError) as raised:
        await bench.run()

    assert raised.value.code == "batch.no-items"
    with bench.store() as store:
        assert list(store.runs.listed()) == []


@pytest.mark.parametrize("durable", [True, False])
async def test_an_item_leaves_nothing_in_memory(bench, tmp_path, durable):
    bench.each, bench.out, bench.durable = "rows.jsonl", None, durable
    rows = [f'{{"text": "{{\\"word\\": \\"{n}\\"}}"}}\n' for n in range(300)]
    (tmp_path / "rows.jsonl").write_text("".join(rows))
    objects = {}

    class Forgetful(list):
        def append(self, report):
            if report.position in (100, 290):
                gc.collect()
                objects[report.position] = len(gc.get_objects())

    bench.reports = Forgetful
    await bench.run()

    assert abs(objects[290] - objects[100]) < 200
