# SPDX-License-Identifier: Apache-2.0
"""The palette: what can be added, what it can be told, and that nothing of it runs."""

import json
import time
from pathlib import Path

import pytest

from lao.backends import llama_options, whisper_options
from lao.backends.embedded import redact, summary
from lao.config import Settings, load_settings
from lao.editor.edit_messages import ConnectEdit, InsertEdit, RenameStepEdit
from lao.editor.edit_words import to_edits
from lao.editor.graph import view_document
from lao.editor.palette import palette
from lao.editor.palette_messages import PaletteEntry, PaletteView, ParameterView
from lao.editor.parameters import EVERY_STEP, MODEL_OPTIONS
from lao.editor.ports import takes
from lao.plugins.installed import trust
from lao.recipes import find_recipes
from lao.workflow.values import parse_type

SAMPLES = {
    "integer": 2,
    "number": 0.5,
    "flag": True,
    "text": "en",
    "path": "",
    "list[text]": ["people"],
}
MANIFEST = """\
lao = 1
name = "word-count"
version = "1.0"
kind = "step"
entry = "counting:Count"
description = "Counts words"
input = { type = "text" }
output = { type = "json" }
[parameters]
required = ["most"]
[parameters.properties.most]
type = "integer"
minimum = 1
maximum = 9
description = "At most"
[parameters.properties.unit]
enum = ["words", "lines"]
type = "string"
default = "words"
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings({"HOME": str(tmp_path / "home")})


@pytest.fixture
def shown(settings: Settings, tmp_path: Path) -> PaletteView:
    return palette(settings, tmp_path)


def entry(view: PaletteView, name: str) -> PaletteEntry:
    [found] = [each for each in view.entries if each.id == name]
    return found


def add_plugin(settings: Settings, canary: Path) -> Path:
    folder = settings.folders.data / "plugins" / "word-count"
    folder.mkdir(parents=True, mode=0o700)
    (folder / "lao-plugin.toml").write_text(MANIFEST)
    (folder / "counting.py").write_text(f"open({str(canary)!r}, 'w').close()\n")
    return folder


def test_every_recipe_is_there_with_what_it_takes(shown: PaletteView) -> None:
    names = [each.title for each in shown.entries if each.id.startswith("recipe:")]
    assert names == list(find_recipes())
    found = entry(shown, "recipe:summarize")
    assert (found.group, found.output, found.step) == (
        "Text",
        "text",
        {"uses": "summarize"},
    )
    assert [
        (each.name, each.type, each.default, each.choices) for each in found.parameters
    ] == [
        ("text", "text", None, []),
        ("style", "text", "bullets", ["bullets", "paragraph", "sentence"]),
        ("length", "integer", 5, []),
        ("language", "text", None, []),
    ]
    assert entry(shown, "recipe:transcribe").group == "Speech"
    assert entry(shown, "recipe:save").group == "Shape"
    assert entry(shown, "recipe:tags").output == "json"


def test_recipes_of_the_folder_come_too_and_a_broken_one_says_why(
    settings: Settings, tmp_path: Path
) -> None:
    recipes = tmp_path / "recipes"
    recipes.mkdir()
    (recipes / "mine.yaml").write_text(
        "description: Mine\nmain: text\nparameters: { text: {} }\nengine: { prompt_template: x }\n"
    )
    (recipes / "wrong.yaml").write_text("main: text\n")
    found = palette(settings, tmp_path)
    assert entry(found, "recipe:mine").description == "Mine"
    assert "description" in entry(found, "recipe:wrong").problem


def test_the_configured_model_is_what_a_new_step_asks(tmp_path: Path) -> None:
    settings = load_settings({"HOME": str(tmp_path), "LAO_MODEL": "mistral"})
    step = entry(palette(settings, tmp_path), "model:ollama").step
    assert step == {"model": {"kind": "ollama", "model": "mistral"}}


def test_each_entry_can_be_added_and_gives_what_it_says(
    shown: PaletteView, settings: Settings, tmp_path: Path
) -> None:
    text = "lao: 1\nname: w\nsteps:\n  - { id: a, input: x }\n"
    path = tmp_path / "f.yaml"
    for each in shown.entries:
        new, _ = to_edits(
            text, [InsertEdit(entry=each.id)], path=path, settings=settings
        )
        [_, step] = view_document(new, path=path, settings=settings).steps
        assert {key: step.data[key] for key in each.step} == each.step
        assert [(port.name, port.type) for port in step.inputs] == [
            (port.name, port.type) for port in each.inputs
        ]
        assert step.output in (None, each.output)
        assert step.sort != "unknown"


def test_a_converter_takes_the_value_and_gives_what_fits(shown: PaletteView) -> None:
    offered = 0
    for given, ports in shown.misfits.items():
        for port, misfit in ports.items():
            if misfit.converter:
                offered += 1
                found = entry(shown, misfit.converter)
                output, source = parse_type(found.output or ""), parse_type(given)
                assert output is not None
                assert source is not None
                assert takes(found.inputs[0].type, source)
                assert takes(port, output)
    assert offered
    assert shown.misfits["audio"]["text"].converter == "recipe:transcribe"
    assert (
        shown.misfits["audio"]["text | json | image"].converter == "recipe:transcribe"
    )
    assert shown.misfits["text"]["list | json"].converter == "reshape:lines"
    assert shown.misfits["text"]["json"].converter == "reshape:json"
    assert shown.misfits["list[text]"]["text"].converter == "reshape:join"
    assert "text" not in shown.misfits["text"]


def sample(option: ParameterView) -> object:
    return option.choices[0] if option.choices else SAMPLES[option.type]


def test_the_options_of_llama_models_are_those_it_knows() -> None:
    listed = {each.name: sample(each) for each in MODEL_OPTIONS["llama.cpp"]}
    llama_options.sampling(listed)
    known = {*llama_options._FLOATS, *llama_options._INTEGERS, "stop"}
    assert set(listed) == known | llama_options.LOAD_OPTIONS


def test_the_options_of_whisper_models_are_those_it_knows() -> None:
    listed = {each.name: sample(each) for each in MODEL_OPTIONS["whisper.cpp"]}
    whisper_options.read_options(listed)
    assert set(listed) == set(whisper_options._NAMES)


@pytest.mark.parametrize(
    ("name", "read"),
    [("summary", summary._read_options), ("redact", redact._read_options)],
)
def test_the_options_of_embedded_models_are_those_they_know(
    name: str, read: object
) -> None:
    options = {each.name: sample(each) for each in MODEL_OPTIONS[f"embedded:{name}"]}
    assert callable(read)
    read({}, options)


def test_what_every_step_has_is_understood_in_a_file(
    settings: Settings, tmp_path: Path
) -> None:
    values = {
        "template": "{{ inputs.x | list }}",
        "integer": 2,
        "duration": "2s",
        "json": 1,
        "schema": "a int",
    }
    path = tmp_path / "f.yaml"
    text = "lao: 1\nname: w\nsteps:\n  - { id: a, uses: classify, with: { text: x, labels: [a] } }\n"
    for each in EVERY_STEP:
        value = each.choices[-1] if each.choices else values[each.type]
        step: object = value
        for key in reversed(each.path):
            step = {key: step}
        assert isinstance(step, dict)
        new = text.replace(
            "id: a,", f"id: a, {each.path[0]}: {json.dumps(step[each.path[0]])},"
        )
        problems = view_document(new, path=path, settings=settings).problems
        assert [problem.code for problem in problems] == ["model.none-configured"], (
            each.name
        )


def test_a_plugin_is_shown_by_its_manifest_and_by_whether_it_is_trusted(
    settings: Settings, tmp_path: Path
) -> None:
    folder = add_plugin(settings, tmp_path / "canary")
    found = entry(palette(settings, tmp_path), "plugin:word-count")
    assert (found.title, found.output, found.group) == ("word-count", "json", "Plugins")
    assert "not trusted" in found.problem
    assert [
        (
            each.path,
            each.type,
            each.is_required,
            each.minimum,
            each.maximum,
            each.choices,
        )
        for each in found.parameters
    ] == [
        (["with", "most"], "integer", True, 1, 9, []),
        (["with", "unit"], "text", False, None, None, ["words", "lines"]),
    ]
    trust(settings.folders.data, "word-count")
    assert entry(palette(settings, tmp_path), "plugin:word-count").problem == ""
    (folder / "counting.py").write_text("pass\n")
    assert (
        "has changed" in entry(palette(settings, tmp_path), "plugin:word-count").problem
    )
    (folder / "lao-plugin.toml").write_text("lao = 1\n")
    assert entry(palette(settings, tmp_path), "plugin:word-count").problem


def test_nothing_that_a_file_names_is_run_or_imported(
    settings: Settings, tmp_path: Path
) -> None:
    canary = tmp_path / "canary"
    add_plugin(settings, canary)
    trust(settings.folders.data, "word-count")
    (tmp_path / "model.py").write_text(f"open({str(canary)!r}, 'w').close()\n")
    text = """\
