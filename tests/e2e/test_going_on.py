# SPDX-License-Identifier: Apache-2.0
"""A run that is cut off goes on where it stopped, and nothing finished is done twice."""

import json
import os
import signal
import subprocess

import pytest
from tests.e2e.fake_server import serving
from tests.fake_ollama import STREAM_HEAD, Act, done, lines, said, stream

ASKING = """\
lao: 1
name: asking
inputs: { text: { type: text } }
models: { m: { kind: ollama, model: llama3.2 } }
steps:
  - { id: one, model: m, prompt_template: "one {{ inputs.text }}" }
  - { id: two, model: m, prompt_template: "two {{ one }}" }
  - { id: each, model: m, for_each: "{{ [1, 2, 3] }}", prompt_template: "{{ item }} {{ two }}" }
  - { id: last, model: m, prompt_template: "{{ each | join(' ') }}" }
"""
CHATS = "/api/chat"


def answers(*texts):
    return [stream(said(text), done()) for text in texts]


HANGING = [STREAM_HEAD, *lines(said("Hm")), Act.HANG]
TEXTS = ("A", "B", "C", "D", "E", "F")


@pytest.fixture
def asking(lao):
    """A fake server, and `lao` beside a workflow that asks it six times."""
    lao.file("w.yaml", ASKING)
    with serving() as fake:
        yield fake, lao.having(LAO_ENDPOINT=str(fake.endpoint))


def cut_off(fake, lao, *, after, number, command=("run", "w.yaml", "-i", "x")):
    """Run until `after` questions are answered, then send a signal."""
    fake.scripts[CHATS] = [*answers(*TEXTS[:after]), HANGING]
    with lao.started(*command, "--events", "-") as process:
        for line in process.stdout:
            if json.loads(line).get("text") == "Hm":
                break
        os.kill(process.pid, number)
        _, err = process.communicate(timeout=50)
    fake.scripts[CHATS] = answers(*TEXTS[after:])
    return process.returncode, err.decode()


def questions(fake):
    return [body["messages"][-1]["content"] for body in fake.bodies(CHATS)]


WHOLE = ["one x", "two A", "1 B", "2 B", "3 B", "C D E"]


def goes_on(fake, lao, after):
    """Go on with the only run, and look what was asked again."""
    ended = lao("runs", "resume", "1")
    assert (ended.code, ended.answer) == (0, "F\n"), ended.told
    assert questions(fake) == [*WHOLE[: after + 1], *WHOLE[after:]]


@pytest.mark.parametrize("after", range(6))
def test_a_run_that_was_killed_at_any_step_goes_on(asking, after):
    fake, lao = asking
    cut_off(fake, lao, after=after, number=signal.SIGKILL)
    goes_on(fake, lao, after)


@pytest.mark.parametrize("after", [0, 3, 5])  # the first, amid the loop, the last
def test_an_interrupted_run_says_how_to_go_on_and_does(asking, after):
    fake, lao = asking
    code, told = cut_off(fake, lao, after=after, number=signal.SIGINT)
    assert code == 130
    assert told.splitlines()[0] == "interrupted"
    assert "lao runs resume 1" in told
    goes_on(fake, lao, after)


def test_the_next_run_of_a_workflow_that_was_killed_says_so(asking):
    fake, lao = asking
    cut_off(fake, lao, after=1, number=signal.SIGKILL)
    ended = lao("run", "w.yaml", "-i", "other")
    assert "lao runs resume 1" in ended.told
    assert "lao runs resume" not in lao("run", "w.yaml", "-i", "third").told


def test_a_run_that_is_done_has_nothing_to_go_on_with(asking):
    fake, lao = asking
    fake.scripts[CHATS] = answers(*TEXTS)
    assert lao("run", "w.yaml", "-i", "x").code == 0
    assert lao("runs", "resume", "1").complains(2, "run.done")


def test_a_run_does_not_go_on_with_another_workflow(asking):
    fake, lao = asking
    cut_off(fake, lao, after=1, number=signal.SIGKILL)
    lao.file("w.yaml", ASKING.replace("two {{ one }}", "zwei {{ one }}"))
    refused = lao("runs", "resume", "1")
    assert refused.complains(2, "run.changed")
    assert "lao run" in refused.told
    again = lao("run", "w.yaml", "-i", "x")  # what the mend says: the cache is used
    assert again.code == 0
    assert questions(fake)[:4] == ["one x", "two A", "zwei A", "1 B"]


def test_a_run_does_not_go_on_with_another_recipe(lao):
    lao.file("recipes/shout.yaml", RECIPE)
    lao.file("w.yaml", SHOUTING)
    with serving() as fake:
        there = lao.having(LAO_ENDPOINT=str(fake.endpoint), LAO_MODEL="llama3.2")
        cut_off(fake, there, after=0, number=signal.SIGKILL)
        lao.file("recipes/shout.yaml", RECIPE.replace("Shout", "Whisper"))
        assert there("runs", "resume", "1").complains(2, "run.changed")


RECIPE = """\
description: Shouts a text.
main: text
parameters: { text: { description: What to shout } }
engine:
  prompt_template: "Shout: {{ text }}"
"""
SHOUTING = """\
lao: 1
name: shouting
inputs: { text: { type: text } }
steps:
  - { id: said, uses: shout, with: { text: "{{ inputs.text }}" } }
"""


