# SPDX-License-Identifier: Apache-2.0
"""Transforms are pure and total: every input gives a value or a TransformError."""

import pytest
from hypothesis import given, strategies as st

from lao.workflow.transforms import (
    Join,
    Lines,
    ParseJson,
    Regex,
    Select,
    Split,
    Strip,
    TransformError,
    Truncate,
    apply_transforms,
    output_type,
)
from lao.workflow.values import AUDIO, JSON, TEXT, FileValue, list_of

TEXTS = list_of(TEXT)
EVERY = [
    Strip(),
    Truncate(characters=3),
    Split(separator=","),
    Join(),
    Select(pointer="/a/0"),
    Lines(),
    Regex(pattern="a"),
    Regex(pattern="a", replace="b"),
    ParseJson(),
]
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.just(FileValue("/f")),
    lambda inner: (
        st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5)
    ),
    max_leaves=10,
)
transforms = st.one_of(
    st.sampled_from(EVERY),
    st.builds(
        Truncate, characters=st.integers(), keep=st.sampled_from(["start", "end"])
    ),
    st.builds(
        Split, separator=st.none() | st.text(max_size=2), characters=st.integers()
    ),
    st.builds(Select, pointer=st.text(alphabet="/~01a²", max_size=6)),
    st.builds(
        Regex, pattern=st.text(max_size=4), replace=st.none() | st.text(max_size=4)
    ),
)


def applied(transform, value):
    return apply_transforms([transform], value)


@given(transforms, values)
def test_a_transform_gives_a_value_or_says_why_not(transform, value):
    try:
        applied(transform, value)
    except TransformError as error:
        assert f"`{transform.kind}`" in str(error)  # noqa: PT017


@given(st.text(), st.integers(1, 20))
def test_split_loses_nothing_but_white_space_and_keeps_to_the_size(text, size):
    pieces = applied(Split(characters=size), text)

    assert all(0 < len(piece) <= size for piece in pieces)
    assert "".join("".join(pieces).split()) == "".join(text.split())


@given(st.text(), st.integers(0, 9))
def test_truncate_keeps_an_end(text, size):
    assert applied(Truncate(characters=size), text) == text[:size]
    end = applied(Truncate(characters=size, keep="end"), text)
    assert text.endswith(end)
    assert len(end) == min(size, len(text))


@pytest.mark.parametrize(
    ("transform", "value", "result"),
    [
        (Strip(), " a \n", "a"),
        (Strip(), [" a", "b "], ["a", "b"]),
        (Split(separator=","), "a,,b", ["a", "b"]),
        (Split(characters=12), "one two. three four", ["one two.", "three four"]),
        (Split(characters=9), "one\n\ntwo three", ["one", "two three"]),
        (Join(), ["a", "b"], "a\nb"),
        (Join(separator=", "), [1, {"a": "é"}], '1, {"a": "é"}'),
        (Select(pointer=""), {"a": 1}, {"a": 1}),
        (Select(pointer="/a~1b/1/~0"), {"a/b": [0, {"~": 5}]}, 5),
        (Lines(), "a\n\n b\r\n", ["a", " b"]),
        (Regex(pattern=r"\d+"), "1 and 22", ["1", "22"]),
        (Regex(pattern=r"(\w)=(\w)?"), "a=b c=", ["a", "c"]),
        (Regex(pattern="(a)", replace=r"<\1>"), "banana", "b<a>n<a>n<a>"),
        (ParseJson(), ' {"a": [1.5]} ', {"a": [1.5]}),
    ],
)
def test_what_each_transform_does(transform, value, result):
    assert applied(transform, value) == result


def test_transforms_run_first_to_last():
    chain = [Lines(), Strip(), Join(separator="+")]
    assert apply_transforms(chain, " a \n b ") == "a+b"


@pytest.mark.parametrize(
    ("transform", "value", "words"),
    [
        (Lines(), {"a": 1}, "not on a JSON object"),
        (Strip(), [1], "not on a number"),
        (Join(), FileValue("/a.wav", "audio"), r"not on a file \(audio\)"),
        (Select(pointer="/a/²"), {"a": [1]}, "finds nothing at '/a/²'"),
        (Select(pointer="/a/01"), {"a": [1, 2]}, "finds nothing"),
        (Regex(pattern="("), "a", r"`regex` '\('"),
        (Regex(pattern="a", replace=r"\9"), "a", "`regex`"),
        (ParseJson(), "[" * 100_000, "deeper than 64"),
        (ParseJson(), "NaN", "NaN is not a JSON number"),
    ],
)
def test_a_complaint_says_what_does_not_work(transform, value, words):
    with pytest.raises(TransformError, match=words):
        applied(transform, value)


def test_a_pattern_that_runs_away_is_stopped(monkeypatch):
    monkeypatch.setattr("lao.workflow.transforms._PATTERN_SECONDS", 0.05)
    with pytest.raises(TransformError, match="took over"):
        applied(Regex(pattern=r"(a|aa|a?)+$"), "a" * 5000 + "b")


@pytest.mark.parametrize(
    ("transform", "source", "result"),
    [
        (Strip(), TEXT, TEXT),
        (Truncate(characters=1), TEXTS, TEXTS),
        (Split(separator=","), TEXT, TEXTS),
        (Lines(), TEXTS, None),
        (Join(), TEXTS, TEXT),
        (Join(), JSON, TEXT),
        (Join(), TEXT, None),
        (Select(pointer="/a"), JSON, JSON),
        (Select(pointer="/a"), TEXT, None),
        (Regex(pattern="a"), TEXT, TEXTS),
        (Regex(pattern="a", replace=""), TEXT, TEXT),
        (ParseJson(), TEXT, JSON),
    ],
)
def test_the_type_that_a_transform_gives(transform, source, result):
    assert output_type(transform, source) == result


@pytest.mark.parametrize("transform", EVERY, ids=repr)
def test_no_transform_works_on_a_recording(transform):
    assert output_type(transform, AUDIO) is None
    with pytest.raises(TransformError):
        applied(transform, FileValue("/a.wav", "audio"))


@pytest.mark.parametrize("transform", EVERY, ids=repr)
def test_what_type_checks_works(transform):
    samples = {TEXT: "[1]", TEXTS: ["a", "b"], JSON: {"a": [[1]]}}
    for source, value in samples.items():
        if output_type(transform, source) is not None and (transform, source) != (
            Join(),
            JSON,
        ):
            applied(transform, value)
