# SPDX-License-Identifier: Apache-2.0
"""Plugins for tests: written into a folder, packed into a wheel."""

import json
import zipfile
from textwrap import dedent

CODE = """
from lao.plugins.api import PluginOutput

class Entry:
    name = "word-count"

    def process(self, given):
        return PluginOutput(value={"words": len(given.value.split())})
"""
USUAL = {
    "lao": 1,
    "name": "word-count",
    "version": "1.0.0",
    "kind": "step",
    "entry": "word_count:Entry",
    "description": "Counts words.",
    "input": {"type": "text"},
    "output": {"type": "json"},
}


def manifest_text(**changed):
    """Return a manifest; a key that is None is left out."""
    told = {key: each for key, each in (USUAL | changed).items() if each is not None}
    return "".join(f"{key} = {_toml(each)}\n" for key, each in told.items())


def _toml(value):
    if isinstance(value, dict):
        inside = ", ".join(f"{json.dumps(k)} = {_toml(v)}" for k, v in value.items())
        return f"{{ {inside} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value)


def write_plugin(folder, code=CODE, **changed):
    """Write a plugin of one module into a folder, and return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "lao-plugin.toml").write_text(manifest_text(**changed), "utf-8")
    module = (USUAL | changed)["entry"].partition(":")[0]
    package = folder / "src" / module
    package.mkdir(parents=True, exist_ok=True)
    (package / "__init__.py").write_text(dedent(code), "utf-8")
    return folder


def write_wheel(path, files, *, modes=None):
    """Write a wheel of texts or bytes by name; `files` may be pairs, to repeat names."""
    pairs = files.items() if isinstance(files, dict) else files
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in pairs:
            member = zipfile.ZipInfo(name)
            member.compress_type = zipfile.ZIP_DEFLATED
            member.external_attr = (modes or {}).get(name, 0o100644) << 16
            archive.writestr(member, content)
    return path


def wheel_files(**changed):
    """Return the files of a wheel that holds a plugin."""
    return {
        "lao-plugin.toml": manifest_text(**changed),
        "word_count/__init__.py": CODE,
        "word_count-1.0.0.dist-info/METADATA": "Name: word-count\n",
    }
