# SPDX-License-Identifier: Apache-2.0
"""Streams stay clean, and whatever dies, dies alone: pipes, terminals, signals."""

import contextlib
import json
import os
import re
import select
import signal
import subprocess
import time

import pytest
from tests.e2e.fake_server import client_leaves, serving
from tests.e2e.running_lao import at_terminal, children_of, is_alive, process_named
from tests.fake_ollama import STREAM_HEAD, Act, lines, said
from tests.models import make_tiny_gguf

ECHO = """\
lao: 1
name: echo
inputs: { text: { type: text } }
steps:
  - id: said
    model: { kind: custom, plugin: "models.py:Echo" }
    prompt_template: "{{ inputs.text }}"
"""
# Beside the bad step a good one runs to its end, and so does what follows that.
BESIDE = """\
lao: 1
name: beside
inputs: { text: { type: text } }
steps:
  - id: bad
    model: { kind: custom, plugin: "models.py:KIND" }
    prompt_template: "{{ inputs.text }}"
  - { id: after_bad, uses: redact, with: { text: "{{ bad }}" } }
  - { id: good, uses: summarize, with: { text: "{{ inputs.text }}" } }
  - { id: after_good, uses: redact, with: { text: "{{ good }}" } }
outputs: { bad: "{{ after_bad }}", good: "{{ after_good }}" }
"""
ESCAPES = "\x1b[31mred\x1b]52;c;QQ==\x07 a\rb \u202ereversed\x9b2J"


@pytest.fixture
def models(lao):
    """The custom models that these tests use, some of them hostile."""
    return lao.file("models.py", MODELS)


MODELS = '''\
import ctypes, os, struct, sys, time
from lao.workflow.inference import ModelDescription, ModelReply

REPLIES = int(sys.argv[-1])
PR_SET_NAME = 15

class Model:
    def load(self, options): pass
    def describe(self): return ModelDescription(name="test")
    def infer(self, request, report):
        ctypes.CDLL(None).prctl(PR_SET_NAME, type(self).__name__.encode())
        report.text("here I am")
        self.misbehave()
        time.sleep(600)
    def misbehave(self): pass

class Echo(Model):
    def infer(self, request, report):
        half = len(request.prompt) // 2
        report.text(request.prompt[:half])
        report.text(request.prompt[half:])
        return ModelReply(value=request.prompt, made_by="test " + request.prompt)

class Endless(Model):
    def infer(self, request, report):
        while True:
            report.text("flood " * 10_000)

class LongPrefix(Model):
    def misbehave(self):
        os.write(REPLIES, struct.pack(">II", 2, 0xFFFFFFFF) + b"{}")

class Hang(Model):
    """Hears no cancellation."""

class Raises(Model):
    def misbehave(self):
        raise ValueError("bad \\x1b]0;title\\x07weights \\x1b[2J")
'''


# -- Pipes ---------------------------------------------------------------------


@pytest.fixture
def echo(lao, models):
    return lao.file("echo.yaml", ECHO)


@pytest.mark.usefixtures("echo")
def test_pipes_get_the_answer_as_it_is_and_no_escape_from_us(lao):
    there = lao.having(TERM="xterm-256color", FORCE_COLOR="1", COLORTERM="truecolor")
    raw = there("run", "echo.yaml", "-v", "--input", ESCAPES)
    assert (raw.code, raw.answer) == (0, f"{ESCAPES}\n"), raw.told
    assert "\x1b" not in raw.told
    plain = there("run", "echo.yaml", "-v", "--input", "hello")
    assert (plain.out, b"\x1b" in plain.err) == (b"hello\n", False)


@pytest.mark.usefixtures("models")
def test_what_a_failing_model_says_is_neutralised_on_stderr(lao):
    lao.file("w.yaml", ECHO.replace("Echo", "Raises"))
    ended = lao("run", "w.yaml", "--input", "hello")
    assert ended.complains(3, "worker.model-error")
    assert not re.search(rb"[\x00-\x08\x0b-\x1f\x7f]", ended.err)


SUMMARIZE = ("chain", "'One is here. Two is there.' | summarize")
CLOSED = {
    "stdin": ("<&-", 0, ["- One is here.", "- Two is there."]),
    "stderr": ("2>&-", 0, ["- One is here.", "- Two is there."]),
    "stdout": (">&-", 1, []),
    "all": ("<&- >&- 2>&-", 1, []),
    "a full stdout": (">/dev/full", 1, []),
    "a full stderr": ("2>/dev/full", 0, ["- One is here.", "- Two is there."]),
}


