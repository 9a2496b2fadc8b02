# SPDX-License-Identifier: Apache-2.0
"""A model that comes with LAO is named by all of its sources, and by no other's."""

import ast
import shutil
import sys
from pathlib import Path

import pytest

from lao.backends import embedded_identity
from lao.backends.embedded_identity import embedded_digest
from lao.errors import ModelUnavailable

BACKENDS = Path(embedded_identity.__file__).parent
NAMES = ("speech", "summary", "entities", "redact")


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """Work on a copy of the sources."""
    folder = shutil.copytree(BACKENDS, tmp_path / "backends")
    monkeypatch.setattr(embedded_identity, "_HERE", folder)
    return folder


def imported(module):
    """Return the modules of the backends that a module needs, by its syntax tree."""
    found, waiting = set(), [module]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        path = BACKENDS.joinpath(*name.split(".")).with_suffix(".py")
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [each.name for each in getattr(node, "names", [])]
            waiting += [
                each.removeprefix("lao.backends.")
                for each in names
                if each.startswith("lao.backends.")
            ]
    return found


@pytest.mark.parametrize("name", NAMES)
def test_every_module_that_a_model_needs_counts(name, copy):
    if name == "speech":
        pytest.importorskip("pocketsphinx")
    before = embedded_digest(name)
    for module in imported(f"embedded.{name}"):
        path = copy.joinpath(*module.split(".")).with_suffix(".py")
        content = path.read_bytes()
        path.write_bytes(content + b"#")
        assert embedded_digest(name) != before, module
        path.write_bytes(content)
    assert embedded_digest(name) == before


def test_data_counts_and_what_a_model_does_not_need_does_not(copy):
    before = embedded_digest("summary")
    (copy / "embedded" / "redact.py").write_text("other")
    (copy / "audio.py").write_text("other")
    assert embedded_digest("summary") == before
    (copy / "embedded" / "names.txt").write_text("other")
    assert embedded_digest("summary") != before


def test_nothing_heavy_is_imported():
    heavy = {"numpy", "pocketsphinx", "lao.backends.embedded.speech"}
    before = heavy & sys.modules.keys()
    embedded_digest("summary")
    assert heavy & sys.modules.keys() == before


def test_without_its_package_the_recogniser_is_unavailable(monkeypatch):
    monkeypatch.setattr("lao.backends.packages.find_spec", lambda name: None)
    with pytest.raises(ModelUnavailable) as caught:
        embedded_digest("speech")
    assert caught.value.code == "model.missing-package"


def test_the_version_of_the_recogniser_s_package_counts(tmp_path, monkeypatch):
    monkeypatch.setattr("lao.backends.packages.find_spec", lambda name: object())
    digests = set()
    for version, size in [("5.0", 1), ("5.1", 1), ("5.1", 2)]:
        site = tmp_path / f"{version} {size}"
        (site / "pocketsphinx" / "model").mkdir(parents=True)
        (site / "pocketsphinx" / "__init__.py").touch()
        (site / "pocketsphinx" / "model" / "lm.bin").write_bytes(b"x" * size)
        (site / f"pocketsphinx-{version}.dist-info").mkdir()
        spec = type("Spec", (), {"submodule_search_locations": [site / "pocketsphinx"]})
        monkeypatch.setattr(embedded_identity, "find_spec", lambda name, s=spec: s)
        digests.add(embedded_digest("speech"))
    assert len(digests) == 3
