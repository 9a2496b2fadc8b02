# SPDX-License-Identifier: Apache-2.0
"""A manifest is read strictly, as data, with everything that is wrong told at once."""

import pytest
from hypothesis import given, settings, strategies as st
from tests.plugin_sources import manifest_text

from lao.errors import InvalidWorkflow
from lao.plugins.manifest import decode_manifest, read_manifest
from lao.plugins.versions import order_of
from lao.workflow.plugins import NO_PARAMETERS, PluginManifest, is_of_type
from lao.workflow.values import EMBEDDING, JSON, TEXT, ValueType, list_of

NUMBER = {"type": "integer", "minimum": 1, "default": 3}


def decode(**changed):
    return decode_manifest(manifest_text(**changed).encode(), "lao-plugin.toml")


def problems_of(text):
    data = text if isinstance(text, bytes) else text.encode()
    with pytest.raises(InvalidWorkflow) as raised:
        decode_manifest(data, "lao-plugin.toml")
    return [(each.code, str(each.where), each.what) for each in raised.value.problems]


def test_a_manifest_says_what_a_plugin_is():
    assert decode() == PluginManifest(
        name="word-count",
        version="1.0.0",
        kind="step",
        entry="word_count:Entry",
        description="Counts words.",
        input=TEXT,
        output=JSON,
    )


def test_permissions_and_parameters_are_read(monkeypatch):
    monkeypatch.setenv("HOME", "/home/ana")
    found = decode(
        permissions={"gpu": True, "read": ["~/models/x.bin", "/opt/data"]},
        parameters={"properties": {"size": NUMBER}, "required": ["size"]},
        output={"type": "json", "schema": {"type": "object"}},
    )
    assert (found.gpu, found.read) == (True, ("/home/ana/models/x.bin", "/opt/data"))
    assert (found.properties, found.required) == ({"size": NUMBER}, ("size",))
    assert (found.defaults, found.schema) == ({"size": 3}, {"type": "object"})


def test_a_parameter_that_is_not_listed_is_not_taken_unless_the_author_says_so():
    assert decode().parameters == NO_PARAMETERS
    assert decode(parameters={}).parameters == NO_PARAMETERS
    loose = {"type": "object", "additionalProperties": True}
    assert decode(parameters=loose).parameters == loose
    choice = {"anyOf": [{"required": ["a"]}, {"required": ["b"]}]}
    assert "additionalProperties" not in decode(parameters=choice).parameters


def test_every_problem_is_told_at_once_with_the_path_of_its_key():
    found = problems_of(
        manifest_text(
            lao=2 - 1,
            name="Word Count",
            version=None,
            kind="stepp",
            colour="red",
            output={"type": "txt"},
            permissions={"net": True},
        )
    )
    assert [(code, where) for code, where, _ in found] == [
        ("workflow.unknown-key", "lao-plugin.toml: colour"),
        ("workflow.bad-value", "lao-plugin.toml: name"),
        ("workflow.missing-key", "lao-plugin.toml"),
        ("workflow.wrong-type", "lao-plugin.toml: kind"),
        ("workflow.wrong-type", "lao-plugin.toml: output.type"),
        ("workflow.unknown-key", "lao-plugin.toml: permissions.net"),
    ]


BAD = {
    "no TOML": ("lao = \n", "plugin.bad-manifest", "lao-plugin.toml:1:7"),
    "no text": (b"lao = 1\n\xff", "plugin.bad-manifest", "lao-plugin.toml"),
    "deep": ("a = " + "[" * 20_000, "plugin.bad-manifest", "lao-plugin.toml"),
    "deep keys": (
        ".".join("a" * 100) + " = 1",
        "plugin.bad-manifest",
        "lao-plugin.toml",
    ),
    "endless keys": (
        "# first\n" + "a." * 100_000 + "b = 1",
        "plugin.bad-manifest",
        "lao-plugin.toml:2:0",
    ),
    "endless number": (
        f"lao = {'9' * 9000}",
        "plugin.bad-manifest",
        "lao-plugin.toml",
    ),
    "newer": ("lao = 2\nnew = 1", "plugin.newer-format", "lao-plugin.toml: lao"),
    "no format": (
        manifest_text(lao=None),
        "workflow.missing-key",
        "lao-plugin.toml",
    ),
    "a date": (
        manifest_text() + "[parameters]\ndefault = 2020-01-01",
        "plugin.bad-manifest",
        "lao-plugin.toml: parameters.default",
    ),
    "not a number": (
        manifest_text() + "[parameters]\ndefault = nan",
        "plugin.bad-manifest",
        "lao-plugin.toml: parameters.default",
    ),
}


@pytest.mark.parametrize(("text", "code", "where"), BAD.values(), ids=BAD)
def test_what_is_no_manifest_is_told_apart(text, code, where):
    assert (code, where) in [found[:2] for found in problems_of(text)]