lao: 1
name: w
steps:
  - { id: a, model: { kind: custom, plugin: model.py }, prompt_template: "{{ inputs.x }}" }
  - { id: b, uses: word-count, with: { most: 2 }, input: "{{ a }}" }
"""
    path = tmp_path / "f.yaml"
    assert view_document(text, path=path, settings=settings).problems == ()
    palette(settings, tmp_path)
    to_edits(
        text,
        [
            InsertEdit(entry="plugin:word-count", source="a"),
            ConnectEdit(source="a", target="b", port="input"),
            RenameStepEdit(old="a", new="c"),
        ],
        path=path,
        settings=settings,
    )
    assert not canary.exists()


def test_two_hundred_steps_are_shown_at_once(
    settings: Settings, tmp_path: Path
) -> None:
    steps = "".join(
        f"  - id: s{number}\n    model: m\n"
        f'    prompt_template: "Say {{{{ {f"s{number - 1}" if number else "inputs.x"} }}}}"\n'
        for number in range(200)
    )
    text = f"lao: 1\nname: w\nmodels: {{ m: {{ kind: ollama, model: m }} }}\nsteps:\n{steps}"
    view_document(text, path=tmp_path / "f.yaml", settings=settings)
    started = time.process_time()
    parts = view_document(text, path=tmp_path / "f.yaml", settings=settings)
    assert len(parts.edges) == 200
    assert time.process_time() - started < 0.6  # 0.08 s on an idle core
