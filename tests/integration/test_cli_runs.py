# SPDX-License-Identifier: Apache-2.0
"""`lao runs`: the history is listed, shown, compared, shared, gone on with, forgotten."""

import json
import stat
import subprocess
import sys

import pytest
from tests.history import NOON, History, done, step
from tests.running_lao import Lao

from lao.events import RunFinished, RunStarted, StepFailed, StepStarted
from lao.store.runs import NewRun
from lao.workflow.values import FileValue

EVIL = "\x1b[2J\x9b\u202eevil\rx"
SAVING = """\
lao: 1
name: saving
inputs: { notes: text }
steps:
  - { id: digest, uses: summarize, with: { text: "{{ inputs.notes }}" } }
  - { id: keep, uses: save, with: { text: "{{ digest }}", path: kept.txt } }
outputs: { result: "{{ keep }}" }
"""


@pytest.fixture
def lao(tmp_path) -> Lao:
    return Lao(tmp_path)


@pytest.fixture
def history(tmp_path) -> History:
    return History(tmp_path / ".local/share/lao")


def listed(lao, *words):
    return [run["run"] for run in json.loads(lao("runs", *words, "--json").stdout)]


# -- an empty history -----------------------------------------------------------


@pytest.mark.parametrize("words", [[], ["prune", "--keep", "3"]], ids=" ".join)
def test_no_history_is_said_and_none_is_made(lao, history, words):
    ended = lao("runs", *words)

    assert (ended.returncode, ended.stdout) == (0, "")
    assert ended.stderr == "no runs are kept yet\n"
    assert lao("runs", "--json").stdout == "[]\n"
    assert not history.folder.exists()


@pytest.mark.parametrize("words", [["show", "3"], ["rm", "3"], ["resume", "latest"]])
def test_there_is_nothing_to_do_with_a_run_of_no_history(lao, words):
    ended = lao("runs", *words)

    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("error[run.unknown]: no runs are kept\n")


# -- the list -------------------------------------------------------------------


def test_runs_are_listed_latest_first_with_what_they_came_to(lao, history):
    history.keep(*done(step("a"), step("b")), workflow="first")
    history.keep(*done(step(), status="failed", seconds=75), workflow="sécond")
    history.keep(RunStarted(workflow="w", steps=("a", "b")), step(), workflow="third")

    ended = lao("runs", TZ="UTC")

    assert ended.stdout.splitlines() == [
        "RUN  WORKFLOW  STATUS         WHEN                TOOK  STEPS",
        "  3  third     ! interrupted  2025-11-26                1/2 · lao runs resume 3",
        "  2  sécond    ✗ failed       2025-11-26    1 min 15 s  1/1",
        "  1  first     ✓ done         2025-11-26         2.5 s  2/2",
    ]
    assert ended.stderr == ""


def test_runs_are_chosen(lao, history):
    for day, name in enumerate(["red", "blue", "red", "blue"]):
        status = "failed" if day == 2 else "done"
        facts = done(step(), status=status)
        history.keep(*facts, workflow=name, started=NOON + day * 86_400)
    history.keep(workflow="red", started=NOON + 4 * 86_400)

    assert listed(lao, "--workflow", "red") == ["5", "3", "1"]
    assert listed(lao, "--status", "failed") == ["3"]
    assert listed(lao, "--status", "interrupted") == ["5"]
    assert listed(lao, "--since", "2025-11-28") == ["5", "4", "3"]
    assert listed(lao, "--until", "2025-11-27") == ["2", "1"]
    assert listed(lao, "--workflow", "red", "--until", "2025-11-27T00:00") == ["1"]
    assert listed(lao, "--workflow", "green") == []
    assert lao("runs", "--workflow", "green").stderr == "no run is like that\n"


def test_a_long_list_is_cut_and_says_so(lao, history):
    for _ in range(33):
        history.keep(*done(step()))

    ended = lao("runs")

    assert len(ended.stdout.splitlines()) == 31
    assert ended.stderr == "… and 3 more (--all lists them)\n"
    assert lao("runs", "-q").stderr == ""
    assert lao("runs", "--limit", "32").stderr == "… and 1 more (--all lists them)\n"
    assert lao("runs", "--all").stderr == ""
    assert len(listed(lao, "--all")) == 33