def test_a_run_does_not_go_on_with_another_recording(lao):
    lao.file("models.py", LISTENER)
    lao.file("talk.wav", b"one")
    lao.file("w.yaml", LISTENING)
    with lao.started("run", "w.yaml", "-i", "f=talk.wav", "--events", "-") as process:
        for line in process.stdout:
            if json.loads(line)["kind"] == "text-produced":
                break
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=50)
    lao.file("talk.wav", b"two")
    assert lao("runs", "resume", "1").complains(2, "run.input-changed")
    (lao.folder / "talk.wav").unlink()
    assert lao("runs", "resume", "1").complains(2, "run.input-changed")


LISTENING = """\
lao: 1
name: listening
inputs: { f: { type: file } }
steps:
  - { id: heard, model: { kind: custom, plugin: "models.py:Deaf" }, input: "{{ inputs.f }}" }
"""
LISTENER = """\
import time
from lao import ModelDescription

class Deaf:
    def load(self, options): pass
    def describe(self): return ModelDescription(name="deaf")
    def infer(self, request, report):
        report.text("what?")
        time.sleep(600)
"""


def test_a_run_that_is_carried_out_cannot_be_gone_on_with(asking):
    fake, lao = asking
    fake.scripts[CHATS] = [HANGING]
    with lao.started("run", "w.yaml", "-i", "x", "--events", "-") as process:
        for line in process.stdout:
            if json.loads(line).get("text") == "Hm":
                break
        assert lao("runs", "resume", "1").complains(2, "run.still-running")


def test_a_run_goes_on_from_another_folder(asking):
    fake, lao = asking
    cut_off(fake, lao, after=2, number=signal.SIGKILL)
    elsewhere = lao.folder / "elsewhere"
    elsewhere.mkdir()
    with lao.started(
        "runs", "resume", "1", prefix=("/usr/bin/env", "-C", str(elsewhere))
    ) as process:
        out, err = process.communicate(timeout=50)
    assert (process.returncode, out) == (0, b"F\n"), err


def test_what_came_through_a_pipe_is_there_when_the_run_goes_on(lao):
    lao.file("models.py", LISTENER)
    lao.file("w.yaml", LISTENING)
    with lao.started(
        "run", "w.yaml", "--events", "-", stdin=subprocess.PIPE
    ) as process:
        process.stdin.write(b"what came")
        process.stdin.close()
        for line in process.stdout:
            if json.loads(line)["kind"] == "text-produced":
                break
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(50)
    spool = lao.folder / "home/.local/share/lao/spool"
    assert [path.read_bytes() for path in spool.glob("*/*")] == [b"what came"]
    lao.file("models.py", LISTENER.replace("time.sleep(600)", READS))
    ended = lao("runs", "resume", "1")
    assert (ended.code, ended.answer) == (0, "what came\n"), ended.told
    assert list(spool.glob("*")) == []


READS = """
        from lao import ModelReply
        return ModelReply(value=open(request.files[0]).read(), made_by="deaf")"""


@pytest.mark.parametrize(
    ("arguments", "code", "stays"),
    [(["--timeout", "2s"], 3, True), (["--output", "none"], 2, False)],
)
def test_what_came_through_a_pipe_stays_only_for_a_run_that_can_go_on(
    lao, arguments, code, stays
):
    lao.file("models.py", LISTENER)
    lao.file("w.yaml", LISTENING)
    assert lao("run", "w.yaml", *arguments, stdin=b"what came").code == code
    spool = lao.folder / "home/.local/share/lao/spool"
    assert [each.read_bytes() for each in spool.glob("*/*")] == [b"what came"] * stays


def test_an_ephemeral_run_leaves_nothing(asking):
    fake, lao = asking
    fake.scripts[CHATS] = answers(*TEXTS)
    before = {path for path in lao.folder.rglob("*") if path.is_file()}
    ended = lao("run", "w.yaml", "-i", "x", "--ephemeral")
    assert (ended.code, ended.answer) == (0, "F\n"), ended.told
    assert {path for path in lao.folder.rglob("*") if path.is_file()} == before


def test_what_is_known_is_not_asked_again(asking):
    fake, lao = asking
    fake.scripts[CHATS] = answers(*TEXTS)
    first = lao("run", "w.yaml", "-i", "x")
    again = lao("run", "w.yaml", "-i", "x", "--json")
    assert again.report["outputs"] == {"last": "F"}, first.told
    assert questions(fake) == WHOLE


@pytest.mark.parametrize(
    ("flags", "asked"),
    [
        (["--no-cache"], WHOLE),
        (["--refresh", "two"], ["two A"]),
        (["--from", "each"], ["1 B", "2 B", "3 B", "C D E"]),
        (["--until", "two"], []),
        (["--until", "two", "--no-cache"], ["one x", "two A"]),
    ],
)
def test_steps_may_be_asked_anew(asking, flags, asked):
    fake, lao = asking
    fake.scripts[CHATS] = answers(*TEXTS)
    lao("run", "w.yaml", "-i", "x")
    fake.requests.clear()
    kept = {"two A": "B"}
    fake.scripts[CHATS] = answers(
        *(kept.get(question, TEXTS[WHOLE.index(question)]) for question in asked)
    )
    ended = lao("run", "w.yaml", "-i", "x", *flags)
    assert ended.code == 0, ended.told
    assert questions(fake) == asked
