# SPDX-License-Identifier: Apache-2.0
"""Nothing leaves: every frame of whole runs is counted from outside, honest and hostile.

All of this happens in leak rigs (`leak_rig.py`), each of which has seen a leak made on
purpose, before and after. What takes long runs meanwhile, each in a rig of its own. With
$LAO_LEAK_REPORTS, a folder, each rig leaves its report there.
"""

import json
import os
import shutil
import subprocess
import sys
import wave
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import pytest
from tests.e2e.running_lao import LAO, Lao
from tests.models import CANNED_ANSWER, CANNED_TRANSCRIPT
from tests.real_ollama import PROGRAM, needs_ollama
from tests.security import leak_rig, phoning_home, senders, strace_witness
from tests.security.inside_a_rig import (
    AS_ROOT,
    CANARY,
    UNPRIVILEGED,
    LeakRig,
    Run,
    opened,
    why_not,
)

pytestmark = pytest.mark.linux

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
DOUBLE = ROOT / "tests/ollama_double.py"
REPORTS = os.environ.get("LAO_LEAK_REPORTS", "")  # noqa: TID251  (a test may read it)
KINDS = (AS_ROOT, UNPRIVILEGED)
HIDE = "[ ! -e $f/bwrap ] || mount --bind /dev/null $f/bwrap"
HIDE_ALL = f'for f in /bin /usr/bin /usr/local/bin; do {HIDE}; done; exec "$@"'
WITHOUT_BWRAP = ("unshare", "-m", "sh", "-c", HIDE_ALL, "sh")
ANEW = "--ephemeral"  # what is taken from the cache proves nothing
PHONES_HOME = "onnxruntime"  # looked for, never imported here: it would
TELEMETRY = "mobile.events.data.microsoft.com"


def report_of(name: str) -> Path | None:
    return Path(REPORTS, f"{name}.json") if REPORTS else None


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A folder in which `lao` runs, with what makes it find the tests' own modules."""
    folder = tmp_path_factory.mktemp("leaks")
    return Lao(folder=folder, environment={"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"})


@pytest.fixture(scope="module", params=KINDS)
def rig(request):
    with opened(request.param, report=report_of(request.param)) as found:
        yield found


@pytest.fixture(scope="module")
def meanwhile():
    """Start what takes long, at once; `Future.result` also tells of skips."""
    with ThreadPoolExecutor(4) as threads:
        yield threads.submit


def run(rig: LeakRig, house: Lao, *argv: str | Path, seconds: float = 50) -> Run:
    there = {"folder": house.folder, "environment": house.whole_environment}
    ended = rig.run(*argv, **there, seconds=seconds)
    assert "from the cache" not in ended.err
    return ended


# -- What the rig is worth -----------------------------------------------------


def test_the_rig_sees_every_way_that_an_unlocked_process_has(rig, house):
    leaked = run(rig, house, sys.executable, senders.__file__, CANARY)
    told = json.loads(leaked.out)
    ways = {senders.PORTS[port] for port in leaked.ports & senders.PORTS.keys()}
    ways |= {"a_name"} & {"a_name" for name in leaked.names if CANARY in name}
    assert ways >= senders.COMMON
    assert {name for name, came in told.items() if came == senders.SENT} >= ways
    assert leaked.hits >= len(ways) - 6  # a SYN carries nothing
    assert leaked.kernel == leaked.count + leaked.noise


def test_a_rig_that_goes_blind_proves_nothing(tmp_path):
    if lacking := why_not(AS_ROOT):
        pytest.skip(lacking)
    blinding = ("--expect-zero", "--", "ip", "link", "set", "vin", "down")
    command = (sys.executable, leak_rig.HERE, *blinding)
    ended = subprocess.run(command, capture_output=True, check=False, timeout=30)
    assert ended.returncode == leak_rig.NO_CONTROL


def test_the_second_witness_sees_what_an_unlocked_process_does(tmp_path):
    if strace_witness.STRACE is None:
        pytest.skip("no strace here")
    code = "import socket; socket.socket(2, 2).sendto(b'x', ('127.0.0.1', 9))"
    told = strace_witness.witness([sys.executable, "-c", code], holders=0)[1]
    assert len(told["violations"]) == 1
    assert "network sockets in the processes" in told["violations"][0]
    code = "import socket; socket.socket(2, 1).connect_ex(('0.0.0.0', 9))"
    told = strace_witness.witness([sys.executable, "-c", code], holders=1)[1]
    assert [line.split()[1].partition("(")[0] for line in told["violations"]] == [
        "connect"
    ]


# -- Hostile code --------------------------------------------------------------

HOSTILE = """\
lao: 1
name: hostile
inputs: { canary: { type: text } }
steps:
  - id: model
    model: { kind: custom, plugin: "senders.py:Sender" }
    prompt_template: "{{ inputs.canary }}"
    output: json
"""


