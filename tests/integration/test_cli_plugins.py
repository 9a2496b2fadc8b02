# SPDX-License-Identifier: Apache-2.0
"""What people see of plugins: added, listed, shown, trusted after a look, removed."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.running_lao import NOBODY, Lao

from lao.cli import dispatch
from lao.cli.candidates import _PLUGIN
from lao.cli.plugin import command as plugin_command
from lao.plugins.starting import start_plugin

EXAMPLES = Path(__file__).parents[2] / "examples" / "plugins"
MANIFEST = "lao-plugin.toml"


@dataclass(frozen=True)
class Done:
    """What one command left."""

    returncode: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Here(Lao):
    """The same in this process, which saves a start for each command."""

    capture: pytest.CaptureFixture[str] | None = None

    def __call__(self, name: str, *arguments: str) -> Done:
        code = dispatch.dispatch(name, list(arguments))
        told = self.capture.readouterr()
        return Done(code, told.out, told.err)


@pytest.fixture
def lao(tmp_path, monkeypatch, capsys) -> Lao:
    for name in ("CONFIG", "DATA", "CACHE"):
        monkeypatch.delenv(f"XDG_{name}_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LAO_ENDPOINT", NOBODY)
    monkeypatch.setattr(dispatch, "_end_as_if_interrupted", lambda: None)
    monkeypatch.chdir(tmp_path)
    return Here(tmp_path, capture=capsys)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Return the folder of a new plugin, `word-count`."""
    start_plugin(tmp_path / "word-count", "word-count", "step")
    return tmp_path / "word-count"


def in_version(source: Path, version: str) -> str:
    """Give a plugin another version; return its folder's name."""
    manifest = source / MANIFEST
    text = manifest.read_text()
    before = text.partition('version = "')[2].partition('"')[0]
    manifest.write_text(text.replace(f'version = "{before}"', f'version = "{version}"'))
    return source.name


def test_without_plugins_the_list_says_how_to_get_one(lao):
    done = lao("plugins")

    assert (done.returncode, done.stdout) == (0, "")
    assert "lao plugin new NAME" in done.stderr
    assert list(lao.folder.iterdir()) == []


def test_a_new_plugin_is_added_shown_and_listed_but_not_trusted(lao, source):
    added = lao("plugin", "add", source.name)
    shown = lao("plugin", "show", "word-count")
    listed = lao("plugins", "-q")

    assert (added.returncode, added.stdout) == (0, "")
    assert added.stderr.splitlines() == [
        "added word-count 0.1.0",
        "it runs once you trust it: lao plugin trust word-count",
    ]
    assert "kind     step: text → json\n" in shown.stdout
    assert "example  lao chain 'notes.txt | word-count'\n" in shown.stdout
    assert "--at_least  integer  1 " in shown.stdout
    assert listed.stdout.splitlines()[1].split() == (
        [
            "word-count",
            "0.1.0",
            "step",
            "not",
            "yet",
            "Counts",
            "the",
            "words",
            "of",
            "a",
            "text.",
        ]
    )


def test_trust_needs_a_look_and_a_yes(lao, source):
    lao("plugin", "add", source.name)

    refused = lao("plugin", "trust", "word-count")
    assert refused.returncode == 2
    assert "asks for nothing beyond its own folder\n" in refused.stdout
    assert "src/word_count/__init__.py\n" in refused.stdout
    assert "error[plugin.not-asked]" in refused.stderr
    assert "mend: look at it, then write `lao plugin trust word-count --yes`" in (
        refused.stderr
    )

    agreed = lao("plugin", "trust", "word-count", "--yes", "--json")
    found = json.loads(agreed.stdout)
    assert (agreed.returncode, found["trust"], found["since_trusted"]) == (
        0,
        "trusted",
        None,
    )
    assert found["permissions"] == {"gpu": False, "read": []}
    assert "trusted already" in lao("plugin", "trust", "word-count").stdout


