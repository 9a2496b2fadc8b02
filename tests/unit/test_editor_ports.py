# SPDX-License-Identifier: Apache-2.0
"""Ports and their types: what the page says of a connection is what the compiler says."""

from pathlib import Path

import pytest

from lao.config import load_settings
from lao.editor.palette import misfits
from lao.editor.ports import TYPES, ports_of
from lao.editor.reading import Reading, read_text
from lao.planning.engines import Catalog
from lao.workflow.local_models import Ollama
from lao.workflow.plugins import PluginManifest
from lao.workflow.steps import Parameter, Recipe, RecipeEngine
from lao.workflow.values import JSON, TEXT, ValueType, list_of

SETTINGS = load_settings({"HOME": "/nowhere"})
MODELS = {
    "ollama": "{ kind: ollama, model: m }",
    "llama": "{ kind: llama.cpp, model_path: m.gguf }",
    "whisper": "{ kind: whisper.cpp, model_path: m.bin }",
    "speech": "{ kind: embedded, name: speech }",
    "redact": "{ kind: embedded, name: redact }",
    "custom": "{ kind: custom, plugin: m.py }",
    "plugin": "{ kind: plugin, name: answers-json }",
}
TRANSFORMS = (
    "[lines]",
    "[json]",
    "[join]",
    "[strip]",
    "[strip, join]",
    "[{ truncate: 9 }, { regex: a }]",
    "[{ select: /a }]",
)


def recipe_of(name: str, main: ValueType, more: ValueType) -> Recipe:
    return Recipe(
        name=name,
        description="",
        main="value",
        parameters={
            "value": Parameter(type=main),
            "more": Parameter(type=more, optional=True),
        },
        engine=RecipeEngine(prompt_template="{{ value }}"),
    )


def manifest_of(name: str, kind: ValueType, role: str = "step") -> PluginManifest:
    return PluginManifest(
        name=name,
        version="1.0",
        kind=role,
        entry="m:C",
        description="",
        input=kind,
        output=JSON,
    )


PLUGINS = {f"uses-{number}": kind for number, kind in enumerate(TYPES)}
CATALOG = Catalog(
    recipes={
        each.name: each
        for number, kind in enumerate(TYPES)
        for each in (
            recipe_of(f"takes_{number}", kind, TEXT),
            recipe_of(f"more_{number}", TEXT, kind),
        )
    },
    plugins={
        **{name: manifest_of(name, kind) for name, kind in PLUGINS.items()},
        "answers-json": manifest_of("answers-json", JSON, "model"),
        "prepares": manifest_of("prepares", list_of(JSON), "preprocessor"),
    },
    chat=Ollama(model="m"),
)


def targets(source: str) -> dict[str, str]:
    """Return steps that read a source, each with the port by which it does."""
    tag = f'"{{{{ {source} }}}}"'
    made: dict[str, str] = {}
    for number in range(len(TYPES)):
        made[f"uses: takes_{number}, with: {{ value: {tag} }}"] = "with.value"
        made[f"uses: more_{number}, with: {{ value: x, more: {tag} }}"] = "with.more"
        made[f"uses: takes_{number}, input: {tag}"] = "input"
        made[f"uses: uses-{number}, input: {tag}"] = "input"
    for model in MODELS.values():
        made[f"model: {model}, input: {tag}"] = "input"
    for name in ("ollama", "custom"):
        made[f"model: {MODELS[name]}, prompt_template: {tag}"] = "prompt"
        made[f"model: {MODELS[name]}, prompt_template: x, system: {tag}"] = "system"
    for transforms in (*TRANSFORMS, "[{ plugin: prepares }]"):
        made[f"input: {tag}, input_transforms: {transforms}"] = "input"
    made[f'for_each: {tag}, input: "{{{{ item }}}}"'] = "for_each"
    made[f'input: "x", when: {tag}'] = "when"
    return made


def read(text: str) -> Reading:
    return read_text(text, path=Path("/w/f.yaml"), settings=SETTINGS, catalog=CATALOG)


@pytest.mark.parametrize("given", TYPES, ids=str)
def test_a_verdict_is_that_of_the_compiler(given: ValueType) -> None:
    made = targets("given")
    steps = [f'id: given, model: {MODELS["custom"]}, input: x, output: "{given}"']
    steps += [f"id: t{number}, {words}" for number, words in enumerate(made)]
    reading = read(
        "lao: 1\nname: w\nsteps:\n" + "".join(f"  - {{ {each} }}\n" for each in steps)
    )
    refused = {
        reading.step_at(problem.where)
        for problem in reading.problems
        if problem.code in ("workflow.type-mismatch", "workflow.transform-mismatch")
    }
    verdicts = misfits([])[str(given)]

    for number, (words, name) in enumerate(made.items()):
        step = reading.step(f"t{number}")
        assert step is not None
        [port] = [each for each in ports_of(step, reading) if each.name == name]
        assert (port.type in verdicts) == (f"t{number}" in refused), (words, port)


def test_a_recipe_has_its_main_parameter_first_and_no_port_for_a_choice() -> None:
    reading = read_text(
        'lao: 1\nname: w\nsteps:\n  - { id: a, uses: summarize, with: { length: "{{ inputs.n }}" } }\n',
        path=Path("/w/f.yaml"),
        settings=SETTINGS,
    )
    step = reading.step("a")
    assert step is not None
    assert [(port.name, port.is_required) for port in ports_of(step, reading)] == [
        ("with.text", True),
        ("with.length", False),
        ("with.language", False),
    ]


def test_conditions_and_loops_have_a_port_only_when_they_are_used() -> None:
    reading = read(
        'lao: 1\nname: w\nsteps:\n  - { id: a, input: "{{ item }}", for_each: "{{ inputs.x }}" }\n'
        '  - { id: b, input: "x", when: "{{ a.c }}", default: 1 }\n'
    )
    shown = [
        [port.name for port in ports_of(step, reading)]
        for step in reading.outline.steps
    ]
    assert shown == [["input", "for_each"], ["input", "when"]]
