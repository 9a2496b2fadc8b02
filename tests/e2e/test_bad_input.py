# SPDX-License-Identifier: Apache-2.0
"""Whatever it is given, `lao` says what, where and how to mend it, and loses nothing."""

import itertools
import os
import shutil

import pytest
from tests.e2e.fake_server import serving
from tests.e2e.running_lao import Lao
from tests.fake_ollama import Flood, answer, done, said, stream

STEP = "lao: 1\nname: a\nsteps:\n  - { id: a, input: x }\n"
TEXT_STEP = """\
lao: 1
name: notes
inputs: { text: { type: text } }
steps:
  - { id: summary, uses: summarize, with: { text: "{{ inputs.text }}" } }
"""


def bomb():
    """Nine lists of nine aliases each: 3 GB if they were followed."""
    texts = ["lao: 1", "a: &a [x, x, x, x, x, x, x, x, x]"]
    names = "abcdefghij"
    for inner, outer in itertools.pairwise(names):
        aliases = ", ".join([f"*{inner}"] * 9)
        texts.append(f"{outer}: &{outer} [{aliases}]")
    return "\n".join(texts)


# -- Workflow files: content, the code of the first problem, its line -------------

FILES = {
    "empty": ("", "yaml.empty", None),
    "a comment": ("# nothing\n", "yaml.empty", None),
    "binary": (bytes(range(128, 256)) * 20, "yaml.not-text", 1),
    "Latin-1": ("name: caf\xe9".encode("latin-1"), "yaml.not-text", 1),
    "huge": ("# " + "x" * (9 << 20), "file.too-large", None),
    "deep": (f"lao: 1\nname: {'[' * 5000}{']' * 5000}", "yaml.too-deep", 2),
    "deep JSON": ("[" * 100_000, "yaml.too-deep", 1),
    "aliases": (bomb(), "yaml.alias", 2),
    "a tag": ('lao: 1\nname: !!python/object/apply:os.system ["id"]', "yaml.tag", 2),
    "a key twice": ("lao: 1\nname: a\nname: b\n", "yaml.duplicate-key", 3),
    "a tab": ("lao: 1\nname: a\nsteps:\n\t- { id: a }", "yaml.tab", 4),
    "broken": ("lao: 1\nname: [a\nsteps: {", "yaml.syntax", 3),
    "two documents": (f"{STEP}---\n{STEP}", "yaml.documents", 5),
    "a newer format": (STEP.replace("1", "2"), "workflow.newer-format", 1),
    "no format": (STEP.replace("lao: 1\n", ""), "workflow.missing-key", 1),
    "a list": ("- 1\n", "workflow.wrong-type", 1),
    "no steps": ("lao: 1\nname: a\nsteps: []", "workflow.bad-value", 3),
    "an unknown key": (STEP.replace("input", "inptu"), "workflow.unknown-key", 4),
    "a bad id": (STEP.replace("id: a", 'id: "a\\nb"'), "workflow.bad-value", 4),
    "an id twice": (f"{STEP}  - {{ id: a, input: x }}", "workflow.duplicate-step", 5),
    "a cycle": (STEP.replace("x", '"{{ a }}"'), "workflow.cycle", 4),
    "a lost name": (STEP.replace("x", '"{{ b }}"'), "workflow.unknown-step", 4),
    "a bad template": (
        "lao: 1\nname: a\nsteps:\n  - id: a\n    input: |\n      one\n      {{ a. }}\n",
        "template.syntax",
        7,
    ),
    "a remote kind": (
        STEP.replace("input: x", "model: { kind: openai, model: x }"),
        "policy.no-remote-kind",
        4,
    ),
    "an unknown recipe": (
        STEP.replace("input: x", "uses: sumarize"),
        "workflow.unknown-recipe",
        4,
    ),
    "a bad schema": (
        STEP.replace("input: x", "input: x, output: { type: json, schema: 3 }"),
        "workflow.wrong-type",
        4,
    ),
}


