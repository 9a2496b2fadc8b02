# SPDX-License-Identifier: Apache-2.0
"""What the page sees of runs: bounded, and the same to whoever reads in whichever pace."""

import json
import struct

import msgspec
import pytest
from hypothesis import given, strategies as st
from tests.history import History, done, step

from lao.durable import Prepared
from lao.editor.folder import Folder
from lao.errors import UsageError
from lao.events import (
    Event,
    ItemFinished,
    ProgressMade,
    RunFinished,
    RunStarted,
    StepFinished,
    StepRetried,
    StepStarted,
    TextProduced,
)
from lao.history.comparison import compare_runs
from lao.planning.compiler import compile_workflow
from lao.server.answers import file_answer
from lao.server.live_run import LiveRun
from lao.server.media import media_type, open_media
from lao.server.pins import Pins
from lao.server.run_views import message_of, view_comparison, view_run
from lao.server.values import PAGE, SHOWN, Values, page_of, plain, text_of
from lao.store.records import RunRecord
from lao.workflow.local_models import Ollama
from lao.workflow.steps import Workflow, WorkflowStep
from lao.workflow.values import FileValue

WAV = b"RIFF" + struct.pack("<I", 4) + b"WAVE"
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def values(tmp_path):
    return Values(Folder(tmp_path))


# --- values


def test_a_short_value_is_shown_whole(values):
    text, data = values.view("fine"), values.view({"a": [1, None]})
    assert (text.text, text.is_whole, text.size) == ("fine", True, 4)
    assert (data.data, data.kind, data.is_whole) == ({"a": [1, None]}, "json", True)
    assert values.view(None).kind == "none"


@pytest.mark.parametrize("value", ["x" * 10_000_000, [{"a": "y" * 10_000_000}]])
def test_of_a_long_value_an_event_holds_the_beginning(values, value):
    fact = StepFinished(step="a", value=value)
    sent = msgspec.json.encode(message_of(Event("r", 1, 0.0, fact), values))
    assert len(sent) < 2 * SHOWN
    assert not values.view(value).is_whole
    assert values.view(value).size >= 10_000_000


def test_the_rest_of_a_long_text_comes_in_pages():
    text, offset, found = "".join(map(str, range(150_000))), 0, []
    while offset is not None:
        page = page_of(text, offset)
        found.append(page.text)
        offset = page.next
    assert "".join(found) == text
    assert all(len(each) <= PAGE for each in found)
    assert page_of(text, len(text) + 7).text == ""


def test_a_beginning_is_what_the_first_page_begins_with(values):
    value = [{"n": n} for n in range(20_000)]
    assert text_of(value).startswith(values.view(value).text)


def test_a_deep_value_is_a_text_and_no_trap(values):
    deep: object = []
    for _ in range(5_000):
        deep = [deep]
    view = values.view(deep)
    assert (view.data, view.is_whole) == (None, False)
    assert msgspec.json.encode(view)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
HALVES = st.text(st.characters(categories=["Lu", "Cs"]))


@given(JSON | HALVES | st.dictionaries(HALVES, HALVES))
def test_whatever_a_model_says_can_be_sent(value):
    sent = msgspec.json.encode(plain(value))
    json.loads(sent)


def test_a_number_that_javascript_would_round_is_sent_as_text():
    assert plain([2**53, 2**53 + 1, -(2**60)]) == [
        2**53,
        str(2**53 + 1),
        str(-(2**60)),
    ]


# --- files


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.wav", WAV, "audio/wav"),
        ("A.PNG", PNG, "image/png"),
        ("a.jpg", b"\xff\xd8\xff\xe0", "image/jpeg"),
        ("a.mp3", b"ID3\x04", "audio/mpeg"),
        ("a.mp3", b"\xff\xfb\x90\x00", "audio/mpeg"),
        ("a.m4a", b"\0\0\0\x20ftypM4A ", "audio/mp4"),
        ("a.webm", b"\x1aE\xdf\xa3", "audio/webm"),
        ("a.png", b"<svg onload=alert(1)>", ""),
        ("a.wav", PNG, ""),
        ("a.svg", b"<svg/>", ""),
        ("a.html", b"<script>", ""),
        ("a", WAV, ""),
        ("a.mp3", b"\xff", ""),
        ("a.mp3", b"", ""),
    ],
)
def test_a_file_is_shown_only_if_its_name_and_its_bytes_agree(name, content, kind):
    assert media_type(name, content) == kind


def test_a_file_in_a_value_is_told_with_its_place_in_the_folder(values, tmp_path):
    (tmp_path / "a.wav").write_bytes(WAV)
    outside = FileValue("/etc/hostname", "file")
    both = values.view([FileValue(str(tmp_path / "a.wav"), "audio"), outside]).files
    assert (both[0].path, both[0].type, both[0].size) == ("a.wav", "audio/wav", 12)
    assert (both[1].path, both[1].type, both[1].size) == ("", "", None)


