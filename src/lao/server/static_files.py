# SPDX-License-Identifier: Apache-2.0
"""The built page, read into memory at the start: no request ever names a file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from lao.errors import LaoError
from lao.server.answers import Answer

BUILT: Final = Path(__file__).parent / "static"
_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}


def read_page(folder: Path) -> Mapping[str, Answer]:
    """Return the files of the page by the path that asks for them.

    Raises:
        LaoError: the page is not built (`ui.not-built`).
    """
    files = sorted(each for each in folder.rglob("*") if each.suffix in _TYPES)
    page = {f"/{each.relative_to(folder).as_posix()}": _answer(each) for each in files}
    if "/index.html" not in page:
        raise LaoError(
            "ui.not-built",
            "the editor's page is not built",
            mend="in a checkout `make web` builds it; an installed LAO has it",
        )
    page["/"] = page.pop("/index.html")
    return page


def _answer(file: Path) -> Answer:
    kind = _TYPES[file.suffix].encode()
    return Answer(headers=((b"content-type", kind),), content=file.read_bytes())
