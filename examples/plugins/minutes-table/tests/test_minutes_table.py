# SPDX-License-Identifier: Apache-2.0
"""The plugin in a locked worker, as LAO runs it; and its rules, one by one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lao import LaoError
from lao.plugins.testing import PluginUnderTest
from minutes_table.tables import as_csv, as_markdown, columns_of, rows_of


@pytest.fixture(scope="module")
def plugin() -> Iterator[PluginUnderTest]:
    with PluginUnderTest(Path(__file__).parents[1]) as plugin:
        yield plugin


def test_entities_become_a_table_without_the_empty_ones(
    plugin: PluginUnderTest,
) -> None:
    table = plugin.process({"people": ["Ana Ruiz", "Bo"], "dates": []}).value

    assert table == "| what | found |\n| --- | --- |\n| people | Ana Ruiz, Bo |\n"


def test_tasks_become_the_columns_that_are_wanted(plugin: PluginUnderTest) -> None:
    tasks = {"tasks": [{"task": "Order lights", "owner": "Bo", "due": "4 May"}]}

    table = plugin.process(
        tasks, parameters={"format": "csv", "columns": ["due", "task"]}
    ).value

    assert table == "due,task\n4 May,Order lights\n"


def test_an_unknown_format_is_refused(plugin: PluginUnderTest) -> None:
    with pytest.raises(LaoError) as raised:
        plugin.process([], parameters={"format": "pdf"})

    assert raised.value.code == "plugin.bad-parameter"


@pytest.mark.parametrize(
    ("value", "rows"),
    [
        (["a", 1], [{"found": "a"}, {"found": 1}]),
        ("a", [{"found": "a"}]),
        ([], []),
        ([{"a": 1}, 2], [{"a": 1}, {"found": 2}]),
    ],
)
def test_every_json_value_has_rows(value: object, rows: object) -> None:
    assert rows_of(value) == rows


def test_nothing_in_a_cell_ends_it_early() -> None:
    rows = rows_of([{"task": "a | b\nc", "who": {"x": 1}}])

    assert as_markdown(rows, columns_of(rows, ())).splitlines()[2] == (
        '| a \\| b c | {"x": 1} |'
    )


def test_no_cell_is_a_formula() -> None:
    assert as_csv([{"a": '=HYPERLINK("x")'}], ["a"]) == 'a\n"\'=HYPERLINK(""x"")"\n'
