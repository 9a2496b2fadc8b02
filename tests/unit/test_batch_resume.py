# SPDX-License-Identifier: Apache-2.0
"""A batch that stopped goes on: nothing done twice, nothing lost, nothing mixed up."""

import asyncio

import pytest
from tests.batches import SHOUT, Bench, Gate

from lao.batch.continuation import batch_flags, batch_of
from lao.errors import UsageError
from lao.events import RunResumed, StepStarted

STYLED = SHOUT.replace("text: text }", "text: text, style: { optional: true } }")


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)


async def stop_at(bench, *words):
    """Stop a batch when it has reached the inputs with these words."""
    bench.pace = gate = Gate(*words)
    await bench.cut_off(when=lambda: gate.waiting == len(words))
    bench.pace = Gate()


async def test_what_is_done_is_not_run_again(bench):
    bench.write("one", "two", "slow", "four")
    await stop_at(bench, "slow", "four")

    result = await bench.run(resume=True)

    assert bench.session.begun == ['{"word": "slow"}', '{"word": "four"}']
    assert bench.heard.labels == [f"in/{n}.txt" for n in range(4)]
    assert [report.was_known for report in bench.heard.turns] == [
        True,
        True,
        False,
        False,
    ]
    assert bench.made == {f"{n}.txt": each for n, each in enumerate(SHOUTED)}
    assert (result.status, result.tally.known, result.run) == ("done", 2, "1")


SHOUTED = ["one!", "two!", "slow!", "four!"]


async def test_results_that_go_to_stdout_are_told_whole_again(bench):
    bench.out = None
    bench.write("one", "two", "slow", "four")
    await stop_at(bench, "slow", "four")

    await bench.run(resume=True)

    assert [report.outputs["loud"] for report in bench.heard.turns] == SHOUTED


async def test_an_item_goes_on_where_its_own_run_stopped(bench):
    bench.write("one")
    reached = asyncio.Event()

    def hang(store):
        append = store.runs.append

        async def wait(event):
            if isinstance(event.fact, StepStarted) and event.fact.step == "loud":
                reached.set()
                await asyncio.Event().wait()
            await append(event)

        store.runs.append = wait

    await bench.cut_off(when=reached.is_set, before=hang)
    await bench.run(resume=True)

    with bench.store() as store:
        events = store.runs.each_event(store.runs.find("1.1"))
        resumed = [e.fact for e in events if isinstance(e.fact, RunResumed)]
    assert [fact.recalled for fact in resumed] == [("read",)]
    assert bench.made == {"0.txt": "one!"}


async def test_a_file_that_a_kill_kept_from_being_written_is_written(bench, tmp_path):
    bench.write("one", "two")
    await bench.run()
    (tmp_path / "out" / "1.txt").unlink()

    await bench.run(resume=True)

    assert bench.session.begun == []
    assert bench.made == {"0.txt": "one!", "1.txt": "two!"}


async def test_a_promised_name_stays_promised(bench, tmp_path):
    bench.write("one", "slow")
    await stop_at(bench, "slow")
    (tmp_path / "in" / "sub").mkdir()
    (tmp_path / "in" / "sub" / "1.txt").write_text('{"word": "new"}')
    bench.each = "in/*.txt"

    await bench.run(resume=True)

    assert bench.made == {"0.txt": "one!", "1.txt": "slow!"}


async def test_failed_items_run_again(bench, tmp_path):
    bench.write("one", "? bad")
    await bench.run()
    bench.write("one", "two")

    result = await bench.run(resume=True)

    assert bench.session.begun == ['{"word": "two"}']
    assert bench.made == {"0.txt": "one!", "1.txt": "two!"}
    assert result.status == "done"


async def test_an_input_that_could_not_be_read_is_read_again(bench, tmp_path):
    bench.write("one")
    (tmp_path / "in" / "1.txt").write_bytes(b"\xff\xfe\xff")
    await bench.run()
    bench.write("one", "two")

    await bench.run(resume=True)

    assert bench.made == {"0.txt": "one!", "1.txt": "two!"}
    with bench.store() as store:
        item = store.runs.find("1.2")
        assert store.runs.inputs(item) == {"text": '{"word": "two"}'}
        assert item.status == "done"