def test_on_a_terminal_it_asks_and_no_means_no(lao, source):
    lao("plugin", "add", source.name)

    code, screen = lao.on_terminal("plugin", "trust", "word-count", typed="n\n")
    assert code == 5
    assert "Trust it? [y/N]: " in screen
    assert "word-count is not trusted; nothing of it runs" in screen

    code, screen = lao.on_terminal("plugin", "trust", "word-count", typed="y\n")
    assert code == 0
    assert "word-count is trusted; any change of its files ends that" in screen


def test_an_upgrade_ends_the_trust_and_says_what_differs(lao, source):
    lao("plugin", "add", source.name)
    lao("plugin", "trust", "word-count", "--yes")
    (source / "README.md").unlink()
    (source / "src" / "word_count" / "more.py").touch()

    upgraded = lao("plugin", "add", in_version(source, "0.2.0"))
    asked = lao("plugin", "trust", "word-count")

    assert "upgraded word-count from 0.1.0 to 0.2.0\n" in upgraded.stderr
    assert "it runs once you trust it" in upgraded.stderr
    assert asked.stdout.endswith(
        "\nsince you trusted 0.1.0:\n"
        "  changed  lao-plugin.toml\n"
        "  new      src/word_count/more.py\n"
        "  gone     README.md\n"
    )


def test_the_same_files_again_stay_trusted(lao, source):
    lao("plugin", "add", source.name)
    lao("plugin", "trust", "word-count", "--yes")

    again = lao("plugin", "add", source.name)

    assert again.stderr == "replaced word-count 0.1.0\n"


def test_an_older_version_replaces_a_newer_one_only_if_told(lao, source):
    lao("plugin", "add", in_version(source, "1.0"))
    older = in_version(source, "0.9")

    refused = lao("plugin", "add", older)
    assert refused.returncode == 2
    assert "error[plugin.downgrade]" in refused.stderr
    assert "--downgrade" in refused.stderr

    done = lao("plugin", "add", older, "--downgrade", "--json")
    assert json.loads(done.stdout) == {
        "name": "word-count",
        "version": "0.9",
        "previous": "1.0",
        "change": "downgrade",
        "trust": "untrusted",
    }


def test_a_file_that_was_tampered_with_is_named(lao, source):
    lao("plugin", "add", source.name)
    lao("plugin", "trust", "word-count", "--yes")
    installed = lao.folder / ".local/share/lao/plugins/word-count"
    (installed / "src/word_count/__init__.py").write_text("import os\n")

    assert lao("plugins", "-q").stdout.splitlines()[1].split()[3] == "changed"
    assert lao("plugin", "trust", "word-count").stdout.endswith(
        "\nsince you trusted 0.1.0:\n  changed  src/word_count/__init__.py\n"
    )


def test_removing_says_what_went_and_leaves_nothing(lao, source):
    lao("plugin", "add", source.name)
    lao("plugin", "trust", "word-count", "--yes")

    removed = lao("plugin", "remove", "word-count")

    assert removed.returncode == 0
    assert removed.stderr.startswith("removed word-count: 6 files, ")
    left = lao.folder.glob(".local/share/lao/plugins/**/*")
    assert [each.name for each in left] == [".lock"]
    assert lao("plugin", "remove", "word-count").returncode == 2


def test_what_a_plugin_says_is_harmless_in_a_terminal(lao, source):
    lao("plugin", "add", source.name)
    lao("plugin", "trust", "word-count", "--yes")
    installed = lao.folder / ".local/share/lao/plugins/word-count"
    manifest = (installed / MANIFEST).read_text()
    manifest = manifest.replace("The letters", "\\u009b31m \\u202eletters")
    (installed / MANIFEST).write_text(manifest)
    (installed / "\x1b]0;x\x07").touch()

    shown = lao("plugin", "show", "word-count").stdout
    asked = lao("plugin", "trust", "word-count").stdout

    assert "\\x9b31m \\u202eletters" in shown
    assert asked.count("\\x1b]0;x\\x07") == 2  # among the files, and what is new
    assert not set(shown + asked) & {"\x1b", "\x9b", "\u202e", "\x07"}