def test_what_lies_outside_or_is_no_file_is_not_given(tmp_path):
    root = tmp_path / "folder"
    root.mkdir()
    (root / "link").symlink_to("/etc/hostname")
    (root / "below").mkdir()
    folder = Folder(root)
    for path in ("link", "../x", "/etc/hostname", "below", "missing", ".hidden", ""):
        with pytest.raises(UsageError):
            open_media(folder, path)


@pytest.mark.parametrize(("name", "kind"), [("a.png", "image/png"), ("a.svg", "")])
async def test_a_file_is_sent_as_it_is_and_saved_unless_it_is_shown(
    tmp_path, name, kind
):
    content = PNG + bytes(1_000_000)
    (tmp_path / name).write_bytes(content)
    sent = []

    async def send(message):
        sent.append(message)

    await file_answer(open_media(Folder(tmp_path), name)).give(send)
    headers = dict(sent[0]["headers"])
    assert b"".join(each["body"] for each in sent[1:]) == content
    assert len(sent) > 4  # never whole in memory
    assert headers[b"content-length"] == str(len(content)).encode()
    assert headers[b"content-type"].decode() == (kind or "application/octet-stream")
    assert headers[b"content-disposition"].startswith(
        b"inline" if kind else b"attachment"
    )
    assert b"sandbox" in headers[b"content-security-policy"]


# --- a live run and its readers


def live_run(values):
    a = WorkflowStep(id="a", model=Ollama(model="m"), prompt_template="x")
    workflow = Workflow(name="test", steps=(a,))
    whole = compile_workflow(workflow)
    record = RunRecord(
        0, 1, "r", "run", None, 0, "", "", "test", "", 0.0, None, "running"
    )
    prepared = Prepared(workflow=workflow, whole=whole, plan=whole)
    return LiveRun(prepared=prepared, record=record, path="a.yaml", values=values)


class Page:
    """What a page has put together from messages."""

    def __init__(self) -> None:
        self.after = 0
        self.kinds: list[str] = []
        self.texts: dict[object, str] = {}

    def take(self, messages):
        for each in messages:
            assert each.sequence > self.after
            self.after = each.sequence
            place = each.fact.get("step"), each.fact.get("item")
            match each.kind:
                case "text-produced":
                    known = "" if each.fact.get("whole") else self.texts[place]
                    self.texts[place] = known + each.fact["text"]
                case "progress-made":
                    pass
                case kind:
                    self.kinds.append(kind)
                    if kind in ("step-retried", "item-finished", "step-finished"):
                        self.texts.pop(place, None)


FACTS = st.one_of(
    st.builds(
        TextProduced,
        step=st.sampled_from("ab"),
        item=st.none() | st.integers(0, 1),
        text=st.text("xyz", max_size=4),
    ),
    st.builds(
        StepRetried,
        step=st.sampled_from("ab"),
        attempt=st.just(1),
        code=st.just("c"),
        what=st.just("w"),
        delay=st.just(0.0),
        item=st.none() | st.integers(0, 1),
    ),
    st.builds(
        ItemFinished,
        step=st.sampled_from("ab"),
        item=st.integers(0, 1),
        value=st.just("v"),
    ),
    st.builds(
        ProgressMade,
        step=st.sampled_from("ab"),
        done=st.just(1.0),
        total=st.just(2.0),
        unit=st.just("s"),
    ),
)
STARTED = RunStarted(workflow="test", steps=("a", "b"))
ACTS = st.lists(FACTS | st.sampled_from(["look", "come back"]), max_size=40)


@given(ACTS)
def test_whoever_looks_often_seldom_or_again_sees_the_same_in_the_end(acts):
    values = Values(Folder.__new__(Folder))  # no value here holds a file
    live = live_run(values)
    often, seldom = Page(), Page()
    eager, patient = live.reader(0), live.reader(0)
    said: dict[object, str] = {}
    for sequence, act in enumerate([STARTED, *acts], start=1):
        if act == "look":
            often.take(eager.take())
        elif act == "come back":
            eager = live.reader(often.after)
        else:
            live.hear(Event("r", sequence, 0.0, act))
            place = getattr(act, "step", None), getattr(act, "item", None)
            if isinstance(act, TextProduced):
                said[place] = said.get(place, "") + act.text
            elif not isinstance(act, ProgressMade):
                said.pop(place, None)
    late = Page()
    late.take(live.reader(0).take())
    often.take(eager.take())
    seldom.take(patient.take())
    assert often.texts == seldom.texts == late.texts == said
    assert often.kinds == seldom.kinds == late.kinds


def heard(live, *facts):
    for sequence, fact in enumerate(facts, start=live.sequence + 1):
        live.hear(Event("r", sequence, 0.0, fact))


def test_text_that_comes_quickly_is_one_message(values):
    live = live_run(values)
    reader = live.reader(0)
    heard(live, STARTED, *(TextProduced(step="a", text=f"{n} ") for n in range(100)))
    [_, text] = reader.take()
    assert (text.sequence, text.fact["whole"]) == (101, True)
    heard(live, TextProduced(step="a", text="more"), TextProduced(step="a", text="!"))
    [text] = reader.take()
    assert text.fact == {"step": "a", "item": None, "text": "more!"}


