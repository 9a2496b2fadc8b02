# SPDX-License-Identifier: Apache-2.0
"""The commands that show things: pure stdout, stable exit codes, no escape in a pipe."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tests.running_lao import Lao

from lao.cli.isolation_findings import proof_findings
from lao.cli.recipes import example_chain
from lao.policy import Proof
from lao.recipes import find_recipes

SHOWING = [
    ["models"],
    ["recipes"],
    ["recipes", "show", "summarize"],
    ["schema"],
    ["new", "--list"],
    ["doctor"],
    ["doctor", "--paths"],
    ["completion", "bash"],
]


@pytest.fixture
def lao(tmp_path: Path) -> Lao:
    return Lao(tmp_path)


@pytest.mark.parametrize("words", SHOWING, ids=" ".join)
def test_a_showing_command_answers_on_stdout_without_escapes(lao, words):
    done = lao(*words)

    assert done.returncode == 0
    assert done.stdout
    assert "\x1b" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["models"],
        ["recipes"],
        ["recipes", "show", "summarize"],
        ["new", "--list"],
        ["doctor"],
        ["doctor", "--paths"],
    ],
    ids=" ".join,
)
def test_json_is_json_and_nothing_else(lao, words):
    assert json.loads(lao(*words, "--json").stdout)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["recipes", "show", "summarise"], "recipe.unknown"),
        (["new"], "new.no-file"),
        (["new", "x.yaml", "--example", "meeting"], "new.unknown-example"),
        (["new", "no/such/folder.yaml"], "new.failed"),
        (["completion", "tcsh"], "completion.unknown-shell"),
        (["models", "--no-such-option"], "usage.bad-option"),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, list) else "",
)
def test_a_mistake_is_named_and_mended(lao, words, code):
    done = lao(*words)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error[{code}]: ")
    assert "\n  mend: " in done.stderr


# -- models --------------------------------------------------------------------


class FakeServer(BaseHTTPRequestHandler):
    """Says what an Ollama server says of its models."""

    def do_GET(self) -> None:
        details = {"parameter_size": "3.2B", "quantization_level": "Q4_K_M"}
        model = {"size": 2 * 10**9, "digest": "ab" * 32, "details": details}
        names = ["llama3.2:latest", "big:120b-cloud", "llama.cpp:odd", "evil\x1b[2J:1"]
        answer: object = {
            "/api/version": {"version": "0.30.1"},
            "/api/tags": {"models": [{"name": name, **model} for name in names]},
            "/api/status": {"cloud": {"disabled": False}},
        }[self.path]
        content = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_words: object) -> None:
        return


@contextmanager
def ollama() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), FakeServer) as server:
        threading.Thread(target=server.serve_forever).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def test_models_of_a_server_are_listed_and_cloud_ones_refused(lao):
    with ollama() as endpoint:
        done = lao("models", LAO_ENDPOINT=endpoint)

    rows = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert "2.0 GB  Q4_K_M" in rows["llama3.2:latest"]
    assert "refused: cloud" in rows["big:120b-cloud"]
    assert "ollama:llama.cpp:odd" in rows
    assert done.stderr == ""
    assert "\x1b" not in done.stdout


def test_a_server_that_does_not_answer_is_a_note(lao):
    done = lao("models")

    assert done.returncode == 0
    assert "embedded:summary" in done.stdout
    assert done.stderr.startswith("note[ollama.not-running]: ")
    assert "mend: " in done.stderr
    assert lao("models", "-q").stderr == ""


def test_model_files_are_listed_with_what_to_type(lao, tiny_gguf, tmp_path):
    folder = tmp_path / "my models"
    folder.mkdir()
    (folder / "tiny.gguf").write_bytes(tiny_gguf.read_bytes())
    (folder / "broken.gguf").write_bytes(b"GGUF")

    done = lao("models", "--model-dir", str(folder), "--json")

    found = {Path(one["path"]).name: one for one in json.loads(done.stdout)["models"]}
    assert found["tiny.gguf"]["name"] == str(folder / "tiny.gguf")
    assert found["tiny.gguf"]["size"] == tiny_gguf.stat().st_size
    assert found["tiny.gguf"]["digest"] == ""
    assert found["broken.gguf"]["problem"]
    assert f"'{folder}/tiny.gguf'" in lao("models", "--model-dir", str(folder)).stdout


def test_a_digest_is_computed_once_when_asked_for_and_then_known(lao, tiny_gguf):
    folder = str(tiny_gguf.parent)

    first = lao("models", "--model-dir", folder, "--json", "--digests")
    second = lao("models", "--model-dir", folder, "--json")

    assert "reading " in first.stderr
    assert "reading " not in second.stderr
    assert json.loads(first.stdout) == json.loads(second.stdout)
    assert '"sha256:' in second.stdout


def test_a_folder_that_cannot_be_looked_into_is_a_note(lao, tmp_path):
    done = lao("models", "--model-dir", str(tmp_path / "nowhere"))

    assert done.returncode == 0
    assert "note[models.folder]: cannot look into" in done.stderr


@pytest.mark.parametrize("words", [["models"], ["doctor"], ["recipes"]], ids=" ".join)
def test_it_works_without_a_home(lao, words):
    for home in ("", "/nonexistent", "relative"):
        done = lao(*words, HOME=home)

        assert done.returncode == 0
        assert done.stdout


# -- recipes -------------------------------------------------------------------


def test_an_own_recipe_is_listed_and_a_broken_one_reported(lao, tmp_path):
    folder = tmp_path / "recipes"
    folder.mkdir()
    text = 'description: Mine.\nmain: t\nparameters: { t: {} }\nengine: { prompt_template: "{{ t }}" }\n'
    (folder / "mine.yaml").write_text(text)
    (folder / "broken.yaml").write_text("description: [")

    done = lao("recipes")

    assert done.returncode == 2
    assert "mine " in done.stdout
    assert "error[" in done.stderr
    assert "broken.yaml" in done.stderr


def test_a_recipe_shows_its_parameters_and_its_prompt(lao):
    shown = lao("recipes", "show", "translate").stdout

    assert "--to       text  must be given    The language to translate to" in shown
    assert "<material>" in shown
    assert "example: lao chain 'notes.txt | translate --to TO'" in shown


@pytest.mark.parametrize("name", list(find_recipes()))
def test_the_example_of_a_recipe_is_a_chain(lao, name, tmp_path):
    example = example_chain(find_recipes()[name])
    chain = example.removeprefix("lao chain ").strip("'")
    for file in ("notes.txt", "talk.wav"):  # what the examples name
        (tmp_path / file).write_text("Some text.")

    done = lao("chain", chain, "--explain", "--model", "llama3.2")

    assert (done.returncode, done.stderr) == (0, "")


# -- doctor --------------------------------------------------------------------


def test_the_doctor_says_where_a_setting_comes_from(lao):
    done = lao("doctor", "--json", LAO_MODEL="no-such-model", OLLAMA_HOST="")

    found = {(each["area"], each["name"]): each for each in json.loads(done.stdout)}
    assert found["settings", "model"]["what"] == "no-such-model (LAO_MODEL)"
    assert found["settings", "per_model"]["what"].endswith("(default)")
    assert found["models", "model"]["status"] == "gap"
    assert found["isolation", "starts"]["status"] == "ok"


def test_the_doctor_tells_how_to_switch_off_the_cloud(lao):
    with ollama() as endpoint:
        done = lao("doctor", LAO_ENDPOINT=endpoint)

    assert "OLLAMA_NO_CLOUD=1" in done.stdout
    assert "OLLAMA_DEBUG_LOG_REQUESTS" in done.stdout
    assert f"0.30.1 at {endpoint}, 4 models" in done.stdout


def test_the_doctor_claims_only_layers_that_were_found():
    layers = {"seccomp": True, "landlock": 0, "namespaces": False, "rlimits": {}}
    reduced = Proof(level="L1", layers=layers)
    level, worker, absent, here = proof_findings(reduced, None)

    assert (level.status, level.what.partition(":")[0]) == ("gap", "L1 reduced")
    assert worker.what == "proved: seccomp"
    assert absent.what == "not there: landlock, namespaces, rlimits"
    assert (here.name, here.status, here.what) == (
        "this process",
        "gap",
        "is not locked",
    )


def test_the_doctor_calls_no_lock_at_all_broken():
    level, worker, here = proof_findings(None, None)

    assert (level.status, level.what.partition(":")[0]) == ("broken", "L0 none")
    assert worker.what == here.what == "is not locked"


def test_paths_can_be_asked_for(lao, tmp_path):
    config = str(tmp_path / "conf")

    found = json.loads(
        lao("doctor", "--paths", "--json", XDG_CONFIG_HOME=config).stdout
    )

    assert found["config"] == f"{config}/lao/config.toml"
    assert found["data"] == f"{tmp_path}/.local/share/lao"
