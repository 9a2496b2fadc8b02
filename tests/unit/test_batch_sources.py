# SPDX-License-Identifier: Apache-2.0
"""The items of a batch: from patterns, pipes and rows; read as they come."""

import asyncio
import os

import pytest
from hypothesis import given, strategies as st

from lao.batch import sources
from lao.batch.each import read_each
from lao.batch.records import Splitter, count_records, read_records
from lao.batch.sources import open_source
from lao.errors import UsageError
from lao.workflow.steps import Input
from lao.workflow.values import AUDIO

ONE = {"text": Input()}
TWO = {"recording": Input(type=AUDIO), "language": Input()}


async def items_of(text, declared, base, *, given=(), nul=False):
    each = read_each(text, declared, given, nul=nul)
    with open_source(each, base=base, declared=declared) as source:
        return source.total, [item async for item in source.items()]


@pytest.fixture
def piped(monkeypatch):
    """Put something into standard input."""
    opened = []

    def put(content):
        reading, writing = os.pipe()
        os.write(writing, content)
        os.close(writing)
        opened.append(os.fdopen(reading))
        monkeypatch.setattr(sources.sys, "stdin", opened[-1])

    yield put
    for each in opened:
        each.close()


# -- records ------------------------------------------------------------------


@given(st.lists(st.binary(max_size=5)), st.integers(0, 6))
def test_records_come_out_as_they_went_in_however_they_are_cut(blocks, limit):
    splitter = Splitter(b"\n", limit)
    whole = b"".join(blocks)
    expected = whole.split(b"\n")
    if not expected[-1]:
        expected.pop()

    got = [each for block in blocks for each in splitter.feed(block)]
    got += splitter.rest()

    assert got == [each if len(each) <= limit else None for each in expected]


def test_counting_leaves_blank_lines_out_and_rewinds(tmp_path):
    file = tmp_path / "rows.jsonl"
    file.write_bytes(b"1\n\n \r\n" + b"x" * 200_000 + b"\n2")
    with file.open("rb", buffering=0) as opened:
        assert count_records(opened.fileno(), b"\n", 100_000) == 3
        assert opened.tell() == 0


async def test_a_slow_pipe_holds_nobody_up_and_can_be_left():
    reading, writing = os.pipe()
    found = read_records(reading, b"\n", 10)
    os.write(writing, b"a\nb")
    first = await anext(found)
    waiting = asyncio.create_task(anext(found))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    os.close(writing)
    os.close(reading)

    assert first == b"a"


async def test_what_cannot_be_waited_for_is_read_at_once():
    nothing = os.open(os.devnull, os.O_RDONLY)
    try:
        assert [each async for each in read_records(nothing, b"\n", 9)] == []
    finally:
        os.close(nothing)


# -- which input --------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "declared", "given", "expected"),
    [
        ("*.txt", ONE, (), "text"),
        ("*.wav", TWO, ("language",), "recording"),
        ("language=*.txt", TWO, (), "language"),
        ("*.txt", {"text": Input(), "style": Input(default="short")}, (), "text"),
        ("*.txt", {"style": Input(default="short")}, (), "style"),
        ("a=b*.txt", ONE, (), "text"),
    ],
)
def test_the_input_that_items_fill(text, declared, given, expected):
    assert read_each(text, declared, given).input == expected


@pytest.mark.parametrize(
    ("text", "declared", "given", "code"),
    [
        ("*.wav", TWO, (), "batch.which-input"),
        ("*.wav", ONE, ("text",), "input.given-twice"),
        ("*.wav", {}, (), "input.none"),
        ("recordin=*.wav", TWO, (), "input.unknown"),
    ],
)
def test_an_unclear_input_is_an_error(text, declared, given, code):
    with pytest.raises(UsageError) as raised:
        read_each(text, declared, given)

    assert raised.value.code == code


def test_minus_zero_is_for_standard_input():
    with pytest.raises(UsageError) as raised:
        read_each("*.txt", ONE, (), nul=True)

    assert raised.value.code == "batch.nul-without-stdin"


# -- items --------------------------------------------------------------------


async def test_files_of_a_pattern(tmp_path):
    (tmp_path / "b.txt").touch()
    (tmp_path / "a\udcff.txt").touch()

    total, (first, second) = await items_of("*.txt", ONE, tmp_path)

    assert total == 2
    assert (first.label, first.position, first.stem) == ("a\udcff.txt", 1, "a\udcff")
    assert first.key.startswith(f"{tmp_path}/a\\xff.txt#")
    assert second.key == f"{tmp_path}/b.txt"
    assert second.given == {"text": tmp_path / "b.txt"}


async def test_paths_of_a_pipe_one_a_line_or_between_nuls(tmp_path, piped):
    piped(b"a.txt\n\nb c.txt\n")
    total, lines = await items_of("-", ONE, tmp_path)
    piped(b"a\nb.txt\0 \0")
    _, nuls = await items_of("-", ONE, tmp_path, nul=True)

    assert total is None
    assert [(item.position, item.label) for item in lines] == [
        (1, "a.txt"),
        (3, "b c.txt"),
    ]
    assert [item.label for item in nuls] == ["a\nb.txt", " "]


async def test_a_path_that_can_be_none_is_its_own_problem(tmp_path, piped, monkeypatch):
    monkeypatch.setattr(sources, "_LONGEST_PATH", 50)
    piped(b"a\0b\n" + b"x" * 60 + b"\ngood")
    _, items = await items_of("-", ONE, tmp_path)

    codes = [item.problem.code if item.problem else None for item in items]
    assert codes == ["batch.bad-path", "batch.bad-path", None]


async def test_rows_are_objects_of_inputs_or_plain_values(tmp_path):
    (tmp_path / "rows.jsonl").write_bytes(
        b'{"text": "A", "id": "one"}\n"B"\r\n\n{"text": "C", "name": "../x"}\n'
    )

    total, items = await items_of("rows.jsonl", ONE, tmp_path)

    assert total == 3
    assert [item.given for item in items] == [{"text": t} for t in "ABC"]
    assert [item.stem for item in items] == ["one", "row-000002", "../x"]
    assert [item.label for item in items] == [f"rows.jsonl:{n}" for n in (1, 2, 4)]


async def test_a_named_input_takes_rows_whole(tmp_path):
    (tmp_path / "rows.ndjson").write_text('{"text": "A"}')

    _, (item,) = await items_of("text=rows.ndjson", ONE, tmp_path)

    assert item.given == {"text": {"text": "A"}}


async def test_a_bad_row_is_its_own_problem(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "_LONGEST_ROW", 50)
    rows = tmp_path / "rows.jsonl"
    rows.write_bytes(b'{"x\n\xff\n' + b"[" * 49 + b"\n" + b'"' * 60 + b"\n1\n")

    _, items = await items_of("rows.jsonl", TWO, tmp_path)

    assert [item.problem.code for item in items] == [
        "batch.bad-row",
        "batch.bad-row",
        "batch.bad-row",
        "batch.row-too-long",
        "batch.which-input",
    ]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("*.wav", "batch.no-items"),
        ("folder", "batch.no-items"),
        ("empty.jsonl", "batch.no-items"),
        ("gone.jsonl", "input.missing-file"),
        ("-", "batch.no-stdin"),
    ],
)
def test_nothing_there_is_an_error(text, code, tmp_path, monkeypatch):
    monkeypatch.setattr(sources.sys, "stdin", None)
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty.jsonl").write_text("\n \n")
    each = read_each(text, ONE, ())

    with pytest.raises(UsageError) as raised:
        with open_source(each, base=tmp_path, declared=ONE):
            pass

    assert raised.value.code == code