def test_a_batch_is_one_line_with_its_counts(lao, history):
    failed = done(step(), status="failed")
    history.keep_batch(
        *({"facts": f} for f in (done(step()), failed, ())), status="failed"
    )

    (line,) = lao("runs").stdout.splitlines()[1:]

    assert line.endswith("1 min 0 s  1/3 items · 1 failed · 1 interrupted")
    (told,) = json.loads(lao("runs", "--json").stdout)
    assert told["items"] == {"done": 1, "failed": 1, "interrupted": 1}


def test_a_run_that_is_being_carried_out_is_running(lao, history):
    with history.open() as store:
        store.runs.begin(NewRun(id="r", workflow="w", started=NOON))

        assert " … running " in lao("runs").stdout
        assert lao("runs", "rm", "1").stderr.startswith(
            "error[run.still-running]: run 1 "
        )
        lao("runs", "prune", "--keep", "0")

    assert " ! interrupted " in lao("runs").stdout


def test_a_clock_that_jumped_is_borne(lao, history):
    for started in (-5.0, NOON + 1e10, 1e300):
        history.keep(*done(step(), seconds=-3.0), started=started)
    history.keep_batch(started=NOON + 100, status="done")

    for words in (["--all"], ["--json"], ["show", "3"], ["compare", "1", "2"]):
        ended = lao("runs", *words)
        assert (ended.returncode, ended.stderr) == (0, "")
        assert ended.stdout
    assert lao("runs", "prune", "--older-than", "1d", "-q").returncode == 0
    assert listed(lao) == ["3", "2"]  # those of the future


# -- one run --------------------------------------------------------------------


def keep_rich_run(history):
    made = step(
        "write",
        "short",
        made_by="llama3.2 (ollama)",
        seconds=3.0,
        tokens_in=812,
        tokens_out=120,
        model_seconds=3.0,
        attempts=2,
        notes=("a note",),
        model_digest="sha256:0123456789abcdef",
        reproducible=False,
    )
    return history.keep(
        RunStarted(
            workflow="meeting", steps=("hear", "write", "save"), locality="here"
        ),
        StepStarted(step="hear", model="whisper.cpp:/m/base.bin", items=2),
        step("hear", ["x", "y"], cached=True),
        made,
        StepFailed(step="save", code="save.exists", what="it is there", mend="move it"),
        RunFinished(status="failed", outputs={"text": "line\n" * 100}, seconds=3.5),
        inputs={"talk": FileValue("/home/ana/talk.wav", "audio"), "notes": "few"},
        source="meeting.yaml",
    )


def test_a_run_is_shown_with_everything_it_did(lao, history):
    keep_rich_run(history)

    assert lao("runs", "show", "latest", TZ="UTC").stdout.splitlines() == [
        "run 1 · meeting · ✗ failed",
        "  source   meeting.yaml",
        "  started  2025-11-26 12:00:00, took 3.5 s",
        "",
        "inputs",
        "  talk   /home/ana/talk.wav (audio)",
        "  notes  few",
        "",
        "steps (2 done, 1 failed; 1 from the cache)",
        "  ✓ hear   from the cache · 0 of 2 items",
        "      whisper.cpp base",
        "  ✓ write  3.0 s · 812 → 120 tokens · 40 tok/s · attempt 2",
        "      llama3.2 (ollama) · 0123456789ab · not reproducible (no seed)",
        "      note: a note",
        "  ✗ save   it is there [save.exists]",
        "      mend: move it",
        "",
        "locality: here",
        "",
        "outputs",
        "  text  line line line line line line line li… (500 characters, 101 lines)",
        "  (one whole: lao runs show 1 --output NAME)",
    ]


def test_a_run_is_shown_as_json(lao, history):
    keep_rich_run(history)

    found = json.loads(lao("runs", "show", "1", "--json").stdout)

    assert (found["run"], found["status"], found["steps_done"]) == ("1", "failed", 2)
    assert found["inputs"]["talk"] == {"file": "/home/ana/talk.wav", "type": "audio"}
    write = found["steps"]["write"]
    assert (write["value"], write["tokens_out"], write["attempts"]) == ("short", 120, 2)
    assert write["reproducible"] is False
    assert found["steps"]["save"]["code"] == "save.exists"


def test_an_output_is_printed_whole(lao, history):
    keep_rich_run(history)

    assert lao("runs", "show", "1", "--output", "text").stdout == "line\n" * 100
    unknown = lao("runs", "show", "1", "--output", "txet")
    assert unknown.returncode == 2
    assert "did you mean 'text'?" in unknown.stderr