@pytest.fixture(scope="module")
def checked(tmp_path_factory):
    """What one `lao check` of all the bad files found, by the file's name."""
    lao = Lao(folder=tmp_path_factory.mktemp("bad"))
    for name, (content, _, _) in FILES.items():
        lao.file(f"{name}.yaml", content)
    ended = lao("check", "--json", *(f"{name}.yaml" for name in FILES))
    assert (ended.code, ended.err) == (2, b"")
    return ended.report


@pytest.mark.parametrize("name", FILES)
def test_a_bad_workflow_is_told_what_where_and_how_to_mend_it(checked, name):
    _, code, line = FILES[name]
    first = checked[f"{name}.yaml"]["problems"][0]
    where = first["where"] or {}
    assert (first["code"], where.get("line") or None) == (code, line), first
    assert where["file"] == f"{name}.yaml"
    assert first["what"]


PLACES = {
    "nothing": "file.missing",
    "a folder": "file.not-a-file",
    "a FIFO": "file.not-a-file",
    "/dev/zero": "file.not-a-file",
    "/dev/null": "file.not-a-file",
    "a link to itself": "file.unreadable",
}


def test_what_is_no_file_is_no_workflow(lao):
    (lao.folder / "a folder").mkdir()
    os.mkfifo(lao.folder / "a FIFO")
    (lao.folder / "a link to itself").symlink_to("a link to itself")
    found = lao("check", "--json", *PLACES).report
    codes = {name: found[name]["problems"][0]["code"] for name in PLACES}
    assert codes == PLACES
    assert lao("run", "a FIFO").complains(2, "file.not-a-file")


# -- Inputs -------------------------------------------------------------------------


@pytest.fixture
def notes(lao):
    os.mkfifo(lao.folder / "fifo")
    lao.file("empty.txt", "")
    lao.file("latin.txt", "caf\xe9".encode("latin-1"))
    return lao.file("notes.yaml", TEXT_STEP)


INPUTS = {
    "@nothing.txt": "input.missing-file",
    "@notes.yaml/x": "input.missing-file",
    "@.": "input.not-a-file",
    "@fifo": "input.not-a-file",
    "@/dev/zero": "input.not-a-file",
    "@latin.txt": "input.not-text",
    "txet=hello": "input.unknown",
}


@pytest.mark.usefixtures("notes")
@pytest.mark.parametrize("given", INPUTS)
def test_a_bad_input_is_refused_before_anything_runs(lao, given):
    ended = lao("run", "notes.yaml", "--input", given)
    assert ended.complains(2, INPUTS[given])
    assert "mend:" in ended.told


@pytest.mark.usefixtures("notes")
@pytest.mark.parametrize("stdin", [b"", b" \n\t "])
def test_a_text_without_words_is_an_error_of_the_step(lao, stdin):
    ended = lao("run", "notes.yaml", "--input", "-", stdin=stdin)
    assert ended.complains(3, "embedded.empty-text")


def test_a_type_that_does_not_fit_is_refused(lao):
    lao.file("w.yaml", STEP.replace("steps", "inputs: { n: { type: json } }\nsteps"))
    assert lao("run", "w.yaml", "--input", "n={").complains(2, "input.not-json")
    deep = lao.file("deep.json", "[" * 200_000)
    assert lao("run", "w.yaml", "--input", f"n=@{deep}").complains(2, "input.not-json")
    twice = ("--input", "n=1", "--input", "n=2")
    assert lao("run", "w.yaml", *twice).complains(2, "input.given-twice")


RECORDINGS = {
    "empty.wav": (b"", "audio.empty"),
    "noise.mp3": (b"not a recording at all", "audio.not-audio"),
    "header.wav": (b"RIFF\x24\0\0\0WAVEfmt ", "audio.damaged"),
    "renamed.flac": (TEXT_STEP.encode(), "audio.not-audio"),
}


