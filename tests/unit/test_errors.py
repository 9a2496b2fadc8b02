# SPDX-License-Identifier: Apache-2.0
"""Every complaint says what, where and how to mend it."""

import pytest
from hypothesis import given, strategies as st

from lao.errors import (
    InvalidWorkflow,
    LaoError,
    ModelUnavailable,
    Place,
    Problem,
    RefusedByPolicy,
    SchemaMismatch,
    Span,
    StepError,
    UsageError,
    at,
    did_you_mean,
    nearest,
)


def test_an_error_is_shown_as_what_where_mend():
    error = UsageError(
        "workflow.unknown-step",
        "step 'summary' needs 'transcrpt', which does not exist",
        where=Place("meeting.yaml", 14, 11),
        mend="did you mean 'transcript'?",
    )
    assert str(error) == (
        "error[workflow.unknown-step]: step 'summary' needs 'transcrpt', "
        "which does not exist\n"
        "  meeting.yaml:14:11\n"
        "  mend: did you mean 'transcript'?"
    )


@given(st.text(), st.text())
def test_no_words_of_a_problem_begin_a_line_of_their_own(what, mend):
    shown = str(Problem(code="a.b", what=what, where=Place(what), mend=mend))
    first, *others = shown.split("\n")
    assert first.startswith("error[a.b]: ")
    assert all(line.startswith("  ") for line in others)


def test_a_place_without_a_line_is_the_file():
    assert str(Place("meeting.yaml")) == "meeting.yaml"


@pytest.mark.parametrize(
    ("text", "start", "end", "shown"),
    [
        ("a | sumarize | b", 4, 12, "a | sumarize | b\n    ^^^^^^^^"),
        ("abc", 3, 3, "abc\n   ^"),
        ("one\ntwo\nsix", 4, 99, "two\n^^^"),
    ],
)
def test_a_span_underlines_its_stretch(text, start, end, shown):
    assert str(Span(text, start, end)) == shown


@given(st.text(), st.integers(0, 50), st.integers(0, 50))
def test_any_span_can_be_shown(text, start, end):
    assert "^" in str(Span(text, start, end))


def test_every_problem_of_a_workflow_is_shown():
    problems = [Problem(code="a.b", what="one"), Problem(code="c.d", what="two")]
    error = InvalidWorkflow(iter(problems))

    assert error.problems == tuple(problems)
    assert error.code == "a.b"
    assert str(error) == "error[a.b]: one\nerror[c.d]: two"


def test_a_place_is_added_but_never_replaced():
    bare = Problem(code="a.b", what="one")
    placed = at(bare, Place("x.yaml", 1, 1))

    assert placed.where == Place("x.yaml", 1, 1)
    assert at(placed, Place("y.yaml", 2, 2)) is placed


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (LaoError, 1),
        (UsageError, 2),
        (InvalidWorkflow, 2),
        (StepError, 3),
        (RefusedByPolicy, 5),
        (ModelUnavailable, 6),
        (SchemaMismatch, 7),
    ],
)
def test_each_kind_ends_the_command_with_its_own_code(kind, code):
    assert kind.exit_code == code


def test_another_attempt_helps_only_where_it_is_said():
    assert not StepError("a.b", "x").retryable
    assert ModelUnavailable("a.b", "x", retryable=True).retryable


def test_the_nearest_name_is_suggested():
    assert nearest("Sumarize", ["summarize", "save"]) == "summarize"
    assert nearest("zzz", ["summarize"]) is None
    assert did_you_mean("sumarize", ["summarize"]) == "did you mean 'summarize'?"


def test_without_a_near_name_the_choice_is_listed():
    assert did_you_mean("zzz", ["b", "a"]) == "one of: a, b"
    assert did_you_mean("zzz", []) == "there is none to choose from"
    assert did_you_mean("zzz", map(str, range(20))).endswith(", …")