def test_of_many_steps_those_that_matter_are_shown(lao, history):
    failed = StepFailed(step="s99", code="step.timeout", what="slow")
    steps = [step(f"s{number}", f"value {number}") for number in range(99)]
    history.keep(
        RunStarted(workflow="w", steps=tuple(s.step for s in steps)), *steps, failed
    )

    short = lao("runs", "show", "1").stdout
    whole = lao("runs", "show", "1", "--steps").stdout

    assert "✗ s99" in short
    assert "… and 70 more: --steps shows all" in short
    assert "      = value 98\n" in whole


def test_a_batch_is_shown_with_why_items_failed(lao, history):
    failing = StepFailed(step="a", code="audio.empty", what="0 bytes")
    history.keep_batch(
        {"facts": done(step()), "key": "a.wav"},
        {"facts": done(failing, status="failed"), "key": "b.wav", "output": "b.txt"},
        status="failed",
    )

    page = lao("runs", "show", "1").stdout
    found = json.loads(lao("runs", "show", "1", "--json").stdout)

    assert "items (2)\n  ✓ done          1\n  ✗ failed        1\n" in page
    assert "  1.2  b.wav\n      a: 0 bytes [audio.empty]\n" in page
    assert found["items"] == {"done": 1, "failed": 1}
    assert [each["key"] for each in found["failed"]] == ["b.wav"]
    assert lao("runs", "show", "1.2").stdout.startswith(
        "run 1.2 · meeting · ✗ failed\n"
    )
    assert "error[run.is-batch]" in lao("runs", "compare", "1", "1.2").stderr


def test_a_run_that_is_not_there_names_the_latest(lao, history):
    history.keep(*done(step()))
    history.keep(*done(step()))

    for name in ("18", "1.1", "nonsense", "-0", "9" * 30):
        ended = lao("runs", "show", "--", name)
        assert (ended.returncode, ended.stdout) == (2, "")
        assert "error[run.unknown]" in ended.stderr
        assert "the latest is 2;" in ended.stderr


def test_nothing_that_a_model_or_an_input_says_reaches_a_terminal(lao, history):
    evil = step(EVIL, EVIL, made_by=EVIL, notes=(EVIL,), model_digest=EVIL)
    failed = StepFailed(step="f", code="step.timeout", what=EVIL, mend=EVIL)
    for value in (EVIL, EVIL + "\nmore"):
        history.keep(
            RunStarted(workflow=EVIL, steps=("f",), locality=EVIL),
            evil,
            failed,
            RunFinished(status="failed", outputs={EVIL: value, "j": [value]}),
            workflow=EVIL,
            source=EVIL,
            inputs={EVIL: value},
        )

    for words in ([], ["show", "1", "--steps"], ["compare", "1", "2"]):
        piped = lao("runs", *words)
        _, screen = lao.on_terminal("runs", *words)
        for text in (piped.stdout + piped.stderr, screen.replace("\r\n", "\n")):
            assert "\\x1b[2J\\x9b\\u202eevil" in text
            assert not set("\x1b\x9b\u202e\r") & set(text)


# -- comparing, replaying, sharing ----------------------------------------------


def test_two_runs_are_compared(lao, tmp_path):
    lao("chain", "summarize", stdin="One sentence. Another one.")
    lao("chain", "summarize", stdin="One sentence. Another one.")
    lao("chain", "summarize", stdin="One sentence. Yet another one.")

    same = lao("runs", "compare", "1", "2")
    other = lao("runs", "compare", "2", "3")

    assert (same.returncode, other.returncode) == (0, 0)
    assert "nothing differs between 1 and 2\n" in same.stdout
    assert "    -One sentence. Another one.\n    +One sentence. Yet" in other.stdout
    assert "input, result\n" in other.stdout
    found = json.loads(lao("runs", "compare", "1", "3", "--json").stdout)
    assert found["same"] is False
    assert found["steps"]["summarize"]["ingredients"] == ["input"]


def test_events_are_replayed_as_they_were_told(lao, tmp_path):
    lao("chain", "summarize", "--events", "told.ndjson", stdin="One. Two.")
    told = (tmp_path / "told.ndjson").read_text("utf-8").splitlines()

    replayed = lao("runs", "events", "1").stdout.splitlines()

    passing = ("text-produced", "progress-made")
    kept = [line for line in told if json.loads(line)["kind"] not in passing]
    assert replayed == kept
    assert len(kept) >= 4