@pytest.mark.parametrize("name", RECORDINGS)
def test_a_bad_recording_fails_its_step(lao, name, tiny_whisper):
    content, code = RECORDINGS[name]
    lao.file(name, content)
    line = f"transcribe {name} --model whisper.cpp:{tiny_whisper} | summarize"
    ended = lao("chain", line)
    assert ended.complains(3, code)
    assert "mend:" in ended.told


def test_a_long_text_is_done_in_little_memory(lao):
    sentence = "The hill is green and the river that runs below it is blue. "
    lao.file("long.txt", sentence * (2_000_000 // len(sentence)))
    little = ("/bin/sh", "-c", 'ulimit -v 300000 && exec "$@"', "sh")  # KiB
    line = "summarize long.txt --style sentence"
    with lao.started("chain", line, prefix=little) as process:
        out, err = process.communicate(timeout=50)
    assert (process.returncode, out.decode()) == (0, f"{sentence.rstrip()}\n"), err


def test_a_text_over_the_limit_is_refused(lao):
    with (lao.folder / "sparse.txt").open("wb") as file:
        file.truncate(300 << 20)
    assert lao("chain", "summarize sparse.txt").complains(2, "input.too-large")


# -- Models ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("text.gguf", b"no model", "model.not-gguf"),
        ("empty.gguf", b"", "model.not-gguf"),
        ("gone.gguf", None, "model.file-missing"),
    ],
)
def test_a_file_that_is_no_model_is_not_there_for_llama_cpp(lao, name, content, code):
    if content is not None:
        lao.file(name, content)
    ended = lao("chain", "'a b' | summarize", "--model", name)
    assert ended.complains(6, code)
    assert "mend:" in ended.told


def test_a_model_file_that_is_cut_off_is_told_of(lao, tiny_gguf):
    cut = lao.file("cut.gguf", tiny_gguf.read_bytes()[:50_000])
    ended = lao("chain", "'a b' | summarize", "--model", cut)
    assert ended.complains(6, "llama.load-failed")


def test_a_file_that_is_no_model_is_not_there_for_whisper_cpp(lao):
    lao.file("noise.bin", b"noise" * 1000)
    lao.file("a.wav", b"RIFF")
    ended = lao("chain", "transcribe a.wav", "--model", "noise.bin")
    assert ended.complains(6, "model.not-whisper")


def test_a_name_that_names_no_model_is_refused(lao):
    for name in ("", "custom:", "embedded:nothing"):
        ended = lao("chain", "'a b' | summarize", "--model", name)
        assert ended.code in {2, 6}
        assert not ended.out
        assert "mend:" in ended.told


def test_a_server_that_is_not_there_is_no_riddle(lao):
    there = lao.having(LAO_ENDPOINT="http://127.0.0.1:1")
    ended = there("chain", "'a b' | summarize", "--model", "llama3.2")
    assert ended.complains(6, "ollama.not-running")
    assert "ollama serve" in ended.told


def test_a_schema_that_the_answer_does_not_fit_is_its_own_exit_code(lao):
    schema = "output: { type: json, schema: { type: object, required: [a] } }"
    model = "model: { kind: ollama, model: llama3.2 }, prompt_template: x"
    lao.file("w.yaml", STEP.replace("input: x", f"{model}, {schema}"))
    with serving({"/api/chat": stream(said('{"b": 1}'), done())}) as fake:
        ended = lao.having(LAO_ENDPOINT=str(fake.endpoint))("run", "w.yaml")
    assert ended.complains(7, "output.schema-mismatch")


SERVERS = {
    "it floods": {"/api/chat": [Flood(b"x" * 65536)]},
    "it errs": {"/api/chat": answer({"error": "out of memory"}, 500)},
    "it stops early": {"/api/chat": stream(said("Hel"))},
    "it speaks HTML": {"/api/chat": answer("<html>")},
}


