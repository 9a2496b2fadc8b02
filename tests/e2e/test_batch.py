# SPDX-License-Identifier: Apache-2.0
"""A batch as a person runs it: from folders, pipes and rows; stopped, killed, continued."""

import json
import os
import select
import signal
import subprocess
import time
from collections import Counter

import pytest

SHOUT = """\
lao: 1
name: shout
inputs: { text: text }
steps:
  - { id: read, input: "{{ inputs.text }}", input_transforms: [json], output: json }
  - { id: loud, input: "{{ read.word }}!" }
outputs: { loud: "{{ loud }}" }
"""
# Two calls of a model that says of each what it is about, before it works. From the
# HELD-th input on it waits for a file.
TWICE = """\
lao: 1
name: twice
inputs: { text: text }
models:
  slow: { kind: custom, plugin: model.py, readable: ["GATE"], options: { gate: "GATE" } }
steps:
  - { id: first, model: slow, input: "{{ inputs.text }}" }
  - { id: second, model: slow, input: "{{ first }}" }
"""
MODEL = """\
import time
from pathlib import Path
from lao import ModelDescription, ModelReply

class Slow:
    def load(self, options): self.gate = Path(options["gate"], "open")
    def describe(self): return ModelDescription(name="slow")
    def infer(self, request, report):
        report.text(request.input.strip())
        while request.input >= "text HELD" and not self.gate.exists():
            time.sleep(0.005)
        return ModelReply(value=request.input.strip() + "+", made_by="slow")
"""
HELD = 20
IN_FLIGHT = 4
SOON = 1.0 + 9.0  # seconds: what is promised, and what a busy machine needs


@pytest.fixture
def shout(lao):
    lao.file("shout.yaml", SHOUT)
    return lao


def word(text):
    return json.dumps({"word": text})


def names(folder):
    return sorted(os.fsencode(file.name) for file in folder.iterdir())


def lines(ended):
    return [json.loads(line) for line in ended.out.splitlines()]


def test_a_folder_becomes_a_folder(shout):
    for name in ("b", "a", "deep/er/c"):
        shout.file(f"in/{name}.txt", word(name))

    ended = shout(
        "run",
        *("shout.yaml", "--each", "in/**/*.txt"),
        *("--out", "out", "--report", "report.jsonl"),
    )

    written = (shout.folder / "report.jsonl").read_text()
    report = [json.loads(line) for line in written.splitlines()]
    assert (ended.code, ended.out) == (0, b"")
    assert names(shout.folder / "out") == [b"a.txt", b"b.txt", b"c.txt"]
    assert (shout.folder / "out" / "a.txt").read_text() == "a!\n"
    assert [line.get("item") for line in report[:3]] == [
        "in/a.txt",
        "in/b.txt",
        "in/deep/er/c.txt",
    ]
    assert [line["run"] for line in report[:3]] == ["1.1", "1.2", "1.3"]
    assert (report[3]["batch"], report[3]["done"], report[3]["failed"]) == ("1", 3, 0)
    assert "batch 1: 3 done" in ended.told
    assert "\x1b" not in ended.told


def test_rows_become_lines_in_order_and_a_bad_one_fails_alone(shout):
    rows = [json.dumps({"text": word(n)}) for n in range(9)]
    rows[4] = "{bad"
    shout.file("rows.jsonl", "\n".join(rows))

    ended = shout("run", "shout.yaml", "--each", "rows.jsonl", "-j", "3")

    told = lines(ended)
    assert ended.code == 4
    assert [line["item"] for line in told] == [f"rows.jsonl:{n}" for n in range(1, 10)]
    assert [line["output"] for line in told if line["status"] == "done"] == [
        f"{n}!" for n in range(9) if n != 4
    ]
    assert told[4]["error"]["code"] == "batch.bad-row"
    assert "✗ rows.jsonl:5  1.5  batch.bad-row" in ended.told


def test_paths_of_any_bytes_come_through_a_pipe(shout):
    odd = [
        b"-rf.txt",
        b"new\nline.txt",
        b"\xff\xfe.txt",
        "ü 日本.txt".encode(),
        b".h.txt",
    ]
    for name in odd:
        shout.file(os.fsdecode(name), word("x"))

    ended = shout(
        "run", "shout.yaml", "--each", "-", "-0", "--out", "out", stdin=b"\0".join(odd)
    )
    again = shout("run", "shout.yaml", "--each", "-", "-0", stdin=odd[2])

    assert ended.code == 0, ended.told
    assert names(shout.folder / "out") == sorted(
        [b"_-rf.txt", b"new_line.txt", b"__.txt", odd[3], b"_.h.txt"]
    )
    assert os.fsencode(lines(again)[0]["item"]) == odd[2]


def test_results_come_while_the_pipe_is_still_open(shout):
    shout.file("a.txt", word("a"))
    with shout.started(
        "run", "shout.yaml", "--each", "-", stdin=subprocess.PIPE
    ) as process:
        process.stdin.write(b"a.txt\n")
        process.stdin.flush()
        assert select.select([process.stdout], [], [], 50)[0]
        first = json.loads(process.stdout.readline())
        process.stdin.close()

        assert process.wait(50) == 0
    assert first["output"] == "a!"


def test_events_of_all_items_are_written(shout):
    for name in "ab":
        shout.file(f"in/{name}.txt", word(name))

    ended = shout("run", "shout.yaml", "--each", "in/*", "--events", "-")

    kinds = Counter(line["kind"] for line in lines(ended))
    assert kinds["run-finished"] == len({line["run"] for line in lines(ended)}) == 2