async def test_after_only_the_failed_the_rest_can_go_on(bench):
    bench.write("? bad", "slow", "three")
    bench.jobs = 1
    await stop_at(bench, "slow")
    bench.write("one")

    result = await bench.run(resume=True, only_failed=True)
    rest = await bench.run(resume=True)

    assert (result.status, result.exit_code) == ("cancelled", 0)
    assert (rest.status, rest.tally.known) == ("done", 2)


async def test_only_the_failed_run_when_asked_so(bench):
    bench.write("one", "? bad", "three")
    await bench.run()
    bench.write("one", "? still bad", "three", "four")

    await bench.run(resume=True, only_failed=True)

    assert bench.session.begun == ["? still bad"]
    assert bench.heard.labels == ["in/1.txt"]


async def test_a_changed_input_runs_again_into_a_file_of_its_own(bench):
    bench.write("one", "two")
    await bench.run()
    bench.write("one", "changed")

    await bench.run(resume=True)

    assert bench.made == {"0.txt": "one!", "1.txt": "two!", "1-2.txt": "changed!"}
    assert bench.heard.turns[0].was_known
    assert "changed" in bench.heard.turns[1].note
    assert bench.heard.turns[1].run == "1.2"


async def test_new_inputs_join_a_batch_that_goes_on(bench):
    bench.write(a="one", c="three")
    await bench.run()
    bench.write(b="two")

    await bench.run(resume=True)

    assert [report.run for report in bench.heard.turns] == ["1.1", "1.3", "1.2"]
    assert bench.made == {"a.txt": "one!", "b.txt": "two!", "c.txt": "three!"}


async def test_what_the_batch_wrote_is_no_input(bench):
    bench.out = "in"
    bench.write("one", "slow")
    await stop_at(bench, "slow")

    await bench.run(resume=True)

    assert bench.heard.labels == ["in/0.txt", "in/1.txt"]


async def test_an_item_is_found_without_walking_the_batch(bench, tmp_path):
    bench.out, bench.each = None, "rows.jsonl"
    (tmp_path / "rows.jsonl").write_text("0\n" * 500)
    await bench.run()
    with bench.store() as store:
        batch, last = store.runs.find("1"), store.runs.find("1.500")
        steps = []
        connection = store._database._connection
        connection.set_progress_handler(lambda: steps.append(1), 100)

        assert store.runs.item(batch.row, last.key).row == last.row
    assert len(steps) < 3  # hundreds of SQLite's instructions


async def test_the_latest_batch_goes_on(bench):
    bench.write("one")
    await bench.run()
    await bench.run()

    result = await bench.run(resume=True)

    assert result.run == "2"
    assert bench.made == {"0.txt": "one!", "0-2.txt": "one!"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"workflow": STYLED.replace("}}!", "}}?")}, "the workflow"),
        ({"words": {"output": "loud"}}, "--output"),
        ({"words": {"inputs": {"style": "x"}}}, "'style'"),
    ],
)
async def test_it_refuses_to_go_on_with_something_else(bench, change, reason):
    bench.workflow = STYLED
    bench.write("one", "slow")
    await stop_at(bench, "slow")
    for name, value in change.items():
        setattr(bench, name, value)

    with pytest.raises(UsageError) as raised:
        await bench.run(resume=True)

    assert raised.value.code == "batch.changed"
    assert reason in str(raised.value)


@pytest.mark.parametrize("change", [{"each": "*/*.txt"}, {"out": "other"}])
async def test_another_source_or_folder_is_another_batch(bench, change):
    bench.write("one")
    await bench.run()
    for name, value in change.items():
        setattr(bench, name, value)

    with pytest.raises(UsageError) as raised:
        await bench.run(resume=True)

    assert raised.value.code == "batch.none-to-resume"


def test_an_order_says_the_whole_batch(bench):
    bench.words = {"timeout": 5.0, "stop_on_failure": True, "output": "loud"}
    batch = bench.batch()

    assert batch_of(batch.prepared, batch_flags(batch)) == batch