@pytest.mark.parametrize("name", SERVERS)
def test_a_bad_server_fails_the_step(lao, name):
    with serving(SERVERS[name]) as fake:
        there = lao.having(LAO_ENDPOINT=str(fake.endpoint), LAO_MODEL="llama3.2")
        ended = there("chain", "'a b' | summarize")
    assert ended.code in {3, 6}
    assert ended.complains(ended.code, *ended.problems)


# -- Shapes of work ---------------------------------------------------------------------


def test_ten_thousand_steps_run(lao):
    steps = (
        f'  - {{ id: s{n}, input: "{{{{ inputs.text }}}}" }}' for n in range(10_000)
    )
    lao.file("w.yaml", workflow_of(steps, last=9_999))
    ended = lao("run", "w.yaml", "--input", "hello")
    assert (ended.code, ended.answer) == (0, "hello\n"), ended.told


def test_five_thousand_steps_run_one_after_the_other(lao):
    steps = (
        f'  - {{ id: s{n}, input: "{{{{ {f"s{n - 1}" if n else "inputs.text"} }}}}" }}'
        for n in range(5_000)
    )
    lao.file("w.yaml", workflow_of(steps, last=4_999))
    ended = lao("run", "w.yaml", "--input", "hello")
    assert (ended.code, ended.answer) == (0, "hello\n"), ended.told


def workflow_of(steps, *, last):
    head = "lao: 1\nname: many\ninputs: { text: { type: text } }\nsteps:"
    return "\n".join([head, *steps, f'outputs: {{ end: "{{{{ s{last} }}}}" }}'])


# -- Names and places -----------------------------------------------------------------


def test_names_may_be_in_any_script_and_hold_escapes(lao):
    text = STEP.replace("name: a", 'name: "naïve 工作流\\n\\e[31mred"')
    lao.file("w.yaml", text.replace("id: a", "id: schön"))
    for options in (["-v"], ["--dry-run"], ["--json"]):
        ended = lao("run", "w.yaml", *options)
        assert (ended.code, b"\x1b" in ended.err) == (0, False), ended.told


ODD = "sp ace/que'ry \"new\nline/-dash ünï"


def test_paths_may_hold_anything(lao):
    lao.file(f"{ODD}/-w f.yaml", TEXT_STEP)
    lao.file(f"{ODD}/-te'xt\".txt", "Some text.")
    whole = lao("run", f"{ODD}/-w f.yaml", "--input", f"@{ODD}/-te'xt\".txt")
    assert whole.answer == "- Some text.\n", whole.told
    there = Lao(folder=lao.folder / ODD)
    near = there("run", "--input", "@-te'xt\".txt", "--", "-w f.yaml")
    assert near.answer == "- Some text.\n", near.told
    saved = there("chain", "'./-te'\\''xt\".txt' | summarize", "--save", "-s.yaml")
    assert saved.answer == "- Some text.\n", saved.told
    assert there("run", "--", "-s.yaml").answer == "- Some text.\n"


SUM = ("chain", "'One is here.' | summarize")


@pytest.mark.parametrize("home", [None, "/nonexistent", "/proc", "relative", ""])
def test_no_home_is_needed(lao, home):
    environment = {"PATH": os.defpath} | ({} if home is None else {"HOME": home})
    command = (*SUM, "--ephemeral")
    with lao.started(*command, prefix=clean_environment(environment)) as process:
        out, err = process.communicate(timeout=50)
    assert (process.returncode, out) == (0, b"- One is here.\n"), err


def test_without_a_place_for_it_a_run_is_not_kept_in_secret(lao):
    there = lao.having(HOME="/proc")
    assert there(*SUM).complains(1, "store.unwritable")


def clean_environment(environment):
    words = (f"{name}={value}" for name, value in environment.items())
    return ("/usr/bin/env", "-i", *words)


