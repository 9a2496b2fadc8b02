# SPDX-License-Identifier: Apache-2.0
"""The built page: nothing of it reaches outside; it is packed, and its types are current."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "src" / "lao" / "server" / "static"
GENERATOR = ROOT / "web" / "node_modules" / "json-schema-to-typescript"

INDEX = '<!doctype html><script type="module" src="/assets/index-AbCd1234.js"></script>'


def module_at(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


check_page = module_at(ROOT / "scripts" / "check_page.py")
hatch_build = module_at(ROOT / "hatch_build.py")


def page(
    folder: Path, *, index: str = INDEX, script: str = "let a=1", **more: str
) -> Path:
    (folder / "assets").mkdir()
    (folder / "index.html").write_text(index)
    (folder / "assets" / "index-AbCd1234.js").write_text(script)
    for name, text in more.items():
        (folder / "assets" / name.replace("_", ".")).write_text(text)
    return folder


@pytest.mark.skipif(not STATIC.is_dir(), reason="the page is not built: make web")
def test_the_built_page_names_no_outside_origin_and_is_small() -> None:
    assert list(check_page.findings(STATIC)) == []


def test_namespaces_and_loopback_are_no_outside_origins(tmp_path: Path) -> None:
    script = 'a="http://www.w3.org/2000/svg";b="http://127.0.0.1:8080";c=a//b.c'
    assert list(check_page.findings(page(tmp_path, script=script))) == []


@pytest.mark.parametrize(
    ("script", "word"),
    [
        ('fetch("https://example.org/x")', "outside origin"),
        ('fetch("//cdn.example.org/x")', "outside origin"),
        ("new WebSocket(`wss://${h}/`)", "outside origin"),
        ('"http://127.0.0.1.example.org/"', "outside origin"),
        ('"http://www.w3.org/2000/svg.js"', "outside origin"),
        ('eval("1")', "code of text"),
        ('new Function("return 1")', "code of text"),
        ("//# sourceMappingURL=x.map", "source map"),
        ('navigator["serviceWorker"]', "service workers"),
    ],
)
def test_a_script_that_reaches_out_is_found(
    tmp_path: Path, script: str, word: str
) -> None:
    assert word in "\n".join(check_page.findings(page(tmp_path, script=script)))


@pytest.mark.parametrize(
    "markup",
    [
        "<script>let a = 1</script>",
        "<style>p { color: red }</style>",
        '<p style="color: red">',
        '<p onclick="a()">',
        '<base href="/">',
        '<link rel="icon" href="data:image/svg+xml,x">',
        '<script src="//example.org/a.js"></script>',
    ],
)
def test_markup_that_the_policy_would_refuse_is_found(
    tmp_path: Path, markup: str
) -> None:
    assert list(check_page.findings(page(tmp_path, index=INDEX + markup)))


def test_too_much_script_is_found(tmp_path: Path) -> None:
    noise = os.urandom(check_page.MOST_SCRIPT).hex()  # two digits compress to one byte
    found = list(check_page.findings(page(tmp_path, script=f'"{noise}"')))
    assert len(found) == 1
    assert "gzipped" in found[0]


def test_a_style_that_loads_from_elsewhere_is_found(tmp_path: Path) -> None:
    css = "@font-face{src:url(data:font/woff2;base64,AA)}"
    folder = page(tmp_path)
    (folder / "assets" / "index-AbCd1234.css").write_text(css)
    assert "not its own" in "\n".join(check_page.findings(folder))


@pytest.mark.skipif(
    not GENERATOR.is_dir() or not shutil.which("node"), reason="needs npm ci in web/"
)
def test_the_types_of_the_page_are_those_of_the_server() -> None:
    words = [sys.executable, str(ROOT / "scripts" / "make_api_types.py"), "--check"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


class TestHook:
    def test_a_page_older_than_a_source_is_not_current(self, tmp_path: Path) -> None:
        source, built = tmp_path / "web" / "src" / "a.ts", tmp_path / hatch_build.PAGE
        for each in (source, built):
            each.parent.mkdir(parents=True)
            each.touch()
        os.utime(source, (1, 1))
        assert hatch_build.is_current(tmp_path)
        os.utime(built, (0, 0))
        assert not hatch_build.is_current(tmp_path)

    def test_what_npm_installed_is_no_source(self, tmp_path: Path) -> None:
        module = tmp_path / "web" / "node_modules" / "a.js"
        module.parent.mkdir(parents=True)
        module.touch()
        assert list(hatch_build.sources(tmp_path / "web")) == []

    def test_without_npm_it_says_what_to_do(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(RuntimeError, match=r"Node\.js 20\.19 or later"):
            hatch_build.build(tmp_path)