def test_of_endless_text_the_end_is_kept_and_told_as_cut(values):
    live = live_run(values)
    reader = live.reader(0)
    heard(live, STARTED)
    for _ in range(100):
        heard(live, TextProduced(step="a", text="x" * 10_000))
    heard(live, TextProduced(step="a", text="end"))
    [_, text] = reader.take()
    assert text.fact["text"].endswith("xend")
    assert len(text.fact["text"]) + text.fact["cut"] == 1_000_003
    assert len(text.fact["text"]) < 600_000


def test_facts_are_kept_to_a_bound(values):
    live = live_run(values)
    heard(live, STARTED)
    big = {"step": "a", "value": "x" * 4096}
    heard(live, *(ItemFinished(item=n, **big) for n in range(5_000)))
    kept = live.reader(live.dropped).take()
    assert 0 < live.dropped < 5_001
    assert kept[0].sequence == live.dropped + 1


def test_a_run_whose_end_could_not_be_written_ends_for_those_who_follow(values):
    live = live_run(values)
    reader = live.reader(0)
    heard(live, STARTED)
    live.end(1.0, UsageError("store.full", "the disk is full"))
    assert [each.kind for each in reader.take()] == ["run-started", "run-finished"]
    assert live.status == "interrupted"


# --- runs and comparisons


def test_a_kept_run_is_told_with_its_steps_and_inputs(tmp_path, values):
    history = History(tmp_path / "data")
    (tmp_path / "talk.wav").write_bytes(WAV)
    inputs = {"audio": FileValue(str(tmp_path / "talk.wav"), "audio"), "n": 3}
    finished = step(value="fine", made_by="m", tokens_out=5, notes=("cut short",))
    name = history.keep(*done(finished, answer="fine"), inputs=inputs)
    view = view_run(history.read(name), values)
    assert view.given == {"audio": "talk.wav", "n": 3}
    assert (view.summary.status, view.summary.done, view.sequence) == ("done", 1, 3)
    a = view.steps["a"]
    assert (a.output.text, a.model, a.tokens_out) == ("fine", "m", 5)
    assert (a.notes, view.outputs["answer"].text) == (["cut short"], "fine")


def test_a_run_of_many_long_steps_stays_within_bounds(tmp_path, values):
    history = History(tmp_path / "data")
    steps = [step(name=f"s{n}", value="x" * 200_000) for n in range(150)]
    view = view_run(history.read(history.keep(*done(*steps))), values)
    assert len(msgspec.json.encode(view)) < 6 << 20


def test_a_running_step_has_what_it_says(tmp_path, values):
    history = History(tmp_path / "data")
    facts = STARTED, StepStarted(step="a", model="m")
    view = view_run(history.read(history.keep(*facts)), values, {"a": "Good morn"})
    assert (view.steps["a"].status, view.steps["a"].text) == ("running", "Good morn")
    assert view.summary.status == "interrupted"


def test_a_comparison_tells_both_sides(tmp_path, values):
    history = History(tmp_path / "data")
    before = history.keep(
        *done(step(value={"n": 1}, ingredients={"input": "x"}), answer="one"),
        inputs={"text": "old"},
    )
    after = history.keep(
        *done(step(value={"n": 2}, ingredients={"input": "y"}), answer="two"),
        inputs={"text": "new"},
    )
    found = compare_runs(history.read(before), history.read(after))
    view = view_comparison(found, values)
    assert not view.is_same
    [change] = view.inputs
    assert (change.where, change.before, change.after) == ("text", "old", "new")
    [pair] = view.steps
    assert (pair.ingredients, pair.before.output.data) == (["input"], {"n": 1})
    [output] = view.outputs
    assert (output.before, output.after) == ("one", "two")


def test_a_failed_end_is_told_with_the_outputs_it_has(values):
    ending = RunFinished(status="failed", outputs={"a": "x" * 100_000})
    message = message_of(Event("r", 9, 1.5, ending), values)
    assert (message.fact["status"], message.fact["outputs"]["a"]["size"]) == (
        "failed",
        100_000,
    )
    assert len(msgspec.json.encode(message)) < 10_000


# --- pins


def test_pins_last_and_nobody_else_can_read_them(tmp_path):
    source, folder = tmp_path / "a.yaml", tmp_path / "data" / "pins"
    Pins(folder).set(source, "a", "r1")
    Pins(folder).set(source, "b", "r2")
    assert Pins(folder).of(source) == {"a": "r1", "b": "r2"}
    assert Pins(folder).of(tmp_path / "b.yaml") == {}
    [kept] = folder.iterdir()
    assert (kept.stat().st_mode & 0o777, folder.stat().st_mode & 0o77) == (0o600, 0)
    Pins(folder).set(source, "a", None)
    Pins(folder).set(source, "b", None)
    assert list(folder.iterdir()) == []


def test_damaged_pins_are_none(tmp_path):
    source, folder = tmp_path / "a.yaml", tmp_path / "pins"
    Pins(folder).set(source, "a", "r1")
    [kept] = folder.iterdir()
    kept.write_text("{")
    assert Pins(folder).of(source) == {}
    assert Pins(folder).set(source, "b", "r2") == {"b": "r2"}