@pytest.mark.parametrize("name", CLOSED)
def test_a_stream_may_be_closed_or_full(lao, name):
    how, code, answer = CLOSED[name]
    shell = ("/bin/sh", "-c", f'"$@" {how}', "sh")
    with lao.started(*SUMMARIZE, prefix=shell) as process:
        out, err = process.communicate(timeout=50)
    assert (process.returncode, out.decode().splitlines()) == (code, answer), err
    assert b"Traceback" not in err
    if "stdout" in name:
        assert b"error[output.failed]" in err


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["run", "--help"]])
def test_a_full_disk_gives_no_traceback_to_those_who_ask_about_lao(lao, arguments):
    with open("/dev/full", "wb") as full:  # noqa: PTH123  (a device)
        with lao.started(*arguments, stdout=full) as process:
            _, err = process.communicate(timeout=50)
    assert process.returncode == 1
    assert err.startswith(b"error[output.failed]")


@pytest.mark.usefixtures("echo")
def test_a_reader_that_goes_away_is_no_news(lao):
    long = lao.file("long.txt", "many words " * 50_000)
    with lao.started("run", "echo.yaml", "-q", "--input", f"@{long}") as process:
        process.stdout.read(1)
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(50) in {0, 128 + signal.SIGPIPE}


@pytest.mark.usefixtures("echo")
def test_with_a_pipe_and_an_argument_the_argument_instructs(lao):
    both = lao("run", "echo.yaml", "--input", "Be short.", stdin=b"The material.")
    assert both.answer == "Be short.\n\nThe material.\n"
    assert lao("run", "echo.yaml", stdin=b"The material.").answer == "The material.\n"
    named = lao("run", "echo.yaml", "--input", "text=-", stdin=b"The material.")
    assert named.answer == "The material.\n"


# -- Terminals -----------------------------------------------------------------


@pytest.mark.usefixtures("echo")
@pytest.mark.parametrize("option", ["-q", "--no-stream", "--json"])
def test_a_terminal_shows_escapes_of_a_model_and_never_obeys(lao, option):
    code, shown, _ = at_terminal(
        lao, "run", "echo.yaml", option, "--input", ESCAPES, stdout=True
    )
    assert code == 0
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", shown)
    assert "\\x1b[31mred" in shown or "\\u001b[31mred" in shown


@pytest.mark.usefixtures("echo")
def test_an_answer_that_streams_to_a_terminal_is_there_once(lao):
    code, shown, _ = at_terminal(
        lao, "run", "echo.yaml", "--input", "Hello you.", stdout=True
    )
    assert (code, shown) == (0, "Hello you.\n")


@pytest.mark.usefixtures("echo")
@pytest.mark.parametrize(
    ("options", "environment"), [([], {"NO_COLOR": "1"}), (["--color", "never"], {})]
)
def test_no_colour_is_no_colour(lao, options, environment):
    there = lao.having(TERM="xterm-256color", **environment)
    arguments = ("run", "echo.yaml", "-v", *options, "--input", "Hello")
    code, shown, _ = at_terminal(there, *arguments, stdout=True, stderr=True)
    assert code == 0
    assert set(re.findall(r"\x1b\[([\d;]*)m", shown)) <= {"", "0"}


@pytest.mark.usefixtures("echo")
def test_nobody_is_asked_at_a_terminal_for_an_input_that_is_missing(lao):
    code, _, err = at_terminal(lao, "run", "echo.yaml", stdin=True)
    assert (code, b"error[input.missing]" in err) == (2, True)
    code, _, err = at_terminal(lao, "chain", "summarize", stdin=True)
    assert (code, b"error[input.missing]" in err) == (2, True)


# -- Signals -------------------------------------------------------------------

SLOW = {"/api/chat": [STREAM_HEAD, *lines(said("Once upon")), Act.HANG]}
SLOW_CHAIN = ("chain", "'a b' | summarize", "--events", "-")
# One second to stop the model, and what a process needs on a busy machine.
SOON = 1.0 + 9.0


def first_text(process):
    """Read events until a model speaks; return what it says first."""
    for line in process.stdout:
        event = json.loads(line)
        if event["kind"] == "text-produced":
            return event["text"]
    pytest.fail(f"no model spoke: {process.stderr.read()}")


def stopped_by(process, number):
    """Send a signal; return the exit code and stderr of what must end soon."""
    children = children_of(process.pid)
    begun = time.monotonic()
    os.kill(process.pid, number)
    _, err = process.communicate(timeout=50)
    while any(map(is_alive, children)):
        assert time.monotonic() - begun < SOON
    assert time.monotonic() - begun < SOON
    return process.returncode, err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_a_server_that_streams(lao, number):
    with serving(SLOW) as fake:
        there = lao.having(LAO_ENDPOINT=str(fake.endpoint), LAO_MODEL="llama3.2")
        with there.started(*SLOW_CHAIN) as process:
            assert first_text(process) == "Once upon"
            code, err = stopped_by(process, number)
        assert client_leaves(fake)
    assert (code, err.splitlines()[0]) == (130, b"interrupted")


