# SPDX-License-Identifier: Apache-2.0
"""What the engine's tables compare, and how a cell is measured."""

import pytest
from benchmarks import engine_rows, floors
from benchmarks.cells import Cells, Failed, Pace, Subject, measure_once
from benchmarks.dags import called
from benchmarks.engine_table import FLOORS, GRAPHS, OURS, PEERS, QUICK

PACE = Pace(repeats=2, seconds=1.0)


@pytest.mark.parametrize("rows", [(*FLOORS, *OURS), QUICK], ids=["full", "quick"])
def test_every_row_stands_on_a_floor_of_the_same_table(rows):
    names = {row.subject.name for row in rows}
    assert {row.floor for row in rows} - {""} <= names


def test_a_row_is_a_subject_that_exists():
    subjects = {*floors.SUBJECTS, *engine_rows.SUBJECTS}
    assert {row.subject.name for row in (*FLOORS, *OURS)} <= subjects


def test_a_peer_stands_beside_a_row_of_lao_on_the_same_floor():
    floor_of = {row.subject.name: row.floor for row in OURS}
    assert all(floor_of[peer.beside] == peer.floor for peer in PEERS)


@pytest.mark.parametrize("name", GRAPHS)
def test_a_graph_has_one_sink_and_needs_only_what_comes_before(name):
    dag = called(name)
    seen: set[str] = set()
    for node, needs in dag.needs.items():
        assert seen.issuperset(needs)
        seen.add(node)
    assert [node for node, users in dag.users.items() if not users] == [dag.sink]


def test_a_graph_that_runs_again_counts_the_steps_of_all_its_runs():
    found = measure_once(
        Subject(module="floors", name="floor asyncio"), "chain10x3", PACE
    )
    assert found["steps"] == 30
    assert len(found["cpu"]) == len(found["wall"]) > 0


def test_a_cell_that_fails_says_why_and_is_not_tried_again():
    broken = Subject(module="floors", name="no such floor")
    with pytest.raises(Failed, match="no such floor"):
        measure_once(broken, "chain10", PACE)
    cells = Cells()
    cells.measure(broken, "chain10", PACE)
    assert not cells.cells
    assert "no such floor" in cells.failures["no such floor", "chain10"]
