# SPDX-License-Identifier: Apache-2.0
"""Checks the built page: nothing of it reaches outside, and it is small.

    python scripts/check_page.py [FOLDER]

Prints one line for each finding, and fails if there is any.
"""

import gzip
import re
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

STATIC = Path(__file__).parents[1] / "src" / "lao" / "server" / "static"
MOST_SCRIPT = 180_000  # bytes of JavaScript, gzipped, in all

# Names, not addresses: the DOM and SVG know their namespaces by them. Nothing asks
# w3.org for anything, and the policy of the page would stop it.
NAMESPACES = (
    "http://www.w3.org/1999/xhtml",
    "http://www.w3.org/2000/svg",
    "http://www.w3.org/1998/Math/MathML",
    "http://www.w3.org/1999/xlink",
    "http://www.w3.org/XML/1998/namespace",
    "http://www.w3.org/2000/xmlns/",
)
LOOPBACK = re.compile(r"https?://(?:127\.0\.0\.1|localhost|\[::1\])(?:[:/]|$)")
TEXTS = {".css", ".html", ".js", ".json", ".svg", ".txt"}
OTHERS = {".png", ".woff2"}
SCHEMELESS = re.compile(
    r"(?<=[\"'`(=])//[a-z0-9-]+(?:\.[a-z0-9-]+)+[^\s\"'`<>()\\]*", re.IGNORECASE
)
SCHEMED = re.compile(r"\b(?:https?|wss?|ftp)://[^\s\"'`<>()\\]*", re.IGNORECASE)
CODE_FROM_TEXT = re.compile(
    r"(?<![.\w$])eval\s*\(|\bnew\s+Function\b|(?<![.\w$])Function\s*\(|\bimportScripts\b"
)
HASHED = re.compile(r"assets/[\w.-]+-[\w-]{8}\.\w+")


def findings(folder: Path) -> Iterator[str]:
    """Say everything that is wrong with a built page."""
    index = folder / "index.html"
    if not index.is_file():
        yield f"{folder}: there is no index.html"
        return
    script = 0
    for path in sorted(folder.rglob("*")):
        if path.is_dir():
            continue
        name = path.relative_to(folder).as_posix()
        if path.suffix in TEXTS:
            yield from (f"{name}: {each}" for each in in_text(path))
        elif path.suffix not in OTHERS:
            yield f"{name}: what is it for?"
        if name.startswith("assets/") and not HASHED.fullmatch(name):
            yield f"{name}: its name tells no version"
        if path.suffix == ".js":
            script += len(gzip.compress(path.read_bytes(), 9))
    if script > MOST_SCRIPT:
        yield f"{script:,} bytes of JavaScript, gzipped; {MOST_SCRIPT:,} are allowed"
    yield from (f"index.html: {each}" for each in in_markup(index.read_text("utf-8")))


def in_text(path: Path) -> Iterator[str]:
    """Find outside origins, code made of text, and source maps."""
    text = path.read_text("utf-8")
    for pattern in (SCHEMED, SCHEMELESS):
        for found in pattern.findall(text):
            if found not in NAMESPACES and not LOOPBACK.match(found):
                yield f"names an outside origin: {found[:80]}"
    if "sourceMappingURL" in text:
        yield "names a source map"
    if path.suffix == ".js":
        for found in CODE_FROM_TEXT.findall(text):
            yield f"makes code of text: {found}"
        if "serviceWorker" in text:
            yield "speaks of service workers"
    if path.suffix == ".css":
        for found in re.findall(r"@import|url\(\s*[\"']?(?!/assets/)[^)]{0,60}", text):
            yield f"loads what is not its own: {found}"


class Markup(HTMLParser):
    """Collects what a strict policy would refuse in a page's markup."""

    def __init__(self) -> None:
        super().__init__()
        self.findings: list[str] = []
        self._is_script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at a tag's name and attributes."""
        given = dict(attrs)
        self._is_script = tag == "script"
        if tag in {"style", "base", "iframe", "object", "embed"}:
            self.findings.append(f"<{tag}>")
        if tag == "script" and "src" not in given:
            self.findings.append("a script inside the page")
        for name, value in attrs:
            if name == "style" or name.startswith("on"):
                self.findings.append(f"<{tag} {name}=…>")
            if name in {"src", "href"} and not re.match(r"/(?!/)", value or ""):
                self.findings.append(f"<{tag} {name}={value}>: not of its own origin")

    def handle_data(self, data: str) -> None:
        """Look at the text inside a script."""
        if self._is_script and data.strip():
            self.findings.append("a script inside the page")

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002
        """Leave the script, if it was one."""
        self._is_script = False


def in_markup(html: str) -> list[str]:
    """Find what needs an `unsafe-` word in the policy, or loads from elsewhere."""
    markup = Markup()
    markup.feed(html)
    return markup.findings


def main() -> int:
    """Check the folder that is named, or the one of this checkout."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else STATIC
    found = list(findings(folder))
    for each in found:
        print(each)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