@pytest.fixture
def unprivileged():
    """What takes root its right to read and write what it may not."""
    if os.geteuid() != 0:
        return ()
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("as root this needs setpriv, to be like anybody else")
    return (setpriv, "--bounding-set=-dac_override,-dac_read_search")


def test_what_may_not_be_read_is_told_of(lao, unprivileged):
    lao.file("notes.yaml", TEXT_STEP)
    for name in ("secret.yaml", "secret.txt"):
        lao.file(name, TEXT_STEP).chmod(0)
    for arguments, code in (
        (("run", "secret.yaml"), "file.unreadable"),
        (("run", "notes.yaml", "--input", "@secret.txt"), "input.unreadable"),
    ):
        with lao.started(*arguments, prefix=unprivileged) as process:
            out, err = process.communicate(timeout=50)
        assert (process.returncode, out) == (2, b""), err
        assert err.startswith(f"error[{code}]".encode())


def test_a_folder_that_takes_no_files_is_told_of(lao, unprivileged):
    home = lao.folder / "home"
    home.mkdir()
    lao.folder.chmod(0o500)
    home.chmod(0o500)
    saving = ("chain", "'One is here.' | summarize | save a.txt")
    try:
        for arguments, code, problem in (
            (SUM, 1, b"error[store.unwritable]"),
            ((*SUM, "--ephemeral"), 0, None),
            ((*saving, "--ephemeral"), 3, b"error[save.failed]"),
            ((*SUM, "--save", "w.yaml"), 2, b"error[save.failed]"),
            ((*SUM, "--ephemeral", "--events", "e.ndjson"), 2, b"error[events.unw"),
        ):
            with lao.started(*arguments, prefix=unprivileged) as process:
                _, err = process.communicate(timeout=50)
            assert process.returncode == code, err
            assert problem is None or err.startswith(problem)
    finally:
        lao.folder.chmod(0o700)
        home.chmod(0o700)


# -- Words on the command line ----------------------------------------------------------

WORDS = [
    (["rn", "w.yaml"], "usage.unknown-command", "did you mean 'run'?"),
    (["run"], "usage.bad-option", "FILE"),
    (["run", "w.yaml", "--inptu", "a"], "usage.bad-option", "--input"),
    (["run", "w.yaml", "--timeout", "soon"], "usage.bad-duration", "30s"),
    (["run", "w.yaml", "--model", "writr=x"], "model.unknown-name", "writer"),
    (
        ["chain", "'a b' | sumarize"],
        "chain.unknown-recipe",
        "did you mean 'summarize'?",
    ),
    (["chain", "'a b' | summarize --stile x"], "chain.unknown-parameter", "'style'"),
    (["chain", "'a b | summarize"], "chain.unclosed-quote", "^^^"),
    (["chain", ""], "chain.empty", "lao recipes"),
    (["chain", "'*.none' | summarize"], "input.no-match", "quote the pattern"),
    (["recipes", "show", "sumarize"], "recipe.unknown", "did you mean 'summarize'?"),
]


@pytest.mark.parametrize(("words", "code", "hint"), WORDS, ids=str)
def test_a_slip_of_the_pen_gets_a_suggestion(lao, words, code, hint):
    lao.file(
        "w.yaml",
        STEP.replace(
            "steps", "models: { writer: { kind: embedded, name: summary } }\nsteps"
        ),
    )
    ended = lao(*words)
    assert ended.complains(2, code)
    assert hint in ended.told


def test_a_configuration_that_is_wrong_names_its_file_and_key(lao):
    for text, code in (
        ("modle = 'x'", "config.unknown-key"),
        ("per_model = 0", "config.bad-value"),
        ("model = [", "config.syntax"),
    ):
        lao.file("home/.config/lao/config.toml", text)
        ended = lao(*SUM)
        assert ended.complains(2, code)
        assert "config.toml" in ended.told