def test_a_broken_manifest_is_noted_and_the_others_are_listed(lao, source):
    lao("plugin", "add", source.name)
    lao("plugin", "add", str(EXAMPLES / "minutes-table"))
    plugins = lao.folder / ".local/share/lao/plugins"
    (plugins / "word-count" / MANIFEST).write_text("lao = 1\n")

    done = lao("plugins")

    assert done.returncode == 2
    assert "minutes-table  1.0.0" in done.stdout
    assert "plugins/word-count/lao-plugin.toml" in done.stderr
    assert lao("plugin", "remove", "word-count").returncode == 0


def test_new_writes_only_into_a_folder_of_its_own(lao):
    written = lao("plugin", "new", "my-model", "--kind", "model")
    again = lao("plugin", "new", "my-model")
    hiding = lao("plugin", "new", "json")

    assert (written.returncode, written.stdout) == (0, "")
    assert "  lao plugin check my-model\n" in written.stderr
    assert (lao.folder / "my-model" / "src" / "my_model" / "py.typed").exists()
    assert "error[plugin.exists]" in again.stderr
    assert "error[plugin.bad-name]" in hiding.stderr
    assert (again.returncode, hiding.returncode) == (2, 2)


# -- check: it locks its process, so each is one of its own -----------------------


def checked(source: Path, *options: str) -> tuple[int, dict[str, dict], str]:
    """Run `lao plugin check`; return its exit code, what it looked at, and stderr."""
    done = Lao(source.parent)("plugin", "check", source.name, "--json", *options)
    looks = {each["name"]: each for each in json.loads(done.stdout)}
    return done.returncode, looks, done.stderr


def test_a_sound_plugin_passes_the_check_without_being_added_or_trusted(source):
    code, looks, told = checked(source, "--with", "at_least=5", "-i", "some words here")

    assert (code, told) == (0, "")
    assert looks["manifest"]["what"] == "word-count 0.1.0, step: text → json"
    assert '{"words": 1, "longest": "words"}' in looks["dry call"]["what"]
    assert looks["sandbox"]["what"][:2] in ("L2", "L3")
    assert {each["status"] for each in looks.values()} == {"ok"}
    assert not (source.parent / ".local").exists()


def test_the_check_finds_wrong_types_and_a_wrong_output(source):
    module = source / "src" / "word_count" / "__init__.py"
    text = module.read_text().replace('"words": len(counted)', '"words": "many"')
    module.write_text(f'{text}\nNUMBER: int = "one"\n')

    code, looks, _ = checked(source)

    assert code == 2
    (wrong,) = looks["types"]["problems"]
    assert wrong["where"].startswith("src/word_count/__init__.py:")
    assert "Incompatible types in assignment" in wrong["what"]
    assert [each["code"] for each in looks["dry call"]["problems"]] == [
        "plugin.wrong-output"
    ]


def test_the_check_lists_every_problem_of_a_manifest_and_goes_no_further(source):
    manifest = source / MANIFEST
    text = manifest.read_text().replace('kind = "step"', 'kind = "stepp"')
    manifest.write_text(text.replace('version = "0.1.0"', 'version = "new"'))

    code, looks, _ = checked(source)

    assert (code, list(looks)) == (2, ["plugin"])
    places = [each["where"] for each in looks["plugin"]["problems"]]
    assert places == [f"word-count/{MANIFEST}: version", f"word-count/{MANIFEST}: kind"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("plugin sh", ["show"]),
        ("plugin trust ", ["keyword-model", "minutes-table"]),
        ("plugin new x --kind f", ["formatter"]),
        ("plugin check ", []),
        ("chain minu", ["minutes-table"]),
        ("run x.yaml --model plugin:", ["plugin:keyword-model"]),
    ],
)
def test_names_are_completed(lao, line, expected):
    plugins = lao.folder / ".local/share/lao/plugins"
    for name in ("minutes-table", "keyword-model"):
        shutil.copytree(EXAMPLES / name, plugins / name)

    done = lao("completion", "--words", "--", *line.split(" "))

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == expected


def test_every_subcommand_is_completed():
    assert set(_PLUGIN) == set(plugin_command.commands)
