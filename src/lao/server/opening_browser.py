# SPDX-License-Identifier: Apache-2.0
"""Has the person's browser open the page: the one program that the server starts.

Before the lock, for nothing can be started after it. The link stands in a file that only
this user can read: in the arguments of a program everybody could see it.
"""

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from html import escape
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Final

_OPENERS: Final = ("xdg-open", "open")
_FORGOTTEN: Final = (
    3600.0  # seconds; what a killed server left is worth nothing by then
)
_FILE: Final = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0; url={url}">
<title>LAO</title>
<p><a href="{url}">Open the editor</a></p>
</html>
"""


@contextmanager
def opened_in_browser(link: str, folder: Path) -> Iterator[Callable[[], None]]:
    """Open a link; yield what removes its file once it is used. No browser, no harm."""
    for each in (folder.parent, folder):  # those above have the usual rights
        each.mkdir(mode=0o700, parents=True, exist_ok=True)
    _tidy(folder)
    with NamedTemporaryFile(
        "w", dir=folder, prefix="open-", suffix=".html", delete=False, encoding="utf-8"
    ) as file:  # made with the rights 0600
        file.write(_FILE.format(url=escape(link, quote=True)))
    path = Path(file.name)

    def forget() -> None:
        path.unlink(missing_ok=True)

    opener = _start(path)
    try:
        yield forget
    finally:
        forget()
        if opener is not None:
            opener.poll()


def _start(path: Path) -> "subprocess.Popen[bytes] | None":
    program = next(filter(None, map(shutil.which, _OPENERS)), None)
    if program is None:
        return None
    with suppress(OSError):
        return subprocess.Popen(  # noqa: S603  (a program of the person's own desktop)
            [program, str(path)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    return None


def _tidy(folder: Path) -> None:
    for left in folder.glob("open-*.html"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > _FORGOTTEN:
                left.unlink()