def test_the_events_of_a_batch_are_those_of_its_items(lao, history):
    history.keep_batch(*({"facts": done(step(name)), "id": name} for name in "ab"))

    lines = map(json.loads, lao("runs", "events", "1").stdout.splitlines())

    assert [line["run"] for line in lines] == ["a"] * 3 + ["b"] * 3


def test_a_closed_pipe_ends_a_replay_in_silence(lao, history):
    history.keep(*done(*(step(f"s{number}", "x" * 900) for number in range(300))))
    command = f"{sys.executable} -m lao runs events 1 | head -n 1"

    ended = subprocess.run(
        ["/bin/sh", "-c", command],
        env=lao.environment,
        cwd=lao.folder,
        capture_output=True,
        text=True,
        check=True,
    )

    assert ended.stdout.count("\n") == 1
    assert ended.stderr == ""


def test_a_sidecar_holds_nothing_of_the_content(lao, tmp_path):
    marker = "Zanzibar Quokka"
    (tmp_path / "secret-folder").mkdir()
    (tmp_path / "secret-folder" / "w.yaml").write_text(SAVING)
    lao("run", "secret-folder/w.yaml", "-i", f"notes={marker} was here. It rained.")

    bare = lao("runs", "export", "1").stdout
    written = lao("runs", "export", "1", "--with-content", "--out", "side.json")

    for word in (marker, "Quokka", "rained", "secret-folder", str(tmp_path)):
        assert word not in bare
    whole = json.loads((tmp_path / "side.json").read_text("utf-8"))
    assert marker in whole["content"]["inputs"]["notes"]
    assert written.stdout == written.stderr == ""
    assert stat.S_IMODE((tmp_path / "side.json").stat().st_mode) == 0o600
    del whole["content"]
    assert whole == json.loads(bare)
    assert bare.count('"model_digest": "sha256:') == 1


def test_a_batch_has_one_sidecar_with_all_its_items(lao, history):
    history.keep_batch(
        {"facts": done(step(), a="x"), "key": "private.wav"},
        {"facts": ()},
        status="failed",
    )

    text = lao("runs", "export", "1").stdout

    found = json.loads(text)
    assert [item["status"] for item in found["items"]] == ["done", "interrupted"]
    assert found["counts"] == {"done": 1, "interrupted": 1}
    assert "private.wav" not in text


def test_a_sidecar_that_cannot_be_written_is_an_error(lao, history):
    history.keep(*done(step()))

    ended = lao("runs", "export", "1", "--out", "no/such/folder.json")

    assert ended.returncode == 2
    assert ended.stderr.startswith("error[export.unwritable]: ")


# -- going on -------------------------------------------------------------------


def test_a_run_that_failed_goes_on_where_it_stopped(lao, tmp_path):
    (tmp_path / "w.yaml").write_text(SAVING)
    (tmp_path / "kept.txt").write_text("in the way")
    failed = lao("run", "w.yaml", "-i", "notes=One sentence. Another one.")
    (tmp_path / "kept.txt").unlink()

    ended = lao("runs", "resume", "1", "--json")

    assert failed.returncode == 3
    assert ended.returncode == 0
    assert json.loads(ended.stdout)["status"] == "done"
    assert (tmp_path / "kept.txt").read_text()
    kinds = [
        json.loads(line) for line in lao("runs", "events", "1").stdout.splitlines()
    ]
    done_steps = [each["step"] for each in kinds if each["kind"] == "step-finished"]
    assert done_steps == ["digest", "keep"]
    assert listed(lao) == ["1"]


# -- forgetting -----------------------------------------------------------------


def test_after_rm_nothing_of_a_run_is_left(lao, history):
    large = "Zanzibar Quokka. " * 8_000  # a blob of its own
    lao("chain", "summarize", stdin=f"Zanzibar Quokka was here. {large}")
    lao("chain", "summarize", stdin="Somebody else was there.")
    assert history.holds("Zanzibar Quokka")

    ended = lao("runs", "rm", "1")

    assert (ended.returncode, ended.stdout) == (0, "")
    assert ended.stderr.startswith("forgot 1 run")
    assert not history.holds("Zanzibar Quokka")
    assert history.holds("Somebody else")
    assert listed(lao) == ["2"]