@pytest.fixture(scope="module")
def hostile(house):
    """The same senders as a custom model and as a trusted plugin."""
    house.file("hostile.yaml", HOSTILE)
    shutil.copy(senders.__file__, house.folder)
    shutil.copytree(HERE / "hostile_plugin", house.folder / "plugin")
    shutil.copy(senders.__file__, house.folder / "plugin/src")
    for command in (("add", "plugin"), ("trust", "hostile", "--yes")):
        ended = house("plugin", *command)
        assert ended.code == 0, ended.told
    return house


def assert_nothing_got_out(told: dict[str, str]) -> None:
    assert set(told) >= set(senders.WAYS)
    assert not [name for name, came in told.items() if came == senders.SENT]


def test_a_hostile_model_sends_nothing(rig, hostile):
    ended = run(rig, hostile, *LAO, "run", "hostile.yaml", "--input", CANARY, ANEW)
    assert ended.code == 0, ended.err
    assert_nothing_got_out(json.loads(ended.out))
    assert ended.is_silent, ended.packets


def test_a_hostile_model_without_bubblewrap_sends_nothing(hostile):
    """The standard level: no namespaces."""
    with opened(AS_ROOT, report=report_of("standard")) as rig:
        command = (*WITHOUT_BWRAP, *LAO, "run", "hostile.yaml", "--input", CANARY, ANEW)
        ended = run(rig, hostile, *command)
    assert ended.code == 0, ended.err
    assert "L2 standard" in ended.err
    assert_nothing_got_out(json.loads(ended.out))
    assert ended.is_silent, ended.packets


def test_a_hostile_plugin_sends_nothing(rig, hostile):
    ended = run(rig, hostile, *LAO, "chain", f"'{CANARY}' | hostile", ANEW)
    assert ended.code == 0, ended.err
    assert_nothing_got_out(json.loads(ended.out))
    assert ended.is_silent, ended.packets


def test_hostile_code_in_the_orchestrator_sends_nothing(rig, house, server):
    attacker = ("-m", "tests.security.orchestrator_attacker", CANARY, server(rig))
    ended = run(rig, house, sys.executable, *attacker)
    assert ended.code == 0, ended.err
    told = json.loads(ended.out)
    assert told["passed"] == "connected"  # the broker does serve it
    assert_nothing_got_out(told)
    assert ended.is_silent, ended.packets


# -- Honest runs ---------------------------------------------------------------

WHOLE = """\
lao: 1
name: whole
inputs: {{ talk: {{ type: audio }} }}
steps:
  - {{ id: heard, model: {{ kind: whisper.cpp, model_path: {whisper}, options: {{ num_thread: 1 }} }}, input: "{{{{ inputs.talk }}}}" }}
  - id: answered
    model: {{ kind: llama.cpp, model_path: {gguf}, options: {{ num_thread: 1 }} }}
    prompt_template: "{{{{ heard }}}}"
  - id: served
    model: {{ kind: ollama, model: tiny }}
    prompt_template: "{{{{ answered }}}}"
  - {{ id: summed, uses: summarize, with: {{ text: "{{{{ served }}}}" }} }}
outputs: {{ heard: "{{{{ heard }}}}", answered: "{{{{ answered }}}}", served: "{{{{ served }}}}", summed: "{{{{ summed }}}}" }}
"""
BATCH = """\
lao: 1
name: many
inputs: { text: { type: text } }
steps:
  - { id: summed, uses: summarize, with: { text: "{{ inputs.text }}" } }
outputs: { summed: "{{ summed }}" }
"""
ANSWERS = [CANNED_TRANSCRIPT, CANNED_ANSWER, CANNED_ANSWER, f"- {CANNED_ANSWER}"]


@pytest.fixture(scope="module")
def server(house, tiny_gguf):
    """Give the address of a model server on loopback inside a rig."""
    found: dict[LeakRig, str] = {}

    def endpoint(rig: LeakRig) -> str:
        if rig not in found:
            argv = (sys.executable, DOUBLE, tiny_gguf, "tiny", "0")
            environment = house.whole_environment
            port = rig.serve(*argv, folder=house.folder, environment=environment)
            found[rig] = f"http://127.0.0.1:{int(port)}"
        return found[rig]

    return endpoint


@pytest.fixture(scope="module")
def whole(house, tiny_gguf, tiny_whisper):
    """A workflow with a model of every kind."""
    house.file("whole.yaml", WHOLE.format(gguf=tiny_gguf, whisper=tiny_whisper))
    with wave.open(str(house.folder / "talk.wav"), "wb") as file:
        file.setparams((1, 2, 16_000, 16_000, "NONE", ""))
        file.writeframes(bytes([0, 40, 0, 200]) * 8_000)
    return ("run", "whole.yaml", "--input", "talk.wav", ANEW)