def test_a_run_that_takes_too_long_is_stopped_and_reported(lao):
    with serving(SLOW) as fake:
        there = lao.having(LAO_ENDPOINT=str(fake.endpoint), LAO_MODEL="llama3.2")
        for limit in ("2s", "20s"):  # a busy machine may need longer to redact
            fake.client_left.clear()
            both = "'a b' | { redact, ask }"
            ended = there("chain", both, "--timeout", limit, "--json")
            assert client_leaves(fake)
            if ended.report["steps"]["redact"]["status"] == "done":
                break
    assert (ended.code, ended.problems) == (3, ["run.timeout"])
    assert (ended.report["status"], ended.report["exit_code"]) == ("cancelled", 3)
    assert ended.report["steps"]["redact"]["status"] == "done"


def test_a_signal_stops_llama_cpp(lao, tmp_path):
    model = make_tiny_gguf(tmp_path / "noise.gguf", mode="random", n_ctx=8192)
    line = "'Go on' | llama.cpp:MODEL num_predict=8000".replace("MODEL", str(model))
    with lao.started("chain", line, "--events", "-") as process:
        first_text(process)
        assert children_of(process.pid)
        assert stopped_by(process, signal.SIGINT)[0] == 130


@pytest.mark.usefixtures("models")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_model_that_does_not_listen(lao, number, tmp_path):
    lao.file("w.yaml", ECHO.replace("Echo", "Hang"))
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    there = lao.having(TMPDIR=str(scratch))
    with there.started("run", "w.yaml", "--input", "a", "--events", "-") as process:
        first_text(process)
        assert process_named(process.pid, "Hang")
        assert stopped_by(process, number)[0] == 130
    assert list(scratch.iterdir()) == []


@pytest.mark.usefixtures("echo")
def test_a_signal_ends_the_wait_for_standard_input(lao, tmp_path):
    there = lao.having(TMPDIR=str(tmp_path))
    with there.started("run", "echo.yaml", stdin=subprocess.PIPE) as process:
        process.stdin.write(bytes(1 + (1 << 16)))  # more than a pipe holds:
        process.stdin.flush()  # somebody reads
        while process.poll() is None:
            os.kill(process.pid, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(2)  # a signal just before a system call goes unheard
        err = process.stderr.read()
    assert process.returncode == 130
    assert err == b"interrupted\n"
    assert not list(tmp_path.glob("lao-*"))


@pytest.mark.usefixtures("models")
def test_no_worker_outlives_a_lao_that_is_killed(lao):
    lao.file("w.yaml", ECHO.replace("Echo", "Hang"))
    with lao.started("run", "w.yaml", "--input", "a", "--events", "-") as process:
        first_text(process)
        worker = os.pidfd_open(process_named(process.pid, "Hang"))
        process.kill()
        process.communicate(timeout=50)
    ended, _, _ = select.select([worker], [], [], SOON)
    os.close(worker)
    assert ended


def test_per_model_lets_a_server_answer_several_at_once(lao):
    with serving(SLOW) as fake:
        there = lao.having(LAO_ENDPOINT=str(fake.endpoint), LAO_MODEL="llama3.2")
        both = ("chain", "'a b' | { summarize, ask }", "--events", "-")
        with there.started(*both, "--per-model", "2") as process:
            assert first_text(process) == first_text(process) == "Once upon"
            assert stopped_by(process, signal.SIGINT)[0] == 130


# -- Workers that die ----------------------------------------------------------


def whole_story(process):
    """Return exit code, events and stderr of a run that ends by itself."""
    out, err = process.communicate(timeout=50)
    return process.returncode, list(map(json.loads, out.splitlines())), err.decode()


@pytest.mark.usefixtures("models")
def test_a_worker_that_is_killed_fails_its_step_and_no_other(lao):
    lao.file("w.yaml", BESIDE.replace("KIND", "Hang"))
    with lao.started("run", "w.yaml", "--input", "Hello.", "--events", "-") as process:
        first_text(process)
        os.kill(process_named(process.pid, "Hang"), signal.SIGKILL)
        begun = time.monotonic()
        code, events, err = whole_story(process)
        assert time.monotonic() - begun < 2.0 + SOON
    assert code == 3
    assert "error[worker.crashed]: step 'bad'" in err
    assert "SIGKILL" in err
    assert events[-1]["outputs"] == {"good": "- Hello."}


@pytest.mark.usefixtures("models")
@pytest.mark.parametrize(
    ("kind", "code"), [("Endless", "worker.flood"), ("LongPrefix", "worker.bad-frame")]
)
def test_a_model_that_floods_or_lies_fails_its_step_and_no_other(lao, kind, code):
    lao.file("w.yaml", BESIDE.replace("KIND", kind))
    ended = lao("run", "w.yaml", "--input", "Hello.", "--json")
    report = ended.report
    assert (ended.code, report["outputs"]) == (3, {"good": "- Hello."})
    assert report["steps"]["bad"]["code"] == code
    assert report["steps"]["after_bad"]["status"] == "skipped"
    assert "Traceback" not in ended.told
