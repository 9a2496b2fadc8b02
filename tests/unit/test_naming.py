# SPDX-License-Identifier: Apache-2.0
"""A result is named by everything that can change it, and by nothing else."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, strategies as st
from msgspec.structs import replace

from lao.engine.file_digests import FileDigests
from lao.engine.naming import Namer
from lao.engine.requests import RequestWriter
from lao.errors import StepError
from lao.planning.plan import Engine
from lao.policy import LoopbackEndpoint
from lao.workflow.inference import ModelRequest
from lao.workflow.local_models import Custom, Embedded, LlamaCpp, Ollama, WhisperCpp
from lao.workflow.steps import Output
from lao.workflow.template import parse_template, parse_tree
from lao.workflow.values import EMBEDDING, JSON, TEXT, FileValue

CHAT = Ollama(model="m", options={"temperature": 0})
SCHEMA = {"type": "object", "properties": {"b": {}, "a": {}}}
ROOT = Path(__file__).parents[2]
MUCH_LATER = 4_000_000_000.0


class Model:
    """A backend that is asked for nothing but its digest."""

    def __init__(self, digest="sha256:one"):
        self.digest = digest
        self.asked = 0

    async def identify(self):
        self.asked += 1
        return self.digest


def engine(prompt=None, *, model=CHAT, system=None, output=None, **trees):
    return Engine(
        model=model,
        prompt=parse_template(prompt) if prompt else None,
        system=parse_template(system) if system else None,
        output=output or Output(),
        **{name: parse_tree(tree) for name, tree in trees.items()},
    )


async def name(chosen, scope=None, *, digest="sha256:one", request=None):
    request = request or RequestWriter().write(chosen, scope or {})
    return await Namer(lambda _: Model(digest)).name(chosen, request)


def changed(one, other):
    """The ingredients that differ; the keys must, if one does."""
    names = [k for k in one.ingredients if one.ingredients[k] != other.ingredients[k]]
    assert (one.key != other.key) == bool(names)
    return names


BASE = {"prompt": "Sum up {{ text }}", "system": "Be {{ how }}."}
SEEN = {"text": "ants", "how": "brief"}

ONE_CHANGE = {
    "model": ({"model": replace(CHAT, think=True)}, {}),
    "mode": ({"model": replace(CHAT, mode="generate")}, {}),
    "prompt": ({"prompt": "Put in one line: {{ text }}"}, {}),
    "system": ({"system": "Stay {{ how }}."}, {}),
    "options": ({"options": {"top_k": 3}}, {}),
    "an option": ({"options": {"temperature": 1}}, {}),
    "schema": ({"output": Output(type=JSON, schema=SCHEMA)}, {}),
    "input": ({}, {"text": "bees"}),
    "another input": ({}, {"how": "long"}),
}
INGREDIENT = {
    "mode": "model",
    "system": "prompt",
    "an option": "options",
    "another input": "input",
}


@pytest.mark.parametrize("what", ONE_CHANGE)
async def test_each_single_change_shows_in_its_ingredient_and_in_no_other(what):
    words, scope = ONE_CHANGE[what]
    before = await name(engine(**BASE), SEEN)
    after = await name(engine(**{**BASE, **words}), {**SEEN, **scope})
    assert changed(before, after) == [INGREDIENT.get(what, what)]


async def test_another_content_under_the_same_name_is_another_model():
    one, other = [await name(engine("x"), digest=f"sha256:{n}") for n in "ab"]
    assert changed(one, other) == ["model"]
    assert (one.model_digest, other.model_digest) == ("sha256:a", "sha256:b")


async def test_a_schema_counts_with_the_order_of_its_properties():
    turned = {"type": "object", "properties": {"a": {}, "b": {}}}
    one, other = [
        await name(engine("x", output=Output(type=JSON, schema=schema)))
        for schema in (SCHEMA, turned)
    ]
    assert changed(one, other) == ["schema"]


async def test_the_order_of_options_does_not_count():
    ways = [{"seed": 1, "top_k": 2}, {"top_k": 2, "seed": 1}]
    one, other = [await name(engine("x", options=way)) for way in ways]
    assert one == other


TEXTS = st.text(st.characters(exclude_characters="{}#%", exclude_categories=["Cs"]))


@given(TEXTS, TEXTS, TEXTS, TEXTS)
async def test_different_values_or_words_never_share_a_key(before, after, one, other):
    first, second = [
        await name(engine(f"x{before} {{{{ a }}}}{after}"), {"a": value})
        for value in (one, other)
    ]
    assert (first.key == second.key) == (one == other)
    assert changed(first, second) == ([] if one == other else ["input"])


@given(st.lists(TEXTS, min_size=2, max_size=2), st.lists(TEXTS, min_size=2, max_size=2))
async def test_what_is_prompt_and_what_is_system_is_told_apart(one, other):
    asked = [ModelRequest(prompt=p, system=s) for p, s in (one, other)]
    keys = [(await name(engine("x"), request=each)).key for each in asked]
    assert (keys[0] == keys[1]) == (one == other)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3)
    ),
    max_leaves=8,
)
READS = engine(model=Embedded(name="summary"), input="{{ input }}")


@given(JSON_VALUES, JSON_VALUES)
async def test_inputs_share_a_key_only_if_they_are_the_same(one, other):
    first, second = [await name(READS, {"input": value}) for value in (one, other)]
    assert (first.key == second.key) == (json.dumps(one) == json.dumps(other))


@given(st.dictionaries(TEXTS, JSON_VALUES, max_size=4), JSON_VALUES)
async def test_a_namer_says_the_same_whatever_it_named_before(options, value):
    request = ModelRequest(prompt="x", options=options)
    used, kind = Namer(lambda _: Model()), engine("x")
    await used.name(kind, replace(request, options={"a": value}))
    await used.name(kind, replace(request, options={"a": 1}))
    assert await used.name(kind, request) == await name(kind, request=request)


NAMED_ELSEWHERE = """
import asyncio, json, sys
from tests.unit.test_naming import engine, name
kind = engine("Sum up {{ text }}", options={"b": 1, "a": {"d": 1, "c": 2}})
found = asyncio.run(name(kind, {"text": "ants"}))
print(json.dumps([found.key, dict(found.ingredients)], sort_keys=True))
"""


def test_every_process_gives_the_same_name():
    told = {
        subprocess.run(
            [sys.executable, "-c", NAMED_ELSEWHERE],
            env={"PYTHONHASHSEED": seed},
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(told) == 1


# What does not count


@pytest.mark.parametrize(
    "other",
    [
        replace(CHAT, model="other"),
        replace(CHAT, keep_alive="5m"),
        replace(CHAT, endpoint=LoopbackEndpoint("http://127.0.0.1:9")),
    ],
    ids=["name", "keep_alive", "endpoint"],
)
async def test_how_a_model_is_reached_does_not_count(other):
    assert await name(engine("x")) == await name(engine("x", model=other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (LlamaCpp(model_path="/a.gguf"), LlamaCpp(model_path="/b.gguf")),
        (WhisperCpp(model_path="/a.bin"), WhisperCpp(model_path="/b.bin")),
        (Custom(plugin="/a.py:Echo"), Custom(plugin="/b.py:Echo")),
    ],
    ids=lambda model: model.kind,
)
async def test_where_a_model_lies_does_not_count(one, other):
    names = [await name(engine("x", model=model, input="y")) for model in (one, other)]
    assert names[0] == names[1]


async def test_kinds_and_classes_of_models_count():
    kinds = [
        Ollama(model="m"),
        LlamaCpp(model_path="/a"),
        WhisperCpp(model_path="/a"),
        WhisperCpp(model_path="/a", program="/bin/whisper-cli"),
        Embedded(name="summary"),
        Embedded(name="redact"),
        Custom(plugin="/a.py:One"),
        Custom(plugin="/a.py:Two"),
    ]
    names = [await name(engine("x", model=kind)) for kind in kinds]
    assert len({each.key for each in names}) == len(kinds)


async def test_a_custom_model_is_loaded_with_its_own_options():
    asked = {"options": {"a": 2}}
    one, other = [
        await name(engine("x", model=Custom(plugin="/a.py", options={"a": n}), **asked))
        for n in (1, 2)
    ]
    assert changed(one, other) == ["options"]


async def test_a_language_model_sees_no_more_of_its_input_than_the_prompt():
    kind = engine("About {{ input.title }}", input="{{ input }}")
    one, other = [
        await name(kind, {"input": {"title": "ants", "rest": rest}}) for rest in "ab"
    ]
    assert one == other


# Files


@pytest.fixture
def files(tmp_path):
    paths = [tmp_path / each for each in ("a.wav", "b.wav")]
    for path in paths:
        path.write_bytes(b"sound")
    return paths


HEARS = engine(model=WhisperCpp(model_path="/m.bin"), input="{{ input }}")


async def named_with(*paths):
    given = [FileValue(str(path), "audio") for path in paths]
    return await name(HEARS, {"input": given if len(given) > 1 else given[0]})


async def test_a_file_counts_by_its_content_and_not_by_its_name(files):
    one, other = files
    before = await named_with(one)
    assert before == await named_with(other)
    one.write_bytes(b"noise")
    assert changed(before, await named_with(one)) == ["files"]


async def test_the_order_of_files_counts(files):
    files[1].write_bytes(b"noise")
    one, other = await named_with(*files), await named_with(*reversed(files))
    assert changed(one, other) == ["files"]


async def test_a_file_deep_in_an_input_counts_by_its_content(files):
    kind = engine(
        model=Custom(plugin="/m.py"), input={"of": [{"sound": "{{ input }}"}]}
    )
    names = []
    for path, content in [(0, b"sound"), (1, b"sound"), (1, b"noise")]:
        files[path].write_bytes(content)
        names.append(await name(kind, {"input": FileValue(str(files[path]))}))
    assert names[0] == names[1]
    assert changed(names[1], names[2]) == ["files"]


async def test_a_file_among_the_options_counts_by_its_content(files):
    one, other = [
        engine(model=WhisperCpp(model_path="/m", options={"vad_model_path": str(path)}))
        for path in files
    ]
    before = await name(one)
    assert before == await name(other)
    files[0].write_bytes(b"noise")
    assert changed(before, await name(one)) == ["options"]


@pytest.mark.parametrize("path", ["/no/such/file", "/", "/dev/null", "a\0b"])
async def test_a_file_that_cannot_be_read_fails_the_step(path):
    with pytest.raises(StepError) as caught:
        await named_with(path)
    assert caught.value.code == "step.file-unreadable"


def counting(files, monkeypatch):
    """Count how often files are opened."""
    import lao.engine.file_digests as module

    opened = []
    real = module.open_regular
    monkeypatch.setattr(module, "open_regular", lambda p: opened.append(p) or real(p))
    return opened


@pytest.mark.parametrize("size", [5, 3 << 20], ids=["small", "large"])
async def test_a_file_is_read_once_until_it_changes(files, monkeypatch, size):
    opened = counting(files, monkeypatch)
    digests = FileDigests(now=lambda: MUCH_LATER)
    path = files[0]
    path.write_bytes(b"a" * size)
    found = [await digests.digest(str(path)) for _ in range(3)]
    assert (len(opened), len(set(found))) == (1, 1)
    path.write_bytes(b"b" * (size + 1))
    assert await digests.digest(str(path)) != found[0]


async def test_a_copy_that_keeps_the_time_is_a_change(files):
    digests = FileDigests(now=lambda: MUCH_LATER)
    before = await digests.digest(str(files[0]))
    files[1].write_bytes(b"other")
    shutil.copystat(files[0], files[1])
    shutil.copy2(files[1], files[0])
    assert await digests.digest(str(files[0])) != before


async def test_a_file_that_changed_just_now_is_read_again(files, monkeypatch):
    opened = counting(files, monkeypatch)
    changed_at = files[0].stat().st_ctime
    for later, reads in [(1.9, 2), (2.1, 1), (-1.9, 2)]:
        opened.clear()
        digests = FileDigests(now=lambda later=later: changed_at + later)
        for _ in range(2):
            await digests.digest(str(files[0]))
        assert len(opened) == reads


async def test_what_is_remembered_of_files_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr("lao.engine.file_digests._KEPT", 3)
    digests = FileDigests(now=lambda: MUCH_LATER)
    for number in range(9):
        (tmp_path / str(number)).touch()
        await digests.digest(str(tmp_path / str(number)))
    assert len(digests._kept) == 3


# Engines


async def test_a_model_is_asked_anew_for_each_name():
    model, kind = Model(), engine("x")
    namer = Namer(lambda _: model)
    before = await namer.name(kind, ModelRequest(prompt="x"))
    model.digest = "sha256:exchanged"
    after = await namer.name(kind, ModelRequest(prompt="x"))
    assert (model.asked, changed(before, after)) == (2, ["model"])


async def test_what_is_remembered_of_engines_is_bounded_and_never_mixed_up(monkeypatch):
    monkeypatch.setattr("lao.engine.naming._ENGINES", 3)
    namer = Namer(lambda _: Model())
    request = ModelRequest(prompt="x")
    keys = [
        (
            await namer.name(
                engine("x", model=Ollama(model="m", think=n % 2 == 0)), request
            )
        )
        for n in range(20)
    ]
    assert len(namer._begun) == 3
    assert len({each.key for each in keys}) == 2


# What asking again would give


@pytest.mark.parametrize(
    ("model", "options", "output", "expected"),
    [
        (CHAT, {}, TEXT, True),
        (CHAT, {"temperature": 0.5}, TEXT, False),
        (Ollama(model="m"), {}, TEXT, False),
        (Ollama(model="m"), {"seed": 0}, TEXT, True),
        (Ollama(model="m"), {"seed": -1}, TEXT, False),
        (Ollama(model="m"), {}, EMBEDDING, True),
        (LlamaCpp(model_path="/m"), {}, TEXT, False),
        (LlamaCpp(model_path="/m"), {"temperature": 0.0}, TEXT, True),
        (WhisperCpp(model_path="/m"), {}, TEXT, True),
        (WhisperCpp(model_path="/m"), {"temperature": 0.4}, TEXT, False),
        (Embedded(name="summary"), {}, TEXT, True),
        (Custom(plugin="/m.py"), {}, TEXT, True),
        (Custom(plugin="/m.py"), {"temperature": 1}, TEXT, False),
    ],
)
async def test_what_leaves_nothing_to_chance_is_reproducible(
    model, options, output, expected
):
    kind = engine(
        "x", model=model, options=options, input="y", output=Output(type=output)
    )
    assert (await name(kind)).reproducible is expected