WRONG = {
    "dots": {"name": "../x"},
    "path": {"name": "a/b"},
    "dashes": {"name": "a--b"},
    "long name": {"name": "a" * 80},
    "a letter of another alphabet": {"name": "café"},
    "version": {"version": "one"},
    "entry": {"entry": "word_count"},
    "entry of digits": {"entry": "1a:Entry"},
    "escapes": {"description": "\u001b[31mred"},
    "two lines": {"description": "a\nb"},
    "right to left": {"description": "a\u202eb"},
    "file": {"output": {"type": "audio"}},
    "files": {"output": {"type": "list[file]"}},
    "schema of text": {"output": {"type": "text", "schema": {}}},
    "formatter of json": {"kind": "formatter"},
    "relative": {"permissions": {"read": ["models/x"]}},
    "upwards": {"permissions": {"read": ["/opt/../etc"]}},
    "everything": {"permissions": {"read": ["/"]}},
    "everything, oddly": {"permissions": {"read": ["//"]}},
    "home, oddly": {"permissions": {"read": ["//home/ana"]}},
    "a path of two lines": {"permissions": {"read": ["/opt\nnothing"]}},
    "a path that turns around": {"permissions": {"read": ["/opt/\u202ehss"]}},
    "home": {"permissions": {"read": ["~"]}},
    "above home": {"permissions": {"read": ["/home"]}},
    "processes": {"permissions": {"read": ["/proc/1/environ"]}},
    "devices": {"permissions": {"read": ["/dev/mem"]}},
    "gpu": {"permissions": {"gpu": "yes"}},
    "parameters": {"parameters": {"type": "array"}},
    "schema": {"parameters": {"properties": {"a": {"type": "int"}}}},
    "remote schema": {"parameters": {"$ref": "http://127.0.0.1:9/s"}},
    "input": {"parameters": {"properties": {"input": {}}}},
}


@pytest.mark.parametrize("changed", WRONG.values(), ids=WRONG)
def test_a_value_that_cannot_be_is_refused(changed, monkeypatch):
    monkeypatch.setenv("HOME", "/home/ana")
    with pytest.raises(InvalidWorkflow):
        decode(**changed)


def test_a_folder_without_a_manifest_is_no_plugin(tmp_path):
    with pytest.raises(InvalidWorkflow) as raised:
        read_manifest(tmp_path)
    assert raised.value.code == "plugin.no-manifest"


def test_a_manifest_is_a_plain_file_of_bounded_size(tmp_path):
    path = tmp_path / "lao-plugin.toml"
    path.write_text("#" * (257 << 10))
    with pytest.raises(InvalidWorkflow, match="over 256 KiB"):
        read_manifest(tmp_path)
    path.unlink()
    path.mkdir()
    with pytest.raises(InvalidWorkflow, match="plain file"):
        read_manifest(tmp_path)


@settings(max_examples=60)
@given(st.text(max_size=60) | st.binary(max_size=60))
def test_no_text_makes_it_stumble(text):
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    with pytest.raises(InvalidWorkflow):
        decode_manifest(data, "x")


def test_versions_are_put_in_order():
    rising = ["0.9", "1.0.dev1", "1.0a2", "1.0b1", "1.0rc1", "1.0", "1.0.post1"]
    rising += ["1.0.1", "1.2", "1.10", "10"]
    orders = [order_of(version) for version in rising]
    assert orders == sorted(set(orders))
    assert order_of("1.0") == order_of("1") == order_of("1.0.0")


@pytest.mark.parametrize(
    ("value", "wanted", "fits"),
    [
        ("a", TEXT, True),
        (1, TEXT, False),
        (None, JSON, True),
        ("/a.wav", ValueType("audio"), True),
        ([], ValueType("audio"), False),
        ([0.5, 1], EMBEDDING, True),
        ([0.5, True], EMBEDDING, False),
        (["a", "b"], list_of(TEXT), True),
        (["a", 1], list_of(TEXT), False),
        ("a", list_of(TEXT), False),
        ([[1.0], []], list_of(EMBEDDING), True),
    ],
)
def test_a_value_is_of_a_type_or_not(value, wanted, fits):
    assert is_of_type(value, wanted) is fits


@pytest.mark.parametrize(
    ("given_type", "wanted", "takes"),
    [
        (TEXT, "text", True),
        (TEXT, "json", False),
        (list_of(TEXT), "json", True),
        (EMBEDDING, "json", True),
        (list_of(ValueType("audio")), "json", False),
        (ValueType("audio"), "file", True),
    ],
)
def test_lists_without_files_are_json(given_type, wanted, takes):
    assert decode(input={"type": wanted}).takes(given_type) is takes