def test_ranges_and_several_names_are_removed(lao, history):
    for _ in range(9):
        history.keep(*done(step()))

    assert lao("runs", "rm", "2-4", "7", "3", "latest").stderr == "forgot 5 runs\n"
    assert listed(lao) == ["8", "6", "5", "1"]
    unknown = lao("runs", "rm", "1", "20-30")
    assert "error[run.unknown]: there is no run from 20 to 30" in unknown.stderr
    assert listed(lao) == ["8", "6", "5", "1"]


def test_none_goes_if_one_of_them_is_being_carried_out(lao, history):
    history.keep(*done(step()))
    with history.open() as store:
        store.runs.begin(NewRun(id="r", workflow="w", started=NOON))

        ended = lao("runs", "rm", "1-2")

    assert ended.returncode == 2
    assert ended.stderr.startswith("error[run.still-running]: run 2 ")
    assert listed(lao) == ["2", "1"]


def test_a_batch_goes_with_its_items(lao, history):
    items = ({"facts": done(step(value=f"Quokka {n}"))} for n in range(3))
    history.keep_batch(*items, status="done", inputs={"x": "Quokka"})

    assert lao("runs", "rm", "1").stderr == "forgot 1 run, 3 items\n"
    assert not history.holds("Quokka")


def test_prune_needs_a_rule_and_obeys_both(lao, history):
    old, new = NOON, 4_000_000_000.0
    for started in (old, old, new, old, new):
        history.keep(*done(step()), started=started)

    assert "error[runs.no-rule]" in lao("runs", "prune").stderr
    dry = lao("runs", "prune", "--older-than", "30d", "--dry-run")
    assert [line.split()[0] for line in dry.stdout.splitlines()] == [
        "RUN",
        "4",
        "2",
        "1",
    ]
    assert dry.stderr == "would forget 3 runs\n"
    both = lao("runs", "prune", "--older-than", "30d", "--keep", "3")
    assert both.stderr == "forgot 2 runs\n"
    assert lao("runs", "prune", "--keep", "1").stderr == "forgot 2 runs\n"
    assert listed(lao) == ["5"]
    assert lao("runs", "prune", "--keep", "1").stderr == "there is nothing to forget\n"


def test_what_was_pruned_is_nowhere(lao, history):
    for _ in range(60):
        history.keep(
            *done(step(value="Quokka " * 50), o="Quokka"), inputs={"x": "Quokka"}
        )

    lao("runs", "prune", "--keep", "0")

    assert not history.holds("Quokka")


# -- what is not as it should be ------------------------------------------------


def test_the_path_is_that_of_the_data_folder(lao, history, tmp_path):
    assert lao("runs", "path").stdout == f"{history.folder}\n"
    elsewhere = lao("runs", "path", XDG_DATA_HOME=str(tmp_path / "d"))
    assert elsewhere.stdout == f"{tmp_path}/d/lao\n"


def put_garbage(history):
    (history.folder / "lao.db").write_bytes(b"garbage " * 1000)


def put_a_folder(history):
    (history.folder / "lao.db").mkdir()


def put_a_newer_one(history):
    history.keep(*done(step()))
    path = history.folder / "lao.db"
    content = bytearray(path.read_bytes())
    content[60:64] = (99).to_bytes(4, "big")  # user_version
    path.write_bytes(content)


@pytest.mark.parametrize("put", [put_garbage, put_a_folder, put_a_newer_one])
@pytest.mark.parametrize(
    "words",
    [["runs"], ["runs", "rm", "1"], ["runs", "prune", "--keep", "1"], ["cache"]],
)
def test_a_store_that_cannot_be_used_is_named_and_left_alone(lao, history, put, words):
    history.folder.mkdir(parents=True)
    put(history)
    database = history.folder / "lao.db"
    before = database.read_bytes() if database.is_file() else b""

    ended = lao(*words)

    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith("error[store.")
    assert "Traceback" not in ended.stderr
    assert (database.read_bytes() if database.is_file() else b"") == before


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--since", "soon"], "usage.bad-date"),
        (["--status", "odd"], "usage.bad-option"),
        (["--limit", "0"], "usage.bad-option"),
        (["prune", "--older-than", "old"], "usage.bad-age"),
        (["show"], "usage.bad-option"),
        (["shw", "1"], "usage.bad-option"),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, list) else "",
)
def test_a_mistake_is_named_and_mended(lao, words, code):
    ended = lao("runs", *words)

    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith(f"error[{code}]: ")
    assert "\n  mend: " in ended.stderr
