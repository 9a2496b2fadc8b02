# SPDX-License-Identifier: Apache-2.0
"""What differs between two runs is what went in and what came out, never how long it took."""

import pytest
from tests.history import History, done, step

from lao.cli.run_compare import comparison_json, comparison_page
from lao.events import RunStarted, StepFailed
from lao.history.comparison import compare_runs
from lao.store.runs import RunOrder


@pytest.fixture
def history(tmp_path):
    return History(tmp_path / "data")


def compared(history, *runs):
    return compare_runs(*(history.read(name) for name in runs))


def test_two_runs_that_only_took_longer_do_not_differ(history):
    one = history.keep(*done(step(seconds=1.0), a="fine"), inputs={"x": "same"})
    other = history.keep(
        *done(step(seconds=9.0, cached=True), a="fine"), inputs={"x": "same"}
    )

    found = compared(history, one, other)

    assert found.is_same
    assert "nothing differs between 1 and 2" in comparison_page(found, 0.0)
    assert "1.0 s → cached" in comparison_page(found, 0.0)


def test_the_ingredients_that_differ_are_named(history):
    before = step(ingredients={"prompt": "1", "model": "m", "seed": "s"}, value="a")
    after = step(ingredients={"prompt": "2", "model": "m", "schema": "t"}, value="b")
    found = compared(history, history.keep(*done(before)), history.keep(*done(after)))

    (pair,) = found.steps
    assert pair.ingredients == ("prompt", "seed", "schema")
    assert not pair.is_same
    assert not pair.is_unexplained
    assert "prompt, seed, schema, result" in comparison_page(found, 0.0)


def test_of_a_step_that_was_pinned_once_only_that_is_said(history):
    one = history.keep(*done(step(ingredients={"prompt": "1"}, value="a")))
    order = RunOrder(workflow="", base="/", flags={"pinned": {"a": "b"}})
    other = history.keep(*done(step(value="b")), order=order)

    (pair,) = compared(history, one, other).steps

    assert (pair.name, pair.ingredients) == ("a", ("pinned",))
    assert compared(history, other, other).steps[0].ingredients == ()


def test_a_result_that_differs_from_the_same_ingredients_was_sampled(history):
    runs = [
        history.keep(
            *done(step(value=value, ingredients={"prompt": "1"}, reproducible=False))
        )
        for value in "ab"
    ]

    page = comparison_page(compared(history, *runs), 0.0)

    assert "result, sampled without a seed" in page


def test_steps_of_one_run_only_and_failures_are_told(history):
    one = history.keep(*done(step("a"), step("b")))
    other = history.keep(
        RunStarted(workflow="meeting", steps=("a",)),
        StepFailed(step="a", code="step.timeout", what="too slow"),
    )

    found = compared(history, one, other)

    page = comparison_page(found, 0.0)
    assert "done → failed" in page
    assert "only in 1" in page
    assert comparison_json(found)["steps"]["a"]["after"] == {
        "status": "failed",
        "code": "step.timeout",
    }


def test_inputs_files_and_the_workflow_differ(history):
    order = RunOrder(workflow="lao: 1\nname: w\n", base="/")
    one = history.keep(inputs={"x": "red"}, files={"/f": "1", "/g": "1"}, order=order)
    order = RunOrder(workflow="lao: 1\nname: v\n", base="/")
    other = history.keep(
        inputs={"x": "blue"}, files={"/f": "2", "/g": "1"}, order=order
    )

    found = compared(history, one, other)

    page = comparison_page(found, 0.0)
    assert found.files == ("/f",)
    assert not found.is_same
    for line in ("    -red", "    +blue", "    -name: w", "  /f: another content"):
        assert f"{line}\n" in page


def test_a_page_is_bounded_and_json_has_more(history):
    texts = ["\n".join(f"{word}{n}" for n in range(300)) for word in ("a", "b")]
    runs = [history.keep(inputs={"x": text}) for text in texts]

    found = compared(history, *runs)

    page = comparison_page(found, 0.0)
    assert len(page.splitlines()) < 60
    assert "… and 561 lines more (--json has more)" in page
    assert len(comparison_json(found)["inputs"][0]["diff"]) == 601