def test_a_run_with_models_of_every_kind_sends_nothing(rig, house, server, whole):
    there = house.having(LAO_ENDPOINT=server(rig))
    ended = run(rig, there, *LAO, *whole)
    assert ended.code == 0, ended.err
    assert [each.strip() for each in json.loads(ended.out).values()] == ANSWERS
    assert ended.is_silent, ended.packets


def test_the_second_witness_sees_one_process_with_sockets_and_only_loopback(
    house, server, whole, tmp_path
):
    """The broker. As root: strace of an ordinary user sees nothing of locked memory."""
    if strace_witness.STRACE is None or why_not(AS_ROOT):
        pytest.skip("the second witness needs strace, and root")
    with opened(AS_ROOT) as rig:
        there = house.having(LAO_ENDPOINT=server(rig))
        report = tmp_path / "strace.json"
        script = (sys.executable, strace_witness.__file__, "--holders", "1")
        ended = run(rig, there, *script, "--report", report, "--", *LAO, *whole)
    told = json.loads(report.read_text())
    assert (told["code"], told["violations"]) == (0, []), ended.err
    assert len(told["holders"]) == 1
    assert ended.is_silent, ended.packets


def test_a_batch_sends_nothing(rig, house):
    house.file("many.yaml", BATCH)
    for number in range(3):
        house.file(f"texts/{number}.txt", f"One is {number}. Two is here.")
    ended = run(rig, house, *LAO, "run", "many.yaml", "--each", "texts/*.txt", ANEW)
    assert ended.code == 0, ended.err
    assert ended.out.count('"done"') == 3
    assert ended.is_silent, ended.packets


@needs_ollama
def test_a_run_on_a_real_ollama_sends_nothing(house, tiny_gguf, tmp_path):
    with opened(UNPRIVILEGED, report=report_of("ollama")) as rig:
        argv = (
            sys.executable,
            "-m",
            "tests.security.serve_ollama",
            tmp_path,
            tiny_gguf,
        )
        environment = house.having(LAO_OLLAMA=PROGRAM).whole_environment
        port = rig.serve(*argv, folder=house.folder, environment=environment)
        there = house.having(LAO_ENDPOINT=f"http://127.0.0.1:{int(port)}")
        line = f"'{CANARY} is here.' | summarize --model ollama:tiny"
        ended = run(rig, there, *LAO, "chain", line, ANEW)
    assert (ended.code, ended.out) == (0, f"{CANNED_ANSWER}\n"), ended.err
    assert ended.is_silent, ended.packets


# -- What takes long -----------------------------------------------------------


LONG = 200.0  # seconds; a tenth of it where nothing else is under way


def in_a_rig_of_its_own(name: str, house: Lao, *argv: str) -> Run:
    with opened(UNPRIVILEGED, report=report_of(name)) as rig:
        return run(rig, house, *argv, seconds=LONG)


@pytest.fixture(scope="module", autouse=True)
def demo(meanwhile, house):
    return meanwhile(in_a_rig_of_its_own, "demo", house, *LAO, "demo")


ASK_IT = """\
lao: 1
name: phoning
steps:
  - { id: doubled, model: { kind: custom, plugin: phoning_home.py }, prompt_template: "-", output: json }
"""


@pytest.fixture(scope="module", autouse=True)
def phoning(meanwhile, house) -> Callable[[str], Future[Run]]:
    """A library that phones home, once free and once in a locked worker."""
    if find_spec(PHONES_HOME) is None:
        return lambda name: pytest.skip(f"{PHONES_HOME} is not installed")
    shutil.copy(phoning_home.__file__, house.folder)
    house.file("phoning.yaml", ASK_IT)
    commands = {
        "free": (sys.executable, "phoning_home.py"),
        "locked": (*LAO, "run", "phoning.yaml", ANEW),
    }
    started = {
        name: meanwhile(in_a_rig_of_its_own, f"phoning-{name}", house, *command)
        for name, command in commands.items()
    }
    return started.__getitem__


@pytest.mark.timeout(LONG + 50)
def test_a_library_that_phones_home_is_seen_where_it_is_free(phoning):
    ended = phoning("free").result()
    assert (ended.code, ended.out) == (0, "[2.0, 4.0, 6.0]\n"), ended.err
    assert TELEMETRY in ended.names, ended.packets


@pytest.mark.timeout(LONG + 50)
def test_a_library_that_phones_home_reaches_nobody_from_a_worker_and_works(phoning):
    ended = phoning("locked").result()
    assert (ended.code, json.loads(ended.out)) == (0, [2.0, 4.0, 6.0]), ended.err
    assert ended.seconds > phoning_home.SPEAKS_AFTER
    assert ended.is_silent, ended.packets


@pytest.mark.timeout(LONG + 50)
def test_the_whole_demo_sends_nothing(demo):
    ended = demo.result()
    assert ended.code == 0, ended.err
    assert "boston" in ended.out
    assert ended.is_silent, ended.packets