def test_a_full_disk_under_the_events_stops_the_batch(shout):
    for name in range(30):
        shout.file(f"in/{name}.txt", word("x"))

    ended = shout(
        "run", "shout.yaml", "--each", "in/*", "--out", "o", "--events", "/dev/full"
    )

    assert ended.problems == ["output.failed"]
    assert ended.code == 1
    assert "`lao runs resume 1`" in ended.told


def test_json_is_one_summary(shout):
    shout.file("rows.jsonl", '"1"\n')

    ended = shout("run", "shout.yaml", "--each", "rows.jsonl", "--json", "-q")

    assert (ended.code, ended.report["status"]) == (4, "failed")
    assert ended.report["items"] == 1
    assert ended.report["failures"][0]["item"] == "rows.jsonl:1"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--each", "in/*.wav"], "batch.no-items"),
        (["--each", "gone.jsonl"], "input.missing-file"),
        (["--each", "*.yaml", "--each", "*.txt"], "batch.several-each"),
        (["--each", "*.yaml", "-0"], "batch.nul-without-stdin"),
        (["--each", "text=*.yaml", "--input", "text=x"], "input.given-twice"),
        (["--each", "*.yaml", "--resume"], "batch.none-to-resume"),
        (["--each", "*.yaml", "--out", "shout.yaml/x"], "batch.bad-folder"),
        (["--each", "*.yaml", "--report", "no/x"], "batch.bad-report"),
        (["--each", "*.yaml", "--report", "-"], "batch.bad-report"),
        (["--each", "*.yaml", "--output", "lod"], "output.unknown"),
        (["--resume", "--input", "x"], "batch.no-each"),
        (["--each", "-"], "batch.no-items"),
    ],
)
def test_what_cannot_be_begun_is_refused(shout, arguments, code):
    ended = shout("run", "shout.yaml", *arguments)

    assert ended.complains(2, code)


def test_an_ephemeral_batch_leaves_its_files_alone(shout):
    shout.file("in/a.txt", word("a"))

    ended = shout("run", "shout.yaml", "--each", "in/*", "--out", "out", "--ephemeral")

    assert ended.code == 0
    assert names(shout.folder / "out") == [b"a.txt"]
    assert not (shout.folder / "home" / ".local").exists()


# -- stopped and killed -------------------------------------------------------


@pytest.fixture
def twice(lao):
    """40 inputs for two calls each of a model that tells its calls."""
    (lao.folder / "gate").mkdir()
    lao.file("model.py", MODEL.replace("HELD", f"{HELD:02}"))
    lao.file("twice.yaml", TWICE.replace("GATE", str(lao.folder / "gate")))
    for number in range(40):
        lao.file(f"in/{number:02}.txt", f"text {number:02}")
    return lao


COMMAND = ("run", "twice.yaml", "--each", "in/*.txt", "--out", "out", "-j", IN_FLIGHT)


def logged(number):
    """Return the options that write what happens to a file; each batch begins its own."""
    return ("--events", f"events-{number}.jsonl")


def calls(lao):
    """Return what each call of the model was about, in all batches so far."""
    written = [file.read_bytes() for file in sorted(lao.folder.glob("events-*.jsonl"))]
    lines = [line for text in written for line in text.splitlines(keepends=True)]
    events = [json.loads(line) for line in lines if line.endswith(b"\n")]
    return [event["text"] for event in events if event["kind"] == "text-produced"]


def started_calls(lao, process, count):
    """Wait until the model has been called so often."""
    deadline = time.monotonic() + 50
    while len(calls(lao)) < count:
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.005)


def outputs(lao):
    return {file.name: file.read_text() for file in (lao.folder / "out").iterdir()}


EXPECTED = {f"{n:02}.txt": f"text {n:02}++\n" for n in range(40)}


@pytest.mark.parametrize("how", ["resume", "runs"])
def test_a_killed_batch_goes_on_and_calls_nothing_twice(twice, how):
    with twice.started(*COMMAND, *logged(1)) as process:
        started_calls(twice, process, 30)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    before = len(outputs(twice))
    twice.file("gate/open", "")
    again = ["runs", "resume", "1"] if how == "runs" else [*COMMAND, "--resume"]

    ended = twice(*again, *logged(2))

    made = {k: v for k, v in outputs(twice).items() if not k.startswith(".")}
    repeated = Counter(calls(twice)) - Counter(set(calls(twice)))
    assert ended.code == 0, ended.told
    assert before > 5
    assert made == EXPECTED
    assert set(calls(twice)) == {
        f"text {n:02}{p}" for n in range(40) for p in ("", "+")
    }
    assert repeated.total() <= IN_FLIGHT


def test_ctrl_c_ends_a_batch_at_once_and_says_how_to_go_on(twice):
    with twice.started(*COMMAND, *logged(1)) as process:
        started_calls(twice, process, 2 * HELD - IN_FLIGHT)
        while not any(each >= f"text {HELD}" for each in calls(twice)):
            time.sleep(0.005)  # now the model hangs
        pressed = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=50)

        assert time.monotonic() - pressed < SOON
    assert process.returncode == 130
    assert b"`lao runs resume 1`" in told
    assert b"Traceback" not in told


def test_a_reader_that_leaves_ends_the_batch_in_silence(twice):
    with twice.started(
        "run", "twice.yaml", "--each", "in/*.txt", *logged(1)
    ) as process:
        process.stdout.readline()
        process.stdout.close()

        assert process.wait(50) == 0
        assert process.stderr.read() == b""
    assert len(calls(twice)) <= 2 * HELD + IN_FLIGHT
