# SPDX-License-Identifier: Apache-2.0
"""The benchmarks count what they say: a whole tree, one process, the right answers."""

import os
import subprocess
import sys

import pytest
from benchmarks import documents, http_streaming, processes, tokens, worker_round_trips
from tests.models import make_tiny_gguf

from lao.workflow.document import read_workflow
from lao.workflow.source import read_yaml

WORKS_IN_A_CHILD = """
import subprocess, sys, time
work = "import time\\nwhile time.process_time() < 0.3: pass\\nprint(flush=True); input()"
child = subprocess.Popen(
    [sys.executable, "-c", work], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
child.stdout.readline()
print(flush=True)
input()
child.communicate(b"\\n")
print(flush=True)
input()
"""


def test_the_time_of_a_tree_has_children_in_it_alive_and_reaped():
    with subprocess.Popen(
        [sys.executable, "-c", WORKS_IN_A_CHILD],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        bufsize=0,
    ) as process:
        process.stdout.readline()
        alive = processes.tree_cpu_seconds(process.pid)
        process.stdin.write(b"\n")
        process.stdout.readline()
        reaped = processes.tree_cpu_seconds(process.pid)
        process.stdin.write(b"\n")
    assert alive >= 0.3
    assert reaped >= 0.3


def test_the_peak_of_a_process_is_not_that_of_its_parent():
    ballast = bytearray(os.urandom(1) * (64 << 20))
    with subprocess.Popen(
        [sys.executable, "-c", "print(flush=True); input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        process.stdout.readline()
        found = processes.memory_mb("VmHWM", process.pid)
        process.communicate(b"\n")
    assert found < processes.memory_mb("VmHWM") - len(ballast) / 2**21


def test_a_subject_that_fails_ends_the_benchmark():
    with pytest.raises(SystemExit, match="documents no number failed"):
        processes.found_by("documents", "no number")


def test_the_measured_workflow_has_the_size_that_is_named():
    text = documents.workflow_text(200)
    assert 58_000 < len(text) < 60_000


def test_an_answer_counts_only_if_its_places_are_right():
    text = documents.workflow_text(3)
    document = read_workflow(text, source="w.yaml")
    moved = read_workflow(f"# one line more\n{text}", source="w.yaml")
    assert documents.steps_of(read_yaml(text, "w.yaml")) == 3
    assert documents.steps_of(document) == 3
    assert documents.steps_of(moved) == -1


async def test_both_clients_get_what_the_server_streams():
    with http_streaming.running_server() as port:
        for name in (http_streaming.RAW, http_streaming.LAO):
            client = await http_streaming.opened(name, port)
            assert await client.one() == http_streaming.VALUE
            lines = await client.lines("/burst")
            assert lines == [http_streaming.VALUE] * http_streaming.LINES
            await client.close()


def test_the_floor_and_the_worker_echo_what_they_are_given():
    for name in (worker_round_trips.FLOOR, worker_round_trips.LAO):
        found = worker_round_trips.subject(name, sizes={"1 KB": (1000, 2)}, trips=1)
        assert found["1 KB: CPU"][0] > 0


def test_tokens_count_only_if_their_text_was_told(tmp_path, monkeypatch):
    pytest.importorskip("xllamacpp")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tokens, "TOKENS", 4)
    model = make_tiny_gguf(tmp_path / "noise.gguf", mode="random")
    assert len(tokens.lao(model, 2, 1)[tokens.RATE]) == 1
